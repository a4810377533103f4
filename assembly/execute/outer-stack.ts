// The stack that a return to an outer level pops (SDM volume 2, RET and IRET).
import { GP, SEG_SS, fault, raiseError } from "../cpu";
import { sysWrite } from "../mmu/access";
import {
  ATTR_ACCESSED, descriptorAt, descriptorHigh, descriptorLow, installDescriptor, installNull, isNull,
} from "./descriptors";
import { checkStackSegment } from "./segments";

let heldAt: u64 = 0;
let heldLow: u32 = 0;
let heldHigh: u32 = 0;

/** Checks the SS of privilege `level` being returned to and holds its descriptor. `to64`: the code there is
 * 64-bit, which may run with a null SS below level 3. False: fault raised. */
export function holdOuterStack(selector: u32, level: u32, to64: bool): bool {
  if (isNull(selector)) {
    if (to64 && level != 3 && (selector & 3) == level) {
      // Nothing is held, so nothing is to be marked as accessed.
      heldHigh = ATTR_ACCESSED << 8;
      return true;
    }
    raiseError(GP, 0);
    return false;
  }
  if (!checkStackSegment(selector, level, GP)) return false;
  heldAt = descriptorAt;
  heldLow = descriptorLow;
  heldHigh = descriptorHigh;
  return true;
}

/** Sets the accessed bit of the descriptor that is held where it is clear. False with a page fault raised. */
export function touchOuterStack(): bool {
  if (heldHigh & (ATTR_ACCESSED << 8)) return true;
  heldHigh |= ATTR_ACCESSED << 8;
  sysWrite(heldAt + 5, <u64>(heldHigh >> 8 & 0xff), 1);
  return !fault;
}

/** Loads SS with what is held; the caller sets CS, CPL and the stack pointer. */
export function commitOuterStack(selector: u32): void {
  if (isNull(selector)) installNull(SEG_SS, selector, selector & 3);
  else installDescriptor(SEG_SS, selector, heldLow, heldHigh);
}
