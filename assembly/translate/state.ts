// What a region has in locals instead of the vCPU, and how it goes back: registers, flags, fuel, and the ways out.
import { cpu } from "../cpu";
import { CPU_CC_DST, CPU_CC_OP, CPU_CC_SRC, CPU_FUEL, CPU_RIP, CPU_XMM } from "../layout";
import { F_LEAVE, F_MISS, flagsFunction, G_FAULT, G_TLB, RUNTIME_STORE_FLAGS } from "./imports";
import { code64 } from "./code-mode";
import { forgetRegister } from "./float/ordinary";
import { ifUnlikely } from "./hints";
import { instructionCount } from "./discover";
import { addLocal, L_BASE, L_FLAG_DST, L_FLAG_OP, L_FLAG_SRC, L_FUEL, L_TLB, registerLocal, vectorLocal } from "./locals";
import {
  I32_ADD, I32_EQZ, I32_GE_S, I32_LOAD, I32_OR, I32_STORE, I32_SUB, I64_AND, I64_EQZ, I64_EXTEND_U, I64_LOAD, I64_OR, I64_SHL, I64_STORE, I64_XOR, RETURN, UNREACHABLE, V128_LOAD, V128_STORE,
} from "./opcodes";
import { pushExtended } from "./registers";
import { PLACE_FLAGS, PLACE_UNCOUNTED, PLACE_UNMAPPED } from "./ways";
import { usedSlots } from "./x87/plan";
import { writeWord } from "./x87/state";
import { beginScopes, block, br, byte, call, end, globalGet, I32, I64, i32const, i64const, ifBlock, labelOf, localGet, localSet, memory, returnCall, scopes, VOID } from "./writer";

// ---------------------------------------------------------------- fields of the vCPU
/** A load or store of a field of the vCPU; the address operand on the stack is 0: its place goes into the instruction. */
export function field(opcode: u32, at: usize): void {
  memory(opcode, opcode == I32_LOAD || opcode == I32_STORE ? 2 : 3, <u32>(cpu + at));
}
export function loadField(opcode: u32, at: usize): void {
  i32const(0);
  field(opcode, at);
}

// ---------------------------------------------------------------- registers
/** General and XMM registers that the region has in locals, a bit each. */
export let usedRegisters: u32 = 0;
export let usedVectors: u32 = 0;
/** Whether the region computes with floating point in line. */
export let usesFloats: bool = false;
export function useFloats(uses: bool): void {
  usesFloats = uses;
}
export function useRegisters(used: u32, vectors: u32): void {
  usedRegisters = used;
  usedVectors = vectors;
}

/** Registers whose locals may have what the vCPU has not: general ones from bit 0, XMM from bit VECTORS. */
export let dirty: u32 = 0;
export const VECTORS: u32 = 16;
export function setDirty(registers: u32): void {
  dirty = registers;
}

/** Takes a general register's new value off the stack. */
export function setRegister(index: u32): void {
  localSet(registerLocal(index));
  dirty |= 1 << index;
}
/** Takes an XMM register's new value off the stack. */
export function setVector(index: u32): void {
  localSet(vectorLocal(index));
  forgetRegister(index);
  dirty |= 1 << (VECTORS + index);
}

/** Loads those general registers of `mask` that are in locals. */
export function loadRegisters(mask: u32): void {
  for (let i: u32 = 0; i < 16; i++) {
    if (!((usedRegisters & mask) >> i & 1)) continue;
    loadField(code64 ? I64_LOAD : I32_LOAD, <usize>i << 3);
    localSet(registerLocal(i));
  }
}

/** Stores those general registers of `mask` that the vCPU may not have yet. */
export function storeRegisters(mask: u32): void {
  for (let i: u32 = 0; i < 16; i++) {
    if (!((dirty & mask) >> i & 1)) continue;
    i32const(0);
    pushExtended(i);
    field(I64_STORE, <usize>i << 3);
  }
  dirty &= ~(mask & 0xffff);
}

export function loadVectors(mask: u32): void {
  for (let i: u32 = 0; i < 16; i++) {
    if (!((usedVectors & mask) >> i & 1)) continue;
    i32const(0);
    byte(0xfd);
    memory(V128_LOAD, 4, <u32>(cpu + CPU_XMM + (<usize>i << 5)));
    localSet(vectorLocal(i));
    forgetRegister(i);
  }
}

