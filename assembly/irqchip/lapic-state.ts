// The local APIC's register page and what can be read off it (SDM volume 3, chapter 11).
//
// Functions take the address of a vCPU's state, because interrupts are delivered from other vCPUs'
// threads. IRR and TMR are changed atomically by anyone; everything else only by the vCPU itself.
import { CPU_APIC_BASE, CPU_FEATURES, CPU_LAPIC, VM_CHIPS } from "../layout";
import { andShared, orShared } from "./atomics";
import { CHIPS_LAPIC } from "./layout";

// Register offsets in the page; the number of an x2APIC MSR is 0x800 + offset / 16.
export const APIC_ID: usize = 0x20;
export const APIC_VERSION: usize = 0x30;
export const APIC_TPR: usize = 0x80;
export const APIC_APR: usize = 0x90;
export const APIC_PPR: usize = 0xa0;
export const APIC_EOI: usize = 0xb0;
export const APIC_RRD: usize = 0xc0;
export const APIC_LDR: usize = 0xd0;
export const APIC_DFR: usize = 0xe0;
export const APIC_SVR: usize = 0xf0;
export const APIC_ISR: usize = 0x100;
export const APIC_TMR: usize = 0x180;
export const APIC_IRR: usize = 0x200;
export const APIC_ESR: usize = 0x280;
export const APIC_ICR: usize = 0x300;
export const APIC_ICR2: usize = 0x310;
export const APIC_LVT_TIMER: usize = 0x320;
export const APIC_LVT_THERMAL: usize = 0x330;
export const APIC_LVT_PERF: usize = 0x340;
export const APIC_LVT_LINT0: usize = 0x350;
export const APIC_LVT_LINT1: usize = 0x360;
export const APIC_LVT_ERROR: usize = 0x370;
export const APIC_TIMER_INITIAL: usize = 0x380;
export const APIC_TIMER_CURRENT: usize = 0x390;
export const APIC_TIMER_DIVIDE: usize = 0x3e0;
export const APIC_SELF_IPI: usize = 0x3f0;

/** An integrated APIC with six local vectors, as KVM shows it. */
export const APIC_VERSION_VALUE: u32 = 0x50014;

export const LVT_MASKED: u32 = 1 << 16;
export const SVR_ENABLED: u32 = 1 << 8;

// Delivery modes: bits 8-10 of ICR, LVT, IOAPIC entries and MSI data.
export const MODE_FIXED: u32 = 0;
export const MODE_LOWEST: u32 = 1;
export const MODE_SMI: u32 = 2;
export const MODE_REMOTE_READ: u32 = 3;
export const MODE_NMI: u32 = 4;
export const MODE_INIT: u32 = 5;
export const MODE_STARTUP: u32 = 6;
export const MODE_EXTINT: u32 = 7;

export const BASE_BSP: u64 = 1 << 8;
export const BASE_X2APIC: u64 = 1 << 10;
export const BASE_ENABLE: u64 = 1 << 11;
export const BASE_DEFAULT: u64 = 0xfee00000;

// Error bits of the ESR.
export const ERROR_SEND_ILLEGAL: u32 = 1 << 5;
export const ERROR_RECEIVE_ILLEGAL: u32 = 1 << 6;
export const ERROR_REGISTER: u32 = 1 << 7;

// @ts-ignore: decorator
@inline export function reg(base: usize, offset: usize): u32 { return load<u32>(base + offset, CPU_LAPIC); }
// @ts-ignore: decorator
@inline export function setReg(base: usize, offset: usize, value: u32): void {
  store<u32>(base + offset, value, CPU_LAPIC);
}

/** The VM has local APICs in the core. */
// @ts-ignore: decorator
@inline export function lapicExists(): bool { return (load<u32>(VM_CHIPS) & CHIPS_LAPIC) != 0; }

/** IA32_APIC_BASE bit 11. */
// @ts-ignore: decorator
@inline export function hardwareEnabled(base: usize): bool {
  return (load<u64>(base, CPU_APIC_BASE) & BASE_ENABLE) != 0;
}

/** Enabled in x2APIC mode. */
export function x2apicMode(base: usize): bool {
  return (load<u64>(base, CPU_APIC_BASE) & (BASE_ENABLE | BASE_X2APIC)) == (BASE_ENABLE | BASE_X2APIC);
}

/** Bit 8 of the spurious vector register. */
export function softwareEnabled(base: usize): bool {
  return (reg(base, APIC_SVR) & SVR_ENABLED) != 0;
}

/** The APIC ID as a number, in either mode. */
export function apicId(base: usize): u32 {
  const id = reg(base, APIC_ID);
  return x2apicMode(base) ? id : id >> 24;
}

/** Whether the vCPU's CPUID table offers a feature (FEAT_* of features.ts). */
export function vcpuHas(base: usize, feature: i32): bool {
  return ((load<u8>(base + (feature >> 3), CPU_FEATURES) >> (<u8>feature & 7)) & 1) != 0;
}

/** Address of the word of a 256-bit register (ISR, TMR, IRR) that holds `vector`. */
function wordOf(base: usize, bank: usize, vector: u32): usize {
  return base + CPU_LAPIC + bank + ((<usize>vector >> 5) << 4);
}

export function testVector(base: usize, bank: usize, vector: u32): bool {
  return ((load<u32>(wordOf(base, bank, vector)) >> (vector & 31)) & 1) != 0;
}

/** Sets the bit; returns whether it was clear. */
export function setVector(base: usize, bank: usize, vector: u32): bool {
  const bit: u32 = 1 << (vector & 31);
  return (orShared(wordOf(base, bank, vector), bit) & bit) == 0;
}

export function clearVector(base: usize, bank: usize, vector: u32): void {
  andShared(wordOf(base, bank, vector), ~(<u32>1 << (vector & 31)));
}

/** The highest vector of a 256-bit register, or -1. */
export function highestVector(base: usize, bank: usize): i32 {
  for (let word = 7; word >= 0; word--) {
    const bits = load<u32>(base + bank + (<usize>word << 4), CPU_LAPIC);
    if (bits) return (word << 5) + 31 - <i32>clz(bits);
  }
  return -1;
}

/** Processor priority (SDM volume 3, 11.8.3.1): the higher class of TPR and the vector in service. */
export function processorPriority(base: usize): u32 {
  const tpr = reg(base, APIC_TPR) & 0xff;
  const inService = highestVector(base, APIC_ISR);
  if (inService < 0) return tpr;
  return (tpr & 0xf0) >= (<u32>inService & 0xf0) ? tpr : <u32>inService & 0xf0;
}
