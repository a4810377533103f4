// The blocks of the region being made and the pages that they lie on.
//
// Blocks are named by their displacement from the base: the address of the head's page. Code reached by relative jumps
// keeps its displacement wherever it is mapped, so that a region is good for every mapping of its pages.
import { cpu } from "../cpu";
import { R_LENGTH, R_OP, RECORD_SIZE, T_COUNT, T_FLAGS, T_GPA, T_HOST, T_LENGTH, T_MODE, T_RECORDS, T_VALID, TRACE_ENTERED } from "../decode/record";
import { roomForTraces } from "../decode/arena";
import { buildTrace, crossingTrace, traceAt } from "../decode/traces";
import { OP_FIRST_GROUP } from "../generated/opcodes";
import { VM_JIT_THRESHOLD } from "../layout";
import { fetchAhead, fetchGpa, fetchTranslate } from "../mmu/translate";
import { kindOf } from "./cases";
import { entersRegion } from "./parts";
import { beginMode, code64 } from "./code-mode";
import { BLOCK_SIZE, BLOCKS_MAX, PAGES_MAX, TR_BLOCKS, TR_LEADERS, TR_PAGES } from "./layout";
import { isOnItsOwn } from "./waiting";

/** Instructions of a region at most. */
const INSTRUCTIONS_MAX: u32 = 600;

// A page: i32 displacement, u32 host address, u64 guest physical address, u32 lines that hold the region's code.
const PAGE_SIZE_BYTES: usize = 32;
export const P_DELTA: usize = 0;
export const P_HOST: usize = 4;
export const P_GPA: usize = 8;
export const P_LINES: usize = 16;

// A block.
/** u32: the trace that it is the beginning of. */
export const B_TRACE: usize = 0;
/** i32: displacement of its first byte, and of the first byte behind it. */
export const B_DELTA: usize = 4;
export const B_END: usize = 8;
/** u32: instructions. */
export const B_COUNT: usize = 12;
/** i32: the block that the branch at the end goes to, or went to last where it is computed; the block behind; -1: not in the
 * region. */
export const B_TAKEN: usize = 16;
export const B_FALL: usize = 20;
/** u32: KIND_* of the last record. */
export const B_KIND: usize = 24;
/** u32: BLOCK_* bits. */
export const B_FLAGS: usize = 28;
/** u64: direct successors, and those that a computed jump has gone to, as a set of blocks. */
export const B_SUCCESSORS: usize = 32;
/** i32: CC_OP of the status flags at entry and at the end, FLAGS_* where that is not known. */
export const B_KNOWN_IN: usize = 40;
export const B_KNOWN_OUT: usize = 44;
/** u32: status flags that may be looked at. */
export const B_LIVE_IN: usize = 48;
/** u32: number in the region's dispatch table. */
export const B_ENTRY: usize = 52;
/** i32: position in the order of emission, -1: it is not emitted. */
export const B_POSITION: usize = 56;

/** u32: registers that may be dirty where it begins, those that its own instructions leave so, and those of the former that
 * it does not store (flow.ts). */
export const B_DIRTY_IN: usize = 60;
export const B_DIRTY_GEN: usize = 64;
export const B_DIRTY_KEEP: usize = 68;
/** u64: direct predecessors as a set of blocks (order.ts). */
export const B_PREDECESSORS: usize = 72;

/** Entered from outside: by computed jumps, returns, and traces that are not in the region. */
export const BLOCK_ENTRY: u32 = 1;
/** Follows a call. */
export const BLOCK_RETURN: u32 = 2;
/** A call in the region goes to it: others will, too, and would have the interpreter execute it until it has a region of its own. */
export const BLOCK_CALLED: u32 = 4;
/** The region may be entered at it. */
export const BLOCK_ENTERED: u32 = BLOCK_ENTRY | BLOCK_RETURN | BLOCK_CALLED;

export let blockCount: i32 = 0;
export let pageCount: i32 = 0;
export let instructionCount: u32 = 0;
let mode: u32 = 0;
let base: u64 = 0;

// @ts-ignore: decorator
@inline export function blockAt(index: i32): usize {
  return cpu + TR_BLOCKS + <usize>index * BLOCK_SIZE;
}
// @ts-ignore: decorator
@inline export function pageAt(index: i32): usize {
  return cpu + TR_PAGES + <usize>index * PAGE_SIZE_BYTES;
}
/** The records of a block lie one after the other. */
// @ts-ignore: decorator
@inline export function firstRecord(b: usize): usize {
  return <usize>load<u32>(b, B_TRACE) + T_RECORDS;
}
// @ts-ignore: decorator
@inline export function lastRecord(b: usize): usize {
  return firstRecord(b) + <usize>(load<u32>(b, B_COUNT) - 1) * RECORD_SIZE;
}

