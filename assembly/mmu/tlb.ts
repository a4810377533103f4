// The TLB: direct-mapped arrays of 32-byte entries, one array an access class and context.
//
// A tag is the page's linear address, or TLB_NO_TAG where the access has to be looked at. One
// compare therefore covers page, page crossing and all that is special: an access that crosses
// looks for the second page's tag in the first page's entry, where it can never be.
import { cpu } from "../cpu";
import {
  CPU_NO_TLB, CPU_TLB, TLB_ADDEND, TLB_CLASSES, TLB_ENTRIES, TLB_ENTRY_SIZE, TLB_EXEC, TLB_META, TLB_READ, TLB_WRITE, VCPU_BASE,
} from "../layout";
import { addPage, mayContain } from "./page-set";
import {
  CONTEXT_FILLS, CONTEXT_GLOBAL_FILLS, CONTEXT_LARGE, CONTEXT_LIST, CONTEXT_SIZE, CONTEXT_SIZES, FILL_LIST_MAX, LARGE_BITS, MMU_CONTEXT, MMU_CONTEXTS, MMU_TLB,
} from "./state";

/** Not page-aligned, so no address has it as its page. */
export const TLB_NO_TAG: u64 = 0xffffffffffffffff;
export const PAGE_SIZE: u64 = 0x1000;
export const PAGE_MASK: u64 = 0xfffffffffffff000;
export const TLB_ARRAY_SIZE = TLB_ENTRIES * TLB_ENTRY_SIZE;
export const TLB_CONTEXT_SIZE = TLB_ARRAY_SIZE * TLB_CLASSES;

// The meta word: flags, then the page's size as a shift (bits 8-13) and its slot (bits 16-21).
/** Survives CR3 loads. */
export const META_GLOBAL: u32 = 1;
/** The class may write the page, its dirty bit is set, and its slot is writable. */
export const META_WRITABLE: u32 = 2;
/** The slot keeps a dirty log. */
export const META_LOGGED: u32 = 4;
/** A data breakpoint lies in the page: it gets no read and write tags. */
export const META_WATCHED: u32 = 8;
export const META_SHIFT: u32 = 8;
export const META_SLOT: u32 = 16;
/** No translation is in the entry, and all its tags are TLB_NO_TAG: an entry of 32 bytes 0xff. */
export const META_DEAD: u32 = 0xffffffff;

/** Address of the TLB array in use: that of the current class and context. */
export let tlb: usize = VCPU_BASE + CPU_TLB;

/** Takes the array of access class `cls` of the current context into use. */
export function useClass(cls: i32): void {
  useArray(classArray(cls));
}

function useArray(array: usize): void {
  tlb = array;
  store<u32>(cpu, <u32>array, MMU_TLB);
}

/** Takes an array into use in which nothing is ever found. */
export function useNoEntries(): void {
  useArray(cpu + CPU_NO_TLB);
}

/** The array of access class `cls` in the current context. */
// @ts-ignore: decorator
@inline export function classArray(cls: i32): usize {
  return cpu + CPU_TLB + load<u32>(cpu, MMU_CONTEXT) * TLB_CONTEXT_SIZE + <usize>cls * TLB_ARRAY_SIZE;
}

/** The entry in which the translation of `va` would be. */
// @ts-ignore: decorator
@inline export function entryAt(array: usize, va: u64): usize {
  return array + (<usize>(va >> 7) & ((TLB_ENTRIES - 1) << 5));
}

/** Host address of `size` readable bytes at linear `va` in the current mode, or 0: look closer. */
// @ts-ignore: decorator
@inline export function probeRead(va: u64, size: u64): usize {
  const entry = tlb + (<usize>(va >> 7) & ((TLB_ENTRIES - 1) << 5));
  return ((va + (size - 1)) & PAGE_MASK) == load<u64>(entry, TLB_READ) ? <usize>va + load<u32>(entry, TLB_ADDEND) : 0;
}

