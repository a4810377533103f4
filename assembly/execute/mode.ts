// The mode word: all that decoding and address computation depend on, in one number.
import { CR0_EM, CR0_PE, CR0_TS, CR4_OSFXSR, CR4_OSXSAVE, EFER_LMA, FLAG_VM, SEG_CS, SEG_DS, SEG_ES, SEG_SS, cpu, segAttr, segBase, segLimit } from "../cpu";
import {
  CPU_CPL, CPU_CR0, CPU_CR4, CPU_EFER, CPU_EFLAGS, CPU_MODE, CPU_XCR0, MODE_AVX, MODE_CODE16, MODE_CODE32, MODE_CODE64, MODE_CODE_MASK, MODE_FLAT, MODE_FPU, MODE_LONG,
  MODE_REAL, MODE_SSE, MODE_STACK32, MODE_USER, MODE_VM86,
} from "../layout";
import { updateAccessClass } from "../mmu/contexts";
import {
  ATTR_CODE, ATTR_DB, ATTR_EXPAND_DOWN, ATTR_L, ATTR_P, ATTR_READABLE, ATTR_S, ATTR_UNUSABLE, ATTR_WRITABLE,
} from "./descriptors";
import { updateReach } from "./segment-reach";

/**
 * Recomputes CPU_MODE and the MMU's access class from CR0, EFER, RFLAGS, CPL and the CS, SS, DS and
 * ES registers, CR4 or XCR0. To be called by whoever changed one of these.
 */
export function updateMode(): void {
  const cs = segAttr(SEG_CS);
  let mode: i32 = cs & ATTR_DB ? MODE_CODE32 : MODE_CODE16;
  if (load<u64>(cpu, CPU_EFER) & EFER_LMA) {
    mode |= MODE_LONG;
    if (cs & ATTR_L) mode = MODE_LONG | MODE_CODE64 | MODE_FLAT;
  }
  // In 64-bit code SS says nothing. A kernel runs with a null one behind an interrupt and with another behind SYSCALL: what it
  // executes in both ways is one code.
  if ((mode & MODE_CODE_MASK) != MODE_CODE64 && segAttr(SEG_SS) & ATTR_DB) mode |= MODE_STACK32;
  if (load<u32>(cpu, CPU_CPL) == 3) mode |= MODE_USER;
  if ((load<u64>(cpu, CPU_CR0) & CR0_PE) == 0) mode |= MODE_REAL;
  else if (load<u32>(cpu, CPU_EFLAGS) & FLAG_VM) mode |= MODE_VM86;
  else if (flatCode() && flatData(SEG_SS) && flatData(SEG_DS) && flatData(SEG_ES)) mode |= MODE_FLAT;
  store<u32>(cpu, mode | usableUnits(), CPU_MODE);
  if ((mode & MODE_CODE_MASK) != MODE_CODE64) updateReach((mode & MODE_FLAT) != 0);
  updateAccessClass();
}

/** MODE_FPU, MODE_SSE and MODE_AVX: which register files the operating system has enabled. */
function usableUnits(): i32 {
  const cr0 = load<u64>(cpu, CPU_CR0);
  const cr4 = load<u64>(cpu, CPU_CR4);
  if (cr0 & CR0_TS) return 0;
  let units: i32 = cr0 & CR0_EM ? 0 : MODE_FPU;
  if (units && cr4 & CR4_OSFXSR) units |= MODE_SSE;
  if (cr4 & CR4_OSXSAVE && (load<u64>(cpu, CPU_XCR0) & 6) == 6) units |= MODE_AVX;
  return units;
}

/** CS can be read anywhere in 4 GiB, from address 0. */
function flatCode(): bool {
  const rights = ATTR_P | ATTR_S | ATTR_CODE | ATTR_READABLE;
  return segBase(SEG_CS) == 0 && segLimit(SEG_CS) == 0xffffffff && (segAttr(SEG_CS) & (rights | ATTR_UNUSABLE)) == rights;
}

/** A data segment that can be read and written anywhere in 4 GiB, from address 0. */
function flatData(seg: i32): bool {
  const rights = ATTR_P | ATTR_S | ATTR_WRITABLE;
  const attr = segAttr(seg) & (rights | ATTR_CODE | ATTR_EXPAND_DOWN | ATTR_UNUSABLE);
  return segBase(seg) == 0 && segLimit(seg) == 0xffffffff && attr == rights;
}
