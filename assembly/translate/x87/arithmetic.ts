// Sums, differences and products of normal numbers in line, rounded to nearest: without branches, since which operand is
// larger, and whether a product carries, is nothing that a processor could foresee. Whatever is not normal, before or
// after, the core computes.
import { FPU_DIV, FPU_DIVR, FPU_MUL, FPU_SUB, FPU_SUBR } from "../../execute/x87/arithmetic";
import { brIfUnlikely } from "../hints";
import { addParameter, beginType, helperFunction, RUNTIME_COMPUTE_X87 } from "../imports";
import { TR_X87_RESULT } from "../layout";
import { temp } from "../locals";
import {
  I32_ADD, I32_AND, I32_EQ, I32_GE_S, I32_GT_U, I32_LOAD, I32_LT_S, I32_LT_U, I32_SHL, I32_SHR_S, I32_SHR_U, I32_SUB, I32_WRAP, I32_XOR, I64_ADD, I64_AND, I64_CLZ, I64_EQZ, I64_EXTEND_S, I64_EXTEND_U, I64_GE_S, I64_LT_S, I64_LT_U, I64_MUL, I64_OR, I64_SHL, I64_SHR_U, I64_XOR, SELECT,
} from "../opcodes";
import { loadField } from "../state";
import { block, br, byte, call, end, I32, I64, i32const, i64const, ifBlock, localGet, localSet, localTee, VOID } from "../writer";
import { quotient } from "./quotients";
import { roundingBits } from "./records";
import { roundTo, two } from "./rounding";
import { clearUp, expLocal, setUp, sigLocal } from "./state";
import { MAGNITUDE, RESULT_UP, SIGN, SPECIAL } from "./word";

/** ST(to) = (sigA, expA) op (sigB, expB), all of them locals; `op`: FPU_*. */
export function arithmetic(op: i32, sigA: u32, expA: u32, sigB: u32, expB: u32, to: i32): void {
  if (op == FPU_DIV || op == FPU_DIVR) return quotient(op, sigA, expA, sigB, expB, to);
  block(VOID);
  block(VOID);
  if (op == FPU_MUL) multiply(sigA, expA, sigB, expB, to);
  else if (op == FPU_SUBR) add(sigB, expB, sigA, expA, to, true);
  else add(sigA, expA, sigB, expB, to, op == FPU_SUB);
  end();
  computed(op, sigA, expA, sigB, expB, to);
  end();
}

/** The same by the core; X87_* too. */
export function computed(op: i32, sigA: u32, expA: u32, sigB: u32, expB: u32, to: i32): void {
  i32const(op);
  two(sigA, expA);
  two(sigB, expB);
  beginType();
  addParameter(I32);
  addParameter(I64);
  addParameter(I32);
  addParameter(I64);
  addParameter(I32);
  call(helperFunction(RUNTIME_COMPUTE_X87, I64));
  localSet(sigLocal(to));
  const exp = temp(I32);
  loadField(I32_LOAD, TR_X87_RESULT);
  localTee(exp);
  i32const(~(1 << RESULT_UP));
  byte(I32_AND);
  localSet(expLocal(to));
  localGet(exp);
  i32const(RESULT_UP);
  byte(I32_SHR_U);
  i32const(1);
  byte(I32_AND);
  byte(I64_EXTEND_U);
  setUp();
}

