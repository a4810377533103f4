// Packed floating point in line: the same conditions for all lanes at once.
import { cpu } from "../../cpu";
import { CPU_XMM } from "../../layout";
import { push } from "../compute";
import { ifUnlikely } from "../hints";
import { temp, vectorLocal } from "../locals";
import { V128_LOAD, V128_STORE } from "../opcodes";
import { vectorLoad } from "../operands";
import { setVector } from "../state";
import { keptVector, undoable } from "../undo";
import { isXmm, xmmOf } from "../values";
import { byte, end, i32const, i64const, localGet, localSet, memory, simd, V128 } from "../writer";
import { beginChecks, endChecks, EXPONENT32, EXPONENT64, infinity, missUnless, needFast, SAFE32, SAFE64, tiny, zero } from "./checks";
import { noteOperation } from "./group";
import { DOUBLE_HIGH, DOUBLE_LOW, isOrdinary, noteOrdinary, SINGLES } from "./ordinary";
import { DIV, MUL, operationOf, SQRT, wide } from "./operations";

/** Packed operation of FLOAT_* number 0 to 3 (add sub mul div) on values `first` and `second` of 16 or 32 bytes, each
 * the place of a register or of bytes in memory, the first one and `to` that of a register. */
export function inlinePacked(helper: u32, operation: u32, to: u32, first: u32, second: u32, bytes: u32): void {
  operationOf(helper);
  if (undoable) return computeInGroup(operation, to, first, second);
  beginChecks();
  needFast();
  // Neither half is written before both are known to be exact.
  const upper = bytes == 32 ? computed(operation, upperHalf(first), upperHalf(second), -1, -1) : 0;
  const a = lowRegister(first);
  const b = lowRegister(second);
  const lower = computed(operation, lowerHalf(first), lowerHalf(second), a, b);
  endChecks();
  if (b >= 0) noteLanes(b);
  if (a >= 0) noteLanes(a);
  localGet(lower);
  setVector(xmmOf(to));
  noteLanes(xmmOf(to));
  if (bytes == 16) return;
  i32const(0);
  localGet(upper);
  byte(0xfd);
  memory(V128_STORE, 4, upperAt(to));
}

/** The same for 16 bytes of doubles, asked with the others of a group. */
function computeInGroup(operation: u32, to: u32, first: u32, second: u32): void {
  const a = lowRegister(first);
  const b = lowRegister(second);
  const x = kept(lowerHalf(first));
  const y = first == second ? x : kept(lowerHalf(second));
  noteOperation(operation, true, x, y, !areOrdinary(a), x != y && !areOrdinary(b));
  if (b >= 0) noteLanes(b);
  if (a >= 0) noteLanes(a);
  localGet(x);
  localGet(y);
  simd(0xf0 + operation);
  setVector(xmmOf(to));
  noteLanes(xmmOf(to));
}
function kept(local: u32): u32 {
  const copy = keptVector();
  localGet(local);
  localSet(copy);
  return copy;
}

/** Offset of the upper half of a YMM register in the core's memory. */
function upperAt(value: u32): u32 {
  return <u32>(cpu + CPU_XMM + (<usize>xmmOf(value) << 5) + 16);
}
/** Local with the upper half of what is at a place. */
function upperHalf(value: u32): u32 {
  const local = temp(V128);
  if (isXmm(value)) i32const(0);
  else push(value);
  byte(0xfd);
  if (isXmm(value)) memory(V128_LOAD, 4, upperAt(value));
  else memory(V128_LOAD, 0, 16);
  localSet(local);
  return local;
}
/** Local with the 16 bytes that are at a place. */
function lowerHalf(value: u32): u32 {
  if (isXmm(value)) return vectorLocal(xmmOf(value));
  const local = temp(V128);
  vectorLoad(16, value);
  localSet(local);
  return local;
}
/** Number of the register whose place a value is; -1: it is in memory. */
function lowRegister(value: u32): i32 {
  return isXmm(value) ? <i32>xmmOf(value) : -1;
}

/** Computes one half into a local, or leaves; `a` and `b`: which XMM registers x and y are, -1: none. */
function computed(operation: u32, x: u32, y: u32, a: i32, b: i32): u32 {
  const r = temp(V128);
  localGet(x);
  localGet(y);
  simd((wide ? 0xf0 : 0xe4) + operation);
  localSet(r);
  const asksX = !areOrdinary(a);
  const asksY = x != y && !areOrdinary(b);
  pushExponents(r);
  if (asksX) leastOf(x);
  if (asksY) leastOf(y);
  pushZeros();
  simd(wide ? 0xd6 : 0x37);
  simd(wide ? 0xc4 : 0xa4);
  ifUnlikely();
  if (asksX) needOrdinaryLanes(x);
  if (asksY) needOrdinaryLanes(y);
  needExactZeros(operation, x, y, r);
  end();
  return r;
}

/** Whether all lanes of XMM register `register`, or of none (-1), are known to be zero, normal or infinite. */
function areOrdinary(register: i32): bool {
  if (register < 0) return false;
  if (!wide) return isOrdinary(SINGLES, register);
  return isOrdinary(DOUBLE_LOW, register) && isOrdinary(DOUBLE_HIGH, register);
}

function noteLanes(register: u32): void {
  if (wide) {
    noteOrdinary(DOUBLE_LOW, register);
    noteOrdinary(DOUBLE_HIGH, register);
  } else noteOrdinary(SINGLES, register);
}

/** Pushes, for each lane of a v128 local, what is 0 unless the number is normal and safely so (checks.ts). */
function pushExponents(local: u32): void {
  localGet(local);
  i32const(wide ? EXPONENT64 : EXPONENT32);
  simd(0x10);
  simd(0x8e);
  if (wide) {
    i64const(<i64>SAFE64 << 48);
    simd(0x12);
  } else {
    i32const(SAFE32 << 16);
    simd(0x11);
  }
  simd(0x4e);
}
/** Makes of such lanes on the stack the least of them and those of a v128 local. */
function leastOf(local: u32): void {
  pushExponents(local);
  simd(0x97);
}

/** Leaves unless all lanes of a v128 local are zero, normal or infinite. */
export function needOrdinaryLanes(local: u32): void {
  vectorAbs(local);
  tiny();
  splat();
  simd(wide ? 0x4c : 0x46);
  pushZeroLanes(local);
  simd(0x50);
  simd(wide ? 0xc3 : 0xa3);
  missUnless();
}

/** Leaves unless each lane of the result is normal, or a zero that is exact: of a sum, a product with a factor 0, a quotient or a root of 0. */
export function needExactZeros(operation: u32, x: u32, y: u32, r: u32): void {
  vectorAbs(r);
  tiny();
  splat();
  simd(wide ? 0x4a : 0x44);
  vectorAbs(r);
  infinite();
  simd(wide ? 0x49 : 0x43);
  simd(0x4e);
  pushZeroLanes(r);
  if (operation == MUL || operation == DIV || operation == SQRT) {
    pushZeroLanes(x);
    if (operation == MUL) {
      pushZeroLanes(y);
      simd(0x50);
    }
    simd(0x4e);
  }
  simd(0x50);
  simd(wide ? 0xc3 : 0xa3);
  missUnless();
}

function pushZeroLanes(local: u32): void {
  localGet(local);
  pushZeros();
  simd(wide ? 0x47 : 0x41);
}

function pushZeros(): void {
  zero();
  splat();
}
function vectorAbs(local: u32): void {
  localGet(local);
  simd(wide ? 0xec : 0xe0);
}
function infinite(): void {
  infinity();
  splat();
}
function splat(): void {
  simd(wide ? 0x14 : 0x13);
}
