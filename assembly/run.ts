// KVM_RUN: enters the guest, and decides between its slices what comes next: events, timers, exits.
import { clearFault, count, cpu, FAULT_EXCEPTION, FAULT_EXIT, FAULT_RESUME, fault, faultError, faultVector, FLAG_IF, FLAG_RF, FLAG_TF } from "./cpu";
import { findStep, linearRip } from "./decode/dispatch";
import { flushTraces } from "./decode/traces";
import { breakpointsArmed, checkInstructionBreakpoint, dropDebugTraps, hostSteps, instructionBreakpointsArmed, raiseDebugTraps, raiseSingleStep } from "./execute/debug";
import { deliverException } from "./execute/exception";
import { deliverInterrupt, deliverNmi } from "./execute/interrupt";
import { interruptWaiting } from "./execute/request";
import { resetCpu, startUp } from "./execute/reset";
import { SHADOW_MOV_SS } from "./execute/segments";
import {
  KVM_EXIT_HLT, KVM_EXIT_INTR, KVM_EXIT_IOAPIC_EOI, KVM_EXIT_IRQ_WINDOW_OPEN, KVM_MP_STATE_HALTED, KVM_MP_STATE_INIT_RECEIVED, KVM_MP_STATE_RUNNABLE,
} from "./exits";
import { settlePointers } from "./execute/x87/pointers";
import { executeStep, interpret } from "./generated/interpret";
import { nowNs } from "./host";
import { advanceIcountTo, guestNs, guestNsAt } from "./irqchip/clock";
import { interruptAcknowledge, interruptReady, nextDeadline, runTimersAt } from "./irqchip/index";
import { kvmClockUpdate } from "./irqchip/kvmclock";
import { takeEoiExit, takeEvents } from "./irqchip/lapic";
import { CHIPS_LAPIC, EVENT_INIT, EVENT_NMI, EVENT_NMI_AGAIN, EVENT_SIPI, EVENT_SIPI_VECTOR_SHIFT, EVENT_UNHALT } from "./irqchip/layout";
import { logPending, logReset, logRewind } from "./mmu/access-log";
import { tlbFlushAll, resumeContext } from "./mmu/contexts";
import { enterGuest, leaveGuest } from "./mmu/shootdown";
import { endBatch } from "./translate/batch";
import {
  CPU_EFLAGS, CPU_EXCEPTION_ERROR, CPU_EXCEPTION_HAS_ERROR, CPU_EXCEPTION_PENDING, CPU_EXCEPTION_VECTOR, CPU_FUEL, CPU_INDEX, CPU_INTERRUPT_PENDING, CPU_INTERRUPT_VECTOR, CPU_MP_STATE,
  CPU_NMI_MASKED, CPU_NMI_PENDING, CPU_RETIRED, CPU_SHADOW, CPU_SIPI_VECTOR, CPU_SLICE, REQ_CODE_FLUSH, REQ_EVENT, REQ_KICK, REQ_STATE, REQ_TLB_FLUSH,
  RUN_ERROR, RUN_EXACT, RUN_EXIT_REASON, RUN_IF_FLAG, RUN_IMMEDIATE_EXIT, RUN_LIMIT, RUN_READY_FOR_INTERRUPT, RUN_REQUEST_INTERRUPT_WINDOW, RUN_WAKE_AT, STAT_EXITS, STAT_HALTS, VM_CHIPS, VM_ICOUNT_SHIFT,
} from "./layout";

/** Instructions of a slice: few enough for timers to be punctual, enough for the clock not to be asked all the time. */
const SLICE_MAX: f64 = 200000;
const SLICE_MIN: f64 = 500;
/** Instructions a nanosecond of host time, as the last slices had it. */
let speed: f64 = 0.05;

const REQUESTS: usize = CPU_FUEL + 4;

const FLUSHES: u32 = REQ_TLB_FLUSH | REQ_CODE_FLUSH | REQ_STATE;

