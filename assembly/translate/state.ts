// What a region has in locals instead of the vCPU, and how it goes back: registers, flags, fuel, and the ways out.
import { cpu } from "../cpu";
import { CPU_CC_DST, CPU_CC_OP, CPU_CC_SRC, CPU_FUEL, CPU_RIP, CPU_XMM } from "../layout";
import { F_STORE_FLAGS, G_TLB } from "./imports";
import { instructionCount } from "./discover";
import {
  L_BASE, L_FLAG_DST, L_FLAG_OP, L_FLAG_SRC, L_FUEL, L_LEFT, L_POSITION, L_STATUS, L_TLB, registerLocal, vectorLocal,
} from "./locals";
import {
  I32_ADD, I32_AND, I32_GE_S, I32_LOAD, I32_OR, I32_SHL, I32_SHR_U, I32_STORE, I32_SUB, I32_WRAP, I64_ADD, I64_EXTEND_S, I64_EXTEND_U, I64_LOAD, I64_SHL, I64_STORE,
  I64_SUB, SELECT, V128_LOAD, V128_STORE,
} from "./opcodes";
import { br, brIf, byte, call, end, globalGet, i32const, i64const, ifBlock, localGet, localSet, memory, VOID } from "./writer";

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
/** General registers that the region has in locals, and those of them that it writes; the same for XMM; a bit each. */
export let usedRegisters: u32 = 0;
export let writtenRegisters: u32 = 0;
export let usedVectors: u32 = 0;
export let writtenVectors: u32 = 0;
/** Whether the region computes with floating point in line. */
export let usesFloats: bool = false;
export function useFloats(uses: bool): void {
  usesFloats = uses;
}
export function useRegisters(used: u32, written: u32, vectors: u32, vectorsWritten: u32): void {
  usedRegisters = used;
  writtenRegisters = written;
  usedVectors = vectors;
  writtenVectors = vectorsWritten;
}

/** Loads those general registers of `mask` that are in locals. */
export function loadRegisters(mask: u32): void {
  for (let i: u32 = 0; i < 16; i++) {
    if (!((usedRegisters & mask) >> i & 1)) continue;
    loadField(I64_LOAD, <usize>i << 3);
    localSet(registerLocal(i));
  }
}

/** Stores those general registers of `mask` that the region writes. */
export function storeRegisters(mask: u32): void {
  for (let i: u32 = 0; i < 16; i++) {
    if (!((writtenRegisters & mask) >> i & 1)) continue;
    i32const(0);
    localGet(registerLocal(i));
    field(I64_STORE, <usize>i << 3);
  }
}

export function loadVectors(mask: u32): void {
  for (let i: u32 = 0; i < 16; i++) {
    if (!((usedVectors & mask) >> i & 1)) continue;
    i32const(0);
    byte(0xfd);
    memory(V128_LOAD, 4, <u32>(cpu + CPU_XMM + (<usize>i << 5)));
    localSet(vectorLocal(i));
  }
}

export function storeVectors(mask: u32): void {
  for (let i: u32 = 0; i < 16; i++) {
    if (!((writtenVectors & mask) >> i & 1)) continue;
    i32const(0);
    localGet(vectorLocal(i));
    byte(0xfd);
    memory(V128_STORE, 4, <u32>(cpu + CPU_XMM + (<usize>i << 5)));
  }
}

// ---------------------------------------------------------------- flags
/** CC_OP of the flags in the locals where it is known here, 0: RFLAGS layout in L_FLAG_SRC; or one of these. */
export let knownFlags: i32 = -2;
/** The flags are in the vCPU. */
export const FLAGS_STORED: i32 = -1;
/** Only L_FLAG_OP says. */
export const FLAGS_DYNAMIC: i32 = -2;
export function setKnownFlags(op: i32): void {
  knownFlags = op;
}

/** Kinds whose second operand is a number and not aligned with the first: the flags themselves, inc, dec, mul. */
const PLAIN_KINDS: i32 = 1 | (1 << 6) | (1 << 7) | (1 << 10);

