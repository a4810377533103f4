// The values that steps define: constants, or computed onto WebAssembly's stack.
import { cpu } from "../cpu";
import {
  MICRO_ADDRESS, MICRO_ADDRESS_ALIGNED, MICRO_ADDRESS_PLUS, MICRO_CALL, MICRO_CONDITION, MICRO_DEFERRED, MICRO_EFFECTIVE, MICRO_GET,
  MICRO_GET_FIXED, MICRO_GET_FLAGS, MICRO_LOAD, MICRO_MODIFY, MICRO_MODIFY_LOCKED, MICRO_NEXT_RIP, MICRO_OFFSET, MICRO_OP32, MICRO_OP64,
  MICRO_POINTER, MICRO_SELECT128, MICRO_SIMD, MICRO_VLOAD,
} from "../generated/micro-ops";
import { CPU_XMM, TLB_READ, TLB_WRITE } from "../layout";
import { cutToAddressSize, pushAddress, pushOffset, toLinear } from "./address";
import { callHelper, definedX87 } from "./calls";
import { pushCondition } from "./conditions";
import { feedsFloat, feedsLane, inFloatRegister, pushFloat, replacesLow, yieldsFloat } from "./float/operand";
import { defineConstant } from "./fold";
import { flagsFunction, RUNTIME_FLAGS } from "./imports";
import { modifyHost, modifyOffset, nextDelta, record, setModified } from "./instruction";
import { missIf } from "./leave";
import { L_BASE, L_FLAG_DST, L_FLAG_OP, L_FLAG_SRC, temp } from "./locals";
import { accessAt, addressLocal, loadOpcode, pushHost, pushOpened } from "./memory-access";
import { F32_LOAD, F64_LOAD, I32_ADD, I32_AND, I32_WRAP, I64_ADD, SELECT, V128_LOAD32_ZERO, V128_LOAD64_ZERO } from "./opcodes";
import { pushRegister, vectorLoad } from "./operands";
import { isOpen, offsetInSpan } from "./spans";
import { isOpOpen, knownFlags } from "./state";
import { after, leb, opcodeOf, slotOf } from "./steps";
import { constOf, defineFloat, defineLane, defineLocal, defineStep, defineXmm, floatLocal, isConst, isLane, isStep, isXmm, nextValue, pushKnown, stepOf, xmmOf } from "./values";
import { byte, call, I32, i32const, I64, i64const, localGet, localTee, memory, simdLane, V128 } from "./writer";

// Bits of MICRO_POINTER.
const POINTER_MEMORY: u32 = 8;
const POINTER_ALIGNED: u32 = 16;

