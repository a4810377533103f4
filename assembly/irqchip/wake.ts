// Getting a vCPU's attention.
import { cpu } from "../cpu";
import { CPU_FUEL, REQ_EVENT, VCPU_BASE, VCPU_SIZE } from "../layout";
import { orShared } from "./atomics";

/** Address of vCPU `index`. */
// @ts-ignore: decorator
@inline export function vcpuAt(index: i32): usize { return <usize>index * VCPU_SIZE + VCPU_BASE; }

/** Sets REQ_* bits in the request word (the high half of CPU_FUEL) of vCPU `index` and wakes it
 * where it waits on that word. Any thread may call. */
export function wake(index: i32, request: i32): void {
  wakeAt(vcpuAt(index), request);
}

/** wake() for the vCPU whose state begins at `base`. */
export function wakeAt(base: usize, request: u32): void {
  const word = base + CPU_FUEL + 4;
  const old = orShared(word, request);
  // Who set the bit first has notified; a wait that starts later sees the bit and does not begin.
  if (ASC_FEATURE_THREADS) {
    if ((old & request) != request) atomic.notify(word, -1);
  }
}

/** REQ_EVENT for the running vCPU itself, from what it executes: it does not sleep, so nobody is notified. */
export function wakeSelf(): void {
  orShared(cpu + CPU_FUEL + 4, REQ_EVENT);
}
