// The x87 in the locals of a region: taken over where the first instruction needs it, given back at the region's end and
// before whatever looks at the vCPU's state.
//
// C1, the inexact flag and the pointers to the last instruction and operand are locals too, which cost nothing but where
// somebody looks: each instruction sets them, and V8 drops what is overwritten.
import { CPU_FSW } from "../../layout";
import { B_ENTRY, blockAt } from "../blocks";
import { addParameter, beginType, helperFunction, RUNTIME_ATTACH_X87, RUNTIME_DETACH_X87 } from "../imports";
import { TR_X87_WINDOW } from "../layout";
import { missIf } from "../leave";
import { addLocal, L_BASE, L_NEXT } from "../locals";
import { traceDelta } from "../memory-access";
import { I32_AND, I32_LOAD, I32_LT_U, I32_MUL, I32_NE, I32_OR, I32_REM_U, I32_SHR_U, I32_STORE, I32_WRAP, I32_XOR, I64_ADD, I64_EXTEND_S, I64_EXTEND_U, I64_LOAD, I64_NE, I64_OR, I64_SHR_U, I64_STORE, SELECT } from "../opcodes";
import { dispatchCount, dispatched, orderAt, ordered } from "../order";
import { field, loadField } from "../state";
import { byte, call, end, I32, I64, i32const, i64const, ifBlock, localGet, localSet, VOID } from "../writer";
import { runLength, runMask, runValue, scanRun, topOf, usedSlots } from "./plan";
import { describe, RECORD_HELPER, RECORD_INLINE } from "./records";
import { X_TOP } from "./word";

/** i32: the word of word.ts; 0: the vCPU has the x87. */
let word: u32 = 0;
/** i64, as what makes it is: C1. */
let up: u32 = 0;
/** i64: not 0: a result was inexact. */
let inexact: u32 = 0;
/** i64: what noteInstruction() is given: ABOUT_* in the upper half, in the lower one where its trace begins, from L_BASE on. It is
 * one constant, where an address would be computed at each access to memory, which may leave. i64 and i32: the same for noteOperand().
 * An ABOUT_* of 0: nothing is to be noted. */
let last: u32 = 0;
let dp: u32 = 0;
let aboutData: u32 = 0;
let firstSig: u32 = 0;
let firstExp: u32 = 0;

/** Slot of ST(0) where code is being emitted. */
let top: i32 = 0;
/** What the word is still to be XORed with there: TOP and tags go from one value to another that is known, and only where
 * somebody looks does the word have to say so. */
let pending: u32 = 0;
/** Instructions until the state of the stack has to be looked at again. */
let left: i32 = 0;
/** Whether the instruction being emitted is computed in line. */
export let isInline: bool = false;
/** Whether a helper executes it on the vCPU's state. */
let isHelper: bool = false;

/** Declares the locals of a region that planX87() has gone through. */
export function beginX87(): void {
  if (!usedSlots) return;
  word = addLocal(I32);
  aboutData = addLocal(I32);
  up = addLocal(I64);
  inexact = addLocal(I64);
  last = addLocal(I64);
  dp = addLocal(I64);
  const count = <u32>popcnt<u32>(usedSlots);
  firstSig = addLocal(I64);
  for (let i: u32 = 1; i < count; i++) addLocal(I64);
  firstExp = addLocal(I32);
  for (let i: u32 = 1; i < count; i++) addLocal(I32);
}

export function beginX87Block(block: i32): void {
  left = 0;
  pending = 0;
  isInline = false;
  isHelper = false;
  top = usedSlots ? topOf(block) : 0;
}

// ---------------------------------------------------------------- registers
function numberOf(i: i32): u32 {
  return <u32>popcnt<u32>(usedSlots & ((1 << ((top + i) & 7)) - 1));
}
/** i64 local with the significand of ST(i). */
export function sigLocal(i: i32): u32 {
  return firstSig + numberOf(i);
}
/** i32 local with sign and exponent of ST(i), and SPECIAL. */
export function expLocal(i: i32): u32 {
  return firstExp + numberOf(i);
}

