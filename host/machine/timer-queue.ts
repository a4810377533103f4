// Deadlines of user-side devices on guest time. The machine asks for the earliest before it enters the guest.
import type { Clock, Timer, Timers } from "../devices/clock.ts";

interface Entry {
  deadlineNs: number;
  readonly callback: () => void;
}

/** A handful of timers: a list is enough. */
export class TimerQueue implements Timers {
  private readonly clock: Clock;
  private readonly onEarlier: () => void;
  private readonly entries: Entry[] = [];

  /** @param onEarlier told when a deadline is set before all others, for whoever sleeps until the earliest */
  constructor(clock: Clock, onEarlier: () => void) {
    this.clock = clock;
    this.onEarlier = onEarlier;
  }

  create(callback: () => void): Timer {
    const entry: Entry = { deadlineNs: Number.POSITIVE_INFINITY, callback };
    this.entries.push(entry);
    return {
      arm: (deadlineNs) => {
        const earlier = deadlineNs < this.earliestNs();
        entry.deadlineNs = deadlineNs;
        if (earlier) {
          this.onEarlier();
        }
      },
      cancel: () => {
        entry.deadlineNs = Number.POSITIVE_INFINITY;
      },
    };
  }

  /** Time left until the earliest deadline, never negative; Infinity when nothing is armed. */
  nsToDeadline(): number {
    const earliest = this.earliestNs();
    // Reading the clock costs more than the rest, and mostly nothing is armed.
    return earliest === Number.POSITIVE_INFINITY ? earliest : Math.max(0, earliest - this.clock.nowNs());
  }

  private earliestNs(): number {
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
    if (this.earliestNs() === Number.POSITIVE_INFINITY) {
      return;
    }
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
