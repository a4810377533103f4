// Guest time and the time-stamp counter.
//
// Guest time is one f64 of nanoseconds for the whole VM (exact up to 2^53 ns, 104 days, and better
// than a nanosecond's error for years). It is the host's monotonic clock, or with -icount
// a function of the instructions that the guest has executed, and never goes backwards.
// The TSC is derived from guest time, so that both stop and go together.
import { cpu } from "../cpu";
import { nowNs, wallNs } from "../host";
import {
  CPU_FUEL, CPU_RETIRED, CPU_SLICE, CPU_TSC_ADJUST, CPU_TSC_OFFSET, VM_CLOCK_LAST, VM_CLOCK_OFFSET, VM_ICOUNT_SHIFT,
  VM_TSC_KHZ, VM_VCPU_COUNT, VM_WALL_EPOCH,
} from "../layout";
import { replaceShared } from "./atomics";
import { kvmClockNs, kvmClockRebase, kvmClockStale } from "./kvmclock";
import { tscChanged } from "./lapic-timer";
import { CLOCK_TSC_LAST, CLOCK_TSC_SYNC } from "./layout";
import { vcpuAt } from "./wake";

/** A TSC of N kHz counts N ticks in this time. */
const NS_PER_MS: u64 = 1000000;

/** The TSC's rate in kHz; never 0, by which time cannot be divided. */
export function tscKhz(): u64 {
  return <u64>max<u32>(load<u32>(VM_TSC_KHZ), 1);
}

/** Instructions retired by all vCPUs: with -icount they take turns, and time is their sum. */
function retired(): u64 {
  let sum: u64 = 0;
  const count = load<u32>(VM_VCPU_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const base = vcpuAt(i);
    const inSlice = <i64>(load<i32>(base, CPU_SLICE) - load<i32>(base, CPU_FUEL));
    sum += load<u64>(base, CPU_RETIRED) + inSlice;
  }
  return sum;
}

/** Guest time in ns since the VM began; at least what any vCPU has seen before. */
export function guestNs(): f64 {
  return guestNsAt(load<i32>(VM_ICOUNT_SHIFT) < 0 ? nowNs() : 0);
}

/** The same where the host's time has just been read. */
export function guestNsAt(host: f64): f64 {
  const shift = load<i32>(VM_ICOUNT_SHIFT);
  const raw = shift < 0 ? host : <f64>(retired() << shift);
  const now = max(raw + load<f64>(VM_CLOCK_OFFSET), 0.0);
  let bits = load<u64>(VM_CLOCK_LAST);
  while (now > reinterpret<f64>(bits)) {
    const seen = replaceShared<u64>(VM_CLOCK_LAST, bits, reinterpret<u64>(now));
    if (seen == bits) return now;
    bits = seen;
  }
  return reinterpret<f64>(bits);
}

/** With -icount, moves guest time forward to `ns`, because every vCPU is halted until then.
 * Does nothing when that time has passed, or when time is the host's clock. */
export function advanceIcountTo(ns: f64): void {
  if (load<i32>(VM_ICOUNT_SHIFT) < 0) return;
  const ahead = ns - guestNs();
  if (ahead > 0) store<f64>(VM_CLOCK_OFFSET, load<f64>(VM_CLOCK_OFFSET) + ahead);
}

/** Wall-clock time, ns since 1970. With -icount it is guest time after the VM's wall epoch. */
export function guestWallNs(): f64 {
  return load<i32>(VM_ICOUNT_SHIFT) < 0 ? wallNs() : load<f64>(VM_WALL_EPOCH) + guestNs();
}

/** TSC ticks in `ns` of guest time, rounded down; the product is split so that it cannot overflow. */
export function nsToTsc(ns: f64): u64 {
  const khz = tscKhz();
  const whole = <u64>ns;
  return (whole / NS_PER_MS) * khz + ((whole % NS_PER_MS) * khz) / NS_PER_MS;
}

/** The first guest time (ns) at which nsToTsc() reaches `ticks`. */
export function tscToNs(ticks: u64): f64 {
  const khz = tscKhz();
  return <f64>((ticks / khz) * NS_PER_MS + ((ticks % khz) * NS_PER_MS + khz - 1) / khz);
}

/** The VM's TSC, before a vCPU's offset. Strictly increasing over all vCPUs, although the host's
 * clock may be coarse: readers tell two events apart by it. */
export function vmTsc(): u64 {
  const now = nsToTsc(guestNs());
  let last = load<u64>(CLOCK_TSC_LAST);
  let next = max(now, last + 1);
  for (let seen = replaceShared<u64>(CLOCK_TSC_LAST, last, next); seen != last; ) {
    last = seen;
    next = max(now, last + 1);
    seen = replaceShared<u64>(CLOCK_TSC_LAST, last, next);
  }
  return next;
}

/** The running vCPU's time-stamp counter (RDTSC, IA32_TIME_STAMP_COUNTER). */
export function readTsc(): u64 {
  return vmTsc() + load<u64>(cpu, CPU_TSC_OFFSET);
}

/** Makes the running vCPU's counter continue from `value`. IA32_TSC_ADJUST moves with it when the
 * guest does it (SDM volume 3, 18.17.3), not when the host does. */
export function writeTsc(value: u64, byGuest: bool): void {
  const offset = value - vmTsc();
  if (!byGuest) {
    setTscOffset(value ? agreedOffset(offset) : load<u64>(CLOCK_TSC_SYNC));
    return;
  }
  const old = load<u64>(cpu, CPU_TSC_OFFSET);
  store<u64>(cpu, load<u64>(cpu, CPU_TSC_ADJUST) + (offset - old), CPU_TSC_ADJUST);
  setTscOffset(offset);
}

/** A host sets the counters of its vCPUs one after the other and means them to be equal: what lies within
 * a second of the last one follows it, as in KVM (where 0, too, asks for the common counter). */
function agreedOffset(offset: u64): u64 {
  const agreed = load<u64>(CLOCK_TSC_SYNC);
  const second = <i64>(tscKhz() * 1000);
  const apart = <i64>(offset - agreed);
  if (apart < second && apart > -second) return agreed;
  store<u64>(CLOCK_TSC_SYNC, offset);
  return offset;
}

/** IA32_TSC_ADJUST by the guest: the counter moves by as much as the register changes. */
export function writeTscAdjust(value: u64): void {
  const change = value - load<u64>(cpu, CPU_TSC_ADJUST);
  store<u64>(cpu, value, CPU_TSC_ADJUST);
  setTscOffset(load<u64>(cpu, CPU_TSC_OFFSET) + change);
}

/** Sets what is added to the VM's TSC, with everything that depends on it. */
export function setTscOffset(offset: u64): void {
  if (offset == load<u64>(cpu, CPU_TSC_OFFSET)) return;
  store<u64>(cpu, offset, CPU_TSC_OFFSET);
  tscChanged(cpu);
  kvmClockStale();
}

/** KVM_SET_TSC_KHZ for the VM; -EINVAL (-22) for 0. To be called while no vCPU runs. kvmclock
 * goes on from where it is; the TSC itself jumps, as it does in KVM. */
export function setTscKhz(khz: u32): i32 {
  if (khz == 0) return -22;
  const kvmNs = kvmClockNs();
  store<u32>(VM_TSC_KHZ, khz);
  store<u64>(CLOCK_TSC_LAST, 0);
  kvmClockRebase(kvmNs);
  const count = load<u32>(VM_VCPU_COUNT);
  for (let i: u32 = 0; i < count; i++) tscChanged(vcpuAt(i));
  return 0;
}
