// KVM_GET_MSRS, KVM_SET_MSRS, KVM_GET_MSR_INDEX_LIST. What an MSR does is the core's (assembly/execute/msr.ts);
// here is which of them make up a vCPU's state.

import { checkInteger, toU64 } from "./errors.ts";
import type { VcpuState } from "./vcpu-state.ts";

/** struct kvm_msr_entry. */
export interface KvmMsrEntry {
  /** ECX of RDMSR, u32. */
  readonly index: number;
  readonly data: bigint;
}

const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

/** MSRs that hold state of a guest, so that saving and restoring them moves it (KVM_GET_MSR_INDEX_LIST). */
export const SAVED_MSRS: readonly number[] = [
  0x10, // IA32_TIME_STAMP_COUNTER
  0x3b, // IA32_TSC_ADJUST
  0x174,
  0x175,
  0x176, // IA32_SYSENTER_CS, _ESP, _EIP
  0x1a0, // IA32_MISC_ENABLE
  0x1d9, // IA32_DEBUGCTL
  0x277, // IA32_PAT
  ...range(0x200, 16), // IA32_MTRR_PHYSBASE0, PHYSMASK0, ...
  0x250,
  0x258,
  0x259,
  ...range(0x268, 8), // IA32_MTRR_FIX*
  0x2ff, // IA32_MTRR_DEF_TYPE
  0x6e0, // IA32_TSC_DEADLINE
  0x6e1, // IA32_PKRS
  0xc000_0080, // IA32_EFER
  0xc000_0081,
  0xc000_0082,
  0xc000_0083,
  0xc000_0084, // STAR, LSTAR, CSTAR, SFMASK
  0xc000_0100,
  0xc000_0101,
  0xc000_0102, // FS base, GS base, kernel GS base
  0xc000_0103, // TSC_AUX
  0x4b56_4d00,
  0x4b56_4d01, // MSR_KVM_WALL_CLOCK_NEW, MSR_KVM_SYSTEM_TIME_NEW
  0x4b56_4d03,
  0x4b56_4d04,
  0x4b56_4d05, // MSR_KVM_STEAL_TIME, MSR_KVM_PV_EOI_EN, MSR_KVM_POLL_CONTROL
];

/** Reads MSRs up to the first that does not exist. */
export function readMsrs(state: VcpuState, indices: readonly number[]): KvmMsrEntry[] {
  const entries: KvmMsrEntry[] = [];
  for (const index of indices) {
    checkInteger(index, 0, 0xffff_ffff, "an MSR's index");
    const data = BigInt.asUintN(64, state.core.readMsr(index));
    if (!state.core.msrOk()) break;
    entries.push({ index, data });
  }
  return entries;
}

/** Writes MSRs up to the first that refuses; returns how many were written. */
export function writeMsrs(
  state: VcpuState,
  entries: readonly { readonly index: number; readonly data: bigint | number }[],
): number {
  let written = 0;
  for (const { index, data } of entries) {
    checkInteger(index, 0, 0xffff_ffff, "an MSR's index");
    if (!writeMsr(state, index, toU64(data, "an MSR's value"))) break;
    written += 1;
  }
  if (written > 0) state.changed();
  return written;
}

/** Writes one MSR as the host may; false where it does not exist or refuses the value. */
export function writeMsr(state: VcpuState, index: number, value: bigint): boolean {
  state.core.writeMsr(index, BigInt.asIntN(64, value));
  return state.core.msrOk() !== 0;
}
