// Expands the micro-operations of one decoded instruction to WebAssembly. isa/serialize.ts tells the format.
import { cpu } from "../cpu";
import { R_IMM } from "../decode/record";
import { HELPER_KIND, HELPER_REGISTERS, HELPER_SETS_FLAGS, HELPER_TOUCHES_FLAGS, HELPER_USES_TRACE } from "../generated/helpers";
import {
  MICRO_ADDRESS, MICRO_ADDRESS_ALIGNED, MICRO_ADDRESS_PLUS, MICRO_BRANCH_IF, MICRO_CALL, MICRO_COMPLETE, MICRO_COMPLETE_LOCKED, MICRO_CONDITION, MICRO_CONST32, MICRO_CONST64,
  MICRO_DEFERRED, MICRO_EFFECTIVE, MICRO_END, MICRO_FLAGS, MICRO_GET, MICRO_GET_FIXED, MICRO_GET_FLAGS, MICRO_GUARD, MICRO_IMM, MICRO_INDEX, MICRO_JUMP, MICRO_LOAD, MICRO_MODIFY,
  MICRO_MODIFY_LOCKED, MICRO_NEXT_RIP, MICRO_OFFSET, MICRO_OP32, MICRO_OP64, MICRO_POINTER, MICRO_PUT, MICRO_PUT_FIXED, MICRO_SELECT128, MICRO_SET_FLAGS, MICRO_SIMD, MICRO_STORE, MICRO_VLOAD,
  MICRO_VSTORE, MICRO_VWRITE, MICRO_WHEN,
} from "../generated/micro-ops";
import { CPU_XMM, TLB_READ, TLB_WRITE } from "../layout";
import { cutToAddressSize, pushAddress, pushOffset, toLinear } from "./address";
import { code64 } from "./code-mode";
import { pushCondition } from "./conditions";
import { addParameter, beginType, F_FLAGS, helperFunction } from "./imports";
import { inlineFloat, inlinePacked, isInlineFloat, isPackedFloat } from "./float";
import { freeTemps, L_BASE, L_FLAG_DST, L_FLAG_OP, L_FLAG_SRC, registerLocal, temp, vectorLocal } from "./locals";
import { addressLocal, loadOpcode, pushHost, storeOpcode, storeTraceRip } from "./memory-access";
import {
  I32_ADD, I32_AND, I32_WRAP, I64_ADD, I64_AND, I64_EXTEND_U, I64_OR, I64_SHL, I64_SHR_U, SELECT, V128_LOAD, V128_STORE,
} from "./opcodes";
import {
  dirty, enterScope, FLAGS_DYNAMIC, flagsStored, knownFlags, leaveIfFault, leaveScope, loadRegisters, loadVectors, missIf, setDirty, setKnownFlags, setRegister, setVector, storeFlags, storeRegisters, storeVectors,
} from "./state";
import { inlineStack, isInlineStack } from "./stack";
import { after, definesValue, leb, listOf, nextStep, opcodeOf, signedLeb, slotOf, stepsOf } from "./steps";
import { beginValues, constOf, defineConst, defineLocal, defineStep, defineXmm, isConst, isStep, isXmm, nextValue, pushKnown, skipValue, stepOf, typeOf, xmmOf } from "./values";
import { defineX87, inlineX87, isX87 } from "./x87/expand";
import { byte, call, end, I32, I64, i32const, i64const, ifBlock, localGet, localSet, localTee, memory, simdLane, V128, VOID } from "./writer";

const STATUS_FLAGS: i64 = 0x8d5;
const KIND_LOGIC: u32 = 5;
/** Number of packed division: add, subtract and multiply come before it (execute/float/soft.ts). */
const FLOAT_DIV: u32 = 3;
// Bits of MICRO_POINTER.
const POINTER_MEMORY: u32 = 8;
const POINTER_ALIGNED: u32 = 16;
// Results of MICRO_CALL.
const RESULT_DROPPED: u32 = 16;
const MAY_FAULT: u32 = 8;

/** The record being expanded. */
let rec: usize = 0;
/** Displacement of the next instruction. */
let nextDelta: i32 = 0;
/** False: nobody looks at the flags that the instruction leaves. */
let flagsLive: bool = true;

/** The value that decides the branch at the end; -1: there is none. */
export let branchCondition: i32 = -1;
/** Local with the target of the computed jump at the end; 0: there is none. */
export let jumpTarget: u32 = 0;

