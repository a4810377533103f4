// Ordered and unordered comparison: COMISx/UCOMISx to the flags, CMPccxx to masks.
import {
  CLASS_QUIET, CLASS_SIGNALING, CLASS_ZERO, fractionBits, infinity, partClass, partDenormal, signOf, withSign,
} from "../../softfloat/binary";
import { flag, X_DENORMAL, X_INVALID } from "../../softfloat/status";
import { FLAG_CF, FLAG_PF, FLAG_ZF } from "../../cpu";
import { setStatusFlags } from "../flags";
import { unpackOperand } from "./soft";
import { laneBegin, laneEnd, sseBegin, sseCommit } from "./state";

// Relations, as bits so that a predicate is a set of them.
const LESS: u32 = 1;
const EQUAL: u32 = 2;
const GREATER: u32 = 4;
const UNORDERED: u32 = 8;
/** The set of relations for which predicate imm[3:0] holds, a hexadecimal digit each (SDM volume 2, table 3-1). */
const PREDICATES: u64 = 0xf4650b9a7ced8312;
/** Bit n: predicate n raises invalid for quiet NaNs too; imm bit 4 turns it round. */
const SIGNALING_PREDICATES: u32 = 0x6666;

/** Zero, normal or infinite: no exception can come of comparing it. */
// @ts-ignore: decorator
@inline function ordinary<T>(bits: u64): bool {
  const size = bits & ~withSign<T>(1, 0);
  return size - 1 >= (<u64>1 << fractionBits<T>()) - 1 && size <= infinity<T>(0);
}

/** The relation of a to b; `signaling`: a quiet NaN is invalid too. */
function relation<T>(a: u64, b: u64, signaling: bool): u32 {
  if (ordinary<T>(a) && ordinary<T>(b)) {
    const x = sizeof<T>() == 8 ? reinterpret<f64>(a) : <f64>reinterpret<f32>(<u32>a);
    const y = sizeof<T>() == 8 ? reinterpret<f64>(b) : <f64>reinterpret<f32>(<u32>b);
    return x < y ? LESS : x == y ? EQUAL : GREATER;
  }
  laneBegin();
  unpackOperand<T>(a);
  const classA = partClass;
  let denormal = partDenormal;
  unpackOperand<T>(b);
  denormal |= partDenormal;
  let result = EQUAL;
  if (classA >= CLASS_QUIET || partClass >= CLASS_QUIET) {
    if (signaling || classA == CLASS_SIGNALING || partClass == CLASS_SIGNALING) flag(X_INVALID);
    result = UNORDERED;
  } else {
    if (denormal) flag(X_DENORMAL);
    const signA = signOf<T>(a);
    if (classA == CLASS_ZERO && partClass == CLASS_ZERO) {
      result = EQUAL;
    } else if (classA == CLASS_ZERO) {
      result = signOf<T>(b) ? GREATER : LESS;
    } else if (partClass == CLASS_ZERO || signA != signOf<T>(b)) {
      result = signA ? LESS : GREATER;
    } else if (a != b) {
      result = a < b == (signA == 0) ? LESS : GREATER;
    }
  }
  laneEnd();
  return result;
}

/** All ones (64 bits) where predicate `immediate` (0..31; SSE knows 0..7) holds, else 0. */
export function compareF64(a: u64, b: u64, immediate: i32): u64 {
  return compareLane<u64>(a, b, immediate);
}

/** All ones (32 bits) where the predicate holds, else 0. */
export function compareF32(a: u32, b: u32, immediate: i32): u32 {
  return <u32>compareLane<u32>(a, b, immediate);
}

function compareLane<T>(a: u64, b: u64, immediate: i32): u64 {
  const predicate = immediate & 15;
  const signaling = ((SIGNALING_PREDICATES >> predicate) ^ (<u32>immediate >> 4)) & 1;
  const found = relation<T>(a, b, signaling != 0);
  return <u32>(PREDICATES >> (predicate << 2)) & found ? u64.MAX_VALUE : 0;
}

/** COMISD (signaling) and UCOMISD: ZF, PF, CF by the relation of a to b, and OF = SF = AF = 0. False: #XM. */
export function comiF64(a: u64, b: u64, signaling: i32): bool {
  sseBegin();
  return commitFlags(relation<u64>(a, b, signaling != 0));
}

/** COMISS (signaling) and UCOMISS. */
export function comiF32(a: u32, b: u32, signaling: i32): bool {
  sseBegin();
  return commitFlags(relation<u32>(a, b, signaling != 0));
}

function commitFlags(found: u32): bool {
  if (!sseCommit()) return false;
  setStatusFlags(relationFlags(found));
  return true;
}

function relationFlags(found: u32): u32 {
  if (found == UNORDERED) return FLAG_ZF | FLAG_PF | FLAG_CF;
  return found == EQUAL ? FLAG_ZF : found == LESS ? FLAG_CF : 0;
}
