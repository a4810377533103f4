// The translator's part of a vCPU's area: what it works with while a region is built, and the batch that waits to
// become a module. Offsets from the vCPU's base.
import { CPU_TRANSLATE } from "../layout";

/** u32: regions in the batch; u32: bytes of their functions; u32: where the search for a free slot begins. */
export const TR_BATCH_COUNT = CPU_TRANSLATE;
export const TR_BATCH_END = TR_BATCH_COUNT + 4;
export const TR_NEXT_SLOT = TR_BATCH_END + 4;
/** u32: bytes of TR_NOTES in use. */
export const TR_NOTES_END = TR_NEXT_SLOT + 4;
/** u32: pages of regions in use (regions.ts). */
export const TR_REGION_PAGES_USED = TR_NOTES_END + 4;
/** u32: modules that exist (modules.ts). */
export const TR_MODULES = TR_REGION_PAGES_USED + 4;
/** u32: bytes of TR_HINTS in use. */
export const TR_HINTS_END = TR_MODULES + 4;
/** u32: instructions of the batch's regions that were interpreted while they waited (waiting.ts). */
export const TR_BATCH_INTERPRETED = TR_HINTS_END + 4;
/** u32: bytes of TR_POOLS in use (pools.ts). */
export const TR_POOLS_USED = TR_BATCH_INTERPRETED + 4;
/** u32: helpers that the batch imports; then their numbers, u32 each. */
export const TR_HELPERS_USED = CPU_TRANSLATE + 0x100;
export const HELPERS_MAX: u32 = 190;
/** u32 a region of the batch: its slot. */
export const TR_BATCH_SLOTS = CPU_TRANSLATE + 0x700;
/** Function types of the batch, 16 bytes each: u8 count of parameters, u8 result or 0, then the parameters. u32 count first. */
export const TR_TYPES_USED = CPU_TRANSLATE + 0x800;
export const TYPES_MAX: u32 = 60;
/** The x87's registers as translated code has them while they are not in its locals (x87/runtime.ts): u64 significand,
 * u32 sign and exponent, 16 bytes each; by how much physical registers are turned; what arithmetic leaves beside its result. */
export const TR_X87_WINDOW = CPU_TRANSLATE + 0xc00;
export const TR_X87_TURN = TR_X87_WINDOW + 128;
export const TR_X87_RESULT = TR_X87_TURN + 4;
/** u8 a block of the region being built: slot of ST(0) where it begins (x87/plan.ts). */
export const TR_X87_TOPS = TR_X87_RESULT + 4;
/** Two vectors that floating point is asked with, and u32 whether native floating point is exact (float/checks.ts). */
export const TR_FLOAT_CONSTANTS = CPU_TRANSLATE + 0xcd0;
/** Windows of the running region, 16 bytes each for reads and for writes: u64 page, u32 what is to be added to addresses in it. */
export const TR_WINDOW_PAGES = CPU_TRANSLATE + 0xd00;
// CPU_SPAN_MISSED lies at CPU_TRANSLATE + 0xe00, CPU_PAGES_NOTED at CPU_TRANSLATE + 0xf00.
/** Pages of the region being built, PAGE_SIZE bytes each. */
export const TR_PAGES = CPU_TRANSLATE + 0x1000;
export const PAGES_MAX: i32 = 7;
/** A bit for each byte of those pages: a block begins there. */
export const TR_LEADERS = CPU_TRANSLATE + 0x1200;
/** Blocks of the region, in the order of their discovery. */
export const TR_BLOCKS = CPU_TRANSLATE + 0x2000;
export const BLOCKS_MAX: i32 = 60;
export const BLOCK_SIZE: usize = 80;
/** i32[64]: numbers of blocks in the order of emission. */
export const TR_ORDER = CPU_TRANSLATE + 0x3400;
/** Scopes of the function's text, 16 bytes each. */
export const TR_SCOPES = TR_ORDER + 256;
export const SCOPES_MAX: i32 = 160;
/** u32: numbers of the scopes that are open where code is being emitted. */
export const TR_OPEN = CPU_TRANSLATE + 0x4000;
/** u8 an instruction of a block: status flags that somebody may look at after it. */
export const TR_LIVE = CPU_TRANSLATE + 0x4400;
/** i32[64]: entries of the region in the order of their displacements. */
export const TR_SORTED = CPU_TRANSLATE + 0x4c00;
/** u32 a window of the region being emitted: its key (windows.ts). */
export const TR_WINDOWS = CPU_TRANSLATE + 0x4e00;
export const WINDOWS_MAX: u32 = 8;
/** Locals of what can be undone (undo.ts); operations that are asked together (float/group.ts). */
export const TR_UNDO = CPU_TRANSLATE + 0x4e40;
export const TR_GROUP = CPU_TRANSLATE + 0x4f00;
/** Values of the instruction being emitted, 16 bytes each. */
export const TR_VALUES = CPU_TRANSLATE + 0x5000;
/** u8 a local: its type; then, u16 each, the temporaries of each type. */
export const TR_LOCAL_TYPES = CPU_TRANSLATE + 0x6000;
export const LOCALS_MAX: u32 = 1000;
export const TR_TEMPS = CPU_TRANSLATE + 0x6400;
export const TEMPS_MAX: u32 = 128;
export const BATCH_MAX: u32 = 64;
/** A bit for each decision that the region being made was given (decisions.ts). */
export const TR_DECISIONS = CPU_TRANSLATE + 0x7000;
export const DECISIONS_MAX = 4096;
/** What is to be done once the batch is a module (batch.ts). */
export const TR_NOTES = CPU_TRANSLATE + 0x8000;
export const NOTES_SIZE: u32 = 0x8000;
/** Heads of chains of region pages by host page; then the pages, REGION_PAGE bytes each (regions.ts). */
export const TR_REGION_HEADS = CPU_TRANSLATE + 0x10000;
export const REGION_HEADS: usize = 4096;
export const TR_REGION_PAGES = TR_REGION_HEADS + REGION_HEADS * 4;
export const REGION_PAGES_MAX: u32 = 49152;
export const REGION_PAGE: usize = 32;
/** The pools of regions (pools.ts). */
export const TR_POOLS = TR_REGION_PAGES + <usize>REGION_PAGES_MAX * REGION_PAGE;
export const POOLS_SIZE: u32 = 0x70000;
/** A slot of the function table each (slots.ts): u8 SLOT_* bits; u16 the module; u32 the region's first page; u32 its pool. */
export const SLOTS_MAX: u32 = 16384;
export const TR_SLOTS = TR_POOLS + POOLS_SIZE;
export const TR_SLOT_MODULE = TR_SLOTS + <usize>SLOTS_MAX;
export const TR_SLOT_PAGES = TR_SLOT_MODULE + <usize>SLOTS_MAX * 2;
export const TR_SLOT_POOL = TR_SLOT_PAGES + <usize>SLOTS_MAX * 4;
export const MODULES_MAX: u32 = 4096;
/** The function being emitted. */
export const TR_BODY = TR_SLOT_POOL + <usize>SLOTS_MAX * 4;
export const TR_BODY_SIZE: usize = 0x40000;
/** In its place, while none is and verify=on (verify.ts): the vCPU's registers before a region and after it; 16 pages as
 * they were before it, and as it left them. */
