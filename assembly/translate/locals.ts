// The locals of the function being emitted. Parameters and those that every region has come first, then the guest
// registers that it uses, then temporaries, which each instruction takes afresh.
import { cpu } from "../cpu";
import { LOCALS_MAX, TEMPS_MAX, TR_LOCAL_TYPES, TR_TEMPS } from "./layout";
import { registerType } from "./registers";
import { byte, F64, I32, I64, u32leb, V128 } from "./writer";

/** Parameter, i32: which entry of the dispatch table. */
export const L_NEXT: u32 = 0;
/** Parameter, i64: rip at displacement 0. */
export const L_BASE: u32 = 1;
/** Parameter, i32: the slot that the region is in. What depends on it, or on where its traces lie, is not in its code, which the same
 * guest code has in each run. */
export const L_SLOT: u32 = 2;
const PARAMETERS: u32 = 3;
/** i32: fuel. */
export const L_FUEL: u32 = 3;
/** i32: the TLB array in use. */
export const L_TLB: u32 = 4;
/** i32: CC_OP of the flags whose operands the next two have; -1: the flags are in the vCPU. */
export const L_FLAG_OP: u32 = 5;
/** i64: operands of the last flag operation, zero-extended and not aligned. */
export const L_FLAG_DST: u32 = 6;
export const L_FLAG_SRC: u32 = 7;
/** i32: host address of the TLB entry of the running access. */
export const L_ENTRY: u32 = 8;
/** i32: native floating point is exact in value and flags but for what operands and result show (float.ts). */
export const L_FAST: u32 = 9;
const FIRST_OTHER: u32 = 10;

let count: u32 = 0;
/** Local of general register 0 if all were used; which are; the same for XMM. */
let registers: u32 = 0;
let vectors: u32 = 0;
let firstRegister: u32 = 0;
let firstVector: u32 = 0;

// Per type: how many temporaries there are, and how many the running instruction has.
const KINDS: usize = 5;
const HAVE: usize = TR_TEMPS;
const TAKEN: usize = TR_TEMPS + 4 * KINDS;
const LISTS: usize = TR_TEMPS + 8 * KINDS;

function kindOf(type: u32): usize {
  return type == I32 ? 0 : type == I64 ? 1 : type == V128 ? 2 : type == F64 ? 3 : 4;
}

function add(type: u32): u32 {
  store<u8>(cpu + TR_LOCAL_TYPES + count, <u8>type);
  return count++;
}

/** Begins a function that uses these general and XMM registers, a bit each. */
export function beginLocals(general: u32, xmm: u32): void {
  count = 0;
  add(I32);
  add(I64);
  add(I32);
  add(I32);
  add(I32);
  add(I32);
  add(I64);
  add(I64);
  add(I32);
  add(I32);
  registers = general;
  vectors = xmm;
  firstRegister = FIRST_OTHER;
  for (let i: i32 = popcnt<u32>(general); i > 0; i--) add(registerType());
  firstVector = count;
  for (let i: i32 = popcnt<u32>(xmm); i > 0; i--) add(V128);
  memory.fill(cpu + TR_TEMPS, 0, 8 * KINDS);
}

/** A local for the rest of the function. */
export function addLocal(type: u32): u32 {
  return add(type);
}

/** Local of a general register that the region uses. */
export function registerLocal(index: u32): u32 {
  return firstRegister + <u32>popcnt<u32>(registers & (((<u32>1) << index) - 1));
}

/** Local of an XMM register that the region uses. */
export function vectorLocal(index: u32): u32 {
  return firstVector + <u32>popcnt<u32>(vectors & (((<u32>1) << index) - 1));
}

/** Begins an instruction: its temporaries are all free. */
export function freeTemps(): void {
  memory.fill(cpu + TAKEN, 0, 4 * KINDS);
}

/** True: there may be no room for another instruction's temporaries. */
export function localsFull(): bool {
  return count + TEMPS_MAX > LOCALS_MAX;
}

/** A local of a type for the rest of the instruction. */
export function temp(type: u32): u32 {
  const kind = kindOf(type);
  const taken = load<u32>(cpu + TAKEN + (kind << 2));
  const list = cpu + LISTS + kind * TEMPS_MAX * 2 + (taken << 1);
  store<u32>(cpu + TAKEN + (kind << 2), taken + 1);
  if (taken < load<u32>(cpu + HAVE + (kind << 2))) return load<u16>(list);
  const local = add(type);
  store<u16>(list, <u16>local);
  store<u32>(cpu + HAVE + (kind << 2), taken + 1);
  return local;
}

/** Writes the declarations of all locals that are no parameters. */
export function declareLocals(): void {
  let groups: u32 = 0;
  for (let i = PARAMETERS; i < count; i++) {
    if (i == PARAMETERS || load<u8>(cpu + TR_LOCAL_TYPES + i) != load<u8>(cpu + TR_LOCAL_TYPES + i - 1)) groups++;
  }
  u32leb(groups);
  let i = PARAMETERS;
  while (i < count) {
    const type = <u32>load<u8>(cpu + TR_LOCAL_TYPES + i);
    let n: u32 = 1;
    while (i + n < count && <u32>load<u8>(cpu + TR_LOCAL_TYPES + i + n) == type) n++;
    u32leb(n);
    byte(type);
    i += n;
  }
}
