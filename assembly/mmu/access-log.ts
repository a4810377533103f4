// The access log: what user space has answered for the instruction in flight.
//
// An instruction that needs user space leaves run() and is executed again from its start after each
// exit; it then finds the accesses that were answered here, in order, and goes one further. So it
// has an entry an exit.
import { cpu } from "../cpu";
import { ACCESS_LOG_MAX, CPU_ACCESS_LOG, CPU_RIP } from "../layout";

export const LOG_MMIO_READ: u32 = 1;
export const LOG_MMIO_WRITE: u32 = 2;
export const LOG_PIO_IN: u32 = 3;
export const LOG_PIO_OUT: u32 = 4;

// The header, and an entry.
const COUNT = CPU_ACCESS_LOG;
const CURSOR = CPU_ACCESS_LOG + 4;
const RIP = CPU_ACCESS_LOG + 8;
const ENTRIES = CPU_ACCESS_LOG + 16;
const ENTRY_SIZE = 32;
export const ENTRY_ADDRESS = 0;
export const ENTRY_KIND = 8;
export const ENTRY_LENGTH = 12;
export const ENTRY_DATA = 16;

/** The next answered access, if it is this one (LOG_* kind, gpa or port, bytes), which is then done; or 0. */
export function logFind(kind: u32, address: u64, size: i32): usize {
  const cursor = load<u32>(cpu, CURSOR);
  if (cursor >= load<u32>(cpu, COUNT)) return 0;
  const entry = cpu + ENTRIES + cursor * ENTRY_SIZE;
  const same =
    load<u64>(entry, ENTRY_ADDRESS) == address && load<u32>(entry, ENTRY_KIND) == kind &&
    load<u32>(entry, ENTRY_LENGTH) == <u32>size;
  if (!same) return 0;
  store<u32>(cpu, cursor + 1, CURSOR);
  return entry;
}

/** True: the instruction has had as many exits as can be remembered. */
export function logFull(): bool {
  return load<u32>(cpu, COUNT) >= <u32>ACCESS_LOG_MAX;
}

/** True: the instruction at CPU_RIP is in flight: it is to be executed again before any event is delivered. */
export function logPending(): bool {
  return load<u32>(cpu, COUNT) != 0;
}

/** Adds the access that the host has just answered, with the data of a read; CPU_RIP is the instruction's. */
export function logAdd(kind: u32, address: u64, size: i32, data: u64): void {
  const number = load<u32>(cpu, COUNT);
  if (number >= <u32>ACCESS_LOG_MAX) return;
  const entry = cpu + ENTRIES + number * ENTRY_SIZE;
  store<u64>(entry, address, ENTRY_ADDRESS);
  store<u32>(entry, kind, ENTRY_KIND);
  store<u32>(entry, size, ENTRY_LENGTH);
  store<u64>(entry, data, ENTRY_DATA);
  store<u64>(cpu, load<u64>(cpu, CPU_RIP), RIP);
  store<u32>(cpu, number + 1, COUNT);
}

/** Forgets everything: the instruction, or one iteration of a string instruction, is complete or has faulted. */
export function logReset(): void {
  store<u64>(cpu, 0, COUNT);
}

/** Begins again with the first entry, before the instruction at CPU_RIP is executed again. If the host
 * has moved CPU_RIP in between, the log belongs to nothing and is dropped. */
export function logRewind(): void {
  if (load<u64>(cpu, RIP) != load<u64>(cpu, CPU_RIP)) logReset();
  store<u32>(cpu, 0, CURSOR);
}
