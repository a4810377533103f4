// Quotients and square roots of normal numbers in line, rounded to nearest with 64 bits. A double gives the upper 53 bits, but for an
// error of less than 2^13 units of the last of 64: what is still missing is what is left of the dividend or of the square, which
// integers have exactly modulo 2^64, by the divisor, of which few bits are asked, and so a double again. Where it lies near half a unit
// the core has to say to what side.
import { FPU_DIV, FPU_DIVR } from "../../execute/x87/arithmetic";
import { brIfUnlikely } from "../hints";
import { temp } from "../locals";
import {
  F64_ABS, F64_ADD, F64_CONVERT_I64_S, F64_DIV, F64_LT, F64_MUL, F64_REINTERPRET, F64_SQRT, F64_SUB, I32_ADD, I32_AND, I32_EQZ, I32_GE_U, I32_OR, I32_SHL, I32_SHR_U, I32_SUB, I32_WRAP, I64_ADD, I64_AND, I64_EQZ,
  I64_EXTEND_U, I64_GE_S, I64_MUL, I64_OR, I64_REINTERPRET, I64_SHL, I64_SHR_U, I64_SUB,
} from "../opcodes";
import { block, br, byte, end, F64, f64const, I32, i32const, I64, i64const, localGet, localSet, localTee, VOID } from "../writer";
import { computed } from "./arithmetic";
import { pushSignificand } from "./convert";
import { roundingBits } from "./records";
import { isNoNumber, two } from "./rounding";
import { expLocal, noteInexact, setUp, sigLocal } from "./state";
import { SPECIAL, X87_SQRT } from "./word";

const BIAS: i32 = 0x3fff;
/** Exponent of doubles in [1, 2), where it lies. */
const ONE: i64 = 0x3ff0000000000000;
/** Added to a double far below 2^51 it leaves the nearest integer in the lower bits. */
const TO_INTEGER: f64 = 6755399441055744;

/** ST(to) = a / b or, with FPU_DIVR, b / a, all of them locals. */
export function quotient(op: i32, sigA: u32, expA: u32, sigB: u32, expB: u32, to: i32): void {
  if (roundingBits != 64) return computed(op, sigA, expA, sigB, expB, to);
  block(VOID);
  block(VOID);
  if (op == FPU_DIV) divide(sigA, expA, sigB, expB, to);
  else divide(sigB, expB, sigA, expA, to);
  br(1);
  end();
  computed(op, sigA, expA, sigB, expB, to);
  end();
}

/** ST(0) = its square root. */
export function squareRoot(): void {
  const sig = sigLocal(0);
  const exp = expLocal(0);
  if (roundingBits != 64) return computed(X87_SQRT, sig, exp, sig, exp, 0);
  block(VOID);
  block(VOID);
  rootOf(sig, exp);
  br(1);
  end();
  computed(X87_SQRT, sig, exp, sig, exp, 0);
  end();
}

/** Pushes the double in [1, 2) with the upper 53 bits of a significand, with `exponent` or, 0, what is on the stack instead of that of 1. */
function pushDouble(sig: u32, exponent: i64): void {
  if (exponent) i64const(exponent);
  localGet(sig);
  i64const(1);
  byte(I64_SHL);
  i64const(12);
  byte(I64_SHR_U);
  byte(I64_OR);
  byte(F64_REINTERPRET);
}

/** i64 local with the significand of the normal double whose bits are in an i64 local. */
function significandOf(bits: u32): u32 {
  const sig = temp(I64);
  pushSignificand(bits);
  localSet(sig);
  return sig;
}

/** The integer next to the double on the stack: i64 local, and in `beside` the double's distance from it. */
let beside: u32 = 0;
function nearest(): u32 {
  const value = temp(F64);
  const moved = temp(F64);
  const integer = temp(I64);
  beside = temp(F64);
  localTee(value);
  f64const(TO_INTEGER);
  byte(F64_ADD);
  localSet(moved);
  localGet(moved);
  byte(I64_REINTERPRET);
  i64const(reinterpret<i64>(TO_INTEGER));
  byte(I64_SUB);
  localSet(integer);
  two(value, moved);
  f64const(TO_INTEGER);
  byte(F64_SUB);
  byte(F64_SUB);
  localSet(beside);
  return integer;
}

