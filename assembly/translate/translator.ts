// From hot traces to regions: translates what has been executed often enough, and enters what there is.
import { count, cpu, fault, SEG_CS, segBase, segLimit } from "../cpu";
import { knownTrace, rememberRegion } from "../decode/jumps";
import { T_DELTA, T_ENTRY, T_FLAGS, T_HIGHEST, T_LOWEST, T_REGION, T_REGION_COUNT, T_VALID, TRACE_PAGES, TRACE_REMADE } from "../decode/record";
import { requestSlice } from "../execute/request";
import {
  CPU_FUEL, CPU_LOG, CPU_MODE, CPU_RIP, CPU_SHADOW, CPU_STATS, JIT_CLOSED, JIT_GATHER, LOG_COUNT, LOG_CPU, LOG_EXEC, MODE_CODE16, MODE_CODE32, MODE_CODE_MASK, MODE_FLAT, STAT_REGION_ENTRIES, STAT_REGION_INSTRUCTIONS, STAT_REGION_MISSES,
  STAT_REGIONS_BUILT, STAT_REGIONS_REFUSED, TLB_EXEC, TLB_META, VM_JIT_PACE, VM_JIT_THRESHOLD,
} from "../layout";
import { noteExecuted } from "../mmu/executed";
import { entryAt, META_GLOBAL, PAGE_MASK, tlb } from "../mmu/tlb";
import { fetchAhead } from "../mmu/translate";
import { addToBatch, endBatch, flushBatch, forgetBatch, isBatchFull } from "./batch";
import { takeRare } from "./blocks";
import { isBounded } from "./code-mode";
import { decideAnew } from "./decisions";
import { discover, discoverAgain, isJoining } from "./discover";
import { emitRegion } from "./emit";
import { COLD, HOT, initialHeat, isForced, waitLonger } from "./heat";
import { REGION_PAGE } from "./layout";
import { logRegion } from "./log";
import { evict, forgetModules } from "./modules";
import { orderBlocks } from "./order";
import { MISSED } from "./outcomes";
import { forgetPools, poolsFull } from "./pools";
import { expectedHeat, heatOfHead, isProfiled, noteWritten, recipeOf } from "./profile";
import { isNewRecipe } from "./recipes";
import { forgetRegions, regionsFull, RP_DELTA, RP_HOST, RP_SLOT } from "./regions";
import { freeSlot, isAlive, isLacking, isWanted, markUsed, pagesOf } from "./slots";
import { forgetStraddles } from "./straddles";
import { callVerified, isReplaying, isVerifying } from "./verify";
import { beginWaiting, endWaiting, goesOnWaiting, isGathering, isNew, isWaiting } from "./waiting";

const LOG_ENTRIES: u32 = LOG_EXEC | LOG_CPU | LOG_COUNT;

/** Heat of a trace that has just been put together. */
export function firstHeat(trace: usize): u32 {
  const heat = initialHeat();
  return isProfiled() && heat != COLD ? expectedHeat(trace) : heat;
}

/** The code of a trace, which still has its records, is written over. */
export function noteOverwritten(trace: usize): void {
  if (isProfiled()) noteWritten(trace);
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
  if (isBatchFull() || isProfiled()) flushBatch();
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
  const slot = freeSlot();
  if (!length || !addToBatch(slot, length)) {
    flushBatch();
    return false;
  }
  logRegion(linear & ~0xfff, slot);
  count(STAT_REGIONS_BUILT);
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

/** Drops all regions: the traces that enter them are gone. */
export function forgetTranslations(): void {
  forgetBatch();
  forgetStraddles();
  forgetModules();
  forgetRegions();
  forgetPools();
}
