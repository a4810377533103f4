// Scalar and packed floating point in line: WebAssembly's own arithmetic where it gives the value and the flags that
// the helpers of execute/float would give: rounding to nearest with everything masked and the inexact flag set already,
// operands zero or normal, results normal, or a zero that is exact. Everything else leaves the region, and the
// interpreter does it exactly. The conditions are those of execute/float/arith64.ts.
import {
  HELPER_addSd, HELPER_addSs, HELPER_comiF32, HELPER_comiF64, HELPER_divSd, HELPER_divSs, HELPER_integerToSd64, HELPER_maxSd, HELPER_maxSs, HELPER_minSd, HELPER_minSs, HELPER_mulSd,
  HELPER_mulSs, HELPER_packedF32, HELPER_packedF64, HELPER_sdToInteger32, HELPER_sdToInteger64, HELPER_sdToSs, HELPER_sqrtSd, HELPER_sqrtSs, HELPER_ssToInteger32, HELPER_ssToInteger64,
  HELPER_ssToSd, HELPER_subSd, HELPER_subSs, HELPER_i32ToF64,
} from "../generated/helpers";
import { CPU_MXCSR } from "../layout";
import { L_FAST, L_FLAG_OP, L_FLAG_SRC, temp } from "./locals";
import { I32_AND, I32_EQ, I32_EQZ, I32_LOAD, I32_OR, I32_SHL, I64_EXTEND_U } from "./opcodes";
import { enterScope, leaveScope, loadField, missIf, setKnownFlags } from "./state";
import { byte, end, F32, F64, f32const, f64const, I32, i32const, ifBlock, localGet, localSet, localTee, simd, V128, VOID } from "./writer";

// Operations in the order of WebAssembly's opcodes for f64 and f32: add sub mul div min max.
const ADD: u32 = 0;
const SUB: u32 = 1;
const MUL: u32 = 2;
const DIV: u32 = 3;
const MIN: u32 = 4;
const MAX: u32 = 5;
const SQRT: u32 = 6;
const COMPARE: u32 = 7;
const FROM_INTEGER32: u32 = 8;
const FROM_INTEGER64: u32 = 9;
const TO_INTEGER32: u32 = 10;
const TO_INTEGER64: u32 = 11;
const TO_OTHER: u32 = 12;
const PACKED: u32 = 13;
const NONE: u32 = 255;

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

let wide: bool = false;

/** What a helper is; `wide` tells doubles from singles. */
function operationOf(helper: u32): u32 {
  wide = true;
  switch (helper) {
    case HELPER_addSd: return ADD;
    case HELPER_subSd: return SUB;
    case HELPER_mulSd: return MUL;
    case HELPER_divSd: return DIV;
    case HELPER_minSd: return MIN;
    case HELPER_maxSd: return MAX;
    case HELPER_sqrtSd: return SQRT;
    case HELPER_comiF64: return COMPARE;
    case HELPER_i32ToF64: return FROM_INTEGER32;
    case HELPER_integerToSd64: return FROM_INTEGER64;
    case HELPER_sdToInteger32: return TO_INTEGER32;
    case HELPER_sdToInteger64: return TO_INTEGER64;
    case HELPER_sdToSs: return TO_OTHER;
    case HELPER_packedF64: return PACKED;
  }
  wide = false;
  switch (helper) {
    case HELPER_addSs: return ADD;
    case HELPER_subSs: return SUB;
    case HELPER_mulSs: return MUL;
    case HELPER_divSs: return DIV;
    case HELPER_minSs: return MIN;
    case HELPER_maxSs: return MAX;
    case HELPER_sqrtSs: return SQRT;
    case HELPER_comiF32: return COMPARE;
    case HELPER_ssToInteger32: return TO_INTEGER32;
    case HELPER_ssToInteger64: return TO_INTEGER64;
    case HELPER_ssToSd: return TO_OTHER;
    case HELPER_packedF32: return PACKED;
  }
  return NONE;
}

/** Whether a helper is computed in line; its arguments are to be on the stack for inlineFloat(), but for packed ones. */
export function isInlineFloat(helper: u32): bool {
  const operation = operationOf(helper);
  return operation != NONE && operation != PACKED;
}
export function isPackedFloat(helper: u32): bool {
  return operationOf(helper) == PACKED;
}

