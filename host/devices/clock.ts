// Guest time as devices see it.

/** The VM's monotonic clock. */
export interface Clock {
  /** Guest nanoseconds since the VM was created; never goes backwards. */
  nowNs(): number;
}

/** A one-shot alarm on guest time. */
export interface Timer {
  /** Calls back once at or after guest time `deadlineNs`; replaces an earlier deadline. Infinity cancels. */
  arm(deadlineNs: number): void;
  cancel(): void;
}

/** Where devices get their timers. */
export interface Timers {
  create(callback: () => void): Timer;
}
