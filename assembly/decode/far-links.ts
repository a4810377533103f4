// Where a trace went last that goes to another page, or to a computed address: one entry in its header, which saves looking its
// successor up. It is good for the address, mode and generation that it was noted with.
import { cpu } from "../cpu";
import { CPU_MODE, CPU_RIP } from "../layout";
import { contextGeneration, globalGeneration } from "../mmu/contexts";
import { T_FAR, T_FAR_GENERATION, T_FAR_MODE, T_FAR_TRACE, T_VALID } from "./record";

/** Bit of T_FAR_TRACE: it is reached by global pages alone. */
const GLOBAL: u32 = 1;

/** The trace at CPU_RIP, where `from` went there last and nothing has changed since; else 0. It may have been dropped. */
// @ts-ignore: decorator
@inline export function farTrace(from: usize): usize {
  if (load<u64>(from, T_FAR) != load<u64>(cpu, CPU_RIP) || <u32>load<u16>(from, T_FAR_MODE) != load<u32>(cpu, CPU_MODE)) return 0;
  const to = load<u32>(from, T_FAR_TRACE);
  return load<u32>(from, T_FAR_GENERATION) == (to & GLOBAL ? globalGeneration : contextGeneration) ? <usize>(to & ~GLOBAL) : 0;
}

/** Notes that `from` went on at `rip`, which is a linear address, with trace `to`. */
export function noteFar(from: usize, rip: u64, mode: u32, to: usize, global: bool): void {
  store<u64>(from, rip, T_FAR);
  store<u16>(from, <u16>mode, T_FAR_MODE);
  store<u32>(from, global ? globalGeneration : contextGeneration, T_FAR_GENERATION);
  store<u32>(from, <u32>to | u32(global), T_FAR_TRACE);
}

/** Forgets where a trace went last if that was dropped. */
export function forgetFarIfDropped(from: usize): void {
  if (!load<u32>(<usize>(load<u32>(from, T_FAR_TRACE) & ~GLOBAL), T_VALID)) store<u32>(from, 0, T_FAR_TRACE);
}
