// Places whose span of accesses keeps lying in two pages: there, each access is to be looked up for itself.
import { cpu } from "../cpu";
import { R_OFFSET, R_OP } from "../decode/record";
import { CPU_RETIRED, CPU_SPAN_MARK, CPU_SPAN_MISSED } from "../layout";
import { SLOTS_MAX, STRADDLES, TR_STRADDLES } from "./layout";
import { decide } from "./decisions";
import { L_SLOT } from "./locals";
import { I32_OR, I32_SHL } from "./opcodes";
import { dropRegion } from "./regions";
import { markWanted } from "./slots";
import { byte, i32const, localGet } from "./writer";

/** So many times ... */
const OFTEN: u32 = 1024;
/** ... in this number of instructions are too many: each costs some five hundred of them. */
const WITHIN: u32 = 16 * 1024 * 1024;
const APART: u32 = 0xffffffff;

/** Number of the place of a record in a block at a displacement, which others may share: it follows from the guest's code alone. */
export function placeOf(rec: usize, blockDelta: i32): u32 {
  const offset = <u32>(blockDelta + load<u16>(rec, R_OFFSET)) & 0xfff;
  return <u32>((offset | (<u32>load<u16>(rec, R_OP) << 12)) * 0x9e3779b1) >> 16 & (STRADDLES - 1);
}
// @ts-ignore: decorator
@inline function countAt(place: u32): usize {
  return cpu + TR_STRADDLES + (<usize>place << 3);
}

/** Whether the accesses from a place on are looked up one by one. */
export function isApart(place: u32): bool {
  return decide(load<u32>(countAt(place)) == APART);
}

// What looks up a span says so in one u32: the place, the region's slot, and the bytes of the span, 1 to 256.
const MARK_SLOT: u32 = 10;
const MARK_BYTES: u32 = 24;

/** Pushes it. */
export function pushSpanMark(place: u32, bytes: u32): void {
  localGet(L_SLOT);
  i32const(MARK_SLOT);
  byte(I32_SHL);
  i32const(place | ((bytes - 1) << MARK_BYTES));
  byte(I32_OR);
}

/** Whether a region has just left for a span that lies in two pages, which is noted. */
export function hasStraddled(): bool {
  const mark = load<u32>(cpu, CPU_SPAN_MARK);
  if (!mark) return false;
  store<u32>(cpu, 0, CPU_SPAN_MARK);
  return isStraddle(load<u64>(cpu, CPU_SPAN_MISSED), mark);
}

/** Whether a span at `va` lies in two pages; notes it, and drops the region that looks it up where that happens too often, or
 * has done so before in another region. */
export function isStraddle(va: u64, mark: u32): bool {
  if ((<u32>va & 0xfff) + (mark >> MARK_BYTES) < 0x1000) return false;
  const at = countAt(mark & (STRADDLES - 1));
  const n = load<u32>(at);
  if (n != APART) {
    store<u32>(at, n + 1);
    if ((n + 1) % OFTEN) return true;
    const now = load<u32>(cpu, CPU_RETIRED);
    const often = now - load<u32>(at, 4) < WITHIN;
    store<u32>(at, now, 4);
    if (!often) return true;
    store<u32>(at, APART);
  }
  const slot = (mark >> MARK_SLOT) & (SLOTS_MAX - 1);
  markWanted(slot);
  dropRegion(slot);
  return true;
}

/** The records that places stand for are gone. */
export function forgetStraddles(): void {
  memory.fill(cpu + TR_STRADDLES, 0, STRADDLES << 3);
}
