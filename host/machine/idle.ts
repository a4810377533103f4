// What a machine does while its processor has nothing to execute: it sleeps, in the event loop or in the core.
import { REQ_EVENT, REQ_KICK } from "../../assembly/layout.ts";
import type { Clock } from "../devices/clock.ts";
import { requestCell } from "../kvm/kicker.ts";
import { canBlock, cellChanged } from "../kvm/platform.ts";
import type { Vcpu } from "../kvm/vcpu.ts";
import type { TimerQueue } from "./timer-queue.ts";

/** Timers of the event loop are this late or more; nearer deadlines are waited for in the core where possible. */
const SHORTEST_TIMER_NS = 1.5e6;
/** What setTimeout can hold. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export class Idle {
  private readonly cells: Int32Array;
  private endSleep: () => void = () => {};
  private blockNs = 0;

  constructor(
    private readonly vcpu: Vcpu,
    private readonly clock: Clock,
    private readonly timers: TimerQueue,
  ) {
    this.cells = new Int32Array(vcpu.kicker.memory.buffer);
  }

  /** Host time that the next entry may spend asleep in the core, ns; for one entry. */
  takeBlockNs(): number {
    const blockNs = this.blockNs;
    this.blockNs = 0;
    return blockNs;
  }

  /** Ends a sleep that is under way. */
  wake(): void {
    this.endSleep();
  }

  /** Waits for the guest's next timer, a device's, an interrupt or a kick. */
  async untilEvent(wakeAtNs: number, giveTurn: () => Promise<void>): Promise<void> {
    const waitNs = Math.min(wakeAtNs - this.clock.nowNs(), this.timers.nsToDeadline());
    if (waitNs < SHORTEST_TIMER_NS) {
      await giveTurn();
      this.blockNs = canBlock ? waitNs : 0;
      return;
    }
    const cell = requestCell(this.vcpu.id);
    const requests = Atomics.load(this.cells, cell);
    if (requests & (REQ_EVENT | REQ_KICK)) {
      return;
    }
    const sleep = cellChanged(this.cells, cell, requests, waitNs / 1e6, true);
    this.endSleep = sleep.cancel;
    await sleep.done;
    this.endSleep = () => {};
  }

  /** Waits until a device's timer is due, or something wakes the machine: the processor stands still. */
  async untilTimer(): Promise<void> {
    const ms = Math.min(this.timers.nsToDeadline() / 1e6, LONGEST_TIMEOUT_MS);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.endSleep = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.endSleep = () => {};
    this.timers.runDue();
  }
}
