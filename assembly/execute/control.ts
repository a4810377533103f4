// Control registers (SDM volume 3, 2.5, 4.1; volume 2, MOV to and from control registers, LMSW, CLTS).
import {
  CR0_AM, CR0_CD, CR0_EM, CR0_ET, CR0_MP, CR0_NE, CR0_NW, CR0_PE, CR0_PG, CR0_TS, CR0_WP, CR4_DE, CR4_FSGSBASE, CR4_MCE,
  CR4_OSFXSR, CR4_OSXMMEXCPT, CR4_OSXSAVE, CR4_PAE, CR4_PCE, CR4_PCIDE, CR4_PGE, CR4_PKE, CR4_PKS, CR4_PSE, CR4_PVI, CR4_SMAP,
  CR4_SMEP, CR4_TSD, CR4_UMIP, CR4_VME, EFER_LMA, EFER_LME, GP, SEG_CS, SEG_TR, UD, count, cpu, leave, raise,
  raiseError, segAttr,
} from "../cpu";
import { KVM_EXIT_SET_TPR } from "../exits";
import {
  FEAT_DE, FEAT_FSGSBASE, FEAT_FXSR, FEAT_MCE, FEAT_PAE, FEAT_PCID, FEAT_PGE, FEAT_PKS, FEAT_PKU, FEAT_PSE, FEAT_SMAP, FEAT_SMEP,
  FEAT_SSE, FEAT_TSC, FEAT_UMIP, FEAT_VME, FEAT_XSAVE,
} from "../features";
import { readTpr, writeTpr } from "../irqchip/index";
import { lapicExists } from "../irqchip/lapic-state";
import { CPU_CR0, CPU_CR2, CPU_CR3, CPU_CR4, CPU_CR8, CPU_EFER, STAT_CR_WRITES } from "../layout";
import { setCr3, tlbCr0Changed, tlbCr4Changed, tlbEferChanged } from "../mmu/registers";
import { hasFeature } from "./cpuid";
import { ATTR_L, ATTR_TYPE, TSS16_BUSY } from "./descriptors";
import { updateMode } from "./mode";
import { longMode, requireCpl0 } from "./privilege";

export { readDr, writeDr } from "./debug-registers";
export { resetCpu } from "./reset";
export { xgetbv, xsetbv } from "./xcr";

/** Bits of CR0 that exist; the other low ones read as 0 whatever is written. */
const CR0_BITS: u64 =
  CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG;
const LMSW_BITS: u64 = CR0_PE | CR0_MP | CR0_EM | CR0_TS;

/** MOV from CRn: #UD for registers that do not exist, #GP(0) outside level 0. */
export function readCr(n: i32): u64 {
  if (n != 0 && n != 2 && n != 3 && n != 4 && n != 8) {
    raise(UD);
    return 0;
  }
  if (!requireCpl0()) return 0;
  if (n == 0) return load<u64>(cpu, CPU_CR0);
  if (n == 2) return load<u64>(cpu, CPU_CR2);
  if (n == 3) return load<u64>(cpu, CPU_CR3);
  if (n == 4) return load<u64>(cpu, CPU_CR4);
  return lapicExists() ? readTpr() : load<u64>(cpu, CPU_CR8);
}

/** MOV to CRn. Nothing changes where it faults. */
export function writeCr(n: i32, value: u64): void {
  if (n != 0 && n != 2 && n != 3 && n != 4 && n != 8) {
    raise(UD);
    return;
  }
  if (!requireCpl0()) return;
  count(STAT_CR_WRITES);
  if (n == 0) writeCr0(value);
  else if (n == 2) store<u64>(cpu, value, CPU_CR2);
  else if (n == 3) setCr3(value);
  else if (n == 4) writeCr4(value);
  else writeCr8(value);
}

/** LMSW, without its privilege check: PE, MP, EM and TS; PE can be set but not cleared. */
export function lmsw(value: u32): void {
  const cr0 = load<u64>(cpu, CPU_CR0);
  writeCr0((cr0 & ~LMSW_BITS) | (value & LMSW_BITS) | (cr0 & CR0_PE));
}

/** CLTS. */
export function clts(): void {
  if (!requireCpl0()) return;
  store<u64>(cpu, load<u64>(cpu, CPU_CR0) & ~CR0_TS, CPU_CR0);
  updateMode();
}

