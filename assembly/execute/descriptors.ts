// Segment descriptors: reading them from the GDT and LDT, and what their bits mean (SDM volume 3, 3.4.5).
import {
  SEG_LDTR, cpu, fault, raiseError, segAttr, segBase, segLimit,
} from "../cpu";
import { CPU_GDT_BASE, CPU_GDT_LIMIT, CPU_SEG_ATTR, CPU_SEG_BASE, CPU_SEG_LIMIT, CPU_SEG_SEL } from "../layout";
import { sysRead, sysWrite } from "../mmu/access";
import { settlePointers } from "./x87/pointers";

// Access rights as CPU_SEG_ATTR holds them.
export const ATTR_TYPE: u32 = 0xf;
export const ATTR_ACCESSED: u32 = 1;
/** Data: writable. */
export const ATTR_WRITABLE: u32 = 2;
/** Code: readable. */
export const ATTR_READABLE: u32 = 2;
/** Data: grows down from its limit. */
export const ATTR_EXPAND_DOWN: u32 = 4;
export const ATTR_CONFORMING: u32 = 4;
export const ATTR_CODE: u32 = 8;
/** Code or data, as opposed to a system descriptor. */
export const ATTR_S: u32 = 0x10;
export const ATTR_DPL_SHIFT: u32 = 5;
export const ATTR_P: u32 = 0x80;
export const ATTR_L: u32 = 0x2000;
/** D of code, B of data: 32-bit. */
export const ATTR_DB: u32 = 0x4000;
export const ATTR_G: u32 = 0x8000;
/** Loaded with a null selector. */
export const ATTR_UNUSABLE: u32 = 0x10000;
/** What bits 8..23 of a descriptor's high word say about rights; the rest is limit. */
const ATTR_DESCRIPTOR: u32 = 0xf0ff;

// System descriptor types; in long mode 9, 11, 12, 14 and 15 stand for the 64-bit forms.
export const TSS16_AVAILABLE: u32 = 1;
export const LDT: u32 = 2;
export const TSS16_BUSY: u32 = 3;
export const CALL_GATE16: u32 = 4;
export const TASK_GATE: u32 = 5;
export const INTERRUPT_GATE16: u32 = 6;
export const TRAP_GATE16: u32 = 7;
export const TSS32_AVAILABLE: u32 = 9;
export const TSS32_BUSY: u32 = 11;
export const CALL_GATE32: u32 = 12;
export const INTERRUPT_GATE32: u32 = 14;
export const TRAP_GATE32: u32 = 15;
/** The bit by which a busy TSS differs from an available one. */
export const TSS_BUSY_BIT: u32 = 2;

/** 1 while an event from outside the program is being delivered: bit 0 (EXT) of error codes. */
export let eventExt: i32 = 0;

export function setEventExt(ext: i32): void {
  eventExt = ext;
}

/** The descriptor that was read last: its linear address and its two words. */
export let descriptorAt: u64 = 0;
export let descriptorLow: u32 = 0;
export let descriptorHigh: u32 = 0;
/** Base 63..32 of a 16-byte descriptor, or offset 63..32 of a 64-bit gate. */
export let descriptorUpper: u32 = 0;

/** The error code that names a selector. */
// @ts-ignore: decorator
@inline export function selectorError(selector: u32): i32 { return (selector & 0xfffc) | eventExt; }
// @ts-ignore: decorator
@inline export function isNull(selector: u32): bool { return (selector & 0xfffc) == 0; }
// @ts-ignore: decorator
@inline export function dplOf(attr: u32): u32 { return (attr >> ATTR_DPL_SHIFT) & 3; }
/** Access rights of a descriptor's high word, in the form of CPU_SEG_ATTR. */
// @ts-ignore: decorator
@inline export function attrOf(high: u32): u32 { return (high >> 8) & ATTR_DESCRIPTOR; }
// @ts-ignore: decorator
@inline export function baseOf(low: u32, high: u32): u32 {
  return low >> 16 | (high & 0xff) << 16 | (high & 0xff000000);
}

