// FSIN FCOS FSINCOS FPTAN FPATAN F2XM1 FYL2X FYL2XP1. Results are computed with 120 bits and rounded by the rounding
// mode, so they are nearly always the nearest; silicon's may differ in the last place.
import { extArctangent } from "../../softfloat/arctangent";
import { extTwoToXMinusOne, extYLog2X, extYLog2XPlus1 } from "../../softfloat/exponential";
import {
  EXT_BIAS, EXT_INFINITY, EXT_QUIET, EXT_ZERO, extClass, extDenormal, extDenormalStops, extExp, extInvalid,
  extPropagate, extUnpack, INTEGER_BIT, resultExp, resultLow, setResult, stoppedBefore,
} from "../../softfloat/extended";
import { extCosine, extSine, extTangent } from "../../softfloat/trigonometric";
import {
  beginX87, endX87, FSW_C1, FSW_C2, fsw, isEmpty, pop, push, setFsw, setIndefinite, setSt, setStResult, stackOverflow,
  stackUnderflow, stExp, stSig,
} from "./state";

const TRIG_NONE: i32 = 0;
/** The result is there without computing: zero or a NaN. */
const TRIG_READY: i32 = 1;
const TRIG_COMPUTE: i32 = 2;

// ST0 for a trigonometric function, unpacked, and C2. TRIG_NONE: nothing is left to do. `cosine`: zero is computed too.
function argument(cosine: bool): i32 {
  setFsw(fsw() & ~(FSW_C1 | FSW_C2));
  if (isEmpty(0)) return TRIG_NONE;
  beginX87();
  const sig = stSig(0);
  const signExp = stExp(0);
  extUnpack(sig, signExp);
  if (extClass >= EXT_QUIET) {
    extPropagate(sig, signExp, extClass, 0, 0, EXT_ZERO);
    return TRIG_READY;
  }
  if (extClass == EXT_INFINITY) {
    extInvalid();
    return TRIG_READY;
  }
  if (extClass == EXT_ZERO) {
    setResult(cosine ? INTEGER_BIT : 0, cosine ? EXT_BIAS : signExp);
    return TRIG_READY;
  }
  if (extExp >= 63) {
    setFsw(fsw() | FSW_C2);
    return TRIG_NONE;
  }
  if (extDenormalStops(extDenormal)) return TRIG_READY;
  return TRIG_COMPUTE;
}

function finish(): void {
  const stopped = stoppedBefore();
  endX87();
  if (!stopped) setStResult(0);
}

/** FSIN; C2: |ST0| is 2^63 or more and stays as it is. */
export function fsin(): void {
  const kind = argument(false);
  if (kind == TRIG_NONE) {
    if (isEmpty(0) && stackUnderflow()) setIndefinite(0);
    return;
  }
  if (kind == TRIG_COMPUTE) extSine(stExp(0) >> 15);
  finish();
}

/** FCOS; C2 as for FSIN. */
export function fcos(): void {
  const kind = argument(true);
  if (kind == TRIG_NONE) {
    if (isEmpty(0) && stackUnderflow()) setIndefinite(0);
    return;
  }
  if (kind == TRIG_COMPUTE) extCosine();
  finish();
}

// Whether an instruction that replaces ST0 and pushes has its operand and its room; if not, it has been answered.
function readyToPush(): bool {
  if (isEmpty(0)) {
    if (!stackUnderflow()) return false;
  } else if (!isEmpty(7)) {
    if (!stackOverflow()) return false;
  } else {
    return true;
  }
  setIndefinite(0);
  push();
  setIndefinite(0);
  return false;
}

/** FSINCOS: the sine replaces ST0, the cosine is pushed; C2 as for FSIN. */
export function fsincos(): void {
  setFsw(fsw() & ~(FSW_C1 | FSW_C2));
  if (!readyToPush()) return;
  const kind = argument(false);
  if (kind == TRIG_NONE) return;
  const zero = extClass == EXT_ZERO;
  if (kind == TRIG_COMPUTE) extSine(stExp(0) >> 15);
  const low = resultLow;
  const signExp = resultExp;
  if (kind == TRIG_COMPUTE) {
    extUnpack(stSig(0), stExp(0));
    extCosine();
  } else if (zero) {
    setResult(INTEGER_BIT, EXT_BIAS);
  }
  const stopped = stoppedBefore();
  endX87();
  if (stopped) return;
  setSt(0, low, signExp);
  push();
  setStResult(0);
}

/** FPTAN: the tangent replaces ST0, 1.0 is pushed (a NaN is pushed with a NaN); C2 as for FSIN. */
export function fptan(): void {
  setFsw(fsw() & ~(FSW_C1 | FSW_C2));
  if (!readyToPush()) return;
  const kind = argument(false);
  if (kind == TRIG_NONE) return;
  const nan = extClass >= EXT_INFINITY;
  if (kind == TRIG_COMPUTE) extTangent(stExp(0) >> 15);
  const stopped = stoppedBefore();
  endX87();
  if (stopped) return;
  setStResult(0);
  push();
  if (!nan) setResult(INTEGER_BIT, EXT_BIAS);
  setStResult(0);
}

/** F2XM1: 2^ST0 - 1. */
export function f2xm1(): void {
  if (isEmpty(0)) {
    if (stackUnderflow()) setIndefinite(0);
    return;
  }
  beginX87();
  extTwoToXMinusOne(stSig(0), stExp(0));
  finish();
}

// Whether both operands are there; if not, underflow has been answered.
function readyTwo(): bool {
  if (!isEmpty(0) && !isEmpty(1)) {
    beginX87();
    return true;
  }
  if (stackUnderflow()) {
    setIndefinite(1);
    pop();
  }
  return false;
}

function finishTwo(): void {
  const stopped = stoppedBefore();
  endX87();
  if (stopped) return;
  setStResult(1);
  pop();
}

/** FYL2X: ST1 * log2(ST0) to ST1, and pops. */
export function fyl2x(): void {
  if (!readyTwo()) return;
  extYLog2X(stSig(0), stExp(0), stSig(1), stExp(1));
  finishTwo();
}

/** FYL2XP1: ST1 * log2(ST0 + 1) to ST1, and pops. */
export function fyl2xp1(): void {
  if (!readyTwo()) return;
  extYLog2XPlus1(stSig(0), stExp(0), stSig(1), stExp(1));
  finishTwo();
}

/** FPATAN: the angle of (ST0, ST1) to ST1, and pops. */
export function fpatan(): void {
  if (!readyTwo()) return;
  extArctangent(stSig(0), stExp(0), stSig(1), stExp(1));
  finishTwo();
}
