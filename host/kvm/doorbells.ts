// KVM_IOEVENTFD, KVM_REGISTER_COALESCED_MMIO: writes that the core handles without an exit. Tables and ring are
// those of assembly/mmu/doorbell-layout.ts.

import { RESAMPLE_DOORBELL } from "../../assembly/irqchip/layout.ts";
import {
  DOORBELL_ADDRESS,
  DOORBELL_COUNT,
  DOORBELL_DATA,
  DOORBELL_DATAMATCH,
  DOORBELL_FLAGS,
  DOORBELL_LENGTH,
  DOORBELL_MAX,
  DOORBELL_PIO,
  DOORBELL_SIZE,
  DOORBELL_VALID,
  DOORBELLS,
  RING_ENTRIES,
  RING_ENTRY_SIZE,
  RING_FIRST,
  RING_LAST,
  RING_MAX,
  ZONE_ADDRESS,
  ZONE_COUNT,
  ZONE_LENGTH,
  ZONE_MAX,
  ZONE_PIO,
  ZONE_SIZE,
  ZONES,
} from "../../assembly/mmu/doorbell-layout.ts";
import { checkInteger, KvmError, toU64 } from "./errors.ts";
import type { EventFd } from "./eventfd.ts";
import { HOST_DOORBELLS, type VmMemory } from "./memory.ts";
import { cellChanged } from "./platform.ts";

export const KVM_IOEVENTFD_FLAG_DATAMATCH = 1;
export const KVM_IOEVENTFD_FLAG_PIO = 2;
export const KVM_IOEVENTFD_FLAG_DEASSIGN = 4;

/** struct kvm_ioeventfd. */
export interface KvmIoeventfd {
  /** Guest physical address, or port with KVM_IOEVENTFD_FLAG_PIO. */
  readonly addr: bigint | number;
  /** Bytes of the write: 1, 2, 4, 8, or 0 for any. */
  readonly len: number;
  readonly fd: EventFd;
  /** KVM_IOEVENTFD_FLAG_*; default 0. */
  readonly flags?: number;
  /** With KVM_IOEVENTFD_FLAG_DATAMATCH: the only value that rings. */
  readonly datamatch?: bigint | number;
}

/** struct kvm_coalesced_mmio_zone. */
export interface KvmCoalescedMmioZone {
  readonly addr: bigint | number;
  /** Bytes. */
  readonly size: number;
  /** Ports, not memory. */
  readonly pio?: boolean;
}

/** A write that a zone has collected: struct kvm_coalesced_mmio. */
export interface KvmCoalescedMmio {
  readonly physAddr: bigint;
  readonly len: number;
  readonly pio: boolean;
  readonly data: Uint8Array;
}

/** The doorbells of one VM, as one thread knows them. */
export class Doorbells {
  readonly #memory: VmMemory;
  readonly #fds = new Map<number, EventFd>();
  readonly #resampled = new Map<number, EventFd>();
  #closed = false;

  constructor(memory: VmMemory) {
    this.#memory = memory;
  }

  /** True for a ring during which the core holds a lock, and which has a callback here that may want it. */
  mustWait(index: number): boolean {
    return index >= RESAMPLE_DOORBELL && this.#resampled.has(index - RESAMPLE_DOORBELL);
  }