export function storeVectors(mask: u32): void {
  for (let i: u32 = 0; i < 16; i++) {
    if (!((dirty >> VECTORS & mask) >> i & 1)) continue;
    i32const(0);
    localGet(vectorLocal(i));
    byte(0xfd);
    memory(V128_STORE, 4, <u32>(cpu + CPU_XMM + (<usize>i << 5)));
  }
  dirty &= ~(mask << VECTORS);
}

// ---------------------------------------------------------------- flags
const KIND_LOGIC: i32 = 5;
/** CC_OP of the flags in the locals where it is known here, 0: RFLAGS layout in L_FLAG_SRC, with FLAGS_CARRIED but without what
 * that stands for, which L_FLAG_OP has; or one of these. */
export let knownFlags: i32 = -2;
/** The flags are in the vCPU. */
export const FLAGS_STORED: i32 = -1;
/** Only L_FLAG_OP says. */
export const FLAGS_DYNAMIC: i32 = -2;
/** Bit of CC_OP: CF and OF are its bits 8 and 9 (execute/flags.ts). */
export const FLAGS_CARRIED: i32 = 0x40;
export const CARRY_SHIFT: i32 = 8;
export const OVERFLOW_SHIFT: i32 = 9;

/** Whether L_FLAG_OP has more to say than is known here. */
export function isOpOpen(): bool {
  return knownFlags == FLAGS_DYNAMIC || (knownFlags > 0 && (knownFlags & FLAGS_CARRIED) != 0);
}
/** Kind of the flags that are known, or whose CF and OF are not. */
function knownKind(): i32 {
  return (knownFlags >> 2) & 15;
}
export function setKnownFlags(op: i32): void {
  knownFlags = op;
}

/** Kinds whose second operand is a number and not aligned with the first: the flags themselves, inc, dec, mul. */
export const PLAIN_KINDS: i32 = 1 | (1 << 6) | (1 << 7) | (1 << 10);

/** Puts the flags into the vCPU, where a helper looks at them or changes them. */
export function storeFlags(): void {
  if (knownFlags == FLAGS_STORED) return;
  if (knownFlags == FLAGS_DYNAMIC) {
    localGet(L_FLAG_OP);
    localGet(L_FLAG_DST);
    localGet(L_FLAG_SRC);
    call(flagsFunction(RUNTIME_STORE_FLAGS));
  } else {
    const shift = 64 - (8 << (knownFlags & 3));
    i32const(0);
    if (isOpOpen()) localGet(L_FLAG_OP);
    else i32const(knownFlags);
    field(I32_STORE, CPU_CC_OP);
    if (knownKind()) {
      i32const(0);
      aligned(L_FLAG_DST, shift);
      field(I64_STORE, CPU_CC_DST);
    }
    if (knownKind() != KIND_LOGIC) {
      i32const(0);
      aligned(L_FLAG_SRC, (PLAIN_KINDS >> knownKind()) & 1 ? 0 : shift);
      field(I64_STORE, CPU_CC_SRC);
    }
  }
  flagsStored();
}

/** The vCPU has the flags from here on. */
export function flagsStored(): void {
  i32const(FLAGS_STORED);
  localSet(L_FLAG_OP);
  knownFlags = FLAGS_STORED;
}

function aligned(local: u32, shift: u32): void {
  localGet(local);
  if (!shift) return;
  i64const(shift);
  byte(I64_SHL);
}

// ---------------------------------------------------------------- ways out
let here: i32 = 0;
let left: i32 = 0;

/** Begins an instruction: its displacement, and how many of its block are not executed where it is not. */
export function atInstruction(delta: i32, remaining: i32): void {
  here = delta;
  left = remaining;
}

/** Leaves by way `way` (F_LEAVE or F_MISS): the guest goes on `delta` behind what local `base` has, with `uncounted`
 * instructions to go back into the fuel. What the vCPU does not have yet is stored on the way. */
