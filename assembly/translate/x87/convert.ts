// Between the stack's numbers and the formats of memory operands: normal numbers and zeros in line; infinities, NaNs and
// denormals leave the region.
import { ifUnlikely } from "../hints";
import { addParameter, beginType, helperFunction, RUNTIME_INTEGER_OF_X87 } from "../imports";
import { TR_X87_RESULT } from "../layout";
import { missIf } from "../leave";
import { temp } from "../locals";
import {
  I32_ADD, I32_AND, I32_GE_U, I32_LOAD, I32_OR, I32_SHL, I32_SHR_S, I32_SHR_U, I32_SUB, I32_WRAP, I64_ADD, I64_AND, I64_CLZ, I64_EXTEND_U, I64_EQZ, I64_GE_S, I64_NE, I64_OR, I64_SHL, I64_SHR_S,
  I64_SHR_U, I64_SUB, I64_XOR, SELECT,
} from "../opcodes";
import { loadField } from "../state";
import { byte, call, elseBlock, end, I32, I64, i32const, i64const, localGet, localSet, localTee } from "../writer";
import { isNoNumber, pushRoundedUp } from "./rounding";
import { expLocal, sigLocal } from "./state";
import { ABOVE_32, ABOVE_64, MAGNITUDE, RESULT_UP, SIGN, SIGN_UP, SPECIAL } from "./word";

const INTEGER_BIT: i64 = i64.MIN_VALUE;

/** The number last converted: locals, i64 significand and i32 sign and exponent. */
export let sig: u32 = 0;
export let exp: u32 = 0;

/** Pushes the significand of the normal double whose bits are in an i64 local. */
export function pushSignificand(bits: u32): void {
  localGet(bits);
  i64const(11);
  byte(I64_SHL);
  i64const(INTEGER_BIT);
  byte(I64_OR);
}

function begin(): void {
  sig = temp(I64);
  exp = temp(I32);
}

/** Opens the branch for exponents of a format, with a sign on top, without those that are special: `all`: its largest. */
function ifSpecial(exponent: u32, all: i32): void {
  isNoNumber(exponent, all - 1);
  ifUnlikely();
}

/** The operand is a zero with the sign of `exponent`. */
function setZero(exponent: u32): void {
  localGet(exponent);
  i32const(SIGN);
  byte(I32_AND);
  i32const(SPECIAL);
  byte(I32_OR);
  localSet(exp);
  i64const(0);
  localSet(sig);
}

/** Converts the binary64 on the stack. */
export function fromF64(): void {
  const bits = temp(I64);
  const exponent = temp(I32);
  begin();
  localTee(bits);
  i64const(52);
  byte(I64_SHR_S);
  // Before it is cut, which takes V8 a move in between.
  i64const(<i64><i32>(SIGN | 0x7ff));
  byte(I64_AND);
  byte(I32_WRAP);
  localSet(exponent);
  ifSpecial(exponent, 0x7ff);
  localGet(bits);
  i64const(1);
  byte(I64_SHL);
  i64const(0);
  byte(I64_NE);
  missIf();
  setZero(exponent);
  elseBlock();
  pushSignificand(bits);
  localSet(sig);
  localGet(exponent);
  i32const(ABOVE_64);
  byte(I32_ADD);
  localSet(exp);
  end();
}

/** Converts the binary32 on the stack. */
export function fromF32(): void {
  const bits = temp(I32);
  const exponent = temp(I32);
  begin();
  localTee(bits);
  i32const(23);
  byte(I32_SHR_S);
  i32const(SIGN | 0xff);
  byte(I32_AND);
  localSet(exponent);
  ifSpecial(exponent, 0xff);
  localGet(bits);
  i32const(1);
  byte(I32_SHL);
  missIf();
  setZero(exponent);
  elseBlock();
  localGet(bits);
  byte(I64_EXTEND_U);
  i64const(40);
  byte(I64_SHL);
  i64const(INTEGER_BIT);
  byte(I64_OR);
  localSet(sig);
  localGet(exponent);
  i32const(ABOVE_32);
  byte(I32_ADD);
  localSet(exp);
  end();
}

/** Converts the ten bytes on the stack: i64, then i32. Any pattern is a number of the stack. */
export function fromF80(): void {
  const signExp = temp(I32);
  begin();
  localTee(signExp);
  i32const(SIGN_UP);
  byte(I32_SHL);
  i32const(SIGN);
  byte(I32_AND);
  localGet(signExp);
  i32const(0x7fff);
  byte(I32_AND);
  byte(I32_OR);
  localSet(exp);
  localSet(sig);
  // Normal: the integer bit, and an exponent that is neither 0 nor all ones.
  localGet(exp);
  i32const(SPECIAL);
  byte(I32_OR);
  localGet(exp);
  localGet(sig);
  i64const(0);
  byte(I64_GE_S);
  localGet(exp);
  i32const(MAGNITUDE);
  byte(I32_AND);
  i32const(1);
  byte(I32_SUB);
  i32const(0x7ffe);
  byte(I32_GE_U);
  byte(I32_OR);
  byte(SELECT);
  localSet(exp);
}