/** No reason to leave yet. */
const STAY: i32 = -1;

/**
 * KVM_RUN. Runs the selected vCPU until it needs the host, is kicked, or maxNs of host time are used up.
 * mayBlock: 1: a halted vCPU sleeps here until its next deadline or a wake-up; 0: it returns INTR with the time
 * at which it wants to be entered again in RUN_WAKE_AT. Returns KVM_EXIT_*.
 */
export function run(maxNs: f64, mayBlock: i32): i32 {
  // Halted, but left for a kick or the end of its time: an event may just have been taken note of. At once.
  store<f64>(cpu, 0, RUN_WAKE_AT);
  enterGuest();
  resumeContext();
  kvmClockUpdate();
  const now = nowNs();
  const reason = runUntilExit(now, now + maxNs, mayBlock);
  endSlice();
  settlePointers();
  leaveGuest();
  store<u32>(cpu, reason, RUN_EXIT_REASON);
  store<u32>(cpu, u32(interruptsOpen()), RUN_IF_FLAG);
  const chips = load<u32>(VM_CHIPS) & CHIPS_LAPIC;
  store<u32>(cpu, u32(chips != 0 || (interruptsOpen() && !load<u32>(cpu, CPU_SHADOW) && !load<u32>(cpu, CPU_INTERRUPT_PENDING))), RUN_READY_FOR_INTERRUPT);
  count(STAT_EXITS + reason);
  return reason;
}

/** `began`: the time of the host. Where an exit follows soon, reading the clock is most of what a turn of the loop costs. */
function runUntilExit(began: f64, until: f64, mayBlock: i32): i32 {
  // What the host answered is for the instruction that asked: it completes before anything else happens, on
  // translations that know what the host did to slots and logs meanwhile.
  takeFlushes();
  if (logPending()) {
    logRewind();
    if (logPending()) {
      const reason = oneInstruction();
      if (reason != STAY) return reason;
    }
  }
  if (load<u32>(cpu, RUN_IMMEDIATE_EXIT)) return KVM_EXIT_INTR;
  const limit = load<u32>(cpu, RUN_LIMIT);
  const exact = load<u32>(cpu, RUN_EXACT);
  if (exact == 1) return exactly(limit);
  let reason = turn(began, until, limit, exact != 0, mayBlock);
  while (reason == STAY) reason = turn(nowNs(), until, limit, exact != 0, mayBlock);
  return reason;
}

/** Looks at all that may be asked for, and executes until something comes up. `now`: the time of the host. STAY: there is more to do. */
function turn(now: f64, until: f64, limit: u32, exact: bool, mayBlock: i32): i32 {
  takeFlushes();
  const requests = atomic.load<u32>(cpu, REQUESTS);
  if (requests) {
    atomic.and<u32>(cpu, ~(requests & ~FLUSHES), REQUESTS);
    if (requests & REQ_EVENT) kvmClockUpdate();
    if (requests & REQ_KICK) return KVM_EXIT_INTR;
  }
  if (now >= until) return KVM_EXIT_INTR;
  const time = guestNsAt(now);
  runTimersAt(time);
  const eoi = takeEoiExit();
  if (eoi >= 0) {
    store<u32>(cpu, eoi, RUN_ERROR);
    return KVM_EXIT_IOAPIC_EOI;
  }
  if (!runnable()) return halt(until, mayBlock);
  let reason = events();
  if (exact && reason == STAY) return KVM_EXIT_INTR;
  if (reason == STAY) reason = stepping() || limit == 1 ? oneInstruction() : slice(now, time, until - now, limit);
  return reason == STAY && limit ? KVM_EXIT_INTR : reason;
}

/** Executes that many instructions one by one, a repeated one with all of its iterations. */
function exactly(instructions: u32): i32 {
  let left = instructions;
  while (left) {
    const before = load<u64>(cpu, CPU_RETIRED);
    const reason = oneInstruction();
    if (reason != STAY) return reason;
    if (stoppedBetween) store<u64>(cpu, before, CPU_RETIRED);
    else left--;
  }
  return KVM_EXIT_INTR;
}

