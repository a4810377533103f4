// Shifts that helpers do elsewhere: of a register pair, and of packed lanes by a constant, where WebAssembly's own, which take the
// count modulo the width, need no look at it. SDM volume 2, SHLD SHRD, PSLLW to PSRLQ, PSLLDQ, PSRLDQ, PALIGNR.
import {
  HELPER_alignRight, HELPER_bytesLeft, HELPER_bytesRight, HELPER_shiftLeft16, HELPER_shiftLeft32, HELPER_shiftLeft64, HELPER_shiftRight16, HELPER_shiftRight32, HELPER_shiftRight64,
  HELPER_shiftSigned16, HELPER_shiftSigned32, HELPER_shld32, HELPER_shrd32,
} from "../generated/helpers";
import { push } from "./compute";
import { I32_WRAP, I64_EXTEND_U, I64_OR, I64_SHL, I64_SHR_U } from "./opcodes";
import { constOf, isConst } from "./values";
import { byte, i32const, i64const, simd } from "./writer";

const V128_CONST: u32 = 0x0c;
const SHUFFLE: u32 = 0x0d;
/** Lane number of a zero where the second operand is zero. */
const ZERO_LANE: i32 = 16;

/** SIMD opcode of a shift of packed lanes, 0: it is none. */
function packedShift(helper: u32): u32 {
  switch (helper) {
    case HELPER_shiftLeft16: return 0x8b;
    case HELPER_shiftSigned16: return 0x8c;
    case HELPER_shiftRight16: return 0x8d;
    case HELPER_shiftLeft32: return 0xab;
    case HELPER_shiftSigned32: return 0xac;
    case HELPER_shiftRight32: return 0xad;
    case HELPER_shiftLeft64: return 0xcb;
    case HELPER_shiftRight64: return 0xcd;
  }
  return 0;
}

/** Bits of a lane, by the SIMD opcode. */
function laneBits(opcode: u32): i64 {
  return opcode < 0xa0 ? 16 : opcode < 0xc0 ? 32 : 64;
}

/** Leaves the result of a helper on the stack, `values`: the numbers of its arguments. False: it has to be called. */
export function inlineShift(helper: u32, values: usize): bool {
  const first = <u32>load<u8>(values);
  const second = <u32>load<u8>(values, 1);
  const third = <u32>load<u8>(values, 2);
  switch (helper) {
    case HELPER_shld32:
      shiftPair(first, second, third, I64_SHL);
      i64const(32);
      byte(I64_SHR_U);
      byte(I32_WRAP);
      return true;
    case HELPER_shrd32:
      shiftPair(second, first, third, I64_SHR_U);
      byte(I32_WRAP);
      return true;
    case HELPER_bytesRight:
      if (!isConst(second)) return false;
      push(first);
      pushZero();
      shuffle(<i32>min<i64>(constOf(second), 16));
      return true;
    case HELPER_bytesLeft:
      if (!isConst(second)) return false;
      push(first);
      pushZero();
      shuffle(-<i32>min<i64>(constOf(second), 16));
      return true;
    case HELPER_alignRight:
      if (!isConst(third) || constOf(third) > 16) return false;
      push(second);
      push(first);
      shuffle(<i32>constOf(third));
      return true;
  }
  const opcode = packedShift(helper);
  if (!opcode || !isConst(second) || <u64>constOf(second) >= <u64>laneBits(opcode)) return false;
  push(first);
  i32const(<i32>constOf(second));
  simd(opcode);
  return true;
}

/** Shifts high:low, of 32 bits each, by 0 to 31. */
function shiftPair(high: u32, low: u32, count: u32, opcode: u32): void {
  push(high);
  byte(I64_EXTEND_U);
  i64const(32);
  byte(I64_SHL);
  push(low);
  byte(I64_EXTEND_U);
  byte(I64_OR);
  push(count);
  byte(I64_EXTEND_U);
  byte(opcode);
}

function pushZero(): void {
  simd(V128_CONST);
  for (let i = 0; i < 16; i++) byte(0);
}

/** Takes 16 bytes from `by` on of the 32 on the stack, or shifts the first 16 to the left, where `by` is negative. */
function shuffle(by: i32): void {
  simd(SHUFFLE);
  for (let i = 0; i < 16; i++) {
    const lane = i + by;
    byte(lane < 0 ? ZERO_LANE : lane);
  }
}
