// The ways out of regions: a module of four functions for each vCPU, which the modules of its regions import. They put
// what regions hand over into the vCPU; and where another region follows, they go on with it by a tail call, so that
// the guest's way from region to region does not lead through the core.
import { cpu } from "../cpu";
import { J_COUNT, J_DELTA, J_ENTRY, J_REGION, J_TAG, JUMP_CACHE, JUMP_ENTRIES, JUMP_HASH_SHIFT, JUMP_SHIFT } from "../decode/jumps";
import { compile } from "../host";
import {
  CPU_CC_DST, CPU_CC_OP, CPU_CC_SRC, CPU_FUEL, CPU_INDEX, CPU_MODE, CPU_RIP, CPU_STATS, STAT_REGION_ENTRIES, VM_JIT_VERIFY,
} from "../layout";
import { MMU_GLOBAL_TAG, MMU_TAG } from "../mmu/state";
import { F_HELPERS, F_LEAVE, F_LEAVE_STORED, F_MISS } from "./imports";
import { TR_BATCH_SLOTS, TR_MODULE, TR_SLOTS } from "./layout";
import {
  I32_ADD, I32_AND, I32_EQZ, I32_LOAD, I32_LOAD8_U, I32_LT_S, I32_NE, I32_OR, I32_SHL, I32_SHR_U, I32_STORE, I32_STORE8, I32_SUB, I32_WRAP, I32_XOR, I64_ADD, I64_EXTEND_S, I64_EXTEND_U, I64_LOAD, I64_LOAD32_S, I64_NE, I64_OR,
  I64_SHL, I64_SHR_S, I64_STORE, I64_SUB, SELECT,
} from "./opcodes";
import { beginModule, beginSection, endSection, GLOBALS, importGlobals, importMemory, importTable, LETTER_WAY, name, SECTION_CODE, SECTION_EXPORT, SECTION_FUNCTION, SECTION_IMPORT, SECTION_TYPE, writeType } from "./module";
import { MISSED, UNMAPPED, WENT_ON } from "./outcomes";
import { SLOT_ALIVE, SLOT_TAKEN, SLOT_USED } from "./slots";
import { field, loadField, PLAIN_KINDS } from "./state";
import { at, block, brIf, byte, end, I32, I64, i32const, i64const, ifBlock, localGet, localSet, localTee, memory, returnCallIndirect, u32leb, u32leb5, VOID, writeAt } from "./writer";

// Where a region is left, in one i64: i32 displacement, u14 instructions to go back into the fuel, a bit that only the region's own
// exit looks at (leave.ts), a bit: the TLB does not have what is accessed, u16 CC_OP, 0xffff where the vCPU has the flags.
export const PLACE_UNCOUNTED: i64 = 32;
export const PLACE_UNMAPPED: i64 = 47;
export const PLACE_FLAGS: i64 = 48;
const FLAGS_IN_VCPU: i32 = 0xffff;

/** Fuel that goes back, in what is above PLACE_UNCOUNTED. */
const UNCOUNTED_MASK: i32 = 0x7fff;

/** Ways out of a vCPU's regions, by F_*: three to the next region, one to the interpreter. */
const WAYS: u32 = F_HELPERS;
/** The type of regions, and that of the ways out. */
const TYPE_REGION: u32 = 0;
const TYPE_WAY: u32 = 1;

// Parameters: to the interpreter the place, rip at displacement 0, the fuel, and the operands of the last flag operation. To the
// next region CC_OP instead, unless the vCPU has the flags, and its address; and the operands of F_LEAVE are as the vCPU has them.
const PLACE: u32 = 0;
const BASE: u32 = 1;
const FUEL: u32 = 2;
const FLAG_DST: u32 = 3;
const FLAG_SRC: u32 = 4;
/** i32 locals. */
const FLAG_OP: u32 = 5;
const ENTRY: u32 = 6;
const SLOT: u32 = 7;
const TAG: u32 = 8;

/** Number in the name of a vCPU's way out. */
export function wayNumber(way: u32): u32 {
  return load<u32>(cpu, CPU_INDEX) * WAYS + way;
}

/** A bit each: the vCPUs whose ways out this instance has. A vCPU that moves to another thread finds none there. */
let made: u32 = 0;

