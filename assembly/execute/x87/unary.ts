// Instructions on ST0, or ST0 by ST1: FCHS FABS FSQRT FRNDINT FSCALE FXTRACT FPREM FPREM1.
import { extSqrt } from "../../softfloat/extended-arithmetic";
import {
  extExtract, extractExp, extractLow, extRemainder, extRoundIntegral, extScale, remainderDone, remainderPartial,
  remainderQuotient,
} from "../../softfloat/extended-remainder";
import { EXT_SIGN, resultExp, resultLow, stoppedBefore } from "../../softfloat/extended";
import {
  beginX87, endX87, FSW_C0, FSW_C1, FSW_C2, FSW_C3, FSW_CODES, fsw, isEmpty, push, setFsw, setIndefinite, setSt,
  setStResult, stackOverflow, stackUnderflow, stExp, stSig,
} from "./state";

// Whether ST0 is there; if not, the underflow response has been given.
function ready(): bool {
  if (!isEmpty(0)) {
    beginX87();
    return true;
  }
  if (stackUnderflow()) setIndefinite(0);
  return false;
}

function readyTwo(): bool {
  if (!isEmpty(0) && !isEmpty(1)) {
    beginX87();
    return true;
  }
  if (stackUnderflow()) setIndefinite(0);
  return false;
}

function finish(): void {
  const stopped = stoppedBefore();
  endX87();
  if (!stopped) setStResult(0);
}

/** FCHS: of NaNs too, without exceptions. */
export function fchs(): void {
  if (ready()) setSt(0, stSig(0), stExp(0) ^ EXT_SIGN);
}

/** FABS. */
export function fabs(): void {
  if (ready()) setSt(0, stSig(0), stExp(0) & ~EXT_SIGN);
}

/** FSQRT. */
export function fsqrt(): void {
  if (!ready()) return;
  extSqrt(stSig(0), stExp(0));
  finish();
}

/** FRNDINT. */
export function frndint(): void {
  if (!ready()) return;
  extRoundIntegral(stSig(0), stExp(0));
  finish();
}

/** FSCALE: ST0 * 2^trunc(ST1). */
export function fscale(): void {
  if (!readyTwo()) return;
  extScale(stSig(0), stExp(0), stSig(1), stExp(1));
  finish();
}

/** FPREM, or FPREM1 with `nearest`: C2 says that the reduction is partial, else C0 C3 C1 hold quotient bits 2 1 0. */
export function fprem(nearest: i32): void {
  setFsw(fsw() & ~FSW_C2);
  if (!readyTwo()) return;
  extRemainder(stSig(0), stExp(0), stSig(1), stExp(1), nearest != 0);
  const stopped = stoppedBefore();
  endX87();
  if (stopped) return;
  setStResult(0);
  if (!remainderDone) return;
  let codes: u32 = remainderPartial ? FSW_C2 : 0;
  if (remainderQuotient & 4) codes |= FSW_C0;
  if (remainderQuotient & 2) codes |= FSW_C3;
  if (remainderQuotient & 1) codes |= FSW_C1;
  setFsw((fsw() & ~FSW_CODES) | codes);
}

/** FXTRACT: the exponent replaces ST0, the significand is pushed. */
export function fxtract(): void {
  if (isEmpty(0)) {
    if (!stackUnderflow()) return;
    setIndefinite(0);
    push();
    setIndefinite(0);
    return;
  }
  if (!isEmpty(7)) {
    if (!stackOverflow()) return;
    setIndefinite(0);
    push();
    setIndefinite(0);
    return;
  }
  beginX87();
  extExtract(stSig(0), stExp(0));
  const stopped = stoppedBefore();
  endX87();
  if (stopped) return;
  setSt(0, extractLow, extractExp);
  push();
  setSt(0, resultLow, resultExp);
}