function wayOut(way: u32, base: u32, delta: i32, uncounted: i32): void {
  const was = dirty;
  storeRegisters(0xffff);
  storeVectors(0xffff);
  dirty = was;
  writeWord();
  const place = (<i64>delta & 0xffffffff) | (<i64>uncounted << PLACE_UNCOUNTED);
  const toExit = usedSlots != 0 || way == F_MISS;
  if (isOpOpen() && toExit) i64const(place | ((<i64>1) << PLACE_OPEN));
  else if (isOpOpen()) {
    i64const(place);
    localGet(L_FLAG_OP);
    byte(I64_EXTEND_U);
    i64const(PLACE_FLAGS);
    byte(I64_SHL);
    byte(I64_OR);
  } else i64const(place | (<i64>(knownFlags & 0xffff) << PLACE_FLAGS));
  if (toExit) {
    localSet(placeLocal);
    if (isOpOpen()) leavesOpen = true;
    if (usedSlots) {
      localGet(base);
      localSet(L_BASE);
      i32const(way == F_LEAVE);
      localSet(goesOnLocal);
    }
    usesExit = true;
    br(labelOf(exitScope));
    return;
  }
  localGet(base);
  localGet(L_FUEL);
  if (knownFlags == FLAGS_STORED) i64const(0);
  else localGet(L_FLAG_DST);
  if (knownFlags == FLAGS_STORED || (knownFlags > 0 && knownKind() == KIND_LOGIC)) i64const(0);
  else localGet(L_FLAG_SRC);
  returnCall(way);
}

// Most ways out lead to the interpreter, hardly any of them is ever taken, and what each does is compiled all the same. They
// say where they come from and go to one place behind the region. Those on to another region, which are taken, do so from
// where they are, but for regions that have the x87 in locals, which give it back in that place.
/** i64: where the region is left; i32: whether the guest goes on there. */
let placeLocal: u32 = 0;
let goesOnLocal: u32 = 0;
/** The scope behind which that place is, and whether anything leads there. */
let exitScope: u32 = 0;
let usesExit: bool = false;
/** Some of them leave it to that place to say what flags there are. */
let leavesOpen: bool = false;
/** The bit by which they do so. */
const PLACE_OPEN: i64 = PLACE_UNMAPPED - 1;

/** Begins a region: opens what its ways out lead to. */
export function beginWaysOut(): void {
  beginScopes();
  placeLocal = addLocal(I64);
  if (usedSlots) goesOnLocal = addLocal(I32);
  block(VOID);
  exitScope = scopes;
  usesExit = false;
  leavesOpen = false;
}

/** Adds L_FLAG_OP to a place where that is open, which it is where bit PLACE_OPEN is set. */
function addOpenFlags(): void {
  localGet(placeLocal);
  i64const((<i64>1) << PLACE_OPEN);
  byte(I64_AND);
  byte(I64_EQZ);
  byte(I32_EQZ);
  ifBlock(VOID);
  localGet(placeLocal);
  i64const((<i64>1) << PLACE_OPEN);
  byte(I64_XOR);
  localGet(L_FLAG_OP);
  byte(I64_EXTEND_U);
  i64const(PLACE_FLAGS);
  byte(I64_SHL);
  byte(I64_OR);
  localSet(placeLocal);
  end();
}

/** Ends a region, with what its ways out lead to. */
export function endWaysOut(): void {
  if (usesExit) {
    if (leavesOpen) addOpenFlags();
    for (let way = usedSlots ? F_LEAVE : F_MISS; way <= F_MISS; way++) {
      if (way == F_LEAVE) {
        localGet(goesOnLocal);
        ifBlock(VOID);
      }
      localGet(placeLocal);
      localGet(L_BASE);
      localGet(L_FUEL);
      localGet(L_FLAG_DST);
      localGet(L_FLAG_SRC);
      returnCall(way);
      if (way == F_LEAVE) end();
    }
  } else byte(UNREACHABLE);
}

/** Leaves before the running instruction, for the interpreter to execute it, if the i32 on the stack is not 0. */
export function missIf(): void {
  ifUnlikely();
  miss();
  end();
}

/** Leaves before the running instruction, for the interpreter to execute it. */
export function miss(): void {
  wayOut(F_MISS, L_BASE, here, left);
}

/** The same, as the TLB does not have what the instruction accesses. */
export function unmapped(): void {
  wayOut(F_MISS, L_BASE, here, left | UNMAPPED_HERE);
}

