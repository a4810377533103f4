// The ABI of core.wasm. Registers and the run page are read and written in place (layout.ts); these are the calls.
// i64 crosses as BigInt, f64 as number; errors are negative Linux errno values.
import { cpu, selectCpu } from "./cpu";
import { cpuidChanged } from "./execute/cpuid";
import { getFlags, setFlags } from "./execute/flags";
import { hostReadMsr, hostWriteMsr, msrOk as msrFound } from "./execute/msr";
import { resetCpu } from "./execute/reset";
import { resetContexts } from "./mmu/contexts";
import { flushTraces } from "./decode/traces";
import { CPU_INDEX, VCPU_BASE, VCPU_SIZE, CPU_FUEL } from "./layout";
import { lapicReset } from "./irqchip/lapic";
import { readTpr, writeTpr } from "./irqchip/lapic-registers";
import { requestSlice } from "./execute/request";

export { run } from "./run";
export { commitSregs } from "./execute/sregs";
export { cpuidChanged } from "./execute/cpuid";
export { setSlot } from "./mmu/slots";
export { dirtyLog } from "./mmu/dirty";
export { translateNoFault as translate } from "./mmu/translate";
export { dmaWritten } from "./mmu/physical";
export { logAdd, logReset } from "./mmu/access-log";
export {
  chipReset, createIrqchip, createPit, createSplitIrqchip, irqchipLoaded, irqLine, lapicLoaded, lapicSave, nextDeadline, pitStateLoaded, pulseLint1, routesBegin, routesEnd,
  resampleLine, setPitReinject, setResample, signalMsi,
} from "./irqchip/index";
export { guestNs, readTsc, setTscKhz, setTscOffset, tscKhz } from "./irqchip/clock";
export { kvmClockGet, kvmClockGuestStopped, kvmClockSet } from "./irqchip/kvmclock";
export { wake } from "./irqchip/wake";
export { saveXsave, loadXsave } from "./execute/xsave";
export { readTpr as getTpr, writeTpr as setTpr };

/** Binds this instance to the area of vCPU `index`, 0 to MAX_VCPUS - 1. */
export function vcpuSelect(index: u32): void {
  selectCpu(VCPU_BASE + index * VCPU_SIZE);
  store<u32>(cpu, index, CPU_INDEX);
}

/** Brings the selected vCPU into its power-up state (SDM volume 3, table 10-1). Its CPUID table stays. */
export function vcpuReset(): void {
  store<u64>(cpu, 0, CPU_FUEL);
  cpuidChanged();
  resetContexts();
  lapicReset(false);
  resetCpu(false);
  flushTraces();
}

/** RFLAGS. */
export function getRflags(): u64 {
  return getFlags();
}

/** Sets RFLAGS as given; reserved bits are ignored. */
export function setRflags(value: u64): void {
  setFlags(<u32>value);
  requestSlice();
}

/** Reads an MSR with no privilege check; msrOk() says whether it exists. */
export function readMsr(index: u32): u64 {
  return hostReadMsr(index);
}

/** Writes an MSR with no privilege check. 1: done, 0: no such MSR, or not that value. */
export function writeMsr(index: u32, value: u64): i32 {
  return hostWriteMsr(index, value);
}

/** Whether the last readMsr() found its MSR. */
export function msrOk(): i32 {
  return msrFound;
}