/** i64 local with the high word of a product; the low one is in productLow. */
let productLow: u32 = 0;
function product(a: u32, b: u32): u32 {
  const low32: i64 = 0xffffffff;
  const a0 = temp(I64);
  const a1 = temp(I64);
  const b0 = temp(I64);
  const b1 = temp(I64);
  const middle = temp(I64);
  const other = temp(I64);
  const high = temp(I64);
  productLow = temp(I64);
  localGet(a);
  i64const(low32);
  byte(I64_AND);
  localSet(a0);
  localGet(a);
  i64const(32);
  byte(I64_SHR_U);
  localSet(a1);
  localGet(b);
  i64const(low32);
  byte(I64_AND);
  localSet(b0);
  localGet(b);
  i64const(32);
  byte(I64_SHR_U);
  localSet(b1);
  // middle = a1 * b0 + (a0 * b0 >> 32)
  two(a1, b0);
  byte(I64_MUL);
  two(a0, b0);
  byte(I64_MUL);
  i64const(32);
  byte(I64_SHR_U);
  byte(I64_ADD);
  localSet(middle);
  // other = a0 * b1 + (middle & low32)
  two(a0, b1);
  byte(I64_MUL);
  localGet(middle);
  i64const(low32);
  byte(I64_AND);
  byte(I64_ADD);
  localSet(other);
  // high = a1 * b1 + (middle >> 32) + (other >> 32)
  two(a1, b1);
  byte(I64_MUL);
  localGet(middle);
  i64const(32);
  byte(I64_SHR_U);
  byte(I64_ADD);
  localGet(other);
  i64const(32);
  byte(I64_SHR_U);
  byte(I64_ADD);
  localSet(high);
  two(a, b);
  byte(I64_MUL);
  localSet(productLow);
  return high;
}

/** Leaves the outer of two scopes, or the inner one where the core has to compute. */
function multiply(sigA: u32, expA: u32, sigB: u32, expB: u32, to: i32): void {
  const high = product(sigA, sigB);
  const low = productLow;
  const exp = temp(I32);
  // A product of numbers in [1, 2) is in [1, 4): below 2, which is without the upper bit, it is doubled. V8 has the answer to a
  // question in a register where it is asked twice.
  two(expA, expB);
  byte(I32_ADD);
  i32const(0x3fff);
  byte(I32_SUB);
  localGet(high);
  i64const(63);
  byte(I64_SHR_U);
  byte(I32_WRAP);
  byte(I32_ADD);
  localSet(exp);
  two(high, high);
  byte(I64_ADD);
  localGet(low);
  i64const(63);
  byte(I64_SHR_U);
  byte(I64_ADD);
  localGet(high);
  localGet(high);
  i64const(0);
  byte(I64_GE_S);
  byte(SELECT);
  localGet(low);
  two(low, low);
  byte(I64_ADD);
  localGet(high);
  i64const(0);
  byte(I64_LT_S);
  byte(SELECT);
  localSet(low);
  localSet(high);
  roundTo(high, low, exp, to, 0);
  br(1);
}

/** Shifts high:low to the left by an i64 local below 64: by more than 2 only where `low` has nothing below its two upper bits. */
function shiftUp(high: u32, low: u32, shift: u32): void {
  two(high, shift);
  byte(I64_SHL);
  localGet(low);
  i64const(62);
  byte(I64_SHR_U);
  localGet(shift);
  byte(I64_SHL);
  i64const(2);
  byte(I64_SHR_U);
  byte(I64_OR);
  localSet(high);
  two(low, shift);
  byte(I64_SHL);
  localSet(low);
}

