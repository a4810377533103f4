// The jump cache: from linear addresses to traces, for the address space and mode in its tags.
import { cpu } from "../cpu";
import { CPU_TRACES } from "../layout";
import { renewGenerations, renewTags, tagsReach } from "../mmu/contexts";
import { executedTooMuch, forgetExecuted, noteExecuted } from "../mmu/executed";
import { MMU_GLOBAL_TAG, MMU_TAG, TAG_GLOBAL } from "../mmu/state";
import { T_DELTA, T_ENTRY, T_REGION_COUNT, T_VALID } from "./record";

/** 32 bytes an entry: u64 linear address, u32 tag, u32 trace; and of the region that the trace was last found to enter, so that
 * what follows a region (translate/ways.ts) is found in one line of the host's cache: u32 slot (0: none), u32 number of the
 * entry, i32 displacement, u32 instructions. Before a slot is given to another region, none names it. */
export const JUMP_CACHE = CPU_TRACES + 0x10000;
export const JUMP_ENTRIES: u32 = 32768;
export const JUMP_SHIFT: u32 = 5;
export const JUMP_CACHE_SIZE: usize = <usize>JUMP_ENTRIES << JUMP_SHIFT;
export const J_TAG: usize = 8;
export const J_TRACE: usize = 12;
export const J_REGION: usize = 16;
export const J_ENTRY: usize = 20;
export const J_DELTA: usize = 24;
export const J_COUNT: usize = 28;
/** Addresses of entries: the low bits of a linear address and those from here on. */
export const JUMP_HASH_SHIFT: u32 = 15;
/** A bit each: hashes of the traces that forgetJumpsToNoted() is asked for. */
const TRACES_NOTED = CPU_TRACES + 0x1000;
const NOTED_BITS: u32 = 32768;

// @ts-ignore: decorator
@inline function entryFor(linear: u64): usize {
  return cpu + JUMP_CACHE + ((((<u32>linear) ^ (<u32>linear >> JUMP_HASH_SHIFT)) & (JUMP_ENTRIES - 1)) << JUMP_SHIFT);
}

/** The trace at a linear address in the current address space and `mode`, or 0: it is not known, or was dropped since. */
// @ts-ignore: decorator
@inline export function knownTrace(linear: u64, mode: u32): usize {
  const entry = entryFor(linear);
  if (load<u64>(entry) != linear) return 0;
  const tag = load<u32>(entry, J_TAG) ^ mode;
  return tag == load<u32>(cpu, MMU_GLOBAL_TAG) || tag == load<u32>(cpu, MMU_TAG) ? <usize>load<u32>(entry, J_TRACE) : 0;
}

/** Whether what knownTrace() knows at a linear address is reached by global pages alone. */
// @ts-ignore: decorator
@inline export function isKnownGlobally(linear: u64): bool {
  return (load<u32>(entryFor(linear), J_TAG) & TAG_GLOBAL) != 0;
}

/** Notes the trace at a linear address in the current address space; `global`: it is reached by global pages alone. */
export function remember(linear: u64, mode: u32, trace: usize, global: bool): void {
  if (!tagsReach() || executedTooMuch()) {
    // Tags from a former round of generations could match by chance; and INVLPG of a page that nobody knows to have been executed
    // leaves the generations as they are, by which far links go (far-links.ts).
    renewGenerations();
    forgetJumps();
    renewTags();
  }
  noteExecuted(linear, global);
  const entry = entryFor(linear);
  store<u64>(entry, linear);
  store<u32>(entry, load<u32>(cpu + (global ? MMU_GLOBAL_TAG : MMU_TAG)) | mode, J_TAG);
  store<u32>(entry, <u32>trace, J_TRACE);
  store<u32>(entry, 0, J_REGION);
}

/** Notes the region in `slot` that a trace enters, which has just been found at a linear address. What follows a region enters it
 * without looking at segments: all of it has to lie in 64-bit code, or in the 4 GiB of a flat segment. */
// @ts-ignore: decorator
@inline export function rememberRegion(linear: u64, trace: usize, slot: u32): void {
  const entry = entryFor(linear);
  if (load<u64>(entry) != linear || <usize>load<u32>(entry, J_TRACE) != trace) return;
  store<u32>(entry, slot, J_REGION);
  store<u32>(entry, load<u32>(trace, T_ENTRY), J_ENTRY);
  store<i32>(entry, load<i32>(trace, T_DELTA), J_DELTA);
  store<u32>(entry, load<u32>(trace, T_REGION_COUNT), J_COUNT);
}

/** Forgets the regions of all entries, whose slots may be given to others. */
export function forgetRegionsOfJumps(): void {
  const end = cpu + JUMP_CACHE + JUMP_CACHE_SIZE;
  for (let entry = cpu + JUMP_CACHE; entry < end; entry += 1 << JUMP_SHIFT) store<u32>(entry, 0, J_REGION);
}

// @ts-ignore: decorator
@inline function notedBit(trace: u32): u32 {
  return (trace >> 6) & (NOTED_BITS - 1);
}

/** Has forgetJumpsToNoted() forget which addresses lead to a trace. */
export function noteTrace(trace: usize): void {
  const bit = notedBit(<u32>trace);
  const at = cpu + (bit >> 3);
  store<u8>(at, load<u8>(at, TRACES_NOTED) | <u8>((<u32>1) << (bit & 7)), TRACES_NOTED);
}

/** Drops what leads to the traces noted, and to a few others, and notes none. */
export function forgetJumpsToNoted(): void {
  const end = cpu + JUMP_CACHE + JUMP_CACHE_SIZE;
  for (let entry = cpu + JUMP_CACHE; entry < end; entry += 1 << JUMP_SHIFT) {
    const bit = notedBit(load<u32>(entry, J_TRACE));
    if (load<u8>(cpu + (bit >> 3), TRACES_NOTED) >> (bit & 7) & 1) memory.fill(entry, 0, 1 << JUMP_SHIFT);
  }
  memory.fill(cpu + TRACES_NOTED, 0, NOTED_BITS >> 3);
}

/** Drops what leads to traces that were dropped. */
export function forgetJumpsToDropped(): void {
  const end = cpu + JUMP_CACHE + JUMP_CACHE_SIZE;
  for (let entry = cpu + JUMP_CACHE; entry < end; entry += 1 << JUMP_SHIFT) {
    if (!load<u32>(<usize>load<u32>(entry, J_TRACE), T_VALID)) memory.fill(entry, 0, 1 << JUMP_SHIFT);
  }
}

/** Empties the jump cache. */
export function forgetJumps(): void {
  memory.fill(cpu + JUMP_CACHE, 0, JUMP_CACHE_SIZE);
  forgetExecuted();
}
