// Which pages are written, for -accel jit,verify=on: while it watches, no page may be written past the slow path before
// it was noted here.
import { cpu } from "../cpu";
import { CPU_PAGES_NOTED, TLB_ADDEND, TLB_WRITE, VERIFY_PAGES } from "../layout";
import { entriesToVisit, entryToVisit } from "./contexts";
import { MMU_CONTEXT } from "./state";
import { contextRecord, TLB_NO_TAG } from "./tlb";

let watching: bool = false;
/** Where the next page is noted, in place of the oldest. */
let next: u32 = 0;
/** How many pages were noted. */
let noted: u32 = 0;
/** A bit for each of them by its number, to tell most others at once. */
let filter: u64 = 0;

export function notedPages(): u32 {
  return noted;
}

/** Host address of a page that was noted, or 0. */
export function notedPage(index: u32): usize {
  return load<u32>(cpu + CPU_PAGES_NOTED + (index << 2));
}

// @ts-ignore: decorator
@inline function bitOf(page: usize): u64 {
  return (<u64>1) << (<u64>(page >> 12) & 63);
}

function isNoted(page: usize): bool {
  if (!(filter & bitOf(page))) return false;
  for (let i: u32 = 0; i < <u32>VERIFY_PAGES; i++) if (notedPage(i) == page) return true;
  return false;
}

/** A byte at a host address is about to be written by the slow path. */
export function noteWrite(host: usize): void {
  if (!watching) return;
  const page = host & ~0xfff;
  if (isNoted(page)) return;
  store<u32>(cpu + CPU_PAGES_NOTED + (next << 2), <u32>page);
  next = (next + 1) & (VERIFY_PAGES - 1);
  noted++;
  filter = 0;
  for (let i: u32 = 0; i < <u32>VERIFY_PAGES; i++) if (notedPage(i)) filter |= bitOf(notedPage(i));
}

/** Has writes to all pages but those that are noted go the slow way. */
export function watchWrites(): void {
  watching = true;
  const context = load<u32>(cpu, MMU_CONTEXT);
  const total = entriesToVisit(contextRecord(context));
  for (let i: u32 = 0; i < total; i++) {
    const entry = entryToVisit(context, total, i);
    const page = load<u64>(entry, TLB_WRITE);
    if (page != TLB_NO_TAG && !isNoted(<usize>page + load<u32>(entry, TLB_ADDEND))) store<u64>(entry, TLB_NO_TAG, TLB_WRITE);
  }
}
