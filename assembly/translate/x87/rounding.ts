// Rounding to nearest in line, without branches that a processor would have to foresee.
import { brIfUnlikely } from "../hints";
import { temp } from "../locals";
import { I32_GE_U, I32_SHL, I32_SUB, I64_ADD, I64_AND, I64_EXTEND_U, I64_GE_S, I64_NE, I64_OR, I64_SHL, I64_SHR_U } from "../opcodes";
import { byte, i32const, I64, i64const, localGet, localSet, localTee } from "../writer";
import { roundingBits } from "./records";
import { expLocal, noteInexact, setUp, sigLocal } from "./state";

/** Largest biased exponent of a number. */
const LARGEST: i32 = 0x7ffe;

/** Two operands on WebAssembly's stack. */
export function two(a: u32, b: u32): void {
  localGet(a);
  localGet(b);
}

/** Pushes 1 if what lies behind `whole`, both i64 locals, rounds it up: more than half a unit, or half a unit and odd. Else 0.
 * `rest` is aligned to the left. */
export function pushRoundedUp(rest: u32, whole: u32): void {
  // One less where `whole` is even has its upper bit where there is more than half a unit, or where there is nothing.
  localGet(rest);
  localGet(whole);
  i64const(1);
  byte(I64_AND);
  byte(I64_ADD);
  i64const(-1);
  byte(I64_ADD);
  localGet(rest);
  byte(I64_AND);
  i64const(63);
  byte(I64_SHR_U);
}

/** Pushes whether an exponent, in a local with a sign on top, is not that of a normal number; `largest`: the largest one. */
export function isNoNumber(exp: u32, largest: i32 = LARGEST): void {
  localGet(exp);
  i32const(1);
  byte(I32_SHL);
  i32const(2);
  byte(I32_SUB);
  i32const(largest << 1);
  byte(I32_GE_U);
}

/**
 * ST(to) = high:low, a significand with bit 63 of `high` set, rounded; `exp`: sign and biased exponent, before rounding; an
 * exponent below 0 may have turned the sign. Leaves scope `slow` where that is no normal number.
 */
export function roundTo(high: u32, low: u32, exp: u32, to: i32, slow: u32): void {
  const up = temp(I64);
  const sig = temp(I64);
  if (roundingBits == 53) {
    const whole = temp(I64);
    two(high, low);
    i64const(0);
    byte(I64_NE);
    byte(I64_EXTEND_U);
    localSet(low);
    i64const(53);
    byte(I64_SHL);
    localGet(low);
    byte(I64_OR);
    localSet(low);
    localGet(high);
    i64const(11);
    byte(I64_SHR_U);
    localSet(whole);
    pushRoundedUp(low, whole);
    localSet(up);
    two(whole, up);
    byte(I64_ADD);
    i64const(11);
    byte(I64_SHL);
  } else {
    pushRoundedUp(low, high);
    localSet(up);
    two(high, up);
    byte(I64_ADD);
  }
  localTee(sig);
  i64const(0);
  byte(I64_GE_S);
  brIfUnlikely(slow);
  isNoNumber(exp);
  brIfUnlikely(slow);
  localGet(sig);
  localSet(sigLocal(to));
  localGet(exp);
  localSet(expLocal(to));
  localGet(up);
  setUp();
  noteInexact(low);
}
