// F2XM1, FYL2X, FYL2XP1 on x87 numbers (SDM volume 2, tables 3-22, 3-57 and 3-58 for the special operands).
import { addMagnitudes, outExp, outHigh, outLow, subMagnitudes } from "./arithmetic";
import {
  EXP_TABLE, EXP_TERMS, LN2_EXP, LN2_HIGH, LN2_LOW, LOG2E_HIGH, LOG2E_LOW, ODD_TABLE, ODD_TERMS,
} from "./coefficients";
import {
  EXT_BIAS, EXT_INFINITE, EXT_INFINITY, EXT_QUIET, EXT_SIGN, EXT_ZERO, extClass, extDenormal, extDenormalStops,
  extExp, extInvalid, extPropagate, extRound, extSetInfinity, extSetZero, extSig, extUnpack, INTEGER_BIT, resultExp,
  setResult,
} from "./extended";
import { flag, X_INEXACT, X_UNDERFLOW, X_ZERO_DIVIDE } from "./status";
import { divideWide, fixedLow, multiplyWide, timesSeries, toFixed } from "./wide-float";

/** F2XM1: 2^x - 1 for -1 <= x <= 1; beyond, where it is undefined, x comes back. */
export function extTwoToXMinusOne(sig: u64, signExp: u32): void {
  extUnpack(sig, signExp);
  const sign = signExp >> 15;
  if (extClass >= EXT_QUIET) {
    extPropagate(sig, signExp, extClass, 0, 0, EXT_ZERO);
  } else if (extClass == EXT_INFINITY) {
    if (sign) setResult(INTEGER_BIT, EXT_SIGN | EXT_BIAS);
    else setResult(sig, signExp);
  } else if (extClass == EXT_ZERO) {
    setResult(sig, signExp);
  } else if (!extDenormalStops(extDenormal)) {
    // Inexact is reported even where the result is exact.
    flag(X_INEXACT);
    if (extExp >= 0) {
      // 2^1 - 1 is 1, 2^-1 - 1 is -1/2.
      if (sign && extExp == 0 && extSig == INTEGER_BIT) setResult(INTEGER_BIT, EXT_SIGN | (EXT_BIAS - 1));
      else setResult(sig, signExp);
      return;
    }
    multiplyWide(extExp, extSig, 0, LN2_EXP, LN2_HIGH, LN2_LOW);
    const z = toFixed(outExp, outHigh, outLow);
    timesSeries(outExp, outHigh, outLow, EXP_TABLE, EXP_TERMS, z, fixedLow, sign != 0);
    extRound(sign, outExp, outHigh, outLow, 64);
  }
}

/** 2 * atanh(s) * log2(e) for s = num / den, |s| <= 0.172, to the out* globals: log2((1 + s) / (1 - s)). */
function logOfRatio(numExp: i32, numHigh: u64, numLow: u64, denExp: i32, denHigh: u64, denLow: u64): void {
  divideWide(numExp, numHigh, numLow, denExp, denHigh, denLow);
  const exp = outExp;
  const high = outHigh;
  const low = outLow;
  multiplyWide(exp, high, low, exp, high, low);
  const z = toFixed(outExp, outHigh, outLow);
  timesSeries(exp + 1, high, low, ODD_TABLE, ODD_TERMS, z, fixedLow, false);
  multiplyWide(outExp, outHigh, outLow, 0, LOG2E_HIGH, LOG2E_LOW);
}

/** sqrt(2) as a significand. */
const SQRT2: u64 = 0xb504f333f9de6484;

/** log2 of the positive number sig:low / 2^127 * 2^exp, which is not 1, to the out* globals; returns its sign. */
function logarithm(exp: i32, sig: u64, sigLow: u64): u32 {
  // The significand is taken between sqrt(1/2) and sqrt(2).
  let whole = exp;
  let below: u32 = 0;
  if (sig > SQRT2) {
    whole++;
    below = 1;
  }
  let sign: u32 = u32(whole < 0);
  const magnitude = whole < 0 ? -whole : whole;
  const shift = <i32>clz(<u64>magnitude);
  if (sig == INTEGER_BIT && sigLow == 0) {
    subMagnitudes(63 - shift, <u64>magnitude << shift, 0, -1000, 0, 0);
    return sign;
  }
  if (below) {
    // m = sig / 2^64 < 1: (1 - m) / (1 + m)
    subMagnitudes(0, INTEGER_BIT, 0, -1, sig, sigLow);
    const exponent = outExp;
    const high = outHigh;
    const low = outLow;
    addMagnitudes(0, INTEGER_BIT, 0, -1, sig, sigLow);
    logOfRatio(exponent, high, low, outExp, outHigh, outLow);
  } else {
    subMagnitudes(0, sig, sigLow, 0, INTEGER_BIT, 0);
    const exponent = outExp;
    const high = outHigh;
    const low = outLow;
    addMagnitudes(0, sig, sigLow, 0, INTEGER_BIT, 0);
    logOfRatio(exponent, high, low, outExp, outHigh, outLow);
  }
  if (whole == 0) return below;
  if (sign == below) {
    addMagnitudes(63 - shift, <u64>magnitude << shift, 0, outExp, outHigh, outLow);
  } else {
    // The whole part is at least 1, the other at most 1/2.
    subMagnitudes(63 - shift, <u64>magnitude << shift, 0, outExp, outHigh, outLow);
  }
  return sign;
}

