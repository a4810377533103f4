// Instructions in a row whose floating point of doubles is asked once: that all of its operands and results are normal, which they are
// in what programs compute mostly. If one is not, each operation is looked at, in code that hardly ever runs: zeros that
// are exact go on. Whatever does not leaves the region before the first of the instructions (undo.ts).
//
// A question of its own would be four instructions of the host for each number; together it is the upper halves of four numbers
// at a time (docs/decisions/0028).
import { cpu } from "../../cpu";
import { RECORD_SIZE } from "../../decode/record";
import { HELPER_addSd, HELPER_divSd, HELPER_mulSd, HELPER_packedF64, HELPER_sqrtSd, HELPER_subSd } from "../../generated/helpers";
import {
  MICRO_ADDRESS, MICRO_ADDRESS_ALIGNED, MICRO_CALL, MICRO_CONST32, MICRO_CONST64, MICRO_EFFECTIVE, MICRO_END, MICRO_FLAGS, MICRO_GET, MICRO_GET_FIXED, MICRO_GUARD, MICRO_IMM,
  MICRO_LOAD, MICRO_OFFSET, MICRO_OP32, MICRO_OP64, MICRO_POINTER, MICRO_PUT, MICRO_PUT_FIXED, MICRO_SELECT128, MICRO_SIMD, MICRO_VLOAD, MICRO_VSTORE,
} from "../../generated/micro-ops";
import { HOW_INLINE, howTo, isShadowing } from "../cases";
import { writtenBy } from "../flow";
import { ifUnlikely } from "../hints";
import { TR_FLOAT_CONSTANTS, TR_GROUP } from "../layout";
import { beginUndoHere, undo } from "../leave";
import { addLocal, freeTemps, temp, vectorLocal } from "../locals";
import { beginAccesses } from "../memory-access";
import { V128_LOAD } from "../opcodes";
import { lastVector, usesFloats } from "../state";
import { after, definesValue, leb, listOf, nextStep, opcodeOf, stepsOf } from "../steps";
import { endUndo, keptVector, undoable, undoScope } from "../undo";
import { block, br, byte, end, i32const, labelOf, localGet, localSet, memory, scopes, simd, V128, VOID } from "../writer";
import { usedSlots } from "../x87/plan";
import { checksLeaveTo, needFastBefore, SAFE64 } from "./checks";
import { needExactZeros, needOrdinaryLanes } from "./packed";
import { setWide } from "./operations";

const POINTER_MEMORY: u32 = 8;
const FLOAT_DIV: u32 = 3;

// An operation of the group: u8 operation, u8 GROUP_* bits, u16 each the v128 locals of its operands and result.
const G_OPERATION: usize = 0;
const G_BITS: usize = 1;
const G_X: usize = 2;
const G_Y: usize = 4;
const G_R: usize = 6;
const G_SIZE: usize = 8;
/** Both lanes count, not the lower one alone. */
const GROUP_PACKED: u32 = 1;
/** Nothing is known of the operands. */
const GROUP_ASKS_X: u32 = 2;
const GROUP_ASKS_Y: u32 = 4;
const OPERATIONS_MAX: u32 = 10;
/** What is asked of a pair of numbers: u16 local. */
const PAIRS: usize = TR_GROUP + <usize>OPERATIONS_MAX * G_SIZE;

let operations: u32 = 0;
/** The result of the last operation is what the instruction writes. */
let pending: bool = false;
let doneScope: u32 = 0;

// @ts-ignore: decorator
@inline function operationAt(index: u32): usize {
  return cpu + TR_GROUP + <usize>index * G_SIZE;
}

/** Loads what groups are asked with, where the region begins. Constants V8 would make anew in each turn of a loop. */
export function loadGroupConstants(): void {
  for (let i: usize = 0; i < 16; i += 4) {
    store<i32>(cpu + i, 0x10_0000, TR_FLOAT_CONSTANTS);
    store<i32>(cpu + i, SAFE64 << 16, TR_FLOAT_CONSTANTS + 16);
  }
  exponents = addLocal(V128);
  upper = addLocal(V128);
  loadVector(TR_FLOAT_CONSTANTS, exponents);
  loadVector(TR_FLOAT_CONSTANTS + 16, upper);
}
/** Locals with one in the exponents, and with what of upper halves tells normal numbers. */
let exponents: u32 = 0;
let upper: u32 = 0;
function loadVector(from: usize, to: u32): void {
  i32const(0);
  byte(0xfd);
  memory(V128_LOAD, 4, <u32>(cpu + from));
  localSet(to);
}

