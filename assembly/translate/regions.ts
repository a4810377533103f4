// The regions that exist: what pages and lines of code they were made from, so that a write to them drops them.
import { count, cpu } from "../cpu";
import { STAT_REGIONS_DROPPED } from "../layout";
import { REGION_HEADS, REGION_PAGE, REGION_PAGES_MAX, TR_REGION_HEADS, TR_REGION_PAGES, TR_REGION_PAGES_USED } from "./layout";
import { isAlive, killSlot, setPages } from "./slots";

// A page of a region: u32 next in the chain (0: last), u32 host address, u32 lines, u32 the region's slot,
// i32 displacement from its base. The pages of a region lie one after the other.
const RP_NEXT: usize = 0;
export const RP_HOST: usize = 4;
const RP_LINES: usize = 8;
export const RP_SLOT: usize = 12;
export const RP_DELTA: usize = 16;

let drops: u32 = 0;
/** How often a region was dropped: whoever runs one looks whether it may have been his. */
export function dropCount(): u32 {
  return drops;
}

// @ts-ignore: decorator
@inline function headOf(host: usize): usize {
  return cpu + TR_REGION_HEADS + (((host >> 12) & (REGION_HEADS - 1)) << 2);
}

/** Forgets the pages of all regions. */
export function forgetRegions(): void {
  memory.fill(cpu + TR_REGION_HEADS, 0, REGION_HEADS * 4);
  store<u32>(cpu, 0, TR_REGION_PAGES_USED);
  drops++;
}

/** True: no further region can be noted. */
export function regionsFull(): bool {
  return load<u32>(cpu, TR_REGION_PAGES_USED) + 8 > REGION_PAGES_MAX;
}

/** Where the next page will be noted. */
export function nextRegionPage(): usize {
  return cpu + TR_REGION_PAGES + <usize>load<u32>(cpu, TR_REGION_PAGES_USED) * REGION_PAGE;
}

/** Notes that the region in `slot` has code on `lines` (a bit each) of the page at host address `host`, displacement `delta`. */
export function noteRegionPage(slot: u32, host: usize, lines: u32, delta: i32): void {
  const p = nextRegionPage();
  store<u32>(p, <u32>host, RP_HOST);
  store<u32>(p, lines, RP_LINES);
  store<u32>(p, slot, RP_SLOT);
  store<i32>(p, delta, RP_DELTA);
  keepPage(p);
  endPages();
}

/** Whoever goes through a region's pages stops at another slot. */
function endPages(): void {
  store<u32>(nextRegionPage(), 0, RP_SLOT);
}

/** Puts the page at `p`, which is the next one, into its chain. */
function keepPage(p: usize): void {
  const head = headOf(load<u32>(p, RP_HOST));
  store<u32>(p, load<u32>(head), RP_NEXT);
  store<u32>(head, <u32>p);
  store<u32>(cpu, load<u32>(cpu, TR_REGION_PAGES_USED) + 1, TR_REGION_PAGES_USED);
}

/** Leaves out the pages of regions that are not usable any more. */
export function compactPages(): void {
  const end = nextRegionPage();
  memory.fill(cpu + TR_REGION_HEADS, 0, REGION_HEADS * 4);
  store<u32>(cpu, 0, TR_REGION_PAGES_USED);
  let before: u32 = 0;
  for (let p = cpu + TR_REGION_PAGES; p < end; p += REGION_PAGE) {
    const slot = load<u32>(p, RP_SLOT);
    if (!isAlive(slot)) continue;
    const to = nextRegionPage();
    memory.copy(to, p, REGION_PAGE);
    if (slot != before) setPages(slot, to);
    before = slot;
    keepPage(to);
  }
  endPages();
}

/** Drops the regions with code on the lines that `length` bytes at `host`, in one page, lie on. */
export function dropRegions(host: usize, length: i32): void {
  const page = host & ~0xfff;
  const first = <u32>(host & 0xfff) >> 7;
  const last = <u32>((host + length - 1) & 0xfff) >> 7;
  const lines = (0xffffffff << first) & (0xffffffff >> (31 - last));
  for (let p = <usize>load<u32>(headOf(page)); p; p = load<u32>(p, RP_NEXT)) {
    if (<usize>load<u32>(p, RP_HOST) == page && load<u32>(p, RP_LINES) & lines) dropRegion(load<u32>(p, RP_SLOT));
  }
}

/** Takes a region out of use. */
export function dropRegion(slot: u32): void {
  if (!isAlive(slot)) return;
  killSlot(slot);
  drops++;
  count(STAT_REGIONS_DROPPED);
}
