// LAR, LSL, VERR, VERW and ARPL: asking about a selector without a fault (page faults apart).
// The instructions do not exist in real and virtual-8086 mode (#UD): their rows say so.
import {
  ATTR_CODE, ATTR_CONFORMING, ATTR_READABLE, ATTR_S, ATTR_TYPE, ATTR_WRITABLE, CALL_GATE16, CALL_GATE32, LDT,
  TASK_GATE, TSS16_AVAILABLE, TSS16_BUSY, TSS32_AVAILABLE, TSS32_BUSY, attrOf, descriptorHigh, descriptorLow, dplOf,
  findDescriptor, isNull, limitOf, readDescriptor,
} from "./descriptors";
import { cpl, longMode } from "./privilege";

/** System descriptor types that LSL knows, by bit number. */
const LSL_LEGACY: u32 =
  1 << TSS16_AVAILABLE | 1 << LDT | 1 << TSS16_BUSY | 1 << TSS32_AVAILABLE | 1 << TSS32_BUSY;
const LSL_LONG: u32 = 1 << LDT | 1 << TSS32_AVAILABLE | 1 << TSS32_BUSY;
/** LAR knows gates too. */
const LAR_LEGACY: u32 = LSL_LEGACY | 1 << CALL_GATE16 | 1 << TASK_GATE | 1 << CALL_GATE32;
const LAR_LONG: u32 = LSL_LONG | 1 << CALL_GATE32;
const LAR_MASK: u32 = 0x00ffff00;

/** LAR: the rights (high descriptor word & 0x00ffff00; the row cuts them to its operand size), or -1: ZF = 0.
 * Looks at `fault` afterwards: the descriptor may lie in a page that is not there. */
export function lar(selector: u32): i64 {
  if (!visible(selector, longMode() ? LAR_LONG : LAR_LEGACY)) return -1;
  return <i64>(descriptorHigh & LAR_MASK);
}

/** LSL: the limit in bytes, or -1: ZF = 0. */
export function lsl(selector: u32): i64 {
  if (!visible(selector, longMode() ? LSL_LONG : LSL_LEGACY)) return -1;
  return <i64>limitOf(descriptorLow, descriptorHigh);
}

/** VERR: ZF. */
export function verr(selector: u32): bool {
  if (!visible(selector, 0)) return false;
  return (attrOf(descriptorHigh) & (ATTR_CODE | ATTR_READABLE)) != ATTR_CODE;
}

/** VERW: ZF. */
export function verw(selector: u32): bool {
  if (!visible(selector, 0)) return false;
  return (attrOf(descriptorHigh) & (ATTR_CODE | ATTR_WRITABLE)) == ATTR_WRITABLE;
}

/** ARPL: `destination` with its RPL raised to that of `source`, and bit 16 set where that changed it (ZF). */
export function arpl(destination: u32, source: u32): u32 {
  const rpl = source & 3;
  if ((destination & 3) >= rpl) return destination & 0xffff;
  return (destination & 0xfffc) | rpl | 0x10000;
}

/** Reads the descriptor; true where it is code or data, or of one of `systemTypes`, and of a level that the
 * program may use. */
function visible(selector: u32, systemTypes: u32): bool {
  selector &= 0xffff;
  if (isNull(selector) || !findDescriptor(selector, 8) || !readDescriptor()) return false;
  const attr = attrOf(descriptorHigh);
  if (attr & ATTR_S) {
    if ((attr & (ATTR_CODE | ATTR_CONFORMING)) == (ATTR_CODE | ATTR_CONFORMING)) return true;
  } else if (((systemTypes >> (attr & ATTR_TYPE)) & 1) == 0) return false;
  return cpl() <= dplOf(attr) && (selector & 3) <= dplOf(attr);
}