/** Defines the value of a step: a constant where it is one, else in a local, now or where it is used. */
export function define(at: usize): void {
  if (defineConstant(at, record)) return;
  const a = <u32>load<u8>(at, 1);
  if (opcodeOf(at) == MICRO_POINTER && !(a & POINTER_MEMORY)) return defineXmm(slotOf(record, a & 3));
  if (opcodeOf(at) == MICRO_CALL) {
    if (definedX87(at)) return;
    if (yieldsFloat(leb(at + 1))) {
      compute(at);
      return defineFloat(typeOfStep(at) == I64, true);
    }
  }
  if (opcodeOf(at) == MICRO_LOAD && a >= 2) {
    if (feedsFloat(at, nextValue)) {
      computeLoad(at, a == 3 ? F64_LOAD : F32_LOAD);
      return defineFloat(a == 3, false);
    }
    if (feedsLane(at, nextValue, a)) {
      computeLoad(at, a == 3 ? V128_LOAD64_ZERO : V128_LOAD32_ZERO);
      return defineLane(a == 3);
    }
  }
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

export function typeOfResult(result: u32): u32 {
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
    case MICRO_GET: return pushRegister(slotOf(record, a >> 2), a & 3);
    case MICRO_GET_FIXED: return pushRegister(((a & 15) << 3) + ((a >> 4) & 1), a >> 5);
    case MICRO_ADDRESS:
    case MICRO_ADDRESS_ALIGNED: {
      const access = leb(at + 1);
      return pushAddress(record, access >> 1, (access & 1) != 0);
    }
    case MICRO_ADDRESS_PLUS: {
      const access = leb(at + 1);
      const more = <u32>load<u8>(after);
      pushOffset(record);
      push(more);
      byte(I64_ADD);
      cutToAddressSize(record);
      return toLinear(record, access >> 1, (access & 1) != 0);
    }
    case MICRO_EFFECTIVE: return pushOffset(record);
    case MICRO_LOAD: return computeLoad(at, loadOpcode(a));
    case MICRO_MODIFY:
    case MICRO_MODIFY_LOCKED: {
      const access = accessAt(at);
      if (!pushOpened(access)) {
        push(load<u8>(at, 2));
        pushHost(addressLocal(), 1 << a, TLB_WRITE, access);
      }
      setModified(temp(I32), offsetInSpan(access));
      localTee(modifyHost);
      memory(loadOpcode(a), 0, modifyOffset);
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
    case MICRO_POINTER: return pushPointer(a, leb(at + 2), accessAt(at));
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
      if (replacedLow(at, 3) || replacedLow(at, 2)) return;
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
      if (knownFlags >= 0 && !isOpOpen()) i32const(knownFlags);
      else localGet(L_FLAG_OP);
      localGet(L_FLAG_DST);
      localGet(L_FLAG_SRC);
      call(flagsFunction(RUNTIME_FLAGS));
      return;
    }
    default:
      // MICRO_NEXT_RIP.
      localGet(L_BASE);
      i64const(nextDelta);
      byte(I64_ADD);
  }
}

/** Computes a MICRO_LOAD by an instruction of WebAssembly; those of vectors have numbers of their own. */
function computeLoad(at: usize, opcode: u32): void {
  const bytes = (<u32>1) << load<u8>(at, 1);
  const access = accessAt(at);
  if (!pushOpened(access)) {
    push(load<u8>(at, 2));
    pushHost(addressLocal(), bytes, TLB_READ, access);
  }
  if (opcode >= V128_LOAD32_ZERO) byte(0xfd);
  memory(opcode, 0, offsetInSpan(access));
}

/** Computes a step that puts a float, or a lane among zeros, into the lowest lane of 1 << w bytes. False: it is none. */
function replacedLow(at: usize, w: u32): bool {
  if (!replacesLow(at, w)) return false;
  const value = <u32>load<u8>(at, 3);
  if (isLane(value) && isZeros(load<u8>(at, 2))) localGet(floatLocal(value));
  else {
    if (!inFloatRegister(w, value)) return false;
    push(load<u8>(at, 2));
    pushFloat(value);
    simdLane(w == 3 ? 0x22 : 0x20, 0);
  }
  return true;
}

/** Whether a value is a vector of zeros. */
function isZeros(number: u32): bool {
  if (!isStep(number) || opcodeOf(stepOf(number)) != MICRO_SIMD) return false;
  const at = stepOf(number);
  const child = <u32>load<u8>(at, 2);
  return (load<u8>(at, 1) & 15) == 1 && load<u8>(at, 5) == 0x11 && isConst(child) && constOf(child) == 0;
}

/** Pushes the host address of the record's vector operand in memory. */
function pushPointer(flags: u32, bytes: u32, access: usize): void {
  const aligned = (flags & POINTER_ALIGNED) != 0;
  if (aligned || !isOpen(access)) {
    pushAddress(record, bytes, false);
    const address = addressLocal();
    if (aligned) {
      localGet(address);
      byte(I32_WRAP);
      i32const(bytes - 1);
      byte(I32_AND);
      missIf();
    }
    if (!pushOpened(access)) pushHost(address, bytes, TLB_READ, access);
  } else pushOpened(access);
  if (!offsetInSpan(access)) return;
  i32const(offsetInSpan(access));
  byte(I32_ADD);
}
