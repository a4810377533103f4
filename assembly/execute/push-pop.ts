// Near control transfer and stack instructions where the inline forms do not do: stacks and code of 16 and 32 bits,
// ENTER, PUSHA, segment registers. SDM volume 1, chapter 6; volume 2, each instruction.
import {
  cpu, fault, GP, gpr, raiseError, RBP, RCX, RSP, SEG_CS, SEG_SS, segLimit, segSel, setGpr, setRip,
} from "../cpu";
import { addressSize, JUMPED, nextRip, R_IMM, RECORD_SIZE, record, T_FALL, T_JUMP, T_TAKEN } from "../decode/record";
import { beginShadow } from "./request";
import { CPU_MODE, MODE_CODE16, MODE_CODE64, MODE_CODE_MASK, MODE_FLAT, MODE_STACK32 } from "../layout";
import { readMem, rmwReadSlow, writeMem } from "../mmu/access";
import { probeRead, probeWrite } from "../mmu/tlb";
import { linear } from "./address";
import { loadSegment, SHADOW_MOV_SS } from "./segments";

/** Bits of the stack pointer that pushes and pops use. */
function stackMask(): u64 {
  const mode = load<u32>(cpu, CPU_MODE);
  if ((mode & MODE_CODE_MASK) == MODE_CODE64) return 0xffffffffffffffff;
  return mode & MODE_STACK32 ? 0xffffffff : 0xffff;
}

/** Sets the stack pointer: a 16-bit stack leaves the upper bits alone. */
function setStackPointer(value: u64, mask: u64): void {
  setGpr(RSP, mask == 0xffff ? (gpr(RSP) & ~mask) | (value & mask) : value & mask);
}

function push(value: u64, size: i32): void {
  const mask = stackMask();
  const sp = (gpr(RSP) - size) & mask;
  const at = linear(SEG_SS, sp, size, true);
  if (fault || !writeMem(at, value, size)) return;
  setStackPointer(sp, mask);
}

export function push16(value: u32): void { push(value, 2); }
// @ts-ignore: decorator
@inline export function push32(value: u32): void {
  const sp = <u64><u32>(<u32>gpr(RSP) - 4);
  const host = hasFlatStack() ? probeWrite(sp, 4) : 0;
  if (host) {
    store<u32>(host, value);
    setGpr(RSP, sp);
  } else push(value, 4);
}

/** Whether all of ESP points into a flat stack, outside 64-bit code. */
// @ts-ignore: decorator
@inline function hasFlatStack(): bool {
  return (load<u32>(cpu, CPU_MODE) & (MODE_FLAT | MODE_STACK32)) == (MODE_FLAT | MODE_STACK32);
}

/** The value `depth` bytes above the top of the stack; sets fault. */
function peek(depth: u64, size: i32): u64 {
  const at = linear(SEG_SS, (gpr(RSP) + depth) & stackMask(), size, false);
  return fault ? 0 : readMem(at, size);
}

export function top16(): u32 { return <u32>peek(0, 2); }
// @ts-ignore: decorator
@inline export function top32(): u32 {
  const host = hasFlatStack() ? probeRead(<u32>gpr(RSP), 4) : 0;
  return host ? load<u32>(host) : <u32>peek(0, 4);
}

// @ts-ignore: decorator
@inline export function drop(bytes: u64): void {
  if (hasFlatStack()) setGpr(RSP, <u32>(gpr(RSP) + bytes));
  else setStackPointer(gpr(RSP) + bytes, stackMask());
}

/** Raises #GP(0) where a near target in 16- or 32-bit code lies beyond CS.limit. */
export function checkNearTarget(target: u32): void {
  if (!(load<u32>(cpu, CPU_MODE) & MODE_FLAT) && target > segLimit(SEG_CS)) raiseError(GP, 0);
}

/** Raises #GP(0) where the running relative jump of 16- or 32-bit code would leave its segment. */
export function checkBranch(width: u32): void {
  const target = nextRip(record) + <u64>load<i32>(record, R_IMM);
  checkNearTarget(<u32>target & (width == 16 ? 0xffff : 0xffffffff));
}

/** The record of the near transfer outside the inline form that was executed last, and where its trace notes what
 * followed: T_TAKEN, T_FALL, or T_JUMP with JUMPED. */
let transfer: usize = 0;
let successor: usize = 0;

/** Where the trace that ends behind `pc`, by a near transfer, notes what follows; 0: it ended otherwise. */
export function takeSuccessor(pc: usize): usize {
  const slot = transfer + RECORD_SIZE == pc ? successor : 0;
  transfer = 0;
  return slot;
}

function noteSuccessor(pc: usize, slot: usize, width: u32): void {
  // 16-bit targets in larger code depend on where the trace is mapped.
  const size = load<u32>(cpu, CPU_MODE) & MODE_CODE_MASK;
  transfer = width == 16 && size != MODE_CODE16 ? 0 : pc;
  successor = slot;
}

