// Whole SSE instructions on operands in memory (register file or a loaded operand): all lanes are computed before the
// destination is written, and it is not written where an exception is unmasked.
import { CPU_SCRATCH2 } from "../../layout";
import { cpu } from "../../cpu";
import { addF32, divF32, maxF32, minF32, mulF32, sqrtF32, subF32 } from "./arith32";
import { addF64, divF64, maxF64, minF64, mulF64, sqrtF64, subF64 } from "./arith64";
import { nativeRounding, sseBegin, sseCommit } from "./state";
import { FLOAT_ADD, FLOAT_DIV, FLOAT_MAX, FLOAT_MIN, FLOAT_MUL, FLOAT_SQRT, FLOAT_SUB } from "./soft";

/** One binary64 lane: a op b; FLOAT_SQRT takes b. */
export function laneF64(op: i32, a: u64, b: u64): u64 {
  switch (op) {
    case FLOAT_ADD: return addF64(a, b);
    case FLOAT_SUB: return subF64(a, b);
    case FLOAT_MUL: return mulF64(a, b);
    case FLOAT_DIV: return divF64(a, b);
    case FLOAT_MIN: return minF64(a, b);
    case FLOAT_MAX: return maxF64(a, b);
    default: return sqrtF64(b);
  }
}

/** One binary32 lane: a op b; FLOAT_SQRT takes b. */
export function laneF32(op: i32, a: u32, b: u32): u32 {
  switch (op) {
    case FLOAT_ADD: return addF32(a, b);
    case FLOAT_SUB: return subF32(a, b);
    case FLOAT_MUL: return mulF32(a, b);
    case FLOAT_DIV: return divF32(a, b);
    case FLOAT_MIN: return minF32(a, b);
    case FLOAT_MAX: return maxF32(a, b);
    default: return sqrtF32(b);
  }
}

/** xxxSD: the low binary64 lane of dst op= src; FLOAT_SQRT: of src. False: #XM raised, dst as before. */
export function scalarF64(op: i32, dst: usize, src: usize): bool {
  sseBegin();
  const result = laneF64(op, load<u64>(dst), load<u64>(src));
  if (!sseCommit()) return false;
  store<u64>(dst, result);
  return true;
}

/** xxxSS: the low binary32 lane of dst op= src; FLOAT_SQRT: of src. False: #XM raised, dst as before. */
export function scalarF32(op: i32, dst: usize, src: usize): bool {
  sseBegin();
  const result = laneF32(op, load<u32>(dst), load<u32>(src));
  if (!sseCommit()) return false;
  store<u32>(dst, result);
  return true;
}

/** xxxPD: both binary64 lanes of dst op= src. False: #XM raised, dst as before. */
export function packedF64(op: i32, dst: usize, src: usize): bool {
  if (ASC_FEATURE_SIMD) {
    if (op <= FLOAT_DIV && nativeRounding() && nativeF64(op, dst, dst, src)) return true;
  }
  return lanesF64(op, dst, dst, src, 16);
}

/** xxxPS: the four binary32 lanes of dst op= src. False: #XM raised, dst as before. */
export function packedF32(op: i32, dst: usize, src: usize): bool {
  if (ASC_FEATURE_SIMD) {
    if (op <= FLOAT_DIV && nativeRounding() && nativeF32(op, dst, dst, src)) return true;
  }
  return lanesF32(op, dst, dst, src, 16);
}

/** dst = a op b on `bytes` (8..32) of binary64 lanes. False: #XM raised, dst as before. */
export function vectorF64(op: i32, dst: usize, a: usize, b: usize, bytes: i32): bool {
  if (ASC_FEATURE_SIMD) {
    if (op <= FLOAT_DIV && nativeRounding()) {
      if (bytes == 16 && nativeF64(op, dst, a, b)) return true;
      if (bytes == 32 && nativeHalvesF64(op, dst, a, b)) return true;
    }
  }
  return lanesF64(op, dst, a, b, bytes);
}

/** dst = a op b on `bytes` (4..32) of binary32 lanes. False: #XM raised, dst as before. */
export function vectorF32(op: i32, dst: usize, a: usize, b: usize, bytes: i32): bool {
  if (ASC_FEATURE_SIMD) {
    if (op <= FLOAT_DIV && nativeRounding()) {
      if (bytes == 16 && nativeF32(op, dst, a, b)) return true;
      if (bytes == 32 && nativeHalvesF32(op, dst, a, b)) return true;
    }
  }
  return lanesF32(op, dst, a, b, bytes);
}

