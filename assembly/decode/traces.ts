// Traces: straight runs of decoded instructions, kept by guest physical address and mode. A vCPU has its own.
//
// A write to the bytes of a trace drops it: the header becomes invalid, so that links and the jump cache pass it by,
// and its records turn into OP_ABANDON, so that it is left after the instruction that wrote. The next one at its address
// takes its place if it has room there. Where the arena is full, the room of all dropped traces is used again if there is
// enough of it; else all traces go.
import { count, cpu, GP, NM, UD } from "../cpu";
import { LEAF_ENDS, LEAF_SHADOW, OP_ABANDON, OP_FAULT, OP_LEAVE, OP_NEXT, OP_SHADOW } from "../generated/opcodes";
import { trace as logTrace } from "../host";
import {
  CPU_ARENA, CPU_LOG, CPU_TRACES, LOG_COUNT, LOG_IN_ASM, LOG_UNIMP, MODE_CODE_MASK, MODE_DECODE_MASK, REQ_CODE_FLUSH, STAT_CODE_WRITES, STAT_TRACES_BUILT, STAT_TRACES_DROPPED, STAT_TRACE_FLUSHES, STAT_TRACE_SWEEPS,
  STAT_UNIMPLEMENTED, VM_VCPU_COUNT,
} from "../layout";
import { markCode, unmarkCode } from "../mmu/code";
import { requestOthers } from "../mmu/shootdown";
import { dropRegions } from "../translate/regions";
import { flushBatch } from "../translate/batch";
import { firstHeat, forgetTranslations, noteOverwritten } from "../translate/translator";
import { arenaEnd, arenaStart, beginArena, clearHeader, giveBack, hasArena, keepRoom, putInPlaceOf, reclaim, STEP_TRACE, takeRoom, TRACE_MAX, traceAfter } from "./arena";
import { forgetFarIfDropped } from "./far-links";
import { forgetJumpsToDropped, JUMP_CACHE, JUMP_CACHE_SIZE } from "./jumps";
import { decode, DECODE_NO_DEVICE, DECODE_SHORT, DECODE_TOO_LONG, leafFlags, unknownOpcode } from "./decoder";
import {
  COLD, R_BEHIND, R_CASE, R_IMM, R_NEXT, R_OFFSET, R_OP, RECORD_SIZE, T_COUNT, T_FALL, T_GPA, T_HASH_NEXT, T_HOST, T_LENGTH, T_MODE, T_PAGE_NEXT, T_RECORDS, T_TAKEN, T_VALID,
} from "./record";

/** u32: how often traces went of which somebody may have the address. */
const FLUSHES = CPU_TRACES + 16;
/** 32 bytes for an instruction whose bytes lie on two pages. */
export const STEP_BYTES = CPU_TRACES + 0x400;
/** u32 heads of chains by physical address, and by host page. */
const HASH = JUMP_CACHE + JUMP_CACHE_SIZE;
const HASH_ENTRIES: u32 = 131072;
const PAGES = HASH + 0x80000;
const PAGE_ENTRIES: u32 = 16384;
/** Bytes of an instruction at most. */
const LONGEST: u32 = 15;

/** How often traces went for others: a trace address from before may be worth nothing. */
export function flushCount(): u32 {
  return load<u32>(cpu, FLUSHES);
}

/** Drops all traces and the jump cache. */
export function flushTraces(): void {
  if (load<u32>(cpu, CPU_LOG) & LOG_COUNT && hasArena()) logTrace(LOG_COUNT, arenaStart(), arenaEnd(), 0);
  memory.fill(cpu + JUMP_CACHE, 0, CPU_ARENA - JUMP_CACHE);
  beginArena();
  store<u32>(cpu, load<u32>(cpu, FLUSHES) + 1, FLUSHES);
  forgetTranslations();
  count(STAT_TRACE_FLUSHES);
}

/** Has the room of dropped traces used again, which nothing names from then on. Regions stay: none outlives a trace that it was made of.
 * Between traces only. False: it is not worth it, and all are to go. */
