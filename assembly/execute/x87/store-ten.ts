// The memory half of FSTP m80 and FBSTP.
import { CPU_SCRATCH2 } from "../../layout";
import { cpu } from "../../cpu";
import { writeBytes } from "../../mmu/block";
import { storeHigh, storeLow } from "./store";

/** Writes the ten bytes that storeF80() or storeDecimal() prepared to linear `address`. False: fault set. */
export function storeTen(address: u64): bool {
  const image = cpu + CPU_SCRATCH2;
  store<u64>(image, storeLow);
  store<u16>(image, <u16>storeHigh, 8);
  return writeBytes(address, image, 10);
}
