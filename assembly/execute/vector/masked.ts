// VMASKMOVPx and VPMASKMOVx: moves of the elements whose mask has its top bit set. Elements that are left out are not
// accessed, and raise nothing; as on AMD's processors their alignment is not checked. SDM volume 2, VMASKMOV.
import { CPU_SCRATCH2 } from "../../layout";
import { cpu, fault } from "../../cpu";
import { addressSize, R_SEGNO, record } from "../../decode/record";
import { ptrRead, writeBytes } from "../../mmu/block";
import { cutOffset, linear, offsetChecked } from "../address";
import { xmmAddress } from "../vector-registers";
import { requireWritableBytes } from "./memory";

/** Whether element `i` of `size` bytes is chosen by the mask register at `mask`. */
// @ts-ignore: decorator
@inline function chosen(mask: usize, i: i32, size: i32): bool {
  return (load<u8>(mask + i + size - 1) & 0x80) != 0;
}

/** Linear address of the element `i` bytes into the operand; sets fault where its segment does not allow it. */
function elementAddress(i: i32, size: i32, write: bool): u64 {
  return linear(load<u8>(record, R_SEGNO), cutOffset(offsetChecked(record) + i, addressSize()), size, write);
}

/** Loads the chosen elements of `size` (4 or 8) bytes out of `bytes` (16 or 32) to `register`, 0 for the others and
 * above. Sets fault, the register as before. */
export function maskedLoad(register: u32, mask: u32, size: i32, bytes: i32): void {
  const by = xmmAddress(mask);
  const to = cpu + CPU_SCRATCH2;
  memory.fill(to, 0, 32);
  for (let i = 0; i < bytes; i += size) {
    if (!chosen(by, i, size)) continue;
    const address = elementAddress(i, size, false);
    if (fault) return;
    const from = ptrRead(address, size);
    if (!from) return;
    memory.copy(to + i, from, size);
  }
  memory.copy(xmmAddress(register), to, 32);
}

/** Stores the chosen elements of `register`. Sets fault, nothing written. */
export function maskedStoreLanes(register: u32, mask: u32, size: i32, bytes: i32): void {
  const by = xmmAddress(mask);
  const from = xmmAddress(register);
  for (let i = 0; i < bytes; i += size) {
    if (!chosen(by, i, size)) continue;
    const address = elementAddress(i, size, true);
    if (fault) return;
    requireWritableBytes(address, size);
    if (fault) return;
  }
  for (let i = 0; i < bytes; i += size) {
    if (!chosen(by, i, size)) continue;
    if (!writeBytes(elementAddress(i, size, true), from + i, size)) return;
  }
}