/** Emits the instruction in `record`; `next`: displacement behind it; `live`: its flags may be looked at. */
export function expand(record: usize, next: i32, live: bool): void {
  freeTemps();
  beginValues();
  rec = record;
  nextDelta = next;
  flagsLive = live;
  branchCondition = -1;
  jumpTarget = 0;
  modifyHost = 0;
  expandSteps(stepsOf(listOf(record)), 0);
}

/** Expands until MICRO_END, or until `stop` if it is not 0. */
function expandSteps(from: usize, stop: usize): void {
  let at = from;
  while (stop ? at < stop : load<u8>(at) != MICRO_END) {
    if (opcodeOf(at) == MICRO_WHEN) at = expandWhen(at);
    else {
      if (definesValue(at)) define(at);
      else effect(at);
      at = nextStep(at);
    }
  }
}

/** A conditional body. Returns the address behind it. */
function expandWhen(at: usize): usize {
  const condition = <u32>load<u8>(at, 1);
  const length = leb(at + 2);
  const body = after;
  const behind = body + length;
  if (isConst(condition)) {
    if (constOf(condition) != 0) expandSteps(body, behind);
    else skipBody(body, behind);
    return behind;
  }
  const before = knownFlags;
  const wereDirty = dirty;
  push(condition);
  ifBlock(VOID);
  enterScope();
  expandSteps(body, behind);
  leaveScope();
  end();
  if (knownFlags != before) setKnownFlags(FLAGS_DYNAMIC);
  setDirty(dirty | wereDirty);
  return behind;
}

/** Values keep their numbers where a body is left out. */
function skipBody(from: usize, to: usize): void {
  for (let at = from; at < to; at = nextStep(at)) if (definesValue(at)) skipValue();
}

// ---------------------------------------------------------------- values
/** Defines the value of a step: a constant where it is one, else in a local, now or where it is used. */
function define(at: usize): void {
  const a = <u32>load<u8>(at, 1);
  switch (opcodeOf(at)) {
    case MICRO_CONST32: return defineConst(signedLeb(at + 1), I32);
    case MICRO_CONST64: return defineConst(signedLeb(at + 1), I64);
    case MICRO_IMM: {
      const value = load<i64>(rec, R_IMM);
      return defineConst(a == 0 ? value & 0xff : a == 1 ? value & 0xffff : value, a == 3 ? I64 : I32);
    }
    case MICRO_INDEX: return defineConst(slotOf(rec, a), I32);
    case MICRO_OP32:
    case MICRO_OP64:
      if (fold(at)) return;
      break;
    case MICRO_POINTER:
      if (!(a & POINTER_MEMORY)) return defineXmm(slotOf(rec, a & 3));
      break;
  }
  if (opcodeOf(at) == MICRO_CALL && definedX87(at)) return;
  if (load<u8>(at) & MICRO_DEFERRED) return defineStep(at, typeOfStep(at));
  compute(at);
  defineLocal(typeOfStep(at));
}

function typeOfStep(at: usize): u32 {
  const a = <u32>load<u8>(at, 1);
  switch (opcodeOf(at)) {
    case MICRO_GET:
    case MICRO_LOAD:
    case MICRO_MODIFY:
    case MICRO_MODIFY_LOCKED: return (a & 3) == 3 ? I64 : I32;
    case MICRO_GET_FIXED: return a >> 5 == 3 ? I64 : I32;
    case MICRO_ADDRESS:
    case MICRO_ADDRESS_ALIGNED:
    case MICRO_ADDRESS_PLUS:
    case MICRO_EFFECTIVE:
    case MICRO_OP64:
    case MICRO_NEXT_RIP: return I64;
    case MICRO_VLOAD: return a == 16 ? V128 : a == 8 ? I64 : I32;
    case MICRO_SELECT128: return V128;
    case MICRO_SIMD: return a >> 4 == 0 ? I32 : a >> 4 == 1 ? I64 : V128;
    case MICRO_CALL: {
      leb(at + 1);
      return typeOfResult(load<u8>(after) & 7);
    }
    default: return I32;
  }
}

function typeOfResult(result: u32): u32 {
  return result == 0 ? I32 : result == 1 ? I64 : result == 4 ? V128 : 0;
}

/** Puts a value on WebAssembly's stack. */
export function push(number: u32): void {
  if (isStep(number)) compute(stepOf(number));
  else if (isXmm(number)) i32const(<i32>(cpu + CPU_XMM) + (<i32>xmmOf(number) << 5));
  else pushKnown(number);
}

