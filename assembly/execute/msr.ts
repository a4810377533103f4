// Model-specific registers (SDM volume 4; for those at 0xc0010000 AMD's register references): RDMSR,
// WRMSR, KVM_GET_MSRS and KVM_SET_MSRS. Those of the APIC, kvmclock, MTRRs and vendors have files of their own.
import {
  CR0_PG, EFER_LMA, EFER_LME, EFER_NXE, EFER_SCE, GP, SEG_FS, SEG_GS, clearFault, count, cpu, fault, raiseError,
} from "../cpu";
import {
  FEAT_FLUSH_L1D, FEAT_LM, FEAT_MCA, FEAT_MTRR, FEAT_NX, FEAT_PAT, FEAT_PKS, FEAT_RDPID, FEAT_RDTSCP, FEAT_SEP, FEAT_SYSCALL,
  FEAT_TSC_ADJUST, FEAT_TSC_DEADLINE, FEAT_XSAVES,
} from "../features";
import { trace } from "../host";
import { readTsc, writeTsc, writeTscAdjust } from "../irqchip/clock";
import {
  hostWriteApicBase, lapicMsrRead, lapicMsrWrite, readTscDeadline, writeApicBase, writeTscDeadline,
} from "../irqchip/index";
import { kvmMsrKnown, kvmMsrRead, kvmMsrWrite } from "../irqchip/kvmclock";
import {
  CPU_APIC_BASE, CPU_CR0, CPU_CSTAR, CPU_EFER, CPU_KERNEL_GS_BASE, CPU_LOG, CPU_LSTAR, CPU_MISC_ENABLE,
  CPU_MSR_SPARE, CPU_PKRS, CPU_SEG_BASE, CPU_SFMASK, CPU_SPEC_CTRL, CPU_STAR, CPU_SYSENTER_CS, CPU_SYSENTER_EIP,
  CPU_SYSENTER_ESP, CPU_TSC_ADJUST, CPU_TSC_AUX, CPU_UCODE_REV, CPU_XSS, LOG_UNIMP, STAT_UNIMPLEMENTED,
} from "../layout";
import { tlbEferChanged, tlbPkrsChanged } from "../mmu/registers";
import { amdMsrRead, amdMsrWrite } from "./msr-amd";
import { hasAutoIbrs, hasFeature, isAmd } from "./cpuid";
import { hasArchCapabilities, hasPredCmd, predCmdBits, specCtrlBits, hasSpecCtrl } from "./speculation";
import { updateMode } from "./mode";
import { MSR_MTRR_CAP, mtrrCap, mtrrField, mtrrValid } from "./mtrr";
import { canonical } from "./privilege";

const MSR_TSC: u32 = 0x10;
const MSR_PLATFORM_ID: u32 = 0x17;
const MSR_APIC_BASE: u32 = 0x1b;
const MSR_EBL_CR_POWERON: u32 = 0x2a;
const MSR_SMI_COUNT: u32 = 0x34;
const MSR_FEATURE_CONTROL: u32 = 0x3a;
const MSR_TSC_ADJUST: u32 = 0x3b;
const MSR_SPEC_CTRL: u32 = 0x48;
const MSR_PRED_CMD: u32 = 0x49;
const MSR_UCODE_WRITE: u32 = 0x79;
const MSR_UCODE_REV: u32 = 0x8b;
const MSR_ARCH_CAPABILITIES: u32 = 0x10a;
const MSR_FLUSH_CMD: u32 = 0x10b;
const MSR_SYSENTER_CS: u32 = 0x174;
const MSR_SYSENTER_ESP: u32 = 0x175;
const MSR_SYSENTER_EIP: u32 = 0x176;
const MSR_MCG_CAP: u32 = 0x179;
const MSR_MCG_STATUS: u32 = 0x17a;
const MSR_PERF_STATUS: u32 = 0x198;
const MSR_MISC_ENABLE: u32 = 0x1a0;
const MSR_DEBUGCTL: u32 = 0x1d9;
/** LASTBRANCHFROMIP .. LASTINTTOIP. */
const MSR_LAST_BRANCH: u32 = 0x1db;
const MSR_LAST_BRANCH_END: u32 = 0x1de;
const MSR_TSC_DEADLINE: u32 = 0x6e0;
const MSR_PKRS: u32 = 0x6e1;
const MSR_X2APIC: u32 = 0x800;
const MSR_X2APIC_END: u32 = 0x8ff;
const MSR_XSS: u32 = 0xda0;
const MSR_EFER: u32 = 0xc0000080;
const MSR_STAR: u32 = 0xc0000081;
const MSR_LSTAR: u32 = 0xc0000082;
const MSR_CSTAR: u32 = 0xc0000083;
const MSR_SFMASK: u32 = 0xc0000084;
const MSR_FS_BASE: u32 = 0xc0000100;
const MSR_GS_BASE: u32 = 0xc0000101;
const MSR_KERNEL_GS_BASE: u32 = 0xc0000102;
const MSR_TSC_AUX: u32 = 0xc0000103;
const MSR_AMD: u32 = 0xc0010000;