// Rounds the out* globals times y. Inexact is reported even where the logarithm is a whole number and the result exact,
// and underflow with it.
function timesY(sign: u32, exponentY: i32, partY: u64): void {
  multiplyWide(outExp, outHigh, outLow, exponentY, partY, 0);
  extRound(sign, outExp, outHigh, outLow, 64);
  flag(X_INEXACT);
  if (!(resultExp & EXT_INFINITE)) flag(X_UNDERFLOW);
}

/** FYL2X: y * log2(x). */
export function extYLog2X(sigX: u64, expX: u32, sigY: u64, expY: u32): void {
  extUnpack(sigY, expY);
  const classY = extClass;
  const exponentY = extExp;
  const partY = extSig;
  const denormal = extDenormal;
  extUnpack(sigX, expX);
  if (classY >= EXT_QUIET || extClass >= EXT_QUIET) {
    extPropagate(sigX, expX, extClass, sigY, expY, classY);
    return;
  }
  const signY = expY >> 15;
  if (extClass == EXT_ZERO) {
    if (classY == EXT_ZERO) {
      extInvalid();
      return;
    }
    if (classY != EXT_INFINITY) {
      flag(X_ZERO_DIVIDE);
    }
    extSetInfinity(signY ^ 1);
    return;
  }
  if (expX >> 15) {
    extInvalid();
    return;
  }
  if (extClass == EXT_INFINITY) {
    if (classY == EXT_ZERO) extInvalid();
    else if (!extDenormalStops(denormal)) extSetInfinity(signY);
    return;
  }
  const one = extExp == 0 && extSig == INTEGER_BIT;
  const signLog = u32(extExp < 0);
  if (classY == EXT_INFINITY) {
    if (one) extInvalid();
    else if (!extDenormalStops(extDenormal)) extSetInfinity(signY ^ signLog);
    return;
  }
  if (extDenormalStops(denormal | extDenormal)) return;
  if (one || classY == EXT_ZERO) {
    extSetZero(signY ^ signLog);
    return;
  }
  const sign = logarithm(extExp, extSig, 0);
  timesY(sign ^ signY, exponentY, partY);
}

/** FYL2XP1: y * log2(x + 1), for x between sqrt(1/2) - 1 and sqrt(2) - 1. Beyond, where it is undefined, x + 1 is
 * rounded first, and x comes back where the logarithm would have none. */
export function extYLog2XPlus1(sigX: u64, expX: u32, sigY: u64, expY: u32): void {
  extUnpack(sigY, expY);
  const classY = extClass;
  const exponentY = extExp;
  const partY = extSig;
  const denormal = extDenormal;
  extUnpack(sigX, expX);
  if (classY >= EXT_QUIET || extClass >= EXT_QUIET) {
    extPropagate(sigX, expX, extClass, sigY, expY, classY);
    return;
  }
  const signX = expX >> 15;
  const signY = expY >> 15;
  const meaningless = classY == EXT_INFINITY ? extClass == EXT_ZERO : classY == EXT_ZERO && extClass == EXT_INFINITY;
  if (meaningless || (signX && extClass == EXT_INFINITY)) {
    extInvalid();
    return;
  }
  if (extDenormalStops(denormal | extDenormal)) return;
  if (classY == EXT_INFINITY || extClass == EXT_INFINITY) {
    extSetInfinity(signX ^ signY);
    return;
  }
  if (classY == EXT_ZERO || extClass == EXT_ZERO) {
    extSetZero(signX ^ signY);
    return;
  }
  if (signX && extExp >= 0) {
    flag(X_INEXACT);
    setResult(sigX, expX);
    return;
  }
  let sign = signX;
  const exponentX = extExp;
  const partX = extSig;
  if (exponentX < -1) {
    // x / (2 + x)
    if (signX) subMagnitudes(1, INTEGER_BIT, 0, exponentX, partX, 0);
    else addMagnitudes(1, INTEGER_BIT, 0, exponentX, partX, 0);
    logOfRatio(exponentX, partX, 0, outExp, outHigh, outLow);
  } else {
    if (signX) subMagnitudes(0, INTEGER_BIT, 0, exponentX, partX, 0);
    else addMagnitudes(0, INTEGER_BIT, 0, exponentX, partX, 0);
    sign = logarithm(outExp, outHigh, outLow);
  }
  timesY(sign ^ signY, exponentY, partY);
}
