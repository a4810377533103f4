// Where the vector registers lie.
import { cpu, GP, raiseError } from "../cpu";
import { CPU_X87, CPU_XMM } from "../layout";

// @ts-ignore: decorator
@inline export function xmmAddress(index: u32): usize {
  return cpu + CPU_XMM + (<usize>index << 5);
}

/** MMX registers are the significands of the physical x87 registers. */
// @ts-ignore: decorator
@inline export function mmxAddress(index: u32): usize {
  return cpu + CPU_X87 + (<usize>index << 4);
}

/** Raises #GP(0) for an address off a 16-byte boundary. */
export function aligned16(address: u64): bool {
  return onBoundary(address, 15);
}

/** Raises #GP(0) for an address off a 32-byte boundary. */
export function aligned32(address: u64): bool {
  return onBoundary(address, 31);
}

function onBoundary(address: u64, mask: u64): bool {
  if (address & mask) {
    raiseError(GP, 0);
    return false;
  }
  return true;
}
