// The state of a processor after power-up and after INIT (SDM volume 3, 10.1.1, table 10-1).
import {
  CR0_CD, CR0_ET, CR0_NW, RDX, SEG_CS, SEG_ES, SEG_GS, SEG_LDTR, SEG_TR, cpu, setGpr, setRip,
} from "../cpu";
import { KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_UNINITIALIZED } from "../exits";
import { lapicReset } from "../irqchip/index";
import { lapicExists } from "../irqchip/lapic-state";
import {
  CPU_CPL, CPU_CR0, CPU_CR2, CPU_CR8, CPU_DR, CPU_EFER, CPU_EXCEPTION_PENDING, CPU_FCW, CPU_FEATURES, CPU_GDT_BASE,
  CPU_GDT_LIMIT, CPU_GPR, CPU_IDT_BASE, CPU_IDT_LIMIT, CPU_INDEX, CPU_INTERRUPT_PENDING, CPU_MISC_ENABLE, CPU_MP_STATE,
  CPU_MXCSR, CPU_NMI_MASKED, CPU_NMI_PENDING, CPU_PKRS, CPU_PKRU, CPU_SHADOW, CPU_STAR, CPU_UCODE_REV, CPU_X87, CPU_XCR0, CPU_XMM,
} from "../layout";
import { mmuReset } from "../mmu/registers";
import { ENTRY_EAX, cpuidRegister, isAmd } from "./cpuid";
import { DR6_ONES, DR7_ONES, dropDebugTraps } from "./debug";
import { LDT, TSS32_BUSY, ATTR_P, installSegment } from "./descriptors";
import { setFlags } from "./flags";
import { updateMode } from "./mode";
import { MISC_ENABLE_FIXED, SPARE_ARCH_CAPABILITIES, SPARE_HWCR } from "./msr";
import { HWCR_DEFAULT } from "./msr-amd";
import { mtrrReset } from "./mtrr";
import { ARCH_CAPABILITIES_DEFAULT } from "./speculation";

/** Present, writable and accessed data; for CS readable and accessed code. */
const DATA_ATTR: u32 = 0x93;
const CODE_ATTR: u32 = 0x9b;
const RESET_RIP: u64 = 0xfff0;
const RESET_CS: u32 = 0xf000;
const RESET_CS_BASE: u64 = 0xffff0000;
/** Microcode revisions that kernels take for a patched processor, as KVM gives them. */
const UCODE_INTEL: u32 = 1;
const UCODE_AMD: u32 = 0x01000065;
/** MISC_ENABLE: fast strings. */
const MISC_ENABLE_FAST_STRING: u64 = 1;
/** What FNINIT sets, as KVM presents a new vCPU; silicon powers up with 0x40. */
const FCW_RESET: u32 = 0x37f;
const MXCSR_RESET: u32 = 0x1f80;

/**
 * Brings the running vCPU to its power-up state, or with `init` to that after INIT, which keeps x87, SSE and
 * XCR0, MSRs other than EFER, the TSC, and CR0.CD and NW. The CPUID table stays; it gives EDX its
 * signature. After power-up a vCPU other than 0 waits for INIT and SIPI where there is a local APIC;
 * after INIT the caller sets the MP state.
 */
export function resetCpu(init: bool): void {
  memory.fill(cpu + CPU_GPR, 0, 128);
  const signature = cpuidRegister(1, 0, ENTRY_EAX);
  setGpr(RDX, signature ? signature : 0x600);
  setRip(RESET_RIP);
  setFlags(2);
  store<u32>(cpu, 0, CPU_CPL);
  resetSegments();
  resetControl(init);
  resetDebug();
  resetEvents();
  if (!init) {
    resetFpu();
    resetMsrs();
    const waits = load<u32>(cpu, CPU_INDEX) != 0 && lapicExists();
    store<u32>(cpu, waits ? KVM_MP_STATE_UNINITIALIZED : KVM_MP_STATE_RUNNABLE, CPU_MP_STATE);
  }
  lapicReset(init);
  mmuReset();
  updateMode();
}

function resetSegments(): void {
  for (let seg = SEG_ES; seg <= SEG_GS; seg++) installSegment(seg, 0, 0, 0xffff, DATA_ATTR);
  installSegment(SEG_CS, RESET_CS, RESET_CS_BASE, 0xffff, CODE_ATTR);
  installSegment(SEG_LDTR, 0, 0, 0xffff, ATTR_P | LDT);
  installSegment(SEG_TR, 0, 0, 0xffff, ATTR_P | TSS32_BUSY);
  store<u64>(cpu, 0, CPU_GDT_BASE);
  store<u32>(cpu, 0xffff, CPU_GDT_LIMIT);
  store<u64>(cpu, 0, CPU_IDT_BASE);
  store<u32>(cpu, 0xffff, CPU_IDT_LIMIT);
}

function resetControl(init: bool): void {
  const caching = init ? load<u64>(cpu, CPU_CR0) & (CR0_CD | CR0_NW) : CR0_CD | CR0_NW;
  store<u64>(cpu, caching | CR0_ET, CPU_CR0);
  // CR2, CR3, CR4, CR8, EFER.
  memory.fill(cpu + CPU_CR2, 0, CPU_CR8 + 8 - CPU_CR2);
  store<u64>(cpu, 0, CPU_EFER);
}

function resetDebug(): void {
  memory.fill(cpu + CPU_DR, 0, 64);
  store<u64>(cpu, DR6_ONES, CPU_DR + 48);
  store<u64>(cpu, DR7_ONES, CPU_DR + 56);
  dropDebugTraps();
}

function resetEvents(): void {
  store<u32>(cpu, 0, CPU_EXCEPTION_PENDING);
  store<u32>(cpu, 0, CPU_INTERRUPT_PENDING);
  store<u32>(cpu, 0, CPU_SHADOW);
  store<u32>(cpu, 0, CPU_NMI_PENDING);
  store<u32>(cpu, 0, CPU_NMI_MASKED);
}

function resetFpu(): void {
  // Registers R0..R7, then FCW, FSW, TOP, tags and the last instruction, then XMM and YMM.
  memory.fill(cpu + CPU_X87, 0, CPU_XMM + 512 - CPU_X87);
  store<u32>(cpu, FCW_RESET, CPU_FCW);
  store<u32>(cpu, MXCSR_RESET, CPU_MXCSR);
  store<u64>(cpu, 1, CPU_XCR0);
  store<u32>(cpu, 0, CPU_PKRU);
  store<u64>(cpu, 0, CPU_PKRS);
}

function resetMsrs(): void {
  // From STAR to the last spare register everything is a register that powers up as 0, but for these.
  memory.fill(cpu + CPU_STAR, 0, CPU_FEATURES - CPU_STAR);
  mtrrReset();
  store<u64>(cpu, MISC_ENABLE_FAST_STRING | MISC_ENABLE_FIXED, CPU_MISC_ENABLE);
  store<u32>(cpu, isAmd() ? UCODE_AMD : UCODE_INTEL, CPU_UCODE_REV);
  store<u64>(cpu, HWCR_DEFAULT, SPARE_HWCR);
  store<u64>(cpu, ARCH_CAPABILITIES_DEFAULT, SPARE_ARCH_CAPABILITIES);
}

/** Start-up IPI: real mode at vector * 4 KiB (SDM volume 3, 9.4.4.1). */
export function startUp(vector: u32): void {
  installSegment(SEG_CS, vector << 8, <u64>vector << 12, 0xffff, CODE_ATTR);
  setRip(0);
  updateMode();
}