/** Puts the flags into the vCPU, where a helper looks at them or changes them. */
export function storeFlags(): void {
  if (knownFlags == FLAGS_STORED) return;
  if (knownFlags == FLAGS_DYNAMIC) {
    localGet(L_FLAG_OP);
    localGet(L_FLAG_DST);
    localGet(L_FLAG_SRC);
    call(F_STORE_FLAGS);
  } else {
    const shift = 64 - (8 << (knownFlags & 3));
    i32const(0);
    i32const(knownFlags);
    field(I32_STORE, CPU_CC_OP);
    if (knownFlags >> 2) {
      i32const(0);
      aligned(L_FLAG_DST, shift);
      field(I64_STORE, CPU_CC_DST);
    }
    if (knownFlags >> 2 != 5) {
      i32const(0);
      aligned(L_FLAG_SRC, (PLAIN_KINDS >> (knownFlags >> 2)) & 1 ? 0 : shift);
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

/** The flags' way back at the end of the function, by L_FLAG_OP. */
function storeDynamicFlags(): void {
  localGet(L_FLAG_OP);
  i32const(0);
  byte(I32_GE_S);
  ifBlock(VOID);
  i32const(0);
  localGet(L_FLAG_OP);
  field(I32_STORE, CPU_CC_OP);
  i32const(0);
  localGet(L_FLAG_DST);
  shiftFromOp();
  byte(I64_SHL);
  field(I64_STORE, CPU_CC_DST);
  i32const(0);
  localGet(L_FLAG_SRC);
  i64const(0);
  shiftFromOp();
  i32const(PLAIN_KINDS);
  localGet(L_FLAG_OP);
  i32const(2);
  byte(I32_SHR_U);
  byte(I32_SHR_U);
  i32const(1);
  byte(I32_AND);
  byte(SELECT);
  byte(I64_SHL);
  field(I64_STORE, CPU_CC_SRC);
  end();
}

/** Pushes, as i64, how far operands of L_FLAG_OP's width are to be shifted: 64 less its bits. */
function shiftFromOp(): void {
  i32const(64);
  i32const(8);
  localGet(L_FLAG_OP);
  i32const(3);
  byte(I32_AND);
  byte(I32_SHL);
  byte(I32_SUB);
  byte(I64_EXTEND_U);
}

// ---------------------------------------------------------------- scopes and ways out
/** Scopes open inside the one whose end is the way out of instructions that are not executed here. */
let depth: u32 = 0;
export function resetDepth(): void {
  depth = 0;
}
export function enterScope(): void {
  depth++;
}
export function leaveScope(): void {
  depth--;
}
export function depthNow(): u32 {
  return depth;
}

let here: i32 = 0;
let left: i32 = 0;
let placed: bool = false;

/** Begins an instruction: its displacement, and how many of its block are not executed where it is not. */
export function atInstruction(delta: i32, remaining: i32): void {
  here = delta;
  left = remaining;
  placed = false;
}

/** Says where the guest goes on, before a possible way out of the running instruction. Later ones need no saying:
 * scopes inside an instruction are left by nothing else. */
function place(): void {
  if (placed) return;
  placed = depth == placedDepth;
  i32const(here);
  localSet(L_POSITION);
  i32const(left);
  localSet(L_LEFT);
}
let placedDepth: u32 = 0;
/** Depth at which whole instructions are emitted: what is said there holds for all that is inside. */
export function instructionDepth(): void {
  placedDepth = depth;
}

/** Leaves before the running instruction, for the interpreter to execute it, if the i32 on the stack is not 0. */
export function missIf(): void {
  place();
  brIf(depth);
}

/** Leaves before the running instruction, for the interpreter to execute it. */
export function miss(): void {
  place();
  br(depth);
}

/** Leaves at a displacement. */
export function leaveAt(delta: i32): void {
  i32const(delta);
  localSet(L_POSITION);
  i32const(0);
  localSet(L_LEFT);
  br(depth + 1);
}

/** Leaves at the address in an i64 local. */
export function leaveTo(local: u32): void {
  localGet(local);
  localSet(L_BASE);
  leaveAt(0);
}

/** Leaves with `uncounted` (a local) instructions not executed, at CPU_RIP. */
export function leaveAtRip(uncounted: u32): void {
  loadField(I64_LOAD, CPU_RIP);
  localSet(L_BASE);
  i32const(0);
  localSet(L_POSITION);
  localGet(uncounted);
  localSet(L_LEFT);
  br(depth + 1);
}

/** After a call that may have raised a fault: leaves with it, the instruction not executed. `pushed`: FAULT_* is on the stack. */
export function leaveIfFault(): void {
  place();
  brIf(depth + 1);
}

/** Says where the guest goes on if the edge that follows finds no fuel. */
export function placeEdge(delta: i32): void {
  i32const(delta);
  localSet(L_POSITION);
  i32const(0);
  localSet(L_LEFT);
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
  loadField(I64_LOAD, CPU_RIP);
  localGet(L_BASE);
  byte(I64_SUB);
  byte(I32_WRAP);
  localSet(L_POSITION);
  loadField(I32_LOAD, CPU_FUEL);
  localSet(L_FUEL);
  i32const(FLAGS_STORED);
  localSet(L_FLAG_OP);
  loadTlb();
  loadRegisters(0xffff);
  loadVectors(0xffff);
}

/** The function's last instructions: everything goes back into the vCPU. */
export function epilogue(): void {
  storeRegisters(0xffff);
  storeVectors(0xffff);
  i32const(0);
  localGet(L_FUEL);
  localGet(L_LEFT);
  byte(I32_ADD);
  field(I32_STORE, CPU_FUEL);
  i32const(0);
  localGet(L_BASE);
  localGet(L_POSITION);
  byte(I64_EXTEND_S);
  byte(I64_ADD);
  field(I64_STORE, CPU_RIP);
  storeDynamicFlags();
  localGet(L_STATUS);
}
