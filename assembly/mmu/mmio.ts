// Accesses to guest physical addresses that are not RAM: in-core chips, doorbells, coalesced
// writes, and for the rest an exit to user space (KVM_EXIT_MMIO).
import { count, cpu, leave } from "../cpu";
import { KVM_EXIT_INTERNAL_ERROR, KVM_EXIT_MMIO, KVM_INTERNAL_ERROR_EMULATION } from "../exits";
import { chipMmioRead, chipMmioWrite } from "../irqchip/index";
import {
  RUN_ERROR, RUN_INTERNAL_DATA, RUN_MMIO_DATA, RUN_MMIO_GPA, RUN_MMIO_IS_WRITE, RUN_MMIO_LEN, STAT_LIGHT_MMIO,
} from "../layout";
import { ENTRY_DATA, LOG_MMIO_READ, LOG_MMIO_WRITE, logFind, logFull } from "./access-log";
import { coalesceMmio, doorbellMmio } from "./doorbell";

/** Reads `size` (1 to 8) bytes, not crossing a page, at `gpa`. 0 with FAULT_EXIT set: the host has to answer first. */
export function mmioRead(gpa: u64, size: i32): u64 {
  const answered = logFind(LOG_MMIO_READ, gpa, size);
  if (answered) return load<u64>(answered, ENTRY_DATA) & (u64.MAX_VALUE >> (64 - (size << 3)));
  const value = chipMmioRead(gpa, size);
  if (value >= 0) {
    count(STAT_LIGHT_MMIO);
    return <u64>value;
  }
  leaveForMmio(gpa, 0, size, 0);
  return 0;
}

/** Writes the low `size` (1 to 8) bytes of `value`, not crossing a page, at `gpa`. False: FAULT_EXIT set, the
 * host has to take it first. */
export function mmioWrite(gpa: u64, value: u64, size: i32): bool {
  // What the host has taken must not go to a ring that has room again, so the log precedes it.
  if (logFind(LOG_MMIO_WRITE, gpa, size)) return true;
  if (chipMmioWrite(gpa, value, size) || doorbellMmio(gpa, value, size) || coalesceMmio(gpa, value, size)) {
    count(STAT_LIGHT_MMIO);
    return true;
  }
  leaveForMmio(gpa, value, size, 1);
  return false;
}

function leaveForMmio(gpa: u64, value: u64, size: i32, isWrite: u32): void {
  if (logFull()) {
    // One instruction with more MMIO than the log holds (XSAVE to a device, say) cannot be completed.
    store<u32>(cpu, KVM_INTERNAL_ERROR_EMULATION, RUN_ERROR);
    store<u64>(cpu, gpa, RUN_INTERNAL_DATA);
    store<u64>(cpu, isWrite, RUN_INTERNAL_DATA + 8);
    leave(KVM_EXIT_INTERNAL_ERROR);
    return;
  }
  store<u64>(cpu, gpa, RUN_MMIO_GPA);
  store<u32>(cpu, size, RUN_MMIO_LEN);
  store<u32>(cpu, isWrite, RUN_MMIO_IS_WRITE);
  // Beyond its length the data is zero, not what a register held.
  store<u64>(cpu, value & (u64.MAX_VALUE >> (64 - (size << 3))), RUN_MMIO_DATA);
  leave(KVM_EXIT_MMIO);
}
