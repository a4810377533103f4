// Where TOP is in a region's blocks, and what the x87 instructions that follow each other in one need of the stack: so
// that it is looked at once.
import { cpu } from "../../cpu";
import { RECORD_SIZE } from "../../decode/record";
import { HOW_INLINE, HOW_LEAVE, howTo } from "../cases";
import { B_COUNT, B_SUCCESSORS, blockAt, blockCount, firstRecord } from "../blocks";
import { TR_X87_TOPS } from "../layout";
import { orderAt, ordered } from "../order";
import {
  beginRecords, describe, emptied, filled, needed, operation, pops, pushes, RECORD_HELPER, RECORD_INLINE, RECORD_OTHER, roundingBits, rounds, turned,
} from "./records";
import { X_ATTACHED, X_ROUNDS_53, X_ROUNDS_64, X_TOP } from "./word";
import { HELPER_fldcw } from "../../generated/helpers";

const UNKNOWN: u32 = 0xff;

/** Slots that the region reads or writes, a bit each; 0: it has no x87 instruction in line. */
export let usedSlots: u32 = 0;

/** Slot of ST(0) at the beginning of a block. */
export function topOf(block: i32): i32 {
  return load<u8>(cpu + TR_X87_TOPS + block);
}

/** Finds usedSlots, and a top for each block: that of the block before it. */
export function planX87(): void {
  usedSlots = 0;
  beginRecords();
  if (!roundingBits) return;
  memory.fill(cpu + TR_X87_TOPS, <u8>UNKNOWN, blockCount);
  let done: u64 = 0;
  for (let start = 0; start < ordered; start++) {
    hand(orderAt(start), 0);
    // Where a call returns to is known from the return, which may lie anywhere.
    let changed = true;
    while (changed) {
      changed = false;
      for (let position = 0; position < ordered; position++) {
        const index = orderAt(position);
        if ((done >> index) & 1 || load<u8>(cpu + TR_X87_TOPS + index) == UNKNOWN) continue;
        done |= (<u64>1) << index;
        changed = true;
        const b = blockAt(index);
        const top = goThrough(b, topOf(index));
        for (let todo = load<u64>(b, B_SUCCESSORS); todo; todo &= todo - 1) hand(<i32>ctz<u64>(todo), top);
      }
    }
  }
}

function hand(block: i32, top: i32): void {
  if (load<u8>(cpu + TR_X87_TOPS + block) != UNKNOWN) return;
  store<u8>(cpu + TR_X87_TOPS + block, <u8>top);
}

/** The top at the end of a block. */
function goThrough(b: usize, top: i32): i32 {
  let rec = firstRecord(b);
  for (let n = load<u32>(b, B_COUNT); n > 0; n--, rec += RECORD_SIZE) {
    const how = howTo(rec);
    if (how == HOW_LEAVE) break;
    if (how != HOW_INLINE || describe(rec) != RECORD_INLINE) continue;
    usedSlots |= slots(needed | filled, top);
    if (pushes) usedSlots |= slots(1, top - 1);
    top = topAfter(top);
  }
  return top;
}

/** Slots of the registers in a set, given by their distance from ST(0). */
export function slots(registers: u32, top: i32): u32 {
  return ((registers * 0x101) << (top & 7) >> 8) & 0xff;
}

/** Where TOP is after the instruction last described. */
export function topAfter(top: i32): i32 {
  return (top + turned + pops - <i32>pushes) & 7;
}

// ---------------------------------------------------------------- runs
/** What scanRun() found: instructions, of whatever kind, up to the end of the run; and the bits of the word that they
 * need, with their values. */
export let runLength: i32 = 0;
export let runMask: u32 = 0;
export let runValue: u32 = 0;

/** Goes through `count` records from `rec` on as far as the x87 instructions among them can be executed with the state
 * looked at before the first. */
export function scanRun(rec: usize, count: i32, top: i32): void {
  const rounding = roundingBits == 53 ? X_ROUNDS_53 : X_ROUNDS_64;
  let known: u32 = 0;
  let full: u32 = 0;
  runMask = ((<u32>7) << X_TOP) | X_ATTACHED;
  runValue = (<u32>top << X_TOP) | X_ATTACHED;
  for (runLength = 0; runLength < count; runLength++, rec += RECORD_SIZE) {
    if (howTo(rec) != HOW_INLINE) return;
    const kind = describe(rec);
    if (kind == RECORD_HELPER) return;
    if (kind == RECORD_OTHER) continue;
    const need = slots(needed, top);
    const room = pushes ? slots(1, top - 1) : 0;
    // A stack fault is the interpreter's.
    if (need & known & ~full || room & known & full || need & room) return;
    runMask |= (need | room) & ~known;
    runValue |= need & ~known;
    if (rounds) {
      runMask |= rounding;
      runValue |= rounding;
    }
    known |= need | room;
    full |= need | room;
    const fill = slots(filled, top);
    known |= fill;
    full |= fill;
    if (emptied >= 0) {
      known |= slots(1 << emptied, top);
      full &= ~slots(1 << emptied, top);
    }
    for (let i = 0; i < pops; i++) full &= ~slots(1 << i, top);
    top = topAfter(top);
    // What follows may round otherwise.
    if (operation == HELPER_fldcw) {
      runLength++;
      return;
    }
  }
}
