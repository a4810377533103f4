// Where far control transfers may go: checks of a new CS, and the moment it takes effect.
// The descriptor is held between the two, since a new SS may have to be looked at meanwhile.
import { GP, NP, SEG_CS, TS, cpu, fault, raiseError, segLimit, setRip } from "../cpu";
import { CPU_CPL } from "../layout";
import { sysWrite } from "../mmu/access";
import {
  ATTR_ACCESSED, ATTR_CODE, ATTR_CONFORMING, ATTR_DB, ATTR_L, ATTR_P, ATTR_S, attrOf, descriptorAt, descriptorHigh,
  descriptorLow, dplOf, eventExt, failSelector, fetchDescriptor, installDescriptor, isNull, limitOf,
} from "./descriptors";
import { updateMode } from "./mode";
import { canonical, cpl, longMode } from "./privilege";
import { loadByParagraph } from "./segments";

let heldAt: u64 = 0;
let heldLow: u32 = 0;
let heldHigh: u32 = 0;

/** Rights of the code segment that is held. */
// @ts-ignore: decorator
@inline export function heldAttr(): u32 { return attrOf(heldHigh); }

/** The code segment that is held is a 64-bit one. */
export function held64(): bool {
  return longMode() && (heldAttr() & ATTR_L) != 0;
}

function isConforming(attr: u32): bool {
  return (attr & ATTR_CONFORMING) != 0;
}

function isCode(attr: u32): bool {
  return (attr & (ATTR_S | ATTR_CODE)) == (ATTR_S | ATTR_CODE);
}

/** L and D together are reserved in long mode. */
function badWidth(attr: u32): bool {
  return longMode() && (attr & (ATTR_L | ATTR_DB)) == (ATTR_L | ATTR_DB);
}

function hold(): void {
  heldAt = descriptorAt;
  heldLow = descriptorLow;
  heldHigh = descriptorHigh;
}

/** Direct JMP or CALL to the code segment whose descriptor was just read: it does not change the level. */
export function holdDirectTarget(selector: u32): bool {
  const attr = attrOf(descriptorHigh);
  const dpl = dplOf(attr);
  const allowed = isConforming(attr) ? dpl <= cpl() : (selector & 3) <= cpl() && dpl == cpl();
  if (badWidth(attr) || !allowed) return failSelector(GP, selector);
  return holdPresent(selector, attr);
}

/**
 * The target of a call, interrupt or trap gate. With `jump` the level must stay. In long mode only
 * 64-bit code can be entered by a gate.
 */
export function holdGateTarget(selector: u32, jump: bool): bool {
  if (isNull(selector)) {
    raiseError(GP, eventExt);
    return false;
  }
  if (!fetchDescriptor(selector, GP)) return false;
  const attr = attrOf(descriptorHigh);
  const dpl = dplOf(attr);
  if (!isCode(attr) || dpl > cpl()) return failSelector(GP, selector);
  if (jump && !isConforming(attr) && dpl != cpl()) return failSelector(GP, selector);
  if (longMode() && (attr & (ATTR_L | ATTR_DB)) != ATTR_L) return failSelector(GP, selector);
  return holdPresent(selector, attr);
}

/** The target of a far return or IRET: its level is the selector's RPL, not inside the current one. */
export function holdReturnTarget(selector: u32): bool {
  if (isNull(selector)) {
    raiseError(GP, 0);
    return false;
  }
  if (!fetchDescriptor(selector, GP)) return false;
  const attr = attrOf(descriptorHigh);
  const rpl = selector & 3;
  if (!isCode(attr) || rpl < cpl() || badWidth(attr)) return failSelector(GP, selector);
  if (isConforming(attr) ? dplOf(attr) > rpl : dplOf(attr) != rpl) return failSelector(GP, selector);
  return holdPresent(selector, attr);
}

/** CS of an incoming task: all that is wrong with it is #TS, except absence. */
export function holdTaskTarget(selector: u32): bool {
  if (isNull(selector)) return failSelector(TS, selector);
  if (!fetchDescriptor(selector, TS)) return false;
  const attr = attrOf(descriptorHigh);
  const rpl = selector & 3;
  if (!isCode(attr)) return failSelector(TS, selector);
  if (isConforming(attr) ? dplOf(attr) > rpl : dplOf(attr) != rpl) return failSelector(TS, selector);
  return holdPresent(selector, attr);
}

function holdPresent(selector: u32, attr: u32): bool {
  if ((attr & ATTR_P) == 0) return failSelector(NP, selector);
  hold();
  return true;
}

/** #GP(EXT) where `offset` is outside the code segment that is held: not canonical, or past the limit. */
export function heldAllows(offset: u64): bool {
  if (held64() ? canonical(offset) : offset <= <u64>limitOf(heldLow, heldHigh)) return true;
  raiseError(GP, eventExt);
  return false;
}

/** Sets the accessed bit of the descriptor that is held where it is clear. False with a page fault raised. */
export function touchHeld(): bool {
  if (heldHigh & (ATTR_ACCESSED << 8)) return true;
  heldHigh |= ATTR_ACCESSED << 8;
  sysWrite(heldAt + 5, <u64>(heldHigh >> 8 & 0xff), 1);
  return !fault;
}

/** Takes the code segment that is held as CS at privilege `level`, and goes to `offset`. */
export function commitHeld(selector: u32, level: u32, offset: u64): void {
  installDescriptor(SEG_CS, (selector & 0xfffc) | level, heldLow, heldHigh);
  store<u32>(cpu, level, CPU_CPL);
  setRip(offset);
  updateMode();
}

/** Real and virtual-8086 mode: is `offset` inside CS? #GP(0) where not. */
export function paragraphAllows(offset: u64): bool {
  if (offset <= <u64>segLimit(SEG_CS)) return true;
  raiseError(GP, 0);
  return false;
}

/** Real and virtual-8086 mode: goes to `selector`:`offset`. */
export function commitParagraph(selector: u32, offset: u64): void {
  loadByParagraph(SEG_CS, selector & 0xffff);
  setRip(offset);
  updateMode();
}
