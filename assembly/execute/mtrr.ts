// Memory type registers: MTRRs and PAT (SDM volume 3, 12.11, 12.12). Memory here is always
// cached; the registers hold what is written to them, as long as a processor could hold it.
import { cpu } from "../cpu";
import { CPU_MTRR_DEF_TYPE, CPU_MTRR_FIX, CPU_MTRR_VAR, CPU_PAT } from "../layout";
import { ENTRY_EAX, cpuidEntry } from "./cpuid";

export const MSR_MTRR_CAP: u32 = 0xfe;
const MSR_MTRR_VAR: u32 = 0x200;
const MSR_MTRR_VAR_LAST: u32 = 0x20f;
const MSR_MTRR_FIX64K: u32 = 0x250;
const MSR_MTRR_FIX16K: u32 = 0x258;
const MSR_MTRR_FIX4K: u32 = 0x268;
const MSR_MTRR_FIX4K_LAST: u32 = 0x26f;
const MSR_PAT: u32 = 0x277;
const MSR_MTRR_DEF_TYPE: u32 = 0x2ff;

/** Eight variable ranges, fixed ranges, write-combining. */
const MTRR_CAP: u64 = 0x508;
/** PAT entries after power-up: WB, WT, UC-, UC, twice. */
export const PAT_DEFAULT: u64 = 0x0007040600070406;
/** Memory types by bit number: UC 0, WC 1, WT 4, WP 5, WB 6; in the PAT also UC- 7. */
const MTRR_TYPES: u32 = 0x73;
const PAT_TYPES: u32 = 0xf3;
/** IA32_MTRR_DEF_TYPE: type, fixed-range enable, enable. */
const DEF_TYPE_BITS: u64 = 0xcff;

/** Offset in the vCPU of a memory type register, or 0 where `index` is none (or the read-only capability register). */
export function mtrrField(index: u32): i32 {
  if (index >= MSR_MTRR_VAR && index <= MSR_MTRR_VAR_LAST) return CPU_MTRR_VAR + (<i32>(index - MSR_MTRR_VAR) << 3);
  if (index == MSR_MTRR_FIX64K) return CPU_MTRR_FIX;
  if (index == MSR_MTRR_FIX16K || index == MSR_MTRR_FIX16K + 1) {
    return CPU_MTRR_FIX + 8 + (<i32>(index - MSR_MTRR_FIX16K) << 3);
  }
  if (index >= MSR_MTRR_FIX4K && index <= MSR_MTRR_FIX4K_LAST) {
    return CPU_MTRR_FIX + 24 + (<i32>(index - MSR_MTRR_FIX4K) << 3);
  }
  if (index == MSR_PAT) return CPU_PAT;
  return index == MSR_MTRR_DEF_TYPE ? CPU_MTRR_DEF_TYPE : 0;
}

/** IA32_MTRRCAP. */
export function mtrrCap(): u64 {
  return MTRR_CAP;
}

/** Can the register hold `value`? False means #GP(0). */
export function mtrrValid(index: u32, value: u64): bool {
  if (index == MSR_PAT) return typesValid(value, PAT_TYPES);
  if (index == MSR_MTRR_DEF_TYPE) return (value & ~DEF_TYPE_BITS) == 0 && typeValid(<u32>value & 0xff, MTRR_TYPES);
  if (index > MSR_MTRR_VAR_LAST) return typesValid(value, MTRR_TYPES);
  if (value >> physicalBits()) return false;
  // Masks are at odd numbers: bits 10..0 are reserved; in bases 11..8 are, and 7..0 are a type.
  if (index & 1) return (value & 0x7ff) == 0;
  return (value & 0xf00) == 0 && typeValid(<u32>value & 0xff, MTRR_TYPES);
}

function typesValid(value: u64, types: u32): bool {
  for (; value; value >>= 8) if (!typeValid(<u32>value & 0xff, types)) return false;
  return true;
}

function typeValid(type: u32, types: u32): bool {
  return type < 8 && ((types >> type) & 1) != 0;
}

/** Power-up: MTRRs disabled, ranges invalid. */
export function mtrrReset(): void {
  store<u64>(cpu, PAT_DEFAULT, CPU_PAT);
  store<u64>(cpu, 0, CPU_MTRR_DEF_TYPE);
  memory.fill(cpu + CPU_MTRR_VAR, 0, 128);
  memory.fill(cpu + CPU_MTRR_FIX, 0, 88);
}

/** MAXPHYADDR: CPUID.80000008, or 36 without it. */
function physicalBits(): u64 {
  const entry = cpuidEntry(0x80000008, 0);
  return entry ? <u64>load<u32>(entry + ENTRY_EAX) & 0xff : 36;
}
