// Operands in registers: parts of general registers and of XMM registers, which are locals of the region.
import { push } from "./compute";
import { registerLocal, vectorLocal } from "./locals";
import { loadOpcode, storeOpcode } from "./memory-access";
import { I32_AND, I32_WRAP, I64_AND, I64_EXTEND_U, I64_OR, I64_SHL, I64_SHR_U, V128_LOAD, V128_STORE } from "./opcodes";
import { setRegister, setVector } from "./state";
import { isXmm, typeOf, xmmOf } from "./values";
import { byte, i32const, I64, i64const, localGet, memory, simdLane } from "./writer";

/** Pushes a general register operand, given by its byte offset in the vCPU, zero-extended. */
export function pushRegister(at: u32, w: u32): void {
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

/** Writes value `value` to a general register operand. */
export function putRegister(at: u32, w: u32, value: u32): void {
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
