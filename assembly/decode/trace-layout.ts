// Where what lies in a trace. As of assembly/layout.ts, two compilers read this file: asc, and that of the bench, which adds up
// traces from outside (bench/trace-counts.ts). So it holds nothing but integer constants.
import { CPU_ARENA, CPU_TRANSLATE } from "../layout.ts";

/** From what the interpreter reads each time that it executes a trace to the rest of the same trace or record: two halves of the
 * arena of traces (CPU_ARENA), so that one line of the host's cache has twice as many instructions. */
export const COLD = (CPU_TRANSLATE - CPU_ARENA) / 2;

/** Bytes of a decoded instruction in either half (record.ts). */
export const RECORD_SIZE = 16;
/** Bytes of a line of the host's cache. A line begins with the second half of each trace's header. */
export const LINE = 64;

// A trace: header, then records. What is read and written each time that it is entered lies right in front of the first record:
// where code is wide, most of the interpreter's time is the processor's waiting for memory.
/** u64: guest physical address of the first byte. */
export const T_GPA = 0;
/** u32: next trace in the hash chain. */
export const T_HASH_NEXT = 8;
/** u32: slot of the region that it enters, 0: none; number of the entry; i32: displacement from the region's base. */
export const T_REGION = 12;
export const T_ENTRY = 16;
export const T_DELTA = 20;
/** u32: instructions that the region may execute between two looks at the fuel. */
export const T_REGION_COUNT = 24;
/** u16: mode word under MODE_DECODE_MASK. */
export const T_MODE = 28;
/** u16: TRACE_* bits. */
export const T_FLAGS = 30;
/** Where it went last if not to a trace on its own page (far-links.ts): u64 address, u32 generation, u32 trace; u16 mode word. */
export const T_FAR = 32;
export const T_FAR_GENERATION = 40;
export const T_FAR_TRACE = 44;
export const T_FAR_MODE = 62;
/** u32: 0: dropped, or the null trace at address 0; else its heat: how often it will be entered before the translator
 * looks at it. At HOT (1) it is entered through the dispatcher only, which looks. */
export const T_VALID = 48;
/** u32: traces that follow on the same page: branch taken, and next in line. */
export const T_TAKEN = 52;
export const T_FALL = 56;
/** u16: instructions. */
export const T_COUNT = 60;
export const T_RECORDS = 64;

// The cold half of the header.
/** u32: host address of the first byte; u32: length in bytes. */
export const T_HOST = COLD;
export const T_LENGTH = COLD + 4;
/** Of free room, which has a header of no instructions: u32 the next free room; u32 the address where it ends. */
export const T_ROOM_NEXT = T_HASH_NEXT;
export const T_ROOM_END = T_HOST;
/** u32: next trace on the same page. */
export const T_PAGE_NEXT = COLD + 8;
/** u32: times entered while CPU_LOG has LOG_COUNT. */
export const T_ENTRIES = COLD + 12;
/** u32[JUMPS_KEPT]: how far behind the trace's first byte the computed jump at the end went, the last time first, so that it holds
 * wherever the code is mapped; complemented, and 0 where it did not go so often. */
export const T_JUMP = COLD + 16;
/** i32: the least and the greatest displacement from the region's base that direct transfers in it lead to. */
export const T_LOWEST = COLD + 32;
export const T_HIGHEST = COLD + 36;
/** u32: how often a region left before its first instruction because the TLB did not have what that accesses. */
export const T_UNMAPPED = COLD + 40;
/** u32: slot of the region that it was taken into last (translate/joining.ts). */
export const T_TAKEN_IN = COLD + 44;
/** u32: how often it was to be taken into a region made anew. */
export const T_JOINED = COLD + 48;
