// Scalar and packed floating point in line: WebAssembly's own arithmetic where it gives the value and the flags that
// the helpers of execute/float would give: rounding to nearest with everything masked and the inexact flag set already,
// operands zero or normal, results normal, or a zero that is exact. Everything else leaves the region, and the
// interpreter does it exactly. The conditions are those of execute/float/arith64.ts.
import { CPU_MXCSR } from "../../layout";
import { L_FAST, temp } from "../locals";
import { I32_AND, I32_EQ, I32_EQZ, I32_LOAD, I32_OR } from "../opcodes";
import { loadField, missIf } from "../state";
import { byte, F32, f32const, F64, f64const, i32const, localGet, localSet } from "../writer";
import { wide } from "./operations";

/** The smallest normal numbers. */
const TINY64: f64 = 2.2250738585072014e-308;
const TINY32: f32 = 1.1754943508222875e-38;

/** MXCSR bits: rounding mode, masks, inexact flag; and what they have to be. */
const FAST_BITS: i32 = 0x7fa0;
const FAST_VALUE: i32 = 0x1fa0;

/** True where the running block has made sure of L_FAST. */
let sure: bool = false;
/** Forgets that, where a block begins or something may have changed MXCSR. */
export function beginFloats(): void {
  sure = false;
}

/** Sets L_FAST from MXCSR. */
export function loadFast(): void {
  loadField(I32_LOAD, CPU_MXCSR);
  i32const(FAST_BITS);
  byte(I32_AND);
  i32const(FAST_VALUE);
  byte(I32_EQ);
  localSet(L_FAST);
}

/** Leaves where native arithmetic is not good enough, once in a block. */
export function needFast(): void {
  if (sure) return;
  sure = true;
  localGet(L_FAST);
  byte(I32_EQZ);
  missIf();
}

export function floatType(): u32 {
  return wide ? F64 : F32;
}
/** Opcode of a binary64 instruction, or its counterpart for binary32. */
export function op(f64opcode: u32, f32opcode: u32): void {
  byte(wide ? f64opcode : f32opcode);
}
function fromBits(): void {
  op(0xbf, 0xbe);
}
export function toBits(): void {
  op(0xbd, 0xbc);
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
export function greater(): void {
  op(0x64, 0x5e);
}
export function notLess(): void {
  op(0x66, 0x60);
}

/** Pushes whether a value is zero, normal or infinite: neither denormal nor a NaN. */
export function pushOrdinary(local: u32): void {
  abs(local);
  tiny();
  notLess();
  localGet(local);
  zero();
  equals();
  byte(I32_OR);
}

/** Pushes whether a result is normal and above the smallest normal number, to which a tiny one may have been rounded up. */
export function pushSafe(local: u32): void {
  abs(local);
  tiny();
  greater();
  abs(local);
  infinity();
  less();
  byte(I32_AND);
}

/** Takes a bit pattern off the stack into a float local. */
export function operand(): u32 {
  const local = temp(floatType());
  fromBits();
  localSet(local);
  return local;
}

export function missUnless(): void {
  byte(I32_EQZ);
  missIf();
}
