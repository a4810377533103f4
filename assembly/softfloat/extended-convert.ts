// Conversions between the x87 format and the formats of its memory operands.
import {
  CLASS_NUMBER, CLASS_ZERO, fractionBits, infinity, partClass, partDenormal, partExp, partSig, quietBit, roundTo,
  signOf, unpack, withSign,
} from "./binary";
import {
  EXT_BIAS, EXT_INFINITE, EXT_INFINITY, EXT_NUMBER, EXT_QUIET, EXT_SIGNALING, EXT_UNSUPPORTED, EXT_ZERO, extClass,
  extExp, extMagnitude, extSig, extUnpack, integerRest, INTEGER_BIT, setResult,
} from "./extended";
import { flag, floatFlags, floatMasks, unflag, X_INEXACT, X_INVALID, X_OVERFLOW, X_UNDERFLOW } from "./status";

/** Result: a binary32 (u32) or binary64 (u64) number in the x87 format, exact, signaling NaNs still signaling. Returns
 * 1 where it is denormal in its own format, which the instruction reports. */
export function extFromBinary<T>(bits: u64): u32 {
  unpack<T>(bits);
  const sign = signOf<T>(bits) << 15;
  if (partClass == CLASS_ZERO) {
    setResult(0, sign);
  } else if (partClass == CLASS_NUMBER) {
    setResult(partSig, sign | <u32>(partExp + EXT_BIAS));
  } else {
    setResult(INTEGER_BIT | (bits << (63 - fractionBits<T>()) & (INTEGER_BIT - 1)), sign | EXT_INFINITE);
  }
  return partDenormal;
}

/** A number as binary32 (u32) or binary64 (u64), rounded. Where an exception is unmasked nothing is to be stored. */
export function extToBinary<T>(sig: u64, signExp: u32): u64 {
  extUnpack(sig, signExp);
  const sign = signExp >> 15;
  if (extClass == EXT_UNSUPPORTED) {
    flag(X_INVALID);
    return infinity<T>(1) | quietBit<T>();
  }
  if (extClass >= EXT_QUIET) {
    if (extClass == EXT_SIGNALING) flag(X_INVALID);
    return infinity<T>(sign) | quietBit<T>() | ((sig & (INTEGER_BIT - 1)) >> (63 - fractionBits<T>()));
  }
  if (extClass == EXT_INFINITY) return infinity<T>(sign);
  if (extClass == EXT_ZERO) return withSign<T>(sign, 0);
  const result = roundTo<T>(sign, extExp, extSig, 0, false);
  // Unmasked overflow and underflow leave memory alone, and then inexact is not reported.
  if (floatFlags & ~floatMasks & (X_OVERFLOW | X_UNDERFLOW)) unflag(X_INEXACT);
  return result;
}

/** A number as a signed integer of `width` (16, 32, 64) bits, by the rounding mode or cut (`chop`). Out of range:
 * X_INVALID and the integer indefinite, 1 << (width - 1). */
export function extToInteger(sig: u64, signExp: u32, width: i32, chop: bool): u64 {
  extUnpack(sig, signExp);
  if (extClass == EXT_ZERO) return 0;
  const limit = <u64>1 << (width - 1);
  const sign = signExp >> 15;
  if (extClass != EXT_NUMBER || extExp > 63) {
    flag(X_INVALID);
    return limit;
  }
  const magnitude = extMagnitude(sign, chop);
  if (magnitude > limit || (magnitude == limit && !sign)) {
    flag(X_INVALID);
    return limit;
  }
  if (integerRest) flag(X_INEXACT);
  return sign ? 0 - magnitude : magnitude;
}

const DECIMAL_LIMIT: u64 = 1000000000000000000;

/** High 16 bits of the last packed decimal: sign and the upper two digits. */
export let decimalHigh: u32 = 0;

/** A number as 18 packed decimal digits (low 64 bits; the rest in decimalHigh); out of range: the packed indefinite. */
export function extToDecimal(sig: u64, signExp: u32): u64 {
  extUnpack(sig, signExp);
  const sign = signExp >> 15;
  decimalHigh = sign << 15;
  if (extClass == EXT_ZERO) return 0;
  let magnitude = DECIMAL_LIMIT;
  if (extClass == EXT_NUMBER && extExp <= 62) magnitude = extMagnitude(sign, false);
  if (magnitude >= DECIMAL_LIMIT) {
    flag(X_INVALID);
    decimalHigh = 0xffff;
    return 0xc000000000000000;
  }
  if (integerRest) flag(X_INEXACT);
  let low: u64 = 0;
  for (let i = 0; i < 16; i++) {
    low |= magnitude % 10 << (i << 2);
    magnitude /= 10;
  }
  decimalHigh |= <u32>(magnitude % 10 | magnitude / 10 << 4);
  return low;
}

/** Result: packed decimal digits; nibbles above 9 are not checked, as silicon does not. */
export function extFromDecimal(low: u64, high: u32): void {
  let magnitude: u64 = <u64>(high >> 4 & 15) * 10 + (high & 15);
  for (let i = 60; i >= 0; i -= 4) magnitude = magnitude * 10 + (low >> i & 15);
  const sign = high & 0x8000;
  if (magnitude == 0) {
    setResult(0, sign);
    return;
  }
  const shift = <u32>clz(magnitude);
  setResult(magnitude << shift, sign | (<u32>EXT_BIAS + 63 - shift));
}
