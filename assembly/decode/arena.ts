// Where the traces of a vCPU lie. They are put one behind the other into one run of free room; where that has been used up, into the next one.
// A run is what dropped traces left that lay side by side: code that is written over again and again leaves long ones. Traces are not moved.
import { cpu } from "../cpu";
import { CPU_ARENA, CPU_TRACES } from "../layout";
import { COLD, LINE, RECORD_SIZE, T_COUNT, T_RECORDS, T_ROOM_END, T_ROOM_NEXT, T_VALID } from "./record";

/** u32 where the next trace goes, u32 the end of that run (0: there is no arena yet), u32 the next run (0: none). */
const NEXT = CPU_TRACES;
const END = CPU_TRACES + 4;
const RUNS = CPU_TRACES + 8;

/** One trace that is in no table: instructions that cross pages, and single steps. The second half of each header begins a line. */
export const STEP_TRACE: usize = CPU_ARENA + LINE - T_RECORDS / 2;
const START: usize = STEP_TRACE + 0x100;
const LIMIT: usize = CPU_ARENA + COLD - LINE / 2;
/** Instructions of a trace at most. */
export const TRACE_MAX: u32 = 32;
/** Room that one trace may need: its records, the one behind a shadow and the one that ends it. */
const ROOM: usize = T_RECORDS + (TRACE_MAX + 2) * RECORD_SIZE + LINE;
/** Bytes of a run at least: a region's traces find room in any (roomForTraces()). */
const RUN_LEAST: usize = 0x10000;
/** Bytes that are to be won: an eighth of the arena. */
const WORTH: usize = (LIMIT - START) / 8;

/** Frees all of the arena. */
export function beginArena(): void {
  store<u32>(cpu, 0, RUNS);
  beginRun(cpu + START, cpu + LIMIT);
}

/** Whether there is an arena. */
export function hasArena(): bool {
  return load<u32>(cpu, END) != 0;
}

/** Has traces put between two addresses. */
function beginRun(from: usize, end: usize): void {
  store<u32>(cpu, <u32>from, NEXT);
  store<u32>(cpu, <u32>end, END);
  markFree(from, end);
}

/** Free room has a clear header, by which whoever goes through the arena passes it. */
function markFree(from: usize, end: usize): void {
  if (from >= end) return;
  clearHeader(from);
  store<u32>(from, <u32>end, T_ROOM_END);
}

/** Makes a trace's header that of one of which nothing is known. */
export function clearHeader(t: usize): void {
  memory.fill(t, 0, T_RECORDS);
  memory.fill(t + COLD, 0, T_RECORDS);
}

/** Room for `n` traces, going on to the next run if need be. */
function findRoom(n: usize): bool {
  while (<usize>load<u32>(cpu, NEXT) + n * ROOM > <usize>load<u32>(cpu, END)) {
    const run = <usize>load<u32>(cpu, RUNS);
    if (!run) return false;
    store<u32>(cpu, load<u32>(run, T_ROOM_NEXT), RUNS);
    beginRun(run, load<u32>(run, T_ROOM_END));
  }
  return true;
}

/** Room for one trace, with a header that is clear but for T_ROOM_END; 0: there is none. */
export function takeRoom(): usize {
  return findRoom(1) ? <usize>load<u32>(cpu, NEXT) : 0;
}

/** Whether there is room for so many more traces: none has to go for them. */
export function roomForTraces(n: u32): bool {
  return findRoom(n);
}

/** The trace that has been put together in the room last taken stays there. */
export function keepRoom(t: usize): void {
  // Behind a shadow there can be one record more than instructions counted up to TRACE_MAX.
  const next = startBehind(t, load<u16>(t, T_COUNT));
  store<u32>(cpu, <u32>next, NEXT);
  markFree(next, load<u32>(cpu, END));
}

/** Moves the trace that has been put together in the room last taken to where a dropped one lies, which nothing but its address names, and
 * returns that; 0: it has no room there. */
export function putInPlaceOf(dropped: usize, t: usize): usize {
  const n = load<u16>(t, T_COUNT);
  const next = startBehind(dropped, n);
  let end = startBehind(dropped, load<u16>(dropped, T_COUNT));
  // Behind it is what a shorter trace has left there, unless that is a run.
  if (next > end && end < cpu + LIMIT && end != <usize>load<u32>(cpu, NEXT) && !load<u16>(end, T_COUNT)) {
    const further = <usize>load<u32>(end, T_ROOM_END);
    if (further - end < RUN_LEAST) end = further;
  }
  if (next > end) return 0;
  const bytes = T_RECORDS + (n + 1) * RECORD_SIZE;
  memory.copy(dropped, t, bytes);
  memory.copy(dropped + COLD, t + COLD, bytes);
  markFree(next, end);
  giveBack(t);
  return dropped;
}

/** The room last taken, whose header is not clear any more, is free again. */
export function giveBack(t: usize): void {
  markFree(t, load<u32>(cpu, END));
}

/** Bounds of the traces that there are, dropped ones and free room among them, and what lies behind `t`. */
export function arenaStart(): usize {
  return cpu + START;
}
export function arenaEnd(): usize {
  return cpu + LIMIT;
}
export function traceAfter(t: usize): usize {
  const n = load<u16>(t, T_COUNT);
  return n ? startBehind(t, n) : <usize>load<u32>(t, T_ROOM_END);
}

/** Where a trace may begin behind `t`, if that has `n` instructions: the second half of its header begins a line. */
// @ts-ignore: decorator
@inline function startBehind(t: usize, n: u32): usize {
  return ((t + T_RECORDS + (n + 1) * RECORD_SIZE + (LINE / 2 - 1)) & ~(LINE - 1)) + LINE / 2;
}

/** Makes runs of what dropped traces left, and has traces put there. False: there is too little of it, and all traces are to go. */
export function reclaim(): bool {
  const end = cpu + LIMIT;
  let won: usize = 0;
  store<u32>(cpu, 0, RUNS);
  for (let t = cpu + START; t < end; t = traceAfter(t)) {
    const from = t;
    while (t < end && !load<u32>(t, T_VALID)) t = traceAfter(t);
    if (t - from >= RUN_LEAST) {
      won += t - from;
      markFree(from, t);
      store<u32>(from, load<u32>(cpu, RUNS), T_ROOM_NEXT);
      store<u32>(cpu, <u32>from, RUNS);
    }
    if (t >= end) break;
  }
  // Nothing is put behind the last trace: what is left there is in a run, or too little.
  store<u32>(cpu, load<u32>(cpu, NEXT), END);
  return won >= WORTH;
}
