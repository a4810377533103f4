// AMD's registers at 0xc0010000: those that kernels touch on every boot. They describe a chipset
// that is not there, so most read as 0 and ignore what is written.
import { cpu } from "../cpu";
import { isAmd } from "./cpuid";
import { SPARE_HWCR } from "./msr";

/** PERFEVTSEL0..3 and PERFCTR0..3, which every processor of this family has: nothing is counted. */
const MSR_PERF_END: u32 = 0xc0010007;
const MSR_SYSCFG: u32 = 0xc0010010;
const MSR_HWCR: u32 = 0xc0010015;
const MSR_TOP_MEM: u32 = 0xc001001a;
const MSR_TOP_MEM2: u32 = 0xc001001d;
const MSR_NB_CFG: u32 = 0xc001001f;
const MSR_PATCH_LOADER: u32 = 0xc0010020;
const MSR_INT_PENDING: u32 = 0xc0010055;
const MSR_MMIO_CONF_BASE: u32 = 0xc0010058;
const MSR_TSEG_ADDR: u32 = 0xc0010112;
const MSR_TSEG_MASK: u32 = 0xc0010113;
const MSR_VM_CR: u32 = 0xc0010114;
const MSR_VM_HSAVE_PA: u32 = 0xc0010117;
const MSR_LS_CFG: u32 = 0xc0011020;
const MSR_IC_CFG: u32 = 0xc0011021;
const MSR_DC_CFG: u32 = 0xc0011022;
const MSR_TW_CFG: u32 = 0xc0011023;
const MSR_FP_CFG: u32 = 0xc0011028;
const MSR_DE_CFG: u32 = 0xc0011029;
const MSR_BU_CFG2: u32 = 0xc001102a;
const MSR_EX_CFG: u32 = 0xc001102c;

/** HWCR bits that can be written: SLOWFENCE, FFDIS, INVDWBINVD (TLB caching), McStatusWrEn, TscFreqSel. */
const HWCR_WRITABLE: u64 = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 18 | 1 << 24;
/** HWCR.TscFreqSel: the TSC counts at the P0 rate. */
export const HWCR_DEFAULT: u64 = 1 << 24;
/** VM_CR: SVM disabled and locked. */
const VM_CR_DISABLED: u64 = 1 << 4 | 1 << 3;
/** DE_CFG: LFENCE serializes. */
const DE_CFG_LFENCE: u64 = 2;

// Results of amdMsrWrite(): those of msr.ts.
const DONE: i32 = 0;
const UNKNOWN: i32 = 1;
const REFUSED: i32 = 2;

function readsZero(index: u32): bool {
  if (index <= MSR_PERF_END) return true;
  switch (index) {
    case MSR_SYSCFG:
    case MSR_TOP_MEM:
    case MSR_TOP_MEM2:
    case MSR_NB_CFG:
    case MSR_INT_PENDING:
    case MSR_MMIO_CONF_BASE:
    case MSR_TSEG_ADDR:
    case MSR_TSEG_MASK:
    case MSR_VM_HSAVE_PA:
    case MSR_LS_CFG:
    case MSR_IC_CFG:
    case MSR_DC_CFG:
    case MSR_TW_CFG:
    case MSR_FP_CFG:
    case MSR_BU_CFG2:
    case MSR_EX_CFG: return true;
  }
  return false;
}

/** The register's value, or -1 where it is not there. */
export function amdMsrRead(index: u32): i64 {
  if (!isAmd()) return -1;
  if (index == MSR_HWCR) return load<i64>(cpu, SPARE_HWCR);
  if (index == MSR_DE_CFG) return DE_CFG_LFENCE;
  if (index == MSR_VM_CR) return VM_CR_DISABLED;
  return readsZero(index) ? 0 : -1;
}

/** Writes the register: 0 done, 1 not there, 2 refused (#GP). */
export function amdMsrWrite(index: u32, value: u64): i32 {
  if (!isAmd()) return UNKNOWN;
  if (index == MSR_HWCR) {
    if (value & ~HWCR_WRITABLE) return REFUSED;
    store<u64>(cpu, value, SPARE_HWCR);
    return DONE;
  }
  // LFENCE always serializes: the bit cannot be cleared.
  if (index == MSR_DE_CFG) return value == DE_CFG_LFENCE ? DONE : REFUSED;
  if (index == MSR_VM_CR) return value == VM_CR_DISABLED ? DONE : REFUSED;
  return index == MSR_PATCH_LOADER || readsZero(index) ? DONE : UNKNOWN;
}
