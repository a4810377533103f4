// A decoded instruction: 32 bytes in a trace. Registers are named by their byte offset in the vCPU, so that the
// interpreter reads them with one addition; 8-bit registers by the offset of the very byte.
import { CPU_MODE, CPU_TRACE_RIP, MODE_CODE_MASK, MODE_CODE64 } from "../layout";
import { cpu } from "../cpu";

export {
  RECORD_SIZE, T_GPA, T_HOST, T_LENGTH, T_MODE, T_HASH_NEXT, T_PAGE_NEXT, T_ENTRIES, T_JUMP, T_LOWEST, T_HIGHEST, T_REGION, T_ENTRY, T_DELTA, T_REGION_COUNT, T_FLAGS, T_UNMAPPED,
  T_FAR_MODE, T_FAR, T_FAR_GENERATION, T_FAR_TRACE, T_VALID, T_COUNT, T_TAKEN, T_FALL, T_RECORDS,
} from "./trace-layout";

/** u16: case of the interpreter's switch; u16: case in the group's switch. */
export const R_OP: usize = 0;
export const R_SUB: usize = 2;
/** u8: length in bytes. */
export const R_LENGTH: usize = 4;
/** u8: PREFIX_* bits. */
export const R_PREFIX: usize = 5;
/** u16: offset of the instruction from the start of its trace. */
export const R_OFFSET: usize = 6;
/** u8 x 3: register operands: offsets of general registers, numbers of all others. */
export const R_R0: usize = 8;
export const R_R1: usize = 9;
/** u8: offsets of base and index register; CPU_ZERO where absent. */
export const R_BASE: usize = 10;
export const R_INDEX: usize = 11;
/** u8: log2 of the scale. */
export const R_SCALE: usize = 12;
/** u8: offset of the segment's base. */
export const R_SEGMENT: usize = 13;
export const R_R2: usize = 14;
/** u8: 0: base + (index << scale) + disp + segment base is the linear address; EA_FLAT32: so it is in 32 bits; else EA_* bits. */
export const R_EA: usize = 15;
/** i32. */
export const R_DISP: usize = 16;
/** u16: offset of the next instruction from the start of the trace. */
export const R_NEXT: usize = 20;
/** u8: number of the memory operand's segment. */
export const R_SEGNO: usize = 22;
/** u8: 1: besides its memory operand it accesses the stack. */
export const R_STACK: usize = 23;
/** i64: immediate, extended as its kind asks for. */
export const R_IMM: usize = 24;

export const EA_CHECKED: u32 = 1;
/** Address size: 2 bits from bit 1: 0: 16, 1: 32, 2: 64. */
export const EA_SIZE_SHIFT: u32 = 1;
/** An address size of 32 in a flat segment, and nothing to check. */
export const EA_FLAT32: u32 = 1 << EA_SIZE_SHIFT;
/** The offset is the immediate (MOV moffs). */
export const EA_MOFFS: u32 = 8;
/** Relative to the next instruction: R_NEXT is to be added. */
export const EA_RIP: u32 = 16;

export const PREFIX_REP: u32 = 1;
export const PREFIX_REPNE: u32 = 2;
export const PREFIX_LOCK: u32 = 4;
export const PREFIX_OPSIZE: u32 = 8;
/** Address size as in EA_SIZE_SHIFT, for instructions with implied memory operands. */
export const PREFIX_ADDRESS_SHIFT: u32 = 4;
export const PREFIX_REX_W: u32 = 64;

/** Targets that a trace keeps in T_JUMP. */
export const JUMPS_KEPT: u32 = 4;
/** Added to the address of T_JUMP where findTrace() takes one or that of a link. */
export const JUMPED: usize = 1;
/** In T_FLAGS: a computed jump or return went to it. */
export const TRACE_ENTERED: u32 = 1;
/** Its region has several pages. */
export const TRACE_PAGES: u32 = 2;

/** The record that a group's helper works on, for those that look at prefixes and segments. */
export let record: usize = 0;

export function setRecord(at: usize): void {
  record = at;
}

/** Address of the next instruction, in the size of the code segment. */
export function nextRip(pc: usize): u64 {
  const next = load<u64>(cpu, CPU_TRACE_RIP) + load<u16>(pc, R_NEXT);
  return (load<u32>(cpu, CPU_MODE) & MODE_CODE_MASK) == MODE_CODE64 ? next : next & 0xffffffff;
}

/** The address size of the record's implied operands: 0: 16, 1: 32, 2: 64 bits. */
export function addressSize(): u32 {
  return (load<u8>(record, R_PREFIX) >> PREFIX_ADDRESS_SHIFT) & 3;
}
