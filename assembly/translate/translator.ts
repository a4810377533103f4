// From hot traces to regions: translates what has been executed often enough, gathers regions in batches, has the host
// make modules of them, and enters them.
import { count, cpu, fault, SEG_CS, segBase, segLimit } from "../cpu";
import { forgetJumpsToNoted, knownTrace, noteTrace, rememberRegion } from "../decode/jumps";
import { T_DELTA, T_ENTRY, T_FLAGS, T_HIGHEST, T_LOWEST, T_REGION, T_REGION_COUNT, T_TAKEN_IN, T_VALID, TRACE_PAGES, TRACE_PASSED, TRACE_REMADE } from "../decode/record";
import { requestSlice } from "../execute/request";
import { compile } from "../host";
import {
  CPU_FUEL, CPU_LOG, CPU_MODE, CPU_RIP, CPU_SHADOW, CPU_STATS, JIT_AT_ONCE, JIT_CLOSED, JIT_GATHER, JIT_SPARING, LOG_COUNT, LOG_CPU, LOG_EXEC, MODE_CODE16, MODE_CODE32, MODE_CODE_MASK, MODE_FLAT, STAT_REGION_ENTRIES, STAT_REGION_INSTRUCTIONS, STAT_REGION_MISSES,
  STAT_REGION_MODULES, STAT_REGIONS_BUILT, STAT_REGIONS_REFUSED, TLB_EXEC, TLB_META, VM_JIT_PACE, VM_JIT_THRESHOLD,
} from "../layout";
import { noteExecuted } from "../mmu/executed";
import { entryAt, META_GLOBAL, PAGE_MASK, tlb } from "../mmu/tlb";
import { fetchAhead } from "../mmu/translate";
import { B_DELTA, B_ENTRY, B_FLAGS, B_TRACE, BLOCK_ENTERED, blockAt, blockCount, instructionCount, isPart, noteLines, P_DELTA, P_HOST, P_LINES, pageAt, pageCount, takeRare } from "./blocks";
import { decideAnew } from "./decisions";
import { discover, discoverAgain, highest, isJoining, lacking, lowest } from "./discover";
import { isBounded } from "./code-mode";
import { emitRegion, functionStart } from "./emit";
import { keepHints } from "./hints";
import { forgetImports, importsFull } from "./imports";
import {
  BATCH_MAX, NOTES_SIZE, REGION_PAGE, TR_BATCH_COUNT, TR_BATCH_END, TR_BATCH_INTERPRETED, TR_BATCH_SLOTS, TR_CODE, TR_CODE_SIZE, TR_HINTS_END, TR_MODULE, TR_NOTES, TR_NOTES_END,
} from "./layout";
import { logRegion } from "./log";
import { writeModule } from "./module";
import { addModule, evict, forgetModules, makeRoomForModule } from "./modules";
import { dispatched, emitted, enteredAtHead, orderBlocks } from "./order";
import { MISSED } from "./outcomes";
import { forgetPools, keepPool, poolsFull } from "./pools";
import { AWAITED, entersRegion, entriesOfPart, isAwaiting } from "./parts";
import { expectedHeat, heatOfHead, isProfiled, noteHot, noteRecipe, noteWritten, recipeOf } from "./profile";
import { isNewRecipe } from "./recipes";
import { forgetRegions, nextRegionPage, noteRegionPage, regionsFull, RP_DELTA, RP_HOST, RP_SLOT } from "./regions";
import { clearUsed, freeSlot, isAlive, isLacking, isWanted, markUsed, pagesOf, takeSlot } from "./slots";
import { forgetStraddles } from "./straddles";
import { looksFurther } from "./unmapped";
import { callVerified, isReplaying, isVerifying } from "./verify";
import { beginWaiting, endWaiting, goesOnWaiting, isGathering, isNew, isWaiting } from "./waiting";
import { makeWays } from "./ways";
import { at, u32leb, writeAt } from "./writer";

/** Heat that nothing uses up: the trace is not looked at again for that. */
const COLD: u32 = 0xffffffff;
/** Heat at which a trace is looked at when it is entered. */
export const HOT: u32 = 1;

const LOG_ENTRIES: u32 = LOG_EXEC | LOG_CPU | LOG_COUNT;

/** Heat of a trace of which nothing is known: how often it is entered before it is translated. At threshold 1 regions are forced:
 * a trace is translated when it is entered first, and its module is made at once, unless regions are gathered (waiting.ts). */