/** Host address of `size` writable bytes at linear `va` in the current mode, or 0: look closer. */
// @ts-ignore: decorator
@inline export function probeWrite(va: u64, size: u64): usize {
  const entry = tlb + (<usize>(va >> 7) & ((TLB_ENTRIES - 1) << 5));
  return ((va + (size - 1)) & PAGE_MASK) == load<u64>(entry, TLB_WRITE) ? <usize>va + load<u32>(entry, TLB_ADDEND) : 0;
}

/** The record of context `index` of this vCPU. */
// @ts-ignore: decorator
@inline export function contextRecord(index: u32): usize {
  return cpu + MMU_CONTEXTS + index * CONTEXT_SIZE;
}

/** Puts a translation into the current context's array of `cls`. A tag is given as the page or TLB_NO_TAG. */
export function fillEntry(
  cls: i32, va: u64, host: usize, meta: u32, readTag: u64, writeTag: u64, execTag: u64,
): usize {
  const entry = entryAt(classArray(cls), va);
  const were = load<u32>(entry, TLB_META);
  if (were == META_DEAD || (were & ~meta & META_GLOBAL) != 0) {
    noteFill(contextRecord(load<u32>(cpu, MMU_CONTEXT)), <u32>cls * TLB_ENTRIES + (<u32>(va >> 12) & (TLB_ENTRIES - 1)), (meta & META_GLOBAL) != 0);
  }
  const shift = (meta >> META_SHIFT) & 63;
  if (shift != 12) noteLarge(va, shift);
  store<u64>(entry, readTag, TLB_READ);
  store<u64>(entry, writeTag, TLB_WRITE);
  store<u64>(entry, execTag, TLB_EXEC);
  store<u32>(entry, <u32>host - <u32>va, TLB_ADDEND);
  store<u32>(entry, meta, TLB_META);
  return entry;
}

/** Empties an entry. It stays in its context's list: being there twice does no harm. */
// @ts-ignore: decorator
@inline export function killEntry(entry: usize): void {
  store<u64>(entry, TLB_NO_TAG, TLB_READ);
  store<u64>(entry, TLB_NO_TAG, TLB_WRITE);
  store<u64>(entry, TLB_NO_TAG, TLB_EXEC);
  store<u64>(entry, TLB_NO_TAG, TLB_ADDEND);
}

/** Remembers that entry `number` of a context is in use, so that a flush need not look at all of them. One that was of a global
 * page and is not any more is in the list twice, which does no harm. */
export function noteFill(record: usize, number: u32, global: bool): void {
  const fills = load<u32>(record, CONTEXT_FILLS);
  const globals = load<u32>(record, CONTEXT_GLOBAL_FILLS);
  if (fills + globals >= FILL_LIST_MAX) store<u32>(record, FILL_LIST_MAX + 1, CONTEXT_FILLS);
  else if (global) {
    store<u16>(record + ((FILL_LIST_MAX - 1 - globals) << 1), <u16>number, CONTEXT_LIST);
    store<u32>(record, globals + 1, CONTEXT_GLOBAL_FILLS);
  } else {
    store<u16>(record + (fills << 1), <u16>number, CONTEXT_LIST);
    store<u32>(record, fills + 1, CONTEXT_FILLS);
  }
}

/** What names the large page of size 2^shift around `va` among those of all sizes. */
// @ts-ignore: decorator
@inline function largePage(va: u64, shift: u32): u64 {
  return (va >> shift) << 6 | shift;
}

/** Remembers that a piece of a large page is in the current context. */
function noteLarge(va: u64, shift: u32): void {
  const record = contextRecord(load<u32>(cpu, MMU_CONTEXT));
  store<u32>(record, load<u32>(record, CONTEXT_SIZES) | ((<u32>1) << shift), CONTEXT_SIZES);
  addPage(record + CONTEXT_LARGE, LARGE_BITS, largePage(va, shift));
}

/** False: no piece of a page of size 2^shift around `va` is in the context. */
export function mayHoldLarge(record: usize, va: u64, shift: u32): bool {
  return (load<u32>(record, CONTEXT_SIZES) >> shift & 1) != 0 && mayContain(record + CONTEXT_LARGE, LARGE_BITS, largePage(va, shift));
}
