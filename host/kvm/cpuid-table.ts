// KVM_SET_CPUID2's table as the core reads it: a count, then entries of seven words.

import { CPU_CPUID, CPUID_MAX_ENTRIES } from "../../assembly/layout.ts";
import { checkInteger, KvmError } from "./errors.ts";
import type { VcpuState } from "./vcpu-state.ts";

/** struct kvm_cpuid_entry2. Registers are u32. */
export interface KvmCpuidEntry {
  /** The leaf: EAX of CPUID. */
  function: number;
  /** The subleaf: ECX of CPUID; it counts where `flags` says so. */
  index: number;
  /** KVM_CPUID_FLAG_SIGNIFCANT_INDEX or 0. */
  flags: number;
  eax: number;
  ebx: number;
  ecx: number;
  edx: number;
}

/** The entry answers for its index only. (The uapi spells it so.) */
export const KVM_CPUID_FLAG_SIGNIFCANT_INDEX = 1;

const FIELDS = ["function", "index", "flags", "eax", "ebx", "ecx", "edx"] as const;
const ENTRY_SIZE = 28;

/** A register's name in an entry. */
export type CpuidRegister = "eax" | "ebx" | "ecx" | "edx";

/** Reads the table back. */
export function readCpuid(state: VcpuState): KvmCpuidEntry[] {
  const count = state.u32(CPU_CPUID);
  return Array.from({ length: count }, (_, i) => {
    const entry = {} as KvmCpuidEntry;
    FIELDS.forEach((field, n) => {
      entry[field] = state.u32(CPU_CPUID + 4 + ENTRY_SIZE * i + 4 * n);
    });
    return entry;
  });
}

/** Writes the table and has the core derive its features. Throws E2BIG over 80 entries, EINVAL for values over 32 bits. */
export function writeCpuid(state: VcpuState, entries: readonly KvmCpuidEntry[]): void {
  if (entries.length > CPUID_MAX_ENTRIES) {
    throw new KvmError("E2BIG", `${entries.length} CPUID entries; ${CPUID_MAX_ENTRIES} fit`);
  }
  for (const entry of entries) {
    for (const field of FIELDS) checkInteger(entry[field], 0, 0xffff_ffff, `CPUID entry field ${field}`);
  }
  state.setU32(CPU_CPUID, entries.length);
  entries.forEach((entry, i) => {
    FIELDS.forEach((field, n) => {
      state.setU32(CPU_CPUID + 4 + ENTRY_SIZE * i + 4 * n, entry[field]);
    });
  });
  state.core.cpuidChanged();
  state.changed();
}

/** A register of a leaf as the table has it; 0 where it has no such leaf. */
export function cpuidRegister(state: VcpuState, leaf: number, subleaf: number, register: CpuidRegister): number {
  return findEntry(readCpuid(state), leaf, subleaf)?.[register] ?? 0;
}

/** The entry that answers for a leaf and subleaf. */
export function findEntry(entries: readonly KvmCpuidEntry[], leaf: number, subleaf = 0): KvmCpuidEntry | undefined {
  return entries.find(
    (entry) => entry.function === leaf && (!(entry.flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) || entry.index === subleaf),
  );
}