// ---------------------------------------------------------------- what can be in a group
const NOTHING: u32 = 0;
const HARMLESS: u32 = 1;
/** A result takes the place of the first operand's lower lane, or of both lanes. */
export const COMPUTES_SCALAR: u32 = 2;
export const COMPUTES_PACKED: u32 = 3;
const COMPUTES_ROOT: u32 = 4;

/** Whether an instruction computes with doubles, and how; or does nothing that could not be undone, or neither. */
export function kindOf(rec: usize): u32 {
  if (howTo(rec) != HOW_INLINE || isShadowing(rec)) return NOTHING;
  let kind = HARMLESS;
  let value: u32 = 0;
  /** Values that are places of XMM registers, and those that number an operation, a bit each. */
  let places: u64 = 0;
  let numbers: u64 = 0;
  for (let at = stepsOf(listOf(rec)); load<u8>(at) != MICRO_END; at = nextStep(at)) {
    switch (opcodeOf(at)) {
      case MICRO_CONST32:
        if (leb(at + 1) <= FLOAT_DIV) numbers |= (<u64>1) << value;
        break;
      case MICRO_POINTER:
        if (!(load<u8>(at, 1) & POINTER_MEMORY)) places |= (<u64>1) << value;
        break;
      case MICRO_VSTORE:
        if (!((places >> load<u8>(at, 2)) & 1)) return NOTHING;
        break;
      case MICRO_CALL: {
        const helper = leb(at + 1);
        const first = <u32>load<u8>(after, 2);
        if (helper == HELPER_packedF64) {
          if (!((numbers >> first) & 1)) return NOTHING;
        } else if (helper != HELPER_addSd && helper != HELPER_subSd && helper != HELPER_mulSd && helper != HELPER_divSd && helper != HELPER_sqrtSd) return NOTHING;
        kind = helper == HELPER_packedF64 ? COMPUTES_PACKED : helper == HELPER_sqrtSd ? COMPUTES_ROOT : COMPUTES_SCALAR;
        break;
      }
      case MICRO_CONST64:
      case MICRO_IMM:
      case MICRO_GET:
      case MICRO_GET_FIXED:
      case MICRO_PUT:
      case MICRO_PUT_FIXED:
      case MICRO_ADDRESS:
      case MICRO_ADDRESS_ALIGNED:
      case MICRO_EFFECTIVE:
      case MICRO_OFFSET:
      case MICRO_LOAD:
      case MICRO_VLOAD:
      case MICRO_OP32:
      case MICRO_OP64:
      case MICRO_SIMD:
      case MICRO_SELECT128:
      case MICRO_FLAGS:
      case MICRO_GUARD: break;
      default: return NOTHING;
    }
    if (definesValue(at)) value++;
  }
  return kind;
}

// ---------------------------------------------------------------- beginning and ending one
/** In front of any instruction: ends the group if that cannot be in it. */
export function continueGroup(rec: usize): void {
  if (undoable && (operations == OPERATIONS_MAX || kindOf(rec) == NOTHING)) endGroup();
}

/** What the group that begins with a record writes, of those that `left` records at most are in. */
function writtenFrom(rec: usize, left: i32): u32 {
  let written: u32 = 0;
  let computing: u32 = 0;
  for (; left > 0; left--, rec += RECORD_SIZE) {
    const kind = kindOf(rec);
    if (kind == NOTHING || computing == OPERATIONS_MAX) break;
    computing += u32(kind > HARMLESS);
    written |= writtenBy(rec);
  }
  return written;
}

/** In front of an instruction that is expanded, begins a group with it where it computes with doubles; `left`: with it, instructions of
 * its block. */
export function beginGroup(rec: usize, left: i32): void {
  if (undoable || !usesFloats || usedSlots || kindOf(rec) <= HARMLESS) return;
  needFastBefore();
  block(VOID);
  doneScope = scopes;
  beginUndoHere(writtenFrom(rec, left));
  beginAccesses();
  operations = 0;
}

/** Behind an instruction that was expanded: what it has computed, if it has, is in its register. */
export function noteResult(): void {
  if (!pending) return;
  pending = false;
  const r = keptVector();
  localGet(vectorLocal(lastVector));
  localSet(r);
  store<u16>(operationAt(operations - 1), <u16>r, G_R);
}

