// The IEEE 754 interchange formats: taking a number apart and rounding one into place. The type argument is the
// unsigned integer that holds the format: u64 for binary64, u32 for binary32, u16 for binary16.
import {
  flag, floatMasks, floatRounding, ROUND_DOWN, ROUND_NEAREST, ROUND_UP, roundsUp, setRoundedUp, X_INEXACT, X_OVERFLOW,
  X_UNDERFLOW,
} from "./status";

export const CLASS_ZERO: i32 = 0;
/** Finite and not zero. */
export const CLASS_NUMBER: i32 = 1;
export const CLASS_INFINITY: i32 = 2;
export const CLASS_QUIET: i32 = 3;
export const CLASS_SIGNALING: i32 = 4;

// What unpack found.
export let partClass: i32 = 0;
export let partExp: i32 = 0;
/** Normalised: bit 63 is the leading one. */
export let partSig: u64 = 0;
/** 1: a denormal number. */
export let partDenormal: u32 = 0;

// @ts-ignore: decorator
@inline export function fractionBits<T>(): i32 { return sizeof<T>() == 8 ? 52 : sizeof<T>() == 4 ? 23 : 10; }
// @ts-ignore: decorator
@inline export function exponentMax<T>(): i32 { return sizeof<T>() == 8 ? 0x7ff : sizeof<T>() == 4 ? 0xff : 0x1f; }
// @ts-ignore: decorator
@inline export function signOf<T>(bits: u64): u32 { return <u32>(bits >> (sizeof<T>() * 8 - 1)) & 1; }
// @ts-ignore: decorator
@inline export function withSign<T>(sign: u32, bits: u64): u64 { return (<u64>sign << (sizeof<T>() * 8 - 1)) | bits; }
// @ts-ignore: decorator
@inline export function infinity<T>(sign: u32): u64 {
  return withSign<T>(sign, <u64>exponentMax<T>() << fractionBits<T>());
}
/** The "real indefinite" quiet NaN: negative, only the quiet bit set. */
// @ts-ignore: decorator
@inline export function indefinite<T>(): u64 { return infinity<T>(1) | quietBit<T>(); }
// @ts-ignore: decorator
@inline export function quietBit<T>(): u64 { return <u64>1 << (fractionBits<T>() - 1); }

/** Takes a number apart into the part* globals. */
export function unpack<T>(bits: u64): void {
  const fraction = bits & ((<u64>1 << fractionBits<T>()) - 1);
  const exponent = <i32>(bits >> fractionBits<T>()) & exponentMax<T>();
  partDenormal = 0;
  if (exponent == exponentMax<T>()) {
    if (fraction == 0) partClass = CLASS_INFINITY;
    else partClass = fraction & quietBit<T>() ? CLASS_QUIET : CLASS_SIGNALING;
  } else if (exponent) {
    partClass = CLASS_NUMBER;
    partSig = 0x8000000000000000 | (fraction << (63 - fractionBits<T>()));
    partExp = exponent - (exponentMax<T>() >> 1);
  } else if (fraction == 0) {
    partClass = CLASS_ZERO;
  } else {
    const shift = <i32>clz(fraction);
    partClass = CLASS_NUMBER;
    partDenormal = 1;
    partSig = fraction << shift;
    partExp = 64 - fractionBits<T>() - (exponentMax<T>() >> 1) - shift;
  }
}

/** Rounds (high:low) / 2^127 * 2^exp to the format by floatRounding and reports X_OVERFLOW, X_UNDERFLOW and
 * X_INEXACT. Tininess is detected after rounding, as x86 does. Where overflow or underflow is unmasked the value
 * returned has no meaning, since no instruction stores it. `flush`: a tiny result becomes zero (MXCSR.FTZ). */
export function roundTo<T>(sign: u32, exp: i32, high: u64, low: u64, flush: bool): u64 {
  const bias = exponentMax<T>() >> 1;
  const keptBits = fractionBits<T>() + 1;
  let kept = high >> (64 - keptBits);
  let tail = (high << keptBits) | u64(low != 0);
  let up = roundsUp(sign, kept & 1, tail);
  if (exp >= 1 - bias) {
    setRoundedUp(<i32>up);
    kept += <u64>up;
    if (kept >> keptBits) {
      kept >>= 1;
      exp++;
    }
    if (exp > bias) return overflow<T>(sign, tail);
    if (tail) flag(X_INEXACT);
    return withSign<T>(sign, (<u64>(exp + bias - 1) << fractionBits<T>()) + kept);
  }
  const tiny = exp < -bias || (kept + <u64>up) >> keptBits == 0;
  if (tiny && !(floatMasks & X_UNDERFLOW)) {
    setRoundedUp(<i32>up);
    flag(tail ? X_UNDERFLOW | X_INEXACT : X_UNDERFLOW);
    return 0;
  }
  if (tiny && flush) {
    flag(X_UNDERFLOW | X_INEXACT);
    return withSign<T>(sign, 0);
  }
  const drop = 64 - keptBits + 1 - bias - exp;
  kept = drop < 64 ? high >> drop : 0;
  tail = drop < 64 ? (high << (64 - drop)) | u64(low != 0) : drop == 64 ? high | u64(low != 0) : 1;
  up = roundsUp(sign, kept & 1, tail);
  setRoundedUp(<i32>up);
  if (tail) flag(tiny ? X_UNDERFLOW | X_INEXACT : X_INEXACT);
  // A carry out of the fraction makes the smallest normal number, whose encoding is just that sum.
  return withSign<T>(sign, kept + <u64>up);
}

function overflow<T>(sign: u32, tail: u64): u64 {
  // Unmasked, the result would be delivered with its exponent wrapped, which is inexact only if rounding was.
  flag(floatMasks & X_OVERFLOW || tail ? X_OVERFLOW | X_INEXACT : X_OVERFLOW);
  const away = floatRounding == ROUND_NEAREST || floatRounding == (sign ? ROUND_DOWN : ROUND_UP);
  setRoundedUp(<i32>away);
  return away ? infinity<T>(sign) : infinity<T>(sign) - 1;
}