/** Leaves the outer of two scopes, or the inner one where the core has to compute. */
function add(sigA: u32, expA: u32, sigB: u32, expBGiven: u32, to: i32, negate: bool): void {
  const difference = temp(I32);
  const below = temp(I32);
  const big = temp(I64);
  const small = temp(I64);
  const signExp = temp(I32);
  const sign = temp(I32);
  const distance = temp(I32);
  const away = temp(I64);
  const mask = temp(I64);
  const high = temp(I64);
  const low = temp(I64);
  const shift = temp(I64);
  let expB = expBGiven;
  if (negate) {
    expB = temp(I32);
    localGet(expBGiven);
    i32const(SIGN);
    byte(I32_XOR);
    localSet(expB);
  }
  block(VOID);
  // Twice the difference of the exponents, which has no bit of the signs.
  two(expA, expB);
  byte(I32_SUB);
  i32const(1);
  byte(I32_SHL);
  localSet(difference);
  // The larger magnitude first: the difference is even, and so below 1 if it is 0.
  two(sigA, sigB);
  byte(I64_LT_U);
  localSet(below);
  two(sigB, sigA);
  two(difference, below);
  byte(I32_LT_S);
  byte(SELECT);
  localSet(big);
  two(sigA, sigB);
  byte(I64_XOR);
  localGet(big);
  byte(I64_XOR);
  localSet(small);
  // The same question the other way round: V8 has the answer to one in a register where it is asked twice.
  two(expA, expB);
  two(difference, below);
  byte(I32_GE_S);
  byte(SELECT);
  localSet(signExp);
  localGet(difference);
  i32const(31);
  byte(I32_SHR_S);
  localSet(sign);
  two(difference, sign);
  byte(I32_XOR);
  localGet(sign);
  byte(I32_SUB);
  localTee(distance);
  i32const(63 << 1);
  byte(I32_GT_U);
  brIfUnlikely(0);
  // high:low = big / 2 plus or minus small / 2 / 2^distance, with all its bits: X - Y is ~(~X + Y).
  two(expA, expB);
  byte(I32_XOR);
  i32const(31);
  byte(I32_SHR_S);
  byte(I64_EXTEND_S);
  localSet(mask);
  localGet(distance);
  i32const(1);
  byte(I32_SHR_U);
  byte(I64_EXTEND_U);
  localSet(away);
  localGet(small);
  localGet(away);
  i64const(63);
  byte(I64_XOR);
  byte(I64_SHL);
  localTee(shift);
  localGet(big);
  i64const(63);
  byte(I64_SHL);
  localGet(mask);
  byte(I64_XOR);
  byte(I64_ADD);
  localSet(low);
  localGet(small);
  i64const(1);
  byte(I64_SHR_U);
  localGet(away);
  byte(I64_SHR_U);
  localGet(big);
  i64const(1);
  byte(I64_SHR_U);
  localGet(mask);
  byte(I64_XOR);
  byte(I64_ADD);
  localTee(high);
  i64const(1);
  byte(I64_ADD);
  localGet(high);
  two(low, shift);
  byte(I64_LT_U);
  byte(SELECT);
  localGet(mask);
  byte(I64_XOR);
  localTee(high);
  byte(I64_CLZ);
  localSet(shift);
  two(low, mask);
  byte(I64_XOR);
  localSet(low);
  localGet(signExp);
  i32const(1);
  byte(I32_ADD);
  localGet(shift);
  byte(I32_WRAP);
  byte(I32_SUB);
  localSet(signExp);
  shiftUp(high, low, shift);
  roundTo(high, low, signExp, to, 1);
  br(2);
  end();
  // What adds up begins with a zero. Rounding to fewer bits may change the other operand.
  if (roundingBits == 64) otherOfZero(expA, expB, big, small, signExp, to);
}

/** ST(to) = the other operand of a sum where one is zero and the other a normal number; leaves the outer of two scopes then.
 * `big`, `small` and `signExp`: the operand of the larger exponent, which a zero has, and the significand of the other. */
function otherOfZero(expA: u32, expB: u32, big: u32, small: u32, signExp: u32, to: i32): void {
  const exp = temp(I32);
  two(expA, expB);
  byte(I32_XOR);
  localGet(signExp);
  byte(I32_XOR);
  localTee(exp);
  i32const(MAGNITUDE);
  byte(I32_AND);
  i32const(SPECIAL);
  byte(I32_LT_U);
  localGet(signExp);
  i32const(MAGNITUDE);
  byte(I32_AND);
  i32const(SPECIAL);
  byte(I32_EQ);
  byte(I32_AND);
  localGet(big);
  byte(I64_EQZ);
  byte(I32_AND);
  ifBlock(VOID);
  localGet(small);
  localSet(sigLocal(to));
  localGet(exp);
  localSet(expLocal(to));
  clearUp();
  br(2);
  end();
}
