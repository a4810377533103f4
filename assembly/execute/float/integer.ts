// Conversions between floating point and integers, and rounding to an integral value. Exceptions go to sseExceptions.
import {
  CLASS_INFINITY, CLASS_QUIET, CLASS_ZERO, fractionBits, partClass, partExp, partSig, roundTo, signOf, withSign,
} from "../../softfloat/binary";
import { normalize, outExp, outHigh } from "../../softfloat/arithmetic";
import { flag, ROUND_CHOP, roundsUp, X_INEXACT, X_INVALID } from "../../softfloat/status";
import { propagate, unpackOperand } from "./soft";
import { inexactIsSilent, laneBegin, laneBeginRounding, laneEnd } from "./state";

/** What integerMagnitude rounded off, left-aligned. */
let integerTail: u64 = 0;

/** The magnitude of the number in the part* globals, whose exponent is below 64, rounded to an integer. */
function integerMagnitude(sign: u32): u64 {
  const drop = 63 - partExp;
  const kept = drop < 64 ? partSig >> drop : 0;
  integerTail = drop == 0 ? 0 : drop < 64 ? partSig << (64 - drop) : drop == 64 ? partSig : 1;
  return kept + u64(roundsUp(sign, kept & 1, integerTail));
}

/** To a signed integer of 32 or 64 bits; out of range gives the integer indefinite, 1 << (width - 1), and invalid. */
function toInteger<T>(a: u64, width: i32): u64 {
  unpackOperand<T>(a);
  const limit = <u64>1 << (width - 1);
  if (partClass == CLASS_ZERO) return 0;
  const sign = signOf<T>(a);
  if (partClass >= CLASS_INFINITY || partExp > 63) {
    flag(X_INVALID);
    return limit;
  }
  const magnitude = integerMagnitude(sign);
  if (magnitude > limit || (magnitude == limit && !sign)) {
    flag(X_INVALID);
    return limit;
  }
  if (integerTail) flag(X_INEXACT);
  return sign ? 0 - magnitude : magnitude;
}

/** CVTSD2SI, CVTPD2DQ (`truncate`: CVTTSD2SI, CVTTPD2DQ) to 32 bits. */
export function f64ToI32(a: u64, truncate: i32): u32 {
  const value = reinterpret<f64>(a);
  if (truncate && abs(value) < 2147483648.0) {
    const cut = <i32>value;
    if (<f64>cut == value || inexactIsSilent()) return cut;
  }
  if (truncate) laneBeginRounding(ROUND_CHOP);
  else laneBegin();
  const result = <u32>toInteger<u64>(a, 32);
  laneEnd();
  return result;
}

/** CVTSD2SI, CVTTSD2SI with REX.W. */
export function f64ToI64(a: u64, truncate: i32): u64 {
  const value = reinterpret<f64>(a);
  if (truncate && abs(value) < 9223372036854775808.0) {
    const cut = <i64>value;
    if (<f64>cut == value || inexactIsSilent()) return cut;
  }
  if (truncate) laneBeginRounding(ROUND_CHOP);
  else laneBegin();
  const result = toInteger<u64>(a, 64);
  laneEnd();
  return result;
}

/** CVTSS2SI, CVTPS2DQ, CVTPS2PI and the truncating ones. */
export function f32ToI32(a: u32, truncate: i32): u32 {
  const value = reinterpret<f32>(a);
  if (truncate && abs(value) < 2147483648.0) {
    const cut = <i32>value;
    if (<f32>cut == value || inexactIsSilent()) return cut;
  }
  if (truncate) laneBeginRounding(ROUND_CHOP);
  else laneBegin();
  const result = <u32>toInteger<u32>(a, 32);
  laneEnd();
  return result;
}

/** CVTSS2SI, CVTTSS2SI with REX.W. */
export function f32ToI64(a: u32, truncate: i32): u64 {
  const value = reinterpret<f32>(a);
  if (truncate && abs(value) < 9223372036854775808.0) {
    const cut = <i64>value;
    if (<f32>cut == value || inexactIsSilent()) return cut;
  }
  if (truncate) laneBeginRounding(ROUND_CHOP);
  else laneBegin();
  const result = toInteger<u32>(a, 64);
  laneEnd();
  return result;
}

function fromInteger<T>(value: i64): u64 {
  if (value == 0) return 0;
  laneBegin();
  const sign = u32(value < 0);
  normalize(63, value < 0 ? <u64>(0 - value) : <u64>value, 0);
  const result = roundTo<T>(sign, outExp, outHigh, 0, false);
  laneEnd();
  return result;
}

/** CVTSI2SD, CVTDQ2PD, CVTPI2PD: always exact. */
export function i32ToF64(a: i32): u64 { return reinterpret<u64>(<f64>a); }
/** CVTSI2SD with REX.W. */
export function i64ToF64(a: i64): u64 {
  const value = <f64>a;
  // Exact below 2^53, whatever the rounding mode.
  return abs(value) < 9007199254740992.0 ? reinterpret<u64>(value) : fromInteger<u64>(a);
}
/** CVTSI2SS, CVTDQ2PS, CVTPI2PS. */
export function i32ToF32(a: i32): u32 { return <u32>fromInteger<u32>(<i64>a); }
/** CVTSI2SS with REX.W. */
export function i64ToF32(a: i64): u32 { return <u32>fromInteger<u32>(a); }

/** ROUNDxx: immediate bits 0-1 mode, bit 2: MXCSR's mode instead, bit 3: no inexact exception. */
function roundIntegral<T>(a: u64, immediate: i32): u64 {
  if (immediate & 4) laneBegin();
  else laneBeginRounding(immediate & 3);
  unpackOperand<T>(a);
  const sign = signOf<T>(a);
  let result = a;
  if (partClass >= CLASS_QUIET) {
    result = propagate<T>(a, partClass, a, partClass);
  } else if (partClass == CLASS_ZERO) {
    result = withSign<T>(sign, 0);
  } else if (partClass != CLASS_INFINITY && partExp < fractionBits<T>()) {
    const magnitude = integerMagnitude(sign);
    if (integerTail && !(immediate & 8)) flag(X_INEXACT);
    result = withSign<T>(sign, 0);
    if (magnitude) {
      normalize(63, magnitude, 0);
      result = roundTo<T>(sign, outExp, outHigh, 0, false);
    }
  }
  laneEnd();
  return result;
}

/** ROUNDSD, ROUNDPD of one lane. */
export function roundF64(a: u64, immediate: i32): u64 { return roundIntegral<u64>(a, immediate); }
/** ROUNDSS, ROUNDPS of one lane. */
export function roundF32(a: u32, immediate: i32): u32 { return <u32>roundIntegral<u32>(a, immediate); }
