// The stack that the TSS names for a more privileged level (SDM volume 3, 5.8.5, 8.2.1, 8.7).
import { SEG_SS, SEG_TR, SS, TS, fault, raiseError, segAttr, segBase, segLimit, segSel } from "../cpu";
import {
  ATTR_TYPE, TSS16_BUSY, descriptorHigh, descriptorLow, eventExt, failSelector, installDescriptor, installNull, isNull,
  selectorError, setAccessed,
} from "./descriptors";
import { sysRead } from "../mmu/access";
import { canonical } from "./privilege";
import { checkStackSegment } from "./segments";
import { openFrame64, openFrameAt } from "./stack";

/** RSP0 of a 64-bit TSS; 8 bytes a level. */
const TSS64_RSP0: u64 = 4;
/** One stack before IST1: an index of 1..7 leads to its pointer. */
const TSS64_IST0: u64 = 28;

let innerSelector: u32 = 0;
let innerLow: u32 = 0;
let innerHigh: u32 = 0;

/**
 * Opens a frame on the stack of `level` in a 16- or 32-bit TSS. False: #TS or #SS with the offending
 * selector, or a page fault. The stack takes effect with commitInnerStack().
 */
export function openInnerStack(level: u32): bool {
  const narrow = (segAttr(SEG_TR) & ATTR_TYPE) == TSS16_BUSY;
  const offset = narrow ? level * 4 + 2 : level * 8 + 4;
  // A stack pointer and the selector behind it.
  const last = narrow ? offset + 3 : offset + 5;
  if (last > segLimit(SEG_TR)) return failSelector(TS, segSel(SEG_TR));
  const at = segBase(SEG_TR) + offset;
  const sp = sysRead(at, narrow ? 2 : 4);
  if (fault) return false;
  innerSelector = <u32>sysRead(at + (narrow ? 2 : 4), 2);
  if (fault) return false;
  if (isNull(innerSelector)) {
    raiseError(TS, eventExt);
    return false;
  }
  if (!checkStackSegment(innerSelector, level, TS) || !setAccessed()) return false;
  innerLow = descriptorLow;
  innerHigh = descriptorHigh;
  openFrameAt(innerLow, innerHigh, sp, selectorError(innerSelector));
  return true;
}

/** Makes the stack of openInnerStack() the current SS; the caller commits the frame. */
export function commitInnerStack(): void {
  installDescriptor(SEG_SS, innerSelector, innerLow, innerHigh);
}

/** Opens a frame on the stack of `level` in a 64-bit TSS, or, with `ist` (1..7), on that stack. */
export function openInnerStack64(level: u32, ist: u32, align: bool): bool {
  const offset = ist ? TSS64_IST0 + <u64>ist * 8 : TSS64_RSP0 + <u64>level * 8;
  if (offset + 7 > <u64>segLimit(SEG_TR)) return failSelector(TS, segSel(SEG_TR));
  const sp = sysRead(segBase(SEG_TR) + offset, 8);
  if (fault) return false;
  if (!canonical(sp)) {
    raiseError(SS, eventExt);
    return false;
  }
  openFrame64(align ? sp & ~15 : sp);
  return true;
}

/** Entering an inner level in long mode gives a null SS with that level as RPL. */
export function commitNullStack(level: u32): void {
  installNull(SEG_SS, level, level);
}