// Uses of CPU_MSR_SPARE.
export const SPARE_HWCR = CPU_MSR_SPARE;
const SPARE_MCG_STATUS = CPU_MSR_SPARE + 8;
export const SPARE_ARCH_CAPABILITIES = CPU_MSR_SPARE + 16;

/** MISC_ENABLE: no branch trace store, no PEBS; a guest cannot change it. */
export const MISC_ENABLE_FIXED: u64 = 3 << 11;
/** DEBUGCTL: last-branch records and branch single-stepping, which are not there: dropped, as KVM drops them. */
const DEBUGCTL_DROPPED: u64 = 3;
/** Bus ratio in PERF_STATUS where software looks for one: 4. */
const PERF_STATUS: u64 = 1000 | 4 << 40;
/** No VMX, and firmware has locked that in. */
const FEATURE_CONTROL_LOCKED: u64 = 1;
const EFER_AUTO_IBRS: u64 = 1 << 21;

/** First value of trace(LOG_UNIMP) for an unknown MSR; the others are its index and the value written. */
export const UNIMPLEMENTED_RDMSR: u64 = 1;
export const UNIMPLEMENTED_WRMSR: u64 = 2;

/** What an access came to. */
const DONE: i32 = 0;
/** The register is not there: #GP(0), and -d unimp names it. */
const UNKNOWN: i32 = 1;
/** The register exists, but not for this access or value: #GP(0). */
const REFUSED: i32 = 2;

/** Result of the last readRegister() or writeRegister(). */
let outcome: i32 = DONE;
/** The host accesses the register: no privilege, and read-only registers can be written. */
let byHost: bool = false;

/** 1 if the last hostReadMsr() or hostWriteMsr() found its register, else 0. */
export let msrOk: i32 = 0;

/** RDMSR, without its privilege check. #GP(0) for registers that are not there. */
export function readMsr(index: u32): u64 {
  byHost = false;
  const value = readRegister(index);
  settle(index, UNIMPLEMENTED_RDMSR, 0);
  return value;
}

/** WRMSR, without its privilege check. #GP(0) for registers that are not there and values they cannot hold. */
export function writeMsr(index: u32, value: u64): void {
  byHost = false;
  writeRegister(index, value);
  settle(index, UNIMPLEMENTED_WRMSR, value);
}

/** KVM_GET_MSRS: the value; msrOk says whether there is one. */
export function hostReadMsr(index: u32): u64 {
  byHost = true;
  const value = readRegister(index);
  msrOk = i32(outcome == DONE && !fault);
  clearFault();
  return value;
}

/** KVM_SET_MSRS: 1, or 0 where the register is not there or cannot hold the value. */
export function hostWriteMsr(index: u32, value: u64): i32 {
  byHost = true;
  writeRegister(index, value);
  msrOk = i32(outcome == DONE && !fault);
  clearFault();
  return msrOk;
}

function settle(index: u32, what: u64, value: u64): void {
  if (outcome == DONE) return;
  if (outcome == UNKNOWN) {
    count(STAT_UNIMPLEMENTED);
    if (load<u32>(cpu, CPU_LOG) & LOG_UNIMP) trace(LOG_UNIMP, what, index, value);
  }
  raiseError(GP, 0);
}

/** `there` decides whether a register exists; DONE or UNKNOWN goes to outcome. */
function exists(there: bool): bool {
  outcome = there ? DONE : UNKNOWN;
  return there;
}

/** Offset in the vCPU of a register that holds just what was written, or 0. */
function plainField(index: u32): i32 {
  switch (index) {
    case MSR_SYSENTER_CS: return hasFeature(FEAT_SEP) ? CPU_SYSENTER_CS : 0;
    case MSR_SYSENTER_ESP: return hasFeature(FEAT_SEP) ? CPU_SYSENTER_ESP : 0;
    case MSR_SYSENTER_EIP: return hasFeature(FEAT_SEP) ? CPU_SYSENTER_EIP : 0;
    case MSR_STAR: return hasFeature(FEAT_SYSCALL) ? CPU_STAR : 0;
    case MSR_LSTAR: return hasFeature(FEAT_LM) ? CPU_LSTAR : 0;
    case MSR_CSTAR: return hasFeature(FEAT_LM) ? CPU_CSTAR : 0;
    case MSR_SFMASK: return hasFeature(FEAT_LM) ? CPU_SFMASK : 0;
    case MSR_FS_BASE: return hasFeature(FEAT_LM) ? CPU_SEG_BASE + 8 * SEG_FS : 0;
    case MSR_GS_BASE: return hasFeature(FEAT_LM) ? CPU_SEG_BASE + 8 * SEG_GS : 0;
    case MSR_KERNEL_GS_BASE: return hasFeature(FEAT_LM) ? CPU_KERNEL_GS_BASE : 0;
    case MSR_TSC_AUX: return hasFeature(FEAT_RDTSCP) || hasFeature(FEAT_RDPID) ? CPU_TSC_AUX : 0;
    case MSR_SPEC_CTRL: return hasSpecCtrl() ? CPU_SPEC_CTRL : 0;
    case MSR_XSS: return hasFeature(FEAT_XSAVES) ? CPU_XSS : 0;
    case MSR_MCG_STATUS: return hasFeature(FEAT_MCA) ? SPARE_MCG_STATUS : 0;
    case MSR_MISC_ENABLE: return CPU_MISC_ENABLE;
  }
  return 0;
}

