// The slots of the function table: which of them hold regions, whether those may be entered, and of which module and
// pages they are.
import { cpu } from "../cpu";
import { SLOTS_MAX, TR_NEXT_SLOT, TR_SLOT_MODULE, TR_SLOT_PAGES, TR_SLOTS } from "./layout";

/** The slots below belong to the core's own function references. */
export const FIRST_SLOT: u32 = 1024;

// Bits of a slot's state; 0: it is free.
/** The region in it may be entered. */
export const SLOT_ALIVE: u32 = 1;
/** It was entered since modules last had to make room. */
export const SLOT_USED: u32 = 2;
/** It has a function, or will get it when the batch becomes a module. */
export const SLOT_TAKEN: u32 = 4;
/** It was compared with the interpreter. */
const SLOT_VERIFIED: u32 = 8;

/** It is to be made anew at once. */
export const SLOT_WANTED: u32 = 16;

/** It lacked what was rare and is not. */
const SLOT_LACKING: u32 = 32;

/** Module of a region that is in none yet. */
export const IN_BATCH: u32 = 0xffff;

// @ts-ignore: decorator
@inline export function stateOf(slot: u32): u32 {
  return load<u8>(cpu + TR_SLOTS + slot);
}

function setState(slot: u32, state: u32): void {
  store<u8>(cpu + TR_SLOTS + slot, <u8>state);
}

/** Whether the region in a slot may be entered. */
// @ts-ignore: decorator
@inline export function isAlive(slot: u32): bool {
  return (stateOf(slot) & SLOT_ALIVE) != 0;
}

/** A slot that is free, or 0 where there is none. */
export function freeSlot(): u32 {
  const from = max(load<u32>(cpu, TR_NEXT_SLOT), FIRST_SLOT);
  for (let slot = from; slot < SLOTS_MAX; slot++) if (!stateOf(slot)) return slot;
  for (let slot = FIRST_SLOT; slot < from; slot++) if (!stateOf(slot)) return slot;
  return 0;
}

/** Puts a region of the batch, whose pages are noted from `pages` on, into a free slot, and into use. */
export function takeSlot(slot: u32, pages: usize): void {
  setState(slot, SLOT_ALIVE | SLOT_USED | SLOT_TAKEN);
  setModule(slot, IN_BATCH);
  setPages(slot, pages);
  store<u32>(cpu, slot + 1, TR_NEXT_SLOT);
}

/** The region in a slot is being entered. */
// @ts-ignore: decorator
@inline export function markUsed(slot: u32): void {
  setState(slot, stateOf(slot) | SLOT_USED);
}

/** The region in a slot was compared. False: it was before. */
export function markVerified(slot: u32): bool {
  if (stateOf(slot) & SLOT_VERIFIED) return false;
  setState(slot, stateOf(slot) | SLOT_VERIFIED);
  return true;
}

/** A region that takes the place of the one in a slot is to be made as soon as it is missed. */
export function markWanted(slot: u32): void {
  setState(slot, stateOf(slot) | SLOT_WANTED);
}
export function isWanted(slot: u32): bool {
  return (stateOf(slot) & SLOT_WANTED) != 0;
}

/** Whether the region in a slot was entered since clearUsed(), or has been made since. */
export function isUsed(slot: u32): bool {
  return (stateOf(slot) & SLOT_USED) != 0;
}

/** What takes the place of the region in a slot is to have what that took for rare. */
export function markLacking(slot: u32): void {
  setState(slot, stateOf(slot) | SLOT_WANTED | SLOT_LACKING);
}
export function isLacking(slot: u32): bool {
  return (stateOf(slot) & SLOT_LACKING) != 0;
}

/** From now on, being entered counts anew. */
export function clearUsed(slot: u32): void {
  setState(slot, stateOf(slot) & ~SLOT_USED);
}

/** Takes the region in a slot out of use: traces that enter it find it dead. */
export function killSlot(slot: u32): void {
  setState(slot, stateOf(slot) & ~SLOT_ALIVE);
}

export function releaseSlot(slot: u32): void {
  setState(slot, 0);
}

/** Number of a region's module among those that are live, the oldest first. */
export function moduleOf(slot: u32): u32 {
  return load<u16>(cpu + TR_SLOT_MODULE + (slot << 1));
}
export function setModule(slot: u32, module: u32): void {
  store<u16>(cpu + TR_SLOT_MODULE + (slot << 1), <u16>module);
}

/** Where the first page of a region is noted (regions.ts). */
export function pagesOf(slot: u32): usize {
  return load<u32>(cpu + TR_SLOT_PAGES + (slot << 2));
}
export function setPages(slot: u32, pages: usize): void {
  store<u32>(cpu + TR_SLOT_PAGES + (slot << 2), <u32>pages);
}
