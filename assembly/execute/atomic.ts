// LOCK: naturally aligned operands in plain RAM use the host's atomics; all others (misaligned, MMIO, pages that are
// watched) run one at a time under the VM's exclusive lock. docs/QUIRKS.md says what that leaves open.
import { VM_EXCLUSIVE_LOCK } from "../layout";

/** The host address if an atomic of this size can work on it, else 0. */
// @ts-ignore: decorator
@inline export function alignedOrZero(host: usize, bytes: usize): usize {
  return host & (bytes - 1) ? 0 : host;
}

/** MFENCE orders stores before loads against other vCPUs. */
export function fence(): void {
  atomic.fence();
}

export function enterExclusive(): void {
  while (atomic.cmpxchg<u32>(VM_EXCLUSIVE_LOCK, 0, 1) != 0) {
    // The holder is inside one instruction: it lets go within microseconds.
  }
}

export function leaveExclusive(): void {
  atomic.store<u32>(VM_EXCLUSIVE_LOCK, 0);
}
