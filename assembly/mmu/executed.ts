// Which pages the jump cache depends on: those that hold what it leads to, and all pages of regions. INVLPG of any other page,
// one of data, leaves the cache as it is; and that of one that is not global what lies in global pages alone.
import { cpu } from "../cpu";
import { addPage, mayContain } from "./page-set";
import { EXECUTED_BITS, MMU_EXECUTED, MMU_EXECUTED_COUNT, MMU_EXECUTED_GLOBAL } from "./state";

/** Pages from which on too many others are taken for one of them. */
const PAGES_MAX: u32 = EXECUTED_BITS / 16;

/** Notes that the jump cache depends on the page of linear address `va`. */
export function noteExecuted(va: u64, global: bool): void {
  if (!mayBeExecuted(va)) {
    addPage(cpu + MMU_EXECUTED, EXECUTED_BITS, va >> 12);
    store<u32>(cpu, load<u32>(cpu, MMU_EXECUTED_COUNT) + 1, MMU_EXECUTED_COUNT);
  }
  if (global) addPage(cpu + MMU_EXECUTED_GLOBAL, EXECUTED_BITS, va >> 12);
}

/** Whether so much has been noted that forgetting all of it, with the jump cache, tells pages apart again. */
export function executedTooMuch(): bool {
  return load<u32>(cpu, MMU_EXECUTED_COUNT) > PAGES_MAX;
}

/** False: nothing in the jump cache depends on the 4 KiB page of `va`. */
export function mayBeExecuted(va: u64): bool {
  return mayContain(cpu + MMU_EXECUTED, EXECUTED_BITS, va >> 12);
}

/** False: nothing that global pages alone lead to depends on the 4 KiB page of `va`. */
export function mayBeExecutedGlobally(va: u64): bool {
  return mayContain(cpu + MMU_EXECUTED_GLOBAL, EXECUTED_BITS, va >> 12);
}

/** The jump cache is empty. */
export function forgetExecuted(): void {
  memory.fill(cpu + MMU_EXECUTED, 0, EXECUTED_BITS >> 3);
  memory.fill(cpu + MMU_EXECUTED_GLOBAL, 0, EXECUTED_BITS >> 3);
  store<u32>(cpu, 0, MMU_EXECUTED_COUNT);
}
