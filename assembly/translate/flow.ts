// What holds over the whole region: which registers it uses, which flags somebody may still look at, and where the last
// flag operation is known.
import { cpu } from "../cpu";
import { R_BASE, R_INDEX, RECORD_SIZE } from "../decode/record";
import {
  MICRO_ADDRESS, MICRO_ADDRESS_ALIGNED, MICRO_ADDRESS_PLUS, MICRO_CALL, MICRO_EFFECTIVE, MICRO_END, MICRO_FLAGS, MICRO_GET, MICRO_GET_FIXED, MICRO_POINTER,
  MICRO_PUT, MICRO_PUT_FIXED, MICRO_SET_FLAGS, MICRO_VSTORE, MICRO_WHEN,
} from "../generated/micro-ops";
import { HELPER_fcomiSt, HELPER_KIND, HELPER_REGISTERS, HELPER_setCarryOverflow, HELPER_TOUCHES_FLAGS } from "../generated/helpers";
import { HOW_CALL, HOW_INLINE, howTo, KIND_ALWAYS, KIND_CONDITIONAL, KIND_NEXT, mayLeave } from "./cases";
import { B_COUNT, B_DIRTY_GEN, B_DIRTY_IN, B_DIRTY_KEEP, B_FALL, B_KIND, B_KNOWN_IN, B_KNOWN_OUT, B_LIVE_IN, B_POSITION, B_SUCCESSORS, B_TAKEN, blockAt, firstRecord } from "./blocks";
import { isInlineFloat, isPackedFloat } from "./float/operations";
import { defineConstant } from "./fold";
import { TR_LIVE } from "./layout";
import { dispatched, isLoopAt, orderAt, ordered } from "./order";
import { FLAGS_CARRIED, FLAGS_DYNAMIC, useFloats, useRegisters, VECTORS } from "./state";
import { after, ALL_FLAGS, definesValue, flagsRead, flagsWritten, leb, listOf, nextStep, opcodeOf, slotOf, stepsOf } from "./steps";
import { comparesString } from "./strings";
import { beginValues, constOf, defineConst, defineStep, defineXmm, isConst, isXmm, xmmOf } from "./values";
import { I32 } from "./writer";
import { roundingBits } from "./x87/records";

/** Offsets of general registers in the vCPU are below this. */
const REGISTERS_END: u32 = 128;
const POINTER_MEMORY: u32 = 8;
const KIND_INC: u32 = 6;
const KIND_DEC: u32 = 7;
/** CF, and CF with OF, as lists number the flags. */
const CARRY: u32 = 1;
const CARRY_OVERFLOW: u32 = 33;

/** The flags of the block are what they were on entry. */
const UNCHANGED: i32 = -3;
/** Nothing is known yet. */
const UNVISITED: i32 = -4;
/** The flags of the block are what they were on entry but for CF and OF. */
const CARRIED: i32 = -5;

// ---------------------------------------------------------------- registers
let floats: bool = false;
/** Whether the region has the interpreter's cases execute instructions of it. */
export let callsCases: bool = false;
let general: u32 = 0;
let generalWritten: u32 = 0;
let xmm: u32 = 0;
let xmmWritten: u32 = 0;

function registerBit(at: u32): u32 {
  return at < REGISTERS_END ? 1 << (at >> 3) : 0;
}

/** Finds the registers that the region reads and writes in line. */
export function collectRegisters(): void {
  floats = false;
  callsCases = false;
  general = 0;
  xmm = 0;
  for (let i = 0; i < ordered; i++) {
    const b = blockAt(orderAt(i));
    let rec = firstRecord(b);
    let gen: u32 = 0;
    let keep: u32 = 0xffffffff;
    for (let n = load<u32>(b, B_COUNT); n > 0; n--, rec += RECORD_SIZE) {
      generalWritten = 0;
      xmmWritten = 0;
      let stored: u32 = 0xffffffff;
      const how = howTo(rec);
      if (how == HOW_INLINE) {
        collect(rec);
        stored = storesGeneral(rec) ? 0xffff : 0;
      } else if (how == HOW_CALL) callsCases = true;
      const writes = generalWritten | (xmmWritten << VECTORS);
      general |= generalWritten;
      xmm |= xmmWritten;
      keep &= ~stored;
      gen = (gen & ~stored) | writes;
    }
    store<u32>(b, gen, B_DIRTY_GEN);
    store<u32>(b, keep, B_DIRTY_KEEP);
  }
  findDirty();
  useFloats(floats);
  useRegisters(general, xmm);
}