  /**
   * The core's import: entry `index` was written to, or an interrupt line acknowledged. In a thread that did not
   * register the EventFd, the ring goes to a cell that the thread which did is watching.
   */
  ring(index: number): void {
    const fd = index >= RESAMPLE_DOORBELL ? this.#resampled.get(index - RESAMPLE_DOORBELL) : this.#fds.get(index);
    if (fd) {
      fd.signal();
      return;
    }
    const slot = cellOf(index);
    if (slot === undefined) return;
    Atomics.add(this.#memory.i32, slot, 1);
    Atomics.notify(this.#memory.i32, slot);
  }

  /** KVM_IOEVENTFD. */
  ioeventfd(request: KvmIoeventfd): void {
    const flags = request.flags ?? 0;
    if (flags & ~7) throw new KvmError("EINVAL", `unknown flags 0x${flags.toString(16)}`);
    const address = toU64(request.addr, "addr");
    const { len } = request;
    if (![0, 1, 2, 4, 8].includes(len)) throw new KvmError("EINVAL", `len must be 0, 1, 2, 4 or 8: ${len}`);
    if (address + BigInt(len) > 1n << 64n) throw new KvmError("EINVAL", "addr + len passes the end of memory");
    const matches = (flags & KVM_IOEVENTFD_FLAG_DATAMATCH) !== 0;
    if (matches && len === 0) throw new KvmError("EINVAL", "a match needs a length");
    const data = matches ? toU64(request.datamatch ?? 0n, "datamatch") : 0n;
    const kind = DOORBELL_VALID | (flags & (DOORBELL_DATAMATCH | DOORBELL_PIO));
    if (flags & KVM_IOEVENTFD_FLAG_DEASSIGN) this.#remove(request.fd, address, len, kind, data);
    else this.#add(request.fd, address, len, kind, data);
  }

  #add(fd: EventFd, address: bigint, len: number, kind: number, data: bigint): void {
    const memory = this.#memory;
    const count = memory.u32(DOORBELL_COUNT);
    let free = -1;
    for (let i = 0; i < count; i++) {
      const at = DOORBELLS + DOORBELL_SIZE * i;
      const flags = memory.u32(at + DOORBELL_FLAGS);
      if (flags === 0) free = free < 0 ? i : free;
      else if (collides(memory, at, address, len, kind, data)) {
        throw new KvmError("EEXIST", `a doorbell is at 0x${address.toString(16)} already`);
      }
    }
    const index = free < 0 ? count : free;
    if (index >= DOORBELL_MAX) throw new KvmError("ENOSPC", `${DOORBELL_MAX} doorbells are in use`);
    const at = DOORBELLS + DOORBELL_SIZE * index;
    memory.setU64(at + DOORBELL_ADDRESS, address);
    memory.setU64(at + DOORBELL_DATA, data);
    memory.setU32(at + DOORBELL_LENGTH, len);
    this.#fds.set(index, fd);
    // The flags make it valid, so they come last, and the count after them.
    Atomics.store(memory.i32, (at + DOORBELL_FLAGS) >> 2, kind);
    if (index === count) Atomics.store(memory.i32, DOORBELL_COUNT >> 2, count + 1);
    void this.#forward(index, fd, () => this.#fds.get(index) === fd);
  }

  #remove(fd: EventFd, address: bigint, len: number, kind: number, data: bigint): void {
    const memory = this.#memory;
    for (const [index, known] of this.#fds) {
      const at = DOORBELLS + DOORBELL_SIZE * index;
      if (known !== fd || memory.u32(at + DOORBELL_FLAGS) !== kind) continue;
      if (memory.u64(at + DOORBELL_ADDRESS) !== address || memory.u32(at + DOORBELL_LENGTH) !== len) continue;
      if (kind & DOORBELL_DATAMATCH && memory.u64(at + DOORBELL_DATA) !== data) continue;
      Atomics.store(memory.i32, (at + DOORBELL_FLAGS) >> 2, 0);
      this.#fds.delete(index);
      return;
    }
    throw new KvmError("ENOENT", `no such doorbell at 0x${address.toString(16)}`);
  }

  /** Has `fd` signalled when the guest acknowledges GSI `gsi`; undefined ends it. */
  resample(gsi: number, fd: EventFd | undefined): void {
    if (!fd) {
      this.#resampled.delete(gsi);
      return;
    }
    this.#resampled.set(gsi, fd);
    void this.#forward(RESAMPLE_DOORBELL + gsi, fd, () => this.#resampled.get(gsi) === fd);
  }

