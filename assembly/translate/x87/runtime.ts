// What translated x87 code calls in the core: taking the registers over and giving them back, and arithmetic that is not
// done in line, on numbers by value. Exceptions are all masked wherever these are called.
import { cpu } from "../../cpu";
import { FPU_ADD, FPU_DIV, FPU_DIVR, FPU_MUL, FPU_SUB, FPU_SUBR } from "../../execute/x87/arithmetic";
import { commonSig, isCommon, isNormal, isZero } from "./common";
import { FSW_C0, FSW_C1, FSW_C2, FSW_C3, fcw, fsw, report, setFsw } from "../../execute/x87/state";
import { CPU_FCW, CPU_FDP, CPU_FDS, CPU_FIP, CPU_FOP, CPU_FTAG, CPU_FTOP, CPU_X87 } from "../../layout";
import { extAdd, extDiv, extMul, extSqrt } from "../../softfloat/extended-arithmetic";
import { EXT_EQUAL, EXT_GREATER, EXT_LESS, extCompare } from "../../softfloat/extended-compare";
import { extToInteger } from "../../softfloat/extended-convert";
import { extRoundIntegral } from "../../softfloat/extended-remainder";
import { EXT_INFINITE, INTEGER_BIT, resultExp, resultLow, setPrecision } from "../../softfloat/extended";
import { beginFloat, floatFlags, roundedUp, X_ALL, X_INEXACT } from "../../softfloat/status";
import { TR_X87_RESULT, TR_X87_TURN, TR_X87_WINDOW } from "../layout";
import { RESULT_UP, SIGN, SIGN_UP, SPECIAL, X87_SQRT, X_ATTACHED, X_ROUNDS_53, X_ROUNDS_64, X_TAGS, X_TOP } from "./word";

/** Sign and exponent as regions have them, from the upper two of ten bytes. */
function marked(sig: u64, signExp: u32): u32 {
  const exp = signExp & EXT_INFINITE;
  const normal = (sig & INTEGER_BIT) != 0 && exp - 1 < EXT_INFINITE - 1;
  return ((signExp << SIGN_UP) & SIGN) | exp | (normal ? 0 : SPECIAL);
}

/** The upper two of ten bytes. */
function plain(exp: u32): u32 {
  return ((exp & SIGN) >> SIGN_UP) | (exp & EXT_INFINITE);
}

/** Takes the registers into TR_X87_WINDOW with slot `top` as ST(0). Returns the word; 0: an exception is not masked, and
 * nothing has been taken. */
export function attachX87(top: i32): u32 {
  const control = load<u32>(cpu, CPU_FCW);
  if ((control & X_ALL) != X_ALL) return 0;
  const turn = (load<i32>(cpu, CPU_FTOP) - top) & 7;
  store<i32>(cpu, turn, TR_X87_TURN);
  for (let i = 0; i < 8; i++) {
    const from = cpu + CPU_X87 + (<usize>((i + turn) & 7) << 4);
    const to = cpu + TR_X87_WINDOW + (<usize>i << 4);
    const sig = load<u64>(from);
    store<u64>(to, sig);
    store<u32>(to, marked(sig, load<u16>(from, 8)), 8);
  }
  const tags = (load<u32>(cpu, CPU_FTAG) * 0x101 >> turn) & X_TAGS;
  // Rounding control and precision control.
  const mode = control & 0xf00;
  const rounding: u32 = mode == 0x300 ? X_ROUNDS_64 : mode == 0x200 ? X_ROUNDS_53 : 0;
  return tags | (<u32>top << X_TOP) | X_ATTACHED | rounding;
}

/**
 * Gives the registers in TR_X87_WINDOW back. `up`: C1; `inexact`: whether any result was. `ip` and `about`: what
 * noteInstruction() would note, `dp` and `aboutData` noteOperand(); `about` and `aboutData` 0: nothing.
 */