/** Limit in bytes, granularity applied. */
export function limitOf(low: u32, high: u32): u32 {
  const limit = (low & 0xffff) | (high & 0xf0000);
  return attrOf(high) & ATTR_G ? limit << 12 | 0xfff : limit;
}

/** Raises `vector` with the selector (and EXT) as its error code. Always false. */
export function failSelector(vector: i32, selector: u32): bool {
  raiseError(vector, selectorError(selector));
  return false;
}

/** Finds `selector`'s descriptor; false, with nothing raised, where `size` bytes of it are not inside its table. */
export function findDescriptor(selector: u32, size: u32): bool {
  const offset = selector & 0xfff8;
  if (selector & 4) {
    if ((segAttr(SEG_LDTR) & ATTR_UNUSABLE) != 0 || offset + size - 1 > segLimit(SEG_LDTR)) return false;
    descriptorAt = segBase(SEG_LDTR) + offset;
  } else {
    if (offset + size - 1 > load<u32>(cpu, CPU_GDT_LIMIT)) return false;
    descriptorAt = load<u64>(cpu, CPU_GDT_BASE) + offset;
  }
  return true;
}

/** Reads what findDescriptor() found. False with a page fault raised. */
export function readDescriptor(): bool {
  const value = sysRead(descriptorAt, 8);
  if (fault) return false;
  descriptorLow = <u32>value;
  descriptorHigh = <u32>(value >> 32);
  descriptorUpper = 0;
  return true;
}

/** Reads the descriptor of `selector` (not null); `vector`(selector) where it lies outside its table. */
export function fetchDescriptor(selector: u32, vector: i32): bool {
  if (!findDescriptor(selector, 8)) return failSelector(vector, selector);
  return readDescriptor();
}

/** Reads the upper half of a 16-byte descriptor whose lower half was just read; `vector`(selector) where
 * it does not fit its table or its type field is not 0. */
export function fetchUpperHalf(selector: u32, vector: i32): bool {
  if (!findDescriptor(selector, 16)) return failSelector(vector, selector);
  const value = sysRead(descriptorAt + 8, 8);
  if (fault) return false;
  if ((<u32>(value >> 32) & 0x1f00) != 0) return failSelector(vector, selector);
  descriptorUpper = <u32>value;
  return true;
}

/** Sets the accessed bit of the code or data descriptor read last where it is clear. False with a page fault raised. */
export function setAccessed(): bool {
  if (descriptorHigh & (ATTR_ACCESSED << 8)) return true;
  descriptorHigh |= ATTR_ACCESSED << 8;
  return sysWrite(descriptorAt + 5, <u64>(descriptorHigh >> 8 & 0xff), 1);
}

/** Loads the hidden part and the selector of a segment register from a descriptor's words. */
export function installDescriptor(seg: i32, selector: u32, low: u32, high: u32): void {
  installSegment(seg, selector, <u64>baseOf(low, high), limitOf(low, high), attrOf(high));
}

export function installSegment(seg: i32, selector: u32, base: u64, limit: u32, attr: u32): void {
  settlePointers();
  placeSegment(seg, selector, base, limit, attr);
}

/** The same behind settlePointers(). */
// @ts-ignore: decorator
@inline export function placeSegment(seg: i32, selector: u32, base: u64, limit: u32, attr: u32): void {
  const word = cpu + (<usize>seg << 2);
  store<u64>(cpu + (<usize>seg << 3), base, CPU_SEG_BASE);
  store<u32>(word, limit, CPU_SEG_LIMIT);
  store<u32>(word, attr, CPU_SEG_ATTR);
  store<u32>(word, selector & 0xffff, CPU_SEG_SEL);
}

/** Loads a null selector: the register cannot be used for accesses outside 64-bit mode. `dpl` is kept for SS,
 * whose DPL is the CPL. */
export function installNull(seg: i32, selector: u32, dpl: u32): void {
  installSegment(seg, selector, 0, 0, ATTR_UNUSABLE | dpl << ATTR_DPL_SHIFT);
}
