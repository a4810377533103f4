// Places whose span of accesses keeps lying in two pages: there, each access is to be looked up for itself.
import { cpu } from "../cpu";
import { CPU_RETIRED } from "../layout";
import { STRADDLES, TR_STRADDLES } from "./layout";
import { dropRegion } from "./regions";
import { markWanted } from "./slots";

/** So many times ... */
const OFTEN: u32 = 1024;
/** ... in this number of instructions are too many: each costs some five hundred of them. */
const WITHIN: u32 = 16 * 1024 * 1024;
const APART: u32 = 0xffffffff;

/** Number of the place of a record, which others may share. */
// @ts-ignore: decorator
@inline export function placeOf(rec: usize): u32 {
  return <u32>((<u32>rec >> 3) * 0x9e3779b1) >> 16 & (STRADDLES - 1);
}
// @ts-ignore: decorator
@inline function countAt(place: u32): usize {
  return cpu + TR_STRADDLES + (<usize>place << 3);
}

/** Whether the accesses from a record on are looked up one by one. */
export function isApart(rec: usize): bool {
  return load<u32>(countAt(placeOf(rec))) == APART;
}

/** A span has been found to lie in two pages; drops the region in `slot` where that happens too often. */
export function noteStraddle(place: u32, slot: u32): void {
  const at = countAt(place);
  const n = load<u32>(at);
  if (n == APART) return;
  store<u32>(at, n + 1);
  if ((n + 1) % OFTEN) return;
  const now = load<u32>(cpu, CPU_RETIRED);
  const often = now - load<u32>(at, 4) < WITHIN;
  store<u32>(at, now, 4);
  if (!often) return;
  store<u32>(at, APART);
  markWanted(slot);
  dropRegion(slot);
}

/** The records that places stand for are gone. */
export function forgetStraddles(): void {
  memory.fill(cpu + TR_STRADDLES, 0, STRADDLES << 3);
}