/** Notes an operation that is being computed; `x`, `y`: v128 locals with the operands, which will not be written any more. */
export function noteOperation(operation: u32, packed: bool, x: u32, y: u32, asksX: bool, asksY: bool): void {
  const g = operationAt(operations++);
  store<u8>(g, <u8>operation, G_OPERATION);
  store<u8>(g, <u8>((packed ? GROUP_PACKED : 0) | (asksX ? GROUP_ASKS_X : 0) | (asksY ? GROUP_ASKS_Y : 0)), G_BITS);
  store<u16>(g, <u16>x, G_X);
  store<u16>(g, <u16>y, G_Y);
  pending = true;
}

/** Ends the group, if there is one. */
export function endGroup(): void {
  if (!undoable) return;
  endUndo();
  freeTemps();
  pushAbnormal();
  ifUnlikely();
  lookAtEach();
  end();
  br(labelOf(doneScope));
  end();
  undo();
  end();
  beginAccesses();
}

// ---------------------------------------------------------------- what is asked
let pairs: u32 = 0;
/** A scalar that waits for another; 0: none. */
let single: u32 = 0;

function pairAt(index: u32): usize {
  return cpu + PAIRS + (<usize>index << 1);
}
function ask(local: u32, packed: bool): void {
  if (packed) store<u16>(pairAt(pairs++), <u16>local);
  else if (!single) single = local;
  else {
    joinLow(single, local);
    single = 0;
  }
}
/** Makes a pair of the lower lanes of two locals. */
function joinLow(a: u32, b: u32): void {
  localGet(a);
  localGet(b);
  shuffle(0x0706050403020100, 0x1716151413121110);
  const pair = temp(V128);
  localSet(pair);
  store<u16>(pairAt(pairs++), <u16>pair);
}
function shuffle(low: u64, high: u64): void {
  simd(0x0d);
  for (let i = 0; i < 8; i++) byte(<u32>(low >> (i << 3)) & 0xff);
  for (let i = 0; i < 8; i++) byte(<u32>(high >> (i << 3)) & 0xff);
}

/** Pushes whether some operand or result may be something else than a normal number. */
function pushAbnormal(): void {
  pairs = 0;
  single = 0;
  for (let i: u32 = 0; i < operations; i++) {
    const g = operationAt(i);
    const bits = <u32>load<u8>(g, G_BITS);
    const packed = (bits & GROUP_PACKED) != 0;
    if (bits & GROUP_ASKS_X) ask(load<u16>(g, G_X), packed);
    if (bits & GROUP_ASKS_Y) ask(load<u16>(g, G_Y), packed);
    ask(load<u16>(g, G_R), packed);
  }
  if (single) joinLow(single, single);
  for (let i: u32 = 0; i < pairs; i += 2) {
    // The upper 32 bits of four numbers, one added to their exponents: nothing is left of those that are not normal.
    localGet(load<u16>(pairAt(i)));
    localGet(load<u16>(pairAt(i + 1 < pairs ? i + 1 : i)));
    shuffle(0x0f0e0d0c07060504, 0x1f1e1d1c17161514);
    localGet(exponents);
    simd(0xae);
    localGet(upper);
    simd(0x4e);
    if (i) simd(0xb7);
  }
  simd(0x0c);
  for (let i = 0; i < 16; i++) byte(0);
  simd(0x37);
  simd(0xa4);
}

/** Looks at each operation as it would be looked at alone. */
function lookAtEach(): void {
  setWide(true);
  checksLeaveTo(undoScope);
  for (let i: u32 = 0; i < operations; i++) {
    freeTemps();
    const g = operationAt(i);
    const bits = <u32>load<u8>(g, G_BITS);
    const packed = (bits & GROUP_PACKED) != 0;
    const x = lanesOf(load<u16>(g, G_X), packed);
    const y = load<u16>(g, G_Y) == load<u16>(g, G_X) ? x : lanesOf(load<u16>(g, G_Y), packed);
    const r = lanesOf(load<u16>(g, G_R), packed);
    if (bits & GROUP_ASKS_X) needOrdinaryLanes(x);
    if (bits & GROUP_ASKS_Y) needOrdinaryLanes(y);
    needExactZeros(load<u8>(g, G_OPERATION), x, y, r);
  }
}
/** Local with what counts of another in both of its lanes: the lower lane twice, or that local itself where both count. */
export function lanesOf(local: u32, packed: bool): u32 {
  if (packed) return local;
  localGet(local);
  localGet(local);
  shuffle(0x0706050403020100, 0x1716151413121110);
  const copy = temp(V128);
  localSet(copy);
  return copy;
}