/** Drops what another vCPU or the host has made stale. */
function takeFlushes(): void {
  const requests = atomic.load<u32>(cpu, REQUESTS) & FLUSHES;
  if (!requests) return;
  atomic.and<u32>(cpu, ~requests, REQUESTS);
  if (requests & REQ_CODE_FLUSH) flushTraces();
  tlbFlushAll();
}

function interruptsOpen(): bool {
  return (load<u32>(cpu, CPU_EFLAGS) & FLAG_IF) != 0;
}

// ---------------------------------------------------------------- executing
/** Something has to be looked at after every single instruction. */
function stepping(): bool {
  return (load<u32>(cpu, CPU_EFLAGS) & FLAG_TF) != 0 || load<u32>(cpu, CPU_SHADOW) != 0 || hostSteps() || breakpointsArmed();
}

function beginSlice(instructions: u32): void {
  store<u32>(cpu, instructions, CPU_SLICE);
  store<u32>(cpu, instructions, CPU_FUEL);
}

/** Counts what the slice has executed. */
function endSlice(): void {
  const executed = load<u32>(cpu, CPU_SLICE) - load<u32>(cpu, CPU_FUEL);
  store<u64>(cpu, load<u64>(cpu, CPU_RETIRED) + executed, CPU_RETIRED);
  beginSlice(0);
}

/** Executes until the next timer, the end of the time given, or whatever comes up. `now`, `time`: of the host, of the guest. */
function slice(now: f64, time: f64, leftNs: f64, limit: u32): i32 {
  const shift = load<i32>(VM_ICOUNT_SHIFT);
  const toDeadline = nextDeadline() - time;
  let instructions: f64;
  if (shift >= 0) instructions = toDeadline / <f64>((<u64>1) << <u64>shift);
  else instructions = min(toDeadline, leftNs) * speed;
  if (limit) instructions = min(instructions, <f64>limit);
  // A trace is entered only with fuel for all of it.
  beginSlice(<u32>max(min(instructions, SLICE_MAX), shift >= 0 ? 32 : SLICE_MIN));
  executeSlice(limit);
  // What became hot meanwhile is compiled together.
  endBatch();
  const executed = <f64>(load<u32>(cpu, CPU_SLICE) - load<u32>(cpu, CPU_FUEL));
  endSlice();
  if (executed >= SLICE_MIN) {
    const took = max(nowNs() - now, 1000);
    speed = max(0.001, min(2, speed * 0.75 + (executed / took) * 0.25));
  }
  return settle();
}

/** Uses the slice up, unless something has to be looked at. Exceptions are delivered on the way where no limit is counted;
 * one whose handler raises the next with its first instruction ends the slice, as that may go on for ever. */
function executeSlice(limit: u32): void {
  for (;;) {
    const fuel = load<u32>(cpu, CPU_FUEL);
    interpret();
    if (fault != FAULT_EXCEPTION || limit || load<u32>(cpu, CPU_FUEL) == fuel) break;
    logReset();
    deliverException(faultVector, faultError);
    // A task gate may have loaded TF or IF.
    if (fault || stepping() || (interruptWaiting && interruptsOpen())) return;
  }
  // SYSRET to a program that is stepped.
  if (!fault) raiseDebugTraps();
}

/** The instruction executed last by itself is a repeated one that has iterations left. */
let stoppedBetween: bool = false;

