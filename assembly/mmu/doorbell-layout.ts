// Doorbells (KVM_IOEVENTFD) and coalesced writes (KVM_REGISTER_COALESCED_MMIO): tables that the host
// writes and the core reads. Integer constants only: asc and tsc both read this file. Offsets are
// absolute.
//
// The host fills in an entry before it makes it valid (flags, or length of a zone), raises the
// count last, and makes an entry invalid before it changes it.
import { VM_COALESCED_RING, VM_DOORBELLS } from "../layout.ts";

/** u32: doorbells from this number on are unused. */
export const DOORBELL_COUNT = VM_DOORBELLS;
/** u32: zones from this number on are unused. */
export const ZONE_COUNT = DOORBELL_COUNT + 4;
/** u32: spin lock of the vCPUs over the ring. */
export const RING_LOCK = ZONE_COUNT + 4;

/** DOORBELL_MAX entries of 32 bytes. host.doorbell() gets the number of the entry. */
export const DOORBELLS = VM_DOORBELLS + 0x40;
export const DOORBELL_SIZE = 32;
export const DOORBELL_MAX = 1024;
/** u64: guest physical address or port. */
export const DOORBELL_ADDRESS = 0;
/** u64: value that must be written, with DOORBELL_DATAMATCH. */
export const DOORBELL_DATA = 8;
/** u32: 1, 2, 4, 8, or 0 for any length (then without DOORBELL_DATAMATCH). */
export const DOORBELL_LENGTH = 16;
/** u32: DOORBELL_* flags; 0: unused. The low two are KVM_IOEVENTFD_FLAG_*. */
export const DOORBELL_FLAGS = 20;
export const DOORBELL_DATAMATCH = 1;
export const DOORBELL_PIO = 2;
export const DOORBELL_VALID = 0x80;

/** ZONE_MAX entries of 16 bytes: u64 address, u32 length in bytes (0: unused), u32 1: ports, 0: memory. */
export const ZONES = DOORBELLS + DOORBELL_MAX * DOORBELL_SIZE;
export const ZONE_SIZE = 16;
export const ZONE_MAX = 1024;
export const ZONE_ADDRESS = 0;
export const ZONE_LENGTH = 8;
export const ZONE_PIO = 12;

/** The ring, one page as struct kvm_coalesced_mmio_ring: u32 first (the host's), u32 last (the core's), then
 * RING_MAX entries {u64 phys_addr, u32 len, u32 pio, u8 data[8]}. Empty where first = last. */
export const RING_FIRST = VM_COALESCED_RING;
export const RING_LAST = RING_FIRST + 4;
export const RING_ENTRIES = RING_LAST + 4;
export const RING_ENTRY_SIZE = 24;
export const RING_MAX = 170;
