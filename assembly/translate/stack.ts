// The stack where operands are of 16 or 32 bits, near transfers of code of these sizes, and LOOP: what helpers of
// execute/push-pop.ts do, in line. Such code has a stack of its own size, in a segment.
import { RBP, RCX, RSP, SEG_CS, SEG_SS } from "../cpu";
import { PREFIX_ADDRESS_SHIFT, R_PREFIX } from "../decode/record";
import {
  HELPER_checkBranch, HELPER_checkNearTarget, HELPER_countDown, HELPER_counterIsZero, HELPER_counterStays, HELPER_drop, HELPER_leaveFrame, HELPER_push16, HELPER_push32, HELPER_top16,
  HELPER_top32,
} from "../generated/helpers";
import { CPU_SEG_LIMIT, TLB_READ, TLB_WRITE } from "../layout";
import { toSegment } from "./address";
import { code64, flat, stack32 } from "./code-mode";
import { registerLocal, temp } from "./locals";
import { loadOpcode, pushHost, storeOpcode } from "./memory-access";
import { I32_GT_U, I32_LOAD, I64_ADD, I64_AND, I64_EQ, I64_EXTEND_U, I64_NE, I64_OR, I64_SUB } from "./opcodes";
import { loadField, missIf, setRegister } from "./state";
import { constOf } from "./values";
import { byte, I64, i64const, localGet, localSet, localTee, memory } from "./writer";
import { push } from "./compute";

/** Whether a helper is computed in line. */
export function isInlineStack(helper: u32): bool {
  switch (helper) {
    case HELPER_push16:
    case HELPER_push32:
    case HELPER_top16:
    case HELPER_top32:
    case HELPER_drop:
    case HELPER_leaveFrame:
    case HELPER_checkBranch:
    case HELPER_checkNearTarget:
    case HELPER_counterStays:
    case HELPER_counterIsZero:
    case HELPER_countDown: return true;
  }
  return false;
}

/** Whether a helper pushes. */
export function isPush(helper: u32): bool {
  return helper == HELPER_push16 || helper == HELPER_push32;
}

/** Does what a helper does to the value numbered `value`, its only argument; a result is left on the stack. */
export function inlineStack(helper: u32, value: u32, rec: usize): void {
  switch (helper) {
    case HELPER_push16: return pushValue(value, 1);
    case HELPER_push32: return pushValue(value, 2);
    case HELPER_top16: return top(1);
    case HELPER_top32: return top(2);
    case HELPER_drop: return drop(value);
    case HELPER_leaveFrame: return leaveFrame(constOf(value) == 2 ? 1 : 2);
    case HELPER_checkNearTarget: return checkTarget(value);
    case HELPER_counterStays: return counter(rec, 1, I64_NE);
    case HELPER_counterIsZero: return counter(rec, 0, I64_EQ);
    case HELPER_countDown: return countDown(rec);
    // checkBranch: where a region is entered, all its direct targets are known to lie inside the segment.
  }
}

// ---------------------------------------------------------------- the stack pointer
/** Cuts an offset in the stack to the stack's width. */
function cut(): void {
  if (code64) return;
  i64const(stack32 ? 0xffffffff : 0xffff);
  byte(I64_AND);
}

/** Pushes a register, RSP or RBP, as an offset in the stack. */
function offsetIn(register: u32): void {
  localGet(registerLocal(register));
  cut();
}

function isStack16(): bool {
  return !code64 && !stack32;
}

/** Makes the i64 on WebAssembly's stack the stack pointer: SP alone leaves the upper bits as they are. */
function setStackPointer(): void {
  cut();
  if (isStack16()) {
    localGet(registerLocal(RSP));
    i64const(~0xffff);
    byte(I64_AND);
    byte(I64_OR);
  }
  setRegister(RSP);
}

/** Pushes the host address of 1 << w bytes at the stack offset on WebAssembly's stack. */
function hostInStack(w: u32, write: bool): void {
  toSegment(SEG_SS, 1 << w, write);
  const address = temp(I64);
  localSet(address);
  pushHost(address, 1 << w, write ? TLB_WRITE : TLB_READ);
}

function pushValue(value: u32, w: u32): void {
  const sp = temp(I64);
  localGet(registerLocal(RSP));
  i64const(1 << w);
  byte(I64_SUB);
  cut();
  localTee(sp);
  hostInStack(w, true);
  push(value);
  memory(storeOpcode(w, false), 0, 0);
  localGet(sp);
  if (isStack16()) setStackPointer();
  else setRegister(RSP);
}

function top(w: u32): void {
  offsetIn(RSP);
  hostInStack(w, false);
  memory(loadOpcode(w), 0, 0);
}

function drop(bytes: u32): void {
  localGet(registerLocal(RSP));
  push(bytes);
  byte(I64_ADD);
  setStackPointer();
}

function leaveFrame(w: u32): void {
  const frame = temp(I64);
  offsetIn(RBP);
  localTee(frame);
  hostInStack(w, false);
  memory(loadOpcode(w), 0, 0);
  byte(I64_EXTEND_U);
  if (w == 1) {
    localGet(registerLocal(RBP));
    i64const(~0xffff);
    byte(I64_AND);
    byte(I64_OR);
  }
  setRegister(RBP);
  localGet(frame);
  i64const(1 << w);
  byte(I64_ADD);
  setStackPointer();
}

// ---------------------------------------------------------------- near transfers
/** Leaves for the interpreter to raise #GP(0) where a computed target lies beyond the code segment. */
function checkTarget(target: u32): void {
  if (flat) return;
  push(target);
  loadField(I32_LOAD, CPU_SEG_LIMIT + (SEG_CS << 2));
  byte(I32_GT_U);
  missIf();
}

/** The counter's bits in a record's address size. */
function counterMask(rec: usize): i64 {
  const size = <u32>(load<u8>(rec, R_PREFIX) >> PREFIX_ADDRESS_SHIFT) & 3;
  return size == 2 ? -1 : size == 1 ? 0xffffffff : 0xffff;
}

function counter(rec: usize, compared: i64, how: u32): void {
  const mask = counterMask(rec);
  localGet(registerLocal(RCX));
  if (mask != -1) {
    i64const(mask);
    byte(I64_AND);
  }
  i64const(compared);
  byte(how);
}

function countDown(rec: usize): void {
  const mask = counterMask(rec);
  localGet(registerLocal(RCX));
  i64const(1);
  byte(I64_SUB);
  if (mask != -1) {
    i64const(mask);
    byte(I64_AND);
  }
  if (mask == 0xffff) {
    localGet(registerLocal(RCX));
    i64const(~0xffff);
    byte(I64_AND);
    byte(I64_OR);
  }
  setRegister(RCX);
}
