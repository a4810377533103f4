// Packed floating point in line: the same conditions for all lanes at once.
import { ifUnlikely } from "../hints";
import { temp, vectorLocal } from "../locals";
import { vectorLoad } from "../operands";
import { I32_EQZ } from "../opcodes";
import { setVector } from "../state";
import { isXmm, xmmOf } from "../values";
import { byte, end, i32const, localGet, localSet, simd, V128 } from "../writer";
import { infinity, missUnless, needFast, notNormal, notSafe, pushUpperOfLane, tiny, zero } from "./checks";
import { DOUBLE_HIGH, DOUBLE_LOW, isOrdinary, noteOrdinary, SINGLES } from "./ordinary";
import { DIV, MUL, operationOf, wide } from "./operations";

/** Packed operation of FLOAT_* number 0 to 3 (add sub mul div) on XMM register `to`, which it changes, and value `from`. */
export function inlinePacked(helper: u32, operation: u32, to: u32, from: u32): void {
  operationOf(helper);
  needFast();
  const x = vectorLocal(to);
  needOrdinaryLanes(to, x);
  let y: u32;
  if (isXmm(from)) {
    y = vectorLocal(xmmOf(from));
    needOrdinaryLanes(<i32>xmmOf(from), y);
  } else {
    y = temp(V128);
    vectorLoad(16, from);
    localSet(y);
    needOrdinaryLanes(-1, y);
  }
  const r = temp(V128);
  localGet(x);
  localGet(y);
  simd((wide ? 0xf0 : 0xe4) + operation);
  localSet(r);
  if (wide) {
    for (let lane: u32 = 0; lane < 2; lane++) {
      pushUpperOfLane(r, lane);
      notSafe();
      ifUnlikely();
      needExactZeros(operation, x, y, r);
      end();
    }
  } else {
    pushSingles(r, 0x7e00);
    ifUnlikely();
    needExactZeros(operation, x, y, r);
    end();
  }
  localGet(r);
  setVector(to);
  noteLanes(to);
}

function noteLanes(register: u32): void {
  if (wide) {
    noteOrdinary(DOUBLE_LOW, register);
    noteOrdinary(DOUBLE_HIGH, register);
  } else noteOrdinary(SINGLES, register);
}

/** Leaves unless all lanes of a v128 local, which is that of XMM register `register` or of none (-1), are zero, normal or infinite. */
function needOrdinaryLanes(register: i32, local: u32): void {
  if (wide) {
    for (let lane: u32 = 0; lane < 2; lane++) {
      if (register >= 0 && isOrdinary(lane ? DOUBLE_HIGH : DOUBLE_LOW, register)) continue;
      pushUpperOfLane(local, lane);
      notNormal();
      leaveUnlessOrdinary(local);
    }
  } else if (register < 0 || !isOrdinary(SINGLES, register)) {
    pushSingles(local, 0x7f00);
    leaveUnlessOrdinary(local);
  }
  if (register >= 0) noteLanes(register);
}

/** Takes whether some lane is not normal off the stack: then it has to be zero or infinite. */
function leaveUnlessOrdinary(local: u32): void {
  ifUnlikely();
  vectorAbs(local);
  tiny();
  splat();
  simd(wide ? 0x4c : 0x46);
  pushZeroLanes(local);
  simd(0x50);
  simd(wide ? 0xc3 : 0xa3);
  missUnless();
  end();
}

/** Pushes whether some of the four singles is not normal; `mask`: of upper 16 bits, as for one (checks.ts). */
function pushSingles(local: u32, mask: i32): void {
  localGet(local);
  i32const(0x800000);
  simd(0x11);
  simd(0xae);
  i32const(mask << 16);
  simd(0x11);
  simd(0x4e);
  simd(0xa3);
  byte(I32_EQZ);
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
  zero();
  splat();
  simd(wide ? 0x47 : 0x41);
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
