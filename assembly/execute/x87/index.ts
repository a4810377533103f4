// The x87 as the instruction table uses it, one function for each shape of instruction. Each row calls checkX87() first
// (waiting instructions), then loads its operand, then calls here; nothing here faults but what says so.
export { checkAvailable, checkMmx, checkPending, checkWait, checkX87, emms, enterMmx, mmxAddress, mmxWritten } from "./check";
export {
  arithmeticF32, arithmeticF64, arithmeticInteger, arithmeticSt, FPU_ADD, FPU_DIV, FPU_DIVR, FPU_MUL, FPU_SUB, FPU_SUBR,
} from "./arithmetic";
export { fabs, fchs, fprem, frndint, fscale, fsqrt, fxtract } from "./unary";
export { fbld, fild, fldConstant, fldF32, fldF64, fldF80, fldSt } from "./load";
export {
  ffree, fstSt, storeDecimal, storeDone, storeF32, storeF64, storeF80, storeHigh, storeInteger, storeLow,
} from "./store";
export { fcmov, fcomF32, fcomF64, fcomInteger, fcomiSt, fcomSt, ftst, fxam } from "./compare";
export { fldcw, fnclex, fninit, fxch, moveTop } from "./stack";
export { fcw, statusWord } from "./state";
