// JMP, CALL and RET far (SDM volume 2). While a helper runs, RIP is that of the next instruction.
import { GP, NP, SEG_CS, SEG_SS, RSP, fault, gpr, raiseError, rip, segAttr, segSel } from "../cpu";
import { getFlags } from "./flags";
import { readMem } from "../mmu/access";
import {
  commitHeld, commitParagraph, held64, heldAllows, heldAttr, holdDirectTarget, holdGateTarget, holdReturnTarget,
  paragraphAllows, touchHeld,
} from "./code-segment";
import {
  ATTR_CODE, ATTR_CONFORMING, ATTR_DB, ATTR_P, ATTR_S, ATTR_TYPE, CALL_GATE16, CALL_GATE32, TASK_GATE, TSS16_AVAILABLE,
  TSS32_AVAILABLE, attrOf, descriptorHigh, descriptorLow, descriptorUpper, dplOf, failSelector, fetchDescriptor,
  fetchUpperHalf, isNull, setEventExt,
} from "./descriptors";
import { commitInnerStack, commitNullStack, openInnerStack, openInnerStack64 } from "./inner-stack";
import { updateMode } from "./mode";
import { commitOuterStack, holdOuterStack, touchOuterStack } from "./outer-stack";
import { assumePrivilege, cpl, longMode, usesDescriptors } from "./privilege";
import { dropInnerSegments, linearChecked } from "./segments";
import { commitFrame, openFrame, popFrame, pushFrame, setOuterStackPointer, skipFrame } from "./stack";
import { TASK_CALL, TASK_JUMP, finishTaskSwitch, holdTaskSelector, switchTask } from "./task";

export { interruptReturn } from "./iret";

/** Cuts a value to an operand size in bytes. */
function cut(value: u64, size: i32): u64 {
  return size == 2 ? value & 0xffff : size == 4 ? value & 0xffffffff : value;
}

/** JMP ptr16:n and m16:n; `size` is the operand size: 2, 4 or 8. Raises what the manual lists, or sets CS:RIP. */
export function jumpFar(selector: u32, offset: u64, size: i32): void {
  selector &= 0xffff;
  offset = cut(offset, size);
  if (!usesDescriptors()) {
    if (paragraphAllows(offset)) commitParagraph(selector, offset);
    return;
  }
  setEventExt(0);
  if (!fetchTarget(selector)) return;
  const attr = attrOf(descriptorHigh);
  if (attr & ATTR_S) {
    if (holdDirect(selector, attr) && heldAllows(offset) && touchHeld()) commitHeld(selector, cpl(), offset);
    return;
  }
  if (isCallGate(attr)) {
    if (!openGate(selector, attr) || !holdGateTarget(gateSelector, true)) return;
    if (heldAllows(gateOffset) && touchHeld()) commitHeld(gateSelector, cpl(), gateOffset);
    return;
  }
  transferToTask(selector, attr, TASK_JUMP);
}

/** CALL ptr16:n and m16:n. */
export function callFar(selector: u32, offset: u64, size: i32): void {
  selector &= 0xffff;
  offset = cut(offset, size);
  setEventExt(0);
  if (!usesDescriptors()) {
    openFrame();
    if (!pushReturn(size) || !paragraphAllows(offset)) return;
    commitFrame();
    commitParagraph(selector, offset);
    return;
  }
  if (!fetchTarget(selector)) return;
  const attr = attrOf(descriptorHigh);
  if (attr & ATTR_S) {
    if (!holdDirect(selector, attr) || !heldAllows(offset)) return;
    openFrame();
    if (!pushReturn(size) || !touchHeld()) return;
    commitFrame();
    commitHeld(selector, cpl(), offset);
    return;
  }
  if (isCallGate(attr)) callGate(selector, attr);
  else transferToTask(selector, attr, TASK_CALL);
}

/** RET far, after which `popBytes` are removed from the stack of caller (and, between levels, callee). */
export function returnFar(size: i32, popBytes: u32): void {
  setEventExt(0);
  openFrame();
  const offset = popFrame(size);
  if (fault) return;
  const selector = <u32>popFrame(size) & 0xffff;
  if (fault) return;
  if (!usesDescriptors()) {
    if (!paragraphAllows(offset)) return;
    skipFrame(popBytes);
    commitFrame();
    commitParagraph(selector, offset);
    return;
  }
  if (!holdReturnTarget(selector)) return;
  const level = selector & 3;
  skipFrame(popBytes);
  if (level == cpl()) {
    if (!heldAllows(offset) || !touchHeld()) return;
    commitFrame();
    commitHeld(selector, level, offset);
    return;
  }
  const sp = popFrame(size);
  if (fault) return;
  const stack = <u32>popFrame(size) & 0xffff;
  if (fault || !holdOuterStack(stack, level, held64()) || !heldAllows(offset)) return;
  if (!touchHeld() || !touchOuterStack()) return;
  commitOuterStack(stack);
  commitHeld(selector, level, offset);
  setOuterStackPointer(sp + popBytes);
  if (dropInnerSegments(level)) updateMode();
}

