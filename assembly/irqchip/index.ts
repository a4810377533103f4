// The interrupt chips as the rest of the core and the host see them. The functions of this file take
// the chips' lock where they need it, and may be called from any vCPU's thread; those that say "the
// running vCPU" act on the vCPU that this instance is bound to.
import { cpu } from "../cpu";
import { CPU_INDEX, VM_CHIPS, VM_NEXT_TIMER, VM_VCPU_COUNT } from "../layout";
import { lockChips, unlockChips } from "./atomics";
import { guestNs } from "./clock";
import { ioapicIndexVectors, ioapicOwns, ioapicRead, ioapicReset, ioapicServiceAll, ioapicWrite } from "./ioapic";
import { acceptsPic, lapicAcknowledge, lapicPending, localDeliver } from "./lapic";
import { lapicIdLoaded, lapicOwns } from "./lapic-base";
import { lapicMmioRead, lapicMmioWrite } from "./lapic-registers";
import { APIC_LVT_LINT1, APIC_PPR, lapicExists, processorPriority, setReg } from "./lapic-state";
import { lapicDeadline, lapicTimerLoaded, lapicTimerSave, runLapicTimer } from "./lapic-timer";
import {
  CHIPS_IRQCHIP, CHIPS_PIT, CHIPS_SPEAKER, CHIPS_SPLIT, LAPIC_EXTINT, MAX_GSIS, PIC_OUTPUT, PIT_FLAGS, PIT_REINJECT,
  ROUTE_COUNT, ROUTE_RESAMPLE, SOURCE_RESAMPLE, SOURCE_USER,
} from "./layout";
import { sendMsi } from "./msi";
import { picAcknowledge, picReset, picUpdate } from "./pic";
import { picOwns, picRead, picWrite } from "./pic-ports";
import { pitLoaded, pitReset } from "./pit";
import { pitRead, pitWrite, speakerRead, speakerWrite } from "./pit-ports";
import { runPit } from "./pit-timer";
import { pvEoiWithdraw } from "./pv-eoi";
import { defaultRoutes, indexRoutes, setGsi } from "./routing";
import { vcpuAt } from "./wake";

export {
  advanceIcountTo, guestNs, nsToTsc, readTsc, setTscKhz, setTscOffset, tscToNs, writeTsc, writeTscAdjust,
} from "./clock";
export { hypercall } from "./hypercall";
export {
  kvmClockGet, kvmClockGuestStopped, kvmClockSet, kvmClockUpdate, kvmMsrKnown, kvmMsrRead, kvmMsrWrite,
} from "./kvmclock";
export { eventsPending, lapicReset, takeEoiExit, takeEvents } from "./lapic";
export { hostWriteApicBase, writeApicBase } from "./lapic-base";
export { lapicMsrRead, lapicMsrWrite, readTpr, writeTpr } from "./lapic-registers";
export { readTscDeadline, writeTscDeadline } from "./lapic-timer";
export { wake } from "./wake";

const EEXIST: i32 = -17;
const ENOENT: i32 = -2;
const ENXIO: i32 = -6;
const EINVAL: i32 = -22;
/** KVM_PIT_SPEAKER_DUMMY. */
const PIT_SPEAKER_DUMMY: u32 = 1;

// ---------------------------------------------------------------- the guest's accesses

/** Reads `size` bytes at a guest physical address of a chip; -1: no chip of the core is there. */
export function chipMmioRead(gpa: u64, size: i32): i64 {
  if (!lapicExists()) return -1;
  if (lapicOwns(gpa)) return <i64>lapicMmioRead(<u32>gpa & 0xfff, size);
  if (!(load<u32>(VM_CHIPS) & CHIPS_IRQCHIP) || !ioapicOwns(gpa)) return -1;
  lockChips();
  const value = <u64>ioapicRead(<u32>gpa & 0xff);
  unlockChips();
  return <i64>(size < 4 ? value & ((<u64>1 << (size << 3)) - 1) : value);
}

/** Writes to a chip; false: no chip of the core is there. */
export function chipMmioWrite(gpa: u64, value: u64, size: i32): bool {
  if (!lapicExists()) return false;
  if (lapicOwns(gpa)) {
    lapicMmioWrite(<u32>gpa & 0xfff, <u32>value, size);
    return true;
  }
  if (!(load<u32>(VM_CHIPS) & CHIPS_IRQCHIP) || !ioapicOwns(gpa)) return false;
  lockChips();
  ioapicWrite(<u32>gpa & 0xff, <u32>(size < 4 ? value & ((<u64>1 << (size << 3)) - 1) : value));
  unlockChips();
  return true;
}

// @ts-ignore: decorator
@inline function pitOwns(chips: u32, port: u32): bool {
  return (port & ~3) == 0x40 ? (chips & CHIPS_PIT) != 0 : port == 0x61 && (chips & CHIPS_SPEAKER) != 0;
}

