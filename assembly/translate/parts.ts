// Parts: regions of what other regions do not have. What lies in front of a loop becomes hot later than the loop, or than a function
// behind it, and reaches all that those do: each block on the way would head a region of its own with most of it once more. Where
// most of what a head reaches is in regions already, a part is made of the rest, which goes on in those. A part counts how often it
// is entered; once the way on has cost about what the compilers take for all of it, the whole is made in its place.
import { cpu } from "../cpu";
import { T_REGION, T_VALID } from "../decode/record";
import { VM_JIT_THRESHOLD } from "../layout";
import { B_COUNT, B_TRACE, blockAt, blockCount, instructionCount } from "./blocks";
import { ifUnlikely } from "./hints";
import { TR_SLOTS } from "./layout";
import { L_SLOT, temp } from "./locals";
import { POOL_PART_LEFT, pushPool } from "./pools";
import { I32_EQZ, I32_LOAD, I32_STORE, I32_STORE8, I32_SUB } from "./opcodes";
import { isAlive, SLOT_TAKEN, SLOT_WANTED } from "./slots";
import { HOT } from "./heat";
import { byte, end, I32, i32const, localGet, localTee, memory } from "./writer";

/** All but one of so many instructions are most of them. */
const MOST: u32 = 4;
/** How often a part is entered for each instruction that the whole has more: 20 ns for the way against 50 us for the
 * compilers would be 2,500, but the whole is also the faster code. */
const ENTRIES: u32 = 1000;

/** Heat of a trace that enters a region once that has its module. */
export const AWAITED: u32 = 0x80000000;
/** What is left of that at least, however often it is entered meanwhile. */
const AWAITED_LEAST: u32 = 0x7f000000;

/** Whether a heat says that a trace waits for a module. */
export function isAwaiting(heat: u32): bool {
  return heat >= AWAITED_LEAST && heat <= AWAITED;
}

/** Whether a trace enters a region, or will. */
export function entersRegion(trace: usize): bool {
  const heat = load<u32>(trace, T_VALID);
  return heat == HOT ? isAlive(load<u32>(trace, T_REGION)) : isAwaiting(heat);
}

/** Whether a trace is in a region: those that do not enter one were cooled. */
function isInRegion(trace: usize): bool {
  const heat = load<u32>(trace, T_VALID);
  return entersRegion(trace) || (heat > load<u32>(VM_JIT_THRESHOLD) && heat < AWAITED_LEAST);
}

/** Whether most of the blocks that have been found, all of them traces as yet, are in other regions. */
export function isMostlyInRegions(): bool {
  let there: u32 = 0;
  for (let i = 1; i < blockCount; i++) {
    const b = blockAt(i);
    if (isInRegion(load<u32>(b, B_TRACE))) there += load<u32>(b, B_COUNT);
  }
  return there >= instructionCount - instructionCount / MOST;
}

/** How often a part is entered until the whole is made, which has `more` instructions more. */
export function entriesOfPart(more: u32): u32 {
  return more * ENTRIES;
}

/** Emits what counts the entries of a part: the last of them has the whole made. */
export function countEntries(): void {
  const pool = temp(I32);
  const left = temp(I32);
  pushPool();
  localTee(pool);
  localGet(pool);
  memory(I32_LOAD, 2, POOL_PART_LEFT);
  i32const(1);
  byte(I32_SUB);
  localTee(left);
  memory(I32_STORE, 2, POOL_PART_LEFT);
  localGet(left);
  byte(I32_EQZ);
  ifUnlikely();
  localGet(L_SLOT);
  i32const(SLOT_TAKEN | SLOT_WANTED);
  memory(I32_STORE8, 0, <u32>(cpu + TR_SLOTS));
  end();
}
