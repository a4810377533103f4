// PCID contexts and what drops translations (SDM volume 3, 4.10).
//
// Each context is a full set of TLB arrays. With CR4.PCIDE a CR3 load picks the context of its
// PCID; without it context 0 serves alone. Translations of global pages may be in several
// contexts at once; whatever drops one drops it everywhere.
import { CR0_AM, CR4_PCIDE, CR4_SMAP, FLAG_AC, count, cpu } from "../cpu";
import {
  CPU_CPL, CPU_CR0, CPU_CR4, CPU_EFLAGS, CPU_NO_TLB, CPU_TLB, STAT_TLB_FLUSHES, TLB_ENTRIES, TLB_ENTRY_SIZE, TLB_EXEC, TLB_META, TLB_READ,
} from "../layout";
import { mayBeExecuted, mayBeExecutedGlobally } from "./executed";
import {
  CLASS_KERNEL, CLASS_KERNEL_SMAP, CLASS_USER, CONTEXTS, CONTEXT_ENTRIES, CONTEXT_FILLS, CONTEXT_FREE,
  CONTEXT_GENERATION, CONTEXT_GLOBAL_FILLS, CONTEXT_LARGE, CONTEXT_LIST, CONTEXT_PCID, CONTEXT_SIZES, CONTEXT_STAMP, FILL_LIST_MAX, LARGE_BITS, MMU_CLASS, MMU_CLOCK,
  MMU_CONTEXT, MMU_GLOBAL_GENERATION, MMU_GLOBAL_TAG, MMU_GLOBAL_TAG_EPOCH, MMU_TAG, MMU_TAG_EPOCH, TAG_GLOBAL, TAG_MODE_BITS, TAG_NONE,
} from "./state";
import {
  META_DEAD, META_GLOBAL, META_SHIFT, PAGE_MASK, TLB_ARRAY_SIZE, TLB_CONTEXT_SIZE, TLB_NO_TAG, contextRecord, killEntry,
  mayHoldLarge, noteFill, useClass, useNoEntries,
} from "./tlb";

/** Changes whenever a remembered virtual-to-code association may be stale: after a flush, after
 * INVLPG of a page of code (executed.ts), and where another address space is in use. It comes back to an earlier value only when
 * a PCID comes back that nothing was dropped from. Access class and mode are not part of it. */
export let contextGeneration: u32 = 0;

/** Like contextGeneration, for what is reached by global pages alone: it stays over loads of CR3. */
export let globalGeneration: u32 = 0;

/** #AC is raised for misaligned data: every access goes the slow way, which looks. */
export let alignmentChecked: bool = false;

/** Last generation handed out; one instance hands them out to all vCPUs it runs. */
let lastGeneration: u32 = 0;

/** Recomputes the access class from CPL, CR4.SMAP and EFLAGS.AC, and whether CR0.AM checks alignment: after each change of one of them. */
export function updateAccessClass(): void {
  let cls = CLASS_KERNEL;
  if (load<u32>(cpu, CPU_CPL) == 3) cls = CLASS_USER;
  else if ((load<u64>(cpu, CPU_CR4) & CR4_SMAP) != 0 && (load<u32>(cpu, CPU_EFLAGS) & FLAG_AC) == 0) {
    cls = CLASS_KERNEL_SMAP;
  }
  store<u32>(cpu, cls, MMU_CLASS);
  useClass(cls);
  alignmentChecked = cls == CLASS_USER && (load<u32>(cpu, CPU_EFLAGS) & FLAG_AC) != 0 && (load<u64>(cpu, CPU_CR0) & CR0_AM) != 0;
  if (alignmentChecked) useNoEntries();
}

