// Writes that need no answer: doorbells, which signal the host and are done (KVM_IOEVENTFD), and
// coalesced writes, which it takes from a ring when it next has a reason to look.
import { count } from "../cpu";
import { doorbell } from "../host";
import { STAT_DOORBELLS } from "../layout";
import {
  DOORBELLS, DOORBELL_ADDRESS, DOORBELL_COUNT, DOORBELL_DATA, DOORBELL_DATAMATCH, DOORBELL_FLAGS, DOORBELL_LENGTH,
  DOORBELL_MAX, DOORBELL_PIO, DOORBELL_SIZE, DOORBELL_VALID, RING_ENTRIES, RING_ENTRY_SIZE, RING_FIRST, RING_LAST,
  RING_LOCK, RING_MAX, ZONES, ZONE_ADDRESS, ZONE_COUNT, ZONE_LENGTH, ZONE_MAX, ZONE_PIO, ZONE_SIZE,
} from "./doorbell-layout";

/** Rings the doorbell at guest physical `gpa` for a write of `value` in `size` bytes. False: there is none. */
export function doorbellMmio(gpa: u64, value: u64, size: i32): bool {
  return ring(gpa, value, size, DOORBELL_VALID);
}

/** Rings the doorbell at `port`, as doorbellMmio(). */
export function doorbellPio(port: u32, value: u32, size: i32): bool {
  return ring(port, value, size, DOORBELL_VALID | DOORBELL_PIO);
}

/** Puts a write into the ring if it lies in a zone. False: it does not, or the ring is full. */
export function coalesceMmio(gpa: u64, value: u64, size: i32): bool {
  return coalesce(gpa, value, size, 0);
}

/** Puts an OUT into the ring, as coalesceMmio(). */
export function coalescePio(port: u32, value: u32, size: i32): bool {
  return coalesce(port, value, size, 1);
}

function ring(address: u64, value: u64, size: i32, kind: u32): bool {
  const entries = min<u32>(load<u32>(DOORBELL_COUNT), DOORBELL_MAX);
  const written = value & (u64.MAX_VALUE >> (64 - (size << 3)));
  for (let i: u32 = 0; i < entries; i++) {
    const entry: usize = DOORBELLS + i * DOORBELL_SIZE;
    const flags = load<u32>(entry, DOORBELL_FLAGS);
    if (load<u64>(entry, DOORBELL_ADDRESS) != address || (flags & ~DOORBELL_DATAMATCH) != kind) continue;
    const length = load<u32>(entry, DOORBELL_LENGTH);
    if (length) {
      if (length != <u32>size) continue;
      if (flags & DOORBELL_DATAMATCH && load<u64>(entry, DOORBELL_DATA) != written) continue;
    }
    count(STAT_DOORBELLS);
    doorbell(i);
    return true;
  }
  return false;
}

function coalesce(address: u64, value: u64, size: i32, pio: u32): bool {
  const zones = min<u32>(load<u32>(ZONE_COUNT), ZONE_MAX);
  for (let i: u32 = 0; i < zones; i++) {
    const zone: usize = ZONES + i * ZONE_SIZE;
    const offset = address - load<u64>(zone, ZONE_ADDRESS);
    const length = <u64>load<u32>(zone, ZONE_LENGTH);
    if (load<u32>(zone, ZONE_PIO) == pio && offset < length && <u64>size <= length - offset) {
      return append(address, value, size, pio);
    }
  }
  return false;
}

/** One slot of the ring stays empty, to tell full from empty. */
function append(address: u64, value: u64, size: i32, pio: u32): bool {
  while (atomic.cmpxchg<u32>(RING_LOCK, 0, 1)) {}
  // Both indices are in memory that the host writes too: kept inside the ring here.
  const last = load<u32>(RING_LAST) % RING_MAX;
  const next = (last + 1) % RING_MAX;
  const room = next != atomic.load<u32>(RING_FIRST);
  if (room) {
    const entry: usize = RING_ENTRIES + last * RING_ENTRY_SIZE;
    store<u64>(entry, address);
    store<u32>(entry, size, 8);
    store<u32>(entry, pio, 12);
    store<u64>(entry, value & (u64.MAX_VALUE >> (64 - (size << 3))), 16);
    atomic.store<u32>(RING_LAST, next);
  }
  atomic.store<u32>(RING_LOCK, 0);
  return room;
}
