// FCOM, FUCOM, FICOM, FTST, FXAM to the condition codes; FCOMI and FUCOMI to EFLAGS; FCMOVcc.
import { FLAG_CF, FLAG_PF, FLAG_ZF } from "../../cpu";
import { EXT_EQUAL, EXT_GREATER, EXT_LESS, extCompare, extExamine } from "../../softfloat/extended-compare";
import { extFromBinary } from "../../softfloat/extended-convert";
import { extFromInteger } from "../../softfloat/extended-remainder";
import { resultExp, resultLow, stoppedBefore } from "../../softfloat/extended";
import { setStatusFlags } from "../flags";
import {
  beginX87, endX87, FSW_C0, FSW_C1, FSW_C2, FSW_C3, FSW_CODES, fsw, isEmpty, pop, setFsw, setIndefinite, setSt,
  stackUnderflow, stExp, stSig,
} from "./state";

const UNORDERED_CODES: u32 = FSW_C3 | FSW_C2 | FSW_C0;

function setCodes(codes: u32): void {
  setFsw((fsw() & ~(FSW_C0 | FSW_C2 | FSW_C3)) | codes);
}

function popTimes(times: i32): void {
  for (; times > 0; times--) pop();
}

// Compares ST0 with a value and pops `pops` times unless an unmasked exception stops it.
function compareWith(sig: u64, signExp: u32, quiet: i32, denormal: u32, pops: i32): void {
  beginX87();
  const relation = extCompare(stSig(0), stExp(0), sig, signExp, quiet != 0, denormal);
  if (relation == EXT_GREATER) setCodes(0);
  else setCodes(relation == EXT_LESS ? FSW_C0 : relation == EXT_EQUAL ? FSW_C3 : UNORDERED_CODES);
  const stopped = stoppedBefore();
  endX87();
  if (!stopped) popTimes(pops);
}

function compareMissing(pops: i32): void {
  setCodes(UNORDERED_CODES);
  if (stackUnderflow()) popTimes(pops);
}

/** FCOM, FCOMP, FCOMPP with ST(i); FUCOM... with `quiet`. `pops`: 0..2. */
export function fcomSt(i: i32, quiet: i32, pops: i32): void {
  if (isEmpty(0) || isEmpty(i)) compareMissing(pops);
  else compareWith(stSig(i), stExp(i), quiet, 0, pops);
}

/** FCOM, FCOMP m32. */
export function fcomF32(bits: u32, pops: i32): void {
  const denormal = extFromBinary<u32>(bits);
  if (isEmpty(0)) compareMissing(pops);
  else compareWith(resultLow, resultExp, 0, denormal, pops);
}

/** FCOM, FCOMP m64. */
export function fcomF64(bits: u64, pops: i32): void {
  const denormal = extFromBinary<u64>(bits);
  if (isEmpty(0)) compareMissing(pops);
  else compareWith(resultLow, resultExp, 0, denormal, pops);
}

/** FICOM, FICOMP: a sign-extended integer. */
export function fcomInteger(value: i32, pops: i32): void {
  extFromInteger(value);
  if (isEmpty(0)) compareMissing(pops);
  else compareWith(resultLow, resultExp, 0, 0, pops);
}

/** FTST: ST0 with +0. */
export function ftst(): void {
  if (isEmpty(0)) compareMissing(0);
  else compareWith(0, 0, 0, 0, 0);
}

/** FCOMI, FCOMIP; FUCOMI, FUCOMIP with `quiet`: ZF PF CF, with OF = SF = AF = 0. C1 stays as it is, as on AMD's
 * processors; the Intel manual says 0. */
export function fcomiSt(i: i32, quiet: i32, popping: i32): void {
  const c1 = fsw() & FSW_C1;
  if (isEmpty(0) || isEmpty(i)) {
    setStatusFlags(FLAG_ZF | FLAG_PF | FLAG_CF);
    if (stackUnderflow() && popping) pop();
    return;
  }
  beginX87();
  const relation = extCompare(stSig(0), stExp(0), stSig(i), stExp(i), quiet != 0, 0);
  if (relation == EXT_GREATER) setStatusFlags(0);
  else if (relation == EXT_LESS) setStatusFlags(FLAG_CF);
  else setStatusFlags(relation == EXT_EQUAL ? FLAG_ZF : FLAG_ZF | FLAG_PF | FLAG_CF);
  const stopped = stoppedBefore();
  endX87();
  setFsw(fsw() | c1);
  if (popping && !stopped) pop();
}

/** FXAM: the class of ST0 in C3 C2 C0, its sign in C1, of an empty register too. */
export function fxam(): void {
  let codes = isEmpty(0) ? FSW_C3 | FSW_C0 : extExamine(stSig(0), stExp(0));
  if (stExp(0) >> 15) codes |= FSW_C1;
  setFsw((fsw() & ~FSW_CODES) | codes);
}

/** FCMOVcc: ST0 = ST(i) where `condition` holds. */
export function fcmov(i: i32, condition: i32): void {
  if (isEmpty(0) || isEmpty(i)) {
    if (stackUnderflow()) setIndefinite(0);
    return;
  }
  if (condition) setSt(0, stSig(i), stExp(i));
}
