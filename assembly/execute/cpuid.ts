// CPUID, answered from the table of KVM_SET_CPUID2 with the lookup rules of KVM.
import { CR4_OSXSAVE, CR4_PKE, RAX, RBX, RCX, RDX, cpu, setGpr } from "../cpu";
import {
  CPU_APIC_BASE, CPU_CPUID, CPU_CR4, CPU_FEATURES, CPU_XCR0, CPU_XSS,
} from "../layout";
import { FEAT_APIC, FEAT_OSPKE, FEAT_OSXSAVE, FEAT_XSAVEC, FEAT_XSAVES, FEATURE_BITS } from "../features";
import { mmuConfigure } from "../mmu/registers";

// Fields of a table entry.
const ENTRY_SIZE: usize = 28;
const ENTRY_FUNCTION: usize = 0;
const ENTRY_INDEX: usize = 4;
const ENTRY_FLAGS: usize = 8;
export const ENTRY_EAX: usize = 12;
export const ENTRY_EBX: usize = 16;
export const ENTRY_ECX: usize = 20;
export const ENTRY_EDX: usize = 24;
/** KVM_CPUID_FLAG_SIGNIFCANT_INDEX: the entry answers for its index only. */
const SIGNIFICANT_INDEX: u32 = 1;

/** The first four letters of "AuthenticAMD" and "HygonGenuine", as CPUID.0 EBX has them. */
const VENDOR_AMD: u32 = 0x68747541;
const VENDOR_HYGON: u32 = 0x6f677948;
const APIC_GLOBAL_ENABLE: u64 = 1 << 11;
/** Legacy area and header of an XSAVE image. */
const XSAVE_MIN_SIZE: u32 = 576;

/** Does the guest's CPUID have the feature FEAT_*? */
// @ts-ignore: decorator
@inline export function hasFeature(feature: i32): bool {
  return ((load<u8>(cpu + (<usize>feature >> 3), CPU_FEATURES) >> <u8>(feature & 7)) & 1) != 0;
}

/** The table entry that answers for a leaf, or 0. */
export function cpuidEntry(leaf: u32, subleaf: u32): usize {
  const end = cpu + CPU_CPUID + 4 + <usize>load<u32>(cpu, CPU_CPUID) * ENTRY_SIZE;
  for (let entry = cpu + CPU_CPUID + 4; entry < end; entry += ENTRY_SIZE) {
    if (load<u32>(entry, ENTRY_FUNCTION) != leaf) continue;
    if ((load<u32>(entry, ENTRY_FLAGS) & SIGNIFICANT_INDEX) == 0 || load<u32>(entry, ENTRY_INDEX) == subleaf) {
      return entry;
    }
  }
  return 0;
}

/** A register (ENTRY_E*) of a leaf as the table has it; 0 where there is no such leaf. */
export function cpuidRegister(leaf: u32, subleaf: u32, register: usize): u32 {
  const entry = cpuidEntry(leaf, subleaf);
  return entry ? load<u32>(entry + register) : 0;
}

/** The processor is AMD's or Hygon's; where the vendors differ, everything else behaves as Intel's. */
export function isAmd(): bool {
  const vendor = cpuidRegister(0, 0, ENTRY_EBX);
  return vendor == VENDOR_AMD || vendor == VENDOR_HYGON;
}

/**
 * Derives CPU_FEATURES and the MMU's page table format from the table: after the host has written it.
 * A vCPU that was given no table has every feature, as one of KVM's has its host's.
 */
export function cpuidChanged(): void {
  if (load<u32>(cpu, CPU_CPUID) == 0) {
    memory.fill(cpu + CPU_FEATURES, 0xff, FEATURE_BITS / 8);
    mmuConfigure();
    return;
  }
  storeWord(0, cpuidRegister(1, 0, ENTRY_ECX), cpuidRegister(1, 0, ENTRY_EDX));
  storeWord(1, cpuidRegister(7, 0, ENTRY_EBX), cpuidRegister(7, 0, ENTRY_ECX));
  storeWord(2, cpuidRegister(0x80000001, 0, ENTRY_ECX), cpuidRegister(0x80000001, 0, ENTRY_EDX));
  storeWord(3, cpuidRegister(7, 0, ENTRY_EDX), cpuidRegister(0xd, 1, ENTRY_EAX));
  mmuConfigure();
}

function storeWord(word: usize, low: u32, high: u32): void {
  store<u64>(cpu + (word << 3), <u64>low | <u64>high << 32, CPU_FEATURES);
}