/** Leaves the inner of two scopes where the core has to compute. */
function divide(sigA: u32, expA: u32, sigB: u32, expB: u32, to: i32): void {
  const divisor = temp(F64);
  const bits = temp(I64);
  const whole = temp(I64);
  const upper = temp(I64);
  const sig = temp(I64);
  const rest = temp(I64);
  const exp = temp(I32);
  pushDouble(sigA, ONE);
  pushDouble(sigB, ONE);
  localTee(divisor);
  byte(F64_DIV);
  byte(I64_REINTERPRET);
  localSet(bits);
  const first = significandOf(bits);
  // 1 where the quotient is not below 1, which is in the exponent's last bit.
  localGet(bits);
  i64const(52);
  byte(I64_SHR_U);
  i64const(1);
  byte(I64_AND);
  localSet(whole);
  localGet(first);
  i64const(11);
  byte(I64_SHR_U);
  localSet(upper);
  // What is left of the dividend, by 16: it would have 66 bits.
  localGet(sigA);
  i64const(49);
  localGet(whole);
  byte(I64_SUB);
  byte(I64_SHL);
  localGet(upper);
  localGet(sigB);
  i64const(4);
  byte(I64_SHR_U);
  byte(I64_MUL);
  byte(I64_SUB);
  localGet(upper);
  localGet(sigB);
  i64const(15);
  byte(I64_AND);
  byte(I64_MUL);
  i64const(4);
  byte(I64_SHR_U);
  byte(I64_SUB);
  byte(F64_CONVERT_I64_S);
  // In units of the last of 64 bits: by 2^15 and the divisor, which is 2^63 times this one.
  f64const(3.552713678800501e-15);
  localGet(divisor);
  byte(F64_DIV);
  byte(F64_MUL);
  const more = nearest();
  localGet(beside);
  byte(F64_ABS);
  f64const(0.4999);
  byte(F64_LT);
  byte(I32_EQZ);
  brIfUnlikely(0);
  two(first, more);
  byte(I64_ADD);
  localTee(sig);
  i64const(0);
  byte(I64_GE_S);
  brIfUnlikely(0);
  two(expA, expB);
  byte(I32_OR);
  i32const(SPECIAL);
  byte(I32_AND);
  brIfUnlikely(0);
  localGet(expA);
  i32const(BIAS - 1);
  byte(I32_ADD);
  localGet(whole);
  byte(I32_WRAP);
  byte(I32_ADD);
  localGet(expB);
  byte(I32_SUB);
  localSet(exp);
  isNoNumber(exp);
  brIfUnlikely(0);
  // The exact rest, at most half the divisor: below 0 where the quotient is too large.
  two(sigA, whole);
  byte(I64_AND);
  i64const(63);
  byte(I64_SHL);
  two(sig, sigB);
  byte(I64_MUL);
  byte(I64_SUB);
  localSet(rest);
  localGet(sig);
  localSet(sigLocal(to));
  localGet(exp);
  localSet(expLocal(to));
  localGet(rest);
  i64const(63);
  byte(I64_SHR_U);
  setUp();
  noteInexact(rest);
}

/** Leaves the inner of two scopes where the core has to compute. */
function rootOf(sig: u32, exp: u32): void {
  const odd = temp(I64);
  const root = temp(F64);
  const bits = temp(I64);
  const upper = temp(I64);
  const rest = temp(I64);
  // Neither negative nor special.
  localGet(exp);
  i32const(1);
  byte(I32_SUB);
  i32const(0x7ffe);
  byte(I32_GE_U);
  brIfUnlikely(0);
  // Odd exponents are even powers of two; of others the significand counts twice.
  localGet(exp);
  byte(I64_EXTEND_U);
  i64const(1);
  byte(I64_AND);
  localSet(odd);
  i64const(0x400);
  localGet(odd);
  byte(I64_SUB);
  i64const(52);
  byte(I64_SHL);
  pushDouble(sig, 0);
  byte(F64_SQRT);
  localTee(root);
  byte(I64_REINTERPRET);
  localSet(bits);
  const first = significandOf(bits);
  localGet(first);
  i64const(11);
  byte(I64_SHR_U);
  localSet(upper);
  // What is left of the square, by 2^22.
  localGet(sig);
  i64const(42);
  localGet(odd);
  byte(I64_SUB);
  byte(I64_SHL);
  two(upper, upper);
  byte(I64_MUL);
  byte(I64_SUB);
  localTee(rest);
  byte(F64_CONVERT_I64_S);
  // In units of the last of 64 bits: by 2^10 and those 53 bits, which are 2^52 times the root.
  f64const(2.2737367544323206e-13);
  localGet(root);
  byte(F64_DIV);
  byte(F64_MUL);
  const more = nearest();
  // Near an integer too it has to be known on what side the root lies, unless it is exact.
  localGet(beside);
  byte(F64_ABS);
  f64const(0.25);
  byte(F64_SUB);
  byte(F64_ABS);
  f64const(0.2499);
  byte(F64_LT);
  localGet(rest);
  byte(I64_EQZ);
  byte(I32_OR);
  byte(I32_EQZ);
  brIfUnlikely(0);
  two(first, more);
  byte(I64_ADD);
  localSet(sigLocal(0));
  localGet(exp);
  i32const(BIAS);
  byte(I32_ADD);
  i32const(1);
  byte(I32_SHR_U);
  localSet(expLocal(0));
  localGet(beside);
  byte(I64_REINTERPRET);
  i64const(63);
  byte(I64_SHR_U);
  setUp();
  noteInexact(rest);
}