/** Computes what a step defines onto WebAssembly's stack. */
function compute(at: usize): void {
  const a = <u32>load<u8>(at, 1);
  switch (opcodeOf(at)) {
    case MICRO_GET: return pushRegister(slotOf(rec, a >> 2), a & 3);
    case MICRO_GET_FIXED: return pushRegister(((a & 15) << 3) + ((a >> 4) & 1), a >> 5);
    case MICRO_ADDRESS:
    case MICRO_ADDRESS_ALIGNED: {
      const access = leb(at + 1);
      return pushAddress(rec, access >> 1, (access & 1) != 0);
    }
    case MICRO_ADDRESS_PLUS: {
      const access = leb(at + 1);
      const more = <u32>load<u8>(after);
      pushOffset(rec);
      push(more);
      byte(I64_ADD);
      cutToAddressSize(rec);
      return toLinear(rec, access >> 1, (access & 1) != 0);
    }
    case MICRO_EFFECTIVE: return pushOffset(rec);
    case MICRO_LOAD: {
      push(load<u8>(at, 2));
      pushHost(addressLocal(), 1 << a, TLB_READ);
      memory(loadOpcode(a), 0, 0);
      return;
    }
    case MICRO_MODIFY:
    case MICRO_MODIFY_LOCKED: {
      push(load<u8>(at, 2));
      pushHost(addressLocal(), 1 << a, TLB_WRITE);
      modifyHost = temp(I32);
      localTee(modifyHost);
      memory(loadOpcode(a), 0, 0);
      return;
    }
    case MICRO_OFFSET: {
      const bytes = leb(at + 1);
      const pointer = <u32>load<u8>(after);
      push(pointer);
      i32const(bytes);
      byte(I32_ADD);
      return;
    }
    case MICRO_POINTER: return pushPointer(a, leb(at + 2));
    case MICRO_VLOAD: return vectorLoad(a, load<u8>(at, 2));
    case MICRO_OP32:
    case MICRO_OP64: {
      const n = <u32>load<u8>(at, 2);
      for (let i: u32 = 0; i < n; i++) push(load<u8>(at + i, 3));
      byte(a);
      return;
    }
    case MICRO_SELECT128:
      push(a);
      push(load<u8>(at, 2));
      push(load<u8>(at, 3));
      byte(SELECT);
      return;
    case MICRO_SIMD: {
      const n = a & 15;
      for (let i: u32 = 0; i < n; i++) push(load<u8>(at + i, 2));
      const raw = at + 2 + n;
      const length = <u32>load<u8>(raw);
      for (let i: u32 = 0; i < length; i++) byte(load<u8>(raw + i, 1));
      return;
    }
    case MICRO_CONDITION: return pushCondition(a);
    case MICRO_CALL: return callHelper(at);
    case MICRO_GET_FLAGS: {
      if (knownFlags >= 0) i32const(knownFlags);
      else localGet(L_FLAG_OP);
      localGet(L_FLAG_DST);
      localGet(L_FLAG_SRC);
      call(F_FLAGS);
      return;
    }
    default:
      // MICRO_NEXT_RIP.
      localGet(L_BASE);
      i64const(nextDelta);
      byte(I64_ADD);
  }
}

/** Pushes a general register operand, given by its byte offset in the vCPU, zero-extended. */
function pushRegister(at: u32, w: u32): void {
  localGet(registerLocal(at >> 3));
  if (w == 3) return;
  if (at & 1) {
    i64const(8);
    byte(I64_SHR_U);
  }
  byte(I32_WRAP);
  if (w == 2) return;
  i32const(w == 0 ? 0xff : 0xffff);
  byte(I32_AND);
}

/** Pushes the host address of the record's vector operand in memory. */
function pushPointer(flags: u32, bytes: u32): void {
  pushAddress(rec, bytes, false);
  const address = addressLocal();
  if (flags & POINTER_ALIGNED) {
    localGet(address);
    byte(I32_WRAP);
    i32const(bytes - 1);
    byte(I32_AND);
    missIf();
  }
  pushHost(address, bytes, TLB_READ);
}

function vectorLoad(bytes: u32, from: u32): void {
  if (isXmm(from)) {
    localGet(vectorLocal(xmmOf(from)));
    if (bytes == 8) simdLane(0x1d, 0);
    else if (bytes == 4) simdLane(0x1b, 0);
    else if (bytes == 2) simdLane(0x19, 0);
    else if (bytes == 1) simdLane(0x16, 0);
    return;
  }
  push(from);
  if (bytes == 16) {
    byte(0xfd);
    memory(V128_LOAD, 0, 0);
  } else memory(loadOpcode(ctz<u32>(bytes)), 0, 0);
}

