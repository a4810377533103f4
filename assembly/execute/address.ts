// Addresses of memory operands. In flat 64-bit code most are a sum of four loads; everything else is looked at here.
// SDM volume 1, section 3.7.5; volume 3, chapter 5.
import { EA_MOFFS, EA_RIP, EA_SIZE_SHIFT, R_BASE, R_DISP, R_EA, R_IMM, R_INDEX, R_NEXT, R_SCALE, R_SEGMENT, R_SEGNO } from "../decode/record";
import { CPU_MODE, CPU_SEG_READABLE, CPU_SEG_WRITABLE, MODE_CODE64, MODE_CODE_MASK, MODE_FLAT } from "../layout";
import { cpu, SEG_CS, SEG_FS, segBase } from "../cpu";
import { linearChecked } from "./segments";

/** Offset of a memory operand with no address-size masking to do. */
// @ts-ignore: decorator
@inline export function offsetSimple(c: usize, pc: usize): u64 {
  return load<u64>(c + load<u8>(pc, R_BASE)) + (load<u64>(c + load<u8>(pc, R_INDEX)) << <u64>load<u8>(pc, R_SCALE)) + <u64>load<i32>(pc, R_DISP);
}

/** Linear address of a memory operand that needs no checks. */
// @ts-ignore: decorator
@inline export function addressSimple(c: usize, pc: usize): u64 {
  return offsetSimple(c, pc) + load<u64>(c + load<u8>(pc, R_SEGMENT));
}

/** Linear address of a memory operand of 32 bits in a flat segment. */
// @ts-ignore: decorator
@inline export function addressFlat32(c: usize, pc: usize): u64 {
  return <u64><u32>offsetSimple(c, pc);
}

/** Cuts an offset to an address size (0: 16, 1: 32, 2: 64 bits). */
export function cutOffset(offset: u64, size: u32): u64 {
  return size == 2 ? offset : size == 1 ? offset & 0xffffffff : offset & 0xffff;
}

/** Offset of any memory operand in its segment. */
export function offsetChecked(pc: usize): u64 {
  const flags = <u32>load<u8>(pc, R_EA);
  if (!flags) return offsetSimple(cpu, pc);
  let offset = flags & EA_MOFFS ? load<u64>(pc, R_IMM) : offsetSimple(cpu, pc);
  if (flags & EA_RIP) offset += load<u16>(pc, R_NEXT);
  return cutOffset(offset, (flags >> EA_SIZE_SHIFT) & 3);
}

/** Linear address of any memory operand, displaced by delta bytes, after the checks of its segment for an access of
 * `bytes`; sets fault (#GP or #SS) where they fail. */
export function addressChecked(pc: usize, bytes: i32, write: bool, delta: u64): u64 {
  let offset = offsetChecked(pc);
  if (delta) offset = cutOffset(offset + delta, (load<u8>(pc, R_EA) >> EA_SIZE_SHIFT) & 3);
  return linear(load<u8>(pc, R_SEGNO), offset, bytes, write);
}

/** Linear address of an offset in a segment, checked for an access of `bytes`. */
export function linear(seg: i32, offset: u64, bytes: i32, write: bool): u64 {
  const mode = load<u32>(cpu, CPU_MODE);
  if ((mode & MODE_CODE_MASK) == MODE_CODE64) return seg >= SEG_FS ? offset + segBase(seg) : offset;
  // Flat segments have no base, and no limit to exceed but the end of the address space.
  if (mode & MODE_FLAT && seg < SEG_FS && offset + bytes <= 0x100000000 && !(write && seg == SEG_CS)) return offset;
  if (seg >= SEG_FS && offset + max(bytes, 1) <= load<u64>(cpu + (write ? CPU_SEG_WRITABLE : CPU_SEG_READABLE) + (<usize>seg << 3))) return (offset + segBase(seg)) & 0xffffffff;
  return linearChecked(seg, offset, bytes, write);
}
