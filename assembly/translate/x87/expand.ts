// Code for x87 instructions in place of the helpers that their micro-operations call. What an instruction leaves behind is
// written last: up to then it may turn out to be the interpreter's.
import {
  HELPER_arithmeticF32, HELPER_arithmeticF64, HELPER_arithmeticInteger, HELPER_arithmeticSt, HELPER_fabs, HELPER_fchs, HELPER_fcomF32, HELPER_fcomF64, HELPER_fcomiSt, HELPER_fcomInteger,
  HELPER_fcomSt, HELPER_ffree, HELPER_fild, HELPER_fldConstant, HELPER_fldcw, HELPER_fldF32, HELPER_fldF64, HELPER_fldF80, HELPER_fldSt, HELPER_frndint, HELPER_fsqrt, HELPER_fstSt, HELPER_ftst,
  HELPER_fxch, HELPER_isPending, HELPER_KIND, HELPER_moveTop, HELPER_noteInstruction, HELPER_noteOperand, HELPER_statusWord, HELPER_storeDone, HELPER_storedLow, HELPER_storeF32, HELPER_storeF64,
  HELPER_storeF80, HELPER_storeInteger, HELPER_storeTen, HELPER_X87,
} from "../../generated/helpers";
import { CPU_FCW, CPU_FSW, TLB_WRITE } from "../../layout";
import { FSW_C1, FSW_TOP } from "../../execute/x87/state";
import { TR_X87_TURN } from "../layout";
import { missIf } from "../leave";
import { temp } from "../locals";
import { addressLocal, pushHost } from "../memory-access";
import { I32_ADD, I32_AND, I32_EQ, I32_LOAD, I32_NE, I32_OR, I32_SHL, I32_SHR_U, I32_STORE, I32_XOR, I64_EXTEND_S, I64_STORE } from "../opcodes";
import { field, loadField } from "../state";
import { constOf, defineConst, defineLocal } from "../values";
import { byte, I32, I64, i32const, i64const, localGet, localSet, localTee, memory } from "../writer";
import { arithmetic, computed } from "./arithmetic";
import { compareToCodes, compareToFlags } from "./compare";
import { exp, fromF32, fromF64, fromF80, fromInteger, sig, stored, storedFlags, storedRest, storedUp, toBinary, toF80, toInteger } from "./convert";
import { squareRoot } from "./quotients";
import { first, fourth, second, third } from "./records";
import {
  clearUp, empty, expLocal, fill, isInline, noteInexact, noteInstruction, noteOperand, pop, push, pushInexact, pushUp, replaceInWord, setUp, sigLocal, topNow, turn,
} from "./state";
import { ABOVE_32, ABOVE_64, SIGN, SIGN_UP, SPECIAL, X87_ROUND, X_ROUNDS_53, X_ROUNDS_64 } from "./word";

/** Exceptions of the status and control words. */
const EXCEPTIONS: i32 = 63;

/** Whether a helper of the instruction being emitted is replaced by code. */
export function isX87(helper: u32): bool {
  return isInline && ((load<u8>(HELPER_KIND + helper) & HELPER_X87) != 0 || helper == HELPER_storeTen);
}

/** Defines the value of a helper that has one; its arguments are on the stack. False: it has none, or is not replaced. */
export function defineX87(helper: u32): bool {
  if (!isInline) return false;
  switch (helper) {
    case HELPER_isPending:
      // All exceptions are masked.
      defineConst(0, I32);
      return true;
    case HELPER_storeF32:
      toBinary(23, ABOVE_32);
      defineConst(1, I32);
      return true;
    case HELPER_storeF64:
      toBinary(52, ABOVE_64);
      defineConst(1, I32);
      return true;
    case HELPER_storeF80:
      toF80();
      defineConst(1, I32);
      return true;
    case HELPER_storeInteger:
      toInteger(first, second);
      defineConst(1, I32);
      return true;
    case HELPER_storedLow:
      localGet(stored);
      defineLocal(I64);
      return true;
    case HELPER_statusWord:
      pushStatusWord();
      defineLocal(I32);
      return true;
  }
  return false;
}

/** Emits code in place of a helper without a value. Arguments that are no constants are on the stack, constants in the
 * list of value numbers at `values`. */
