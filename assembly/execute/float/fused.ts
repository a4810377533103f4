// Whole FMA instructions. `signs`: bit 0: the product is negated; bits 1 and 2: what is added to even and to odd lanes is.
import { CPU_SCRATCH2 } from "../../layout";
import { cpu } from "../../cpu";
import { fmaF32, fmaF64 } from "./fma";
import { sseBegin, sseCommit } from "./state";

/** VF(N)M...PD: dst = a * b + c on `bytes` (16 or 32). False: #XM raised, dst as before. */
export function vectorFma64(dst: usize, a: usize, b: usize, c: usize, signs: i32, bytes: i32): bool {
  sseBegin();
  const to = cpu + CPU_SCRATCH2;
  for (let i = 0; i < bytes; i += 8) {
    const negative = signs >> (1 + (i >> 3 & 1)) & 1;
    store<u64>(to + i, fmaF64(load<u64>(a + i), load<u64>(b + i), load<u64>(c + i), signs & 1, negative));
  }
  if (!sseCommit()) return false;
  memory.copy(dst, to, bytes);
  return true;
}

/** VF(N)M...PS. */
export function vectorFma32(dst: usize, a: usize, b: usize, c: usize, signs: i32, bytes: i32): bool {
  sseBegin();
  const to = cpu + CPU_SCRATCH2;
  for (let i = 0; i < bytes; i += 4) {
    const negative = signs >> (1 + (i >> 2 & 1)) & 1;
    store<u32>(to + i, fmaF32(load<u32>(a + i), load<u32>(b + i), load<u32>(c + i), signs & 1, negative));
  }
  if (!sseCommit()) return false;
  memory.copy(dst, to, bytes);
  return true;
}

/** VF(N)M...SD. It counts only where no fault is set. */
export function scalarFma64(a: u64, b: u64, c: u64, signs: i32): u64 {
  sseBegin();
  const result = fmaF64(a, b, c, signs & 1, signs >> 1 & 1);
  sseCommit();
  return result;
}

/** VF(N)M...SS. */
export function scalarFma32(a: u32, b: u32, c: u32, signs: i32): u32 {
  sseBegin();
  const result = fmaF32(a, b, c, signs & 1, signs >> 1 & 1);
  sseCommit();
  return result;
}