function sweepTraces(): bool {
  // The counts of traces are told when all of them go.
  if (!hasArena() || load<u32>(cpu, CPU_LOG) & LOG_COUNT) return false;
  // What waits for a module names traces.
  flushBatch();
  if (!reclaim()) return false;
  memory.fill(cpu + HASH, 0, HASH_ENTRIES << 2);
  const end = arenaEnd();
  for (let t = arenaStart(); t < end; t = traceAfter(t)) {
    if (!load<u32>(t, T_VALID)) continue;
    if (!load<u32>(<usize>load<u32>(t, T_TAKEN), T_VALID)) store<u32>(t, 0, T_TAKEN);
    if (!load<u32>(<usize>load<u32>(t, T_FALL), T_VALID)) store<u32>(t, 0, T_FALL);
    forgetFarIfDropped(t);
    if (<usize>load<u32>(t, T_HOST) != cpu + STEP_BYTES) chain(t, hashHead(load<u64>(t, T_GPA), load<u16>(t, T_MODE)), T_HASH_NEXT);
  }
  forgetJumpsToDropped();
  store<u32>(cpu, load<u32>(cpu, FLUSHES) + 1, FLUSHES);
  count(STAT_TRACE_SWEEPS);
  return true;
}

/** Puts a trace in front of a chain. */
function chain(t: usize, head: usize, next: usize): void {
  store<u32>(t + next, load<u32>(head));
  store<u32>(head, <u32>t);
}

// @ts-ignore: decorator
@inline function hashHead(gpa: u64, mode: u32): usize {
  return cpu + HASH + <usize>(((<u32>gpa ^ (<u32>gpa >> 17) ^ mode << 4) & (HASH_ENTRIES - 1)) << 2);
}

// @ts-ignore: decorator
@inline function pageHead(host: usize): usize {
  return cpu + PAGES + ((((host >> 12) & (PAGE_ENTRIES - 1))) << 2);
}

/** A dropped trace at the address that traceAt() last found nothing at; 0: there is none. Whatever names it means the trace at that address. */
let droppedThere: usize = 0;

/** The trace at a guest physical address in a mode (under MODE_DECODE_MASK), or 0. Dropped ones of that address leave the chain here. */
export function traceAt(gpa: u64, mode: u32): usize {
  droppedThere = 0;
  const key = mode & MODE_DECODE_MASK;
  const head = hashHead(gpa, key);
  let previous: usize = 0;
  let t = <usize>load<u32>(head);
  while (t) {
    const next = <usize>load<u32>(t, T_HASH_NEXT);
    if (load<u64>(t, T_GPA) != gpa || <u32>load<u16>(t, T_MODE) != key) previous = t;
    else if (load<u32>(t, T_VALID)) return t;
    else {
      if (previous) store<u32>(previous, <u32>next, T_HASH_NEXT);
      else store<u32>(head, <u32>next);
      droppedThere = t;
    }
    t = next;
  }
  return 0;
}

/** Ends a run of records. */
function terminate(rec: usize, op: u32, offset: u32): void {
  store<u16>(rec, <u16>op, R_CASE);
  store<u32>(rec, op, R_OP);
  store<i32>(rec, offset, R_BEHIND);
  store<u16>(rec, <u16>offset, R_OFFSET);
  store<u16>(rec, <u16>offset, R_NEXT);
}

/** In R_IMM of a record with OP_FAULT: the vector, and above it for #NM the instruction's LEAF_* bits. */
export const FAULT_LEAF_SHIFT: u32 = 8;

/** Fields that an instruction does not use are 0, whatever trace lay there before: what a trace is named by has all of them (translate/profile.ts). */
function clearRecord(rec: usize): void {
  store<u64>(rec, 0);
  store<u64>(rec, 0, 8);
  store<u64>(rec, 0, COLD);
  store<u64>(rec, 0, COLD + 8);
}