/** Can a register of plainField() hold `value`? */
function plainValid(index: u32, value: u64): bool {
  switch (index) {
    case MSR_SYSENTER_ESP:
    case MSR_SYSENTER_EIP:
    case MSR_LSTAR:
    case MSR_CSTAR:
    case MSR_FS_BASE:
    case MSR_GS_BASE:
    case MSR_KERNEL_GS_BASE: return canonical(value);
    case MSR_SFMASK:
    case MSR_TSC_AUX: return value >> 32 == 0;
    case MSR_SPEC_CTRL: return (value & ~specCtrlBits()) == 0;
    case MSR_XSS: return value == 0;
    case MSR_MCG_STATUS: return byHost || value == 0;
    case MSR_MISC_ENABLE: return byHost || (value & MISC_ENABLE_FIXED) == MISC_ENABLE_FIXED;
  }
  return true;
}

function memoryTypeRegister(index: u32): i32 {
  const field = mtrrField(index);
  if (!field) return 0;
  return hasFeature(index == 0x277 ? FEAT_PAT : FEAT_MTRR) ? field : 0;
}

function readRegister(index: u32): u64 {
  outcome = DONE;
  const field = plainField(index) || memoryTypeRegister(index);
  if (field) return load<u64>(cpu + <usize>field);
  if (index >= MSR_X2APIC && index <= MSR_X2APIC_END) return lapicMsrRead(index);
  if (kvmMsrKnown(index)) return kvmMsrRead(index);
  if (index >= MSR_AMD && index - MSR_AMD < 0x10000) {
    const value = amdMsrRead(index);
    return exists(value >= 0) ? <u64>value : 0;
  }
  if (index >= MSR_LAST_BRANCH && index <= MSR_LAST_BRANCH_END) return 0;
  switch (index) {
    case MSR_TSC: return readTsc();
    case MSR_APIC_BASE: return load<u64>(cpu, CPU_APIC_BASE);
    case MSR_TSC_ADJUST: return exists(hasFeature(FEAT_TSC_ADJUST)) ? load<u64>(cpu, CPU_TSC_ADJUST) : 0;
    case MSR_TSC_DEADLINE: return exists(hasFeature(FEAT_TSC_DEADLINE)) ? readTscDeadline() : 0;
    case MSR_PKRS: return exists(byHost || hasFeature(FEAT_PKS)) ? load<u64>(cpu, CPU_PKRS) : 0;
    case MSR_EFER: return load<u64>(cpu, CPU_EFER);
    case MSR_MTRR_CAP: return exists(hasFeature(FEAT_MTRR)) ? mtrrCap() : 0;
    case MSR_ARCH_CAPABILITIES:
      return exists(byHost || hasArchCapabilities()) ? load<u64>(cpu, SPARE_ARCH_CAPABILITIES) : 0;
    case MSR_UCODE_REV: return isAmd() ? load<u32>(cpu, CPU_UCODE_REV) : <u64>load<u32>(cpu, CPU_UCODE_REV) << 32;
    case MSR_MCG_CAP:
      // No machine-check banks.
      exists(hasFeature(FEAT_MCA));
      return 0;
    case MSR_PERF_STATUS: return PERF_STATUS;
    case MSR_FEATURE_CONTROL: return exists(!isAmd()) ? FEATURE_CONTROL_LOCKED : 0;
    case MSR_PLATFORM_ID:
    case MSR_SMI_COUNT:
    case MSR_EBL_CR_POWERON:
    case MSR_DEBUGCTL: return 0;
  }
  exists(false);
  return 0;
}