export function detachX87(word: u32, up: u32, inexact: u32, ip: u64, about: u32, dp: u64, aboutData: u32): void {
  const turn = load<i32>(cpu, TR_X87_TURN);
  for (let i = 0; i < 8; i++) {
    const from = cpu + TR_X87_WINDOW + (<usize>i << 4);
    const to = cpu + CPU_X87 + (<usize>((i + turn) & 7) << 4);
    store<u64>(to, load<u64>(from));
    store<u16>(to, <u16>plain(load<u32>(from, 8)), 8);
  }
  store<u32>(cpu, ((((word & X_TAGS) * 0x101) << turn) >> 8) & X_TAGS, CPU_FTAG);
  store<i32>(cpu, ((word >> X_TOP) + turn) & 7, CPU_FTOP);
  setFsw((fsw() & ~FSW_C1) | (up ? FSW_C1 : 0) | (inexact ? X_INEXACT : 0));
  if (about) {
    store<u64>(cpu, ip, CPU_FIP);
    store<u32>(cpu, about, CPU_FOP);
  }
  if (aboutData) {
    store<u64>(cpu, dp, CPU_FDP);
    store<u32>(cpu, aboutData, CPU_FDS);
  }
}

function begin(): void {
  const control = fcw();
  beginFloat(<i32>((control >> 10) & 3), X_ALL);
  const field = (control >> 8) & 3;
  setPrecision(field == 0 ? 24 : field == 2 ? 53 : 64);
}

function ups(): u32 {
  return floatFlags & X_INEXACT && roundedUp ? <u32>1 << RESULT_UP : 0;
}

/** a op b (FPU_* or X87_*): the significand. TR_X87_RESULT has sign and exponent, and RESULT_UP; exceptions are in the
 * status word. */
export function computeX87(op: i32, sigA: u64, expA: u32, sigB: u64, expB: u32): u64 {
  if (isCommon(op, sigA, expA, sigB, expB)) return commonSig;
  expA = plain(expA);
  expB = plain(expB);
  begin();
  switch (op) {
    case FPU_ADD: extAdd(sigA, expA, sigB, expB, 0, 0); break;
    case FPU_MUL: extMul(sigA, expA, sigB, expB, 0); break;
    case FPU_SUB: extAdd(sigA, expA, sigB, expB, 1, 0); break;
    case FPU_SUBR: extAdd(sigB, expB, sigA, expA, 1, 0); break;
    case FPU_DIV: extDiv(sigA, expA, sigB, expB, 0); break;
    case FPU_DIVR: extDiv(sigB, expB, sigA, expA, 0); break;
    case X87_SQRT: extSqrt(sigA, expA); break;
    default: extRoundIntegral(sigA, expA); break;
  }
  if (floatFlags) report(floatFlags);
  store<u32>(cpu, marked(resultLow, resultExp) | ups(), TR_X87_RESULT);
  return resultLow;
}

/** Compares a with b: C3 C2 C0 of the status word. Exceptions are in it; the codes are the caller's to put there. */
export function compareX87(sigA: u64, expA: u32, sigB: u64, expB: u32, quiet: u32): u32 {
  // A number with zero.
  if (isZero(sigA, expA) && isNormal(expB)) return expB & SIGN ? 0 : FSW_C0;
  if (isZero(sigB, expB) && isNormal(expA)) return expA & SIGN ? FSW_C0 : 0;
  begin();
  const relation = extCompare(sigA, plain(expA), sigB, plain(expB), quiet != 0, 0);
  if (floatFlags) report(floatFlags);
  if (relation == EXT_GREATER) return 0;
  return relation == EXT_LESS ? FSW_C0 : relation == EXT_EQUAL ? FSW_C3 : FSW_C3 | FSW_C2 | FSW_C0;
}

/** An integer of `width` bits by the rounding mode, or cut (`chop`). TR_X87_RESULT has the exceptions, which are to be
 * reported once the integer is stored, and RESULT_UP. */
export function integerOfX87(sig: u64, exp: u32, width: i32, chop: u32): u64 {
  begin();
  const value = extToInteger(sig, plain(exp), width, chop != 0);
  store<u32>(cpu, floatFlags | ups(), TR_X87_RESULT);
  return value;
}
