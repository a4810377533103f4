// Loading segment registers (SDM volume 3, 3.4 and 5; volume 2, MOV, LDS, LLDT, LTR), and checking
// memory operands against them.
import {
  AC, GP, NP, SEG_CS, SEG_ES, SEG_FS, SEG_GS, SEG_LDTR, SEG_SS, SEG_TR, SS, cpu, fault, raiseError, segAttr, segBase,
  segLimit,
} from "../cpu";
import { CPU_MODE, MODE_FLAT } from "../layout";
import { sysWrite } from "../mmu/access";
import { alignmentChecked } from "../mmu/contexts";
import {
  ATTR_ACCESSED, ATTR_CODE, ATTR_CONFORMING, ATTR_DB, ATTR_EXPAND_DOWN, ATTR_P, ATTR_READABLE, ATTR_S, ATTR_TYPE,
  ATTR_UNUSABLE, ATTR_WRITABLE, LDT, TSS16_AVAILABLE, TSS32_AVAILABLE, TSS_BUSY_BIT, attrOf, baseOf, descriptorAt,
  descriptorHigh, descriptorLow, descriptorUpper, dplOf, failSelector, fetchDescriptor, fetchUpperHalf,
  installDescriptor, installNull, installSegment, isNull, limitOf, setAccessed, setEventExt,
} from "./descriptors";
import { updateMode } from "./mode";
import { canonical, code64, cpl, longMode, protectedMode, usesDescriptors, vm86 } from "./privilege";
import { updateReach } from "./segment-reach";

/** CPU_SHADOW: interrupts and debug exceptions wait one instruction after a load of SS. */
export const SHADOW_MOV_SS: u32 = 2;
/** Rights of every segment in virtual-8086 mode: present, DPL 3, writable and accessed data. */
const VM86_ATTR: u32 = 0xf3;
/** Rights in real mode of a segment that has been unusable: present, writable and accessed data. */
const REAL_ATTR: u32 = 0x93;

/** MOV to, POP of, and LxS with ES, SS, DS, FS, GS. The shadow that MOV SS and POP SS cast is the caller's
 * (CPU_SHADOW). False: fault raised. */
export function loadSegment(seg: i32, selector: u32): bool {
  selector &= 0xffff;
  if (!usesDescriptors()) {
    loadByParagraph(seg, selector);
    updateMode();
    return true;
  }
  setEventExt(0);
  const attr = segAttr(seg);
  const base = segBase(seg);
  const limit = segLimit(seg);
  if (!isNull(selector)) {
    const valid = seg == SEG_SS ? checkStackSegment(selector, cpl(), GP) : checkDataSegment(selector, cpl(), GP);
    if (!valid || !setAccessed()) return false;
    installDescriptor(seg, selector, descriptorLow, descriptorHigh);
  } else if (seg != SEG_SS) {
    installNull(seg, selector, 0);
  } else {
    // 64-bit kernels run with a null SS, whose RPL has to be the CPL.
    if (!code64() || cpl() == 3 || (selector & 3) != cpl()) {
      raiseError(GP, 0);
      return false;
    }
    installNull(SEG_SS, selector, cpl());
  }
  // A kernel loads what is there already each time that it is entered; and the mode says nothing of FS and GS.
  if (segAttr(seg) == attr && segBase(seg) == base && segLimit(seg) == limit) return true;
  if (seg < SEG_FS) updateMode();
  else if (!code64()) updateReach((load<u32>(cpu, CPU_MODE) & MODE_FLAT) != 0);
  return true;
}

/**
 * Real and virtual-8086 mode: the base is the selector times 16. Real mode leaves limit and rights as
 * they are, so that a 4 GiB limit loaded in protected mode stays in force. The caller calls updateMode().
 */
