// Operands in registers: parts of general registers and of XMM registers, which are locals of the region.
import { code64 } from "./code-mode";
import { push } from "./compute";
import { inFloatRegister, isOrdinaryValue, pushFloat, wholeRegister } from "./float/operand";
import { copyOrdinary, DOUBLE_HIGH, DOUBLE_LOW, isOrdinary, noteOrdinary, SINGLE_LOW } from "./float/ordinary";
import { vectorLocal } from "./locals";
import { loadOpcode, storeOpcode } from "./memory-access";
import { I32_AND, I32_OR, I32_SHL, I32_SHR_U, I32_WRAP, I64_EXTEND_U, V128_LOAD, V128_STORE } from "./opcodes";
import { pushExtended, pushWhole, registerConst, registerOp } from "./registers";
import { setRegister, setVector } from "./state";
import { isXmm, typeOf, xmmOf } from "./values";
import { byte, i32const, I64, localGet, memory, simdLane } from "./writer";

/** Pushes a general register operand, given by its byte offset in the vCPU, zero-extended. */
export function pushRegister(at: u32, w: u32): void {
  if (w == 3) return pushExtended(at >> 3);
  pushWhole(at >> 3);
  if (at & 1) {
    registerConst(8);
    registerOp(I32_SHR_U);
  }
  if (code64) byte(I32_WRAP);
  if (w == 2) return;
  i32const(w == 0 ? 0xff : 0xffff);
  byte(I32_AND);
}

/** Pushes a value in the registers' type. */
function pushForRegister(value: u32): void {
  push(value);
  const wide = typeOf(value) == I64;
  if (wide && !code64) byte(I32_WRAP);
  else if (!wide && code64) byte(I64_EXTEND_U);
}

/** Writes value `value` to a general register operand. */
export function putRegister(at: u32, w: u32, value: u32): void {
  if (w >= 2) {
    pushForRegister(value);
    setRegister(at >> 3);
    return;
  }
  const shift: i64 = at & 1 ? 8 : 0;
  const mask: i64 = w == 0 ? 0xff : 0xffff;
  pushWhole(at >> 3);
  registerConst(~(mask << shift));
  registerOp(I32_AND);
  pushForRegister(value);
  registerConst(mask);
  registerOp(I32_AND);
  if (shift) {
    registerConst(shift);
    registerOp(I32_SHL);
  }
  registerOp(I32_OR);
  setRegister(at >> 3);
}

export function vectorLoad(bytes: u32, from: u32): void {
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

export function vectorStore(bytes: u32, to: u32, value: u32): void {
  if (isXmm(to)) {
    const register = xmmOf(to);
    const local = vectorLocal(register);
    if (bytes == 16) {
      push(value);
      setVector(register);
      const copied = wholeRegister(value);
      if (copied >= 0) copyOrdinary(register, copied);
      return;
    }
    localGet(local);
    if (inFloatRegister(ctz<u32>(bytes), value)) {
      const high = isOrdinary(DOUBLE_HIGH, register);
      const low = isOrdinaryValue(value);
      pushFloat(value);
      simdLane(bytes == 8 ? 0x22 : 0x20, 0);
      setVector(register);
      if (high) noteOrdinary(DOUBLE_HIGH, register);
      if (low) noteOrdinary(bytes == 8 ? DOUBLE_LOW : SINGLE_LOW, register);
      return;
    }
    push(value);
    if (bytes == 8) simdLane(0x1e, 0);
    else if (bytes == 4) simdLane(0x1c, 0);
    else if (bytes == 2) simdLane(0x1a, 0);
    else if (bytes == 1) simdLane(0x17, 0);
    setVector(register);
    return;
  }
  push(to);
  push(value);
  if (bytes == 16) {
    byte(0xfd);
    memory(V128_STORE, 0, 0);
  } else memory(storeOpcode(ctz<u32>(bytes), typeOf(value) == I64), 0, 0);
}
