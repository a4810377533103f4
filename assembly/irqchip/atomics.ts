// Read-modify-write of words that several vCPUs change, and the lock over the interrupt chips.
// Builds without threads have one vCPU running at a time; plain accesses do there.
import { VM_IRQ_LOCK } from "../layout";

/** ORs `bits` into a u32; returns what it held before. */
export function orShared(address: usize, bits: u32): u32 {
  if (ASC_FEATURE_THREADS) {
    return atomic.or<u32>(address, bits);
  } else {
    const old = load<u32>(address);
    store<u32>(address, old | bits);
    return old;
  }
}

/** ANDs a u32 with `mask`; returns what it held before. */
export function andShared(address: usize, mask: u32): u32 {
  if (ASC_FEATURE_THREADS) {
    return atomic.and<u32>(address, mask);
  } else {
    const old = load<u32>(address);
    store<u32>(address, old & mask);
    return old;
  }
}

/** Stores a u32; returns what it held before. */
export function swapShared(address: usize, value: u32): u32 {
  if (ASC_FEATURE_THREADS) {
    return atomic.xchg<u32>(address, value);
  } else {
    const old = load<u32>(address);
    store<u32>(address, value);
    return old;
  }
}

/** Replaces `expected` by `value` in an integer of type T; returns what it held before. */
export function replaceShared<T>(address: usize, expected: T, value: T): T {
  if (ASC_FEATURE_THREADS) {
    return atomic.cmpxchg<T>(address, expected, value);
  } else {
    const old = load<T>(address);
    if (old == expected) store<T>(address, value);
    return old;
  }
}

/** Takes the lock over PIC, IOAPIC, PIT and routing. It is held for well under a microsecond and
 * taken by outermost functions only: whoever holds it calls nothing that takes it. */
export function lockChips(): void {
  if (ASC_FEATURE_THREADS) {
    // Reading until it looks free keeps the cache line shared while another thread holds it.
    while (atomic.cmpxchg<u32>(VM_IRQ_LOCK, 0, 1) != 0) {
      while (atomic.load<u32>(VM_IRQ_LOCK) != 0) {}
    }
  }
}

export function unlockChips(): void {
  if (ASC_FEATURE_THREADS) atomic.store<u32>(VM_IRQ_LOCK, 0);
}
