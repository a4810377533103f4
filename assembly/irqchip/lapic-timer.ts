// The local APIC's timer: one-shot, periodic and TSC-deadline (SDM volume 3, 11.5.4). Its bus clock
// is 1 GHz, as KVM's. The state is a deadline in guest time; counts are computed when they are read.
import { FEAT_TSC_DEADLINE } from "../features";
import { cpu } from "../cpu";
import { CPU_TSC_DEADLINE, CPU_TSC_OFFSET, REQ_EVENT } from "../layout";
import { guestNs, tscToNs } from "./clock";
import { localDeliver } from "./lapic";
import {
  APIC_LVT_TIMER, APIC_TIMER_CURRENT, APIC_TIMER_DIVIDE, APIC_TIMER_INITIAL, hardwareEnabled, reg, setReg, vcpuHas,
} from "./lapic-state";
import { LAPIC_DEADLINE } from "./layout";
import { wakeAt } from "./wake";

const TIMER_PERIODIC: u32 = 1;
const TIMER_TSC_DEADLINE: u32 = 2;
/** Shorter periods are lengthened, as KVM does. */
const MIN_PERIOD_NS: f64 = 200000;

function timerMode(base: usize): u32 {
  return (reg(base, APIC_LVT_TIMER) >> 17) & 3;
}

/** Bus clocks in a count: 1, 2, 4 ... 128, from bits 0, 1 and 3 of the divide register. */
function divisor(base: usize): f64 {
  const divide = reg(base, APIC_TIMER_DIVIDE);
  const code = (divide & 3) | ((divide & 8) >> 1);
  return <f64>(code == 7 ? 1 : <u32>2 << code);
}

function periodNs(base: usize): f64 {
  return max(<f64>reg(base, APIC_TIMER_INITIAL) * divisor(base), MIN_PERIOD_NS);
}

/** Stores a deadline (0: none). The vCPU's run loop sizes its slices by deadlines, so it hears of it. */
function arm(base: usize, deadline: f64): void {
  store<f64>(base, deadline, LAPIC_DEADLINE);
  wakeAt(base, REQ_EVENT);
}

/** Stops the timer in any mode. */
export function lapicTimerCancel(base: usize): void {
  store<f64>(base, 0, LAPIC_DEADLINE);
  store<u64>(base, 0, CPU_TSC_DEADLINE);
}

/** Writes the LVT timer entry. A switch to or from TSC-deadline mode stops the timer. */
export function writeLvtTimer(value: u32): void {
  const wasDeadline = timerMode(cpu) == TIMER_TSC_DEADLINE;
  setReg(cpu, APIC_LVT_TIMER, value);
  if ((timerMode(cpu) == TIMER_TSC_DEADLINE) == wasDeadline) return;
  lapicTimerCancel(cpu);
  setReg(cpu, APIC_TIMER_INITIAL, 0);
}

/** The timer mode bits that the LVT entry may hold. */
export function timerModeBits(): u32 {
  return vcpuHas(cpu, FEAT_TSC_DEADLINE) ? 3 << 17 : 1 << 17;
}

/** Writes the initial count: starts the timer, or stops it with 0. Ignored in TSC-deadline mode. */
export function writeInitialCount(value: u32): void {
  const mode = timerMode(cpu);
  if (mode == TIMER_TSC_DEADLINE) return;
  setReg(cpu, APIC_TIMER_INITIAL, value);
  if (!value) {
    lapicTimerCancel(cpu);
    return;
  }
  const ns = mode == TIMER_PERIODIC ? periodNs(cpu) : <f64>value * divisor(cpu);
  arm(cpu, guestNs() + ns);
}

/** The current count; 0 when the timer is stopped, has expired, or compares the TSC. */
export function currentCount(base: usize): u32 {
  const deadline = load<f64>(base, LAPIC_DEADLINE);
  if (deadline == 0 || timerMode(base) == TIMER_TSC_DEADLINE) return 0;
  let left = deadline - guestNs();
  if (left <= 0) {
    if (timerMode(base) != TIMER_PERIODIC) return 0;
    // The expiry is noticed a little later; the counter has already begun again.
    const period = periodNs(base);
    left += period * (floor(-left / period) + 1);
  }
  return <u32>(left / divisor(base));
}