/** Makes the running vCPU's ways out where it has none yet. False: this host makes no code. */
export function makeWays(): bool {
  const bit: u32 = 1 << load<u32>(cpu, CPU_INDEX);
  if (made & bit) return true;
  if (!compile(<u32>(cpu + TR_MODULE), <u32>writeWays(), <u32>(cpu + TR_BATCH_SLOTS), 0)) return false;
  made |= bit;
  return true;
}

function writeWays(): usize {
  const start = cpu + TR_MODULE;
  beginModule(start);
  beginSection(SECTION_TYPE);
  u32leb(2);
  writeType(3, I32 | (<u64>I64 << 8) | (<u64>I32 << 16), I32);
  writeType(5, I64 | (<u64>I64 << 8) | (<u64>I32 << 16) | (<u64>I64 << 24) | (<u64>I64 << 32), I32);
  endSection();
  beginSection(SECTION_IMPORT);
  u32leb(1 + GLOBALS + 1);
  importMemory();
  importGlobals();
  importTable();
  endSection();
  beginSection(SECTION_FUNCTION);
  u32leb(WAYS);
  for (let way: u32 = 0; way < WAYS; way++) u32leb(TYPE_WAY);
  endSection();
  beginSection(SECTION_EXPORT);
  u32leb(WAYS);
  for (let way: u32 = 0; way < WAYS; way++) {
    name(LETTER_WAY, wayNumber(way));
    byte(0);
    u32leb(way);
  }
  endSection();
  beginSection(SECTION_CODE);
  u32leb(WAYS);
  for (let way: u32 = 0; way < WAYS; way++) writeFunction(way);
  endSection();
  return at - start;
}

function writeFunction(way: u32): void {
  const sizeAt = at;
  writeAt(at + 5);
  u32leb(1);
  u32leb(4);
  byte(I32);
  if (way == F_MISS) {
    settle();
    status();
  } else {
    settleNext(way);
    // Regions that are verified are so one by one.
    if (!load<u32>(VM_JIT_VERIFY)) goOn();
    i32const(WENT_ON);
  }
  end();
  u32leb5(sizeAt, <u32>(at - sizeAt - 5));
}

/** Puts address, fuel and flags into the vCPU on the way to the next region. */
function settleNext(way: u32): void {
  i32const(0);
  localGet(BASE);
  field(I64_STORE, CPU_RIP);
  i32const(0);
  localGet(FUEL);
  field(I32_STORE, CPU_FUEL);
  if (way == F_LEAVE_STORED) return;
  localGet(PLACE);
  byte(I32_WRAP);
  if (way == F_LEAVE) {
    localSet(FLAG_OP);
    i32const(0);
    localGet(FLAG_OP);
    field(I32_STORE, CPU_CC_OP);
    i32const(0);
    localGet(FLAG_DST);
    field(I64_STORE, CPU_CC_DST);
    i32const(0);
    localGet(FLAG_SRC);
    field(I64_STORE, CPU_CC_SRC);
  } else settleFlags();
}

/** Pushes what the caller of the region is told. */
function status(): void {
  i32const(MISSED);
  localGet(PLACE);
  i64const(PLACE_UNMAPPED);
  byte(I64_SHR_S);
  byte(I32_WRAP);
  i32const(UNMAPPED - MISSED);
  byte(I32_AND);
  byte(I32_ADD);
}

/** Pushes the address that the place in a local says, which is told from local `base`. */
export function pushAddressOf(place: u32, base: u32): void {
  localGet(base);
  localGet(place);
  byte(I32_WRAP);
  byte(I64_EXTEND_S);
  byte(I64_ADD);
}

/** Pushes the fuel in a local, with what the place in another one has go back into it. */
export function pushFuelOf(place: u32, fuel: u32): void {
  localGet(fuel);
  localGet(place);
  i64const(PLACE_UNCOUNTED);
  byte(I64_SHR_S);
  byte(I32_WRAP);
  i32const(UNCOUNTED_MASK);
  byte(I32_AND);
  byte(I32_ADD);
}

/** Puts address, fuel and flags into the vCPU where the interpreter goes on. */
function settle(): void {
  i32const(0);
  pushAddressOf(PLACE, BASE);
  field(I64_STORE, CPU_RIP);
  i32const(0);
  pushFuelOf(PLACE, FUEL);
  field(I32_STORE, CPU_FUEL);
  localGet(PLACE);
  i64const(PLACE_FLAGS);
  byte(I64_SHR_S);
  byte(I32_WRAP);
  settleFlags();
}