/** Replaces the arguments on the stack, bit patterns, by the result of a scalar helper. */
export function inlineFloat(helper: u32): void {
  const operation = operationOf(helper);
  switch (operation) {
    case SQRT: return squareRoot();
    case MIN:
    case MAX: return minMax(operation);
    case COMPARE: return compare();
    case FROM_INTEGER32:
      byte(0xb7);
      byte(0xbd);
      return;
    case FROM_INTEGER64:
      // A rounded result raises what is raised already.
      needFast();
      byte(0xb9);
      byte(0xbd);
      return;
    case TO_INTEGER32:
    case TO_INTEGER64: return toInteger(operation);
    case TO_OTHER: return wide ? toSingle() : toDouble();
    default: return arithmetic(operation);
  }
}

/** Leaves where native arithmetic is not good enough, once in a block. */
function needFast(): void {
  if (sure) return;
  sure = true;
  localGet(L_FAST);
  byte(I32_EQZ);
  missIf();
}

// ---------------------------------------------------------------- pieces
function floatType(): u32 {
  return wide ? F64 : F32;
}
/** Opcode of a binary64 instruction, or its counterpart for binary32. */
function op(f64opcode: u32, f32opcode: u32): void {
  byte(wide ? f64opcode : f32opcode);
}
function fromBits(): void {
  op(0xbf, 0xbe);
}
function toBits(): void {
  op(0xbd, 0xbc);
}
function tiny(): void {
  if (wide) f64const(TINY64);
  else f32const(TINY32);
}
function infinity(): void {
  if (wide) f64const(Infinity);
  else f32const(Infinity);
}
function zero(): void {
  if (wide) f64const(0);
  else f32const(0);
}
function abs(local: u32): void {
  localGet(local);
  op(0x99, 0x8b);
}
function equals(): void {
  op(0x61, 0x5b);
}
function less(): void {
  op(0x63, 0x5d);
}
function greater(): void {
  op(0x64, 0x5e);
}
function notLess(): void {
  op(0x66, 0x60);
}

/** Pushes whether a value is zero, normal or infinite: neither denormal nor a NaN. */
function pushOrdinary(local: u32): void {
  abs(local);
  tiny();
  notLess();
  localGet(local);
  zero();
  equals();
  byte(I32_OR);
}

/** Pushes whether a result is normal and above the smallest normal number, to which a tiny one may have been rounded up. */
function pushSafe(local: u32): void {
  abs(local);
  tiny();
  greater();
  abs(local);
  infinity();
  less();
  byte(I32_AND);
}

/** Takes a bit pattern off the stack into a float local. */
function operand(): u32 {
  const local = temp(floatType());
  fromBits();
  localSet(local);
  return local;
}

function missUnless(): void {
  byte(I32_EQZ);
  missIf();
}

// ---------------------------------------------------------------- scalars
function arithmetic(operation: u32): void {
  needFast();
  const y = operand();
  const x = operand();
  const r = temp(floatType());
  localGet(x);
  localGet(y);
  op(0xa0 + operation, 0x92 + operation);
  localTee(r);
  op(0x99, 0x8b);
  tiny();
  greater();
  abs(r);
  infinity();
  less();
  byte(I32_AND);
  pushOrdinary(x);
  byte(I32_AND);
  pushOrdinary(y);
  byte(I32_AND);
  byte(I32_EQZ);
  ifBlock(VOID);
  exactZero(operation, x, y, r);
  end();
  localGet(r);
  toBits();
}

/** Leaves but for a zero that is exact: of a sum, of a product with a factor 0, of a quotient of 0. Inside an `if`. */
function exactZero(operation: u32, x: u32, y: u32, r: u32): void {
  localGet(r);
  zero();
  equals();
  pushOrdinary(x);
  byte(I32_AND);
  pushOrdinary(y);
  byte(I32_AND);
  if (operation == MUL || operation == DIV) {
    localGet(x);
    zero();
    equals();
    if (operation == MUL) {
      localGet(y);
      zero();
      equals();
      byte(I32_OR);
    }
    byte(I32_AND);
  }
  if (operation == DIV) {
    // x / infinity is 0 too.
    abs(y);
    infinity();
    less();
    byte(I32_AND);
  }
  byte(I32_EQZ);
  missIf();
}

function squareRoot(): void {
  needFast();
  const y = operand();
  byte(0x1a);
  // A normal positive operand has a normal root; that of zero is exact.
  localGet(y);
  tiny();
  notLess();
  localGet(y);
  infinity();
  less();
  byte(I32_AND);
  localGet(y);
  zero();
  equals();
  byte(I32_OR);
  missUnless();
  localGet(y);
  op(0x9f, 0x91);
  toBits();
}