/** Reads an I/O port of a chip; -1: not one of the core's. The chips have 8-bit ports: wider reads of
 * the 8259 pair give 0, of the PIT the byte. */
export function chipPortRead(port: u32, size: i32): i64 {
  const chips = load<u32>(VM_CHIPS);
  if (!(chips & CHIPS_IRQCHIP)) return -1;
  const pic = picOwns(port);
  if (!pic && !pitOwns(chips, port)) return -1;
  // A counter's end that is seen in one chip has arrived at the other.
  if (pic) runTimers();
  lockChips();
  let value: u32 = 0;
  if (!pic) value = port == 0x61 ? speakerRead() : pitRead(port & 3);
  else if (size == 1) value = picRead(port);
  unlockChips();
  if (!pic) runTimers();
  return <i64>value;
}

/** Writes an I/O port of a chip; false: not one of the core's. */
export function chipPortWrite(port: u32, value: u32, size: i32): bool {
  const chips = load<u32>(VM_CHIPS);
  if (!(chips & CHIPS_IRQCHIP)) return false;
  const pic = picOwns(port);
  if (!pic && !pitOwns(chips, port)) return false;
  lockChips();
  if (!pic) {
    if (port == 0x61) speakerWrite(value & 0xff);
    else pitWrite(port & 3, value & 0xff);
  } else if (size == 1) {
    picWrite(port, value & 0xff);
  }
  unlockChips();
  return true;
}

// ---------------------------------------------------------------- interrupts

/** Sets the level of GSI `gsi` (KVM_IRQ_LINE_STATUS). Returns how many receivers took a new interrupt,
 * 0 if it merged with one that was pending, -1 if it was masked or is routed nowhere; -ENXIO without an irqchip. */
export function irqLine(gsi: u32, level: i32): i32 {
  if (!lapicExists()) return ENXIO;
  lockChips();
  const result = setGsi(SOURCE_USER, gsi, level);
  unlockChips();
  return result;
}

/** Raises GSI `gsi` on behalf of a resampling irqfd: the line stays high until the guest acknowledges it
 * (setResample()). Returns as irqLine() does. */
export function resampleLine(gsi: u32): i32 {
  if (!lapicExists()) return ENXIO;
  lockChips();
  const result = setGsi(SOURCE_RESAMPLE, gsi, 1);
  unlockChips();
  return result;
}

/** Sends an MSI (KVM_SIGNAL_MSI). Returns as irqLine() does; -EINVAL without an irqchip. */
export function signalMsi(address: u64, data: u32): i32 {
  return lapicExists() ? sendMsi(address, data) : EINVAL;
}

/** Pulses pin LINT1 of vCPU `index`, which the firmware or the system sets to NMI. 1: delivered; 0: masked. */
export function pulseLint1(index: u32): i32 {
  if (!lapicExists() || index >= load<u32>(VM_VCPU_COUNT)) return 0;
  return localDeliver(vcpuAt(index), APIC_LVT_LINT1) ? 1 : 0;
}

/** The 8259 pair asks, and the running vCPU is the one to answer. */
function externalPending(): bool {
  if (!(load<u32>(VM_CHIPS) & CHIPS_IRQCHIP)) return false;
  return load<u32>(PIC_OUTPUT) != 0 && acceptsPic(cpu);
}

/** Whether the chips have an interrupt that the running vCPU could take now, priorities considered;
 * IF and shadows are the run loop's matter. */
export function interruptReady(): bool {
  if (!lapicExists()) return false;
  return externalPending() || lapicPending() >= 0;
}

/** Takes that interrupt: its vector, or -1 if it has gone away meanwhile. */
export function interruptAcknowledge(): i32 {
  if (!lapicExists()) return -1;
  if (!externalPending()) return lapicAcknowledge();
  lockChips();
  // Asked again under the lock: another vCPU may have answered.
  const vector = externalPending() ? <i32>picAcknowledge() : -1;
  unlockChips();
  if (vector < 0) return lapicAcknowledge();
  store<u32>(cpu, 0, LAPIC_EXTINT);
  return vector;
}

// ---------------------------------------------------------------- time

/** Fires what is due: the running vCPU's APIC timer, and on vCPU 0 the PIT. */
export function runTimers(): void {
  runTimersAt(guestNs());
}

/** The same where guest time has just been read. */
export function runTimersAt(now: f64): void {
  if (!lapicExists()) return;
  runLapicTimer(now);
  if (load<u32>(cpu, CPU_INDEX) || !(load<u32>(VM_CHIPS) & CHIPS_PIT) || load<f64>(VM_NEXT_TIMER) > now) return;
  lockChips();
  runPit(now);
  unlockChips();
}

/** Guest time (ns) of the earliest timer that the running vCPU has to fire, or Infinity. */
export function nextDeadline(): f64 {
  if (!lapicExists()) return Infinity;
  const timer = lapicDeadline();
  let next: f64 = timer > 0 ? timer : Infinity;
  if (!load<u32>(cpu, CPU_INDEX) && load<u32>(VM_CHIPS) & CHIPS_PIT) next = min(next, load<f64>(VM_NEXT_TIMER));
  return next;
}

