// XCR0: which state XSAVE manages (SDM volume 1, 13.3).
import { CR4_OSXSAVE, GP, UD, cpu, raise, raiseError } from "../cpu";
import { FEAT_XGETBV1 } from "../features";
import { CPU_CR4, CPU_XCR0 } from "../layout";
import { updateMode } from "./mode";
import { hasFeature, supportedXcr0 } from "./cpuid";
import { requireCpl0 } from "./privilege";
import { componentsInUse } from "./xsave";

export const XCR0_X87: u64 = 1;
export const XCR0_SSE: u64 = 2;
export const XCR0_AVX: u64 = 4;

/** Can XCR0 hold this value? x87 always, AVX not without SSE, nothing that CPUID.D.0 lacks. */
export function validXcr0(value: u64): bool {
  if ((value & XCR0_X87) == 0 || (value & ~supportedXcr0()) != 0) return false;
  return (value & (XCR0_SSE | XCR0_AVX)) != XCR0_AVX;
}

function requireOsxsave(): bool {
  if (load<u64>(cpu, CPU_CR4) & CR4_OSXSAVE) return true;
  raise(UD);
  return false;
}

/** XSETBV: #UD without CR4.OSXSAVE, #GP(0) outside level 0, for registers but XCR0 and for invalid values. */
export function xsetbv(index: u32, value: u64): void {
  if (!requireOsxsave() || !requireCpl0()) return;
  if (index != 0 || !validXcr0(value)) raiseError(GP, 0);
  else {
    store<u64>(cpu, value, CPU_XCR0);
    updateMode();
  }
}

/** XGETBV of XCR0, and with index 1 of those of its components that are not in their initial configuration. */
export function xgetbv(index: u32): u64 {
  if (!requireOsxsave()) return 0;
  if (index == 0) return load<u64>(cpu, CPU_XCR0);
  if (index == 1 && hasFeature(FEAT_XGETBV1)) return load<u64>(cpu, CPU_XCR0) & componentsInUse();
  raiseError(GP, 0);
  return 0;
}