/** Empties every context and forgets the PCIDs; context 0 is in use. */
export function resetContexts(): void {
  memory.fill(cpu + CPU_TLB, 0xff, CONTEXTS * TLB_CONTEXT_SIZE);
  memory.fill(cpu + CPU_NO_TLB, 0xff, TLB_ARRAY_SIZE);
  for (let i: u32 = 0; i < CONTEXTS; i++) {
    const record = contextRecord(i);
    emptyRecord(record);
    store<u32>(record, CONTEXT_FREE, CONTEXT_PCID);
    store<u32>(record, 0, CONTEXT_STAMP);
    store<u32>(record, ++lastGeneration, CONTEXT_GENERATION);
  }
  store<u32>(contextRecord(0), 0, CONTEXT_PCID);
  dropGlobal();
  useContext(0);
}

/** Takes up the current vCPU's context and class: after this instance was bound to another vCPU. */
export function resumeContext(): void {
  globalGeneration = load<u32>(cpu, MMU_GLOBAL_GENERATION);
  takeGeneration();
  updateAccessClass();
}

/** Makes the context of `pcid` the current one; `keep`: with the translations it still has. */
export function switchContext(pcid: u32, keep: bool): void {
  let index: u32 = 0;
  if (load<u64>(cpu, CPU_CR4) & CR4_PCIDE) {
    index = findContext(pcid);
    const stamp = load<u32>(cpu, MMU_CLOCK) + 1;
    store<u32>(cpu, stamp, MMU_CLOCK);
    if (index == CONTEXTS) {
      index = leastRecentContext();
      store<u32>(contextRecord(index), pcid, CONTEXT_PCID);
      keep = false;
    }
    store<u32>(contextRecord(index), stamp, CONTEXT_STAMP);
  }
  if (!keep) {
    count(STAT_TLB_FLUSHES);
    dropContext(index, true);
  }
  useContext(index);
}

/** Drops all translations of this vCPU, global ones included. */
export function tlbFlushAll(): void {
  count(STAT_TLB_FLUSHES);
  for (let i: u32 = 0; i < CONTEXTS; i++) dropContext(i, false);
  dropGlobal();
  takeGeneration();
}

/** Drops the translations of all PCIDs except those of global pages. */
export function tlbFlushNonGlobal(): void {
  count(STAT_TLB_FLUSHES);
  for (let i: u32 = 0; i < CONTEXTS; i++) dropContext(i, true);
  takeGeneration();
}

/** Drops the translations of one PCID except those of global pages. */
export function tlbFlushPcid(pcid: u32): void {
  count(STAT_TLB_FLUSHES);
  const index = findContext(pcid);
  if (index == CONTEXTS) return;
  dropContext(index, true);
  takeGeneration();
}

/** INVLPG: drops the page around `va`, all pieces of it where it is a large one, under every PCID. */
export function tlbFlushPage(va: u64): void {
  for (let i: u32 = 0; i < CONTEXTS; i++) dropPage(i, va);
  takeGeneration();
}

/** Drops the page around `va` under one PCID; a global page may be dropped for all of them (SDM, INVPCID). */
export function tlbFlushPagePcid(pcid: u32, va: u64): void {
  const index = findContext(pcid);
  if (index == CONTEXTS) return;
  dropPage(index, va);
  takeGeneration();
}

/** Gives all contexts and the global pages new generations: whatever was noted with one of the old is worth nothing. */
export function renewGenerations(): void {
  for (let i: u32 = 0; i < CONTEXTS; i++) store<u32>(contextRecord(i), ++lastGeneration, CONTEXT_GENERATION);
  dropGlobal();
  takeGeneration();
}

function useContext(index: u32): void {
  store<u32>(cpu, index, MMU_CONTEXT);
  resumeContext();
}

function takeGeneration(): void {
  contextGeneration = load<u32>(contextRecord(load<u32>(cpu, MMU_CONTEXT)), CONTEXT_GENERATION);
  deriveTags();
}

/** What a generation makes of tags that have the rest of it in `epoch`. */
// @ts-ignore: decorator
@inline function tagOf(generation: u32, bits: u32, epoch: usize): u32 {
  return generation >> (32 - TAG_MODE_BITS) == load<u32>(cpu + epoch) ? (generation << TAG_MODE_BITS) | bits : TAG_NONE;
}

