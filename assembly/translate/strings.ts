// String instructions of segments without base: a single one as any other access; repeated MOVS and STOS by the core, as far as
// the TLB knows their pages. The others are the interpreter's. SDM volume 2, MOVS STOS LODS CMPS SCAS.
import { RAX, RCX, RDI, RSI, SEG_FS } from "../cpu";
import { PREFIX_ADDRESS_SHIFT, PREFIX_REP, PREFIX_REPNE, R_PREFIX, R_SEGNO } from "../decode/record";
import { HELPER_cmps, HELPER_lods, HELPER_movs, HELPER_scas, HELPER_stos } from "../generated/helpers";
import { CPU_EFLAGS, TLB_READ, TLB_WRITE, VM_JIT_VERIFY } from "../layout";
import { code64, flat } from "./code-mode";
import { addParameter, beginType, helperFunction, RUNTIME_COPY_RUN, RUNTIME_FILL_RUN } from "./imports";
import { missIf } from "./leave";
import { temp } from "./locals";
import { loadOpcode, pushHost, storeOpcode } from "./memory-access";
import { noteFlags } from "./note-flags";
import { I32_ADD, I32_AND, I32_LOAD, I32_SHR_U, I32_SUB, I64_EXTEND_U } from "./opcodes";
import { pushRegister, putRegister } from "./operands";
import { pushExtended, pushWhole, registerConst, registerOp } from "./registers";
import { loadField, loadRegisters, setRegister, storeRegisters } from "./state";
import { defineLocal, nextValue, pushKnown } from "./values";
import { byte, call, I32, I64, i32const, i64const, localSet, memory } from "./writer";

/** Number of the direction flag's bit. */
const DF_BIT: u32 = 10;
/** CC_OP of a comparison, without the width. */
const FLAGS_SUB: u32 = 3 << 2;
const SIZE_32: u32 = 1;
const SIZE_64: u32 = 2;

function isString(helper: u32): bool {
  return helper == HELPER_movs || helper == HELPER_stos || helper == HELPER_lods || comparesString(helper);
}

/** Whether a helper is a string instruction that sets flags. */
export function comparesString(helper: u32): bool {
  return helper == HELPER_scas || helper == HELPER_cmps;
}

function isRepeated(rec: usize): bool {
  return (load<u8>(rec, R_PREFIX) & (PREFIX_REP | PREFIX_REPNE)) != 0;
}

/** Whether a helper is a string instruction that is done in line. */
export function isInlineString(helper: u32, rec: usize): bool {
  if (!isString(helper) || <i32>load<u8>(rec, R_SEGNO) >= SEG_FS) return false;
  const size = (<u32>load<u8>(rec, R_PREFIX) >> PREFIX_ADDRESS_SHIFT) & 3;
  if (code64 ? size != SIZE_64 : !flat || size != SIZE_32) return false;
  if (!isRepeated(rec)) return true;
  // The interpreter does what a region is found to have done a whole instruction at a time.
  return (helper == HELPER_movs || helper == HELPER_stos) && !load<u32>(VM_JIT_VERIFY);
}

/** Emits a string instruction with elements of `size` bytes. */
export function inlineString(helper: u32, size: u32, rec: usize): void {
  if (isRepeated(rec)) return repeated(helper, size);
  const w = <u32>ctz<u32>(size);
  switch (helper) {
    case HELPER_movs: {
      const value = element(RSI, w);
      host(RDI, w, TLB_WRITE);
      pushKnown(value);
      memory(storeOpcode(w, w == 3), 0, 0);
      advance(RSI, w);
      return advance(RDI, w);
    }
    case HELPER_stos:
      host(RDI, w, TLB_WRITE);
      pushRegister(RAX << 3, w);
      memory(storeOpcode(w, w == 3), 0, 0);
      return advance(RDI, w);
    case HELPER_lods:
      putRegister(RAX << 3, w, element(RSI, w));
      return advance(RSI, w);
    case HELPER_scas: {
      const value = element(RDI, w);
      const accumulator = nextValue;
      pushRegister(RAX << 3, w);
      defineLocal(w == 3 ? I64 : I32);
      noteFlags(FLAGS_SUB | w, accumulator, value);
      return advance(RDI, w);
    }
    case HELPER_cmps: {
      const second = element(RDI, w);
      noteFlags(FLAGS_SUB | w, element(RSI, w), second);
      advance(RSI, w);
      return advance(RDI, w);
    }
  }
}

/** Pushes the host address of the element of 1 << w bytes at a register. */
function host(register: u32, w: u32, tag: u32): void {
  const address = temp(I64);
  pushExtended(register);
  localSet(address);
  pushHost(address, 1 << w, tag);
}

/** Loads the element at a register; returns the number of the value. */
function element(register: u32, w: u32): u32 {
  const number = nextValue;
  host(register, w, TLB_READ);
  memory(loadOpcode(w), 0, 0);
  defineLocal(w == 3 ? I64 : I32);
  return number;
}

/** Moves a register on by an element: back where the direction flag is set. */
function advance(register: u32, w: u32): void {
  pushWhole(register);
  registerConst(1 << w);
  registerOp(I32_ADD);
  // Twice the element's size, out of the flag.
  loadField(I32_LOAD, CPU_EFLAGS);
  i32const(DF_BIT - w - 1);
  byte(I32_SHR_U);
  i32const(2 << w);
  byte(I32_AND);
  if (code64) byte(I64_EXTEND_U);
  registerOp(I32_SUB);
  setRegister(register);
}

function repeated(helper: u32, size: u32): void {
  const moved: u32 = (1 << RDI) | (1 << RCX) | (helper == HELPER_movs ? 1 << RSI : 0);
  storeRegisters(moved | (1 << RAX));
  beginType();
  addParameter(I32);
  addParameter(I64);
  const index = helperFunction(helper == HELPER_movs ? RUNTIME_COPY_RUN : RUNTIME_FILL_RUN, I32);
  i32const(size);
  i64const(code64 ? -1 : 0xffffffff);
  call(index);
  loadRegisters(moved);
  missIf();
}
