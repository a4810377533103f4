// Add, subtract, multiply, divide and square root on the x87 format: special operands, then the common magnitude
// arithmetic, then rounding to the precision that the control word asks for. `denormal`: an operand was a denormal
// number in the memory format it was converted from.
import {
  addMagnitudes, divide, multiply, outExp, outHigh, outLow, outSwapped, squareRoot, subMagnitudes,
} from "./arithmetic";
import {
  EXT_BIAS, EXT_INFINITE, EXT_INFINITY, EXT_NUMBER, EXT_QUIET, EXT_ZERO, extClass, extDenormal, extDenormalStops, extExp, extInvalid,
  extPropagate, extRound, extSetInfinity, extSetZero, extSig, extUnpack, INTEGER_BIT, precision, setResult,
} from "./extended";
import { flag, floatRounding, ROUND_DOWN, X_ZERO_DIVIDE } from "./status";

/** Neither zero, denormal, infinite nor a NaN. */
// @ts-ignore: decorator
@inline function isNormal(sig: u64, signExp: u32): bool {
  return (sig & INTEGER_BIT) != 0 && (signExp & EXT_INFINITE) - 1 < EXT_INFINITE - 1;
}

// @ts-ignore: decorator
@inline function exponentOf(signExp: u32): i32 { return <i32>(signExp & EXT_INFINITE) - EXT_BIAS; }

/** a + b, or a - b with `negate` 1. */
export function extAdd(sigA: u64, expA: u32, sigB: u64, expB: u32, negate: u32, denormal: u32): void {
  if (isNormal(sigA, expA) && isNormal(sigB, expB) && !denormal) {
    addNumbers(expA >> 15, exponentOf(expA), sigA, (expB >> 15) ^ negate, exponentOf(expB), sigB);
    return;
  }
  extUnpack(sigA, expA);
  const classA = extClass;
  const exponentA = extExp;
  const partA = extSig;
  denormal |= extDenormal;
  extUnpack(sigB, expB);
  if (classA >= EXT_QUIET || extClass >= EXT_QUIET) {
    extPropagate(sigA, expA, classA, sigB, expB, extClass);
    return;
  }
  if (extDenormalStops(denormal | extDenormal)) return;
  const signA = expA >> 15;
  const signB = (expB >> 15) ^ negate;
  if (classA == EXT_INFINITY) {
    if (extClass == EXT_INFINITY && signA != signB) extInvalid();
    else extSetInfinity(signA);
    return;
  }
  if (extClass == EXT_INFINITY) {
    extSetInfinity(signB);
    return;
  }
  if (classA == EXT_ZERO || extClass == EXT_ZERO) {
    if (classA == EXT_NUMBER) {
      extRound(signA, exponentA, partA, 0, precision);
    } else if (extClass == EXT_NUMBER) {
      extRound(signB, extExp, extSig, 0, precision);
    } else {
      extSetZero(signA == signB ? signA : u32(floatRounding == ROUND_DOWN));
    }
    return;
  }
  addNumbers(signA, exponentA, partA, signB, extExp, extSig);
}

// a + b of numbers that are taken apart.
function addNumbers(signA: u32, exponentA: i32, partA: u64, signB: u32, exponentB: i32, partB: u64): void {
  let sign = signA;
  if (signA == signB) {
    addMagnitudes(exponentA, partA, 0, exponentB, partB, 0);
  } else {
    subMagnitudes(exponentA, partA, 0, exponentB, partB, 0);
    sign ^= outSwapped;
    if (outHigh == 0) {
      extSetZero(u32(floatRounding == ROUND_DOWN));
      return;
    }
  }
  extRound(sign, outExp, outHigh, outLow, precision);
}

/** a * b. */
export function extMul(sigA: u64, expA: u32, sigB: u64, expB: u32, denormal: u32): void {
  if (isNormal(sigA, expA) && isNormal(sigB, expB) && !denormal) {
    multiply(exponentOf(expA), sigA, exponentOf(expB), sigB);
    extRound((expA ^ expB) >> 15, outExp, outHigh, outLow, precision);
    return;
  }
  extUnpack(sigA, expA);
  const classA = extClass;
  const exponentA = extExp;
  const partA = extSig;
  denormal |= extDenormal;
  extUnpack(sigB, expB);
  if (classA >= EXT_QUIET || extClass >= EXT_QUIET) {
    extPropagate(sigA, expA, classA, sigB, expB, extClass);
    return;
  }
  const sign = (expA ^ expB) >> 15;
  if ((classA == EXT_INFINITY && extClass == EXT_ZERO) || (classA == EXT_ZERO && extClass == EXT_INFINITY)) {
    extInvalid();
    return;
  }
  if (extDenormalStops(denormal | extDenormal)) return;
  if (classA == EXT_INFINITY || extClass == EXT_INFINITY) {
    extSetInfinity(sign);
  } else if (classA == EXT_ZERO || extClass == EXT_ZERO) {
    extSetZero(sign);
  } else {
    multiply(exponentA, partA, extExp, extSig);
    extRound(sign, outExp, outHigh, outLow, precision);
  }
}

/** a / b. */
export function extDiv(sigA: u64, expA: u32, sigB: u64, expB: u32, denormal: u32): void {
  extUnpack(sigA, expA);
  const classA = extClass;
  const exponentA = extExp;
  const partA = extSig;
  denormal |= extDenormal;
  extUnpack(sigB, expB);
  if (classA >= EXT_QUIET || extClass >= EXT_QUIET) {
    extPropagate(sigA, expA, classA, sigB, expB, extClass);
    return;
  }
  const sign = (expA ^ expB) >> 15;
  if (classA == extClass && classA != EXT_NUMBER) {
    extInvalid();
    return;
  }
  if (extClass == EXT_ZERO && classA == EXT_NUMBER) {
    flag(X_ZERO_DIVIDE);
    extSetInfinity(sign);
    return;
  }
  if (extDenormalStops(denormal | extDenormal)) return;
  if (classA == EXT_INFINITY) {
    extSetInfinity(sign);
  } else if (classA == EXT_ZERO || extClass == EXT_INFINITY) {
    extSetZero(sign);
  } else {
    divide(exponentA, partA, extExp, extSig);
    extRound(sign, outExp, outHigh, outLow, precision);
  }
}

/** The square root of a. */
export function extSqrt(sig: u64, signExp: u32): void {
  extUnpack(sig, signExp);
  if (extClass >= EXT_QUIET) {
    extPropagate(sig, signExp, extClass, 0, 0, EXT_ZERO);
  } else if (extClass == EXT_ZERO) {
    setResult(sig, signExp);
  } else if (signExp >> 15) {
    extInvalid();
  } else if (!extDenormalStops(extDenormal)) {
    if (extClass == EXT_INFINITY) {
      setResult(sig, signExp);
    } else {
      squareRoot(extExp, extSig);
      extRound(0, outExp, outHigh, outLow, precision);
    }
  }
}