/** Computes what follows from constants alone, so that shifts by an immediate have no conditional bodies. */
function fold(at: usize): bool {
  const opcode = <u32>load<u8>(at, 1);
  const count = <u32>load<u8>(at, 2);
  const x = <u32>load<u8>(at, 3);
  if (count > 2 || !isConst(x) || (count == 2 && !isConst(load<u8>(at, 4)))) return false;
  const a = constOf(x);
  const b = count == 2 ? constOf(load<u8>(at, 4)) : 0;
  let value: i64;
  switch (opcode) {
    case 0x71:
    case 0x83: value = a & b; break;
    case 0x6b:
    case 0x7d: value = a - b; break;
    case 0x6a:
    case 0x7c: value = a + b; break;
    case 0x46:
    case 0x51: value = i64(a == b); break;
    case 0x47:
    case 0x52: value = i64(a != b); break;
    case 0x45:
    case 0x50: value = i64(a == 0); break;
    case 0xa7:
    case 0xac: value = a; break;
    case 0xad: value = a & 0xffffffff; break;
    default: return false;
  }
  defineConst(value, opcodeOf(at) == MICRO_OP64 ? I64 : I32);
  return true;
}

// ---------------------------------------------------------------- effects
/** Local with the host address of the MICRO_MODIFY of this instruction. */
let modifyHost: u32 = 0;

function effect(at: usize): void {
  const a = <u32>load<u8>(at, 1);
  switch (opcodeOf(at)) {
    case MICRO_PUT: return putRegister(slotOf(rec, a >> 2), a & 3, load<u8>(at, 2));
    case MICRO_PUT_FIXED: return putRegister(((a & 15) << 3) + ((a >> 4) & 1), a >> 5, load<u8>(at, 2));
    case MICRO_STORE: {
      const value = <u32>load<u8>(at, 3);
      push(load<u8>(at, 2));
      pushHost(addressLocal(), 1 << a, TLB_WRITE);
      push(value);
      memory(storeOpcode(a, typeOf(value) == I64), 0, 0);
      return;
    }
    case MICRO_COMPLETE:
    case MICRO_COMPLETE_LOCKED: {
      const value = <u32>load<u8>(at, 3);
      localGet(modifyHost);
      push(value);
      memory(storeOpcode(a, typeOf(value) == I64), 0, 0);
      return;
    }
    case MICRO_VSTORE: return vectorStore(a, load<u8>(at, 2), load<u8>(at, 3));
    case MICRO_VWRITE:
      push(a);
      pushHost(addressLocal(), 16, TLB_WRITE);
      push(load<u8>(at, 2));
      byte(0xfd);
      memory(V128_STORE, 0, 0);
      return;
    case MICRO_FLAGS: return noteFlags(a, load<u8>(at, 2), load<u8>(at, 3));
    case MICRO_SET_FLAGS:
      push(a);
      byte(I64_EXTEND_U);
      i64const(STATUS_FLAGS);
      byte(I64_AND);
      localSet(L_FLAG_SRC);
      flagOp(0);
      return;
    case MICRO_CALL: return callHelper(at);
    case MICRO_GUARD:
      // The interpreter raises what is to be raised.
      if (isConst(load<u8>(nextStep(at) - 1)) && constOf(load<u8>(nextStep(at) - 1)) == 0) return;
      push(load<u8>(nextStep(at) - 1));
      missIf();
      return;
    case MICRO_BRANCH_IF:
      branchCondition = load<u8>(at, 2);
      return;
    case MICRO_JUMP:
      push(load<u8>(at, 2));
      if (!code64) byte(I64_EXTEND_U);
      jumpTarget = temp(I64);
      localSet(jumpTarget);
      return;
  }
}

/** Writes value `value` to a general register operand. */
function putRegister(at: u32, w: u32, value: u32): void {
  const local = registerLocal(at >> 3);
  if (w >= 2) {
    push(value);
    if (w == 2) byte(I64_EXTEND_U);
    setRegister(at >> 3);
    return;
  }
  const shift: i64 = at & 1 ? 8 : 0;
  const mask: i64 = w == 0 ? 0xff : 0xffff;
  localGet(local);
  i64const(~(mask << shift));
  byte(I64_AND);
  push(value);
  if (typeOf(value) != I64) byte(I64_EXTEND_U);
  i64const(mask);
  byte(I64_AND);
  if (shift) {
    i64const(shift);
    byte(I64_SHL);
  }
  byte(I64_OR);
  setRegister(at >> 3);
}

