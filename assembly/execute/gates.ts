// Through the IDT: what happens between an event and the first instruction of its handler
// (SDM volume 3, 6.12-6.14, 20.1.4, 20.3; volume 2, INT).
import {
  FLAG_AC, FLAG_IF, FLAG_NT, FLAG_RF, FLAG_TF, FLAG_VM, GP, NP, RSP, SEG_CS, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_SS,
  SEG_TR, cpu, fault, gpr, raiseError, rip, segAttr, segSel,
} from "../cpu";
import { CPU_IDT_BASE, CPU_IDT_LIMIT, CPU_SHADOW } from "../layout";
import { sysRead } from "../mmu/access";
import {
  commitHeld, commitParagraph, heldAllows, heldAttr, holdGateTarget, paragraphAllows, touchHeld,
} from "./code-segment";
import {
  ATTR_CONFORMING, ATTR_P, ATTR_S, ATTR_TYPE, INTERRUPT_GATE16, INTERRUPT_GATE32, TASK_GATE, TRAP_GATE16, TRAP_GATE32,
  attrOf, dplOf, eventExt, failSelector, installNull, setEventExt,
} from "./descriptors";
import { getFlags, setFlags } from "./flags";
import { commitInnerStack, commitNullStack, openInnerStack, openInnerStack64 } from "./inner-stack";
import { assumePrivilege, cpl, longMode, protectedMode, vm86 } from "./privilege";
import { commitFrame, openFrame, openFrame64, pushFrame } from "./stack";
import { TASK_CALL, clearTaskSwitched, holdTaskSelector, switchTask } from "./task";

/** Bit of a gate type: trap, which leaves IF alone. */
const TRAP_BIT: u32 = 1;
/** Bit of a gate type: 32-bit. */
const WIDE_BIT: u32 = 8;

/**
 * Takes one event through the IDT. `error`: the error code to push, or -1. `soft`: INT n, INT3 or INTO,
 * which need the gate's DPL and are not external (EXT). `flags`: RFLAGS as they are to be pushed.
 * A fault leaves everything as it was, unless taskSwitched tells that it belongs to a new task.
 */
export function enterHandler(vector: i32, error: i32, soft: bool, flags: u32): void {
  clearTaskSwitched();
  setEventExt(soft ? 0 : 1);
  if (!protectedMode()) enterReal(vector, flags);
  else if (longMode()) enterLong(vector, error, soft, flags);
  else enterProtected(vector, error, soft, flags);
  setEventExt(0);
  if (!fault) store<u32>(cpu, 0, CPU_SHADOW);
}

/** The error code that names an IDT entry. */
function failGate(raised: i32, vector: i32): void {
  raiseError(raised, vector << 3 | 2 | eventExt);
}

function enterReal(vector: i32, flags: u32): void {
  if (<u32>vector * 4 + 3 > load<u32>(cpu, CPU_IDT_LIMIT)) {
    failGate(GP, vector);
    return;
  }
  const pointer = <u32>sysRead(load<u64>(cpu, CPU_IDT_BASE) + <u64>vector * 4, 4);
  if (fault) return;
  enterParagraph(pointer, flags, getFlags() & ~(FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF));
}

/** The 8086 way: pushes `pushed`, CS and IP, goes to the far pointer with the flags `next`. */
export function enterParagraph(pointer: u32, pushed: u32, next: u32): void {
  openFrame();
  if (!pushFrame(pushed & 0xffff, 2) || !pushFrame(segSel(SEG_CS), 2) || !pushFrame(rip() & 0xffff, 2)) return;
  if (!paragraphAllows(pointer & 0xffff)) return;
  commitFrame();
  setFlags(next);
  commitParagraph(pointer >> 16, pointer & 0xffff);
}

function enterLong(vector: i32, error: i32, soft: bool, flags: u32): void {
  if (<u32>vector * 16 + 15 > load<u32>(cpu, CPU_IDT_LIMIT)) {
    failGate(GP, vector);
    return;
  }
  const at = load<u64>(cpu, CPU_IDT_BASE) + <u64>vector * 16;
  const low = sysRead(at, 8);
  if (fault) return;
  const upper = sysRead(at + 8, 4);
  if (fault) return;
  const high = <u32>(low >> 32);
  const attr = attrOf(high);
  const type = attr & (ATTR_S | ATTR_TYPE);
  if ((type | TRAP_BIT) != TRAP_GATE32 || (soft && dplOf(attr) < cpl())) {
    failGate(GP, vector);
    return;
  }
  if ((attr & ATTR_P) == 0) {
    failGate(NP, vector);
    return;
  }
  const selector = <u32>low >> 16;
  if (!holdGateTarget(selector, false)) return;
  const current = cpl();
  const level = heldAttr() & ATTR_CONFORMING ? current : dplOf(heldAttr());
  const ist = high & 7;
  if (level < current || ist != 0) {
    if (!openInnerStack64(level, ist, true)) return;
  } else openFrame64(gpr(RSP) & ~15);
  const offset = (<u64>upper << 32) | (high & 0xffff0000) | (<u32>low & 0xffff);
  if (!heldAllows(offset)) return;

  if (level != current) assumePrivilege(level);
  const pushed =
    pushFrame(segSel(SEG_SS), 8) && pushFrame(gpr(RSP), 8) && pushFrame(flags, 8) && pushFrame(segSel(SEG_CS), 8) &&
    pushFrame(rip(), 8) && (error < 0 || pushFrame(<u64>error, 8));
  if (!pushed || !touchHeld()) {
    if (level != current) assumePrivilege(current);
    return;
  }
  if (level != current) commitNullStack(level);
  commitFrame();
  setFlags(handlerFlags(type));
  commitHeld(selector, level, offset);
}