// ---------------------------------------------------------------- the host's calls

/** KVM_CREATE_IRQCHIP: local APICs, IOAPIC, 8259 pair, default routing. To be called before vCPUs are
 * reset. -EEXIST if there is one already. */
export function createIrqchip(): i32 {
  if (lapicExists()) return EEXIST;
  store<u32>(VM_CHIPS, load<u32>(VM_CHIPS) | CHIPS_IRQCHIP);
  store<f64>(VM_NEXT_TIMER, Infinity);
  picReset();
  ioapicReset();
  defaultRoutes();
  return 0;
}

/** KVM_CAP_SPLIT_IRQCHIP: local APICs only; IOAPIC and 8259 pair are the host's. -EEXIST as above. */
export function createSplitIrqchip(): i32 {
  if (lapicExists()) return EEXIST;
  store<u32>(VM_CHIPS, load<u32>(VM_CHIPS) | CHIPS_SPLIT);
  store<f64>(VM_NEXT_TIMER, Infinity);
  store<u32>(ROUTE_COUNT, 0);
  indexRoutes();
  return 0;
}

/** KVM_CREATE_PIT2 with its flags (KVM_PIT_SPEAKER_DUMMY: port 0x61 too). -ENOENT without an irqchip,
 * -EEXIST if there is one already, -EINVAL for unknown flags. */
export function createPit(flags: u32): i32 {
  const chips = load<u32>(VM_CHIPS);
  if (!(chips & CHIPS_IRQCHIP)) return ENOENT;
  if (chips & CHIPS_PIT) return EEXIST;
  if (flags & ~PIT_SPEAKER_DUMMY) return EINVAL;
  store<u32>(VM_CHIPS, chips | CHIPS_PIT | (flags & PIT_SPEAKER_DUMMY ? CHIPS_SPEAKER : 0));
  pitReset();
  return 0;
}

/** Power-up state of the chips that belong to no vCPU. Routing stays. */
export function chipReset(): void {
  const chips = load<u32>(VM_CHIPS);
  if (!(chips & CHIPS_IRQCHIP)) return;
  lockChips();
  picReset();
  ioapicReset();
  if (chips & CHIPS_PIT) {
    store<u32>(PIT_FLAGS, 0);
    pitReset();
  }
  unlockChips();
}

/** After the host wrote PIC_MASTER, PIC_SLAVE or IOAPIC_STATE (KVM_SET_IRQCHIP): lines that are high
 * and may interrupt do so. */
export function irqchipLoaded(): void {
  lockChips();
  ioapicIndexVectors();
  picUpdate();
  ioapicServiceAll();
  unlockChips();
}

/** After the host wrote PIT_STATE (KVM_SET_PIT2). */
export function pitStateLoaded(): void {
  lockChips();
  pitLoaded();
  unlockChips();
}

/** KVM_REINJECT_CONTROL: whether ticks that the guest missed are raised later. -ENXIO without a PIT. */
export function setPitReinject(on: i32): i32 {
  if (!(load<u32>(VM_CHIPS) & CHIPS_PIT)) return ENXIO;
  store<u32>(PIT_REINJECT, on ? 1 : 0);
  return 0;
}

/** Before the host reads the running vCPU's CPU_LAPIC page (KVM_GET_LAPIC): writes the computed registers. */
export function lapicSave(): void {
  pvEoiWithdraw();
  lapicTimerSave();
  setReg(cpu, APIC_PPR, processorPriority(cpu));
}

/** After the host wrote the running vCPU's CPU_LAPIC page (KVM_SET_LAPIC; IA32_APIC_BASE comes before it,
 * IA32_TSC_DEADLINE after it, since the page holds the timer's mode). In x2APIC mode the ID is the vCPU's number whatever was written. */
export function lapicLoaded(): void {
  lapicIdLoaded();
  lapicTimerLoaded();
}

/** Takes the lock while the host rewrites ROUTE_COUNT and ROUTES; routesEnd() has to follow at once. */
export function routesBegin(): void {
  lockChips();
}

/** Puts the new routing table in force (KVM_SET_GSI_ROUTING). -EINVAL, with no routes, for an impossible entry. */
export function routesEnd(): i32 {
  const result = indexRoutes();
  unlockChips();
  return result;
}

/** Whether the host hears, by host.doorbell(RESAMPLE_DOORBELL + gsi), that the guest acknowledged a GSI. */
export function setResample(gsi: u32, on: i32): i32 {
  if (gsi >= <u32>MAX_GSIS) return EINVAL;
  lockChips();
  const word = (<usize>gsi >> 5) << 2;
  const bit: u32 = 1 << (gsi & 31);
  const bits = load<u32>(word, ROUTE_RESAMPLE);
  store<u32>(word, on ? bits | bit : bits & ~bit, ROUTE_RESAMPLE);
  unlockChips();
  return 0;
}
