// binary32 arithmetic of one lane: native where that is exact in value and flags, soft otherwise. Operands and
// results are bit patterns; exceptions go to sseExceptions.
import { minMax } from "./minmax";
import { nativeRounding } from "./state";
import { FLOAT_ADD, FLOAT_DIV, FLOAT_MAX, FLOAT_MIN, FLOAT_MUL, FLOAT_SUB, softBinary, softSqrt } from "./soft";

const SIGNLESS: u32 = 0x7fffffff;
const SMALLEST: u32 = 0x00800000;
const INFINITE: u32 = 0x7f800000;

/** Normal and above the smallest normal number, to which a tiny result may have been rounded up. */
// @ts-ignore: decorator
@inline function safe(bits: u32): bool { return (bits & SIGNLESS) - (SMALLEST + 1) < INFINITE - (SMALLEST + 1); }
/** Zero, normal, infinite or NaN: no denormal-operand exception. */
// @ts-ignore: decorator
@inline function notDenormal(bits: u32): bool { return (bits & SIGNLESS) - 1 >= SMALLEST - 1; }

/** Zero, normal or infinite. */
// @ts-ignore: decorator
@inline function ordinary(bits: u32): bool { return notDenormal(bits) && (bits & SIGNLESS) <= INFINITE; }

/** a + b. */
export function addF32(a: u32, b: u32): u32 {
  if (nativeRounding()) {
    const result = reinterpret<u32>(reinterpret<f32>(a) + reinterpret<f32>(b));
    if (safe(result) && notDenormal(a) && notDenormal(b)) return result;
  }
  return <u32>softBinary<u32>(FLOAT_ADD, a, b);
}

/** a - b. */
export function subF32(a: u32, b: u32): u32 {
  if (nativeRounding()) {
    const result = reinterpret<u32>(reinterpret<f32>(a) - reinterpret<f32>(b));
    if (safe(result) && notDenormal(a) && notDenormal(b)) return result;
  }
  return <u32>softBinary<u32>(FLOAT_SUB, a, b);
}

/** a * b. */
export function mulF32(a: u32, b: u32): u32 {
  if (nativeRounding()) {
    const result = reinterpret<u32>(reinterpret<f32>(a) * reinterpret<f32>(b));
    if (safe(result) && notDenormal(a) && notDenormal(b)) return result;
  }
  return <u32>softBinary<u32>(FLOAT_MUL, a, b);
}

/** a / b. */
export function divF32(a: u32, b: u32): u32 {
  if (nativeRounding()) {
    const result = reinterpret<u32>(reinterpret<f32>(a) / reinterpret<f32>(b));
    if (safe(result) && notDenormal(a) && notDenormal(b)) return result;
  }
  return <u32>softBinary<u32>(FLOAT_DIV, a, b);
}

/** The square root of a. */
export function sqrtF32(a: u32): u32 {
  // A normal positive operand has a normal root.
  if (nativeRounding() && a - SMALLEST < INFINITE - SMALLEST) {
    return reinterpret<u32>(Mathf.sqrt(reinterpret<f32>(a)));
  }
  return <u32>softSqrt<u32>(a);
}

/** MINSS: b unless a is less. */
export function minF32(a: u32, b: u32): u32 {
  if (ordinary(a) && ordinary(b)) return reinterpret<f32>(a) < reinterpret<f32>(b) ? a : b;
  return <u32>minMax<u32>(FLOAT_MIN, a, b);
}

/** MAXSS: b unless a is greater. */
export function maxF32(a: u32, b: u32): u32 {
  if (ordinary(a) && ordinary(b)) return reinterpret<f32>(a) > reinterpret<f32>(b) ? a : b;
  return <u32>minMax<u32>(FLOAT_MAX, a, b);
}
