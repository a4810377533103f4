// What a region has in locals instead of the vCPU: registers, flags and fuel; and how they get there and back.
import { cpu } from "../cpu";
import { CPU_CC_DST, CPU_CC_OP, CPU_CC_SRC, CPU_FUEL, CPU_XMM } from "../layout";
import { MMU_TLB } from "../mmu/state";
import { flagsFunction, RUNTIME_STORE_FLAGS } from "./imports";
import { code64 } from "./code-mode";
import { forgetRegister } from "./float/ordinary";
import { instructionCount } from "./blocks";
import { L_FLAG_DST, L_FLAG_OP, L_FLAG_SRC, L_FUEL, L_TLB, registerLocal, vectorLocal } from "./locals";
import { I32_GE_S, I32_LOAD, I32_OR, I32_STORE, I32_SUB, I64_LOAD, I64_SHL, I64_STORE, V128_LOAD, V128_STORE } from "./opcodes";
import { pushExtended } from "./registers";
import { byte, call, i32const, i64const, localGet, localSet, memory } from "./writer";

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
/** The XMM register that was written last. */
export let lastVector: u32 = 0;
/** Takes an XMM register's new value off the stack. */
export function setVector(index: u32): void {
  lastVector = index;
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
/** Whether they are known to be those of a logic operation, which have no second operand. */
export function isLogic(): bool {
  return knownFlags > 0 && knownKind() == KIND_LOGIC;
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
    i32const(0);
    if (isOpOpen()) localGet(L_FLAG_OP);
    else i32const(knownFlags);
    field(I32_STORE, CPU_CC_OP);
    if (knownKind()) {
      i32const(0);
      pushAligned(L_FLAG_DST);
      field(I64_STORE, CPU_CC_DST);
    }
    if (knownKind() != KIND_LOGIC) {
      i32const(0);
      pushAligned(L_FLAG_SRC);
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

/** Pushes L_FLAG_DST or L_FLAG_SRC as the vCPU has it, where the operation is known. */
export function pushAligned(local: u32): void {
  localGet(local);
  const shift = 64 - (8 << (knownFlags & 3));
  if (!shift || (local == L_FLAG_SRC && (PLAIN_KINDS >> knownKind()) & 1)) return;
  i64const(shift);
  byte(I64_SHL);
}

// ---------------------------------------------------------------- fuel, and where a region begins
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
  loadField(I32_LOAD, MMU_TLB);
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