/** Writes the divide register. What is left of a running count goes on at the new rate. */
export function writeDivide(value: u32): void {
  const left = currentCount(cpu);
  setReg(cpu, APIC_TIMER_DIVIDE, value & 0xb);
  if (left) arm(cpu, guestNs() + <f64>left * divisor(cpu));
}

/** IA32_TSC_DEADLINE as the guest reads it: 0 unless it is armed. */
export function readTscDeadline(): u64 {
  if (!hardwareEnabled(cpu) || timerMode(cpu) != TIMER_TSC_DEADLINE) return 0;
  return load<u64>(cpu, CPU_TSC_DEADLINE);
}

/** Writes IA32_TSC_DEADLINE: 0 disarms, a time that has passed expires at once. Ignored in other modes. */
export function writeTscDeadline(value: u64): void {
  if (!hardwareEnabled(cpu) || timerMode(cpu) != TIMER_TSC_DEADLINE) return;
  store<u64>(cpu, value, CPU_TSC_DEADLINE);
  if (!value) {
    lapicTimerCancel(cpu);
    return;
  }
  arm(cpu, deadlineOfTsc(cpu, value));
  runLapicTimer(guestNs());
}

/** Guest time at which the counter of the vCPU at `base` reaches `value`. */
function deadlineOfTsc(base: usize, value: u64): f64 {
  const ticks = value - load<u64>(base, CPU_TSC_OFFSET);
  // The VM's own counter starts at 0, so what wraps below it has passed; 0 would mean "not armed".
  if (<i64>ticks <= 0) return 1;
  return max(tscToNs(ticks), 1.0);
}

/** The TSC moved against guest time: the deadline is recomputed. */
export function tscChanged(base: usize): void {
  const value = load<u64>(base, CPU_TSC_DEADLINE);
  if (value && timerMode(base) == TIMER_TSC_DEADLINE) arm(base, deadlineOfTsc(base, value));
}

/** The running vCPU's deadline in guest ns, or 0. */
export function lapicDeadline(): f64 {
  return load<f64>(cpu, LAPIC_DEADLINE);
}

/** Lets the running vCPU's timer expire if guest time `now` (ns) has reached its deadline. Periods
 * that were missed merge into one interrupt. */
export function runLapicTimer(now: f64): void {
  const deadline = load<f64>(cpu, LAPIC_DEADLINE);
  if (deadline == 0 || now < deadline) return;
  if (timerMode(cpu) == TIMER_PERIODIC && reg(cpu, APIC_TIMER_INITIAL)) {
    const period = periodNs(cpu);
    store<f64>(cpu, deadline + period * (floor((now - deadline) / period) + 1), LAPIC_DEADLINE);
  } else {
    lapicTimerCancel(cpu);
  }
  localDeliver(cpu, APIC_LVT_TIMER);
}

/** Writes what is computed into the register page (KVM_GET_LAPIC). */
export function lapicTimerSave(): void {
  setReg(cpu, APIC_TIMER_CURRENT, currentCount(cpu));
}

/** Starts the timer from a register page that was set from outside (KVM_SET_LAPIC): the first expiry
 * comes after the current count that was saved. */
export function lapicTimerLoaded(): void {
  const left = reg(cpu, APIC_TIMER_CURRENT);
  setReg(cpu, APIC_TIMER_CURRENT, 0);
  store<f64>(cpu, 0, LAPIC_DEADLINE);
  if (timerMode(cpu) == TIMER_TSC_DEADLINE) {
    tscChanged(cpu);
    return;
  }
  store<u64>(cpu, 0, CPU_TSC_DEADLINE);
  const running = reg(cpu, APIC_TIMER_INITIAL) != 0 && (left != 0 || timerMode(cpu) == TIMER_PERIODIC);
  arm(cpu, running ? guestNs() + <f64>left * divisor(cpu) : 0);
}
