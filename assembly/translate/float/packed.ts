// Packed floating point in line: the same conditions for all lanes at once.
import { temp } from "../locals";
import { localGet, localSet, localTee, simd, V128 } from "../writer";
import { infinity, missUnless, needFast, tiny, zero } from "./checks";
import { DIV, MUL, operationOf, wide } from "./operations";

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