/** A relative jump outside the inline form. */
export function branchNear(pc: usize, taken: u32, width: u32): void {
  const next = nextRip(pc);
  if (!taken) {
    setRip(next);
    noteSuccessor(pc, T_FALL, width);
    return;
  }
  let target = next + <u64>load<i32>(pc, R_IMM);
  if (width != 64) {
    target &= width == 16 ? 0xffff : 0xffffffff;
    checkNearTarget(<u32>target);
    if (fault) return;
  }
  setRip(target);
  noteSuccessor(pc, T_TAKEN, width);
}

/** A computed jump outside the inline form; the target has been checked. */
export function jumpNear(target: u64, width: u32): void {
  setRip(width == 64 ? target : width == 32 ? target & 0xffffffff : target & 0xffff);
  noteSuccessor(record, T_JUMP | JUMPED, width);
}

function counter(): u64 {
  const size = addressSize();
  return size == 2 ? gpr(RCX) : size == 1 ? gpr(RCX) & 0xffffffff : gpr(RCX) & 0xffff;
}

/** LOOP: 1 if the counter, in the address size, is not zero once it is decremented. */
export function counterStays(): u32 {
  return u32(counter() != 1);
}

/** LOOP: decrements the counter in the address size. */
export function countDown(): void {
  const size = addressSize();
  if (size == 2) setGpr(RCX, gpr(RCX) - 1);
  else if (size == 1) setGpr(RCX, (gpr(RCX) - 1) & 0xffffffff);
  else store<u16>(cpu, load<u16>(cpu, 8) - 1, 8);
}

export function counterIsZero(): u32 {
  return u32(counter() == 0);
}

// ---------------------------------------------------------------- frames
/** Writes a general register at an operand size: 32-bit writes zero the upper half, 16-bit writes leave it. */
function writeRegister(index: i32, value: u64, size: u32): void {
  if (size == 2) store<u16>(cpu + (<usize>index << 3), <u16>value);
  else setGpr(index, size == 4 ? value & 0xffffffff : value);
}

/** LEAVE outside 64-bit code. */
export function leaveFrame(size: u32): void {
  const mask = stackMask();
  const frame = gpr(RBP) & mask;
  const at = linear(SEG_SS, frame, size, false);
  if (fault) return;
  const value = readMem(at, size);
  if (fault) return;
  setStackPointer(frame + size, mask);
  writeRegister(RBP, value, size);
}

/** ENTER: all stores are checked by doing them before any register changes; SP moves last. */
export function enterFrame(size: u32, locals: u32, nesting: u32): void {
  const mask = stackMask();
  const level = nesting & 31;
  let sp = (gpr(RSP) - size) & mask;
  let at = linear(SEG_SS, sp, size, true);
  if (fault || !writeMem(at, gpr(RBP), size)) return;
  // With a 16-bit stack the upper half of ESP is part of the frame pointer (SDM volume 2, ENTER).
  const frame = (gpr(RSP) & ~mask) | sp;
  let outer = gpr(RBP) & mask;
  for (let i: u32 = 1; i < level; i++) {
    outer = (outer - size) & mask;
    at = linear(SEG_SS, outer, size, false);
    if (fault) return;
    const link = readMem(at, size);
    if (fault) return;
    sp = (sp - size) & mask;
    at = linear(SEG_SS, sp, size, true);
    if (fault || !writeMem(at, link, size)) return;
  }
  if (level > 0) {
    sp = (sp - size) & mask;
    at = linear(SEG_SS, sp, size, true);
    if (fault || !writeMem(at, frame, size)) return;
  }
  sp = (sp - locals) & mask;
  // The manual has ENTER probe the final top of the stack for writing.
  at = linear(SEG_SS, sp, size, true);
  if (fault) return;
  const there = rmwReadSlow(at, size);
  if (fault || !writeMem(at, there, size)) return;
  setStackPointer(sp, mask);
  writeRegister(RBP, frame, size);
}

/** PUSHA, PUSHAD. */
export function pushAll(size: u32): void {
  const mask = stackMask();
  for (let i: u32 = 0; i < 8; i++) {
    const at = linear(SEG_SS, (gpr(RSP) - (i + 1) * size) & mask, size, true);
    if (fault || !writeMem(at, gpr(i), size)) return;
  }
  setStackPointer(gpr(RSP) - 8 * size, mask);
}

/** POPA, POPAD: the stored stack pointer is skipped. All is read before any register changes. */
export function popAll(size: u32): void {
  for (let i: u32 = 0; i < 8; i++) {
    peek(i * size, size);
    if (fault) return;
  }
  for (let i: u32 = 0; i < 8; i++) {
    if (7 - i != RSP) writeRegister(7 - i, peek(i * size, size), size);
  }
  setStackPointer(gpr(RSP) + 8 * size, stackMask());
}

// ---------------------------------------------------------------- segment registers
export function segmentOperand(seg: u32): u32 {
  return segSel(seg);
}

/** POP Sreg: the stack pointer moves only if the load succeeds, and by the old stack's width. */
export function popSegment(seg: u32, selector: u32, size: u32): void {
  const mask = stackMask();
  const sp = gpr(RSP) + size;
  if (!loadSegment(seg, selector & 0xffff)) return;
  setStackPointer(sp, mask);
  if (seg == SEG_SS) beginShadow(SHADOW_MOV_SS);
}