/** Puts the flags into the vCPU whose CC_OP is on the stack, of 16 bits. */
function settleFlags(): void {
  i32const(0xffff);
  byte(I32_AND);
  localTee(FLAG_OP);
  i32const(FLAGS_IN_VCPU);
  byte(I32_NE);
  ifBlock(VOID);
  i32const(0);
  localGet(FLAG_OP);
  field(I32_STORE, CPU_CC_OP);
  i32const(0);
  localGet(FLAG_DST);
  pushShift();
  byte(I64_SHL);
  field(I64_STORE, CPU_CC_DST);
  i32const(0);
  localGet(FLAG_SRC);
  i64const(0);
  pushShift();
  i32const(PLAIN_KINDS);
  localGet(FLAG_OP);
  i32const(2);
  byte(I32_SHR_U);
  i32const(15);
  byte(I32_AND);
  byte(I32_SHR_U);
  i32const(1);
  byte(I32_AND);
  byte(SELECT);
  byte(I64_SHL);
  field(I64_STORE, CPU_CC_SRC);
  end();
}

/** Pushes, as i64, how far operands of FLAG_OP's width are to be shifted: 64 less its bits. */
function pushShift(): void {
  i32const(64);
  i32const(8);
  localGet(FLAG_OP);
  i32const(3);
  byte(I32_AND);
  byte(I32_SHL);
  byte(I32_SUB);
  byte(I64_EXTEND_U);
}

/** Pushes a field of the jump cache's entry. */
function ofEntry(opcode: u32, at: usize): void {
  localGet(ENTRY);
  memory(opcode, 2, <u32>(cpu + JUMP_CACHE + at));
}

/** Enters the region at BASE, if the jump cache knows one that there is fuel for. As knownTrace() and enterRegion() do. */
function goOn(): void {
  block(VOID);
  loadField(I32_LOAD, CPU_FUEL + 4);
  brIf(0);
  localGet(BASE);
  byte(I32_WRAP);
  localTee(ENTRY);
  localGet(ENTRY);
  i32const(JUMP_HASH_SHIFT);
  byte(I32_SHR_U);
  byte(I32_XOR);
  i32const(JUMP_ENTRIES - 1);
  byte(I32_AND);
  i32const(JUMP_SHIFT);
  byte(I32_SHL);
  localTee(ENTRY);
  memory(I64_LOAD, 3, <u32>(cpu + JUMP_CACHE));
  localGet(BASE);
  byte(I64_NE);
  ofEntry(I32_LOAD, J_TAG);
  loadField(I32_LOAD, CPU_MODE);
  byte(I32_XOR);
  localTee(TAG);
  loadField(I32_LOAD, MMU_GLOBAL_TAG);
  byte(I32_NE);
  localGet(TAG);
  loadField(I32_LOAD, MMU_TAG);
  byte(I32_NE);
  byte(I32_AND);
  byte(I32_OR);
  brIf(0);
  localGet(FUEL);
  ofEntry(I32_LOAD, J_COUNT);
  byte(I32_LT_S);
  brIf(0);
  // The first slots are nobody's: a trace without a region finds its own not alive.
  ofEntry(I32_LOAD, J_REGION);
  localTee(SLOT);
  memory(I32_LOAD8_U, 0, <u32>(cpu + TR_SLOTS));
  i32const(SLOT_ALIVE);
  byte(I32_AND);
  byte(I32_EQZ);
  brIf(0);
  localGet(SLOT);
  i32const(SLOT_ALIVE | SLOT_USED | SLOT_TAKEN);
  memory(I32_STORE8, 0, <u32>(cpu + TR_SLOTS));
  i32const(0);
  loadField(I64_LOAD, CPU_STATS + (STAT_REGION_ENTRIES << 3));
  i64const(1);
  byte(I64_ADD);
  field(I64_STORE, CPU_STATS + (STAT_REGION_ENTRIES << 3));
  ofEntry(I32_LOAD, J_ENTRY);
  localGet(BASE);
  ofEntry(I64_LOAD32_S, J_DELTA);
  byte(I64_SUB);
  localGet(SLOT);
  localGet(SLOT);
  returnCallIndirect(TYPE_REGION);
  end();
}