/** Reads the descriptor that a far JMP or CALL names. */
function fetchTarget(selector: u32): bool {
  if (isNull(selector)) {
    raiseError(GP, 0);
    return false;
  }
  return fetchDescriptor(selector, GP);
}

function holdDirect(selector: u32, attr: u32): bool {
  if ((attr & ATTR_CODE) == 0) return failSelector(GP, selector);
  return holdDirectTarget(selector);
}

function pushReturn(size: i32): bool {
  return pushFrame(segSel(SEG_CS), size) && pushFrame(cut(rip(), size), size);
}

function isCallGate(attr: u32): bool {
  const type = attr & ATTR_TYPE;
  return type == CALL_GATE32 || (type == CALL_GATE16 && !longMode());
}

let gateSelector: u32 = 0;
let gateOffset: u64 = 0;
/** Operand size of what the gate pushes. */
let gateSize: i32 = 0;
/** Parameters that a call to an inner level copies. */
let gateCount: u32 = 0;

/** Checks and takes apart the call gate whose descriptor was just read. */
function openGate(selector: u32, attr: u32): bool {
  if (dplOf(attr) < cpl() || dplOf(attr) < (selector & 3)) return failSelector(GP, selector);
  const low = descriptorLow;
  const high = descriptorHigh;
  if (longMode() && !fetchUpperHalf(selector, GP)) return false;
  if ((attr & ATTR_P) == 0) return failSelector(NP, selector);
  gateSelector = low >> 16;
  gateOffset = low & 0xffff;
  gateSize = 2;
  if ((attr & ATTR_TYPE) == CALL_GATE32) {
    gateOffset |= high & 0xffff0000;
    gateSize = 4;
  }
  if (longMode()) {
    gateOffset |= <u64>descriptorUpper << 32;
    gateSize = 8;
  }
  gateCount = high & 31;
  return true;
}

function callGate(selector: u32, attr: u32): void {
  if (!openGate(selector, attr) || !holdGateTarget(gateSelector, false)) return;
  const level = dplOf(heldAttr());
  if ((heldAttr() & ATTR_CONFORMING) != 0 || level == cpl()) {
    if (!heldAllows(gateOffset)) return;
    openFrame();
    if (!pushReturn(gateSize) || !touchHeld()) return;
    commitFrame();
    commitHeld(gateSelector, cpl(), gateOffset);
    return;
  }
  const wide = longMode();
  const entered = wide ? openInnerStack64(level, 0, false) : openInnerStack(level);
  if (!entered || !heldAllows(gateOffset) || !pushInnerFrame(level) || !touchHeld()) return;
  if (wide) commitNullStack(level);
  else commitInnerStack();
  commitHeld(gateSelector, level, gateOffset);
  commitFrame();
}

/** Pushes what a call to an inner level leaves on its stack: SS, SP, the parameters, CS, IP. */
function pushInnerFrame(level: u32): bool {
  if (!pushInner(level, segSel(SEG_SS)) || !pushInner(level, gpr(RSP))) return false;
  if (gateSize != 8) {
    for (let i = gateCount; i > 0; i--) {
      const parameter = readParameter(i - 1);
      if (fault || !pushInner(level, parameter)) return false;
    }
  }
  return pushInner(level, segSel(SEG_CS)) && pushInner(level, rip());
}

/** Pushes with the rights of the level being entered, and comes back to the current one. */
function pushInner(level: u32, value: u64): bool {
  const current = cpl();
  assumePrivilege(level);
  const done = pushFrame(cut(value, gateSize), gateSize);
  assumePrivilege(current);
  return done;
}

/** Parameter `index` from the top of the caller's stack. */
function readParameter(index: u32): u64 {
  const at = (gpr(RSP) + <u64>index * gateSize) & (segAttr(SEG_SS) & ATTR_DB ? <u64>0xffffffff : <u64>0xffff);
  const linear = linearChecked(SEG_SS, at, gateSize, false);
  return fault ? 0 : readMem(linear, gateSize);
}

/** JMP and CALL to a TSS or through a task gate; anything else that is no code segment is #GP. */
function transferToTask(selector: u32, attr: u32, how: i32): void {
  const type = attr & ATTR_TYPE;
  const direct = type == TSS16_AVAILABLE || type == TSS32_AVAILABLE;
  if (longMode() || (!direct && type != TASK_GATE)) {
    failSelector(GP, selector);
    return;
  }
  if (dplOf(attr) < cpl() || dplOf(attr) < (selector & 3)) {
    failSelector(GP, selector);
    return;
  }
  let task = selector;
  if (!direct) {
    if ((attr & ATTR_P) == 0) {
      failSelector(NP, selector);
      return;
    }
    task = descriptorLow >> 16;
  }
  if (!holdTaskSelector(task)) return;
  switchTask(task, how, getFlags());
  finishTaskSwitch();
}
