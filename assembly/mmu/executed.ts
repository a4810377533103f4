// Which pages the jump cache depends on: those that hold what it leads to, and all pages of regions. INVLPG of any other page,
// one of data, leaves the cache as it is.
import { cpu } from "../cpu";
import { EXECUTED_BITS, MMU_EXECUTED } from "./state";

/** Number of the bit that stands for the page of `va`, and for others. */
// @ts-ignore: decorator
@inline function bitOf(va: u64): u32 {
  return <u32>((va >> 12) * 0x9e3779b97f4a7c15 >> 49) & (EXECUTED_BITS - 1);
}

/** Notes that the jump cache depends on the page of linear address `va`. */
export function noteExecuted(va: u64): void {
  const bit = bitOf(va);
  const at = cpu + MMU_EXECUTED + (bit >> 3);
  store<u8>(at, load<u8>(at) | <u8>((<u32>1) << (bit & 7)));
}

/** False: nothing in the jump cache depends on the 4 KiB page of `va`. */
export function mayBeExecuted(va: u64): bool {
  const bit = bitOf(va);
  return (load<u8>(cpu + MMU_EXECUTED + (bit >> 3)) >> (bit & 7) & 1) != 0;
}

/** The jump cache is empty. */
export function forgetExecuted(): void {
  memory.fill(cpu + MMU_EXECUTED, 0, EXECUTED_BITS >> 3);
}
