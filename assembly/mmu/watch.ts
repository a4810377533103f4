// Data breakpoints: a page under one has no read and write tags, so that every access to it comes here
// once it is done. Whoever changes debug registers drops the TLB.
import { cpu } from "../cpu";
import { checkDataBreakpoint, watchesPage } from "../execute/debug";
import { requestSlice } from "../execute/request";
import { CPU_DR, CPU_GUEST_DR } from "../layout";

const DR7 = 7 * 8;
const DR7_ENABLES: u64 = 0xff;

/** True: a data breakpoint lies in the page at linear address `page`. */
// @ts-ignore: decorator
@inline export function isWatched(page: u64): bool {
  return anyBreakpoint() && watchesPage(page);
}

/** After an access of the running instruction to data: has the run loop trap if a breakpoint covers it. */
// @ts-ignore: decorator
@inline export function noteAccess(va: u64, size: i32, write: bool): void {
  if (anyBreakpoint() && checkDataBreakpoint(va, size, write)) requestSlice();
}

/** The guest's or the host's DR7 enables something: a cheap first question. */
// @ts-ignore: decorator
@inline function anyBreakpoint(): bool {
  return ((load<u64>(cpu, CPU_DR + DR7) | load<u64>(cpu, CPU_GUEST_DR + DR7)) & DR7_ENABLES) != 0;
}
