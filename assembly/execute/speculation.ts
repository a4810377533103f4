// Speculation control: which of its registers and bits the guest's CPUID has. There is no
// speculation here, so they are kept and have no effect.
import {
  FEAT_ARCH_CAPABILITIES, FEAT_SPEC_CTRL, FEAT_SSBD, FEAT_STIBP,
} from "../features";
import { ENTRY_EBX, cpuidRegister, hasFeature } from "./cpuid";

const SPEC_CTRL_IBRS: u64 = 1;
const SPEC_CTRL_STIBP: u64 = 2;
const SPEC_CTRL_SSBD: u64 = 4;
const SPEC_CTRL_PSFD: u64 = 1 << 7;
const PRED_CMD_IBPB: u64 = 1;

// AMD's bits: CPUID.80000008 EBX.
const AMD_IBPB: u32 = 1 << 12;
const AMD_IBRS: u32 = 1 << 14;
const AMD_STIBP: u32 = 1 << 15;
const AMD_SSBD: u32 = 1 << 24;
const AMD_PSFD: u32 = 1 << 28;

/**
 * IA32_ARCH_CAPABILITIES after power-up: not subject to Meltdown (RDCL_NO), enhanced IBRS, no L1D flush
 * needed at VM entry, SSB_NO, MDS_NO, no page size change error, TAA_NO, SBDR/FBSDP/PSDP_NO, BHI_NO, PBRSB_NO, GDS_NO,
 * RFDS_NO, ITS_NO: nothing speculates.
 */
export const ARCH_CAPABILITIES_DEFAULT: u64 =
  1 << 0 | 1 << 1 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 13 | 1 << 14 | 1 << 15 | 1 << 20 | 1 << 24 |
  1 << 26 | 1 << 27 | 1 << 62;

function amdBits(): u32 {
  return cpuidRegister(0x80000008, 0, ENTRY_EBX);
}

/** Bits that IA32_SPEC_CTRL has. */
export function specCtrlBits(): u64 {
  const amd = amdBits();
  let bits: u64 = 0;
  if (hasFeature(FEAT_SPEC_CTRL) || (amd & AMD_IBRS) != 0) bits |= SPEC_CTRL_IBRS;
  if (hasFeature(FEAT_STIBP) || (amd & AMD_STIBP) != 0) bits |= SPEC_CTRL_STIBP;
  if (hasFeature(FEAT_SSBD) || (amd & AMD_SSBD) != 0) bits |= SPEC_CTRL_SSBD;
  if (amd & AMD_PSFD) bits |= SPEC_CTRL_PSFD;
  return bits;
}

/** IA32_SPEC_CTRL exists. */
export function hasSpecCtrl(): bool {
  return specCtrlBits() != 0;
}

/** Bits that IA32_PRED_CMD has. */
export function predCmdBits(): u64 {
  return hasFeature(FEAT_SPEC_CTRL) || (amdBits() & AMD_IBPB) != 0 ? PRED_CMD_IBPB : 0;
}

/** IA32_PRED_CMD exists. */
export function hasPredCmd(): bool {
  return predCmdBits() != 0;
}

/** IA32_ARCH_CAPABILITIES exists. */
export function hasArchCapabilities(): bool {
  return hasFeature(FEAT_ARCH_CAPABILITIES);
}