/** The registers that an instruction writes in line: general ones from bit 0, XMM from bit VECTORS. */
export function writtenBy(rec: usize): u32 {
  generalWritten = 0;
  xmmWritten = 0;
  collect(rec);
  return generalWritten | (xmmWritten << VECTORS);
}

/** Whether the vCPU gets the general registers before an instruction: it may leave the region, and stores in front of it
 * cost less than the ways out that would store them otherwise. */
export function storesGeneral(rec: usize): bool {
  return mayLeave(rec, listOf(rec));
}

/** What a block leaves dirty. */
function dirtyOut(b: usize): u32 {
  return load<u32>(b, B_DIRTY_GEN) | (load<u32>(b, B_DIRTY_IN) & load<u32>(b, B_DIRTY_KEEP));
}

/** What may be dirty in front of the loop whose header is at `position`. */
export function dirtyBeforeLoop(position: i32): u32 {
  const header = (<u64>1) << orderAt(position);
  let met: u32 = 0;
  for (let i = 0; i < position; i++) {
    const b = blockAt(orderAt(i));
    if (load<u64>(b, B_SUCCESSORS) & header) met |= dirtyOut(b);
  }
  return met;
}

/** Finds what may be dirty where each block begins. The dispatcher's edges store everything, and loops are entered clean. */
function findDirty(): void {
  for (let i = 0; i < ordered; i++) store<u32>(blockAt(orderAt(i)), 0, B_DIRTY_IN);
  let changed = true;
  while (changed) {
    changed = false;
    for (let i = 0; i < ordered; i++) {
      const b = blockAt(orderAt(i));
      const out = dirtyOut(b);
      for (let todo = load<u64>(b, B_SUCCESSORS); todo; todo &= todo - 1) {
        const to = blockAt(<i32>ctz<u64>(todo));
        if (load<i32>(to, B_POSITION) > i && isLoopAt(load<i32>(to, B_POSITION))) continue;
        const met = load<u32>(to, B_DIRTY_IN) | out;
        if (met == load<u32>(to, B_DIRTY_IN)) continue;
        store<u32>(to, met, B_DIRTY_IN);
        changed = true;
      }
    }
  }
}

function collect(rec: usize): void {
  beginValues();
  for (let s = stepsOf(listOf(rec)); load<u8>(s) != MICRO_END; s = nextStep(s)) {
    const a = <u32>load<u8>(s, 1);
    let isRegister = false;
    switch (opcodeOf(s)) {
      case MICRO_GET: general |= registerBit(slotOf(rec, a >> 2)); break;
      case MICRO_PUT: generalWritten |= registerBit(slotOf(rec, a >> 2)); break;
      case MICRO_GET_FIXED: general |= 1 << (a & 15); break;
      case MICRO_PUT_FIXED: generalWritten |= 1 << (a & 15); break;
      case MICRO_ADDRESS:
      case MICRO_ADDRESS_ALIGNED:
      case MICRO_ADDRESS_PLUS:
      case MICRO_EFFECTIVE: general |= registerBit(load<u8>(rec, R_BASE)) | registerBit(load<u8>(rec, R_INDEX)); break;
      case MICRO_POINTER:
        if (a & POINTER_MEMORY) general |= registerBit(load<u8>(rec, R_BASE)) | registerBit(load<u8>(rec, R_INDEX));
        else {
          isRegister = true;
          defineXmm(slotOf(rec, a & 3));
          xmm |= 1 << slotOf(rec, a & 3);
        }
        break;
      case MICRO_VSTORE:
        if (isXmm(load<u8>(s, 2))) xmmWritten |= 1 << xmmOf(load<u8>(s, 2));
        break;
      case MICRO_CALL: collectCall(s); break;
    }
    if (!isRegister && definesValue(s)) defineConst(0, I32);
  }
}

