// Addresses of memory operands in translated code. Flat segments add nothing to an offset; others are asked how far they
// may be gone into, and what is beyond that is for the interpreter. SDM volume 1, section 3.7.5; volume 3, chapter 5.
import { SEG_CS, SEG_FS } from "../cpu";
import { EA_MOFFS, EA_RIP, EA_SIZE_SHIFT, immediateOf, R_BASE, R_DISP, R_EA, R_INDEX, R_SEGMENT, R_SEGNO, scaleOf } from "../decode/record";
import { CPU_SEG_BASE, CPU_SEG_READABLE, CPU_SEG_WRITABLE, CPU_TRACE_RIP, CPU_ZERO } from "../layout";
import { code64, flat } from "./code-mode";
import { missIf } from "./leave";
import { L_BASE, registerLocal, temp } from "./locals";
import { traceDelta } from "./memory-access";
import { I32_ADD, I32_AND, I32_SHL, I32_WRAP, I64_ADD, I64_AND, I64_EXTEND_U, I64_GT_U, I64_LOAD, I64_SHL } from "./opcodes";
import { loadField } from "./state";
import { byte, I64, i32const, i64const, localGet, localTee } from "./writer";

const SIZE_64: u32 = 2;
const SIZE_16: u32 = 0;

/** Address size of a record's memory operand: 0: 16, 1: 32, 2: 64 bits. */
function sizeOf(rec: usize): u32 {
  const how = <u32>load<u8>(rec, R_EA);
  return how ? (how >> EA_SIZE_SHIFT) & 3 : SIZE_64;
}

/** Whether the address of a record's memory operand can be computed in line; `write`: for an access that writes. */
export function isPlainAddress(rec: usize, write: bool): bool {
  if (load<u8>(rec, R_EA) & EA_RIP) return false;
  // A flat code segment is not writable.
  return code64 || !flat || !write || <i32>load<u8>(rec, R_SEGNO) != SEG_CS;
}

/** Pushes the offset of a record's memory operand in its segment, as i64, cut to its address size. */
export function pushOffset(rec: usize): void {
  const size = sizeOf(rec);
  if (load<u8>(rec, R_EA) & EA_MOFFS) i64const(immediateOf(rec) & (size == SIZE_64 ? -1 : size == SIZE_16 ? 0xffff : 0xffffffff));
  else if (size == SIZE_64) pushWideOffset(rec);
  else pushNarrowOffset(rec, size);
}

/** base + (index << scale) + displacement in 64 bits. */
function pushWideOffset(rec: usize): void {
  const base = <u32>load<u8>(rec, R_BASE);
  const index = <u32>load<u8>(rec, R_INDEX);
  let displacement = <i64>load<i32>(rec, R_DISP);
  let terms = 0;
  if (base == CPU_TRACE_RIP) {
    localGet(L_BASE);
    displacement += traceDelta;
    terms++;
  } else if (base != CPU_ZERO) {
    localGet(registerLocal(base >> 3));
    terms++;
  }
  if (index != CPU_ZERO) {
    localGet(registerLocal(index >> 3));
    const scale = scaleOf(rec);
    if (scale) {
      i64const(scale);
      byte(I64_SHL);
    }
    if (terms++) byte(I64_ADD);
  }
  if (displacement || !terms) {
    i64const(displacement);
    if (terms) byte(I64_ADD);
  }
}

function pushNarrow(register: u32): void {
  localGet(registerLocal(register));
  if (code64) byte(I32_WRAP);
}

/** The same in 32 bits, of which an address size of 16 has the lower half. */
function pushNarrowOffset(rec: usize, size: u32): void {
  const base = <u32>load<u8>(rec, R_BASE);
  const index = <u32>load<u8>(rec, R_INDEX);
  const displacement = load<i32>(rec, R_DISP);
  if (base == CPU_ZERO && index == CPU_ZERO) return i64const(<i64>displacement & (size == SIZE_16 ? 0xffff : 0xffffffff));
  let terms = 0;
  if (base != CPU_ZERO) {
    pushNarrow(base >> 3);
    terms++;
  }
  if (index != CPU_ZERO) {
    pushNarrow(index >> 3);
    const scale = scaleOf(rec);
    if (scale) {
      i32const(scale);
      byte(I32_SHL);
    }
    if (terms++) byte(I32_ADD);
  }
  if (displacement) {
    i32const(displacement);
    byte(I32_ADD);
  }
  if (size == SIZE_16) {
    i32const(0xffff);
    byte(I32_AND);
  }
  byte(I64_EXTEND_U);
}

/** Cuts the sum on the stack, of an offset and something else, to a record's address size. */
export function cutToAddressSize(rec: usize): void {
  const size = sizeOf(rec);
  if (size == SIZE_64) return;
  i64const(size == SIZE_16 ? 0xffff : 0xffffffff);
  byte(I64_AND);
}

/** Replaces the offset on the stack by the linear address of `bytes` bytes there in a record's segment. */
export function toLinear(rec: usize, bytes: u32, write: bool): void {
  if (code64) {
    const segment = <u32>load<u8>(rec, R_SEGMENT);
    if (segment == CPU_ZERO) return;
    loadField(I64_LOAD, segment);
    byte(I64_ADD);
  } else toSegment(load<u8>(rec, R_SEGNO), bytes, write);
}

/** The same for segment number `seg`, outside 64-bit code. */
export function toSegment(seg: i32, bytes: u32, write: bool): void {
  if (flat && seg < SEG_FS) return;
  const offset = temp(I64);
  localTee(offset);
  // A line that is flushed counts as a byte.
  i64const(max<u32>(bytes, 1));
  byte(I64_ADD);
  loadField(I64_LOAD, (write ? CPU_SEG_WRITABLE : CPU_SEG_READABLE) + (<usize>seg << 3));
  byte(I64_GT_U);
  missIf();
  localGet(offset);
  loadField(I64_LOAD, CPU_SEG_BASE + (<usize>seg << 3));
  byte(I64_ADD);
  i64const(0xffffffff);
  byte(I64_AND);
}

/** Pushes the linear address of `bytes` bytes at a record's memory operand. */
export function pushAddress(rec: usize, bytes: u32, write: bool): void {
  pushOffset(rec);
  toLinear(rec, bytes, write);
}
