// Memory slots: KVM_SET_USER_MEMORY_REGION, KVM_GET_DIRTY_LOG, and where guest memory lies.

import {
  SLOT_ENTRY_SIZE,
  SLOT_GPA,
  SLOT_HOST,
  SLOT_SIZE,
  VM_MAX_SLOTS,
  VM_SCRATCH,
  VM_SLOTS,
} from "../../assembly/layout.ts";
import type { CoreExports } from "./core.ts";
import { check, checkInteger, toU64 } from "./errors.ts";
import { PAGE_SIZE, type VmMemory } from "./memory.ts";

/** KVM_MEM_*: flags of a memory slot. */
export const KVM_MEM_LOG_DIRTY_PAGES = 1;
export const KVM_MEM_READONLY = 2;

/** struct kvm_userspace_memory_region. */
export interface KvmUserspaceMemoryRegion {
  /** 0..63. */
  readonly slot: number;
  /** KVM_MEM_*. */
  readonly flags?: number;
  /** Page-aligned. */
  readonly guestPhysAddr: bigint | number;
  /** Bytes, whole pages; 0 deletes the slot. */
  readonly memorySize: bigint | number;
  /** Offset in `vm.memory`, from `vm.allocate()`. */
  readonly userspaceAddr: number;
}

/** Makes, moves, changes or deletes a slot. Throws EINVAL and EEXIST as `vm.setUserMemoryRegion()` says. */
export function setSlot(core: CoreExports, region: KvmUserspaceMemoryRegion): void {
  const { slot, flags = 0, userspaceAddr } = region;
  checkInteger(slot, 0, VM_MAX_SLOTS - 1, "slot");
  checkInteger(flags, 0, 0xffff_ffff, "flags");
  checkInteger(userspaceAddr, 0, 0xffff_ffff, "userspaceAddr");
  const gpa = toU64(region.guestPhysAddr, "guestPhysAddr");
  const size = toU64(region.memorySize, "memorySize");
  const result = core.setSlot(slot, flags, BigInt.asIntN(64, gpa), BigInt.asIntN(64, size), userspaceAddr | 0);
  check(result, `slot ${slot} of 0x${size.toString(16)} bytes at 0x${gpa.toString(16)}`);
}

/** Takes a slot's dirty log. Throws EINVAL for a slot number over 63, ENOENT for a slot that keeps none. */
export function takeDirtyLog(core: CoreExports, memory: VmMemory, slot: number): Uint8Array<ArrayBuffer> {
  checkInteger(slot, 0, VM_MAX_SLOTS - 1, "slot");
  check(core.dirtyLog(slot, VM_SCRATCH), `slot ${slot} keeps no dirty log`);
  const pages = Number(memory.u64(VM_SLOTS + SLOT_ENTRY_SIZE * slot + SLOT_SIZE)) / PAGE_SIZE;
  return memory.copy(VM_SCRATCH, Math.ceil(pages / 64) * 8);
}

/** Where `length` bytes of guest physical memory lie in linear memory; undefined unless one slot holds them all. */
export function hostOffsetOf(memory: VmMemory, gpa: bigint, length: number): number | undefined {
  for (let slot = 0; slot < VM_MAX_SLOTS; slot++) {
    const at = VM_SLOTS + SLOT_ENTRY_SIZE * slot;
    const from = memory.u64(at + SLOT_GPA);
    if (gpa >= from && gpa + BigInt(length) <= from + memory.u64(at + SLOT_SIZE)) {
      return memory.u32(at + SLOT_HOST) + Number(gpa - from);
    }
  }
  return undefined;
}
