// What a region returns.

/** The guest goes on at CPU_RIP, or `fault` is set. */
export const WENT_ON: u32 = 0;
/** The interpreter is to execute the instruction at CPU_RIP. */
export const MISSED: u32 = 1;
/** The same, as the TLB does not have what the instruction accesses, or that does not lie in one page. */
export const UNMAPPED: u32 = 2;