  /** Passes on what rings in other threads, for as long as `wanted()`. */
  async #forward(index: number, fd: EventFd, wanted: () => boolean): Promise<void> {
    const slot = cellOf(index);
    if (slot === undefined) return;
    const { i32 } = this.#memory;
    Atomics.store(i32, slot, 0);
    while (wanted() && !this.#closed) {
      const times = Atomics.exchange(i32, slot, 0);
      if (times !== 0) fd.signal(times);
      else await cellChanged(i32, slot, 0, Number.POSITIVE_INFINITY).done;
    }
  }

  /** KVM_REGISTER_COALESCED_MMIO. */
  registerZone(zone: KvmCoalescedMmioZone): void {
    const address = toU64(zone.addr, "addr");
    checkInteger(zone.size, 1, 0xffff_ffff, "size");
    const memory = this.#memory;
    const count = memory.u32(ZONE_COUNT);
    let index = count;
    for (let i = 0; i < count; i++) {
      if (memory.u32(ZONES + ZONE_SIZE * i + ZONE_LENGTH) === 0) index = Math.min(index, i);
    }
    if (index >= ZONE_MAX) throw new KvmError("ENOSPC", `${ZONE_MAX} zones are in use`);
    const at = ZONES + ZONE_SIZE * index;
    memory.setU64(at + ZONE_ADDRESS, address);
    memory.setU32(at + ZONE_PIO, zone.pio ? 1 : 0);
    // A length makes the zone valid.
    Atomics.store(memory.i32, (at + ZONE_LENGTH) >> 2, zone.size);
    if (index === count) Atomics.store(memory.i32, ZONE_COUNT >> 2, count + 1);
  }

  /** KVM_UNREGISTER_COALESCED_MMIO: drops the zones that lie inside the given one. */
  unregisterZone(zone: KvmCoalescedMmioZone): void {
    const from = toU64(zone.addr, "addr");
    const to = from + BigInt(zone.size);
    const memory = this.#memory;
    for (let i = 0; i < memory.u32(ZONE_COUNT); i++) {
      const at = ZONES + ZONE_SIZE * i;
      const length = memory.u32(at + ZONE_LENGTH);
      const address = memory.u64(at + ZONE_ADDRESS);
      const samePlace = (memory.u32(at + ZONE_PIO) !== 0) === (zone.pio ?? false);
      if (length !== 0 && samePlace && address >= from && address + BigInt(length) <= to) {
        Atomics.store(memory.i32, (at + ZONE_LENGTH) >> 2, 0);
      }
    }
  }

  /** Takes the collected writes, oldest first. */
  drain(): KvmCoalescedMmio[] {
    const memory = this.#memory;
    const writes: KvmCoalescedMmio[] = [];
    let first = memory.u32(RING_FIRST) % RING_MAX;
    const last = Atomics.load(memory.i32, RING_LAST >> 2) % RING_MAX;
    while (first !== last) {
      const at = RING_ENTRIES + RING_ENTRY_SIZE * first;
      const len = Math.min(memory.u32(at + 8), 8);
      writes.push({ physAddr: memory.u64(at), len, pio: memory.u32(at + 12) !== 0, data: memory.copy(at + 16, len) });
      first = (first + 1) % RING_MAX;
    }
    Atomics.store(memory.i32, RING_FIRST >> 2, first);
    return writes;
  }

  close(): void {
    this.#closed = true;
    this.#fds.clear();
    this.#resampled.clear();
  }
}

/** Index in an Int32Array of the cell for a doorbell's rings from other threads. Resampled lines follow the doorbells. */
function cellOf(index: number): number | undefined {
  const place = index >= RESAMPLE_DOORBELL ? DOORBELL_MAX + index - RESAMPLE_DOORBELL : index;
  return place < 2 * DOORBELL_MAX ? (HOST_DOORBELLS >> 2) + place : undefined;
}

/** True where both would ring for the same write (KVM: EEXIST). */
function collides(memory: VmMemory, at: number, address: bigint, len: number, kind: number, data: bigint): boolean {
  const flags = memory.u32(at + DOORBELL_FLAGS);
  const otherLen = memory.u32(at + DOORBELL_LENGTH);
  if ((flags & DOORBELL_PIO) !== (kind & DOORBELL_PIO) || memory.u64(at + DOORBELL_ADDRESS) !== address) return false;
  if (len !== 0 && otherLen !== 0 && len !== otherLen) return false;
  return !(flags & kind & DOORBELL_DATAMATCH) || memory.u64(at + DOORBELL_DATA) === data;
}
