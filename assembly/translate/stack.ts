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
import { push } from "./compute";
import { missIf } from "./leave";
import { temp } from "./locals";
import { accessAt, loadOpcode, pushHost, pushOpened, storeOpcode } from "./memory-access";
import { I32_ADD, I32_AND, I32_EQ, I32_GT_U, I32_LOAD, I32_NE, I32_OR, I32_SUB, I32_WRAP, I64_EQ, I64_EXTEND_U, I64_NE } from "./opcodes";
import { pushWhole, registerConst, registerOp, registerType } from "./registers";
import { offsetInSpan } from "./spans";
import { loadField, setRegister } from "./state";
import { constOf } from "./values";
import { byte, I64, i32const, localGet, localSet, memory } from "./writer";

// Address sizes.
const SIZE_16: u32 = 0;
const SIZE_32: u32 = 1;
const SIZE_64: u32 = 2;

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

/** Does what a helper, called by the step at `at`, does to the value numbered `value`, its only argument; a result is left on
 * the stack. */
export function inlineStack(helper: u32, value: u32, rec: usize, at: usize): void {
  const access = accessAt(at);
  switch (helper) {
    case HELPER_push16: return pushValue(value, 1, access);
    case HELPER_push32: return pushValue(value, 2, access);
    case HELPER_top16: return top(1, access);
    case HELPER_top32: return top(2, access);
    case HELPER_drop: return drop(value);
    case HELPER_leaveFrame: return leaveFrame(constOf(value) == 2 ? 1 : 2, access);
    case HELPER_checkNearTarget: return checkTarget(value);
    case HELPER_counterStays: return counter(rec, 1, false);
    case HELPER_counterIsZero: return counter(rec, 0, true);
    case HELPER_countDown: return countDown(rec);
    // checkBranch: where a region is entered, all its direct targets are known to lie inside the segment.
  }
}

// ---------------------------------------------------------------- the stack pointer
function isStack16(): bool {
  return !code64 && !stack32;
}

/** Cuts an offset in the stack, in the registers' type, to the stack's width. */
function cut(): void {
  if (!isStack16()) return;
  i32const(0xffff);
  byte(I32_AND);
}

/** Pushes a register, RSP or RBP, as an offset in the stack. */
function offsetIn(register: u32): void {
  pushWhole(register);
  cut();
}

/** Makes the offset on WebAssembly's stack the stack pointer: SP alone leaves the upper bits as they are. */
function setStackPointer(): void {
  cut();
  if (isStack16()) keepUpper(RSP);
  setRegister(RSP);
}

/** Adds the bits above the lowest 16 of a register to the 16 bits on WebAssembly's stack. */
function keepUpper(register: u32): void {
  pushWhole(register);
  registerConst(~0xffff);
  registerOp(I32_AND);
  registerOp(I32_OR);
}

/** Pushes the host address of 1 << w bytes at an offset in the stack, in a local; offsetInSpan() goes into the instruction. */
function hostInStack(offset: u32, w: u32, write: bool, access: usize): void {
  if (pushOpened(access)) return;
  localGet(offset);
  if (!code64) byte(I64_EXTEND_U);
  toSegment(SEG_SS, 1 << w, write);
  const address = temp(I64);
  localSet(address);
  pushHost(address, 1 << w, write ? TLB_WRITE : TLB_READ, access);
}

function pushValue(value: u32, w: u32, access: usize): void {
  const sp = temp(registerType());
  pushWhole(RSP);
  registerConst(1 << w);
  registerOp(I32_SUB);
  cut();
  localSet(sp);
  hostInStack(sp, w, true, access);
  push(value);
  memory(storeOpcode(w, false), 0, offsetInSpan(access));
  localGet(sp);
  if (isStack16()) keepUpper(RSP);
  setRegister(RSP);
}

function top(w: u32, access: usize): void {
  const sp = temp(registerType());
  offsetIn(RSP);
  localSet(sp);
  hostInStack(sp, w, false, access);
  memory(loadOpcode(w), 0, offsetInSpan(access));
}

function drop(bytes: u32): void {
  pushWhole(RSP);
  push(bytes);
  if (!code64) byte(I32_WRAP);
  registerOp(I32_ADD);
  setStackPointer();
}

function leaveFrame(w: u32, access: usize): void {
  const frame = temp(registerType());
  offsetIn(RBP);
  localSet(frame);
  hostInStack(frame, w, false, access);
  memory(loadOpcode(w), 0, offsetInSpan(access));
  if (code64) byte(I64_EXTEND_U);
  if (w == 1) keepUpper(RBP);
  setRegister(RBP);
  localGet(frame);
  registerConst(1 << w);
  registerOp(I32_ADD);
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

/** Address size of the counter of a record, as in PREFIX_ADDRESS_SHIFT. */
function counterSize(rec: usize): u32 {
  return (<u32>load<u8>(rec, R_PREFIX) >> PREFIX_ADDRESS_SHIFT) & 3;
}

/** Cuts the number on WebAssembly's stack, in the registers' type, to an address size. */
function cutToSize(size: u32): void {
  if (size == SIZE_64 || (size == SIZE_32 && !code64)) return;
  registerConst(size == SIZE_32 ? 0xffffffff : 0xffff);
  registerOp(I32_AND);
}

/** Pushes whether the counter is not `compared`, or, negated, whether it is. */
function counter(rec: usize, compared: i64, negated: bool): void {
  pushWhole(RCX);
  cutToSize(counterSize(rec));
  registerConst(compared);
  if (code64) byte(negated ? I64_EQ : I64_NE);
  else byte(negated ? I32_EQ : I32_NE);
}

function countDown(rec: usize): void {
  const size = counterSize(rec);
  pushWhole(RCX);
  registerConst(1);
  registerOp(I32_SUB);
  cutToSize(size);
  if (size == SIZE_16) keepUpper(RCX);
  setRegister(RCX);
}