/** A record that raises what decode() says. */
function faultRecord(rec: usize, refusal: i32, offset: u32, linear: u64): void {
  terminate(rec, OP_FAULT, offset);
  // Which one it is follows from more than the mode that a trace is good for: raiseDecoded() finds out.
  store<u32>(rec, refusal == DECODE_NO_DEVICE ? NM | leafFlags << FAULT_LEAF_SHIFT : refusal == DECODE_TOO_LONG ? GP : UD, R_IMM);
  if (!unknownOpcode) return;
  count(STAT_UNIMPLEMENTED);
  if (load<u32>(cpu, CPU_LOG) & LOG_UNIMP) logTrace(LOG_UNIMP, linear + offset, 0, 0);
}

/**
 * Decodes a trace of at most `most` instructions from host address `host`, `available` bytes of which may be read.
 * Returns how many instructions it has: 0 if the very first needs more bytes. The trace's length is in T_LENGTH.
 */
function fill(t: usize, host: usize, available: usize, mode: u32, linear: u64, most: u32, tracked: bool): u32 {
  const shared = tracked && load<u32>(VM_VCPU_COUNT) > 1;
  let rec = t + T_RECORDS;
  let offset: u32 = 0;
  let n: u32 = 0;
  // Bytes behind the first of an instruction that is refused: any of them may be why.
  let behind: u32 = 0;
  let shadowed = false;
  for (;;) {
    clearRecord(rec);
    let length = decode(host + offset, available - offset, mode, rec, offset);
    if (length == DECODE_SHORT) {
      if (n == 0) return 0;
      terminate(rec, OP_NEXT, offset);
      break;
    }
    if (length < 0) behind = min<u32>(LONGEST, <u32>available - offset) - 1;
    if (tracked) markCode(host + offset, length > 0 ? length : <i32>behind + 1);
    // Another vCPU may have written the bytes before they were marked.
    if (shared) length = decode(host + offset, available - offset, mode, rec, offset);
    if (length < 0) {
      faultRecord(rec, length, offset, linear);
      n++;
      offset++;
      break;
    }
    n++;
    offset += length;
    rec += RECORD_SIZE;
    const flags = leafFlags;
    if (flags & LEAF_ENDS) {
      terminate(rec, OP_LEAVE, offset);
      break;
    }
    // STI behind STI, where IF is set already, casts no other shadow (SDM volume 2, STI).
    if (flags & LEAF_SHADOW && !shadowed) {
      // The next instruction belongs to this one: interrupts are not looked at in between.
      const next = most > 1 ? decode(host + offset, available - offset, mode, rec, offset) : DECODE_SHORT;
      if (next <= 0) {
        terminate(rec, OP_SHADOW, offset);
        break;
      }
      most = n + 1;
      shadowed = true;
      continue;
    }
    if (n >= most || offset >= available) {
      terminate(rec, OP_NEXT, offset);
      break;
    }
  }
  store<u16>(t, <u16>n, T_COUNT);
  store<u32>(t, offset + behind, T_LENGTH);
  store<u32>(t, <u32>host, T_HOST);
  if (tracked && load<u32>(cpu, CPU_LOG) & LOG_IN_ASM) logTrace(LOG_IN_ASM, linear, host, <u64>offset | (<u64>(mode & MODE_CODE_MASK) << 32));
  return n;
}

/** Room for a trace. Where there is none, others go. */
function takeTrace(): usize {
  const t = takeRoom();
  if (t) return t;
  droppedThere = 0;
  if (!sweepTraces()) flushTraces();
  return takeRoom();
}

/** Builds and keeps the trace at host address `host` = physical `gpa`, where traceAt() has just found none; 0: its first instruction crosses
 * the page. */
