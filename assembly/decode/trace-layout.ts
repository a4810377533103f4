// Where what lies in a trace. As of assembly/layout.ts, two compilers read this file: asc, and that of the bench, which adds up
// traces from outside (bench/trace-counts.ts). So it holds nothing but integer constants.

/** Bytes of a decoded instruction (record.ts). */
export const RECORD_SIZE = 32;

// A trace: header, then records. What is read and written each time it is entered lies right in front of the first record:
// where code is wide, most of the interpreter's time is the processor's waiting for memory.
/** u64: guest physical address of the first byte. */
export const T_GPA = 0;
/** u32: host address of the first byte; u32: length in bytes. */
export const T_HOST = 8;
export const T_LENGTH = 12;
/** u32: mode word under MODE_DECODE_MASK. */
export const T_MODE = 16;
/** u32: next trace in the hash chain; next trace on the same page. */
export const T_HASH_NEXT = 20;
export const T_PAGE_NEXT = 24;
/** u32: times entered while CPU_LOG has LOG_COUNT. */
export const T_ENTRIES = 28;
/** u32[JUMPS_KEPT]: how far behind the trace's first byte the computed jump at the end went, the last time first, so that it holds
 * wherever the code is mapped; complemented, and 0 where it did not go so often. */
export const T_JUMP = 32;
/** i32: the least and the greatest displacement from the region's base that direct transfers in it lead to. */
export const T_LOWEST = 48;
export const T_HIGHEST = 52;
/** u32: slot of the region that it enters, 0: none; number of the entry; i32: displacement from the region's base. */
export const T_REGION = 56;
export const T_ENTRY = 60;
export const T_DELTA = 64;
/** u32: instructions that the region may execute between two looks at the fuel. */
export const T_REGION_COUNT = 68;
/** u32: TRACE_* bits. */
export const T_FLAGS = 72;
/** u32: how often a region left before its first instruction because the TLB did not have what that accesses. */
export const T_UNMAPPED = 76;
/** Where it went last if not to a trace on its own page (far-links.ts): u32 mode word, u64 address, u32 generation, u32 trace. */
export const T_FAR_MODE = 92;
export const T_FAR = 96;
export const T_FAR_GENERATION = 104;
export const T_FAR_TRACE = 108;
/** u32: 0: dropped, or the null trace at address 0; else its heat: how often it will be entered before the translator
 * looks at it. At HOT (1) it is entered through the dispatcher only, which looks. */
export const T_VALID = 112;
/** u32: instructions. */
export const T_COUNT = 116;
/** u32: traces that follow on the same page: branch taken, and next in line. */
export const T_TAKEN = 120;
export const T_FALL = 124;
export const T_RECORDS = 128;
