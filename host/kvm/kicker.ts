// kick(): makes a running or sleeping vCPU return INTR, from any thread.

import { CPU_FUEL, REQ_KICK, VCPU_BASE, VCPU_SIZE, VM_HOST } from "../../assembly/layout.ts";
import type { LinearMemory } from "./core.ts";
import { isShared } from "./platform.ts";

/** i32 a vCPU, in the host's words of the VM: kicks so far. */
const HOST_KICKS = VM_HOST + 0x100;

/** What names a vCPU to another thread; it can be posted there. */
export interface KickerHandle {
  readonly memory: LinearMemory;
  readonly index: number;
}

/**
 * Kicks a vCPU that may run in another thread.
 *
 * @example
 * worker.postMessage(vcpu.kicker);              // here
 * onmessage = ({ data }) => Kicker.kick(data);  // there
 */
export const Kicker = {
  /**
   * Makes the vCPU's run() return INTR: the one under way, or the next one where none is.
   *
   * @example
   * setTimeout(() => Kicker.kick(vcpu.kicker), 1000);
   */
  kick(handle: KickerHandle): void {
    const cells = new Int32Array(handle.memory.buffer);
    Atomics.add(cells, (HOST_KICKS >> 2) + handle.index, 1);
    const request = requestCell(handle.index);
    Atomics.or(cells, request, REQ_KICK);
    if (isShared(handle.memory.buffer)) Atomics.notify(cells, request);
  },
};

/** Index, in an Int32Array over the memory, of the word that a vCPU's requests are in and that it sleeps on. */
export function requestCell(index: number): number {
  return (VCPU_BASE + index * VCPU_SIZE + CPU_FUEL + 4) >> 2;
}

/** How often the vCPU has been kicked. */
export function kickCount(cells: Int32Array, index: number): number {
  return Atomics.load(cells, (HOST_KICKS >> 2) + index);
}