export function loadByParagraph(seg: i32, selector: u32): void {
  const base = <u64>selector << 4;
  if (vm86()) installSegment(seg, selector, base, 0xffff, VM86_ATTR);
  else if (segAttr(seg) & ATTR_UNUSABLE) installSegment(seg, selector, base, 0xffff, REAL_ATTR);
  else installSegment(seg, selector, base, segLimit(seg), segAttr(seg) | ATTR_P);
}

/** Reads and checks a descriptor for SS at privilege `level`: `vector`(selector), or #SS(selector) if not present. */
export function checkStackSegment(selector: u32, level: u32, vector: i32): bool {
  if (!fetchDescriptor(selector, vector)) return false;
  const attr = attrOf(descriptorHigh);
  const writableData = (attr & (ATTR_S | ATTR_CODE | ATTR_WRITABLE)) == (ATTR_S | ATTR_WRITABLE);
  if ((selector & 3) != level || !writableData || dplOf(attr) != level) return failSelector(vector, selector);
  return (attr & ATTR_P) != 0 || failSelector(SS, selector);
}

/** Reads and checks a descriptor for ES, DS, FS or GS: `vector`(selector), or #NP(selector) if not present. */
export function checkDataSegment(selector: u32, level: u32, vector: i32): bool {
  if (!fetchDescriptor(selector, vector)) return false;
  const attr = attrOf(descriptorHigh);
  const code = (attr & ATTR_CODE) != 0;
  if ((attr & ATTR_S) == 0 || (code && (attr & ATTR_READABLE) == 0)) return failSelector(vector, selector);
  if (!code || (attr & ATTR_CONFORMING) == 0) {
    if ((selector & 3) > dplOf(attr) || level > dplOf(attr)) return failSelector(vector, selector);
  }
  return (attr & ATTR_P) != 0 || failSelector(NP, selector);
}

/** After a return to an outer level: data segments that the new level may not use become null.
 * True where one did: the mode word is to be recomputed. */
export function dropInnerSegments(level: u32): bool {
  let dropped = false;
  for (let seg = SEG_ES; seg <= SEG_GS; seg++) {
    if (seg == SEG_CS || seg == SEG_SS) continue;
    const attr = segAttr(seg);
    if ((attr & ATTR_UNUSABLE) != 0 || dplOf(attr) >= level) continue;
    const conforming = (attr & (ATTR_CODE | ATTR_CONFORMING)) == (ATTR_CODE | ATTR_CONFORMING);
    if (conforming) continue;
    // Nothing is loaded: the base stays, and 64-bit code goes on using that of FS and GS.
    installSegment(seg, 0, segBase(seg), segLimit(seg), ATTR_UNUSABLE);
    dropped = true;
  }
  return dropped;
}

/** LLDT, without its mode and privilege checks. False: #GP(selector), #NP(selector) or a page fault raised. */
export function loadLdt(selector: u32): bool {
  selector &= 0xffff;
  setEventExt(0);
  if (isNull(selector)) {
    installNull(SEG_LDTR, selector, 0);
    return true;
  }
  if (!fetchTableDescriptor(selector)) return false;
  const attr = attrOf(descriptorHigh);
  if ((attr & (ATTR_S | ATTR_TYPE)) != LDT) return failSelector(GP, selector);
  if ((attr & ATTR_P) == 0) return failSelector(NP, selector);
  if (code64() && !fetchUpperHalf(selector, GP)) return false;
  if (!canonical(tableBase())) return failSelector(GP, selector);
  installTable(SEG_LDTR, selector, attr);
  return true;
}

