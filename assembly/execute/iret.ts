// IRET, IRETD, IRETQ in every mode (SDM volume 2, IRET).
import {
  CR4_VME, FLAG_AC, FLAG_IF, FLAG_IOPL, FLAG_NT, FLAG_RF, FLAG_TF, FLAG_VIF, FLAG_VIP, FLAG_VM, FLAG_ID, FLAGS_STATUS,
  FLAG_DF, GP, SEG_CS, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_SS, SEG_TR, RSP, cpu, fault, raiseError, segBase, setGpr,
  setRip,
} from "../cpu";
import { CPU_CPL, CPU_CR4, CPU_EFLAGS, CPU_NMI_MASKED, CPU_NMI_PENDING } from "../layout";
import { sysRead } from "../mmu/access";
import { getFlags, setFlags } from "./flags";
import {
  commitHeld, commitParagraph, held64, heldAllows, holdReturnTarget, paragraphAllows, touchHeld,
} from "./code-segment";
import { instructionBreakpointsArmed } from "./debug";
import { setEventExt } from "./descriptors";
import { updateMode } from "./mode";
import { commitOuterStack, holdOuterStack, touchOuterStack } from "./outer-stack";
import { code64, cpl, iopl, longMode, protectedMode, vm86 } from "./privilege";
import { interruptsEnabled, requestSlice } from "./request";
import { dropInnerSegments, loadByParagraph } from "./segments";
import { commitFrame, openFrame, popFrame, setOuterStackPointer } from "./stack";
import { TASK_RETURN, finishTaskSwitch, holdTaskLink, switchTask } from "./task";

/** Every flag that exists; the others are 0, bit 1 is 1. */
export const FLAGS_ALL: u32 =
  FLAGS_STATUS | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_RF | FLAG_VM | FLAG_AC | FLAG_VIF | FLAG_VIP |
  FLAG_ID;
/** What any program may change. */
const FLAGS_FREE16: u32 = FLAGS_STATUS | FLAG_TF | FLAG_DF | FLAG_NT;
const FLAGS_FREE32: u32 = FLAGS_FREE16 | FLAG_RF | FLAG_AC | FLAG_ID;

/** IRET with operand size 2, 4 or 8. Unblocks NMIs, even where it faults (SDM volume 3, 6.7.1). */
export function interruptReturn(size: i32): void {
  store<u32>(cpu, 0, CPU_NMI_MASKED);
  // One that has waited comes at once, not at the end of the slice.
  if (load<u32>(cpu, CPU_NMI_PENDING)) requestSlice();
  setEventExt(0);
  if (!protectedMode()) returnByParagraph(size, realFlags(size));
  else if (vm86()) returnVm86(size);
  else if (getFlags() & FLAG_NT) returnToTask();
  else returnProtected(size);
}

function replaceFlags(value: u32, mask: u32): void {
  setFlags((getFlags() & ~mask) | (value & mask) | 2);
  flagsReturned();
}

/**
 * After an IRET or a task switch loaded RFLAGS: interrupts may have become possible, and with RF the run loop
 * has to execute one instruction past its breakpoints. Where none is armed RF has no effect and is
 * dropped at once instead of after that instruction.
 */
export function flagsReturned(): void {
  const flags = load<u32>(cpu, CPU_EFLAGS);
  if (flags & FLAG_IF) interruptsEnabled();
  if ((flags & FLAG_RF) == 0) return;
  if (instructionBreakpointsArmed()) requestSlice();
  else store<u32>(cpu, flags & ~FLAG_RF, CPU_EFLAGS);
}

function realFlags(size: i32): u32 {
  return FLAGS_FREE16 | FLAG_IF | FLAG_IOPL | (size == 2 ? 0 : FLAG_RF | FLAG_AC | FLAG_ID);
}

/** Real mode, and virtual-8086 mode with IOPL 3: pops IP, CS and the flags in `mask`. */
function returnByParagraph(size: i32, mask: u32): void {
  openFrame();
  const offset = popFrame(size);
  if (fault) return;
  const selector = <u32>popFrame(size);
  if (fault) return;
  const flags = <u32>popFrame(size);
  if (fault || !paragraphAllows(offset)) return;
  commitFrame();
  replaceFlags(flags, mask);
  commitParagraph(selector, offset);
}