export function buildTrace(host: usize, gpa: u64, mode: u32, linear: u64): usize {
  let t = takeTrace();
  const n = fill(t, host, 0x1000 - (host & 0xfff), mode, linear, TRACE_MAX, true);
  if (n == 0) return 0;
  const there = droppedThere ? putInPlaceOf(droppedThere, t) : 0;
  if (there) t = there;
  else keepRoom(t);
  const key = mode & MODE_DECODE_MASK;
  store<u64>(t, gpa, T_GPA);
  store<u16>(t, <u16>key, T_MODE);
  chain(t, hashHead(gpa, key), T_HASH_NEXT);
  chain(t, pageHead(host), T_PAGE_NEXT);
  store<u32>(t, firstHeat(t), T_VALID);
  count(STAT_TRACES_BUILT);
  return t;
}

/**
 * Decodes, for the translator, the one instruction whose first `here` bytes end the page at host address `first` + here
 * and whose others begin the page at `second`. It is in no table: whoever takes it looks after both pages. 0: it does not
 * reach over, or there is no room.
 */
export function crossingTrace(first: usize, here: usize, second: usize, mode: u32): usize {
  const t = takeRoom();
  if (!t) return 0;
  const bytes = cpu + STEP_BYTES;
  memory.copy(bytes, first, here);
  memory.copy(bytes + here, second, 16 - here);
  if (!fill(t, bytes, 16, mode, 0, 1, false) || load<u32>(t, T_LENGTH) <= here || <u32>load<u16>(t + T_RECORDS, R_CASE) == OP_FAULT) {
    giveBack(t);
    return 0;
  }
  markCode(first, <i32>here);
  markCode(second, load<u32>(t, T_LENGTH) - <i32>here);
  store<u16>(t, <u16>(mode & MODE_DECODE_MASK), T_MODE);
  store<u32>(t, 1, T_VALID);
  keepRoom(t);
  return t;
}

/** A trace of one instruction that is kept nowhere; 0: more bytes are needed. */
export function stepTrace(host: usize, available: usize, mode: u32, linear: u64): usize {
  const t = cpu + STEP_TRACE;
  clearHeader(t);
  return fill(t, host, available, mode, linear, 1, false) ? t : 0;
}

/** RAM that holds decoded code was written: `length` bytes at `host`, in one page. Called after the write. */
export function codeWritten(host: usize, length: i32): void {
  count(STAT_CODE_WRITES);
  dropRegions(host, length);
  const end = host + length;
  const head = pageHead(host);
  let previous: usize = 0;
  let t = <usize>load<u32>(head);
  while (t) {
    const next = <usize>load<u32>(t, T_PAGE_NEXT);
    const from = <usize>load<u32>(t, T_HOST);
    if (from < end && host < from + load<u32>(t, T_LENGTH)) {
      drop(t);
      if (previous) store<u32>(previous, <u32>next, T_PAGE_NEXT);
      else store<u32>(head, <u32>next);
    } else previous = t;
    t = next;
  }
  const shared = load<u32>(VM_VCPU_COUNT) > 1;
  // Also where nothing was dropped: the mark may be of a trace that went when the arena was emptied.
  unmarkAround(host, length, head);
  // After the marks: whatever another vCPU decodes from here on is marked again, and what it has it drops.
  if (shared) requestOthers(REQ_CODE_FLUSH);
}

/** Lines without traces of this vCPU are plain data again; the others drop all of theirs. */
function unmarkAround(host: usize, length: i32, head: usize): void {
  const page = host & ~0xfff;
  unmarkCode(host, length);
  for (let t = <usize>load<u32>(head); t; t = load<u32>(t, T_PAGE_NEXT)) {
    const from = <usize>load<u32>(t, T_HOST);
    if ((from & ~0xfff) == page) markCode(from, load<u32>(t, T_LENGTH));
  }
}

function drop(t: usize): void {
  noteOverwritten(t);
  store<u32>(t, 0, T_VALID);
  const last = t + T_RECORDS + <usize>load<u16>(t, T_COUNT) * RECORD_SIZE;
  for (let rec = t + T_RECORDS; rec <= last; rec += RECORD_SIZE) {
    store<u16>(rec, <u16>OP_ABANDON, R_CASE);
    store<u32>(rec, OP_ABANDON, R_OP);
  }
  count(STAT_TRACES_DROPPED);
}