/** Executes one instruction, and raises the traps that follow it. */
function oneInstruction(): i32 {
  stoppedBetween = false;
  const traced = (load<u32>(cpu, CPU_EFLAGS) & FLAG_TF) != 0;
  const hostTraced = hostSteps();
  if (instructionBreakpointsArmed() && !logPending()) {
    if (checkInstructionBreakpoint(linearRip())) return settle();
  }
  store<u32>(cpu, 0, CPU_SHADOW);
  // RF is for this instruction; where it does not complete, for its next attempt. IRET may set it anew.
  const resumed = load<u32>(cpu, CPU_EFLAGS) & FLAG_RF;
  if (resumed) store<u32>(cpu, load<u32>(cpu, CPU_EFLAGS) & ~FLAG_RF, CPU_EFLAGS);
  beginSlice(1);
  const t = findStep();
  if (t) {
    store<u32>(cpu, 0, CPU_FUEL);
    executeStep(t);
  }
  endSlice();
  if (fault && resumed) store<u32>(cpu, load<u32>(cpu, CPU_EFLAGS) | FLAG_RF, CPU_EFLAGS);
  // A repeated instruction stops after each iteration, for the traps that follow it.
  stoppedBetween = fault == FAULT_RESUME;
  if (stoppedBetween) clearFault();
  if (fault) {
    if (fault == FAULT_EXCEPTION) dropDebugTraps();
    return settle();
  }
  logReset();
  // What a load of SS has met waits for the next instruction, which makes a step of its own (SDM volume 3, 6.8.3).
  const held = (load<u32>(cpu, CPU_SHADOW) & SHADOW_MOV_SS) != 0;
  if (hostTraced || (traced && !held)) raiseSingleStep();
  else if (!held) raiseDebugTraps();
  // A trap behind HLT ends it (SDM volume 2, HLT).
  if (fault && load<u32>(cpu, CPU_MP_STATE) == KVM_MP_STATE_HALTED) store<u32>(cpu, KVM_MP_STATE_RUNNABLE, CPU_MP_STATE);
  return settle();
}

/** Delivers the exception that ended a slice, or says that the host is needed. */
function settle(): i32 {
  if (fault == FAULT_EXCEPTION) {
    logReset();
    deliverException(faultVector, faultError);
  }
  if (fault == FAULT_EXIT) {
    clearFault();
    return load<u32>(cpu, RUN_EXIT_REASON);
  }
  clearFault();
  return STAY;
}

// ---------------------------------------------------------------- events
/** Delivers the event of the highest priority that may be delivered now (SDM volume 3, 6.9). */
function events(): i32 {
  interruptWaiting = 0;
  if (load<u32>(cpu, CPU_EXCEPTION_PENDING)) {
    store<u32>(cpu, 0, CPU_EXCEPTION_PENDING);
    const error = load<u32>(cpu, CPU_EXCEPTION_HAS_ERROR) ? load<i32>(cpu, CPU_EXCEPTION_ERROR) : -1;
    deliverException(load<u32>(cpu, CPU_EXCEPTION_VECTOR), error);
    return settle();
  }
  const shadowed = load<u32>(cpu, CPU_SHADOW) != 0;
  if (load<u32>(cpu, CPU_NMI_PENDING) && !load<u32>(cpu, CPU_NMI_MASKED) && !shadowed) {
    store<u32>(cpu, load<u32>(cpu, CPU_NMI_PENDING) - 1, CPU_NMI_PENDING);
    deliverNmi();
    return settle();
  }
  const chips = (load<u32>(VM_CHIPS) & CHIPS_LAPIC) != 0;
  const injected = load<u32>(cpu, CPU_INTERRUPT_PENDING) != 0;
  if (injected || (chips && interruptReady())) {
    if (!interruptsOpen() || shadowed) interruptWaiting = 1;
    else if (injected) {
      store<u32>(cpu, 0, CPU_INTERRUPT_PENDING);
      deliverInterrupt(load<u32>(cpu, CPU_INTERRUPT_VECTOR));
      return settle();
    } else {
      const vector = interruptAcknowledge();
      if (vector >= 0) deliverInterrupt(vector);
      return settle();
    }
  }
  if (load<u32>(cpu, RUN_REQUEST_INTERRUPT_WINDOW)) {
    if (interruptsOpen() && !shadowed && !load<u32>(cpu, CPU_INTERRUPT_PENDING)) return KVM_EXIT_IRQ_WINDOW_OPEN;
    interruptWaiting = 1;
  }
  return STAY;
}

