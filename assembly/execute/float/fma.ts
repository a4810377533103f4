// Fused multiply-add of one lane: a * b + c with one rounding. The product of two significands has at most 106 bits,
// so it is exact in the 128 bits of the common arithmetic. SDM volume 1, 14.5.
import {
  CLASS_INFINITY, CLASS_NUMBER, CLASS_QUIET, CLASS_SIGNALING, CLASS_ZERO, infinity, partClass, partDenormal, partExp,
  partSig, quietBit, roundTo, signOf, withSign,
} from "../../softfloat/binary";
import {
  addMagnitudes, multiply, outExp, outHigh, outLow, outSwapped, subMagnitudes,
} from "../../softfloat/arithmetic";
import { flag, floatRounding, ROUND_DOWN, X_DENORMAL, X_INVALID } from "../../softfloat/status";
import { invalid, unpackOperand } from "./soft";
import { laneBegin, laneEnd, laneStopped, mxcsr, MXCSR_FTZ } from "./state";

/** VFMADD: a * b + c; `negateProduct` (VFNM...) and `negateAddend` (...SUB) turn the signs round. binary64. The first
 * NaN of a, b, c comes out, so the order of the factors matters: 132: op1, op3; 213: op2, op1; 231: op2, op3. */
export function fmaF64(a: u64, b: u64, c: u64, negateProduct: i32, negateAddend: i32): u64 {
  return fused<u64>(a, b, c, <u32>negateProduct, <u32>negateAddend);
}

/** The same for binary32. */
export function fmaF32(a: u32, b: u32, c: u32, negateProduct: i32, negateAddend: i32): u32 {
  return <u32>fused<u32>(a, b, c, <u32>negateProduct, <u32>negateAddend);
}

function fused<T>(a: u64, b: u64, c: u64, negateProduct: u32, negateAddend: u32): u64 {
  laneBegin();
  const result = compute<T>(a, b, c, negateProduct, negateAddend);
  laneEnd();
  return result;
}

function compute<T>(a: u64, b: u64, c: u64, negateProduct: u32, negateAddend: u32): u64 {
  unpackOperand<T>(a);
  const classA = partClass;
  const expA = partExp;
  const sigA = partSig;
  let denormal = partDenormal;
  unpackOperand<T>(b);
  const classB = partClass;
  const expB = partExp;
  const sigB = partSig;
  denormal |= partDenormal;
  unpackOperand<T>(c);
  const classC = partClass;
  if (classA >= CLASS_QUIET || classB >= CLASS_QUIET || classC >= CLASS_QUIET) {
    if (classA == CLASS_SIGNALING || classB == CLASS_SIGNALING || classC == CLASS_SIGNALING) flag(X_INVALID);
    return (classA >= CLASS_QUIET ? a : classB >= CLASS_QUIET ? b : c) | quietBit<T>();
  }
  const sign = signOf<T>(a) ^ signOf<T>(b) ^ negateProduct;
  const signC = signOf<T>(c) ^ negateAddend;
  const infinite = classA == CLASS_INFINITY || classB == CLASS_INFINITY;
  const zero = classA == CLASS_ZERO || classB == CLASS_ZERO;
  if ((infinite && zero) || (infinite && classC == CLASS_INFINITY && sign != signC)) return invalid<T>();
  if (denormal | partDenormal) flag(X_DENORMAL);
  if (infinite) return infinity<T>(sign);
  if (classC == CLASS_INFINITY) return infinity<T>(signC);
  if (laneStopped()) return 0;
  let resultSign = sign;
  if (zero) {
    if (classC == CLASS_ZERO) return withSign<T>(sign == signC ? sign : u32(floatRounding == ROUND_DOWN), 0);
    addMagnitudes(partExp, partSig, 0, partExp - 128, 0, 0);
    resultSign = signC;
  } else {
    const expC = partExp;
    const sigC = partSig;
    multiply(expA, sigA, expB, sigB);
    if (classC == CLASS_NUMBER) {
      if (sign == signC) {
        addMagnitudes(outExp, outHigh, outLow, expC, sigC, 0);
      } else {
        subMagnitudes(outExp, outHigh, outLow, expC, sigC, 0);
        resultSign = sign ^ outSwapped;
        if (outHigh == 0) return withSign<T>(u32(floatRounding == ROUND_DOWN), 0);
      }
    }
  }
  return roundTo<T>(resultSign, outExp, outHigh, outLow, (mxcsr() & MXCSR_FTZ) != 0);
}
