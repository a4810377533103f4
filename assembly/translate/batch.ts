// The regions that are waiting for their module: they are gathered, the host is asked to make it, and then traces enter them.
import { count, cpu } from "../cpu";
import { forgetJumpsToNoted, noteTrace } from "../decode/jumps";
import { T_DELTA, T_ENTRY, T_FLAGS, T_HIGHEST, T_LOWEST, T_REGION, T_REGION_COUNT, T_TAKEN_IN, T_VALID, TRACE_PAGES, TRACE_PASSED } from "../decode/record";
import { compile } from "../host";
import { JIT_AT_ONCE, JIT_SPARING, STAT_REGION_MODULES, VM_JIT_PACE, VM_JIT_THRESHOLD } from "../layout";
import { B_DELTA, B_ENTRY, B_FLAGS, B_TRACE, BLOCK_ENTERED, blockAt, blockCount, instructionCount, isPart, noteLines, P_DELTA, P_HOST, P_LINES, pageAt, pageCount } from "./blocks";
import { highest, lacking, lowest } from "./discover";
import { functionStart } from "./emit";
import { COLD, HOT, initialHeat, isForced, waitLonger } from "./heat";
import { keepHints } from "./hints";
import { forgetImports, importsFull } from "./imports";
import { BATCH_MAX, NOTES_SIZE, TR_BATCH_COUNT, TR_BATCH_END, TR_BATCH_INTERPRETED, TR_BATCH_SLOTS, TR_CODE, TR_CODE_SIZE, TR_HINTS_END, TR_MODULE, TR_NOTES, TR_NOTES_END } from "./layout";
import { writeModule } from "./module";
import { addModule, makeRoomForModule } from "./modules";
import { dispatched, emitted, enteredAtHead } from "./order";
import { AWAITED, entersRegion, entriesOfPart, isAwaiting } from "./parts";
import { keepPool } from "./pools";
import { isProfiled, noteHot, noteRecipe } from "./profile";
import { nextRegionPage, noteRegionPage } from "./regions";
import { clearUsed, isAlive, takeSlot } from "./slots";
import { looksFurther } from "./unmapped";
import { endWaiting, isGathering } from "./waiting";
import { makeWays } from "./ways";
import { at, u32leb, writeAt } from "./writer";

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

/** Whether the module has to be made before another region is put together. */
export function isBatchFull(): bool {
  return importsFull() || load<u32>(cpu, TR_BATCH_COUNT) == BATCH_MAX || load<u32>(cpu, TR_NOTES_END) + NOTES_ROOM > NOTES_SIZE;
}

/** Takes the region that has been emitted, of `length` bytes: it will be in `slot`. Its code is watched from now on. False: there is no room. */
export function addToBatch(slot: u32, length: usize): bool {
  if (load<u32>(cpu, TR_BATCH_END) + length + 5 > TR_CODE_SIZE) return false;
  writeAt(cpu + TR_CODE + load<u32>(cpu, TR_BATCH_END));
  u32leb(<u32>length);
  memory.copy(at, functionStart, length);
  store<u32>(cpu, <u32>(at + length - (cpu + TR_CODE)), TR_BATCH_END);
  keepHints();
  note(slot);
  return true;
}

/** Watches the region's code, and notes the traces that are to enter it. */
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