/** Derives MMU_TAG and MMU_GLOBAL_TAG: the generations or their epochs have changed. */
function deriveTags(): void {
  store<u32>(cpu, tagOf(contextGeneration, 0, MMU_TAG_EPOCH), MMU_TAG);
  store<u32>(cpu, tagOf(globalGeneration, TAG_GLOBAL, MMU_GLOBAL_TAG_EPOCH), MMU_GLOBAL_TAG);
}

/** Whether tags that the jump cache has now have room for the generations. */
export function tagsReach(): bool {
  return load<u32>(cpu, MMU_TAG) != TAG_NONE && load<u32>(cpu, MMU_GLOBAL_TAG) != TAG_NONE;
}

/** Begins the jump cache's tags anew, which is empty. */
export function renewTags(): void {
  store<u32>(cpu, contextGeneration >> (32 - TAG_MODE_BITS), MMU_TAG_EPOCH);
  store<u32>(cpu, globalGeneration >> (32 - TAG_MODE_BITS), MMU_GLOBAL_TAG_EPOCH);
  deriveTags();
}

/** A global page may have been dropped. The context in use has a new generation too, so that nothing at all is known of it
 * until the jump cache has taken note. */
function dropGlobal(): void {
  globalGeneration = load<u32>(cpu, MMU_GLOBAL_GENERATION) + 1;
  store<u32>(cpu, globalGeneration, MMU_GLOBAL_GENERATION);
  store<u32>(contextRecord(load<u32>(cpu, MMU_CONTEXT)), ++lastGeneration, CONTEXT_GENERATION);
}

/** The context of `pcid`, or CONTEXTS. */
function findContext(pcid: u32): u32 {
  for (let i: u32 = 0; i < CONTEXTS; i++) if (load<u32>(contextRecord(i), CONTEXT_PCID) == pcid) return i;
  return CONTEXTS;
}

function leastRecentContext(): u32 {
  let best: u32 = 0;
  let bestStamp: u32 = 0xffffffff;
  for (let i: u32 = 0; i < CONTEXTS; i++) {
    const record = contextRecord(i);
    if (load<u32>(record, CONTEXT_PCID) == CONTEXT_FREE) return i;
    const stamp = load<u32>(record, CONTEXT_STAMP);
    if (stamp < bestStamp) {
      bestStamp = stamp;
      best = i;
    }
  }
  return best;
}

/** The entry with number `number` (class * TLB_ENTRIES + index) of context `index`. */
// @ts-ignore: decorator
@inline function contextEntry(index: u32, number: u32): usize {
  return cpu + CPU_TLB + index * TLB_CONTEXT_SIZE + number * TLB_ENTRY_SIZE;
}

/** How many entries of a context are to be gone through to meet all that are in use: those that its list has, or all. */
// @ts-ignore: decorator
@inline export function entriesToVisit(record: usize): u32 {
  const fills = load<u32>(record, CONTEXT_FILLS);
  return fills <= FILL_LIST_MAX ? fills + load<u32>(record, CONTEXT_GLOBAL_FILLS) : CONTEXT_ENTRIES;
}

/** Number (class * TLB_ENTRIES + index) of the `i`th of the `total` that entriesToVisit() told. */
// @ts-ignore: decorator
@inline function numberToVisit(record: usize, total: u32, i: u32): u32 {
  if (total > FILL_LIST_MAX) return i;
  const fills = load<u32>(record, CONTEXT_FILLS);
  return load<u16>(record + ((i < fills ? i : FILL_LIST_MAX - 1 - (i - fills)) << 1), CONTEXT_LIST);
}

/** The `i`th of the `total` entries of context `index` that entriesToVisit() told. */
// @ts-ignore: decorator
@inline export function entryToVisit(index: u32, total: u32, i: u32): usize {
  return contextEntry(index, numberToVisit(contextRecord(index), total, i));
}

