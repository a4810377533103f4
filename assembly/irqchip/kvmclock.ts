// kvmclock and KVM's other paravirtual MSRs (Linux Documentation/virt/kvm/x86/msr.rst).
//
// kvmclock is a linear function of the VM's TSC, the same for all vCPUs: a pvclock page holds
// its parameters, so it is written only when they change. The guest computes, as kvmClockNs() does,
//   system_time + (((tsc - tsc_timestamp) << shift) * tsc_to_system_mul >> 32).
import { cpu } from "../cpu";
import {
  CPU_KVM_ASYNC_PF, CPU_KVM_EOI, CPU_KVM_POLL_CONTROL, CPU_KVM_STEAL_TIME, CPU_KVM_SYSTEM_TIME, CPU_KVM_WALL_CLOCK,
  CPU_TSC_OFFSET, REQ_EVENT, VM_VCPU_COUNT,
} from "../layout";
import { physRead, physWrite } from "../mmu/physical";
import { guestWallNs, tscKhz, vmTsc } from "./clock";
import {
  CLOCK_GENERATION, CLOCK_KVM_NS, CLOCK_KVM_TSC, LAPIC_CLOCK_SEEN, LAPIC_CLOCK_STOPPED,
} from "./layout";
import { pvEoiWithdraw } from "./pv-eoi";
import { vcpuAt, wake } from "./wake";

export const MSR_KVM_WALL_CLOCK: u32 = 0x11;
export const MSR_KVM_SYSTEM_TIME: u32 = 0x12;
export const MSR_KVM_WALL_CLOCK_NEW: u32 = 0x4b564d00;
export const MSR_KVM_SYSTEM_TIME_NEW: u32 = 0x4b564d01;
export const MSR_KVM_ASYNC_PF_EN: u32 = 0x4b564d02;
export const MSR_KVM_STEAL_TIME: u32 = 0x4b564d03;
export const MSR_KVM_PV_EOI_EN: u32 = 0x4b564d04;
export const MSR_KVM_POLL_CONTROL: u32 = 0x4b564d05;

// struct pvclock_vcpu_time_info, 32 bytes.
const PVCLOCK_VERSION: u64 = 0;
const PVCLOCK_TSC_TIMESTAMP: u64 = 8;
const PVCLOCK_SYSTEM_TIME: u64 = 16;
const PVCLOCK_MUL: u64 = 24;
/** i8 shift, u8 flags, u8 pad[2]. */
const PVCLOCK_SHIFT_FLAGS: u64 = 28;
const PVCLOCK_TSC_STABLE: u32 = 1;
const PVCLOCK_GUEST_STOPPED: u32 = 2;

const NS_PER_SECOND: u64 = 1000000000;
const ENABLED: u64 = 1;
/** MSR_KVM_POLL_CONTROL: the hypervisor may poll before it sleeps. */
const POLLING: u64 = 1;

/** tsc_shift: the power of two that brings the TSC's rate into (1, 2] GHz when it is divided off. */
export function clockShift(): i32 {
  let hz = tscKhz() * 1000;
  let shift = 0;
  while (hz > 2 * NS_PER_SECOND) {
    hz >>= 1;
    shift--;
  }
  while (hz <= NS_PER_SECOND) {
    hz <<= 1;
    shift++;
  }
  return shift;
}

/** tsc_to_system_mul: nanoseconds in a shifted tick, as a fraction of 2^32, rounded down. */
export function clockMul(): u32 {
  const shift = clockShift();
  const hz = tscKhz() * 1000;
  // 10^9 * 2^32 has 62 bits: where the shift is negative the divisor gives way instead.
  const divisor = shift >= 0 ? hz << shift : hz >> -shift;
  return <u32>min<u64>((NS_PER_SECOND << 32) / divisor, 0xffffffff);
}

/** Nanoseconds in `ticks`, as a guest computes them from its pvclock page. */
function scaleTicks(ticks: u64): u64 {
  const shift = clockShift();
  const shifted = shift >= 0 ? ticks << shift : ticks >> -shift;
  const mul = <u64>clockMul();
  return (shifted >> 32) * mul + (((shifted & 0xffffffff) * mul) >> 32);
}

/** kvmclock now, in ns (KVM_GET_CLOCK). */
export function kvmClockNs(): u64 {
  return load<u64>(CLOCK_KVM_NS) + scaleTicks(vmTsc() - load<u64>(CLOCK_KVM_TSC));
}