function returnVm86(size: i32): void {
  if (iopl() == 3) {
    returnByParagraph(size, realFlags(size) & ~FLAG_IOPL);
    return;
  }
  if ((load<u64>(cpu, CPU_CR4) & CR4_VME) == 0 || size != 2) {
    raiseError(GP, 0);
    return;
  }
  openFrame();
  const offset = popFrame(2);
  if (fault) return;
  const selector = <u32>popFrame(2);
  if (fault) return;
  let flags = <u32>popFrame(2);
  if (fault) return;
  // The program's IF is VIF; it may not be set while the monitor holds an interrupt for it (VIP).
  const blocked = (flags & FLAG_IF) != 0 && (getFlags() & FLAG_VIP) != 0;
  if (blocked || (flags & FLAG_TF) != 0) {
    raiseError(GP, 0);
    return;
  }
  if (!paragraphAllows(offset)) return;
  if (flags & FLAG_IF) flags |= FLAG_VIF;
  commitFrame();
  replaceFlags(flags, FLAGS_FREE16 | FLAG_VIF);
  commitParagraph(selector, offset);
}

/** NT: back to the task that the TSS links to. */
function returnToTask(): void {
  if (longMode()) {
    raiseError(GP, 0);
    return;
  }
  const link = <u32>sysRead(segBase(SEG_TR), 2);
  if (fault || !holdTaskLink(link)) return;
  switchTask(link, TASK_RETURN, getFlags() & ~FLAG_NT);
  finishTaskSwitch();
}

function returnProtected(size: i32): void {
  openFrame();
  const offset = popFrame(size);
  if (fault) return;
  const selector = <u32>popFrame(size) & 0xffff;
  if (fault) return;
  const flags = <u32>popFrame(size);
  if (fault) return;
  if (size == 4 && (flags & FLAG_VM) != 0 && cpl() == 0 && !longMode()) {
    returnToVm86(selector, offset, flags);
    return;
  }
  if (!holdReturnTarget(selector)) return;
  const level = selector & 3;
  const mask = returnMask(size);
  // 64-bit code always pops a stack, also at the same level.
  if (level == cpl() && !code64()) {
    if (!heldAllows(offset) || !touchHeld()) return;
    commitFrame();
    replaceFlags(flags, mask);
    commitHeld(selector, level, offset);
    return;
  }
  const sp = popFrame(size);
  if (fault) return;
  const stack = <u32>popFrame(size) & 0xffff;
  if (fault || !holdOuterStack(stack, level, held64()) || !heldAllows(offset)) return;
  if (!touchHeld() || !touchOuterStack()) return;
  const outward = level != cpl();
  commitOuterStack(stack);
  replaceFlags(flags, mask);
  commitHeld(selector, level, offset);
  setOuterStackPointer(sp);
  if (outward && dropInnerSegments(level)) updateMode();
}

/** The flags that an IRET from the current level may change. */
function returnMask(size: i32): u32 {
  let mask = size == 2 ? FLAGS_FREE16 : FLAGS_FREE32;
  if (cpl() <= iopl()) mask |= FLAG_IF;
  if (cpl() == 0) mask |= size == 2 ? FLAG_IOPL : FLAG_IOPL | FLAG_VIF | FLAG_VIP;
  return mask;
}

function returnToVm86(selector: u32, offset: u64, flags: u32): void {
  const sp = popFrame(4);
  if (fault) return;
  const ss = <u32>popFrame(4);
  if (fault) return;
  const es = <u32>popFrame(4);
  if (fault) return;
  const ds = <u32>popFrame(4);
  if (fault) return;
  const fs = <u32>popFrame(4);
  if (fault) return;
  const gs = <u32>popFrame(4);
  if (fault) return;
  if (offset > 0xffff) {
    raiseError(GP, 0);
    return;
  }
  setFlags((flags & FLAGS_ALL) | 2);
  flagsReturned();
  store<u32>(cpu, 3, CPU_CPL);
  loadByParagraph(SEG_CS, selector);
  loadByParagraph(SEG_SS, ss & 0xffff);
  loadByParagraph(SEG_ES, es & 0xffff);
  loadByParagraph(SEG_DS, ds & 0xffff);
  loadByParagraph(SEG_FS, fs & 0xffff);
  loadByParagraph(SEG_GS, gs & 0xffff);
  setGpr(RSP, sp);
  setRip(offset);
  updateMode();
}
