// KVM_CHECK_EXTENSION: which capabilities there are (numbers of the Linux uapi).

import { IOAPIC_PINS, MAX_GSIS } from "../../assembly/irqchip/layout.ts";
import { MAX_VCPUS, VM_MAX_SLOTS } from "../../assembly/layout.ts";

export const KVM_CAP_IRQCHIP = 0;
export const KVM_CAP_HLT = 1;
export const KVM_CAP_USER_MEMORY = 3;
export const KVM_CAP_SET_TSS_ADDR = 4;
export const KVM_CAP_EXT_CPUID = 7;
export const KVM_CAP_CLOCKSOURCE = 8;
export const KVM_CAP_NR_VCPUS = 9;
export const KVM_CAP_NR_MEMSLOTS = 10;
export const KVM_CAP_PIT = 11;
export const KVM_CAP_NOP_IO_DELAY = 12;
export const KVM_CAP_MP_STATE = 14;
export const KVM_CAP_COALESCED_MMIO = 15;
export const KVM_CAP_DESTROY_MEMORY_REGION_WORKS = 21;
export const KVM_CAP_USER_NMI = 22;
export const KVM_CAP_SET_GUEST_DEBUG = 23;
export const KVM_CAP_REINJECT_CONTROL = 24;
export const KVM_CAP_IRQ_ROUTING = 25;
export const KVM_CAP_IRQ_INJECT_STATUS = 26;
export const KVM_CAP_JOIN_MEMORY_REGIONS_WORKS = 30;
export const KVM_CAP_IRQFD = 32;
export const KVM_CAP_PIT2 = 33;
export const KVM_CAP_PIT_STATE2 = 35;
export const KVM_CAP_IOEVENTFD = 36;
export const KVM_CAP_SET_IDENTITY_MAP_ADDR = 37;
export const KVM_CAP_ADJUST_CLOCK = 39;
export const KVM_CAP_INTERNAL_ERROR_DATA = 40;
export const KVM_CAP_VCPU_EVENTS = 41;
export const KVM_CAP_INTR_SHADOW = 49;
export const KVM_CAP_DEBUGREGS = 50;
export const KVM_CAP_X86_ROBUST_SINGLESTEP = 51;
export const KVM_CAP_ENABLE_CAP = 54;
export const KVM_CAP_XSAVE = 55;
export const KVM_CAP_XCRS = 56;
export const KVM_CAP_TSC_CONTROL = 60;
export const KVM_CAP_GET_TSC_KHZ = 61;
export const KVM_CAP_MAX_VCPUS = 66;
export const KVM_CAP_TSC_DEADLINE_TIMER = 72;
export const KVM_CAP_SIGNAL_MSI = 77;
export const KVM_CAP_READONLY_MEM = 81;
export const KVM_CAP_IRQFD_RESAMPLE = 82;
export const KVM_CAP_ENABLE_CAP_VM = 98;
export const KVM_CAP_IOEVENTFD_NO_LENGTH = 100;
export const KVM_CAP_CHECK_EXTENSION_VM = 105;
export const KVM_CAP_SPLIT_IRQCHIP = 121;
export const KVM_CAP_IOEVENTFD_ANY_LENGTH = 122;
export const KVM_CAP_MAX_VCPU_ID = 128;
export const KVM_CAP_IMMEDIATE_EXIT = 136;
export const KVM_CAP_COALESCED_PIO = 162;
export const KVM_CAP_STEAL_TIME = 187;

/** Capabilities whose value is not simply 1. */
const VALUES: ReadonlyMap<number, number> = new Map([
  [KVM_CAP_NR_VCPUS, MAX_VCPUS],
  [KVM_CAP_MAX_VCPUS, MAX_VCPUS],
  [KVM_CAP_MAX_VCPU_ID, MAX_VCPUS],
  [KVM_CAP_NR_MEMSLOTS, VM_MAX_SLOTS],
  [KVM_CAP_IRQ_ROUTING, MAX_GSIS],
  // As many pins as an IOAPIC may have in user space.
  [KVM_CAP_SPLIT_IRQCHIP, IOAPIC_PINS],
  // The page that the ring would be mapped at.
  [KVM_CAP_COALESCED_MMIO, 2],
]);

const PRESENT: ReadonlySet<number> = new Set([
  KVM_CAP_IRQCHIP,
  KVM_CAP_HLT,
  KVM_CAP_USER_MEMORY,
  KVM_CAP_SET_TSS_ADDR,
  KVM_CAP_EXT_CPUID,
  KVM_CAP_CLOCKSOURCE,
  KVM_CAP_PIT,
  KVM_CAP_NOP_IO_DELAY,
  KVM_CAP_MP_STATE,
  KVM_CAP_DESTROY_MEMORY_REGION_WORKS,
  KVM_CAP_USER_NMI,
  KVM_CAP_SET_GUEST_DEBUG,
  KVM_CAP_REINJECT_CONTROL,
  KVM_CAP_IRQ_INJECT_STATUS,
  KVM_CAP_JOIN_MEMORY_REGIONS_WORKS,
  KVM_CAP_IRQFD,
  KVM_CAP_PIT2,
  KVM_CAP_PIT_STATE2,
  KVM_CAP_IOEVENTFD,
  KVM_CAP_SET_IDENTITY_MAP_ADDR,
  KVM_CAP_ADJUST_CLOCK,
  KVM_CAP_INTERNAL_ERROR_DATA,
  KVM_CAP_VCPU_EVENTS,
  KVM_CAP_INTR_SHADOW,
  KVM_CAP_DEBUGREGS,
  KVM_CAP_X86_ROBUST_SINGLESTEP,
  KVM_CAP_ENABLE_CAP,
  KVM_CAP_XSAVE,
  KVM_CAP_XCRS,
  KVM_CAP_TSC_CONTROL,
  KVM_CAP_GET_TSC_KHZ,
  KVM_CAP_TSC_DEADLINE_TIMER,
  KVM_CAP_SIGNAL_MSI,
  KVM_CAP_READONLY_MEM,
  KVM_CAP_IRQFD_RESAMPLE,
  KVM_CAP_ENABLE_CAP_VM,
  KVM_CAP_IOEVENTFD_NO_LENGTH,
  KVM_CAP_CHECK_EXTENSION_VM,
  KVM_CAP_IOEVENTFD_ANY_LENGTH,
  KVM_CAP_IMMEDIATE_EXIT,
  KVM_CAP_COALESCED_PIO,
  KVM_CAP_STEAL_TIME,
]);

/** 0: not there; else 1 or the capability's number. */
export function extensionValue(capability: number): number {
  return VALUES.get(capability) ?? (PRESENT.has(capability) ? 1 : 0);
}