/** Length of a record; one that raises what the decoder found wrong counts a byte. */
export function lengthOf(rec: usize): u32 {
  return <u32>load<u16>(rec, R_OP) < OP_FIRST_GROUP ? 1 : <u32>load<u8>(rec, R_LENGTH);
}

/** Whether the region is a part of what its head reaches: what enters another region is left out. */
export let isPart: bool = false;

/** Begins a region whose head is `trace`, now mapped at `linear`; `part`: of what enters no other region. */
export function beginBlocks(trace: usize, linear: u64, part: bool): void {
  isPart = part;
  blockCount = 0;
  pageCount = 0;
  instructionCount = 0;
  mode = load<u16>(trace, T_MODE);
  beginMode(mode);
  base = linear & ~0xfff;
  addPage(0, <usize>load<u32>(trace, T_HOST) & ~0xfff, load<u64>(trace, T_GPA) & ~0xfff);
  addBlock(trace, <i32>(linear & 0xfff));
}

function addPage(delta: i32, host: usize, gpa: u64): i32 {
  const p = pageAt(pageCount);
  store<i32>(p, delta, P_DELTA);
  store<u32>(p, <u32>host, P_HOST);
  store<u64>(p, gpa, P_GPA);
  store<u32>(p, 0, P_LINES);
  memory.fill(cpu + TR_LEADERS + (<usize>pageCount << 9), 0, 512);
  return pageCount++;
}

/** Number of the region's page for a displacement, taken in if it is mapped for execution now; -1: none. */
function pageFor(delta: i32): i32 {
  const start = delta & ~0xfff;
  for (let i = 0; i < pageCount; i++) if (load<i32>(pageAt(i), P_DELTA) == start) return i;
  const linear = base + <i64>start;
  if (!code64 && linear >> 32) return -1;
  // What has been accessed already can be looked up without a trace that the guest could see.
  if (pageCount >= PAGES_MAX || !fetchAhead(linear)) return -1;
  const host = fetchTranslate(linear);
  return host ? addPage(start, host, fetchGpa) : -1;
}

/** The trace that begins at a displacement on one of the region's pages; 0: none. */
export function traceBeginningAt(delta: i32): usize {
  const start = delta & ~0xfff;
  for (let i = 0; i < pageCount; i++) {
    if (load<i32>(pageAt(i), P_DELTA) == start) return traceAt(load<u64>(pageAt(i), P_GPA) + (delta & 0xfff), mode);
  }
  return 0;
}

// ---------------------------------------------------------------- leaders
function leaderBit(page: i32, delta: i32): usize {
  return cpu + TR_LEADERS + (<usize>page << 9) + ((delta & 0xfff) >> 3);
}

/** Whether a block begins at a displacement. */
function isLeader(delta: i32): bool {
  for (let i = 0; i < pageCount; i++) {
    if (load<i32>(pageAt(i), P_DELTA) == (delta & ~0xfff)) return (load<u8>(leaderBit(i, delta)) >> (delta & 7) & 1) != 0;
  }
  return false;
}

function addBlock(trace: usize, delta: i32): i32 {
  const b = blockAt(blockCount);
  memory.fill(b, 0, BLOCK_SIZE);
  store<u32>(b, <u32>trace, B_TRACE);
  store<i32>(b, delta, B_DELTA);
  store<i32>(b, delta + load<i32>(trace, T_LENGTH), B_END);
  store<u32>(b, load<u16>(trace, T_COUNT), B_COUNT);
  if (blockCount == 0 || load<u16>(trace, T_FLAGS) & TRACE_ENTERED) store<u32>(b, BLOCK_ENTRY, B_FLAGS);
  instructionCount += load<u16>(trace, T_COUNT);
  const bit = leaderBit(pageFor(delta), delta);
  store<u8>(bit, load<u8>(bit) | <u8>((<u32>1) << (delta & 7)));
  return blockCount++;
}

export function blockStarting(delta: i32): i32 {
  for (let i = 0; i < blockCount; i++) if (load<i32>(blockAt(i), B_DELTA) == delta) return i;
  return -1;
}

function isFull(): bool {
  return blockCount >= BLOCKS_MAX || instructionCount >= INSTRUCTIONS_MAX;
}

/** The block at a displacement, taken in if its code has been executed and there is room; -1: none. */
export function reach(delta: i32): i32 {
  const known = blockStarting(delta);
  if (known >= 0) return known;
  if (isFull()) return -1;
  const pages = pageCount;
  const page = pageFor(delta);
  if (page < 0) return -1;
  let t = traceAt(load<u64>(pageAt(page), P_GPA) + (delta & 0xfff), mode);
  if (!t) t = acrossPages(page, delta);
  if (!t || !load<u32>(t, T_VALID) || isRare(t) || isOnItsOwn(t) || (isPart && entersRegion(t))) {
    pageCount = pages;
    return -1;
  }
  return addBlock(t, delta);
}

