// -accel jit,verify=on: a region is executed, what it did is undone, and the interpreter does the same instructions over.
// What both come to has to be the same: registers, flags, faults, and the pages of RAM that were written.
//
// A region stores only where the TLB has a writable page; any other store leaves it for the interpreter. So before a
// region runs, pages are made read-only but for a few, whose contents are kept: those written most recently.
import { clearFault, cpu, fault, faultError, faultVector, leave } from "../cpu";
import { findStep } from "../decode/dispatch";
import { T_REGION_COUNT } from "../decode/record";
import { statusFlags } from "../execute/flags";
import { settlePointers } from "../execute/x87/pointers";
import { KVM_EXIT_INTERNAL_ERROR, KVM_INTERNAL_ERROR_EMULATION } from "../exits";
import { executeStep, interpret } from "../generated/interpret";
import { trace as logTrace } from "../host";
import {
  CPU_CC_DST, CPU_CC_OP, CPU_CC_SRC, CPU_FUEL, CPU_PAGES_NOTED, CPU_RUN, CPU_SCRATCH, CPU_SHADOW, CPU_STATS, CPU_TRACE_RIP, LOG_VERIFY, LOG_VERIFY_DATA, RUN_ERROR, STAT_ENTRIES_VERIFIED, STAT_INSTRUCTIONS_VERIFIED,
  STAT_REGIONS_VERIFIED, VERIFY_PAGES, VM_JIT_VERIFY, VM_VCPU_COUNT,
} from "../layout";
import { notedPage, notedPages, watchWrites } from "../mmu/written";
import { TR_VERIFY_AFTER, TR_VERIFY_BEFORE, TR_VERIFY_KEPT, TR_VERIFY_WRITTEN } from "./layout";
import { markVerified } from "./slots";

/** Instructions that a region may execute at a time at most, so that the interpreter follows soon. */
const AT_ONCE: u32 = 4000;

let replaying: bool = false;
/** Whether the interpreter repeats what a region has done: no other region is entered meanwhile. */
export function isReplaying(): bool {
  return replaying;
}

/** Whether regions are to be checked: those of the only vCPU, as another one might write what is compared. */
export function isVerifying(): bool {
  return load<u32>(VM_JIT_VERIFY) != 0 && load<u32>(VM_VCPU_COUNT) <= 1;
}

/**
 * Executes the region in `slot` from entry number `entry`, at linear address `linear`, with its base at `base`, and
 * checks it. Returns what it returned; with FAULT_EXIT set it did something else than the interpreter.
 */
export function callVerified(slot: u32, trace: usize, entry: u32, base: u64, linear: u64): u32 {
  const fuel = load<u32>(cpu, CPU_FUEL);
  const given = min(fuel, max(AT_ONCE, load<u32>(trace, T_REGION_COUNT)));
  watchWrites();
  for (let i: u32 = 0; i < <u32>VERIFY_PAGES; i++) if (notedPage(i)) memory.copy(kept(i), notedPage(i), 4096);
  save(TR_VERIFY_BEFORE);
  store<u32>(cpu, given, CPU_FUEL);
  const status = call_indirect<u32>(slot, entry, base, slot);
  const executed = given - load<u32>(cpu, CPU_FUEL);
  const wasFault = fault;
  const vector = faultVector;
  const error = faultError;
  clearFault();
  settlePointers();
  const flags = statusFlags();
  save(TR_VERIFY_AFTER);
  for (let i: u32 = 0; i < <u32>VERIFY_PAGES; i++) {
    if (!notedPage(i)) continue;
    memory.copy(cpu + TR_VERIFY_WRITTEN + (<usize>i << 12), notedPage(i), 4096);
    memory.copy(notedPage(i), kept(i), 4096);
  }

  restore();
  const noted = notedPages();
  const left = replay(executed, wasFault != 0);
  store<u32>(cpu, fuel - executed, CPU_FUEL);
  const same = left == 0 && notedPages() == noted && fault == wasFault && (!fault || (faultVector == vector && faultError == error));
  settlePointers();
  if (!same || statusFlags() != flags || !sameState() || !samePages()) {
    clearFault();
    store<u32>(cpu, KVM_INTERNAL_ERROR_EMULATION, RUN_ERROR);
    logTrace(LOG_VERIFY_DATA, cpu + TR_VERIFY_AFTER, cpu + TR_VERIFY_WRITTEN, cpu + CPU_PAGES_NOTED);
    logTrace(LOG_VERIFY, slot | (<u64>flags << 32), linear, executed | (<u64>left << 32));
    leave(KVM_EXIT_INTERNAL_ERROR);
    return status;
  }
  add(STAT_ENTRIES_VERIFIED, 1);
  add(STAT_INSTRUCTIONS_VERIFIED, executed);
  if (markVerified(slot)) add(STAT_REGIONS_VERIFIED, 1);
  return status;
}

function add(stat: u32, n: u32): void {
  const at = cpu + CPU_STATS + (stat << 3);
  store<u64>(at, load<u64>(at) + n);
}

function kept(index: u32): usize {
  return cpu + TR_VERIFY_KEPT + (<usize>index << 12);
}

/** Copies the vCPU's registers to one of the places for them. */
function save(to: usize): void {
  memory.copy(cpu + to, cpu, CPU_RUN);
}

/** Puts the registers back to what they were before the region: requests are others' to make. */
function restore(): void {
  memory.copy(cpu, cpu + TR_VERIFY_BEFORE, CPU_FUEL);
  memory.copy(cpu + CPU_FUEL + 8, cpu + TR_VERIFY_BEFORE + CPU_FUEL + 8, CPU_RUN - CPU_FUEL - 8);
}

/** Has the interpreter execute so many instructions, and the one that faults. Returns how many it did not come to. */
function replay(instructions: u32, faults: bool): u32 {
  replaying = true;
  store<u32>(cpu, instructions, CPU_FUEL);
  if (instructions != 0) interpret();
  // What is too short for a trace, or too late because of a request.
  let left = load<u32>(cpu, CPU_FUEL);
  while (left && !fault && step()) left--;
  if (!fault && faults) step();
  replaying = false;
  return left;
}

/** Executes one instruction. False: it has faulted. */
function step(): bool {
  store<u32>(cpu, 0, CPU_SHADOW);
  const t = findStep();
  if (!t) return false;
  store<u32>(cpu, 0, CPU_FUEL);
  executeStep(t);
  return fault == 0;
}

/** What says nothing about the guest: flags are compared as what they stand for. */
function isLeftover(at: usize): bool {
  const word = at & ~7;
  return word == <usize>CPU_TRACE_RIP || word == <usize>CPU_FUEL || word == <usize>CPU_CC_DST || word == <usize>CPU_CC_SRC || at == <usize>CPU_CC_OP;
}

function sameState(): bool {
  const after = cpu + TR_VERIFY_AFTER;
  for (let at: usize = 0; at < <usize>CPU_SCRATCH; at += 4) {
    if (load<u32>(cpu + at) != load<u32>(after + at) && !isLeftover(at)) return false;
  }
  return true;
}

function samePages(): bool {
  for (let i: u32 = 0; i < <u32>VERIFY_PAGES; i++) {
    if (notedPage(i) && !samePage(notedPage(i), cpu + TR_VERIFY_WRITTEN + (<usize>i << 12))) return false;
  }
  return true;
}

function samePage(a: usize, b: usize): bool {
  let different = i64x2.splat(0);
  for (let at: usize = 0; at < 4096; at += 16) different = v128.or(different, v128.xor(v128.load(a + at), v128.load(b + at)));
  return !v128.any_true(different);
}