/** Converts the i64 on the stack, an integer. */
export function fromInteger(): void {
  const value = temp(I64);
  const sign = temp(I64);
  const shift = temp(I64);
  begin();
  localTee(value);
  i64const(63);
  byte(I64_SHR_S);
  localSet(sign);
  localGet(value);
  localGet(sign);
  byte(I64_XOR);
  localGet(sign);
  byte(I64_SUB);
  localTee(value);
  byte(I64_CLZ);
  localSet(shift);
  localGet(value);
  localGet(shift);
  byte(I64_SHL);
  localSet(sig);
  i32const(SPECIAL);
  i32const(0x3fff + 63);
  localGet(shift);
  byte(I32_WRAP);
  byte(I32_SUB);
  localGet(sign);
  byte(I32_WRAP);
  i32const(SIGN);
  byte(I32_AND);
  byte(I32_OR);
  localGet(value);
  byte(I64_EQZ);
  byte(SELECT);
  localSet(exp);
}

// ---------------------------------------------------------------- stores
/** What a store found, for when it is done. i64: what goes to memory; i64: whether it was rounded up; i64: what it left
 * out; i32: further exceptions, whose local is 0 where there are none. */
export let stored: u32 = 0;
export let storedUp: u32 = 0;
export let storedRest: u32 = 0;
export let storedFlags: u32 = 0;

/** ST(0) as binary64 or, with `fraction` 23, as binary32. `above`: how far the stack's exponents are above its own. */
export function toBinary(fraction: i32, above: i32): void {
  const drop: i64 = 63 - fraction;
  const all = fraction == 52 ? 0x7ff : 0xff;
  const whole = temp(I64);
  const from = sigLocal(0);
  const signExp = expLocal(0);
  stored = temp(I64);
  storedUp = temp(I64);
  storedRest = temp(I64);
  storedFlags = 0;
  localGet(signExp);
  i32const(1);
  byte(I32_SHL);
  i32const((above + 1) << 1);
  byte(I32_SUB);
  // One less than the largest: rounding may carry into the exponent.
  i32const((all - 2) << 1);
  byte(I32_GE_U);
  ifUnlikely();
  // Zero has neither significand nor exponent.
  localGet(from);
  localGet(signExp);
  i32const(0x7fff);
  byte(I32_AND);
  byte(I64_EXTEND_U);
  byte(I64_OR);
  i64const(0);
  byte(I64_NE);
  missIf();
  pushSign(signExp, fraction);
  localSet(stored);
  i64const(0);
  localSet(storedUp);
  i64const(0);
  localSet(storedRest);
  elseBlock();
  localGet(from);
  i64const(fraction + 1);
  byte(I64_SHL);
  localSet(storedRest);
  localGet(from);
  i64const(drop);
  byte(I64_SHR_U);
  localSet(whole);
  pushRoundedUp(storedRest, whole);
  localSet(storedUp);
  // The integer bit adds 1 to the exponent, and so does a carry.
  localGet(whole);
  localGet(storedUp);
  byte(I64_ADD);
  localGet(signExp);
  i32const(above + 1);
  byte(I32_SUB);
  if (fraction == 23) {
    i32const(all);
    byte(I32_AND);
  }
  // Shifted by 52, the sign is gone.
  byte(I64_EXTEND_U);
  i64const(fraction);
  byte(I64_SHL);
  byte(I64_ADD);
  pushSign(signExp, fraction);
  byte(I64_OR);
  localSet(stored);
  end();
}

/** Pushes the sign where the format has it. */
function pushSign(signExp: u32, fraction: i32): void {
  // Not by a mask: V8 loads this one into a register.
  localGet(signExp);
  i32const(31);
  byte(I32_SHR_U);
  byte(I64_EXTEND_U);
  i64const(fraction == 52 ? 63 : 31);
  byte(I64_SHL);
}

/** ST(0) as an integer of `width` bits, by the core. */
export function toInteger(width: i32, chop: i32): void {
  stored = temp(I64);
  storedUp = temp(I64);
  storedFlags = temp(I32);
  storedRest = 0;
  localGet(sigLocal(0));
  localGet(expLocal(0));
  i32const(width);
  i32const(chop);
  beginType();
  addParameter(I64);
  addParameter(I32);
  addParameter(I32);
  addParameter(I32);
  call(helperFunction(RUNTIME_INTEGER_OF_X87, I64));
  localSet(stored);
  loadField(I32_LOAD, TR_X87_RESULT);
  localTee(storedFlags);
  i32const(RESULT_UP);
  byte(I32_SHR_U);
  byte(I64_EXTEND_U);
  localSet(storedUp);
}

/** ST(0) as it is: ten bytes. */
export function toF80(): void {
  stored = sigLocal(0);
  storedUp = 0;
  storedRest = 0;
  storedFlags = 0;
}