/** XCR0 bits that the processor has (CPUID.D.0). */
export function supportedXcr0(): u64 {
  return <u64>cpuidRegister(0xd, 0, ENTRY_EAX) | <u64>cpuidRegister(0xd, 0, ENTRY_EDX) << 32;
}

/** CPUID: writes RAX, RBX, RCX and RDX. */
export function cpuid(leaf: u32, subleaf: u32): void {
  let function_ = leaf;
  let entry = cpuidEntry(leaf, subleaf);
  if (!entry && outOfRange(leaf)) {
    function_ = cpuidRegister(0, 0, ENTRY_EAX);
    entry = cpuidEntry(function_, subleaf);
  }
  if (!entry) {
    answerMissing(function_, subleaf);
    return;
  }
  let ebx = load<u32>(entry, ENTRY_EBX);
  let ecx = load<u32>(entry, ENTRY_ECX);
  let edx = load<u32>(entry, ENTRY_EDX);
  const cr4 = load<u64>(cpu, CPU_CR4);
  if (function_ == 1) {
    ecx = withBit(ecx, FEAT_OSXSAVE & 31, (cr4 & CR4_OSXSAVE) != 0);
    if ((load<u64>(cpu, CPU_APIC_BASE) & APIC_GLOBAL_ENABLE) == 0) edx = withBit(edx, FEAT_APIC & 31, false);
  } else if (function_ == 7 && subleaf == 0) {
    ecx = withBit(ecx, FEAT_OSPKE & 31, (cr4 & CR4_PKE) != 0);
  } else if (function_ == 0xd && subleaf == 0) {
    ebx = xsaveSize(load<u64>(cpu, CPU_XCR0), false);
  } else if (function_ == 0xd && subleaf == 1) {
    const compacts = hasFeature(FEAT_XSAVEC) || hasFeature(FEAT_XSAVES);
    ebx = compacts ? xsaveSize(load<u64>(cpu, CPU_XCR0) | load<u64>(cpu, CPU_XSS), true) : 0;
  }
  answer(load<u32>(entry, ENTRY_EAX), ebx, ecx, edx);
}

/** Intel answers a leaf beyond its range's maximum with the highest basic leaf, AMD with zeros. */
function outOfRange(leaf: u32): bool {
  const basic = cpuidEntry(0, 0);
  if (!basic || isAmd()) return false;
  let range: usize;
  if (leaf >= 0x40000000 && leaf <= 0x4fffffff) range = cpuidEntry(leaf & 0xffffff00, 0);
  else if (leaf >= 0xc0000000) range = cpuidEntry(0xc0000000, 0);
  else range = cpuidEntry(leaf & 0x80000000, 0);
  return !range || leaf > load<u32>(range, ENTRY_EAX);
}

/** Zeros, except that the topology leaves echo the level number and name the x2APIC ID at every level. */
function answerMissing(leaf: u32, subleaf: u32): void {
  let ecx: u32 = 0;
  let edx: u32 = 0;
  if (leaf == 0xb || leaf == 0x1f) {
    const first = cpuidEntry(leaf, 1);
    if (first) {
      ecx = subleaf & 0xff;
      edx = load<u32>(first, ENTRY_EDX);
    }
  }
  answer(0, 0, ecx, edx);
}

function answer(eax: u32, ebx: u32, ecx: u32, edx: u32): void {
  setGpr(RAX, eax);
  setGpr(RBX, ebx);
  setGpr(RCX, ecx);
  setGpr(RDX, edx);
}

function withBit(value: u32, bit: u32, on: bool): u32 {
  return (value & ~((<u32>1) << bit)) | <u32>on << bit;
}

/** Bytes of an XSAVE image with `components` (XCR0 or XSS bits), in the standard or the compacted format. */
export function xsaveSize(components: u64, compacted: bool): u32 {
  let size = XSAVE_MIN_SIZE;
  for (let i: u32 = 2; i < 63; i++) {
    if (((components >> i) & 1) == 0) continue;
    const entry = cpuidEntry(0xd, i);
    if (!entry) continue;
    const length = load<u32>(entry, ENTRY_EAX);
    if (compacted) {
      // Bit 1 of ECX: the component starts at a multiple of 64 in compacted images.
      if (load<u32>(entry, ENTRY_ECX) & 2) size = (size + 63) & ~63;
      size += length;
    } else {
      const end = load<u32>(entry, ENTRY_EBX) + length;
      if (end > size) size = end;
    }
  }
  return size;
}

/** Automatic IBRS (CPUID.80000021 EAX bit 8): EFER has a bit for it. */
export function hasAutoIbrs(): bool {
  return (cpuidRegister(0x80000021, 0, ENTRY_EAX) & 0x100) != 0;
}
