// The local APIC as a receiver: accepting, presenting, and ending interrupts; reset.
import { count, cpu } from "../cpu";
import { KVM_MP_STATE_HALTED } from "../exits";
import {
  CPU_APIC_BASE, CPU_INDEX, CPU_LAPIC, CPU_MP_STATE, REQ_EVENT, STAT_UNIMPLEMENTED, VM_CHIPS,
} from "../layout";
import { andShared, lockChips, orShared, replaceShared, unlockChips } from "./atomics";
import { ioapicEoi, ioapicHandles } from "./ioapic";
import { kvmMsrReset } from "./kvmclock";
import { lapicTimerCancel } from "./lapic-timer";
import {
  APIC_DFR, APIC_ID, APIC_IRR, APIC_ISR, APIC_LDR, APIC_LVT_ERROR, APIC_LVT_LINT0, APIC_LVT_PERF, APIC_LVT_TIMER,
  APIC_SVR, APIC_TMR, APIC_VERSION, APIC_VERSION_VALUE, BASE_BSP, BASE_DEFAULT, BASE_ENABLE, clearVector,
  ERROR_RECEIVE_ILLEGAL, hardwareEnabled, highestVector, LVT_MASKED, MODE_EXTINT, MODE_FIXED, MODE_INIT, MODE_LOWEST,
  MODE_NMI, MODE_SMI, MODE_STARTUP, processorPriority, reg, setReg, setVector, softwareEnabled, testVector,
  x2apicMode,
} from "./lapic-state";
import {
  CHIPS_SPLIT, EVENT_INIT, EVENT_NMI, EVENT_NMI_AGAIN, EVENT_SIPI, EVENT_SIPI_VECTOR_SHIFT, EVENT_UNHALT, LAPIC_BASE_IN_FORCE,
  LAPIC_EOI_EXIT, LAPIC_ERRORS, LAPIC_EVENTS, LAPIC_EXTINT, LAPIC_PV_EOI_OFFERED,
} from "./layout";
import { pvEoiOffer, pvEoiSettle, pvEoiWithdraw } from "./pv-eoi";
import { wakeAt, wakeSelf } from "./wake";

/** Gives an interrupt message to the local APIC of the vCPU at `base`, from any thread.
 * `mode` is a delivery mode; `level` the trigger mode; `assert` the level bit of an INIT.
 * Returns 1 if it was taken, 0 if it was dropped or was already pending. */
export function accept(base: usize, mode: u32, vector: u32, level: bool, assert: bool): i32 {
  switch (mode) {
    case MODE_FIXED:
    case MODE_LOWEST: {
      if (!softwareEnabled(base)) return 0;
      if (vector < 16) {
        lapicError(base, ERROR_RECEIVE_ILLEGAL);
        return 0;
      }
      // The trigger mode has to be right before the vector can be seen pending.
      if (level) setVector(base, APIC_TMR, vector);
      else if (testVector(base, APIC_TMR, vector)) clearVector(base, APIC_TMR, vector);
      const fresh = setVector(base, APIC_IRR, vector);
      wakeAt(base, REQ_EVENT);
      return fresh ? 1 : 0;
    }
    case MODE_NMI:
      if (orShared(base + LAPIC_EVENTS, EVENT_NMI) & EVENT_NMI) orShared(base + LAPIC_EVENTS, EVENT_NMI_AGAIN);
      break;
    case MODE_INIT:
      // A de-assert (level 0, trigger mode level) only synchronises arbitration IDs of old APICs.
      if (level && !assert) return 0;
      startupEvent(base, EVENT_INIT);
      break;
    case MODE_STARTUP:
      startupEvent(base, EVENT_SIPI | (vector << EVENT_SIPI_VECTOR_SHIFT));
      break;
    case MODE_EXTINT:
      store<u32>(base, 1, LAPIC_EXTINT);
      break;
    case MODE_SMI:
      // There is no system-management mode: the message is counted, and lost.
      count(STAT_UNIMPLEMENTED);
      return 0;
    default:
      return 0;
  }
  wakeAt(base, REQ_EVENT);
  return 1;
}

/** INIT discards a start-up message that came before it; a later start-up message replaces it. */
function startupEvent(base: usize, event: u32): void {
  const word = base + LAPIC_EVENTS;
  const drop: u32 = (0xff << EVENT_SIPI_VECTOR_SHIFT) | (event & EVENT_INIT ? EVENT_SIPI : 0);
  for (;;) {
    const old = load<u32>(word);
    if (replaceShared<u32>(word, old, (old & ~drop) | event) == old) return;
  }
}

/** What takeEvents() leaves: a kick is for the next HLT where the vCPU is not halted yet, or a guest
 * that halts after its last look at a lock would sleep through it. */
function keptEvents(): u32 {
  return load<u32>(cpu, CPU_MP_STATE) == KVM_MP_STATE_HALTED ? 0 : EVENT_UNHALT;
}

/** Takes the events that are not interrupts: EVENT_* bits, with the start-up vector in bits 8-15.
 * INIT is to be processed before a SIPI of the same answer. */
export function takeEvents(): u32 {
  const word = cpu + LAPIC_EVENTS;
  const keep = keptEvents();
  return load<u32>(word) & ~keep ? andShared(word, keep) & ~keep : 0;
}

/** Whether takeEvents() would return something. */
export function eventsPending(): bool {
  return (load<u32>(cpu, LAPIC_EVENTS) & ~keptEvents()) != 0;
}

