// Memory slots: which guest physical addresses are RAM, and where it lies (KVM_SET_USER_MEMORY_REGION).
//
// This is the security boundary of the MMU: every host address that a guest access reaches comes
// from here, and a slot is accepted only if it lies inside guest RAM.
import {
  REQ_CODE_FLUSH, REQ_TLB_FLUSH, SLOT_ENTRY_SIZE, SLOT_FLAGS, SLOT_GPA, SLOT_HOST, SLOT_SIZE, VM_DIRTY_PAGES,
  VM_MAX_SLOTS, VM_RAM_BASE, VM_RAM_SIZE, VM_SLOTS, VM_SLOT_LIMIT,
} from "../layout";
import { requestAll } from "./shootdown";

// Flags and errors have their numbers from the Linux uapi.
export const KVM_MEM_LOG_DIRTY_PAGES: u32 = 1;
export const KVM_MEM_READONLY: u32 = 2;
/** End of what page tables can name (52 bits). */
const PHYSICAL_LIMIT: u64 = 0x10000000000000;

export const ENOENT: i32 = -2;
export const EEXIST: i32 = -17;
export const EINVAL: i32 = -22;

/** The slot that was hit last: mostly it is hit again. */
let lastSlot: usize = VM_SLOTS;

/** Address of the slot that holds `gpa`, or 0. */
// @ts-ignore: decorator
@inline export function findSlot(gpa: u64): usize {
  const slot = lastSlot;
  return gpa - load<u64>(slot, SLOT_GPA) < load<u64>(slot, SLOT_SIZE) ? slot : searchSlot(gpa);
}

/** Host address of guest physical `gpa`, which must lie in `slot`. */
// @ts-ignore: decorator
@inline export function slotHost(slot: usize, gpa: u64): usize {
  return <usize>load<u32>(slot, SLOT_HOST) + <usize>(gpa - load<u64>(slot, SLOT_GPA));
}

/** Host address of the byte at guest physical `gpa`, or 0 where no slot is. */
// @ts-ignore: decorator
@inline export function gpaToHost(gpa: u64): usize {
  const slot = findSlot(gpa);
  return slot ? slotHost(slot, gpa) : 0;
}

function searchSlot(gpa: u64): usize {
  const end: usize = VM_SLOTS + load<u32>(VM_SLOT_LIMIT) * SLOT_ENTRY_SIZE;
  for (let slot: usize = VM_SLOTS; slot < end; slot += SLOT_ENTRY_SIZE) {
    if (gpa - load<u64>(slot, SLOT_GPA) < load<u64>(slot, SLOT_SIZE)) {
      lastSlot = slot;
      return slot;
    }
  }
  return 0;
}

/**
 * KVM_SET_USER_MEMORY_REGION: creates slot `id`, moves it, changes its flags, or with `size` 0 deletes it.
 * `host` is where its memory lies in linear memory; all three are multiples of 4096.
 * Returns 0; EINVAL: misaligned, unknown flags, id too large, beyond guest RAM or the physical address
 * width, deletion of what is not there, another size, host address or read-only flag than an existing
 * slot has; EEXIST: overlaps another slot. When it returns, no vCPU uses the old mapping any more.
 */
export function setSlot(id: u32, flags: u32, gpa: u64, size: u64, host: u32): i32 {
  if (flags & ~(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY)) return EINVAL;
  if ((size | gpa | <u64>host) & 0xfff) return EINVAL;
  // Bits 16 and up of an id number an address space; there is one.
  if (id >= <u32>VM_MAX_SLOTS || gpa + size < gpa || !insideRam(host, size)) return EINVAL;
  const slot: usize = VM_SLOTS + id * SLOT_ENTRY_SIZE;
  const oldSize = load<u64>(slot, SLOT_SIZE);
  const oldFlags = load<u32>(slot, SLOT_FLAGS);
  if (!size) {
    if (!oldSize) return EINVAL;
    retire(slot);
    return 0;
  }
  if (oldSize) {
    const same = host == load<u32>(slot, SLOT_HOST) && size == oldSize;
    if (!same || ((flags ^ oldFlags) & KVM_MEM_READONLY) != 0) return EINVAL;
    if (gpa == load<u64>(slot, SLOT_GPA)) {
      setFlags(slot, oldFlags, flags);
      return 0;
    }
  }
  if (overlaps(slot, gpa, size)) return EEXIST;
  if (gpa + size > PHYSICAL_LIMIT) return EINVAL;
  if (oldSize) retire(slot);
  if (flags & ~oldFlags & KVM_MEM_LOG_DIRTY_PAGES) forgetDirt(host, size);
  store<u64>(slot, gpa, SLOT_GPA);
  store<u32>(slot, host, SLOT_HOST);
  store<u32>(slot, flags, SLOT_FLAGS);
  // The size goes last: until it is there, a reader on another thread finds the slot free.
  atomic.store<u64>(slot, size, SLOT_SIZE);
  if (load<u32>(VM_SLOT_LIMIT) <= id) store<u32>(VM_SLOT_LIMIT, id + 1);
  return 0;
}

/** True: `size` bytes at linear memory address `host` are guest RAM. */
function insideRam(host: u32, size: u64): bool {
  const base = <u64>load<u32>(VM_RAM_BASE);
  const ramSize = <u64>load<u32>(VM_RAM_SIZE);
  const offset = <u64>host - base;
  // A deletion names no memory; KVM looks at its address all the same, but only for alignment here.
  return size == 0 || (<u64>host >= base && size <= ramSize && offset <= ramSize - size);
}

function overlaps(except: usize, gpa: u64, size: u64): bool {
  const end: usize = VM_SLOTS + load<u32>(VM_SLOT_LIMIT) * SLOT_ENTRY_SIZE;
  for (let slot: usize = VM_SLOTS; slot < end; slot += SLOT_ENTRY_SIZE) {
    const otherSize = load<u64>(slot, SLOT_SIZE);
    if (slot == except || !otherSize) continue;
    const other = load<u64>(slot, SLOT_GPA);
    if (gpa < other + otherSize && other < gpa + size) return true;
  }
  return false;
}

/** Frees a slot, and waits until no vCPU has a translation or decoded code from it. */
function retire(slot: usize): void {
  atomic.store<u64>(slot, 0, SLOT_SIZE);
  store<u32>(slot, 0, SLOT_FLAGS);
  requestAll(REQ_CODE_FLUSH | REQ_TLB_FLUSH);
}

function setFlags(slot: usize, old: u32, flags: u32): void {
  if (old == flags) return;
  if (flags & ~old & KVM_MEM_LOG_DIRTY_PAGES) forgetDirt(load<u32>(slot, SLOT_HOST), load<u64>(slot, SLOT_SIZE));
  atomic.store<u32>(slot, flags, SLOT_FLAGS);
  // Write tags that were given without a log would let writes past it.
  requestAll(REQ_TLB_FLUSH);
}

/** A dirty log begins with no page in it. */
function forgetDirt(host: u32, size: u64): void {
  const first = (host - load<u32>(VM_RAM_BASE)) >>> 12;
  memory.fill(load<u32>(VM_DIRTY_PAGES) + first, 0, <usize>(size >> 12));
}