/** Makes kvmclock continue from `ns` (KVM_SET_CLOCK). */
export function kvmClockRebase(ns: u64): void {
  store<u64>(CLOCK_KVM_TSC, vmTsc());
  store<u64>(CLOCK_KVM_NS, ns);
  kvmClockStale();
}

/** kvmclock now, in ns: the export behind getClock. */
export function kvmClockGet(): f64 {
  return <f64>kvmClockNs();
}

/** Sets kvmclock, in ns: the export behind setClock. */
export function kvmClockSet(ns: f64): void {
  kvmClockRebase(<u64>ns);
}

/** All pvclock pages are out of date: each vCPU rewrites its own in kvmClockUpdate(). */
export function kvmClockStale(): void {
  store<u32>(CLOCK_GENERATION, load<u32>(CLOCK_GENERATION) + 1);
  const count = load<u32>(VM_VCPU_COUNT);
  for (let i: u32 = 0; i < count; i++) wake(i, REQ_EVENT);
}

/** KVM_KVMCLOCK_CTRL for the running vCPU: the guest's watchdogs forgive the coming gap.
 * -EINVAL (-22) while the guest has no pvclock page. */
export function kvmClockGuestStopped(): i32 {
  if (!(load<u64>(cpu, CPU_KVM_SYSTEM_TIME) & ENABLED)) return -22;
  store<u32>(cpu, 1, LAPIC_CLOCK_STOPPED);
  kvmClockStale();
  return 0;
}

/** Rewrites the running vCPU's pvclock page if it is out of date. Called at each entry of run()
 * and where REQ_EVENT is served; costs two loads otherwise. */
export function kvmClockUpdate(): void {
  const generation = load<u32>(CLOCK_GENERATION);
  if (load<u32>(cpu, LAPIC_CLOCK_SEEN) == generation) return;
  store<u32>(cpu, generation, LAPIC_CLOCK_SEEN);
  if (load<u64>(cpu, CPU_KVM_SYSTEM_TIME) & ENABLED) writeClockPage();
}

/** One line through all counters is promised only while they agree on all vCPUs. */
function tscsAgree(): bool {
  const own = load<u64>(cpu, CPU_TSC_OFFSET);
  const count = load<u32>(VM_VCPU_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    if (load<u64>(vcpuAt(i), CPU_TSC_OFFSET) != own) return false;
  }
  return true;
}

function writeClockPage(): void {
  const page = load<u64>(cpu, CPU_KVM_SYSTEM_TIME) & ~ENABLED;
  // The guest may keep the rest of its flags; GUEST_STOPPED stays until the guest clears it.
  let flags = (<u32>physRead(page + PVCLOCK_SHIFT_FLAGS, 4) >> 8) & PVCLOCK_GUEST_STOPPED;
  if (tscsAgree()) flags |= PVCLOCK_TSC_STABLE;
  if (load<u32>(cpu, LAPIC_CLOCK_STOPPED)) {
    store<u32>(cpu, 0, LAPIC_CLOCK_STOPPED);
    flags |= PVCLOCK_GUEST_STOPPED;
  }
  const version = beginUpdate(page + PVCLOCK_VERSION);
  writeU64(page + PVCLOCK_TSC_TIMESTAMP, load<u64>(CLOCK_KVM_TSC) + load<u64>(cpu, CPU_TSC_OFFSET));
  writeU64(page + PVCLOCK_SYSTEM_TIME, load<u64>(CLOCK_KVM_NS));
  physWrite(page + PVCLOCK_MUL, clockMul(), 4);
  physWrite(page + PVCLOCK_SHIFT_FLAGS, (<u32>clockShift() & 0xff) | (flags << 8), 4);
  physWrite(page + PVCLOCK_VERSION, version + 1, 4);
}

/** Makes a version word odd, which tells readers to wait; returns it. Even is version + 1. */
function beginUpdate(address: u64): u32 {
  const version = (<u32>physRead(address, 4) + 1) | 1;
  physWrite(address, version, 4);
  return version;
}

/** Structures are aligned to 4 bytes only, so an 8-byte field may cross a page. */
function writeU64(address: u64, value: u64): void {
  physWrite(address, value & 0xffffffff, 4);
  physWrite(address + 4, value >> 32, 4);
}