function changeWord(bits: u32, opcode: u32): void {
  if (opcode != I32_XOR) settleWord();
  localGet(word);
  i32const(bits);
  byte(opcode);
  localSet(word);
}

/** Brings the word up to date on a way out. */
export function writeWord(): void {
  if (pending) changeWord(pending, I32_XOR);
}
/** The same for all code behind: where a block ends, and where the word is looked at. */
export function settleWord(): void {
  writeWord();
  pending = 0;
}

/** TOP moves; `tag`: ST(0) before or after becomes empty, or is so no more. */
function moveBy(by: i32, tag: u32): void {
  const to = (top + by) & 7;
  pending ^= (<u32>(top ^ to) << X_TOP) | tag;
  top = to;
}
/** Makes room for a value in ST(0), which is known to be empty then. */
export function push(): void {
  moveBy(-1, 1 << ((top - 1) & 7));
}
export function pop(): void {
  moveBy(1, 1 << top);
}
export function turn(by: i32): void {
  moveBy(by, 0);
}
export function fill(i: i32): void {
  changeWord(1 << ((top + i) & 7), I32_OR);
}
export function empty(i: i32): void {
  changeWord(~(1 << ((top + i) & 7)), I32_AND);
}
/** Replaces bits of the word: clears `mask`, and sets what is on the stack. */
export function replaceInWord(mask: u32): void {
  settleWord();
  localGet(word);
  i32const(~mask);
  byte(I32_AND);
  byte(I32_OR);
  localSet(word);
}
/** Slot of ST(0). */
export function topNow(): i32 {
  return top;
}

// ---------------------------------------------------------------- status and pointers
/** C1 is what is on the stack, 0 or 1. */
export function setUp(): void {
  localSet(up);
}
export function clearUp(): void {
  i64const(0);
  localSet(up);
}
/** Results were inexact if the i64 in a local is not 0. */
export function noteInexact(local: u32): void {
  localGet(inexact);
  localGet(local);
  byte(I64_OR);
  localSet(inexact);
}
export function pushUp(): void {
  localGet(up);
  byte(I32_WRAP);
}
/** Pushes 0 or 1. */
export function pushInexact(): void {
  localGet(inexact);
  i64const(0);
  byte(I64_NE);
}

/** What noteInstruction() does. */
export function noteInstruction(bits: u32): void {
  i64const((<i64>bits << 32) | <i64>(<u32>traceDelta));
  localSet(last);
}
/** What noteOperand() does; the address is on the stack. */
export function noteOperand(bits: u32): void {
  localSet(dp);
  i32const(bits);
  localSet(aboutData);
  noteInstruction(bits);
}

// ---------------------------------------------------------------- taking over and giving back
/** Fields of TR_X87_WINDOW to locals, or back. */
function moveSlots(store: bool): void {
  let sig = firstSig;
  let exp = firstExp;
  for (let i: u32 = 0; i < 8; i++) {
    if (!((usedSlots >> i) & 1)) continue;
    const at = TR_X87_WINDOW + (<usize>i << 4);
    i32const(0);
    if (store) localGet(sig);
    field(store ? I64_STORE : I64_LOAD, at);
    if (!store) localSet(sig);
    i32const(0);
    if (store) localGet(exp);
    field(store ? I32_STORE : I32_LOAD, at + 8);
    if (!store) localSet(exp);
    sig++;
    exp++;
  }
}

function nothingNoted(): void {
  i64const(0);
  localSet(last);
  i32const(0);
  localSet(aboutData);
  i64const(0);
  localSet(inexact);
}

/** Takes the registers over; what slot ST(0) is to be is on the stack. */
function attach(): void {
  beginType();
  addParameter(I32);
  call(helperFunction(RUNTIME_ATTACH_X87, I32));
  localSet(word);
  nothingNoted();
  loadField(I32_LOAD, CPU_FSW);
  i32const(9);
  byte(I32_SHR_U);
  i32const(1);
  byte(I32_AND);
  byte(I64_EXTEND_U);
  localSet(up);
  moveSlots(false);
}

