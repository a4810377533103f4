// Reading the serialised lists of micro-operations. isa/serialize.ts tells the format.
import {
  microOps, MICRO_ADDRESS, MICRO_ADDRESS_ALIGNED, MICRO_ADDRESS_PLUS, MICRO_BRANCH, MICRO_BRANCH_IF, MICRO_CALL, MICRO_COMPLETE, MICRO_COMPLETE_LOCKED, MICRO_CONDITION,
  MICRO_CONST32, MICRO_CONST64, MICRO_DEFERRED, MICRO_FLAGS, MICRO_GET, MICRO_GET_FIXED, MICRO_GUARD, MICRO_IMM, MICRO_INDEX, MICRO_JUMP, MICRO_LEAVE, MICRO_LOAD,
  MICRO_MODIFY, MICRO_MODIFY_LOCKED, MICRO_OP32, MICRO_OP64, MICRO_POINTER, MICRO_PUT, MICRO_PUT_FIXED, MICRO_SELECT128, MICRO_SET_FLAGS, MICRO_SIMD, MICRO_STORE,
  MICRO_OFFSET, MICRO_VLOAD, MICRO_VSTORE, MICRO_VWRITE, MICRO_WHEN,
} from "../generated/micro-ops";
import { R_OP, R_R0, R_R1, R_R2, R_SUB } from "../decode/record";

const HEADER: usize = 4;
/** Kind of MICRO_FLAGS that has one value: logic. */
const KIND_LOGIC: u32 = 5;
/** All six status flags, as the header of a list numbers them. */
export const ALL_FLAGS: u32 = 63;

/** The list of a record's case, header first. */
export function listOf(rec: usize): usize {
  return microOps(load<u16>(rec, R_OP), load<u16>(rec, R_SUB));
}
export function stepsOf(list: usize): usize {
  return list + HEADER;
}
/** ATTRIBUTE_* bits. */
export function attributesOf(list: usize): u32 {
  return load<u8>(list, 1);
}
export function flagsRead(list: usize): u32 {
  return load<u8>(list, 2);
}
export function flagsWritten(list: usize): u32 {
  return load<u8>(list, 3) & ALL_FLAGS;
}

/** MICRO_* of a step, without MICRO_DEFERRED. */
// @ts-ignore: decorator
@inline export function opcodeOf(at: usize): u32 {
  return load<u8>(at) & ~MICRO_DEFERRED;
}

/** What a register slot of a record holds. */
export function slotOf(rec: usize, slot: u32): u32 {
  return load<u8>(rec + (slot == 0 ? R_R0 : slot == 1 ? R_R1 : R_R2));
}

/** Reads an unsigned LEB128; `after` is the address behind it. */
export let after: usize = 0;
export function leb(at: usize): u32 {
  let value: u32 = 0;
  let shift: u32 = 0;
  let b: u32;
  do {
    b = <u32>load<u8>(at++);
    value |= (b & 0x7f) << shift;
    shift += 7;
  } while (b & 0x80);
  after = at;
  return value;
}

/** Reads a signed LEB128. */
export function signedLeb(at: usize): i64 {
  let value: i64 = 0;
  let shift: i64 = 0;
  let b: i64;
  do {
    b = <i64>load<u8>(at++);
    value |= (b & 0x7f) << shift;
    shift += 7;
  } while (b & 0x80);
  return shift < 64 && b & 0x40 ? value | (-1 << shift) : value;
}

function skipLeb(at: usize): usize {
  while (load<u8>(at) & 0x80) at++;
  return at + 1;
}

/** Address of the step behind the one at `at`, which is not MICRO_END; behind MICRO_WHEN its body begins. */
export function nextStep(at: usize): usize {
  switch (opcodeOf(at)) {
    case MICRO_CONST32:
    case MICRO_CONST64:
    case MICRO_ADDRESS:
    case MICRO_ADDRESS_ALIGNED: return skipLeb(at + 1);
    case MICRO_ADDRESS_PLUS: return skipLeb(at + 1) + 1;
    case MICRO_IMM:
    case MICRO_GET:
    case MICRO_GET_FIXED:
    case MICRO_INDEX:
    case MICRO_CONDITION:
    case MICRO_SET_FLAGS:
    case MICRO_BRANCH: return at + 2;
    case MICRO_PUT:
    case MICRO_PUT_FIXED:
    case MICRO_LOAD:
    case MICRO_MODIFY:
    case MICRO_MODIFY_LOCKED:
    case MICRO_VLOAD:
    case MICRO_VWRITE:
    case MICRO_BRANCH_IF:
    case MICRO_JUMP: return at + 3;
    case MICRO_STORE:
    case MICRO_COMPLETE:
    case MICRO_COMPLETE_LOCKED:
    case MICRO_VSTORE:
    case MICRO_SELECT128: return at + 4;
    case MICRO_POINTER: return skipLeb(at + 2);
    case MICRO_OFFSET: return skipLeb(at + 1) + 1;
    case MICRO_OP32:
    case MICRO_OP64: return at + 3 + load<u8>(at, 2);
    case MICRO_SIMD: {
      const values = at + 2 + (load<u8>(at, 1) & 15);
      return values + 1 + load<u8>(values);
    }
    case MICRO_FLAGS: return at + (load<u8>(at, 1) >> 2 == KIND_LOGIC ? 3 : 4);
    case MICRO_CALL: {
      const shape = skipLeb(at + 1);
      return shape + 2 + load<u8>(shape, 1);
    }
    case MICRO_GUARD: return skipLeb(at + 2) + 1;
    case MICRO_WHEN: return skipLeb(at + 2);
    default: return at + 1;
  }
}

/** Whether a step defines a value. */
export function definesValue(at: usize): bool {
  switch (opcodeOf(at)) {
    case MICRO_PUT:
    case MICRO_PUT_FIXED:
    case MICRO_STORE:
    case MICRO_COMPLETE:
    case MICRO_COMPLETE_LOCKED:
    case MICRO_VSTORE:
    case MICRO_VWRITE:
    case MICRO_FLAGS:
    case MICRO_SET_FLAGS:
    case MICRO_GUARD:
    case MICRO_WHEN:
    case MICRO_BRANCH:
    case MICRO_BRANCH_IF:
    case MICRO_JUMP:
    case MICRO_LEAVE: return false;
    case MICRO_CALL: {
      leb(at + 1);
      const shape = load<u8>(after);
      return (shape & 7) != 7 && !(shape & 16);
    }
    default: return true;
  }
}