/** Is this a combination of CR0 bits that can be loaded? Upper half zero, PG needs PE, NW needs CD. */
export function validCr0(value: u64): bool {
  if (value >> 32) return false;
  if ((value & (CR0_PG | CR0_PE)) == CR0_PG) return false;
  return (value & (CR0_NW | CR0_CD)) != CR0_NW;
}

function writeCr0(value: u64): void {
  const old = load<u64>(cpu, CPU_CR0);
  if (!validCr0(value) || !mayTogglePaging(old, value)) {
    raiseError(GP, 0);
    return;
  }
  value = (value & CR0_BITS) | CR0_ET;
  if (!tlbCr0Changed(old, value)) return;
  store<u64>(cpu, value, CPU_CR0);
  const efer = load<u64>(cpu, CPU_EFER);
  // Paging with EFER.LME is what long mode is; LMA says so.
  const next = (value & CR0_PG) != 0 && (efer & EFER_LME) != 0 ? efer | EFER_LMA : efer & ~EFER_LMA;
  if (next != efer) {
    store<u64>(cpu, next, CPU_EFER);
    tlbEferChanged(efer, next);
  }
  updateMode();
}

/** May CR0.PG change as asked? SDM volume 3, 10.8.5 and volume 2, MOV CR. */
function mayTogglePaging(old: u64, value: u64): bool {
  if (((old ^ value) & CR0_PG) == 0) return true;
  const cr4 = load<u64>(cpu, CPU_CR4);
  const code64 = (segAttr(SEG_CS) & ATTR_L) != 0;
  if ((value & CR0_PG) == 0) return (cr4 & CR4_PCIDE) == 0 && !(longMode() && code64);
  if ((load<u64>(cpu, CPU_EFER) & EFER_LME) == 0) return true;
  // Long mode cannot begin without PAE, in what would be 64-bit code, or with a 16-bit TSS.
  return (cr4 & CR4_PAE) != 0 && !code64 && (segAttr(SEG_TR) & ATTR_TYPE) != TSS16_BUSY;
}

function bitIf(feature: i32, bit: u64): u64 {
  return hasFeature(feature) ? bit : 0;
}

/** The bits of CR4 that the guest's CPUID allows. */
export function validCr4Bits(): u64 {
  return (
    bitIf(FEAT_VME, CR4_VME | CR4_PVI) | bitIf(FEAT_TSC, CR4_TSD) | bitIf(FEAT_DE, CR4_DE) | bitIf(FEAT_PSE, CR4_PSE) |
    bitIf(FEAT_PAE, CR4_PAE) | bitIf(FEAT_MCE, CR4_MCE) | bitIf(FEAT_PGE, CR4_PGE) | CR4_PCE |
    bitIf(FEAT_FXSR, CR4_OSFXSR) | bitIf(FEAT_SSE, CR4_OSXMMEXCPT) | bitIf(FEAT_UMIP, CR4_UMIP) |
    bitIf(FEAT_FSGSBASE, CR4_FSGSBASE) | bitIf(FEAT_PCID, CR4_PCIDE) | bitIf(FEAT_XSAVE, CR4_OSXSAVE) |
    bitIf(FEAT_SMEP, CR4_SMEP) | bitIf(FEAT_SMAP, CR4_SMAP) | bitIf(FEAT_PKU, CR4_PKE) |
    bitIf(FEAT_PKS, CR4_PKS)
  );
}

function writeCr4(value: u64): void {
  const old = load<u64>(cpu, CPU_CR4);
  const setsPcide = (value & ~old & CR4_PCIDE) != 0;
  const bad =
    (value & ~validCr4Bits()) != 0 || (longMode() && (value & CR4_PAE) == 0) ||
    (setsPcide && (!longMode() || (load<u64>(cpu, CPU_CR3) & 0xfff) != 0));
  if (bad) {
    raiseError(GP, 0);
    return;
  }
  if (!tlbCr4Changed(old, value)) return;
  store<u64>(cpu, value, CPU_CR4);
  updateMode();
}

function writeCr8(value: u64): void {
  if (value > 15) {
    raiseError(GP, 0);
    return;
  }
  if (lapicExists()) {
    writeTpr(value);
    return;
  }
  const old = load<u64>(cpu, CPU_CR8);
  store<u64>(cpu, value, CPU_CR8);
  // A lower TPR may let the host's APIC interrupt. The instruction is executed again after
  // the exit and then finds nothing to lower.
  if (value < old) leave(KVM_EXIT_SET_TPR);
}