export const TR_VERIFY_BEFORE = TR_BODY;
export const TR_VERIFY_AFTER = TR_VERIFY_BEFORE + 0x2000;
export const TR_VERIFY_KEPT = TR_VERIFY_AFTER + 0x2000;
export const TR_VERIFY_WRITTEN = TR_VERIFY_KEPT + 0x10000;
/** Finished functions of the batch. */
export const TR_CODE = TR_BODY + TR_BODY_SIZE;
export const TR_CODE_SIZE: usize = 0x80000;
/** The module handed to the host. */
export const TR_MODULE = TR_CODE + TR_CODE_SIZE;
/** What lies close together in the region being built (spans.ts): spans, accesses, u16 each where a record's accesses are; and
 * where addresses come from (symbols.ts): registers, values, sums of registers. */
export const TR_SPANS = CPU_TRANSLATE + 0x38c000;
export const SPAN_GROUPS_MAX: u32 = 1000;
export const TR_SPAN_ACCESSES = TR_SPANS + <usize>SPAN_GROUPS_MAX * 32;
export const SPAN_ACCESSES_MAX: u32 = 1000;
export const TR_SPAN_HASHES = TR_SPAN_ACCESSES + <usize>SPAN_ACCESSES_MAX * 16;
export const SPAN_HASHES: u32 = 2048;
export const TR_SPAN_REGISTERS = TR_SPAN_HASHES + <usize>SPAN_HASHES * 2;
export const TR_SPAN_VALUES = TR_SPAN_REGISTERS + 16 * 16;
export const TR_SPAN_ROOTS = TR_SPAN_VALUES + 256 * 16;
/** Places whose spans lie in two pages (straddles.ts): u32 how often; u32 when. */
export const TR_STRADDLES = TR_SPAN_ROOTS + 64 * 16;
export const STRADDLES: u32 = 1024;
/** u32 each: where the function being emitted has an unlikely branch (hints.ts). */
export const TR_UNLIKELY = CPU_TRANSLATE + 0x3a0000;
export const UNLIKELY_MAX: u32 = 0x2000;
/** The same for the batch: for each function u32 count, then u32 offsets. */
export const TR_HINTS = TR_UNLIKELY + <usize>UNLIKELY_MAX * 4;
export const TR_HINTS_SIZE: u32 = 0x18000;