/** struct pvclock_wall_clock {u32 version, sec, nsec}: wall time at kvmclock 0. */
function writeWallClock(address: u64): void {
  const start = <u64>guestWallNs() - kvmClockNs();
  const version = beginUpdate(address);
  physWrite(address + 4, (start / NS_PER_SECOND) & 0xffffffff, 4);
  physWrite(address + 8, start % NS_PER_SECOND, 4);
  physWrite(address, version + 1, 4);
}

/** struct kvm_steal_time: this hypervisor never takes time from a runnable vCPU without its
 * TSC standing still too, so steal stays what it was; preempted is cleared. */
function writeStealTime(address: u64): void {
  const version = beginUpdate(address + 8);
  physWrite(address + 16, 0, 1);
  physWrite(address + 8, version + 1, 4);
}

/** True for the MSRs of this file, which readMsr serves by kvmMsrRead(). */
export function kvmMsrKnown(index: u32): bool {
  return (
    index == MSR_KVM_WALL_CLOCK ||
    index == MSR_KVM_SYSTEM_TIME ||
    (index >= MSR_KVM_WALL_CLOCK_NEW && index <= MSR_KVM_POLL_CONTROL)
  );
}

/** Where the value of one of these MSRs is kept, as an offset in the vCPU. */
function msrField(index: u32): usize {
  if (index == MSR_KVM_WALL_CLOCK || index == MSR_KVM_WALL_CLOCK_NEW) return CPU_KVM_WALL_CLOCK;
  if (index == MSR_KVM_ASYNC_PF_EN) return CPU_KVM_ASYNC_PF;
  if (index == MSR_KVM_STEAL_TIME) return CPU_KVM_STEAL_TIME;
  if (index == MSR_KVM_PV_EOI_EN) return CPU_KVM_EOI;
  if (index == MSR_KVM_POLL_CONTROL) return CPU_KVM_POLL_CONTROL;
  return CPU_KVM_SYSTEM_TIME;
}

/** Value of a paravirtual MSR; 0 for one that kvmMsrKnown() does not know. */
export function kvmMsrRead(index: u32): u64 {
  return kvmMsrKnown(index) ? load<u64>(cpu + msrField(index)) : 0;
}

/** After power-up and INIT the hypervisor writes to no guest memory, as in KVM. */
export function kvmMsrReset(): void {
  store<u64>(cpu, 0, CPU_KVM_SYSTEM_TIME);
  store<u64>(cpu, 0, CPU_KVM_WALL_CLOCK);
  store<u64>(cpu, 0, CPU_KVM_ASYNC_PF);
  store<u64>(cpu, 0, CPU_KVM_STEAL_TIME);
  store<u64>(cpu, 0, CPU_KVM_EOI);
  store<u64>(cpu, POLLING, CPU_KVM_POLL_CONTROL);
  store<u32>(cpu, 0, LAPIC_CLOCK_STOPPED);
}

/** Writes a paravirtual MSR, with its effect on guest memory. False: #GP(0), because the MSR is
 * unknown, a reserved bit is set, or what it would enable is not offered. */
export function kvmMsrWrite(index: u32, value: u64): bool {
  if (!kvmMsrKnown(index)) return false;
  switch (index) {
    case MSR_KVM_ASYNC_PF_EN:
      // Page faults are never asynchronous here; CPUID does not offer it.
      if (value & ENABLED) return false;
      break;
    case MSR_KVM_STEAL_TIME:
      if (value & 0x3e) return false;
      break;
    case MSR_KVM_PV_EOI_EN:
      if (value & 2) return false;
      // What was offered in the old word is taken back before the word moves.
      pvEoiWithdraw();
      break;
    case MSR_KVM_POLL_CONTROL:
      if (value & ~ENABLED) return false;
      break;
  }
  store<u64>(cpu + msrField(index), value);
  switch (index) {
    case MSR_KVM_WALL_CLOCK:
    case MSR_KVM_WALL_CLOCK_NEW:
      if (value) writeWallClock(value);
      break;
    case MSR_KVM_SYSTEM_TIME:
    case MSR_KVM_SYSTEM_TIME_NEW:
      store<u32>(cpu, 0, LAPIC_CLOCK_STOPPED);
      if (value & ENABLED) writeClockPage();
      break;
    case MSR_KVM_STEAL_TIME:
      if (value & ENABLED) writeStealTime(value & ~ENABLED);
      break;
  }
  return true;
}