/** Takes INIT, SIPI, NMI and wake-ups from the local APIC; false: the vCPU executes nothing for now. */
function runnable(): bool {
  const state = load<u32>(cpu, CPU_MP_STATE);
  const events = takeEvents();
  if (events & EVENT_NMI) pendNmi();
  if (events & EVENT_NMI_AGAIN) pendNmi();
  if (events & EVENT_INIT) {
    resetCpu(true);
    // The bootstrap processor goes on at its reset vector; the others wait for a SIPI.
    store<u32>(cpu, load<u32>(cpu, CPU_INDEX) ? KVM_MP_STATE_INIT_RECEIVED : KVM_MP_STATE_RUNNABLE, CPU_MP_STATE);
  }
  if (events & EVENT_SIPI && load<u32>(cpu, CPU_MP_STATE) == KVM_MP_STATE_INIT_RECEIVED) {
    store<u32>(cpu, (events >> EVENT_SIPI_VECTOR_SHIFT) & 0xff, CPU_SIPI_VECTOR);
    startUp(load<u32>(cpu, CPU_SIPI_VECTOR));
    store<u32>(cpu, KVM_MP_STATE_RUNNABLE, CPU_MP_STATE);
  }
  if (events & EVENT_UNHALT && state == KVM_MP_STATE_HALTED) store<u32>(cpu, KVM_MP_STATE_RUNNABLE, CPU_MP_STATE);
  const now = load<u32>(cpu, CPU_MP_STATE);
  if (now == KVM_MP_STATE_HALTED && wakes()) store<u32>(cpu, KVM_MP_STATE_RUNNABLE, CPU_MP_STATE);
  return load<u32>(cpu, CPU_MP_STATE) == KVM_MP_STATE_RUNNABLE;
}

/** One NMI is latched behind the one that is being served; where none is, one more may come at the same time. */
function pendNmi(): void {
  const most: u32 = load<u32>(cpu, CPU_NMI_MASKED) ? 1 : 2;
  store<u32>(cpu, min<u32>(most, load<u32>(cpu, CPU_NMI_PENDING) + 1), CPU_NMI_PENDING);
}

/** Whether something ends HLT. */
function wakes(): bool {
  if (load<u32>(cpu, CPU_EXCEPTION_PENDING)) return true;
  if (load<u32>(cpu, CPU_NMI_PENDING) && !load<u32>(cpu, CPU_NMI_MASKED)) return true;
  if (!interruptsOpen()) return false;
  return load<u32>(cpu, CPU_INTERRUPT_PENDING) != 0 || interruptReady();
}

/** A vCPU that has nothing to execute: to the host without an in-core irqchip, else asleep until its next deadline. */
function halt(until: f64, mayBlock: i32): i32 {
  if (!(load<u32>(VM_CHIPS) & CHIPS_LAPIC)) {
    store<u32>(cpu, KVM_MP_STATE_RUNNABLE, CPU_MP_STATE);
    count(STAT_HALTS);
    return KVM_EXIT_HLT;
  }
  const deadline = nextDeadline();
  if (load<i32>(VM_ICOUNT_SHIFT) >= 0 && deadline != Infinity) {
    // Time stands still while nothing is executed: it jumps to what comes next.
    advanceIcountTo(deadline);
    return STAY;
  }
  count(STAT_HALTS);
  if (!mayBlock) {
    store<f64>(cpu, deadline, RUN_WAKE_AT);
    return KVM_EXIT_INTR;
  }
  leaveGuest();
  const timeout = min(deadline - guestNs(), until - nowNs());
  if (timeout > 0) atomic.wait<u32>(cpu + REQUESTS, 0, timeout == Infinity ? -1 : <i64>timeout);
  enterGuest();
  return STAY;
}
