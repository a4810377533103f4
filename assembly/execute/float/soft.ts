// The exact path of SSE arithmetic: add, subtract, multiply, divide, square root on one lane, for binary64 (u64) and
// binary32 (u32), with every MXCSR rounding mode and flag.
import {
  CLASS_INFINITY, CLASS_NUMBER, CLASS_QUIET, CLASS_SIGNALING, CLASS_ZERO, indefinite, infinity, partClass,
  partDenormal, partExp, partSig, quietBit, roundTo, signOf, unpack, withSign,
} from "../../softfloat/binary";
import {
  addMagnitudes, divide, multiply, outExp, outHigh, outLow, outSwapped, squareRoot, subMagnitudes,
} from "../../softfloat/arithmetic";
import { flag, floatRounding, ROUND_DOWN, X_DENORMAL, X_INVALID, X_ZERO_DIVIDE } from "../../softfloat/status";
import { laneBegin, laneEnd, laneStopped, mxcsr, MXCSR_DAZ, MXCSR_FTZ } from "./state";

// Operations, in the order of the opcodes 58 5C 59 5E 5D 5F 51.
export const FLOAT_ADD: i32 = 0;
export const FLOAT_SUB: i32 = 1;
export const FLOAT_MUL: i32 = 2;
export const FLOAT_DIV: i32 = 3;
export const FLOAT_MIN: i32 = 4;
export const FLOAT_MAX: i32 = 5;
export const FLOAT_SQRT: i32 = 6;

/** Unpacks an operand; with MXCSR.DAZ a denormal is a zero of its sign. */
export function unpackOperand<T>(bits: u64): void {
  unpack<T>(bits);
  if (partDenormal && mxcsr() & MXCSR_DAZ) {
    partDenormal = 0;
    partClass = CLASS_ZERO;
  }
}

/** The NaN that comes out of two operands of which one at least is a NaN: the first that is one, made quiet. */
export function propagate<T>(a: u64, classA: i32, b: u64, classB: i32): u64 {
  if (classA == CLASS_SIGNALING || classB == CLASS_SIGNALING) flag(X_INVALID);
  return (classA >= CLASS_QUIET ? a : b) | quietBit<T>();
}

/** The result of an invalid operation. */
export function invalid<T>(): u64 {
  flag(X_INVALID);
  return indefinite<T>();
}

/** a FLOAT_ADD/SUB/MUL/DIV b, its exceptions added to sseExceptions. */
export function softBinary<T>(op: i32, a: u64, b: u64): u64 {
  laneBegin();
  unpackOperand<T>(a);
  const classA = partClass;
  const expA = partExp;
  const sigA = partSig;
  let denormal = partDenormal;
  unpackOperand<T>(b);
  denormal |= partDenormal;
  let result: u64;
  if (classA >= CLASS_QUIET || partClass >= CLASS_QUIET) {
    result = propagate<T>(a, classA, b, partClass);
  } else {
    // Silicon reports a denormal divided by zero as a division by zero only.
    if (denormal && !(op == FLOAT_DIV && partClass == CLASS_ZERO)) flag(X_DENORMAL);
    const signA = signOf<T>(a);
    const signB = signOf<T>(b);
    if (laneStopped()) result = 0;
    else if (op == FLOAT_MUL) result = product<T>(signA ^ signB, classA, expA, sigA);
    else if (op == FLOAT_DIV) result = quotient<T>(signA ^ signB, classA, expA, sigA);
    else result = sum<T>(signA, classA, expA, sigA, op == FLOAT_SUB ? signB ^ 1 : signB);
  }
  laneEnd();
  return result;
}

// @ts-ignore: decorator
@inline function round<T>(sign: u32): u64 {
  return roundTo<T>(sign, outExp, outHigh, outLow, (mxcsr() & MXCSR_FTZ) != 0);
}

// The second operand is in the part* globals.
function sum<T>(signA: u32, classA: i32, expA: i32, sigA: u64, signB: u32): u64 {
  if (classA == CLASS_INFINITY) {
    return partClass == CLASS_INFINITY && signA != signB ? invalid<T>() : infinity<T>(signA);
  }
  if (partClass == CLASS_INFINITY) return infinity<T>(signB);
  let sign = signA;
  if (classA == CLASS_ZERO && partClass == CLASS_ZERO) {
    if (signA != signB) sign = u32(floatRounding == ROUND_DOWN);
    return withSign<T>(sign, 0);
  }
  if (classA == CLASS_ZERO) {
    addMagnitudes(partExp, partSig, 0, partExp - 128, 0, 0);
    sign = signB;
  } else if (partClass == CLASS_ZERO) {
    addMagnitudes(expA, sigA, 0, expA - 128, 0, 0);
  } else if (signA == signB) {
    addMagnitudes(expA, sigA, 0, partExp, partSig, 0);
  } else {
    subMagnitudes(expA, sigA, 0, partExp, partSig, 0);
    sign = signA ^ outSwapped;
    if (outHigh == 0) return withSign<T>(u32(floatRounding == ROUND_DOWN), 0);
  }
  return round<T>(sign);
}

function product<T>(sign: u32, classA: i32, expA: i32, sigA: u64): u64 {
  if (classA == CLASS_INFINITY || partClass == CLASS_INFINITY) {
    return classA == CLASS_ZERO || partClass == CLASS_ZERO ? invalid<T>() : infinity<T>(sign);
  }
  if (classA == CLASS_ZERO || partClass == CLASS_ZERO) return withSign<T>(sign, 0);
  multiply(expA, sigA, partExp, partSig);
  return round<T>(sign);
}

function quotient<T>(sign: u32, classA: i32, expA: i32, sigA: u64): u64 {
  if (classA == CLASS_INFINITY) return partClass == CLASS_INFINITY ? invalid<T>() : infinity<T>(sign);
  if (partClass == CLASS_INFINITY) return withSign<T>(sign, 0);
  if (partClass == CLASS_ZERO) {
    if (classA == CLASS_ZERO) return invalid<T>();
    flag(X_ZERO_DIVIDE);
    return infinity<T>(sign);
  }
  if (classA == CLASS_ZERO) return withSign<T>(sign, 0);
  divide(expA, sigA, partExp, partSig);
  return round<T>(sign);
}

/** The square root of a, its exceptions added to sseExceptions. */
export function softSqrt<T>(a: u64): u64 {
  laneBegin();
  unpackOperand<T>(a);
  let result = a;
  if (partClass >= CLASS_QUIET) {
    result = propagate<T>(a, partClass, a, partClass);
  } else if (partClass == CLASS_ZERO) {
    result = withSign<T>(signOf<T>(a), 0);
  } else if (signOf<T>(a)) {
    result = invalid<T>();
  } else {
    if (partDenormal) flag(X_DENORMAL);
    if (partClass == CLASS_NUMBER && !laneStopped()) {
      squareRoot(partExp, partSig);
      result = round<T>(0);
    }
  }
  laneEnd();
  return result;
}
