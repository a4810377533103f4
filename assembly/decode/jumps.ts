// The jump cache: from linear addresses to traces, for the address space and mode in its tags.
import { cpu } from "../cpu";
import { CPU_TRACES } from "../layout";

/** 16 bytes an entry {u64 linear address, u32 tag, u32 trace}. */
export const JUMP_CACHE = CPU_TRACES + 0x10000;
export const JUMP_ENTRIES: u32 = 8192;
export const JUMP_CACHE_SIZE: usize = 0x20000;

/** Empties the jump cache. */
export function forgetJumps(): void {
  memory.fill(cpu + JUMP_CACHE, 0, JUMP_CACHE_SIZE);
}
