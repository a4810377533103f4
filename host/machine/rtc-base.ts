// What the real-time clock shows at power-on: QEMU's -rtc base=.

/** `utc`, `localtime`, or a moment (whose UTC reading the clock shows). */
export type RtcBase = "utc" | "localtime" | Date;

/** Seconds since 1970 in the zone the clock runs in, with a fraction. */
export function rtcStartSeconds(base: RtcBase, now: Date): number {
  if (base === "utc") {
    return now.getTime() / 1000;
  }
  if (base === "localtime") {
    return now.getTime() / 1000 - now.getTimezoneOffset() * 60;
  }
  return base.getTime() / 1000;
}