function emptyRecord(record: usize): void {
  store<u32>(record, 0, CONTEXT_FILLS);
  store<u32>(record, 0, CONTEXT_GLOBAL_FILLS);
  store<u32>(record, 0, CONTEXT_SIZES);
  memory.fill(record + CONTEXT_LARGE, 0, LARGE_BITS >> 3);
}

/** Drops a context's entries, except global ones where `keepGlobal`. */
function dropContext(index: u32, keepGlobal: bool): void {
  const record = contextRecord(index);
  store<u32>(record, ++lastGeneration, CONTEXT_GENERATION);
  const total = entriesToVisit(record);
  if (!total) return;
  if (keepGlobal) dropNonGlobal(index, record);
  else {
    if (total == CONTEXT_ENTRIES) memory.fill(contextEntry(index, 0), 0xff, TLB_CONTEXT_SIZE);
    else for (let i: u32 = 0; i < total; i++) killEntry(entryToVisit(index, total, i));
    emptyRecord(record);
  }
}

/** Drops a context's entries except global ones. Those that its list has as others go over to the list's end. */
function dropNonGlobal(index: u32, record: usize): void {
  let i = load<u32>(record, CONTEXT_FILLS);
  if (i > FILL_LIST_MAX) {
    store<u32>(record, 0, CONTEXT_FILLS);
    store<u32>(record, 0, CONTEXT_GLOBAL_FILLS);
    for (let number: u32 = 0; number < CONTEXT_ENTRIES; number++) keepIfGlobal(index, record, number);
  } else {
    // From the last one, so that there is room in the list.
    while (i) {
      store<u32>(record, --i, CONTEXT_FILLS);
      keepIfGlobal(index, record, load<u16>(record + (i << 1), CONTEXT_LIST));
    }
  }
  if (!entriesToVisit(record)) emptyRecord(record);
}

// @ts-ignore: decorator
@inline function keepIfGlobal(index: u32, record: usize, number: u32): void {
  const entry = contextEntry(index, number);
  const meta = load<u32>(entry, TLB_META);
  if (meta == META_DEAD) return;
  if (meta & META_GLOBAL) noteFill(record, number, true);
  else killEntry(entry);
}

function dropPage(index: u32, va: u64): void {
  const record = contextRecord(index);
  const large = mayHoldLarge(record, va, 21) || mayHoldLarge(record, va, 22) || mayHoldLarge(record, va, 30);
  if (large || mayBeExecuted(va)) store<u32>(record, ++lastGeneration, CONTEXT_GENERATION);
  if (large || mayBeExecutedGlobally(va)) dropGlobal();
  if (!entriesToVisit(record)) return;
  const page = va & PAGE_MASK;
  let entry = contextEntry(index, <u32>(va >> 12) & (TLB_ENTRIES - 1));
  for (let cls = 0; cls <= CLASS_KERNEL; cls++) {
    if (load<u64>(entry, TLB_READ) == page || load<u64>(entry, TLB_EXEC) == page) killEntry(entry);
    entry += TLB_ARRAY_SIZE;
  }
  if (large) dropLarge(index, va);
}

/** Drops every piece of a large page that contains `va`. */
function dropLarge(index: u32, va: u64): void {
  const total = entriesToVisit(contextRecord(index));
  for (let i: u32 = 0; i < total; i++) {
    const entry = entryToVisit(index, total, i);
    const meta = load<u32>(entry, TLB_META);
    if (meta == META_DEAD) continue;
    const shift = (meta >> META_SHIFT) & 63;
    let page = load<u64>(entry, TLB_READ);
    if (page == TLB_NO_TAG) page = load<u64>(entry, TLB_EXEC);
    if (shift != 12 && ((page ^ va) >> shift) == 0) killEntry(entry);
  }
}