export function initialHeat(): u32 {
  const threshold = load<u32>(VM_JIT_THRESHOLD);
  return threshold ? threshold : COLD;
}

/** Heat of a trace that has just been put together. */
export function firstHeat(trace: usize): u32 {
  const heat = initialHeat();
  return isProfiled() && heat != COLD ? expectedHeat(trace) : heat;
}

/** The code of a trace, which still has its records, is written over. */
export function noteOverwritten(trace: usize): void {
  if (isProfiled()) noteWritten(trace);
}

/** Whether everything is to be executed in regions that can be. */
export function isForced(): bool {
  return load<u32>(VM_JIT_THRESHOLD) == HOT;
}

/** Whether a trace that is HOT has a region to be entered; translates it where that is what it waits for. */
export function regionOf(trace: usize, linear: u64): u32 {
  if (isReplaying()) return 0;
  const slot = load<u32>(trace, T_REGION);
  if (slot) {
    if (isAlive(slot)) return slot;
    store<u32>(trace, 0, T_REGION);
    if (!isWanted(slot)) {
      // Its code was overwritten beside it: it is watched anew.
      store<u16>(trace, <u16>(load<u16>(trace, T_FLAGS) & ~TRACE_REMADE), T_FLAGS);
      store<u32>(trace, initialHeat(), T_VALID);
      return 0;
    }
  }
  if (load<u32>(VM_JIT_PACE) == JIT_CLOSED) return 0;
  if (isWaiting(trace)) return awaitRegion(trace);
  if (isGathering() && isNew(trace)) return 0;
  store<u32>(trace, COLD, T_VALID);
  if (!load<u32>(VM_JIT_THRESHOLD) || load<u32>(cpu, CPU_LOG) & LOG_ENTRIES) return 0;
  takeRare(slot != 0 && isLacking(slot));
  if (!translate(trace, linear, isForced() || (slot != 0 && isWanted(slot)))) count(STAT_REGIONS_REFUSED);
  else if (isForced() && load<u32>(VM_JIT_PACE) != JIT_GATHER) {
    endBatch();
    if (load<u32>(trace, T_REGION)) return load<u32>(trace, T_REGION);
    beginWaiting(trace);
    return awaitRegion(trace);
  }
  return 0;
}

/** The region of a trace that waits for it, 0: it is interpreted meanwhile. */
function awaitRegion(trace: usize): u32 {
  if (goesOnWaiting(trace)) return 0;
  flushBatch();
  endWaiting(trace);
  return load<u32>(trace, T_REGION);
}

/** Enters the region of a trace at CPU_RIP, and those that follow. What the last of them returned (ways.ts); `fault` may be set. */
export function enterRegion(slot: u32, trace: usize): u32 {
  const fuel = load<u32>(cpu, CPU_FUEL);
  const mode = load<u32>(cpu, CPU_MODE);
  const verify = isVerifying();
  let entries: u64 = 0;
  let status: u32 = MISSED;
  const bounded = isBounded(mode);
  let rip = load<u64>(cpu, CPU_RIP);
  let linear = bounded ? (rip + segBase(SEG_CS)) & 0xffffffff : rip;
  while (load<u32>(cpu, CPU_FUEL) >= load<u32>(trace, T_REGION_COUNT)) {
    if (bounded && !liesInSegment(trace, rip, mode)) break;
    if (!bounded || (mode & (MODE_CODE_MASK | MODE_FLAT)) == (MODE_CODE32 | MODE_FLAT)) rememberRegion(linear, trace, slot);
    entries++;
    markUsed(slot);
    const entry = load<u32>(trace, T_ENTRY);
    const base = rip - load<i32>(trace, T_DELTA);
    status = verify ? callVerified(slot, trace, entry, base, rip) : call_indirect<u32>(slot, entry, base, slot);
    if (status | fault | load<u32>(cpu, CPU_FUEL + 4) | (load<u32>(cpu, CPU_MODE) ^ mode)) break;
    rip = load<u64>(cpu, CPU_RIP);
    linear = bounded ? (rip + segBase(SEG_CS)) & 0xffffffff : rip;
    trace = knownTrace(linear, mode);
    if (!trace || load<u32>(trace, T_VALID) != HOT) break;
    slot = load<u32>(trace, T_REGION);
    if (!slot || !isAlive(slot)) break;
    status = MISSED;
  }
  const at = cpu + CPU_STATS;
  store<u64>(at, load<u64>(at, STAT_REGION_INSTRUCTIONS << 3) + (fuel - load<u32>(cpu, CPU_FUEL)), STAT_REGION_INSTRUCTIONS << 3);
  store<u64>(at, load<u64>(at, STAT_REGION_ENTRIES << 3) + entries, STAT_REGION_ENTRIES << 3);
  if (status) {
    count(STAT_REGION_MISSES);
    // The instruction that interrupts wait for makes a step of its own.
    if (load<u32>(cpu, CPU_SHADOW)) requestSlice();
  }
  return status;
}

