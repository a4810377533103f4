// Scalar and packed floating point in line: WebAssembly's own arithmetic where it gives the value and the flags that
// the helpers of execute/float would give: rounding to nearest with everything masked and the inexact flag set already,
// operands zero, normal or infinite, results normal, or a zero that is exact. Everything else leaves the region, and the
// interpreter does it exactly. The conditions are those of execute/float/arith64.ts.
//
// Whether a number is normal is asked of its upper 16 bits, in which the exponent is: adding one to it makes that of
// infinities and NaNs 0, that of zero and denormal numbers 1.
import { CPU_MXCSR } from "../../layout";
import { brIfUnlikely, ifUnlikely } from "../hints";
import { TR_FLOAT_CONSTANTS } from "../layout";
import { miss, missIf } from "../leave";
import { L_FAST, vectorLocal } from "../locals";
import { I32_ADD, I32_AND, I32_EQ, I32_EQZ, I32_LOAD, I32_OR, I32_SHR_U, I32_STORE, I32_WRAP, I64_SHR_U } from "../opcodes";
import { field, loadField } from "../state";
import { block, br, byte, end, f32const, f64const, i32const, i64const, localGet, labelOf, localSet, scopes, simdLane, VOID } from "../writer";
import { isOrdinaryValue, noteOrdinaryValue, registerOf } from "./operand";
import { forgetOrdinary } from "./ordinary";
import { wide } from "./operations";

/** The smallest normal numbers. */
const TINY64: f64 = 2.2250738585072014e-308;
const TINY32: f32 = 1.1754943508222875e-38;

/** MXCSR bits: rounding mode, masks, inexact flag; and what they have to be. */
const FAST_BITS: i32 = 0x7fa0;
const FAST_VALUE: i32 = 0x1fa0;

/** True where the running block has made sure of L_FAST. */
let sure: bool = false;
/** Forgets that, and what is known of registers, where a block begins or something may have changed MXCSR or them. */
export function beginFloats(): void {
  sure = false;
  forgetOrdinary();
}

/** Sets L_FAST from MXCSR: by way of memory, as V8 would put it off into each turn of a loop. */
export function loadFast(): void {
  i32const(0);
  loadField(I32_LOAD, CPU_MXCSR);
  i32const(FAST_BITS);
  byte(I32_AND);
  i32const(FAST_VALUE);
  byte(I32_EQ);
  field(I32_STORE, TR_FLOAT_CONSTANTS + 32);
  loadField(I32_LOAD, TR_FLOAT_CONSTANTS + 32);
  localSet(L_FAST);
}

// What an instruction asks, and may leave for, stands between these two: it has one way out, whatever it asks.
/** The scopes behind which the region goes on, and is left. */
let goesOn: u32 = 0;
let leaves: u32 = 0;
export function beginChecks(): void {
  block(VOID);
  goesOn = scopes;
  block(VOID);
  leaves = scopes;
}
/** Has what is asked next leave for what is behind a scope. */
export function checksLeaveTo(scope: u32): void {
  leaves = scope;
}
/** No register of the guest may have been written since they began. */
export function endChecks(): void {
  br(labelOf(goesOn));
  end();
  miss();
  end();
}
/** Leaves unless the i32 on the stack is not 0. */
export function missUnless(): void {
  byte(I32_EQZ);
  brIfUnlikely(labelOf(leaves));
}

/** Leaves where native arithmetic is not good enough, once in a block. */
export function needFast(): void {
  if (sure) return;
  sure = true;
  localGet(L_FAST);
  missUnless();
}

/** The same in front of what is asked together. */
export function needFastBefore(): void {
  if (sure) return;
  sure = true;
  localGet(L_FAST);
  byte(I32_EQZ);
  missIf();
}

/** Opcode of a binary64 instruction, or its counterpart for binary32. */
export function op(f64opcode: u32, f32opcode: u32): void {
  byte(wide ? f64opcode : f32opcode);
}
export function tiny(): void {
  if (wide) f64const(TINY64);
  else f32const(TINY32);
}
export function infinity(): void {
  if (wide) f64const(Infinity);
  else f32const(Infinity);
}
export function zero(): void {
  if (wide) f64const(0);
  else f32const(0);
}
export function abs(local: u32): void {
  localGet(local);
  op(0x99, 0x8b);
}
export function equals(): void {
  op(0x61, 0x5b);
}
export function less(): void {
  op(0x63, 0x5d);
}

/** Pushes the upper 16 bits of a float. */
function pushUpper(local: u32): void {
  localGet(local);
  op(0xbd, 0xbc);
  if (wide) {
    i64const(48);
    byte(I64_SHR_U);
    byte(I32_WRAP);
  } else {
    i32const(16);
    byte(I32_SHR_U);
  }
}
/** Pushes the upper 16 bits of the lowest lane of a v128 local. */
function pushUpperOfLane(vector: u32): void {
  localGet(vector);
  simdLane(0x19, wide ? 3 : 1);
}

/** Masks that, of upper 16 bits with one added to the exponent, leave something where the number is normal, and where a
 * result is safely so: with one of the two smallest exponents it may be a tiny number that was rounded up. */
const NORMAL64: i32 = 0x7fe0;
const NORMAL32: i32 = 0x7f00;
export const SAFE64: i32 = 0x7fc0;
export const SAFE32: i32 = 0x7e00;
/** One in the exponent. */
export const EXPONENT64: i32 = 0x10;
export const EXPONENT32: i32 = 0x80;

/** Turns upper 16 bits on the stack into whether the mask leaves nothing of them. */
function outside(mask: i32): void {
  i32const(wide ? EXPONENT64 : EXPONENT32);
  byte(I32_ADD);
  i32const(mask);
  byte(I32_AND);
  byte(I32_EQZ);
}
/** Pushes whether a result in a local is not safely normal. */
export function pushUnsafe(local: u32): void {
  pushUpper(local);
  outside(wide ? SAFE64 : SAFE32);
}

/** Pushes whether a value is zero, normal or infinite: neither denormal nor a NaN. */
function pushOrdinary(local: u32): void {
  abs(local);
  tiny();
  op(0x66, 0x60);
  localGet(local);
  zero();
  equals();
  byte(I32_OR);
}

/** Leaves unless value `number`, in float local `local`, is zero, normal or infinite. */
export function needOrdinary(number: u32, local: u32): void {
  if (isOrdinaryValue(number)) return;
  const register = registerOf(number);
  if (register >= 0) pushUpperOfLane(vectorLocal(register));
  else pushUpper(local);
  outside(wide ? NORMAL64 : NORMAL32);
  ifUnlikely();
  pushOrdinary(local);
  missUnless();
  end();
  noteOrdinaryValue(number);
}