export function inlineX87(helper: u32, values: usize): void {
  switch (helper) {
    case HELPER_noteInstruction: return noteInstruction(<u32>constOf(load<u8>(values)));
    case HELPER_noteOperand: return noteOperand(<u32>constOf(load<u8>(values)));
    case HELPER_arithmeticSt:
      arithmetic(first, sigLocal(0), expLocal(0), sigLocal(second), expLocal(second), third ? second : 0);
      return popTimes(fourth);
    case HELPER_arithmeticF32:
      fromF32();
      return arithmetic(first, sigLocal(0), expLocal(0), sig, exp, 0);
    case HELPER_arithmeticF64:
      fromF64();
      return arithmetic(first, sigLocal(0), expLocal(0), sig, exp, 0);
    case HELPER_arithmeticInteger:
      byte(I64_EXTEND_S);
      fromInteger();
      return arithmetic(first, sigLocal(0), expLocal(0), sig, exp, 0);
    case HELPER_fsqrt: return squareRoot();
    case HELPER_frndint: return computed(X87_ROUND, sigLocal(0), expLocal(0), sigLocal(0), expLocal(0), 0);
    case HELPER_fchs: return changeSign(SIGN, I32_XOR);
    case HELPER_fabs: return changeSign(~SIGN, I32_AND);
    case HELPER_fcomSt:
      compareToCodes(sigLocal(first), expLocal(first), second);
      return popTimes(third);
    case HELPER_fcomiSt:
      compareToFlags(sigLocal(first), expLocal(first), second);
      return popTimes(third);
    case HELPER_fcomF32:
      fromF32();
      return compareWithOperand();
    case HELPER_fcomF64:
      fromF64();
      return compareWithOperand();
    case HELPER_fcomInteger:
      byte(I64_EXTEND_S);
      fromInteger();
      return compareWithOperand();
    case HELPER_ftst: return compareWithZero();
    case HELPER_fldF32:
      fromF32();
      return pushNumber(sig, exp);
    case HELPER_fldF64:
      fromF64();
      return pushNumber(sig, exp);
    case HELPER_fldF80:
      fromF80();
      return pushNumber(sig, exp);
    case HELPER_fild:
      fromInteger();
      return pushNumber(sig, exp);
    case HELPER_fldSt: return pushNumber(sigLocal(first), expLocal(first));
    case HELPER_fldConstant: return pushConstant(first);
    case HELPER_fstSt: return copyTo(first, second);
    case HELPER_fxch: return exchange(first);
    case HELPER_ffree:
      empty(first);
      return clearUp();
    case HELPER_moveTop:
      turn(first);
      return clearUp();
    case HELPER_storeTen: return storeTen();
    case HELPER_storeDone: return storeDone(<i32>constOf(load<u8>(values)));
    case HELPER_fldcw: return loadControl();
  }
}

function popTimes(count: i32): void {
  for (let i = 0; i < count; i++) pop();
}

// ---------------------------------------------------------------- moves
function setNumber(i: i32, fromSig: u32, fromExp: u32): void {
  localGet(fromSig);
  localSet(sigLocal(i));
  localGet(fromExp);
  localSet(expLocal(i));
}

function pushNumber(fromSig: u32, fromExp: u32): void {
  push();
  setNumber(0, fromSig, fromExp);
  clearUp();
}

/** FLD1, FLDL2T, ... rounded to nearest. */
function pushConstant(which: i32): void {
  push();
  let significand: u64 = 0x8000000000000000;
  let exponent: u32 = 0x3fff;
  switch (which) {
    case 0: break;
    case 1: significand = 0xd49a784bcd1b8afe; exponent = 0x4000; break;
    case 2: significand = 0xb8aa3b295c17f0bc; break;
    case 3: significand = 0xc90fdaa22168c235; exponent = 0x4000; break;
    case 4: significand = 0x9a209a84fbcff799; exponent = 0x3ffd; break;
    case 5: significand = 0xb17217f7d1cf79ac; exponent = 0x3ffe; break;
    default: significand = 0; exponent = SPECIAL; break;
  }
  i64const(significand);
  localSet(sigLocal(0));
  i32const(exponent);
  localSet(expLocal(0));
  clearUp();
}