/** Whether a trace's region, entered at `rip`, and all that it goes to directly lie in the code segment. */
function liesInSegment(trace: usize, rip: u64, mode: u32): bool {
  const limit = (mode & MODE_CODE_MASK) == MODE_CODE16 ? min<u32>(segLimit(SEG_CS), 0xffff) : segLimit(SEG_CS);
  const base = <i64>rip - load<i32>(trace, T_DELTA);
  return base + load<i32>(trace, T_LOWEST) >= 0 && base + load<i32>(trace, T_HIGHEST) <= <i64>limit;
}

/** Whether the pages of a trace's region are mapped as they were when it was translated. */
export function pagesHold(trace: usize, linear: u64): bool {
  if (!(load<u16>(trace, T_FLAGS) & TRACE_PAGES)) return true;
  const base = linear - load<i32>(trace, T_DELTA);
  const slot = load<u32>(trace, T_REGION);
  for (let p = pagesOf(slot); load<u32>(p, RP_SLOT) == slot; p += REGION_PAGE) {
    const page = base + load<i32>(p, RP_DELTA);
    if (fetchAhead(page) != load<u32>(p, RP_HOST)) return false;
    noteExecuted(page, isGlobal(page));
  }
  return true;
}

/** Whether the page of a trace at `linear`, and those of its region, all of which are mapped, are global. */
export function pagesAreGlobal(trace: usize, linear: u64): bool {
  if (!isGlobal(linear)) return false;
  if (!(load<u16>(trace, T_FLAGS) & TRACE_PAGES)) return true;
  const base = linear - load<i32>(trace, T_DELTA);
  const slot = load<u32>(trace, T_REGION);
  for (let p = pagesOf(slot); load<u32>(p, RP_SLOT) == slot; p += REGION_PAGE) if (!isGlobal(base + load<i32>(p, RP_DELTA))) return false;
  return true;
}

function isGlobal(va: u64): bool {
  const entry = entryAt(tlb, va);
  return load<u64>(entry, TLB_EXEC) == (va & PAGE_MASK) && (load<u32>(entry, TLB_META) & META_GLOBAL) != 0;
}

// ---------------------------------------------------------------- translating
/** `whole`: as a region of all that the trace reaches. */
function translate(trace: usize, linear: u64, whole: bool): bool {
  // Where machine code may have been kept, each region has a module of its own: it follows from the guest's code then.
  if (importsFull() || load<u32>(cpu, TR_NOTES_END) + NOTES_ROOM > NOTES_SIZE || isProfiled()) flushBatch();
  if (isFull()) {
    flushBatch();
    while (isFull()) evict();
  }
  const recipe = isProfiled() ? recipeToFollow(trace, whole) : 0;
  if (recipe) {
    store<u16>(trace, <u16>(load<u16>(trace, T_FLAGS) | TRACE_REMADE), T_FLAGS);
    if (!discoverAgain(recipe, trace, linear)) {
      // The trace waits until this run knows enough of what it leads to.
      store<u32>(trace, heatOfHead(), T_VALID);
      return true;
    }
  } else {
    decideAnew();
    if (!discover(trace, linear, whole)) {
      if (isJoining) waitLonger(trace);
      return isJoining;
    }
  }
  if (!orderBlocks()) return false;
  const length = emitRegion();
  if (!length || load<u32>(cpu, TR_BATCH_END) + length + 5 > TR_CODE_SIZE) {
    flushBatch();
    return false;
  }
  writeAt(cpu + TR_CODE + load<u32>(cpu, TR_BATCH_END));
  u32leb(<u32>length);
  memory.copy(at, functionStart, length);
  store<u32>(cpu, <u32>(at + length - (cpu + TR_CODE)), TR_BATCH_END);
  keepHints();
  logRegion(linear & ~0xfff, freeSlot());
  note(freeSlot());
  count(STAT_REGIONS_BUILT);
  if (load<u32>(cpu, TR_BATCH_COUNT) >= BATCH_MAX) flushBatch();
  return true;
}

