// A decoded instruction: 32 bytes in a trace. Registers are named by their byte offset in the vCPU, so that the
// interpreter reads them with one addition; 8-bit registers by the offset of the very byte.
import { CPU_MODE, CPU_TRACE_RIP, MODE_CODE_MASK, MODE_CODE64 } from "../layout";
import { cpu } from "../cpu";

export const RECORD_SIZE: usize = 32;
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

// A trace: header, then records. What is read and written each time it is entered lies right in front of the first record:
// where code is wide, most of the interpreter's time is the processor's waiting for memory.
/** u64: guest physical address of the first byte. */
export const T_GPA: usize = 0;
/** u32: host address of the first byte; u32: length in bytes. */
export const T_HOST: usize = 8;
export const T_LENGTH: usize = 12;
/** u32: mode word under MODE_DECODE_MASK. */
export const T_MODE: usize = 16;
/** u32: next trace in the hash chain; next trace on the same page. */
export const T_HASH_NEXT: usize = 20;
export const T_PAGE_NEXT: usize = 24;
/** u32: times entered while CPU_LOG has LOG_COUNT. */
export const T_ENTRIES: usize = 28;
/** u32[JUMPS_KEPT]: lower halves of the linear addresses that the computed jump at the end went to, the last one first. */
export const T_JUMP: usize = 32;
export const JUMPS_KEPT: u32 = 4;
/** Added to the address of T_JUMP where findTrace() takes one or that of a link. */
export const JUMPED: usize = 1;
/** i32: the least and the greatest displacement from the region's base that direct transfers in it lead to. */
export const T_LOWEST: usize = 48;
export const T_HIGHEST: usize = 52;
/** u32: slot of the region that it enters, 0: none; number of the entry; i32: displacement from the region's base. */
export const T_REGION: usize = 56;
export const T_ENTRY: usize = 60;
export const T_DELTA: usize = 64;
/** u32: instructions that the region may execute between two looks at the fuel. */
export const T_REGION_COUNT: usize = 68;
/** u32: TRACE_* bits. */
export const T_FLAGS: usize = 72;
/** u32: how often a region left before its first instruction because the TLB did not have what that accesses. */
export const T_UNMAPPED: usize = 76;
/** Where it went last if not to a trace on its own page (far-links.ts): u32 mode word, u64 address, u32 generation, u32 trace. */
export const T_FAR_MODE: usize = 92;
export const T_FAR: usize = 96;
export const T_FAR_GENERATION: usize = 104;
export const T_FAR_TRACE: usize = 108;
/** u32: 0: dropped, or the null trace at address 0; else its heat: how often it will be entered before the translator
 * looks at it. At HOT (1) it is entered through the dispatcher only, which looks. */
export const T_VALID: usize = 112;
/** u32: instructions. */
export const T_COUNT: usize = 116;
/** u32: traces that follow on the same page: branch taken, and next in line. */
export const T_TAKEN: usize = 120;
export const T_FALL: usize = 124;
export const T_RECORDS: usize = 128;
/** A computed jump or return went to it. */
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
