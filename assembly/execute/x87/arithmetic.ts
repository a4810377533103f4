// FADD FMUL FSUB FSUBR FDIV FDIVR in all forms. The operation numbers are those of the opcodes' reg field, where
// subtraction and division are seen from ST0: 4: ST0 - x, 5: x - ST0, 6: ST0 / x, 7: x / ST0.
import { extAdd, extDiv, extMul } from "../../softfloat/extended-arithmetic";
import { extFromBinary } from "../../softfloat/extended-convert";
import { extFromInteger } from "../../softfloat/extended-remainder";
import { resultExp, resultLow, stoppedBefore } from "../../softfloat/extended";
import { beginX87, endX87, isEmpty, pop, setIndefinite, setStResult, stackUnderflow, stExp, stSig } from "./state";

export const FPU_ADD: i32 = 0;
export const FPU_MUL: i32 = 1;
export const FPU_SUB: i32 = 4;
export const FPU_SUBR: i32 = 5;
export const FPU_DIV: i32 = 6;
export const FPU_DIVR: i32 = 7;

// ST0 op x to the result globals.
function compute(op: i32, sig: u64, signExp: u32, denormal: u32): void {
  const sig0 = stSig(0);
  const exp0 = stExp(0);
  switch (op) {
    case FPU_ADD: extAdd(sig0, exp0, sig, signExp, 0, denormal); break;
    case FPU_MUL: extMul(sig0, exp0, sig, signExp, denormal); break;
    case FPU_SUB: extAdd(sig0, exp0, sig, signExp, 1, denormal); break;
    case FPU_SUBR: extAdd(sig, signExp, sig0, exp0, 1, denormal); break;
    case FPU_DIV: extDiv(sig0, exp0, sig, signExp, denormal); break;
    default: extDiv(sig, signExp, sig0, exp0, denormal); break;
  }
}

/** D8, DC and DE with a register: ST0 op ST(i) to ST0, or to ST(i) with `toOther`, and pops with `popping`. */
export function arithmeticSt(op: i32, i: i32, toOther: i32, popping: i32): void {
  const target = toOther ? i : 0;
  if (isEmpty(0) || isEmpty(i)) {
    if (stackUnderflow()) {
      setIndefinite(target);
      if (popping) pop();
    }
    return;
  }
  beginX87();
  compute(op, stSig(i), stExp(i), 0);
  const stopped = stoppedBefore();
  endX87();
  if (stopped) return;
  setStResult(target);
  if (popping) pop();
}

function arithmeticMemory(op: i32, sig: u64, signExp: u32, denormal: u32): void {
  if (isEmpty(0)) {
    if (stackUnderflow()) setIndefinite(0);
    return;
  }
  beginX87();
  compute(op, sig, signExp, denormal);
  const stopped = stoppedBefore();
  endX87();
  if (!stopped) setStResult(0);
}

/** D8 with a memory operand: ST0 op binary32. */
export function arithmeticF32(op: i32, bits: u32): void {
  const denormal = extFromBinary<u32>(bits);
  arithmeticMemory(op, resultLow, resultExp, denormal);
}

/** DC with a memory operand: ST0 op binary64. */
export function arithmeticF64(op: i32, bits: u64): void {
  const denormal = extFromBinary<u64>(bits);
  arithmeticMemory(op, resultLow, resultExp, denormal);
}

/** DA and DE with a memory operand: ST0 op integer (already sign-extended). */
export function arithmeticInteger(op: i32, value: i32): void {
  extFromInteger(value);
  arithmeticMemory(op, resultLow, resultExp, 0);
}