/** Whether there may be no room for one more region. */
function isFull(): bool {
  return !freeSlot() || regionsFull() || poolsFull();
}

/** What the region of a trace is to be made of, as an earlier run made it; 0: of what this one finds. Once: whatever has a trace become HOT
 * again, it would again. So would what takes the place of a region (`whole`), if the recipe were that one's. */
function recipeToFollow(trace: usize, whole: bool): u32 {
  if (load<u16>(trace, T_FLAGS) & TRACE_REMADE) return 0;
  const recipe = recipeOf(trace);
  return whole && recipe && isNewRecipe(recipe) ? 0 : recipe;
}

// What is to be done once a region's module exists: u32 slot, whether it has several pages, instructions, count of entries, i32
// lowest and highest displacement, and for each entry u32 trace, u32 number, i32 displacement.
const NOTE_HEADER: usize = 24;
const NOTE_ENTRY: usize = 12;
const NOTES_ROOM: u32 = 1024;

/** Has a trace that is part of a region wait longer for a region of its own: what made it warm goes through that one from
 * now on. Without this, all blocks of a loop would become heads at nearly the same time, each of a region with all of them: those
 * that are entered equally often are HOT at once. */
function cool(trace: usize): void {
  const heat = load<u32>(trace, T_VALID);
  if (!heat || heat == COLD || isForced() || entersRegion(trace)) return;
  if (heat == HOT && looksFurther(trace)) return;
  waitLonger(trace);
}

/** How many times as often as the threshold says a trace is entered that other regions have. */
const COOLED: u32 = 8;
function waitLonger(trace: usize): void {
  store<u32>(trace, load<u32>(VM_JIT_THRESHOLD) * COOLED, T_VALID);
}

/** The region in `slot` is not entered at its head, which becomes one again where it is executed as often without the region. */
function pass(head: usize, slot: u32): void {
  store<u16>(head, <u16>(load<u16>(head, T_FLAGS) | TRACE_PASSED), T_FLAGS);
  store<u32>(head, initialHeat(), T_VALID);
  clearUsed(slot);
}

/** Has a trace wait for the module of the region that it will enter, instead of having another made meanwhile. */
function expectRegion(trace: usize): void {
  if (!isForced() && load<u32>(trace, T_VALID) && !entersRegion(trace)) store<u32>(trace, AWAITED, T_VALID);
}

/** The region that a trace waits for will not be. */
function expectNone(trace: usize): void {
  if (isAwaiting(load<u32>(trace, T_VALID))) store<u32>(trace, initialHeat(), T_VALID);
}

/** Watches the region's code from now on, and notes the traces that are to enter it. */
function note(slot: u32): void {
  const number = load<u32>(cpu, TR_BATCH_COUNT);
  store<u32>(cpu + (number << 2), slot, TR_BATCH_SLOTS);
  store<u32>(cpu, number + 1, TR_BATCH_COUNT);
  takeSlot(slot, nextRegionPage());
  keepPool(slot, isPart ? entriesOfPart(lacking) : 0);
  noteLines(emitted);
  for (let i = 0; i < pageCount; i++) {
    const p = pageAt(i);
    if (load<u32>(p, P_LINES)) noteRegionPage(slot, load<u32>(p, P_HOST), load<u32>(p, P_LINES), load<i32>(p, P_DELTA));
  }
  const from = cpu + TR_NOTES + load<u32>(cpu, TR_NOTES_END);
  let entries: u32 = 0;
  let to = from + NOTE_HEADER;
  for (let i = 0; i < blockCount; i++) {
    const b = blockAt(i);
    if ((emitted >> i) & 1) {
      const trace = <usize>load<u32>(b, B_TRACE);
      if (isProfiled()) noteHot(trace, i == 0);
      if (!isPart || !isAlive(load<u32>(trace, T_TAKEN_IN))) store<u32>(trace, slot, T_TAKEN_IN);
      cool(trace);
    }
    if (!((dispatched >> i) & 1) || !(load<u32>(b, B_FLAGS) & BLOCK_ENTERED)) continue;
    expectRegion(load<u32>(b, B_TRACE));
    store<u32>(to, load<u32>(b, B_TRACE));
    store<u32>(to, load<u32>(b, B_ENTRY), 4);
    store<i32>(to, load<i32>(b, B_DELTA), 8);
    to += NOTE_ENTRY;
    entries++;
  }
  if (isProfiled()) noteRecipe(load<u32>(blockAt(0), B_TRACE));
  if (!enteredAtHead) pass(load<u32>(blockAt(0), B_TRACE), slot);
  store<u32>(from, slot);
  store<u32>(from, u32(pageCount > 1), 4);
  store<u32>(from, instructionCount, 8);
  store<u32>(from, entries, 12);
  store<i32>(from, lowest, 16);
  store<i32>(from, highest, 20);
  store<u32>(cpu, <u32>(to - (cpu + TR_NOTES)), TR_NOTES_END);
}