/** LTR, without its mode and privilege checks: marks the TSS busy. False: fault raised. */
export function loadTr(selector: u32): bool {
  selector &= 0xffff;
  setEventExt(0);
  if (isNull(selector)) {
    raiseError(GP, 0);
    return false;
  }
  if (!fetchTableDescriptor(selector)) return false;
  const attr = attrOf(descriptorHigh);
  const type = attr & (ATTR_S | ATTR_TYPE);
  // Long mode has no 16-bit TSS.
  const available = type == TSS32_AVAILABLE || (type == TSS16_AVAILABLE && !longMode());
  if (!available) return failSelector(GP, selector);
  if ((attr & ATTR_P) == 0) return failSelector(NP, selector);
  if (code64() && !fetchUpperHalf(selector, GP)) return false;
  if (!canonical(tableBase())) return failSelector(GP, selector);
  sysWrite(descriptorAt + 5, (attr | TSS_BUSY_BIT) & 0xff, 1);
  if (fault) return false;
  installTable(SEG_TR, selector, attr | TSS_BUSY_BIT);
  return true;
}

/** LDT and TSS descriptors are in the GDT. */
function fetchTableDescriptor(selector: u32): bool {
  if (selector & 4) return failSelector(GP, selector);
  return fetchDescriptor(selector, GP);
}

function tableBase(): u64 {
  return <u64>baseOf(descriptorLow, descriptorHigh) | <u64>descriptorUpper << 32;
}

function installTable(seg: i32, selector: u32, attr: u32): void {
  installSegment(seg, selector, tableBase(), limitOf(descriptorLow, descriptorHigh), attr);
}

/**
 * Linear address of a memory operand of `size` bytes at `seg`:`offset`, in any mode. `offset` is
 * already cut to the address size. Where the segment does not allow the access, or the address is not
 * canonical, #GP(0), or #SS(0) for the stack segment, is raised, or #AC(0) where that comes first, and the result means nothing.
 */
export function linearChecked(seg: i32, offset: u64, size: i32, write: bool): u64 {
  if (code64()) {
    const linear = seg == SEG_FS || seg == SEG_GS ? offset + segBase(seg) : offset;
    if (!canonical(linear) || !canonical(linear + <u64>(max(size, 1) - 1))) raiseError(seg == SEG_SS ? SS : GP, 0);
    return linear;
  }
  const linear = (segBase(seg) + offset) & 0xffffffff;
  if (segmentAllows(seg, offset, size, write)) return linear;
  // Ten bytes are stored as eight and two: what is wrong with the eight comes first.
  if (size == 10 && write && alignmentChecked && linear & 7 && segmentAllows(seg, offset, 8, true)) raiseError(AC, 0);
  else raiseError(seg == SEG_SS ? SS : GP, 0);
  return linear;
}

/** Do rights and limit of a segment allow an access outside 64-bit mode? `size` 0: a line is flushed, which code that may not be
 * read allows too (SDM volume 2, CLFLUSH). */
export function segmentAllows(seg: i32, offset: u64, size: i32, write: bool): bool {
  const attr = segAttr(seg);
  if (usesDescriptors()) {
    if (attr & ATTR_UNUSABLE) return false;
    if (attr & ATTR_CODE) {
      if (write || (size && (attr & ATTR_READABLE) == 0)) return false;
    } else if (write && (attr & ATTR_WRITABLE) == 0) return false;
  }
  return insideLimit(segLimit(seg), attr, offset, max(size, 1));
}

/** Are `size` bytes from `offset` inside a segment? A 4 GiB segment lets accesses wrap, as processors do. */
export function insideLimit(limit: u32, attr: u32, offset: u64, size: i32): bool {
  const last = offset + <u64>(size - 1);
  const expandDown = (attr & (ATTR_CODE | ATTR_EXPAND_DOWN)) == ATTR_EXPAND_DOWN && protectedMode() && !vm86();
  if (!expandDown) return limit == 0xffffffff || last <= <u64>limit;
  return offset > <u64>limit && last <= (attr & ATTR_DB ? <u64>0xffffffff : <u64>0xffff);
}

/** Access rights with the accessed bit, for whoever builds a segment register from fixed values. */
export function flatAttr(type: u32, level: u32, flags: u32): u32 {
  return type | ATTR_ACCESSED | ATTR_S | ATTR_P | level << 5 | flags;
}