/** A helper may write what it is given the place of. */
function collectCall(s: usize): void {
  const helper = leb(s + 1);
  if (isInlineFloat(helper) || isPackedFloat(helper)) floats = true;
  const registers = load<u32>(HELPER_REGISTERS + (leb(s + 1) << 2));
  general |= registers & 0xffff;
  generalWritten |= registers >> 16;
  const count = <u32>load<u8>(after, 1);
  const values = after + 2;
  for (let i: u32 = 0; i < count; i++) if (isXmm(load<u8>(values + i))) xmmWritten |= 1 << xmmOf(load<u8>(values + i));
}

// ---------------------------------------------------------------- flags that are looked at
/** Marks, for each block, the flags that may be looked at where it begins. */
export function findLiveFlags(): void {
  for (let i = 0; i < ordered; i++) store<u32>(blockAt(orderAt(i)), 0, B_LIVE_IN);
  let changed = true;
  while (changed) {
    changed = false;
    for (let i = ordered - 1; i >= 0; i--) {
      const b = blockAt(orderAt(i));
      const live = liveInBlock(b, false);
      if (live == load<u32>(b, B_LIVE_IN)) continue;
      store<u32>(b, live, B_LIVE_IN);
      changed = true;
    }
  }
}

/** Flags live at the end of a block: all where the region may be left. */
function liveOut(b: usize): u32 {
  const kind = load<u32>(b, B_KIND);
  const taken = load<i32>(b, B_TAKEN);
  const fall = load<i32>(b, B_FALL);
  if (kind == KIND_CONDITIONAL) return liveAt(b, taken) | liveAt(b, fall);
  if (kind == KIND_ALWAYS) return liveAt(b, taken);
  if (kind == KIND_NEXT) return liveAt(b, fall);
  return ALL_FLAGS;
}

function liveAt(from: usize, block: i32): u32 {
  // Edges to what the dispatcher goes to, and those back, may find no fuel.
  if (block < 0 || (dispatched >> block) & 1) return ALL_FLAGS;
  if (load<i32>(blockAt(block), B_POSITION) <= load<i32>(from, B_POSITION)) return ALL_FLAGS;
  return load<u32>(blockAt(block), B_LIVE_IN);
}

/** Goes through a block backwards; `keep`: notes what is live after each instruction for liveAfter(). */
export function liveInBlock(b: usize, keep: bool): u32 {
  let live = liveOut(b);
  const first = firstRecord(b);
  for (let n = load<i32>(b, B_COUNT) - 1; n >= 0; n--) {
    const rec = first + <usize>n * RECORD_SIZE;
    if (keep) store<u8>(cpu + TR_LIVE + n, <u8>live);
    if (howTo(rec) != HOW_INLINE) live = ALL_FLAGS;
    else {
      const list = listOf(rec);
      live = (live & ~(flagsWritten(list) | flagsWrittenSurely(rec, list))) | (flagsRead(list) & ALL_FLAGS);
      // An instruction that is not executed here after all leaves with the flags as they are.
      if (mayLeave(rec, list)) live = ALL_FLAGS;
    }
  }
  return live;
}

/** Flags that are written by a conditional body which is always executed: that of a shift or rotate by an immediate. */
function flagsWrittenSurely(rec: usize, list: usize): u32 {
  if (!hasBody(list)) return 0;
  let written: u32 = 0;
  let conditional: usize = 0;
  beginValues();
  for (let s = stepsOf(list); load<u8>(s) != MICRO_END; s = nextStep(s)) {
    if (definesValue(s) && !defineConstant(s, rec)) defineStep(s, I32);
    if (opcodeOf(s) == MICRO_WHEN) {
      const length = leb(s + 2);
      if (!isSure(s) && after + length > conditional) conditional = after + length;
    } else if (s < conditional) continue;
    else if (opcodeOf(s) == MICRO_FLAGS) written |= keepsCarry(load<u8>(s, 1) >> 2) ? ALL_FLAGS & ~CARRY : ALL_FLAGS;
    else if (opcodeOf(s) == MICRO_CALL && leb(s + 1) == HELPER_setCarryOverflow) written |= CARRY_OVERFLOW;
  }
  return written;
}

function hasBody(list: usize): bool {
  for (let s = stepsOf(list); load<u8>(s) != MICRO_END; s = nextStep(s)) if (opcodeOf(s) == MICRO_WHEN) return true;
  return false;
}

