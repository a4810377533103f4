// FPREM and FPREM1, FSCALE, FXTRACT and FRNDINT.
import { normalize, outExp, outHigh, subMagnitudes } from "./arithmetic";
import {
  EXT_BIAS, EXT_INFINITY, EXT_NUMBER, EXT_QUIET, EXT_SIGN, EXT_ZERO, extClass, extDenormal, extDenormalStops, extExp,
  extInvalid, extMagnitude, extPropagate, extRound, extSetInfinity, extSetZero, extSig, extUnpack, integerRest,
  resultExp, resultLow, setResult,
} from "./extended";
import { flag, X_INEXACT, X_ZERO_DIVIDE } from "./status";
import { divWide, wideLow } from "./wide";

/** The low bits of the quotient of the last complete reduction. */
export let remainderQuotient: u32 = 0;
/** 1: there is a remainder, which is not a NaN. */
export let remainderDone: u32 = 0;
/** 1: the exponents were 64 or more apart and the reduction is partial. */
export let remainderPartial: u32 = 0;

/** FPREM: a - b * q with q = a / b cut towards zero; FPREM1 (`nearest`): rounded to nearest even. Exact. */
export function extRemainder(sigA: u64, expA: u32, sigB: u64, expB: u32, nearest: bool): void {
  remainderQuotient = 0;
  remainderPartial = 0;
  remainderDone = 0;
  extUnpack(sigA, expA);
  const classA = extClass;
  const exponentA = extExp;
  const partA = extSig;
  const denormal = extDenormal;
  extUnpack(sigB, expB);
  if (classA >= EXT_QUIET || extClass >= EXT_QUIET) {
    extPropagate(sigA, expA, classA, sigB, expB, extClass);
    return;
  }
  if (classA == EXT_INFINITY || extClass == EXT_ZERO) {
    extInvalid();
    return;
  }
  if (extDenormalStops(denormal | extDenormal)) return;
  remainderDone = 1;
  let sign = expA >> 15;
  if (classA == EXT_ZERO) {
    extSetZero(sign);
    return;
  }
  const distance = exponentA - extExp;
  if (extClass == EXT_INFINITY || distance < -1 || (distance < 0 && !nearest)) {
    extRound(sign, exponentA, partA, 0, 64);
    return;
  }
  if (distance < 0) {
    // b/2 <= a < b: the quotient is 0 or 1.
    if (partA <= extSig) {
      extRound(sign, exponentA, partA, 0, 64);
      return;
    }
    subMagnitudes(extExp, extSig, 0, exponentA, partA, 0);
    remainderQuotient = 1;
    extRound(sign ^ 1, outExp, outHigh, 0, 64);
    return;
  }
  // Silicon reduces by 32..63 bits at a time when it cannot finish.
  remainderPartial = u32(distance >= 64);
  const bits = remainderPartial ? (distance & 31) | 32 : distance;
  const whole = u64(partA >= extSig);
  let rest = partA - (whole ? extSig : 0);
  let quotient = whole;
  if (bits) {
    quotient = (whole << bits) | divWide(rest >> (64 - bits), rest << bits, extSig);
    rest = wideLow;
  }
  if (!remainderPartial) {
    const left = extSig - rest;
    if (nearest && (rest > left || (rest == left && quotient & 1))) {
      quotient++;
      rest = left;
      sign ^= 1;
    }
    remainderQuotient = <u32>quotient & 7;
  }
  if (rest == 0) {
    extSetZero(expA >> 15);
    return;
  }
  normalize(extExp + (remainderPartial ? distance - bits : 0), rest, 0);
  extRound(sign, outExp, outHigh, 0, 64);
}

/** FSCALE: a * 2^trunc(b). */
export function extScale(sigA: u64, expA: u32, sigB: u64, expB: u32): void {
  extUnpack(sigA, expA);
  const classA = extClass;
  const exponentA = extExp;
  const partA = extSig;
  const denormal = extDenormal;
  extUnpack(sigB, expB);
  if (classA >= EXT_QUIET || extClass >= EXT_QUIET) {
    extPropagate(sigA, expA, classA, sigB, expB, extClass);
    return;
  }
  const sign = expA >> 15;
  if (extClass == EXT_INFINITY) {
    const shrinks = expB >> 15 != 0;
    if (shrinks ? classA == EXT_INFINITY : classA == EXT_ZERO) {
      extInvalid();
      return;
    }
    if (extDenormalStops(denormal)) return;
    if (shrinks) extSetZero(sign);
    else extSetInfinity(sign);
    return;
  }
  if (extDenormalStops(denormal | extDenormal)) return;
  if (classA != EXT_NUMBER) {
    setResult(sigA, expA);
    return;
  }
  // Beyond 2^16 every scale overflows or underflows alike.
  let scale = extClass == EXT_ZERO || extExp < 0 ? 0 : extExp > 15 ? 0x10000 : <i32>(extSig >> (63 - extExp));
  if (expB >> 15) scale = -scale;
  extRound(sign, exponentA + scale, partA, 0, 64);
}

/** The exponent that FXTRACT leaves in ST1: resultLow and resultExp hold the significand. */
export let extractLow: u64 = 0;
export let extractExp: u32 = 0;

/** FXTRACT: splits a into exponent (extractLow, extractExp) and significand (resultLow, resultExp). */
export function extExtract(sig: u64, signExp: u32): void {
  extUnpack(sig, signExp);
  if (extClass >= EXT_QUIET) {
    extPropagate(sig, signExp, extClass, 0, 0, EXT_ZERO);
    saveExtract();
  } else if (extClass == EXT_INFINITY) {
    extSetInfinity(0);
    saveExtract();
    setResult(sig, signExp);
  } else if (extClass == EXT_ZERO) {
    flag(X_ZERO_DIVIDE);
    extSetInfinity(1);
    saveExtract();
    setResult(sig, signExp);
  } else if (!extDenormalStops(extDenormal)) {
    const significand = extSig;
    extFromInteger(extExp);
    saveExtract();
    setResult(significand, (signExp & EXT_SIGN) | EXT_BIAS);
  }
}

function saveExtract(): void {
  extractLow = resultLow;
  extractExp = resultExp;
}

/** Result: a signed integer, always exact. */
export function extFromInteger(value: i64): void {
  if (value == 0) {
    extSetZero(0);
    return;
  }
  const magnitude = value < 0 ? 0 - <u64>value : <u64>value;
  const shift = <u32>clz(magnitude);
  setResult(magnitude << shift, u32(value < 0) << 15 | (<u32>EXT_BIAS + 63 - shift));
}

/** FRNDINT: a rounded to an integral value by the rounding mode. */
export function extRoundIntegral(sig: u64, signExp: u32): void {
  extUnpack(sig, signExp);
  if (extClass >= EXT_QUIET) {
    extPropagate(sig, signExp, extClass, 0, 0, EXT_ZERO);
    return;
  }
  if (extClass != EXT_NUMBER || extExp >= 63) {
    setResult(sig, signExp);
    return;
  }
  if (extDenormalStops(extDenormal)) return;
  const sign = signExp >> 15;
  const magnitude = extMagnitude(sign, false);
  if (integerRest) flag(X_INEXACT);
  if (magnitude == 0) {
    extSetZero(sign);
    return;
  }
  const shift = <u32>clz(magnitude);
  setResult(magnitude << shift, sign << 15 | (<u32>EXT_BIAS + 63 - shift));
}