/** The same, if the i32 on the stack says so. */
export function unmappedIf(): void {
  ifUnlikely();
  unmapped();
  end();
}
const UNMAPPED_HERE: i32 = 1 << <i32>(PLACE_UNMAPPED - PLACE_UNCOUNTED);

/** Displacement of the running instruction. */
export function displacementHere(): i32 {
  return here;
}

/** Leaves at a displacement. */
export function leaveAt(delta: i32): void {
  wayOut(F_LEAVE, L_BASE, delta, 0);
}

/** Leaves at the address in an i64 local. */
export function leaveTo(local: u32): void {
  wayOut(F_LEAVE, local, 0, 0);
}

/** Goes to the entry that L_NEXT names, which is `delta` behind what local `base` has, through the dispatcher in scope
 * `dispatcher`, which is clean; or leaves for it. */
export function redispatch(base: u32, delta: i32, dispatcher: u32): void {
  const was = dirty;
  storeRegisters(0xffff);
  storeVectors(0xffff);
  pushGoOn();
  byte(I32_EQZ);
  ifBlock(VOID);
  wayOut(F_LEAVE, base, delta, 0);
  end();
  dirty = was;
  br(labelOf(dispatcher));
}

/** Leaves for CPU_RIP, with everything but the fuel in the vCPU; `uncounted` instructions of the block were not executed. */
export function leaveAtRip(uncounted: i32): void {
  i64const((<i64>uncounted << PLACE_UNCOUNTED) | (<i64>FLAGS_STORED << PLACE_FLAGS));
  loadField(I64_LOAD, CPU_RIP);
  localGet(L_FUEL);
  i64const(0);
  i64const(0);
  returnCall(F_LEAVE);
}

/** Leaves with a fault that a called case has raised, and with everything but the fuel in the vCPU. */
export function leaveWithFault(uncounted: i32): void {
  i32const(0);
  localGet(L_FUEL);
  i32const(uncounted);
  byte(I32_ADD);
  field(I32_STORE, CPU_FUEL);
  i32const(0);
  byte(RETURN);
}

/** Leaves at a displacement, with `uncounted` instructions of the block not executed, if there is a request. */
export function leaveIfRequested(delta: i32, uncounted: i32): void {
  loadField(I32_LOAD, CPU_FUEL + 4);
  ifUnlikely();
  wayOut(F_LEAVE, L_BASE, delta, uncounted);
  end();
}

/** After a call that may have raised a fault: leaves with it, the instruction not executed. */
export function leaveIfFault(): void {
  globalGet(G_FAULT);
  missIf();
}

/** Pushes whether there is fuel for all of the region once, and no request. */
export function pushGoOn(): void {
  localGet(L_FUEL);
  i32const(instructionCount);
  byte(I32_SUB);
  // Requests are positive: their negation, like fuel that does not reach, has the sign bit.
  i32const(0);
  loadField(I32_LOAD, CPU_FUEL + 4);
  byte(I32_SUB);
  byte(I32_OR);
  i32const(0);
  byte(I32_GE_S);
}

/** The same for the back edge of a loop, which does not look at requests: what an instruction asks for is seen behind it, and
 * for what other threads ask the end of the slice, which is a fraction of a millisecond, is soon enough. */
export function pushFuelReaches(): void {
  localGet(L_FUEL);
  i32const(instructionCount);
  byte(I32_GE_S);
}

/** Takes a block's instructions off the fuel. */
export function takeFuel(count: u32): void {
  localGet(L_FUEL);
  i32const(count);
  byte(I32_SUB);
  localSet(L_FUEL);
}

/** Puts the fuel into the vCPU, as of the running block. */
export function storeFuel(): void {
  i32const(0);
  localGet(L_FUEL);
  field(I32_STORE, CPU_FUEL);
}

export function loadTlb(): void {
  globalGet(G_TLB);
  localSet(L_TLB);
}

/** The function's first instructions. */
export function prologue(): void {
  loadField(I32_LOAD, CPU_FUEL);
  localSet(L_FUEL);
  i32const(FLAGS_STORED);
  localSet(L_FLAG_OP);
  loadTlb();
  loadRegisters(0xffff);
  loadVectors(0xffff);
}