function vectorStore(bytes: u32, to: u32, value: u32): void {
  if (isXmm(to)) {
    const local = vectorLocal(xmmOf(to));
    if (bytes < 16) localGet(local);
    push(value);
    if (bytes == 8) simdLane(0x1e, 0);
    else if (bytes == 4) simdLane(0x1c, 0);
    else if (bytes == 2) simdLane(0x1a, 0);
    else if (bytes == 1) simdLane(0x17, 0);
    setVector(xmmOf(to));
    return;
  }
  push(to);
  push(value);
  if (bytes == 16) {
    byte(0xfd);
    memory(V128_STORE, 0, 0);
  } else memory(storeOpcode(ctz<u32>(bytes), typeOf(value) == I64), 0, 0);
}

// ---------------------------------------------------------------- flags and calls
function noteFlags(op: u32, dst: u32, src: u32): void {
  if (!flagsLive) return;
  // Both are computed before either is set: INC keeps a carry that follows from the old operands.
  pushWide(dst);
  if (op >> 2 != KIND_LOGIC) {
    pushWide(src);
    localSet(L_FLAG_SRC);
  }
  localSet(L_FLAG_DST);
  flagOp(op);
}

function flagOp(op: u32): void {
  i32const(op);
  localSet(L_FLAG_OP);
  setKnownFlags(op);
}

function pushWide(value: u32): void {
  push(value);
  if (typeOf(value) != I64) byte(I64_EXTEND_U);
}

/** Floating point that WebAssembly does as well, and the stack of code that is not of 64 bits. */
function inlined(helper: u32, count: u32, values: usize): bool {
  if (isInlineFloat(helper)) {
    for (let i: u32 = 0; i < count; i++) push(load<u8>(values + i));
    inlineFloat(helper);
    return true;
  }
  if (isInlineStack(helper)) {
    inlineStack(helper, load<u8>(values), rec);
    return true;
  }
  if (!isPackedFloat(helper)) return false;
  // FLOAT_* number, the register that is also the result, the other operand.
  const to = <u32>load<u8>(values, 1);
  const operation = <u32>constOf(load<u8>(values));
  if (operation > FLOAT_DIV || !isXmm(to)) return false;
  localGet(vectorLocal(xmmOf(to)));
  vectorLoad(16, load<u8>(values, 2));
  inlinePacked(helper, operation);
  setVector(xmmOf(to));
  return true;
}

/** Pushes those of a call's values that are no constants. */
function pushVariables(count: u32, values: usize): void {
  for (let i: u32 = 0; i < count; i++) if (!isConst(load<u8>(values + i))) push(load<u8>(values + i));
}

/** Defines what a helper of the x87 yields where code is emitted in its place. */
function definedX87(at: usize): bool {
  const helper = leb(at + 1);
  if (!isX87(helper)) return false;
  pushVariables(load<u8>(after, 1), after + 2);
  return defineX87(helper);
}

/** Calls a helper; its result, if it has one that counts, is left on the stack. */
function callHelper(at: usize): void {
  const helper = leb(at + 1);
  const shape = <u32>load<u8>(after);
  const count = <u32>load<u8>(after, 1);
  const values = after + 2;
  if (isX87(helper)) {
    pushVariables(count, values);
    return inlineX87(helper, values);
  }
  if (inlined(helper, count, values)) return;
  if (!flagsLive && load<u8>(HELPER_KIND + helper) & HELPER_SETS_FLAGS) return;
  const touchesFlags = (load<u8>(HELPER_KIND + helper) & HELPER_TOUCHES_FLAGS) != 0;
  const registers = load<u32>(HELPER_REGISTERS + (helper << 2));
  if (load<u8>(HELPER_KIND + helper) & HELPER_USES_TRACE) storeTraceRip();
  if (touchesFlags) storeFlags();
  storeRegisters((registers & 0xffff) | (registers >> 16));
  let vectors: u32 = 0;
  const result = typeOfResult(shape & 7);
  beginType();
  for (let i: u32 = 0; i < count; i++) {
    const value = <u32>load<u8>(values + i);
    addParameter(typeOf(value));
    if (isXmm(value)) vectors |= (<u32>1) << xmmOf(value);
  }
  // Arguments may be calls themselves.
  const index = helperFunction(helper, result);
  storeVectors(vectors);
  for (let i: u32 = 0; i < count; i++) push(load<u8>(values + i));
  call(index);
  let kept: u32 = 0;
  if (shape & MAY_FAULT) {
    if (result) {
      kept = temp(result);
      localSet(kept);
    }
    leaveIfFault();
  }
  loadRegisters(registers >> 16);
  loadVectors(vectors);
  if (touchesFlags) flagsStored();
  if (!result) return;
  if (shape & RESULT_DROPPED) {
    if (!kept) byte(0x1a);
  } else if (kept) localGet(kept);
}
