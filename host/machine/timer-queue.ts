// Deadlines of user-side devices on guest time. The machine asks for the earliest before it enters the guest.
import type { Clock, Timer, Timers } from "../devices/clock.ts";

interface Entry {
  deadlineNs: number;
  readonly callback: () => void;
}

/** A handful of timers: a list is enough. */
export class TimerQueue implements Timers {
  private readonly clock: Clock;
  private readonly entries: Entry[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
  }

  create(callback: () => void): Timer {
    const entry: Entry = { deadlineNs: Number.POSITIVE_INFINITY, callback };
    this.entries.push(entry);
    return {
      arm: (deadlineNs) => {
        entry.deadlineNs = deadlineNs;
      },
      cancel: () => {
        entry.deadlineNs = Number.POSITIVE_INFINITY;
      },
    };
  }

  /** Earliest deadline in guest time; Infinity when nothing is armed. */
  nextDeadlineNs(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { deadlineNs } of this.entries) {
      if (deadlineNs < earliest) {
        earliest = deadlineNs;
      }
    }
    return earliest;
  }

  /** Calls back every timer that is due, each once: one that arms itself in the past waits for the next call. */
  runDue(): void {
    const nowNs = this.clock.nowNs();
    const due = this.entries.filter(({ deadlineNs }) => deadlineNs <= nowNs);
    for (const entry of due) {
      entry.deadlineNs = Number.POSITIVE_INFINITY;
    }
    for (const { callback } of due) {
      callback();
    }
  }
}