// One lane after the other. It stays out of the functions above, which would save registers for its calls at each entry.
function lanesF64(op: i32, dst: usize, a: usize, b: usize, bytes: i32): bool {
  sseBegin();
  const to = cpu + CPU_SCRATCH2;
  for (let i = 0; i < bytes; i += 8) store<u64>(to + i, laneF64(op, load<u64>(a + i), load<u64>(b + i)));
  if (!sseCommit()) return false;
  memory.copy(dst, to, bytes);
  return true;
}

function lanesF32(op: i32, dst: usize, a: usize, b: usize, bytes: i32): bool {
  sseBegin();
  const to = cpu + CPU_SCRATCH2;
  for (let i = 0; i < bytes; i += 4) store<u32>(to + i, laneF32(op, load<u32>(a + i), load<u32>(b + i)));
  if (!sseCommit()) return false;
  memory.copy(dst, to, bytes);
  return true;
}

// The 32 bytes of a YMM register: they are written when both halves are known to be plain.
function nativeHalvesF64(op: i32, dst: usize, a: usize, b: usize): bool {
  const to = cpu + CPU_SCRATCH2;
  if (!nativeF64(op, to, a, b) || !nativeF64(op, to + 16, a + 16, b + 16)) return false;
  memory.copy(dst, to, 32);
  return true;
}

function nativeHalvesF32(op: i32, dst: usize, a: usize, b: usize): bool {
  const to = cpu + CPU_SCRATCH2;
  if (!nativeF32(op, to, a, b) || !nativeF32(op, to + 16, a + 16, b + 16)) return false;
  memory.copy(dst, to, 32);
  return true;
}

// Two doubles at once where no lane needs anything but the plain IEEE operation; false: nothing was done. V8 11.3 inlines
// no call, and this one costs as much as what it computes.
// @ts-ignore: decorator
@inline function nativeF64(op: i32, dst: usize, a: usize, b: usize): bool {
  const x = v128.load(a);
  const y = v128.load(b);
  let result: v128;
  if (op == FLOAT_ADD) result = f64x2.add(x, y);
  else if (op == FLOAT_SUB) result = f64x2.sub(x, y);
  else if (op == FLOAT_MUL) result = f64x2.mul(x, y);
  else result = f64x2.div(x, y);
  const smallest = f64x2.splat(2.2250738585072014e-308);
  const zero = f64x2.splat(0);
  const sizeX = f64x2.abs(x);
  const sizeY = f64x2.abs(y);
  const size = f64x2.abs(result);
  const plain = v128.and(
    v128.and(f64x2.gt(size, smallest), f64x2.lt(size, f64x2.splat(Infinity))),
    v128.and(
      v128.or(f64x2.ge(sizeX, smallest), f64x2.eq(x, zero)),
      v128.or(f64x2.ge(sizeY, smallest), f64x2.eq(y, zero)),
    ),
  );
  if (i64x2.bitmask(plain) != 3) return false;
  v128.store(dst, result);
  return true;
}

// Four singles at once, likewise.
// @ts-ignore: decorator
@inline function nativeF32(op: i32, dst: usize, a: usize, b: usize): bool {
  const x = v128.load(a);
  const y = v128.load(b);
  let result: v128;
  if (op == FLOAT_ADD) result = f32x4.add(x, y);
  else if (op == FLOAT_SUB) result = f32x4.sub(x, y);
  else if (op == FLOAT_MUL) result = f32x4.mul(x, y);
  else result = f32x4.div(x, y);
  const smallest = f32x4.splat(1.1754943508222875e-38);
  const zero = f32x4.splat(0);
  const sizeX = f32x4.abs(x);
  const sizeY = f32x4.abs(y);
  const size = f32x4.abs(result);
  const plain = v128.and(
    v128.and(f32x4.gt(size, smallest), f32x4.lt(size, f32x4.splat(Infinity))),
    v128.and(
      v128.or(f32x4.ge(sizeX, smallest), f32x4.eq(x, zero)),
      v128.or(f32x4.ge(sizeY, smallest), f32x4.eq(y, zero)),
    ),
  );
  if (i32x4.bitmask(plain) != 15) return false;
  v128.store(dst, result);
  return true;
}