function writeRegister(index: u32, value: u64): void {
  outcome = DONE;
  const plain = plainField(index);
  if (plain) {
    if (plainValid(index, value)) store<u64>(cpu + <usize>plain, value);
    else outcome = REFUSED;
    return;
  }
  const memoryType = memoryTypeRegister(index);
  if (memoryType) {
    if (mtrrValid(index, value)) store<u64>(cpu + <usize>memoryType, value);
    else outcome = REFUSED;
    return;
  }
  if (index >= MSR_X2APIC && index <= MSR_X2APIC_END) {
    lapicMsrWrite(index, value);
    return;
  }
  if (kvmMsrKnown(index)) {
    if (!kvmMsrWrite(index, value)) outcome = REFUSED;
    return;
  }
  if (index >= MSR_AMD && index - MSR_AMD < 0x10000) {
    outcome = amdMsrWrite(index, value);
    return;
  }
  writeSpecial(index, value);
}

function writePkrs(value: u64): void {
  if (value >> 32) {
    outcome = REFUSED;
    return;
  }
  if (value == load<u64>(cpu, CPU_PKRS)) return;
  store<u64>(cpu, value, CPU_PKRS);
  tlbPkrsChanged();
}

/** Registers whose writes do something. */
function writeSpecial(index: u32, value: u64): void {
  switch (index) {
    case MSR_TSC:
      writeTsc(value, !byHost);
      return;
    case MSR_APIC_BASE:
      if (!byHost) writeApicBase(value);
      else if (hostWriteApicBase(value) != 0) outcome = REFUSED;
      return;
    case MSR_TSC_ADJUST:
      if (!exists(hasFeature(FEAT_TSC_ADJUST))) return;
      // The host restores the register without moving the counter, which it restores too.
      if (byHost) store<u64>(cpu, value, CPU_TSC_ADJUST);
      else writeTscAdjust(value);
      return;
    case MSR_TSC_DEADLINE:
      if (exists(hasFeature(FEAT_TSC_DEADLINE))) writeTscDeadline(value);
      return;
    case MSR_PKRS:
      if (exists(byHost || hasFeature(FEAT_PKS))) writePkrs(value);
      return;
    case MSR_EFER:
      writeEfer(value);
      return;
    case MSR_PRED_CMD:
      // A barrier that has nothing to do: there is no branch prediction. Only the command bits exist.
      if (exists(hasPredCmd()) && (value & ~predCmdBits()) != 0) outcome = REFUSED;
      return;
    case MSR_FLUSH_CMD:
      if (exists(hasFeature(FEAT_FLUSH_L1D)) && value > 1) outcome = REFUSED;
      return;
    case MSR_UCODE_REV:
      // Software writes 0 before CPUID has the revision put here; only the host changes it.
      if (byHost) store<u32>(cpu, <u32>(isAmd() ? value : value >> 32), CPU_UCODE_REV);
      return;
    case MSR_UCODE_WRITE:
      // Updates are accepted and change nothing, as under KVM.
      return;
    case MSR_ARCH_CAPABILITIES:
      if (byHost) store<u64>(cpu, value, SPARE_ARCH_CAPABILITIES);
      else if (exists(hasArchCapabilities())) outcome = REFUSED;
      return;
    case MSR_DEBUGCTL:
      if (value & ~DEBUGCTL_DROPPED) outcome = REFUSED;
      else if (value != 0 && (load<u32>(cpu, CPU_LOG) & LOG_UNIMP) != 0) {
        trace(LOG_UNIMP, UNIMPLEMENTED_WRMSR, index, value);
      }
      return;
    case MSR_EBL_CR_POWERON:
      return;
    case MSR_MTRR_CAP:
    case MSR_MCG_CAP:
    case MSR_PERF_STATUS:
    case MSR_FEATURE_CONTROL:
    case MSR_SMI_COUNT:
    case MSR_PLATFORM_ID:
      // Read-only; the host writes back what it has read.
      if (!byHost) outcome = REFUSED;
      return;
  }
  exists(false);
}

/** The bits of IA32_EFER that the guest's CPUID allows. LMA may be written, without effect. */
export function validEferBits(): u64 {
  let bits = EFER_LMA;
  if (hasFeature(FEAT_SYSCALL)) bits |= EFER_SCE;
  if (hasFeature(FEAT_LM)) bits |= EFER_LME;
  if (hasFeature(FEAT_NX)) bits |= EFER_NXE;
  if (hasAutoIbrs()) bits |= EFER_AUTO_IBRS;
  return bits;
}

function writeEfer(value: u64): void {
  const old = load<u64>(cpu, CPU_EFER);
  const togglesLme = ((old ^ value) & EFER_LME) != 0;
  if ((value & ~validEferBits()) != 0 || (togglesLme && !byHost && (load<u64>(cpu, CPU_CR0) & CR0_PG) != 0)) {
    outcome = REFUSED;
    return;
  }
  value = (value & ~EFER_LMA) | (old & EFER_LMA);
  store<u64>(cpu, value, CPU_EFER);
  tlbEferChanged(old, value);
  updateMode();
}
