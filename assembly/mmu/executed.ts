// Which pages the jump cache depends on: those that hold what it leads to, and all pages of regions. INVLPG of any other page,
// one of data, leaves the cache as it is; and that of one that is not global what lies in global pages alone.
import { cpu } from "../cpu";
import { EXECUTED_BITS, MMU_EXECUTED, MMU_EXECUTED_COUNT, MMU_EXECUTED_GLOBAL } from "./state";

/** Bits from which on too many pages are taken for others. */
const BITS_MAX: u32 = EXECUTED_BITS / 8;

/** Number of the bit that stands for the page of `va`, and for others. */
// @ts-ignore: decorator
@inline function bitOf(va: u64): u32 {
  return <u32>((va >> 12) * 0x9e3779b97f4a7c15 >> 49) & (EXECUTED_BITS - 1);
}

/** Notes that the jump cache depends on the page of linear address `va`. */
export function noteExecuted(va: u64, global: bool): void {
  const bit = bitOf(va);
  const mask = <u8>((<u32>1) << (bit & 7));
  const at = cpu + (bit >> 3);
  const were = load<u8>(at, MMU_EXECUTED);
  if (!(were & mask)) {
    store<u8>(at, were | mask, MMU_EXECUTED);
    store<u32>(cpu, load<u32>(cpu, MMU_EXECUTED_COUNT) + 1, MMU_EXECUTED_COUNT);
  }
  if (global) store<u8>(at, load<u8>(at, MMU_EXECUTED_GLOBAL) | mask, MMU_EXECUTED_GLOBAL);
}

/** Whether so much has been noted that forgetting all of it, with the jump cache, tells pages apart again. */
export function executedTooMuch(): bool {
  return load<u32>(cpu, MMU_EXECUTED_COUNT) > BITS_MAX;
}

/** False: nothing in the jump cache depends on the 4 KiB page of `va`. */
export function mayBeExecuted(va: u64): bool {
  const bit = bitOf(va);
  return (load<u8>(cpu + (bit >> 3), MMU_EXECUTED) >> (bit & 7) & 1) != 0;
}

/** False: nothing that global pages alone lead to depends on the 4 KiB page of `va`. */
export function mayBeExecutedGlobally(va: u64): bool {
  const bit = bitOf(va);
  return (load<u8>(cpu + (bit >> 3), MMU_EXECUTED_GLOBAL) >> (bit & 7) & 1) != 0;
}

/** The jump cache is empty. */
export function forgetExecuted(): void {
  memory.fill(cpu + MMU_EXECUTED, 0, EXECUTED_BITS >> 3);
  memory.fill(cpu + MMU_EXECUTED_GLOBAL, 0, EXECUTED_BITS >> 3);
  store<u32>(cpu, 0, MMU_EXECUTED_COUNT);
}
