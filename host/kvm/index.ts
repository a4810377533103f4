// The KVM API: what `import ... from "wkvm"` gives.

export type { TraceListener } from "./callbacks.ts";
export type { CoreCompiler, CoreSource } from "./core.ts";
export { FEATURE_NAMES } from "./cpu-features.ts";
export { type CpuModel, cpuModels, DEFAULT_CPU_MODEL, parseCpuModel } from "./cpu-models.ts";
export { type CpuidOptions, cpuidFor } from "./cpuid.ts";
export { findEntry, KVM_CPUID_FLAG_SIGNIFCANT_INDEX, type KvmCpuidEntry } from "./cpuid-table.ts";
export {
  KVM_GUESTDBG_BLOCKIRQ,
  KVM_GUESTDBG_ENABLE,
  KVM_GUESTDBG_INJECT_BP,
  KVM_GUESTDBG_INJECT_DB,
  KVM_GUESTDBG_SINGLESTEP,
  KVM_GUESTDBG_USE_HW_BP,
  KVM_GUESTDBG_USE_SW_BP,
  type KvmDebugregs,
  type KvmGuestDebug,
} from "./debug.ts";
export {
  KVM_IOEVENTFD_FLAG_DATAMATCH,
  KVM_IOEVENTFD_FLAG_DEASSIGN,
  KVM_IOEVENTFD_FLAG_PIO,
  type KvmCoalescedMmio,
  type KvmCoalescedMmioZone,
  type KvmIoeventfd,
} from "./doorbells.ts";
export { ERRNO, type Errno, KvmError } from "./errors.ts";
export { EventFd, type EventFdHandle } from "./eventfd.ts";
export {
  KVM_VCPUEVENT_VALID_NMI_PENDING,
  KVM_VCPUEVENT_VALID_SHADOW,
  KVM_VCPUEVENT_VALID_SIPI_VECTOR,
  KVM_VCPUEVENT_VALID_SMM,
  type KvmVcpuEvents,
} from "./events.ts";
export * from "./exits.ts";
export * from "./extensions.ts";
export type { KvmFpu } from "./fpu.ts";
export {
  KVM_IRQCHIP_IOAPIC,
  KVM_IRQCHIP_PIC_MASTER,
  KVM_IRQCHIP_PIC_SLAVE,
  KVM_PIT_FLAGS_HPET_LEGACY,
  KVM_PIT_FLAGS_SPEAKER_DATA_ON,
  KVM_PIT_SPEAKER_DUMMY,
  type KvmIoapicState,
  type KvmIrqchip,
  type KvmPicState,
  type KvmPitChannelState,
  type KvmPitState2,
} from "./irqchip.ts";
export { KVM_IRQFD_FLAG_DEASSIGN, KVM_IRQFD_FLAG_RESAMPLE, type KvmIrqfd } from "./irqfd.ts";
export { Kicker, type KickerHandle } from "./kicker.ts";
export type { KvmRun } from "./kvm-run.ts";
export type { KvmMsrEntry } from "./msrs.ts";
export { describeObstacle, type TranslationObstacle } from "./obstacle.ts";
export type { KvmRegs, KvmRegsInput } from "./registers.ts";
export { KVM_IRQ_ROUTING_IRQCHIP, KVM_IRQ_ROUTING_MSI, type KvmIrqRoutingEntry, type KvmMsi } from "./routing.ts";
export type { RunAsyncOptions, RunOptions } from "./runner.ts";
export { KVM_MEM_LOG_DIRTY_PAGES, KVM_MEM_READONLY, type KvmUserspaceMemoryRegion } from "./slots.ts";
export type { KvmDtable, KvmSegment, KvmSregs } from "./sregs.ts";
export type { CounterName, VcpuStats } from "./stats.ts";
export { type Accelerator, KVM_API_VERSION, Kvm, type KvmOptions } from "./system.ts";
export type { KvmTranslation, Vcpu } from "./vcpu.ts";
export { RegionDifference } from "./verifier.ts";
export { Vm, type VmHandle, type VmOptions } from "./vm.ts";
export { KVM_CLOCK_REALTIME, KVM_CLOCK_TSC_STABLE, type KvmClockData } from "./vm-clock.ts";
export type { KvmXcr } from "./xsave.ts";