function enterProtected(vector: i32, error: i32, soft: bool, flags: u32): void {
  if (<u32>vector * 8 + 7 > load<u32>(cpu, CPU_IDT_LIMIT)) {
    failGate(GP, vector);
    return;
  }
  const gate = sysRead(load<u64>(cpu, CPU_IDT_BASE) + <u64>vector * 8, 8);
  if (fault) return;
  const high = <u32>(gate >> 32);
  const attr = attrOf(high);
  const type = attr & (ATTR_S | ATTR_TYPE);
  const known =
    type == TASK_GATE || type == INTERRUPT_GATE16 || type == TRAP_GATE16 || type == INTERRUPT_GATE32 ||
    type == TRAP_GATE32;
  if (!known || (soft && dplOf(attr) < cpl())) {
    failGate(GP, vector);
    return;
  }
  if ((attr & ATTR_P) == 0) {
    failGate(NP, vector);
    return;
  }
  const selector = <u32>gate >> 16;
  if (type == TASK_GATE) {
    enterTask(selector, error, flags);
    return;
  }
  if (!holdGateTarget(selector, false)) return;
  const dpl = dplOf(heldAttr());
  const inner = (heldAttr() & ATTR_CONFORMING) == 0 && dpl < cpl();
  // Virtual-8086 mode can be left for level 0 only.
  if (vm86() && (!inner || dpl != 0)) {
    failSelector(GP, selector);
    return;
  }
  const wide = (type & WIDE_BIT) != 0;
  const offset = <u64>(wide ? (high & 0xffff0000) | (<u32>gate & 0xffff) : <u32>gate & 0xffff);
  if (inner) enterInner(selector, dpl, offset, type, error, flags);
  else enterSame(selector, offset, type, error, flags);
}

function enterSame(selector: u32, offset: u64, type: u32, error: i32, flags: u32): void {
  const size = type & WIDE_BIT ? 4 : 2;
  openFrame();
  if (!pushHandlerFrame(size, error, flags) || !heldAllows(offset) || !touchHeld()) return;
  commitFrame();
  setFlags(handlerFlags(type));
  commitHeld(selector, cpl(), offset);
}

function enterInner(selector: u32, level: u32, offset: u64, type: u32, error: i32, flags: u32): void {
  const size = type & WIDE_BIT ? 4 : 2;
  if (!openInnerStack(level)) return;
  const current = cpl();
  const from86 = vm86();
  assumePrivilege(level);
  let pushed = true;
  if (from86) {
    pushed = pushFrame(segSel(SEG_GS), size) && pushFrame(segSel(SEG_FS), size) && pushFrame(segSel(SEG_DS), size) &&
      pushFrame(segSel(SEG_ES), size);
  }
  pushed = pushed && pushFrame(segSel(SEG_SS), size) && pushFrame(gpr(RSP) & 0xffffffff, size) &&
    pushHandlerFrame(size, error, flags);
  if (!pushed || !heldAllows(offset) || !touchHeld()) {
    assumePrivilege(current);
    return;
  }
  commitInnerStack();
  commitFrame();
  setFlags(handlerFlags(type));
  if (from86) {
    installNull(SEG_GS, 0, 0);
    installNull(SEG_FS, 0, 0);
    installNull(SEG_DS, 0, 0);
    installNull(SEG_ES, 0, 0);
  }
  commitHeld(selector, level, offset);
}

function pushHandlerFrame(size: i32, error: i32, flags: u32): bool {
  return pushFrame(flags, size) && pushFrame(segSel(SEG_CS), size) && pushFrame(rip() & 0xffffffff, size) &&
    (error < 0 || pushFrame(<u64>error, size));
}

/** The flags that a handler starts with. */
function handlerFlags(type: u32): u32 {
  const cleared = FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM | (type & TRAP_BIT ? 0 : FLAG_IF);
  return getFlags() & ~cleared;
}

/** A task gate: the error code goes on the new task's stack, as wide as its TSS is. */
function enterTask(selector: u32, error: i32, flags: u32): void {
  if (!holdTaskSelector(selector)) return;
  switchTask(selector, TASK_CALL, flags);
  if (fault || error < 0) return;
  openFrame();
  if (pushFrame(<u64>error, segAttr(SEG_TR) & WIDE_BIT ? 4 : 2)) commitFrame();
}