/** Whether the condition of the MICRO_WHEN at `at` is known to hold. */
function isSure(at: usize): bool {
  const condition = <u32>load<u8>(at, 1);
  return isConst(condition) && constOf(condition) != 0;
}

function keepsCarry(kind: u32): bool {
  return kind == KIND_INC || kind == KIND_DEC;
}

/** Whether the flags that instruction `n` of the block last gone through leaves may be looked at. */
export function liveAfter(n: u32): bool {
  return load<u8>(cpu + TR_LIVE + n) != 0;
}

// ---------------------------------------------------------------- flags that are known
/** Finds the blocks at whose beginning the last flag operation is the same on all ways. */
export function findKnownFlags(): void {
  for (let i = 0; i < ordered; i++) {
    const index = orderAt(i);
    const b = blockAt(index);
    store<i32>(b, (dispatched >> index) & 1 ? FLAGS_DYNAMIC : UNVISITED, B_KNOWN_IN);
    store<i32>(b, lastFlags(b), B_KNOWN_OUT);
  }
  let changed = true;
  while (changed) {
    changed = false;
    for (let i = 0; i < ordered; i++) {
      const b = blockAt(orderAt(i));
      const out = knownOut(load<i32>(b, B_KNOWN_IN), load<i32>(b, B_KNOWN_OUT));
      if (out == UNVISITED) continue;
      for (let todo = load<u64>(b, B_SUCCESSORS); todo; todo &= todo - 1) {
        const to = blockAt(<i32>ctz<u64>(todo));
        const known = load<i32>(to, B_KNOWN_IN);
        const met = known == UNVISITED || known == out ? out : FLAGS_DYNAMIC;
        if (met == known) continue;
        store<i32>(to, met, B_KNOWN_IN);
        changed = true;
      }
    }
  }
}

/** What a block leaves, by what it begins with and what it does itself. */
function knownOut(known: i32, own: i32): i32 {
  if (own == UNCHANGED) return known;
  return own == CARRIED ? carriedAfter(known) : own;
}

/** What CF and OF alone being changed makes of flags. */
function carriedAfter(known: i32): i32 {
  if (known == UNCHANGED) return CARRIED;
  return known > 0 ? known | FLAGS_CARRIED : known;
}

/** Whether code in place of a helper leaves the flags in RFLAGS layout. */
function setsFlagsInLine(helper: u32): bool {
  return isInlineFloat(helper) || (helper == HELPER_fcomiSt && roundingBits != 0);
}

/** What a block leaves: CC_OP, FLAGS_DYNAMIC, UNCHANGED or CARRIED. */
function lastFlags(b: usize): i32 {
  let known: i32 = UNCHANGED;
  let rec = firstRecord(b);
  liveInBlock(b, true);
  const count = load<u32>(b, B_COUNT);
  for (let n: u32 = 0; n < count; n++, rec += RECORD_SIZE) {
    if (howTo(rec) != HOW_INLINE) {
      known = FLAGS_DYNAMIC;
      continue;
    }
    let conditional: usize = 0;
    beginValues();
    for (let s = stepsOf(listOf(rec)); load<u8>(s) != MICRO_END; s = nextStep(s)) {
      if (definesValue(s) && !defineConstant(s, rec)) defineStep(s, I32);
      let op: i32 = UNCHANGED;
      switch (opcodeOf(s)) {
        case MICRO_FLAGS: if (liveAfter(n)) op = load<u8>(s, 1); break;
        case MICRO_SET_FLAGS: if (liveAfter(n)) op = 0; break;
        case MICRO_CALL:
          if (comparesString(leb(s + 1))) op = FLAGS_DYNAMIC;
          else if (leb(s + 1) == HELPER_setCarryOverflow) op = liveAfter(n) ? carriedAfter(known) : UNCHANGED;
          else if (load<u8>(HELPER_KIND + leb(s + 1)) & HELPER_TOUCHES_FLAGS) op = setsFlagsInLine(leb(s + 1)) ? 0 : FLAGS_DYNAMIC;
          break;
        case MICRO_WHEN: {
          const length = leb(s + 2);
          if (!isSure(s) && after + length > conditional) conditional = after + length;
          break;
        }
      }
      if (op != UNCHANGED) known = s < conditional ? FLAGS_DYNAMIC : op;
    }
  }
  return known;
}
