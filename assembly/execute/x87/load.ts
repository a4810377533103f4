// FLD, FILD, FBLD and the constants: everything that pushes.
import { extFromBinary, extFromDecimal } from "../../softfloat/extended-convert";
import { extFromInteger } from "../../softfloat/extended-remainder";
import {
  EXT_BIAS, EXT_INFINITE, INTEGER_BIT, QUIET_BIT, resultExp, resultLow, setResult,
} from "../../softfloat/extended";
import {
  flag, floatFlags, floatMasks, ROUND_CHOP, ROUND_DOWN, ROUND_UP, X_DENORMAL, X_INVALID,
} from "../../softfloat/status";
import {
  beginX87, endX87, fcw, isEmpty, push, setIndefinite, setStResult, stackOverflow, stackUnderflow, stExp, stSig,
} from "./state";

// Pushes the soft-float result, or the indefinite onto a full stack.
function pushResult(): void {
  if (!isEmpty(7)) {
    if (stackOverflow()) {
      push();
      setIndefinite(0);
    }
    return;
  }
  push();
  setStResult(0);
}

function pushBinary(denormal: u32): void {
  if (isEmpty(7)) {
    beginX87();
    if (denormal) flag(X_DENORMAL);
    // A NaN that is not quiet becomes so, which is invalid; an infinity has no fraction.
    if ((resultExp & EXT_INFINITE) == EXT_INFINITE && resultLow != INTEGER_BIT && !(resultLow & QUIET_BIT)) {
      flag(X_INVALID);
      setResult(resultLow | QUIET_BIT, resultExp);
    }
    // Unlike an invalid one, a denormal operand is pushed even if unmasked.
    endX87();
    if (floatFlags & ~floatMasks & X_INVALID) return;
  }
  pushResult();
}

/** FLD m32. */
export function fldF32(bits: u32): void {
  pushBinary(extFromBinary<u32>(bits));
}

/** FLD m64. */
export function fldF64(bits: u64): void {
  pushBinary(extFromBinary<u64>(bits));
}

/** FLD m80: any pattern, without exceptions. */
export function fldF80(low: u64, high: u32): void {
  beginX87();
  setResult(low, high & 0xffff);
  pushResult();
}

/** FILD m16, m32, m64 (sign-extended): exact. */
export function fild(value: i64): void {
  beginX87();
  extFromInteger(value);
  pushResult();
}

/** FBLD: 18 packed decimal digits and a sign. */
export function fbld(low: u64, high: u32): void {
  beginX87();
  extFromDecimal(low, high & 0xffff);
  pushResult();
}

/** FLD ST(i). */
export function fldSt(i: i32): void {
  if (isEmpty(i)) {
    // A full stack has no empty register, so this is underflow alone.
    if (stackUnderflow()) {
      push();
      setIndefinite(0);
    }
    return;
  }
  beginX87();
  setResult(stSig(i), stExp(i));
  pushResult();
}

/** FLD1 FLDL2T FLDL2E FLDPI FLDLG2 FLDLN2 FLDZ, by the low bits 0..6 of their opcode (D9 E8..EE); irrational ones are
 * rounded by the rounding mode, without an inexact exception. */
export function fldConstant(which: i32): void {
  beginX87();
  const mode = <i32>((fcw() >> 10) & 3);
  const down = u64(mode == ROUND_DOWN || mode == ROUND_CHOP);
  switch (which) {
    case 0: setResult(INTEGER_BIT, EXT_BIAS); break;
    // log2(10) lies nearer to its lower neighbour, the others to their upper one.
    case 1: setResult(0xd49a784bcd1b8afe + u64(mode == ROUND_UP), 0x4000); break;
    case 2: setResult(0xb8aa3b295c17f0bc - down, 0x3fff); break;
    case 3: setResult(0xc90fdaa22168c235 - down, 0x4000); break;
    case 4: setResult(0x9a209a84fbcff799 - down, 0x3ffd); break;
    case 5: setResult(0xb17217f7d1cf79ac - down, 0x3ffe); break;
    default: setResult(0, 0); break;
  }
  pushResult();
}
