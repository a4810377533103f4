// The memory side of stores: ten-byte operands, and what is checked where nothing is stored.
import { CPU_SCRATCH2 } from "../../layout";
import { AC, cpu, fault, raiseError } from "../../cpu";
import { readSlow, rmwReadSlow } from "../../mmu/access";
import { writeBytes } from "../../mmu/block";
import { alignmentChecked } from "../../mmu/contexts";
import { probeRead, probeWrite } from "../../mmu/tlb";
import { isCanonical } from "../../mmu/translate";
import { storeHigh, storeLow } from "./store";

/** #AC(0) where alignment is checked and `address` is no multiple of `size` (a power of two); that it is not canonical comes
 * first. False: raised. */
function checkAlignment(address: u64, size: i32): bool {
  if (!alignmentChecked || (address & <u64>(size - 1)) == 0 || !isCanonical(address)) return true;
  raiseError(AC, 0);
  return false;
}

/** Writes the ten bytes that storeF80() or storeDecimal() prepared to linear `address`. False: fault set. */
export function storeTen(address: u64): bool {
  if (!checkAlignment(address, 8)) return false;
  const image = cpu + CPU_SCRATCH2;
  store<u64>(image, storeLow);
  store<u16>(image, <u16>storeHigh, 8);
  return writeBytes(address, image, 10);
}

/** Checks that `size` (1, 2, 4, 8) bytes at linear `address` may be read, or written. False: fault set. */
export function checkAccess(address: u64, size: i32, write: bool): bool {
  if (write) {
    if (!probeWrite(address, size)) rmwReadSlow(address, size);
  } else if (!probeRead(address, size)) {
    readSlow(address, size);
  }
  return !fault;
}

/** Checks that `bytes` (2, 4, 8, 10) at linear `address` may be written: a store that an unmasked exception suppresses
 * faults all the same, before the exception is reported. False: fault set. */
export function probeStore(address: u64, bytes: i32): bool {
  if (bytes != 10) return checkAccess(address, bytes, true);
  return checkAccess(address, 8, true) && checkAccess(address + 8, 2, true);
}