/** Has a module made of what is waiting, unless more is to be gathered first. Called between traces. */
export function endBatch(): void {
  const pace = load<u32>(VM_JIT_PACE);
  if (pace == JIT_AT_ONCE || (pace == JIT_SPARING && !isGathering())) flushBatch();
}

/** Has the host make a module of what is waiting, and lets the traces enter it. */
export function flushBatch(): void {
  const n = load<u32>(cpu, TR_BATCH_COUNT);
  if (!n) return;
  if (!makeWays()) {
    store<u32>(VM_JIT_THRESHOLD, 0);
    forgetBatch();
    return;
  }
  makeRoomForModule();
  const slots = cpu + TR_BATCH_SLOTS;
  const length = writeModule(load<u32>(cpu, TR_BATCH_END));
  count(STAT_REGION_MODULES);
  if (compile(<u32>(cpu + TR_MODULE), <u32>length, <u32>slots, n)) {
    addModule(slots, n);
    enterAll();
  } else store<u32>(VM_JIT_THRESHOLD, 0);
  forgetBatch();
}

function enterAll(): void {
  const end = cpu + TR_NOTES + load<u32>(cpu, TR_NOTES_END);
  let at = cpu + TR_NOTES;
  let isNoted = false;
  while (at < end) {
    const slot = load<u32>(at);
    const pages = load<u32>(at, 4);
    const instructions = load<u32>(at, 8);
    const entries = load<u32>(at, 12);
    const from = load<i32>(at, 16);
    const to = load<i32>(at, 20);
    at += NOTE_HEADER;
    for (let i: u32 = 0; i < entries; i++, at += NOTE_ENTRY) {
      const trace = <usize>load<u32>(at);
      endWaiting(trace);
      if (!load<u32>(trace, T_VALID)) continue;
      if (!isAlive(slot)) {
        expectNone(trace);
        continue;
      }
      // What the jump cache has of it was not checked against the pages that came with the region, or is an older region.
      if (pages || load<u32>(trace, T_REGION)) {
        noteTrace(trace);
        isNoted = true;
      }
      store<u32>(trace, slot, T_REGION);
      store<u32>(trace, load<u32>(at, 4), T_ENTRY);
      store<i32>(trace, load<i32>(at, 8), T_DELTA);
      store<u32>(trace, instructions, T_REGION_COUNT);
      store<i32>(trace, from, T_LOWEST);
      store<i32>(trace, to, T_HIGHEST);
      store<u16>(trace, <u16>((load<u16>(trace, T_FLAGS) & ~TRACE_PAGES) | (pages ? TRACE_PAGES : 0)), T_FLAGS);
      store<u32>(trace, HOT, T_VALID);
    }
  }
  if (isNoted) forgetJumpsToNoted();
}

/** Drops what is waiting. */
export function forgetBatch(): void {
  store<u32>(cpu, 0, TR_BATCH_COUNT);
  store<u32>(cpu, 0, TR_BATCH_END);
  store<u32>(cpu, 0, TR_NOTES_END);
  store<u32>(cpu, 0, TR_HINTS_END);
  store<u32>(cpu, 0, TR_BATCH_INTERPRETED);
  forgetImports();
}

/** Drops all regions: the traces that enter them are gone. */
export function forgetTranslations(): void {
  forgetBatch();
  forgetStraddles();
  forgetModules();
  forgetRegions();
  forgetPools();
}