/** Notes an error (ERROR_*) and raises the error vector unless it is masked (SDM volume 3, 11.5.3). */
export function lapicError(base: usize, error: u32): void {
  if (orShared(base + LAPIC_ERRORS, error) & error) return;
  const lvt = reg(base, APIC_LVT_ERROR);
  // A bad vector here would be an error in the error interrupt.
  if (!(lvt & LVT_MASKED) && (lvt & 0xff) >= 16) accept(base, MODE_FIXED, lvt & 0xff, false, true);
}

/** Delivers a local source through its LVT entry; returns whether it was delivered. */
export function localDeliver(base: usize, entry: usize): bool {
  const lvt = reg(base, entry);
  if (!hardwareEnabled(base) || lvt & LVT_MASKED) return false;
  const mode = entry == APIC_LVT_TIMER || entry == APIC_LVT_ERROR ? MODE_FIXED : (lvt >> 8) & 7;
  // Only the LINT pins have a trigger mode, and fixed delivery alone heeds it.
  const level = mode == MODE_FIXED && (lvt & 0x8000) != 0;
  accept(base, mode, lvt & 0xff, level, true);
  if (entry == APIC_LVT_PERF) setReg(base, entry, lvt | LVT_MASKED);
  return true;
}

/** Whether the vCPU at `base` takes the 8259 pair's INT: LINT0 is ExtINT and not masked, an ExtINT
 * message came, or the APIC is off, so that the pin goes straight to the processor. */
export function acceptsPic(base: usize): bool {
  if (!hardwareEnabled(base)) return true;
  if (load<u32>(base, LAPIC_EXTINT)) return true;
  return (reg(base, APIC_LVT_LINT0) & (LVT_MASKED | 0x700)) == MODE_EXTINT << 8;
}

/** The vector that the running vCPU's APIC would deliver now, or -1. */
export function lapicPending(): i32 {
  if (!hardwareEnabled(cpu)) return -1;
  pvEoiSettle();
  const vector = highestVector(cpu, APIC_IRR);
  if (vector < 0 || (<u32>vector & 0xf0) <= (processorPriority(cpu) & 0xf0)) return -1;
  return vector;
}

/** Takes that vector into service and returns it; -1 if there is none. */
export function lapicAcknowledge(): i32 {
  const vector = lapicPending();
  if (vector < 0) return -1;
  clearVector(cpu, APIC_IRR, vector);
  setVector(cpu, APIC_ISR, vector);
  pvEoiOffer(vector);
  return vector;
}

/** End of interrupt: the highest vector in service is done. */
export function lapicEoi(): void {
  pvEoiWithdraw();
  const vector = highestVector(cpu, APIC_ISR);
  if (vector < 0) return;
  clearVector(cpu, APIC_ISR, vector);
  const level = testVector(cpu, APIC_TMR, vector);
  if (load<u32>(VM_CHIPS) & CHIPS_SPLIT) {
    if (level) {
      store<u32>(cpu, vector + 1, LAPIC_EOI_EXIT);
      wakeSelf();
    }
  } else if (ioapicHandles(vector)) {
    lockChips();
    ioapicEoi(vector, level);
    unlockChips();
  }
  if (highestVector(cpu, APIC_IRR) >= 0) wakeSelf();
}

/** Split irqchip: the vector for a KVM_EXIT_IOAPIC_EOI that is due, or -1; it is taken. */
export function takeEoiExit(): i32 {
  const pending = load<u32>(cpu, LAPIC_EOI_EXIT);
  if (pending) store<u32>(cpu, 0, LAPIC_EOI_EXIT);
  return <i32>pending - 1;
}

/** State of the running vCPU's APIC after power-up or, with `init`, after INIT, which keeps
 * IA32_APIC_BASE and the ID (SDM volume 3, 11.4.7 and 11.12.5). */
export function lapicReset(init: bool): void {
  const index = load<u32>(cpu, CPU_INDEX);
  const x2apic = init && x2apicMode(cpu);
  const id = init ? reg(cpu, APIC_ID) : index << 24;
  const ldr = x2apic ? reg(cpu, APIC_LDR) : 0;
  kvmMsrReset();
  lapicTimerCancel(cpu);
  memory.fill(cpu + CPU_LAPIC, 0, 0x400);
  if (!init) {
    const base = BASE_DEFAULT | BASE_ENABLE | (index == 0 ? BASE_BSP : 0);
    store<u64>(cpu, base, CPU_APIC_BASE);
    store<u64>(cpu, base, LAPIC_BASE_IN_FORCE);
  }
  setReg(cpu, APIC_ID, id);
  setReg(cpu, APIC_VERSION, APIC_VERSION_VALUE);
  setReg(cpu, APIC_LDR, ldr);
  setReg(cpu, APIC_DFR, 0xffffffff);
  setReg(cpu, APIC_SVR, 0xff);
  for (let entry = APIC_LVT_TIMER; entry <= APIC_LVT_ERROR; entry += 16) setReg(cpu, entry, LVT_MASKED);
  // Software that knows no APIC finds the 8259 pair wired through the first processor.
  if (index == 0) setReg(cpu, APIC_LVT_LINT0, MODE_EXTINT << 8);
  store<u32>(cpu, 0, LAPIC_ERRORS);
  store<u32>(cpu, 0, LAPIC_EXTINT);
  store<u32>(cpu, 0, LAPIC_PV_EOI_OFFERED);
  store<u32>(cpu, 0, LAPIC_EOI_EXIT);
  if (!init) {
    store<u32>(cpu, 0, LAPIC_EVENTS);
  }
}
