// Packed floating point in line: the same conditions for all lanes at once.
import { ifUnlikely } from "../hints";
import { temp, vectorLocal } from "../locals";
import { vectorLoad } from "../operands";
import { setVector } from "../state";
import { isXmm, xmmOf } from "../values";
import { end, i32const, i64const, localGet, localSet, simd, V128 } from "../writer";
import { infinity, missUnless, needFast, tiny, zero } from "./checks";
import { DOUBLE_HIGH, DOUBLE_LOW, isOrdinary, noteOrdinary, SINGLES } from "./ordinary";
import { DIV, MUL, operationOf, wide } from "./operations";

/** Packed operation of FLOAT_* number 0 to 3 (add sub mul div) on XMM register `to`, which it changes, and value `from`. */
export function inlinePacked(helper: u32, operation: u32, to: u32, from: u32): void {
  operationOf(helper);
  needFast();
  const x = vectorLocal(to);
  let y: u32;
  const other: i32 = isXmm(from) ? <i32>xmmOf(from) : -1;
  if (other >= 0) y = vectorLocal(other);
  else {
    y = temp(V128);
    vectorLoad(16, from);
    localSet(y);
  }
  const r = temp(V128);
  localGet(x);
  localGet(y);
  simd((wide ? 0xf0 : 0xe4) + operation);
  localSet(r);
  const asksX = !areOrdinary(to);
  const asksY = other != <i32>to && !areOrdinary(other);
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
  localGet(r);
  setVector(to);
  noteLanes(to);
  if (asksY && other >= 0) noteLanes(other);
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
  i32const(wide ? 0x10 : 0x80);
  simd(0x10);
  simd(0x8e);
  if (wide) {
    i64const(0x7fc0 << 48);
    simd(0x12);
  } else {
    i32const(0x7e00 << 16);
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
function needOrdinaryLanes(local: u32): void {
  vectorAbs(local);
  tiny();
  splat();
  simd(wide ? 0x4c : 0x46);
  pushZeroLanes(local);
  simd(0x50);
  simd(wide ? 0xc3 : 0xa3);
  missUnless();
}

/** Leaves unless each lane of the result is normal, or a zero that is exact: of a sum, or of a product with a factor 0. */
function needExactZeros(operation: u32, x: u32, y: u32, r: u32): void {
  vectorAbs(r);
  tiny();
  splat();
  simd(wide ? 0x4a : 0x44);
  vectorAbs(r);
  infinite();
  simd(wide ? 0x49 : 0x43);
  simd(0x4e);
  if (operation != DIV) {
    pushZeroLanes(r);
    if (operation == MUL) {
      pushZeroLanes(x);
      pushZeroLanes(y);
      simd(0x50);
      simd(0x4e);
    }
    simd(0x50);
  }
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
