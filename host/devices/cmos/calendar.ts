// Calendar time as the MC146818 keeps it.

/** A date and a time of day; month and day count from 1, weekday 1 is Sunday, year has four digits. */
export interface CalendarTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** Splits seconds since 1970 (in whatever zone the clock runs) into fields. */
export function calendarFromSeconds(seconds: number): CalendarTime {
  const date = new Date(seconds * 1000);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay() + 1,
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  };
}

/** Seconds since 1970; fields out of range carry over, as the counters of the chip would. */
export function secondsFromCalendar(time: Omit<CalendarTime, "weekday">): number {
  return Date.UTC(time.year, time.month - 1, time.day, time.hour, time.minute, time.second) / 1000;
}

/** An alarm field that matches anything has its top two bits set. */
export const ALARM_ANY = 0xc0;

/** Hour, minute and second (binary) at which the alarm goes off; null matches each. */
export interface Alarm {
  readonly hour: number | null;
  readonly minute: number | null;
  readonly second: number | null;
}

/** First second after `seconds` at which the alarm matches; Infinity when its fields match no time of day. */
export function nextAlarm(alarm: Alarm, seconds: number): number {
  const limit = seconds + 2 * 86400;
  let at = seconds + 1;
  while (at <= limit) {
    const ofDay = at % 86400;
    if (alarm.hour !== null && Math.floor(ofDay / 3600) !== alarm.hour) {
      at += 3600 - (ofDay % 3600);
    } else if (alarm.minute !== null && Math.floor(ofDay / 60) % 60 !== alarm.minute) {
      at += 60 - (ofDay % 60);
    } else if (alarm.second !== null && ofDay % 60 !== alarm.second) {
      at += 1;
    } else {
      return at;
    }
  }
  return Number.POSITIVE_INFINITY;
}
