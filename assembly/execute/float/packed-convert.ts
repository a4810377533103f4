// Packed comparisons, conversions and roundings on operands in memory. `bytes` is the width of the destination (of the
// source where the result is narrower); 16 for SSE. Each returns false where #XM is raised, and leaves dst alone then.
import { CPU_SCRATCH2 } from "../../layout";
import { cpu } from "../../cpu";
import { compareF32, compareF64 } from "./compare";
import { f16ToF32, f32ToF16, f32ToF64, f64ToF32 } from "./convert";
import { f32ToI32, f64ToI32, i32ToF32, i32ToF64, roundF32, roundF64 } from "./integer";
import { sseBegin, sseCommit } from "./state";

/** CMPPD: masks of the lanes where predicate `immediate` (0..31) holds. */
export function vectorCompareF64(dst: usize, a: usize, b: usize, immediate: i32, bytes: i32): bool {
  const to = begin();
  for (let i = 0; i < bytes; i += 8) store<u64>(to + i, compareF64(load<u64>(a + i), load<u64>(b + i), immediate));
  return finish(dst, to, bytes);
}

/** CMPPS. */
export function vectorCompareF32(dst: usize, a: usize, b: usize, immediate: i32, bytes: i32): bool {
  const to = begin();
  for (let i = 0; i < bytes; i += 4) store<u32>(to + i, compareF32(load<u32>(a + i), load<u32>(b + i), immediate));
  return finish(dst, to, bytes);
}

/** ROUNDPD. */
export function vectorRoundF64(dst: usize, src: usize, immediate: i32, bytes: i32): bool {
  const to = begin();
  for (let i = 0; i < bytes; i += 8) store<u64>(to + i, roundF64(load<u64>(src + i), immediate));
  return finish(dst, to, bytes);
}

/** ROUNDPS. */
export function vectorRoundF32(dst: usize, src: usize, immediate: i32, bytes: i32): bool {
  const to = begin();
  for (let i = 0; i < bytes; i += 4) store<u32>(to + i, roundF32(load<u32>(src + i), immediate));
  return finish(dst, to, bytes);
}

/** CVTPS2DQ; CVTTPS2DQ with `truncate`. CVTPS2PI and CVTTPS2PI with 8 bytes. */
export function vectorF32ToI32(dst: usize, src: usize, truncate: i32, bytes: i32): bool {
  const to = begin();
  for (let i = 0; i < bytes; i += 4) store<u32>(to + i, f32ToI32(load<u32>(src + i), truncate));
  return finish(dst, to, bytes);
}

/** CVTDQ2PS. CVTPI2PS with 8 bytes. */
export function vectorI32ToF32(dst: usize, src: usize, bytes: i32): bool {
  const to = begin();
  for (let i = 0; i < bytes; i += 4) store<u32>(to + i, i32ToF32(load<i32>(src + i)));
  return finish(dst, to, bytes);
}

/** CVTDQ2PD, CVTPI2PD: `bytes` of doubles from half as many of integers; raises nothing. */
export function vectorI32ToF64(dst: usize, src: usize, bytes: i32): bool {
  const to = begin();
  for (let i = 0; i < bytes; i += 8) store<u64>(to + i, i32ToF64(load<i32>(src + (i >> 1))));
  return finish(dst, to, bytes);
}

/** CVTPD2DQ; CVTTPD2DQ with `truncate`: `bytes` of doubles to half as many of integers. The caller clears the upper
 * half of an XMM destination (CVTPD2PI and CVTTPD2PI have none). */
export function vectorF64ToI32(dst: usize, src: usize, truncate: i32, bytes: i32): bool {
  const to = begin();
  for (let i = 0; i < bytes; i += 8) store<u32>(to + (i >> 1), f64ToI32(load<u64>(src + i), truncate));
  return finish(dst, to, bytes >> 1);
}

/** CVTPS2PD: `bytes` of doubles from half as many of singles. */
export function vectorF32ToF64(dst: usize, src: usize, bytes: i32): bool {
  const to = begin();
  for (let i = 0; i < bytes; i += 8) store<u64>(to + i, f32ToF64(load<u32>(src + (i >> 1))));
  return finish(dst, to, bytes);
}

/** CVTPD2PS: `bytes` of doubles to half as many of singles. The caller clears the upper half. */
export function vectorF64ToF32(dst: usize, src: usize, bytes: i32): bool {
  const to = begin();
  for (let i = 0; i < bytes; i += 8) store<u32>(to + (i >> 1), f64ToF32(load<u64>(src + i)));
  return finish(dst, to, bytes >> 1);
}

/** VCVTPH2PS: `bytes` of singles from half as many of halves. */
export function vectorF16ToF32(dst: usize, src: usize, bytes: i32): bool {
  const to = begin();
  for (let i = 0; i < bytes; i += 4) store<u32>(to + i, f16ToF32(load<u16>(src + (i >> 1))));
  return finish(dst, to, bytes);
}

/** VCVTPS2PH: `bytes` of singles as half as many of halves, 0 above. It counts only where no fault is set. */
export function packHalves(src: usize, immediate: i32, bytes: i32): v128 {
  const to = begin();
  store<u64>(to, 0, 8);
  for (let i = 0; i < bytes; i += 4) store<u16>(to + (i >> 1), f32ToF16(load<u32>(src + i), immediate));
  sseCommit();
  return v128.load(to);
}

function begin(): usize {
  sseBegin();
  return cpu + CPU_SCRATCH2;
}

function finish(dst: usize, from: usize, bytes: i32): bool {
  if (!sseCommit()) return false;
  memory.copy(dst, from, bytes);
  return true;
}
