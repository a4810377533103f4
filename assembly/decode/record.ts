// A decoded instruction: 16 bytes in a trace that its execution reads, and 16 more at COLD from there. Registers are named by their
// byte offset in the vCPU, so that the interpreter reads them with one addition; 8-bit registers by the offset of the very byte.
import { CPU_MODE, CPU_TRACE_RIP, MODE_CODE_MASK, MODE_CODE64 } from "../layout";
import { cpu } from "../cpu";
import { COLD } from "./trace-layout";

export {
  COLD, LINE, RECORD_SIZE, T_ROOM_NEXT, T_ROOM_END, T_GPA, T_HOST, T_LENGTH, T_MODE, T_HASH_NEXT, T_PAGE_NEXT, T_ENTRIES, T_JUMP, T_LOWEST, T_HIGHEST, T_REGION, T_ENTRY, T_DELTA, T_REGION_COUNT, T_FLAGS, T_UNMAPPED, T_TAKEN_IN, T_JOINED,
  T_FAR_MODE, T_FAR, T_FAR_GENERATION, T_FAR_TRACE, T_VALID, T_COUNT, T_TAKEN, T_FALL, T_RECORDS,
} from "./trace-layout";

/** u16: case of the interpreter's switch; of a group: CASE_GROUP times its number from 1, and the case in its switch. */
export const R_CASE: usize = 0;
/** u8 x 3: register operands: offsets of general registers, numbers of all others. */
export const R_R0: usize = 2;
export const R_R1: usize = 3;
/** u8: offsets of base and index register; CPU_ZERO where absent. */
export const R_BASE: usize = 4;
export const R_INDEX: usize = 5;
/** u8: log2 of the scale, and in the bits that a shift does not look at ADDRESS_*. */
export const R_SCALE: usize = 6;
/** u8: offset of the segment's base. */
export const R_SEGMENT: usize = 7;
/** i32: immediate, extended as its kind asks for; with R_WIDE i64, of which R_DISP is the upper half. */
export const R_IMM: usize = 8;
/** i32: displacement. */
export const R_DISP: usize = 12;
/** i32: R_NEXT of a relative transfer and of a record that ends a trace, which have no operand in memory. */
export const R_BEHIND: usize = R_DISP;

// The cold half.
/** u16: case of the interpreter's switch as the printed tables number it; u16: case in the group's switch. */
export const R_OP: usize = COLD;
export const R_SUB: usize = COLD + 2;
/** u8: length in bytes. */
export const R_LENGTH: usize = COLD + 4;
/** u8: PREFIX_* bits. */
export const R_PREFIX: usize = COLD + 5;
/** u16: offset of the instruction from the start of its trace, and of the next one. */
export const R_OFFSET: usize = COLD + 6;
export const R_NEXT: usize = COLD + 8;
export const R_R2: usize = COLD + 10;
/** u8: number of the memory operand's segment. */
export const R_SEGNO: usize = COLD + 11;
/** u8: 1: besides its memory operand it accesses the stack. */
export const R_STACK: usize = COLD + 12;
/** u8: 0: base + (index << scale) + disp + segment base is the linear address; EA_FLAT32: so it is in 32 bits; else EA_* bits. */
export const R_EA: usize = COLD + 13;
/** u8: 1: the immediate has 64 bits: there is neither a displacement nor a relative target. */
export const R_WIDE: usize = COLD + 14;

/** In R_SCALE where R_EA is EA_FLAT32, and where it is none of that and not 0. */
export const ADDRESS_FLAT32: u32 = 64;
export const ADDRESS_CHECKED: u32 = 128;
const SCALE_MASK: u32 = 3;

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
/** Its region, which is forced, is not in a module yet; it was met before (translate/waiting.ts). */
export const TRACE_WAITS: u32 = 4;
export const TRACE_SEEN: u32 = 8;
/** It is the head of a region that is not entered at it (translate/heads.ts). */
export const TRACE_PASSED: u32 = 16;
/** Its region was made as an earlier run made it, or could not be (translate/recipes.ts). */
export const TRACE_REMADE: u32 = 32;
/** It was executed beside a region that has it and is not entered at it (translate/joining.ts). */
export const TRACE_BESIDE: u32 = 64;

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

/** The same behind a relative transfer. */
// @ts-ignore: decorator
@inline export function ripBehind(pc: usize): u64 {
  const next = load<u64>(cpu, CPU_TRACE_RIP) + load<i32>(pc, R_BEHIND);
  return (load<u32>(cpu, CPU_MODE) & MODE_CODE_MASK) == MODE_CODE64 ? next : next & 0xffffffff;
}

/** log2 of the scale of a record's index. */
// @ts-ignore: decorator
@inline export function scaleOf(rec: usize): u32 {
  return load<u8>(rec, R_SCALE) & SCALE_MASK;
}

/** A record's immediate in 64 bits. */
// @ts-ignore: decorator
@inline export function immediateOf(rec: usize): i64 {
  return load<u8>(rec, R_WIDE) ? load<i64>(rec, R_IMM) : <i64>load<i32>(rec, R_IMM);
}

/** The address size of the record's implied operands: 0: 16, 1: 32, 2: 64 bits. */
export function addressSize(): u32 {
  return (load<u8>(record, R_PREFIX) >> PREFIX_ADDRESS_SHIFT) & 3;
}
