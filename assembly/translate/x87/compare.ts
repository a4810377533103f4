// Comparisons of ST(0) in line: of numbers that are both normal, else by the core.
import { CPU_FSW } from "../../layout";
import { ifUnlikely } from "../hints";
import { addParameter, beginType, helperFunction, RUNTIME_COMPARE_X87 } from "../imports";
import { L_FLAG_OP, L_FLAG_SRC, temp } from "../locals";
import {
  I32_AND, I32_EQ, I32_EQZ, I32_GE_U, I32_LOAD, I32_LT_U, I32_OR, I32_SHL, I32_SHR_U, I32_STORE, I32_XOR, I64_EQ, I64_EXTEND_U, I64_LT_U, SELECT,
} from "../opcodes";
import { field, loadField, setKnownFlags } from "../state";
import { byte, call, elseBlock, end, I32, I64, i32const, localGet, localSet } from "../writer";
import { clearUp, expLocal, sigLocal } from "./state";
import { MAGNITUDE, SPECIAL } from "./word";

/** C0 C2 C3 of the status word: less, unordered, equal. */
const CODES: i32 = 0x4500;
/** Their distance from CF, PF and ZF. */
const ABOVE_FLAGS: i32 = 8;

/** i32 local with the codes of ST(0) compared with (sig, exp), locals. `quiet`: of quiet NaNs too without exception. */
function compare(sig: u32, exp: u32, quiet: i32): u32 {
  const sig0 = sigLocal(0);
  const exp0 = expLocal(0);
  const codes = temp(I32);
  localGet(exp0);
  localGet(exp);
  byte(I32_OR);
  i32const(MAGNITUDE);
  byte(I32_AND);
  i32const(SPECIAL);
  byte(I32_GE_U);
  ifUnlikely();
  localGet(sig0);
  localGet(exp0);
  localGet(sig);
  localGet(exp);
  i32const(quiet);
  beginType();
  addParameter(I64);
  addParameter(I32);
  addParameter(I64);
  addParameter(I32);
  addParameter(I32);
  call(helperFunction(RUNTIME_COMPARE_X87, I32));
  localSet(codes);
  elseBlock();
  numbers(sig0, exp0, sig, exp, codes);
  end();
  return codes;
}

function numbers(sigA: u32, expA: u32, sigB: u32, expB: u32, codes: u32): void {
  const a = temp(I32);
  const b = temp(I32);
  const sign = temp(I32);
  const equal = temp(I32);
  localGet(expA);
  i32const(MAGNITUDE);
  byte(I32_AND);
  localSet(a);
  localGet(expB);
  i32const(MAGNITUDE);
  byte(I32_AND);
  localSet(b);
  localGet(expA);
  i32const(31);
  byte(I32_SHR_U);
  localSet(sign);
  localGet(sigA);
  localGet(sigB);
  byte(I64_EQ);
  localGet(expA);
  localGet(expB);
  byte(I32_EQ);
  byte(I32_AND);
  localSet(equal);
  // Less: a negative number than a positive one; of two with a sign the one of the smaller magnitude, or of the larger.
  localGet(sign);
  localGet(a);
  localGet(b);
  byte(I32_LT_U);
  localGet(sigA);
  localGet(sigB);
  byte(I64_LT_U);
  localGet(a);
  localGet(b);
  byte(I32_EQ);
  byte(I32_AND);
  byte(I32_OR);
  localGet(sign);
  byte(I32_XOR);
  localGet(sign);
  localGet(expB);
  i32const(31);
  byte(I32_SHR_U);
  byte(I32_XOR);
  byte(SELECT);
  localGet(equal);
  byte(I32_EQZ);
  byte(I32_AND);
  i32const(8);
  byte(I32_SHL);
  localGet(equal);
  i32const(14);
  byte(I32_SHL);
  byte(I32_OR);
  localSet(codes);
}

/** FCOM and its like: the codes go into the status word. */
export function compareToCodes(sig: u32, exp: u32, quiet: i32): void {
  const codes = compare(sig, exp, quiet);
  i32const(0);
  loadField(I32_LOAD, CPU_FSW);
  i32const(~CODES);
  byte(I32_AND);
  localGet(codes);
  byte(I32_OR);
  field(I32_STORE, CPU_FSW);
  clearUp();
}

/** FCOMI and its like: the codes become CF, PF and ZF; the other flags are 0. C1 stays. */
export function compareToFlags(sig: u32, exp: u32, quiet: i32): void {
  const codes = compare(sig, exp, quiet);
  localGet(codes);
  i32const(ABOVE_FLAGS);
  byte(I32_SHR_U);
  byte(I64_EXTEND_U);
  localSet(L_FLAG_SRC);
  i32const(0);
  localSet(L_FLAG_OP);
  setKnownFlags(0);
}
