// What a machine does while its processors have nothing to execute: it sleeps, in the event loop or in the core.
import type { Clock } from "../devices/clock.ts";
import { canBlock } from "../kvm/platform.ts";
import type { Processors } from "./processors.ts";
import type { TimerQueue } from "./timer-queue.ts";

/** Timers of the event loop are this late or more; nearer deadlines are waited for in the core where possible. */
const SHORTEST_TIMER_NS = 1.5e6;
/** What setTimeout can hold. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export class Idle {
  private endSleep: () => void = () => {};
  private blockNs = 0;

  constructor(
    private readonly processors: Processors,
    private readonly clock: Clock,
    private readonly timers: TimerQueue,
  ) {}

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
    const sleep = this.processors.sleep(waitNs);
    if (sleep === null) {
      return;
    }
    this.endSleep = sleep.cancel;
    await sleep.done;
    this.endSleep = () => {};
  }

  /** Waits until a device's timer is due, or something wakes the machine: the processors stand still. */
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