/** Whether there is room to decode so many blocks. */
export function roomForBlocks(count: i32): bool {
  return count <= BLOCKS_MAX && roomForTraces(count);
}

/** Takes in the block at a displacement, which may not have been executed yet. Its number; -1: its page is not mapped for execution, or
 * the region is full. */
export function takeIn(delta: i32): i32 {
  if (isFull()) return -1;
  const page = pageFor(delta);
  if (page < 0) return -1;
  const offset = delta & 0xfff;
  const gpa = load<u64>(pageAt(page), P_GPA) + offset;
  let t = traceAt(gpa, mode);
  if (!t) t = buildTrace(load<u32>(pageAt(page), P_HOST) + offset, gpa, mode, base + <i64>delta);
  if (!t) t = acrossPages(page, delta);
  return t && load<u32>(t, T_VALID) ? addBlock(t, delta) : -1;
}

/** Whether a trace that no region has yet has been executed so much less often than what becomes a head that it costs more to
 * translate than to leave the region for it. */
function isRare(trace: usize): bool {
  const threshold = load<u32>(VM_JIT_THRESHOLD);
  const heat = load<u32>(trace, T_VALID);
  return heat <= threshold && threshold - heat < threshold / (takesRare ? RARE_ANEW : RARE);
}
/** How many times less (docs/decisions/0018). */
const RARE: u32 = 16;
/** The same for what takes the place of a region that lacked something (joining.ts): nothing of the loop is to be left out once more. */
const RARE_ANEW: u32 = 500;

let takesRare: bool = false;
/** Whether the region to be made takes the place of one that lacked something. */
export function takeRare(anew: bool): void {
  takesRare = anew;
}

/** The instruction that begins at the end of a page and reaches into the next, which no trace has. */
function acrossPages(page: i32, delta: i32): usize {
  const here = 0x1000 - (delta & 0xfff);
  if (here > LONGEST) return 0;
  const next = pageFor(delta + here);
  if (next < 0) return 0;
  return crossingTrace(<usize>load<u32>(pageAt(page), P_HOST) + (delta & 0xfff), here, load<u32>(pageAt(next), P_HOST), mode);
}
/** Bytes of an instruction at most, less one. */
const LONGEST: i32 = 14;

/** Lets go of the blocks taken in last, and of their pages. */
export function dropFrom(blocks: i32, pages: i32, instructions: u32): void {
  while (blockCount > blocks) {
    blockCount--;
    const delta = load<i32>(blockAt(blockCount), B_DELTA);
    const bit = leaderBit(pageFor(delta), delta);
    store<u8>(bit, load<u8>(bit) & ~<u8>((<u32>1) << (delta & 7)));
  }
  pageCount = pages;
  instructionCount = instructions;
}

/** Ends a block where another begins. */
export function cut(b: usize): void {
  let at = load<i32>(b, B_DELTA);
  const count = load<u32>(b, B_COUNT);
  let rec = firstRecord(b);
  for (let n: u32 = 1; n < count; n++, rec += RECORD_SIZE) {
    at += lengthOf(rec);
    if (!isLeader(at)) continue;
    instructionCount -= count - n;
    store<u32>(b, n, B_COUNT);
    store<i32>(b, at, B_END);
    store<u32>(b, kindOf(rec), B_KIND);
    return;
  }
}

/** Lines of each page that the traces of the emitted blocks lie on: `emitted` as a set. All of each trace, be the block cut or not: a region
 * does not outlive the records that its pool names. */
export function noteLines(emitted: u64): void {
  for (let i = 0; i < blockCount; i++) {
    if (!((emitted >> i) & 1)) continue;
    const b = blockAt(i);
    const from = load<i32>(b, B_DELTA);
    const last = from + load<i32>(load<u32>(b, B_TRACE), T_LENGTH) - 1;
    const p = pageAt(pageFor(from));
    // A trace ends with its page, but for an instruction that reaches over.
    const first = (from & 0xfff) >> 7;
    const across = (last & ~0xfff) != (from & ~0xfff);
    const end = across ? 31 : (last & 0xfff) >> 7;
    for (let line = first; line <= end; line++) store<u32>(p, load<u32>(p, P_LINES) | ((<u32>1) << line), P_LINES);
    if (!across) continue;
    const next = pageAt(pageFor(last));
    store<u32>(next, load<u32>(next, P_LINES) | 1, P_LINES);
  }
}
