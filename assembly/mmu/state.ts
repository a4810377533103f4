// The MMU's own bookkeeping of one vCPU: what lies in its CPU_MMU area. Offsets are from the
// vCPU's base, as those of layout.ts are.
import { CPU_MMU, TLB_CLASSES, TLB_CONTEXTS, TLB_ENTRIES } from "../layout";

/** u32: TLB context in use (0 without PCID). */
export const MMU_CONTEXT = CPU_MMU;
/** u32: access class in use (CLASS_*). */
export const MMU_CLASS = MMU_CONTEXT + 4;
/** u64: address bits above MAXPHYADDR, up to bit 51: reserved in every paging-structure entry. */
export const MMU_RESERVED = MMU_CLASS + 4;
/** u32: LARGE_*: which large pages this processor model has. */
export const MMU_LARGE = MMU_RESERVED + 8;
/** u32: counts CR3 loads, to find the context that was not used for the longest time. */
export const MMU_CLOCK = MMU_LARGE + 4;
/** u32: 1 while run() executes guest instructions (mmu/shootdown.ts). */
export const MMU_IN_GUEST = MMU_CLOCK + 4;
/** u64[4]: the PDPTE registers of PAE paging (SDM volume 3, 4.4.1). */
export const MMU_PDPTE = (MMU_IN_GUEST + 4 + 7) & ~7;
/** u64[8]: the entries of the last walk, from the top: guest physical address and value of each. */
export const MMU_WALK = MMU_PDPTE + 32;

/** u32: globalGeneration of this vCPU. */
export const MMU_GLOBAL_GENERATION = MMU_WALK + 64;

/** Bits of the mode in a tag of the jump cache (decode/jumps.ts), and one for what lies in global pages; contextGeneration, or
 * globalGeneration for those, stands above them. So what the kernel executes stays known when it goes to another process. */
export const TAG_MODE_BITS: u32 = 12;
export const TAG_GLOBAL: u32 = 1 << (TAG_MODE_BITS - 1);
/** u32 each: the tags, but for the mode, of what is known in this address space and in global pages; TAG_NONE: nothing is. */
export const MMU_TAG = MMU_GLOBAL_GENERATION + 8;
export const MMU_GLOBAL_TAG = MMU_TAG + 4;
/** u32 each: what of contextGeneration and of globalGeneration tags do not have room for, as the whole jump cache has it. */
export const MMU_TAG_EPOCH = MMU_GLOBAL_TAG + 4;
export const MMU_GLOBAL_TAG_EPOCH = MMU_TAG_EPOCH + 4;
/** u32: what the global tlb is: translated code would go through two pointers for that. */
export const MMU_TLB = MMU_GLOBAL_TAG_EPOCH + 4;
/** No two modes differ in all of their bits. */
export const TAG_NONE: u32 = TAG_GLOBAL - 1;

/** TLB_CONTEXTS records of CONTEXT_SIZE bytes. */
export const MMU_CONTEXTS = CPU_MMU + 0x1000;
export const CONTEXT_SIZE = 0x1000;
/** u32: PCID whose translations are here, or CONTEXT_FREE. */
export const CONTEXT_PCID = 0;
/** u32: MMU_CLOCK when it was last used. */
export const CONTEXT_STAMP = 4;
/** u32: what contextGeneration is while this context is in use. */
export const CONTEXT_GENERATION = 8;
/** u32: how many of CONTEXT_LIST are not of global pages; above FILL_LIST_MAX: the list is incomplete. */
export const CONTEXT_FILLS = 12;
/** The large pages of which a 4 KiB piece may be in the TLB: a set (page-set.ts). A kernel uses hundreds, and of a page that
 * may be one INVLPG has to look for every piece. */
export const CONTEXT_LARGE = 16;
export const LARGE_BITS: u32 = 8192;
/** The pages that the jump cache depends on (executed.ts), at the end of the contexts' records: a set (page-set.ts). */
export const MMU_EXECUTED = MMU_CONTEXTS + TLB_CONTEXTS * CONTEXT_SIZE;
export const EXECUTED_BITS: u32 = 65536;
/** The same for those of them that are global. */
export const MMU_EXECUTED_GLOBAL = MMU_EXECUTED + (EXECUTED_BITS >> 3);
/** u32: how many pages are in the former. */
export const MMU_EXECUTED_COUNT = MMU_GLOBAL_GENERATION + 4;
/** Host pages that held code a moment ago (recent-code.ts), 8 bytes each. */
export const MMU_RECENT_CODE = MMU_EXECUTED_GLOBAL + (EXECUTED_BITS >> 3);
export const RECENT_CODE: u32 = 256;
/** u16[FILL_LIST_MAX]: numbers (class * TLB_ENTRIES + index) of the entries in use: those of global pages from the end downwards, so
 * that a CR3 load, which leaves them, looks at the others alone. */
export const CONTEXT_LIST = CONTEXT_LARGE + 1024;
export const FILL_LIST_MAX: u32 = 1524;
/** u32: sizes of the pages in CONTEXT_LARGE, a bit each by their log2. Without it, a program of whose addresses the hash for a size that
 * nobody uses meets that of a large page would have all entries gone through at each INVLPG. */
export const CONTEXT_SIZES = CONTEXT_LIST + (FILL_LIST_MAX << 1);
/** u32: how many of CONTEXT_LIST are of global pages. */
export const CONTEXT_GLOBAL_FILLS = CONTEXT_SIZES + 4;
export const CONTEXT_FREE: u32 = 0xffffffff;
export const CONTEXT_ENTRIES: u32 = TLB_CLASSES * TLB_ENTRIES;
export const CONTEXTS: u32 = TLB_CONTEXTS;

/** Access classes: CPL 3; CPL 0-2 where SMAP keeps user pages out; CPL 0-2 where nothing does. */
export const CLASS_USER: i32 = 0;
export const CLASS_KERNEL_SMAP: i32 = 1;
export const CLASS_KERNEL: i32 = 2;

/** 1 GiB pages (CPUID 80000001 EDX 26). */
export const LARGE_1G: u32 = 1;
/** Physical addresses above 4 GiB in 4 MiB pages (CPUID 1 EDX 17). */
export const LARGE_PSE36: u32 = 2;
