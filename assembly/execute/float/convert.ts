// Conversions between the floating-point formats. Exceptions go to sseExceptions.
import {
  CLASS_INFINITY, CLASS_QUIET, CLASS_SIGNALING, CLASS_ZERO, infinity, partClass, partDenormal, partExp, partSig,
  roundTo, signOf, unpack, withSign,
} from "../../softfloat/binary";
import { flag, X_DENORMAL, X_INVALID } from "../../softfloat/status";
import { unpackOperand } from "./soft";
import { laneBegin, laneBeginRounding, laneEnd, laneStopped, mxcsr, MXCSR_FTZ, nativeRounding } from "./state";

/** CVTSD2SS, CVTPD2PS of one lane. */
export function f64ToF32(a: u64): u32 {
  if (nativeRounding()) {
    const result = reinterpret<u32>(<f32>reinterpret<f64>(a));
    // Above the smallest normal number, to which a tiny one may have been rounded up, and finite.
    if ((result & 0x7fffffff) - 0x800001 < 0x7f800000 - 0x800001) return result;
  }
  laneBegin();
  unpackOperand<u64>(a);
  let result: u64;
  const sign = signOf<u64>(a);
  if (partClass >= CLASS_QUIET) {
    if (partClass == CLASS_SIGNALING) flag(X_INVALID);
    result = infinity<u32>(sign) | 0x400000 | ((a >> 29) & 0x3fffff);
  } else if (partClass == CLASS_INFINITY) {
    result = infinity<u32>(sign);
  } else if (partClass == CLASS_ZERO) {
    result = withSign<u32>(sign, 0);
  } else {
    if (partDenormal) flag(X_DENORMAL);
    result = laneStopped() ? 0 : roundTo<u32>(sign, partExp, partSig, 0, (mxcsr() & MXCSR_FTZ) != 0);
  }
  laneEnd();
  return <u32>result;
}

/** CVTSS2SD, CVTPS2PD of one lane: exact. */
export function f32ToF64(a: u32): u64 {
  // Normal or zero: native conversion is exact.
  const size = a & 0x7fffffff;
  if (size - 0x800000 < 0x7f800000 - 0x800000 || size == 0) return reinterpret<u64>(<f64>reinterpret<f32>(a));
  laneBegin();
  unpackOperand<u32>(a);
  let result: u64;
  const sign = signOf<u32>(a);
  if (partClass >= CLASS_QUIET) {
    if (partClass == CLASS_SIGNALING) flag(X_INVALID);
    result = infinity<u64>(sign) | 0x8000000000000 | (<u64>(a & 0x3fffff) << 29);
  } else if (partClass == CLASS_INFINITY) {
    result = infinity<u64>(sign);
  } else if (partClass == CLASS_ZERO) {
    result = withSign<u64>(sign, 0);
  } else {
    if (partDenormal) flag(X_DENORMAL);
    result = roundTo<u64>(sign, partExp, partSig, 0, false);
  }
  laneEnd();
  return result;
}

/** VCVTPH2PS of one lane: exact; it ignores MXCSR.DAZ and reports no denormal operand (SDM volume 1, 14.4.1). */
export function f16ToF32(a: u32): u32 {
  laneBegin();
  unpack<u16>(a);
  let result: u64;
  const sign = signOf<u16>(a);
  if (partClass >= CLASS_QUIET) {
    if (partClass == CLASS_SIGNALING) flag(X_INVALID);
    result = infinity<u32>(sign) | 0x400000 | (<u64>(a & 0x1ff) << 13);
  } else if (partClass == CLASS_INFINITY) {
    result = infinity<u32>(sign);
  } else if (partClass == CLASS_ZERO) {
    result = withSign<u32>(sign, 0);
  } else {
    result = roundTo<u32>(sign, partExp, partSig, 0, false);
  }
  laneEnd();
  return <u32>result;
}

/** VCVTPS2PH of one lane: immediate bits 0-1 mode, bit 2: MXCSR's mode instead; MXCSR.FTZ is ignored. */
export function f32ToF16(a: u32, immediate: i32): u32 {
  if (immediate & 4) laneBegin();
  else laneBeginRounding(immediate & 3);
  unpackOperand<u32>(a);
  let result: u64;
  const sign = signOf<u32>(a);
  if (partClass >= CLASS_QUIET) {
    if (partClass == CLASS_SIGNALING) flag(X_INVALID);
    result = infinity<u16>(sign) | 0x200 | ((a >> 13) & 0x1ff);
  } else if (partClass == CLASS_INFINITY) {
    result = infinity<u16>(sign);
  } else if (partClass == CLASS_ZERO) {
    result = withSign<u16>(sign, 0);
  } else {
    if (partDenormal) flag(X_DENORMAL);
    result = laneStopped() ? 0 : roundTo<u16>(sign, partExp, partSig, 0, false);
  }
  laneEnd();
  return <u32>result;
}