function copyTo(i: i32, popping: i32): void {
  if (i) {
    setNumber(i, sigLocal(0), expLocal(0));
    fill(i);
  }
  clearUp();
  popTimes(popping);
}

function exchange(i: i32): void {
  localGet(sigLocal(0));
  localGet(sigLocal(i));
  localSet(sigLocal(0));
  localSet(sigLocal(i));
  localGet(expLocal(0));
  localGet(expLocal(i));
  localSet(expLocal(0));
  localSet(expLocal(i));
  clearUp();
}

function changeSign(bits: u32, opcode: u32): void {
  localGet(expLocal(0));
  i32const(bits);
  byte(opcode);
  localSet(expLocal(0));
  clearUp();
}

// ---------------------------------------------------------------- comparisons
function compareWithOperand(): void {
  compareToCodes(sig, exp, 0);
  popTimes(second);
}

function compareWithZero(): void {
  const zeroSig = temp(I64);
  const zeroExp = temp(I32);
  i64const(0);
  localSet(zeroSig);
  i32const(SPECIAL);
  localSet(zeroExp);
  compareToCodes(zeroSig, zeroExp, 0);
}

// ---------------------------------------------------------------- stores
/** Ten bytes of ST(0) to the linear address on the stack. */
function storeTen(): void {
  const address = addressLocal();
  const host = temp(I32);
  pushHost(address, 10, TLB_WRITE);
  localTee(host);
  localGet(sigLocal(0));
  memory(I64_STORE, 0, 0);
  localGet(host);
  localGet(expLocal(0));
  i32const(SIGN_UP);
  byte(I32_SHR_U);
  i32const(SIGN >> SIGN_UP);
  byte(I32_AND);
  localGet(expLocal(0));
  i32const(0x7fff);
  byte(I32_AND);
  byte(I32_OR);
  memory(0x3b, 0, 8);
}

/** After the bytes are written: exceptions, and the pop. */
function storeDone(popping: i32): void {
  if (storedUp) {
    localGet(storedUp);
    setUp();
  } else clearUp();
  if (storedRest) noteInexact(storedRest);
  if (storedFlags) {
    i32const(0);
    loadField(I32_LOAD, CPU_FSW);
    localGet(storedFlags);
    i32const(EXCEPTIONS);
    byte(I32_AND);
    byte(I32_OR);
    field(I32_STORE, CPU_FSW);
  }
  popTimes(popping);
}

// ---------------------------------------------------------------- control
/** The status word with TOP, C1 and the inexact flag as they are here. */
function pushStatusWord(): void {
  loadField(I32_LOAD, CPU_FSW);
  i32const(~(FSW_TOP | FSW_C1));
  byte(I32_AND);
  pushUp();
  i32const(9);
  byte(I32_SHL);
  byte(I32_OR);
  pushInexact();
  i32const(5);
  byte(I32_SHL);
  byte(I32_OR);
  loadField(I32_LOAD, TR_X87_TURN);
  i32const(topNow());
  byte(I32_ADD);
  i32const(7);
  byte(I32_AND);
  i32const(11);
  byte(I32_SHL);
  byte(I32_OR);
}

/** FLDCW of the word on the stack, unless it unmasks an exception. */
function loadControl(): void {
  const value = temp(I32);
  localTee(value);
  i32const(EXCEPTIONS);
  byte(I32_AND);
  i32const(EXCEPTIONS);
  byte(I32_NE);
  missIf();
  // Bit 6 reads as 1, bits 7 and 13-15 as 0.
  i32const(0);
  localGet(value);
  i32const(0x1f7f);
  byte(I32_AND);
  i32const(0x40);
  byte(I32_OR);
  field(I32_STORE, CPU_FCW);
  roundingIs(value, 0x300);
  i32const(13);
  byte(I32_SHL);
  roundingIs(value, 0x200);
  i32const(14);
  byte(I32_SHL);
  byte(I32_OR);
  replaceInWord(X_ROUNDS_53 | X_ROUNDS_64);
}

function roundingIs(value: u32, bits: i32): void {
  localGet(value);
  i32const(0xf00);
  byte(I32_AND);
  i32const(bits);
  byte(I32_EQ);
}
