// Guest physical memory for those who have no linear address: interrupt chips, kvmclock, and the
// host's devices.
import { SLOT_FLAGS, SLOT_GPA, SLOT_SIZE } from "../layout";
import { loadSized, storeSized } from "./access";
import { ramWritten } from "./code";
import { KVM_MEM_READONLY, findSlot, slotHost } from "./slots";

/** Loads `size` (1, 2, 4, 8) bytes at `gpa`; all ones where they are not in one slot. */
export function physRead(gpa: u64, size: i32): u64 {
  const slot = slotOf(gpa, size);
  if (!slot) return size == 8 ? u64.MAX_VALUE : ((<u64>1) << (size << 3)) - 1;
  return loadSized(slotHost(slot, gpa), size);
}

/** Stores the low `size` (1, 2, 4, 8) bytes of `value` at `gpa`. False: not in one writable slot, nothing done. */
export function physWrite(gpa: u64, value: u64, size: i32): bool {
  const slot = slotOf(gpa, size);
  if (!slot || (load<u32>(slot, SLOT_FLAGS) & KVM_MEM_READONLY) != 0) return false;
  const host = slotHost(slot, gpa);
  storeSized(host, value, size);
  ramWritten(host, size);
  return true;
}

/** To be called after the host has written `length` bytes of guest RAM at `gpa`, as a device does by DMA:
 * enters them in the dirty log and drops code decoded from them. What lies in no slot is passed over. */
export function dmaWritten(gpa: u64, length: u64): void {
  while (length) {
    const slot = findSlot(gpa);
    // Slots begin and end at page boundaries.
    let here = 0x1000 - (gpa & 0xfff);
    if (slot) here = load<u64>(slot, SLOT_SIZE) - (gpa - load<u64>(slot, SLOT_GPA));
    if (here > length) here = length;
    if (slot) ramWritten(slotHost(slot, gpa), <usize>here);
    gpa += here;
    length -= here;
  }
}

function slotOf(gpa: u64, size: i32): usize {
  const slot = findSlot(gpa);
  return slot && <u64>size <= load<u64>(slot, SLOT_SIZE) - (gpa - load<u64>(slot, SLOT_GPA)) ? slot : 0;
}
