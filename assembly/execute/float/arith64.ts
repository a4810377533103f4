// binary64 arithmetic of one lane: native where that is exact in value and flags, soft otherwise. Operands and
// results are bit patterns; exceptions go to sseExceptions.
import { minMax } from "./minmax";
import { nativeRounding } from "./state";
import { FLOAT_ADD, FLOAT_DIV, FLOAT_MAX, FLOAT_MIN, FLOAT_MUL, FLOAT_SUB, softBinary, softSqrt } from "./soft";

const SIGNLESS: u64 = 0x7fffffffffffffff;
const SMALLEST: u64 = 0x0010000000000000;
const INFINITE: u64 = 0x7ff0000000000000;

/** Normal and above the smallest normal number, to which a tiny result may have been rounded up. */
// @ts-ignore: decorator
@inline function safe(bits: u64): bool { return (bits & SIGNLESS) - (SMALLEST + 1) < INFINITE - (SMALLEST + 1); }
/** Zero, normal, infinite or NaN: no denormal-operand exception. */
// @ts-ignore: decorator
@inline function notDenormal(bits: u64): bool { return (bits & SIGNLESS) - 1 >= SMALLEST - 1; }

/** Zero, normal or infinite. */
// @ts-ignore: decorator
@inline function ordinary(bits: u64): bool { return notDenormal(bits) && (bits & SIGNLESS) <= INFINITE; }

/** a + b. */
export function addF64(a: u64, b: u64): u64 {
  if (nativeRounding()) {
    const result = reinterpret<u64>(reinterpret<f64>(a) + reinterpret<f64>(b));
    if (safe(result) && notDenormal(a) && notDenormal(b)) return result;
  }
  return softBinary<u64>(FLOAT_ADD, a, b);
}

/** a - b. */
export function subF64(a: u64, b: u64): u64 {
  if (nativeRounding()) {
    const result = reinterpret<u64>(reinterpret<f64>(a) - reinterpret<f64>(b));
    if (safe(result) && notDenormal(a) && notDenormal(b)) return result;
  }
  return softBinary<u64>(FLOAT_SUB, a, b);
}

/** a * b. */
export function mulF64(a: u64, b: u64): u64 {
  if (nativeRounding()) {
    const result = reinterpret<u64>(reinterpret<f64>(a) * reinterpret<f64>(b));
    if (safe(result) && notDenormal(a) && notDenormal(b)) return result;
  }
  return softBinary<u64>(FLOAT_MUL, a, b);
}

/** a / b. */
export function divF64(a: u64, b: u64): u64 {
  if (nativeRounding()) {
    const result = reinterpret<u64>(reinterpret<f64>(a) / reinterpret<f64>(b));
    if (safe(result) && notDenormal(a) && notDenormal(b)) return result;
  }
  return softBinary<u64>(FLOAT_DIV, a, b);
}

/** The square root of a. */
export function sqrtF64(a: u64): u64 {
  // A normal positive operand has a normal root.
  if (nativeRounding() && a - SMALLEST < INFINITE - SMALLEST) {
    return reinterpret<u64>(Math.sqrt(reinterpret<f64>(a)));
  }
  return softSqrt<u64>(a);
}

/** MINSD: b unless a is less. */
export function minF64(a: u64, b: u64): u64 {
  if (ordinary(a) && ordinary(b)) return reinterpret<f64>(a) < reinterpret<f64>(b) ? a : b;
  return minMax<u64>(FLOAT_MIN, a, b);
}

/** MAXSD: b unless a is greater. */
export function maxF64(a: u64, b: u64): u64 {
  if (ordinary(a) && ordinary(b)) return reinterpret<f64>(a) > reinterpret<f64>(b) ? a : b;
  return minMax<u64>(FLOAT_MAX, a, b);
}