/** Takes the registers over where the region is entered. That is no place in a loop, where V8 would have to keep every
 * local that may be loaded anew apart from what it was. */
export function attachAtEntry(): void {
  if (!usedSlots) return;
  pushEntryTop();
  attach();
}

/** Slots of ST(0) that a constant has room for, three bits each. */
const PACKED: u32 = 21;

/** Pushes the slot of ST(0) for the entry in L_NEXT. */
function pushEntryTop(): void {
  if (dispatchCount <= 1) {
    i32const(topOf(orderAt(0)));
    return;
  }
  i64const(packedTops(0));
  for (let from = PACKED; from < <u32>dispatchCount; from += PACKED) {
    i64const(packedTops(from));
    localGet(L_NEXT);
    i32const(from);
    byte(I32_LT_U);
    byte(SELECT);
  }
  localGet(L_NEXT);
  i32const(PACKED);
  byte(I32_REM_U);
  i32const(3);
  byte(I32_MUL);
  byte(I64_EXTEND_U);
  byte(I64_SHR_U);
  byte(I32_WRAP);
  i32const(7);
  byte(I32_AND);
}

/** The slots of ST(0) of the entries from one on. */
function packedTops(from: u32): i64 {
  let tops: i64 = 0;
  for (let position = 0; position < ordered; position++) {
    const index = orderAt(position);
    if (!((dispatched >> index) & 1)) continue;
    const entry = load<u32>(blockAt(index), B_ENTRY);
    if (entry >= from && entry < from + PACKED) tops |= <i64>topOf(index) << ((entry - from) * 3);
  }
  return tops;
}

/** Gives the registers back if the region has them: before whatever else looks at them. */
export function detachX87(): void {
  left = 0;
  if (!usedSlots) return;
  settleWord();
  localGet(word);
  ifBlock(VOID);
  moveSlots(true);
  localGet(word);
  pushUp();
  pushInexact();
  localGet(L_BASE);
  localGet(last);
  byte(I32_WRAP);
  byte(I64_EXTEND_S);
  byte(I64_ADD);
  localGet(last);
  i64const(32);
  byte(I64_SHR_U);
  byte(I32_WRAP);
  localGet(dp);
  localGet(aboutData);
  beginType();
  addParameter(I32);
  addParameter(I32);
  addParameter(I32);
  addParameter(I64);
  addParameter(I32);
  addParameter(I64);
  addParameter(I32);
  call(helperFunction(RUNTIME_DETACH_X87, 0));
  i32const(0);
  localSet(word);
  end();
}

/** Gives them back behind the region's blocks, where its ways out lead. */
export function endX87(): void {
  pending = 0;
  detachX87();
}

/** Takes the registers over again, behind what detachX87() was called for. */
export function attachX87Again(): void {
  if (!usedSlots) return;
  i32const(top);
  attach();
}

/** Behind a record: takes the registers over again if a helper has had them. */
export function afterX87(): void {
  if (isHelper) attachX87Again();
  isHelper = false;
}

/**
 * Before record `rec`, behind which `following` records of its block are: sees to it that the x87 is where it is to be.
 * False: the interpreter has to execute it.
 */
export function prepareX87(rec: usize, following: i32): bool {
  isInline = false;
  if (left > 0) left--;
  if (!usedSlots) return true;
  const kind = describe(rec);
  isHelper = kind == RECORD_HELPER;
  if (isHelper) detachX87();
  if (kind != RECORD_INLINE) return true;
  if (!left) {
    scanRun(rec, following + 1, top);
    if (!runLength) return false;
    left = runLength;
    settleWord();
    localGet(word);
    i32const(runMask);
    byte(I32_AND);
    i32const(runValue);
    byte(I32_NE);
    missIf();
    describe(rec);
  }
  isInline = true;
  return true;
}