/** The second operand unless the first is less, or greater. */
function minMax(operation: u32): void {
  const y = operand();
  const x = operand();
  pushOrdinary(x);
  pushOrdinary(y);
  byte(I32_AND);
  missUnless();
  localGet(x);
  localGet(y);
  localGet(x);
  localGet(y);
  if (operation == MIN) less();
  else greater();
  byte(0x1b);
  toBits();
}

/** COMISx and UCOMISx of two values and a flag that only matters for NaNs: CF less, ZF equal. */
function compare(): void {
  byte(0x1a);
  const y = operand();
  const x = operand();
  pushOrdinary(x);
  pushOrdinary(y);
  byte(I32_AND);
  missUnless();
  localGet(x);
  localGet(y);
  less();
  localGet(x);
  localGet(y);
  equals();
  i32const(6);
  byte(I32_SHL);
  byte(I32_OR);
  byte(I64_EXTEND_U);
  localSet(L_FLAG_SRC);
  i32const(0);
  localSet(L_FLAG_OP);
  setKnownFlags(0);
}

/** CVTx2SI, CVTTx2SI: value, and 1 to truncate. Values that do not fit leave. */
function toInteger(operation: u32): void {
  needFast();
  const truncate = temp(I32);
  localSet(truncate);
  const x = operand();
  pushOrdinary(x);
  abs(x);
  if (operation == TO_INTEGER32) {
    if (wide) f64const(2147483647);
    else f32const(2147483520);
  } else if (wide) f64const(9223372036854774784);
  else f32const(9223371487098961920);
  op(0x65, 0x5f);
  byte(I32_AND);
  missUnless();
  localGet(x);
  op(0x9d, 0x8f);
  localGet(x);
  op(0x9e, 0x90);
  localGet(truncate);
  byte(0x1b);
  // The saturating conversions are those of a prefix.
  byte(0xfc);
  byte(operation == TO_INTEGER32 ? (wide ? 2 : 0) : wide ? 6 : 4);
}

/** CVTSD2SS. */
function toSingle(): void {
  needFast();
  const x = operand();
  const r = temp(F32);
  localGet(x);
  byte(0xb6);
  localSet(r);
  // The result is a single.
  wide = false;
  pushSafe(r);
  wide = true;
  localGet(x);
  zero();
  equals();
  byte(I32_OR);
  missUnless();
  localGet(r);
  byte(0xbc);
}

/** CVTSS2SD, which is exact. */
function toDouble(): void {
  const x = operand();
  pushOrdinary(x);
  missUnless();
  localGet(x);
  byte(0xbb);
  byte(0xbd);
}

// ---------------------------------------------------------------- vectors
/** Packed operations of FLOAT_* number 0 to 3 (add sub mul div) on the two v128 on the stack. */
export function inlinePacked(helper: u32, operation: u32): void {
  operationOf(helper);
  needFast();
  const y = temp(V128);
  localSet(y);
  const x = temp(V128);
  localSet(x);
  const r = temp(V128);
  localGet(x);
  localGet(y);
  simd((wide ? 0xf0 : 0xe4) + operation);
  localTee(r);
  vectorAbs();
  splatTiny();
  simd(wide ? 0x4a : 0x44);
  localGet(r);
  vectorAbs();
  splatInfinity();
  simd(wide ? 0x49 : 0x43);
  simd(0x4e);
  exactZeroLanes(operation, x, y, r);
  pushOrdinaryLanes(x);
  simd(0x4e);
  pushOrdinaryLanes(y);
  simd(0x4e);
  simd(wide ? 0xc3 : 0xa3);
  missUnless();
  localGet(r);
}

/** Adds the lanes whose zero is exact to the mask on the stack. */
function exactZeroLanes(operation: u32, x: u32, y: u32, r: u32): void {
  if (operation == DIV) return;
  pushZeroLanes(r);
  if (operation == MUL) {
    pushZeroLanes(x);
    pushZeroLanes(y);
    simd(0x50);
    simd(0x4e);
  }
  simd(0x50);
}

function pushZeroLanes(local: u32): void {
  localGet(local);
  zero();
  simd(wide ? 0x14 : 0x13);
  simd(wide ? 0x47 : 0x41);
}

function vectorAbs(): void {
  simd(wide ? 0xec : 0xe0);
}
function splatTiny(): void {
  tiny();
  simd(wide ? 0x14 : 0x13);
}
function splatInfinity(): void {
  infinity();
  simd(wide ? 0x14 : 0x13);
}

/** Pushes a mask of the lanes that are zero, normal or infinite. */
function pushOrdinaryLanes(local: u32): void {
  localGet(local);
  vectorAbs();
  splatTiny();
  simd(wide ? 0x4c : 0x46);
  pushZeroLanes(local);
  simd(0x50);
}
