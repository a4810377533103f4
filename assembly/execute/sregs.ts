// KVM_SET_SREGS: system registers that the host has written in place become the vCPU's state.
import { CR0_PE, CR0_PG, CR4_PAE, cpu, EFER_LMA, EFER_LME, FLAG_VM, SEG_CS, SEG_SS, segAttr } from "../cpu";
import { CPU_APIC_BASE, CPU_CPL, CPU_CR0, CPU_CR3, CPU_CR4, CPU_EFER, CPU_EFLAGS } from "../layout";
import { hostWriteApicBase } from "../irqchip/lapic-base";
import { mmuReset } from "../mmu/registers";
import { validCr0, validCr4Bits } from "./control";
import { ATTR_DB, ATTR_DPL_SHIFT, ATTR_L } from "./descriptors";
import { updateMode } from "./mode";
import { validEferBits } from "./msr";
import { requestSlice } from "./request";

const EINVAL: i32 = -22;
const CR3_RESERVED: u64 = 0xfff0000000000000;

/**
 * Takes over segments, control registers, EFER and descriptor tables as they now stand in the vCPU: derives CPL and
 * the mode, and empties the TLB. 0, or -EINVAL where no processor could hold them (the caller puts the old ones back).
 */
export function commitSregs(): i32 {
  const cr0 = load<u64>(cpu, CPU_CR0);
  const cr4 = load<u64>(cpu, CPU_CR4);
  const efer = load<u64>(cpu, CPU_EFER);
  if (!validCr0(cr0) || cr4 & ~validCr4Bits() || efer & ~validEferBits() || load<u64>(cpu, CPU_CR3) & CR3_RESERVED) return EINVAL;
  if (cr0 & CR0_PG && efer & EFER_LME) {
    // Long mode is PAE paging with LME, and LMA says that it is on; 64-bit code has no 32-bit default size.
    if (!(cr4 & CR4_PAE) || !(efer & EFER_LMA)) return EINVAL;
    if ((segAttr(SEG_CS) & (ATTR_L | ATTR_DB)) == (ATTR_L | ATTR_DB)) return EINVAL;
  } else if (efer & EFER_LMA || segAttr(SEG_CS) & ATTR_L) return EINVAL;
  const base = load<u64>(cpu, CPU_APIC_BASE);
  if (hostWriteApicBase(base)) return EINVAL;
  store<u32>(cpu, privilege(cr0), CPU_CPL);
  mmuReset();
  updateMode();
  requestSlice();
  return 0;
}

/** CPL is SS.DPL in protected mode, 3 in virtual-8086 mode, 0 in real mode. */
function privilege(cr0: u64): u32 {
  if (!(cr0 & CR0_PE)) return 0;
  if (load<u32>(cpu, CPU_EFLAGS) & FLAG_VM) return 3;
  return (segAttr(SEG_SS) >> ATTR_DPL_SHIFT) & 3;
}
