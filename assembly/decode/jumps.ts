// The jump cache: from linear addresses to traces, for the address space and mode in its tags.
import { cpu } from "../cpu";
import { CPU_TRACES } from "../layout";
import { contextGeneration } from "../mmu/contexts";
import { forgetExecuted, noteExecuted } from "../mmu/executed";

/** 16 bytes an entry {u64 linear address, u32 tag, u32 trace}. */
export const JUMP_CACHE = CPU_TRACES + 0x10000;
export const JUMP_ENTRIES: u32 = 8192;
export const JUMP_CACHE_SIZE: usize = 0x20000;
/** Mode bits in a tag; the address-space generation stands above them. */
export const TAG_MODE_BITS: u32 = 11;
/** The generations' upper half for which the cache is good. */
export let epoch: u32 = 0;

// @ts-ignore: decorator
@inline function entryFor(linear: u64): usize {
  return cpu + JUMP_CACHE + ((((<u32>linear) ^ (<u32>linear >> 13)) & (JUMP_ENTRIES - 1)) << 4);
}

/** The trace at a linear address in the current address space and `mode`, or 0: it is not known, or was dropped since. */
// @ts-ignore: decorator
@inline export function knownTrace(linear: u64, mode: u32): usize {
  const entry = entryFor(linear);
  if (load<u64>(entry) != linear || load<u32>(entry, 8) != ((contextGeneration << TAG_MODE_BITS) | mode)) return 0;
  return contextGeneration >> (32 - TAG_MODE_BITS) == epoch ? <usize>load<u32>(entry, 12) : 0;
}

/** Notes the trace at a linear address in the current address space. */
export function remember(linear: u64, mode: u32, trace: usize): void {
  const now = contextGeneration >> (32 - TAG_MODE_BITS);
  if (now != epoch) {
    // Tags from a former round of generations could match by chance.
    forgetJumps();
    epoch = now;
  }
  noteExecuted(linear);
  const entry = entryFor(linear);
  store<u64>(entry, linear);
  store<u32>(entry, (contextGeneration << TAG_MODE_BITS) | mode, 8);
  store<u32>(entry, <u32>trace, 12);
}

/** Empties the jump cache. */
export function forgetJumps(): void {
  memory.fill(cpu + JUMP_CACHE, 0, JUMP_CACHE_SIZE);
  forgetExecuted();
}
