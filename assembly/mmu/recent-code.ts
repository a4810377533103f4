// Pages that held code a moment ago, of which no translation has a write tag: what is decoded from them again has no tags to
// be looked for in all of the TLB. A page that is written again and again without becoming code gets its tags back.
import { cpu } from "../cpu";
import { MMU_RECENT_CODE, RECENT_CODE } from "./state";

/** Writes that go the slow way before a page counts as one of data. */
const WRITES: u32 = 64;

// u32 host page, 0: none; u32 writes to go.
// @ts-ignore: decorator
@inline function recordFor(page: usize): usize {
  return cpu + MMU_RECENT_CODE + ((<u32>(page >> 12) & (RECENT_CODE - 1)) << 3);
}

/** Whether host page `page` has no write tags because of what it held. */
// @ts-ignore: decorator
@inline export function isRecentCode(page: usize): bool {
  return <usize>load<u32>(recordFor(page)) == page;
}

/** No translation has a write tag for `page`, and none is to get one for a while. */
export function noteRecentCode(page: usize): void {
  store<u32>(recordFor(page), <u32>page);
  store<u32>(recordFor(page), WRITES, 4);
}

/** A write to `page` goes the slow way. True: it is one of data from now on. */
export function countWrite(page: usize): bool {
  const record = recordFor(page);
  if (<usize>load<u32>(record) != page) return true;
  const left = load<u32>(record, 4) - 1;
  store<u32>(record, left, 4);
  if (left) return false;
  store<u32>(record, 0);
  return true;
}
