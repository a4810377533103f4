// FST, FIST, FISTTP, FBSTP. A store has two halves, so that a page fault between them leaves no trace: storeXxx()
// computes what goes to memory (storeLow, storeHigh) and says whether anything does; after the bytes are written
// storeDone() reports the exceptions and pops.
import { decimalHigh, extToBinary, extToDecimal, extToInteger } from "../../softfloat/extended-convert";
import { INTEGER_BIT, QUIET_BIT } from "../../softfloat/extended";
import {
  beginFloat, floatFlags, roundedUp, X_ALL, X_BEFORE, X_INEXACT, X_INVALID, X_OVERFLOW, X_UNDERFLOW,
} from "../../softfloat/status";
import {
  fcw, FSW_C1, FSW_STACK, fsw, isEmpty, pop, report, setEmpty, setFsw, setIndefinite, setSt, stackUnderflow, stExp,
  stSig,
} from "./state";

/** What the store puts into memory: the low 64 bits, and bits 64-79 of an m80 or packed decimal. */
export let storeLow: u64 = 0;
export let storeHigh: u32 = 0;
let pending: u32 = 0;
let complete: bool = false;

// Gathers the exceptions; an unmasked one, except inexact, keeps memory as it is.
function conclude(): bool {
  pending = floatFlags;
  if (floatFlags & X_INEXACT && roundedUp) pending |= FSW_C1;
  complete = (floatFlags & ~fcw() & (X_BEFORE | X_OVERFLOW | X_UNDERFLOW)) == 0;
  return complete;
}

function missing(indefinite: u64): bool {
  storeLow = indefinite;
  pending = X_INVALID | FSW_STACK;
  complete = (fcw() & X_INVALID) != 0;
  return complete;
}

function begin(): void {
  beginFloat(<i32>((fcw() >> 10) & 3), fcw() & X_ALL);
}

/** FST m32: true: storeLow is to be written. */
export function storeF32(): bool {
  if (isEmpty(0)) return missing(0xffc00000);
  begin();
  storeLow = extToBinary<u32>(stSig(0), stExp(0));
  return conclude();
}

/** FST m64. */
export function storeF64(): bool {
  if (isEmpty(0)) return missing(0xfff8000000000000);
  begin();
  storeLow = extToBinary<u64>(stSig(0), stExp(0));
  return conclude();
}

/** FSTP m80: storeLow and storeHigh. */
export function storeF80(): bool {
  storeHigh = 0xffff;
  if (isEmpty(0)) return missing(INTEGER_BIT | QUIET_BIT);
  begin();
  storeLow = stSig(0);
  storeHigh = stExp(0);
  return conclude();
}

/** FIST m16, m32, m64 (`width` in bits), or FISTTP with `chop`. */
export function storeInteger(width: i32, chop: i32): bool {
  if (isEmpty(0)) return missing(<u64>1 << (width - 1));
  begin();
  storeLow = extToInteger(stSig(0), stExp(0), width, chop != 0);
  return conclude();
}

/** FBSTP: storeLow and storeHigh. */
export function storeDecimal(): bool {
  storeHigh = 0xffff;
  if (isEmpty(0)) return missing(0xc000000000000000);
  begin();
  storeLow = extToDecimal(stSig(0), stExp(0));
  storeHigh = decimalHigh;
  return conclude();
}

/** Ends a store: exceptions into the status word, then the pop unless one of them kept memory as it was. */
export function storeDone(popping: i32): void {
  setFsw(fsw() & ~FSW_C1);
  report(pending);
  if (popping && complete) pop();
}

/** FST and FSTP ST(i): a copy without exceptions but underflow. */
export function fstSt(i: i32, popping: i32): void {
  if (isEmpty(0)) {
    if (stackUnderflow()) {
      setIndefinite(i);
      if (popping) pop();
    }
    return;
  }
  setFsw(fsw() & ~FSW_C1);
  setSt(i, stSig(0), stExp(0));
  if (popping) pop();
}

/** FSTPNCE ST(i) (D9 D8+i, undocumented): FSTP without underflow: an empty ST0 is popped, no more. */
export function fstpnce(i: i32): void {
  setFsw(fsw() & ~FSW_C1);
  if (!isEmpty(0)) setSt(i, stSig(0), stExp(0));
  pop();
}

/** FFREE ST(i); FFREEP (DF C0+i) pops too. C1, undefined in the manual, becomes 0. */
export function ffree(i: i32, popping: i32): void {
  setFsw(fsw() & ~FSW_C1);
  setEmpty(i);
  if (popping) pop();
}

/** storeLow, as the instruction table can ask for it. */
export function storedLow(): u64 {
  return storeLow;
}
