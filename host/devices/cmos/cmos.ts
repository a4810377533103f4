// MC146818A real-time clock with the battery-backed RAM of a PC behind ports 0x70 and 0x71.
// Time is computed from the guest clock when it is read; only enabled interrupts cost timers.
import type { IrqLine, PioDevice, PioSize, Resettable } from "../bus.ts";
import type { Clock, Timer, Timers } from "../clock.ts";
import { ALARM_ANY, type CalendarTime, calendarFromSeconds, nextAlarm, secondsFromCalendar } from "./calendar.ts";

export const CMOS_PORT = 0x70;
export const CMOS_PORTS = 2;

// Cells of the clock.
const SECONDS = 0x00;
const SECONDS_ALARM = 0x01;
const MINUTES = 0x02;
const MINUTES_ALARM = 0x03;
const HOURS = 0x04;
const HOURS_ALARM = 0x05;
const WEEKDAY = 0x06;
const DAY = 0x07;
const MONTH = 0x08;
const YEAR = 0x09;
const REG_A = 0x0a;
const REG_B = 0x0b;
const REG_C = 0x0c;
const REG_D = 0x0d;
/** Where PC firmware keeps the century. */
export const CMOS_CENTURY = 0x32;

const A_UPDATE_IN_PROGRESS = 0x80;
const A_DIVIDER = 0x70;
/** The divider value that makes a 32768 Hz crystal count seconds. */
const A_DIVIDER_32KHZ = 0x20;
/** Values from here on hold the divider chain in reset. */
const A_DIVIDER_RESET = 0x60;
const A_RATE = 0x0f;
const B_SET = 0x80;
const B_PERIODIC = 0x40;
const B_ALARM = 0x20;
const B_UPDATE = 0x10;
const B_BINARY = 0x04;
const B_24_HOUR = 0x02;
const C_IRQ = 0x80;
const C_PERIODIC = 0x40;
const C_ALARM = 0x20;
const C_UPDATE = 0x10;
const D_VALID = 0x80;
const HOUR_PM = 0x80;

const SECOND_NS = 1e9;
/** The update-in-progress bit rises this long before the second changes (244 µs at 32768 Hz). */
const UPDATE_WARNING_NS = (8 * SECOND_NS) / 32768;

export interface CmosOptions {
  /** IRQ 8. */
  readonly irq: IrqLine;
  readonly clock: Clock;
  readonly timers: Timers;
  /** What the clock shows at guest time 0, in seconds since 1970 in the clock's own zone; may have a fraction. */
  readonly startSeconds: number;
}

/** The clock and 128 bytes of RAM. */
export class Cmos implements PioDevice, Resettable {
  private readonly irq: IrqLine;
  private readonly clock: Clock;
  private readonly timer: Timer;
  private readonly cells = new Uint8Array(128);
  private index = 0;
  /** At guest time `baseNs` (whole nanoseconds) the clock changed to `baseSeconds` since 1970. */
  private baseNs = 0;
  private baseSeconds = 0;
  /** While the clock stands still (SET, or divider held in reset): the counters, which can then be set one by one. */
  private stopped: CalendarTime | null = null;
  /** Flags of register C were brought up to date at this guest time. */
  private checkedNs: number;

  constructor(options: CmosOptions) {
    this.irq = options.irq;
    this.clock = options.clock;
    this.timer = options.timers.create(() => this.update());
    this.startAt(Math.floor(options.startSeconds), -(options.startSeconds % 1) * SECOND_NS);
    this.checkedNs = this.clock.nowNs();
    this.cells[REG_A] = A_DIVIDER_32KHZ | 0x06;
    this.cells[REG_B] = B_24_HOUR;
  }

  /** The RESET pin: interrupts off, flags cleared; time, mode and RAM stay. */
  reset(): void {
    this.update();
    this.cells[REG_B] = this.cell(REG_B) & ~(B_PERIODIC | B_ALARM | B_UPDATE);
    this.cells[REG_C] = 0;
    this.update();
  }

  /** Writes battery-backed RAM from the host's side, for what firmware would leave there. */
  setRam(index: number, value: number): void {
    this.cells[index] = value;
  }

  readPort(offset: number, _size: PioSize): number {
    // The index register cannot be read back.
    return offset === 0 ? 0xff : this.readCell(this.index);
  }

  writePort(offset: number, _size: PioSize, value: number): void {
    if (offset === 0) {
      // Bit 7 is the NMI mask of the board, not part of the index.
      this.index = value & 0x7f;
    } else {
      this.writeCell(this.index, value);
    }
  }

  private readCell(index: number): number {
    switch (index) {
      case SECONDS:
        return this.encode(this.now().second);
      case MINUTES:
        return this.encode(this.now().minute);
      case HOURS:
        return this.encodeHour(this.now().hour);
      case WEEKDAY:
        return this.encode(this.now().weekday);
      case DAY:
        return this.encode(this.now().day);
      case MONTH:
        return this.encode(this.now().month);
      case YEAR:
        return this.encode(this.now().year % 100);
      case CMOS_CENTURY:
        return this.encode(Math.floor(this.now().year / 100));
      case REG_A:
        return this.cell(REG_A) | (this.updateInProgress() ? A_UPDATE_IN_PROGRESS : 0);
      case REG_C:
        return this.takeFlags();
      case REG_D:
        return D_VALID;
      default:
        return this.cell(index);
    }
  }

  private writeCell(index: number, value: number): void {
    switch (index) {
      case SECONDS:
      case MINUTES:
      case HOURS:
      case WEEKDAY:
      case DAY:
      case MONTH:
      case YEAR:
      case CMOS_CENTURY:
        this.setField(index, value);
        break;
      case REG_A:
        this.update();
        this.cells[REG_A] = value & ~A_UPDATE_IN_PROGRESS;
        this.startOrStop();
        break;
      case REG_B:
        this.update();
        this.cells[REG_B] = value;
        this.startOrStop();
        break;
      case REG_C:
      case REG_D:
        // Read only.
        break;
      default:
        this.cells[index] = value;
        if (index === SECONDS_ALARM || index === MINUTES_ALARM || index === HOURS_ALARM) {
          this.update();
        }
        break;
    }
  }

  // ------------------------------------------------------------ time

  private startAt(seconds: number, ns: number): void {
    this.baseSeconds = seconds;
    this.baseNs = Math.floor(ns);
  }

  /** Seconds since 1970 that a running clock shows at guest time `atNs`. */
  private secondsAt(atNs: number): number {
    return this.baseSeconds + Math.floor((atNs - this.baseNs) / SECOND_NS);
  }

  /** Guest time at which a running clock changes to `seconds`. */
  private timeOf(seconds: number): number {
    return this.baseNs + (seconds - this.baseSeconds) * SECOND_NS;
  }

  private now(): CalendarTime {
    return this.stopped ?? calendarFromSeconds(this.secondsAt(this.clock.nowNs()));
  }

  private updateInProgress(): boolean {
    if (this.stopped !== null) {
      return false;
    }
    const nowNs = this.clock.nowNs();
    return this.timeOf(this.secondsAt(nowNs) + 1) - nowNs <= UPDATE_WARNING_NS;
  }

  private setField(index: number, value: number): void {
    const time = withField(this.now(), index, index === HOURS ? this.decodeHour(value) : this.decode(value));
    if (this.stopped !== null) {
      this.stopped = time;
      return;
    }
    const nowNs = this.clock.nowNs();
    this.startAt(secondsFromCalendar(time), this.timeOf(this.secondsAt(nowNs)));
    this.checkedNs = nowNs;
    this.update();
  }

  /** SET and a divider held in reset stop the clock; it goes on half a second before its next update. */
  private startOrStop(): void {
    const stop = (this.cell(REG_B) & B_SET) !== 0 || (this.cell(REG_A) & A_DIVIDER) >= A_DIVIDER_RESET;
    const nowNs = this.clock.nowNs();
    if (stop && this.stopped === null) {
      this.stopped = this.now();
    } else if (!stop && this.stopped !== null) {
      this.startAt(secondsFromCalendar(this.stopped), nowNs - SECOND_NS / 2);
      this.stopped = null;
      this.checkedNs = nowNs;
    }
    this.update();
  }

  // ------------------------------------------------------------ interrupts

  /** Brings the flags of register C up to now, drives the line and arms the timer for the next enabled event. */
  private update(): void {
    const nowNs = this.clock.nowNs();
    const fromNs = this.checkedNs;
    this.checkedNs = nowNs;
    let flags = this.cell(REG_C) & ~C_IRQ;
    const periodNs = this.periodNs();
    if (periodNs > 0 && Math.floor(nowNs / periodNs) > Math.floor(fromNs / periodNs)) {
      flags |= C_PERIODIC;
    }
    if (this.stopped === null) {
      const then = this.secondsAt(fromNs);
      const seconds = this.secondsAt(nowNs);
      if (seconds > then) {
        flags |= C_UPDATE;
        if (nextAlarm(this.alarm(), then) <= seconds) {
          flags |= C_ALARM;
        }
      }
    }
    const raised = (flags & this.cell(REG_B) & (B_PERIODIC | B_ALARM | B_UPDATE)) !== 0;
    this.cells[REG_C] = flags | (raised ? C_IRQ : 0);
    this.irq.set(raised);
    this.timer.arm(this.nextEventNs(nowNs, periodNs));
  }

  private takeFlags(): number {
    this.update();
    const flags = this.cell(REG_C);
    this.cells[REG_C] = 0;
    this.irq.set(false);
    this.timer.arm(this.nextEventNs(this.checkedNs, this.periodNs()));
    return flags;
  }

  private nextEventNs(nowNs: number, periodNs: number): number {
    const enabled = this.cell(REG_B);
    let at = Number.POSITIVE_INFINITY;
    if (enabled & B_PERIODIC && periodNs > 0) {
      at = (Math.floor(nowNs / periodNs) + 1) * periodNs;
    }
    if (this.stopped === null) {
      const seconds = this.secondsAt(nowNs);
      if (enabled & B_UPDATE) {
        at = Math.min(at, this.timeOf(seconds + 1));
      }
      if (enabled & B_ALARM) {
        at = Math.min(at, this.timeOf(nextAlarm(this.alarm(), seconds)));
      }
    }
    return at;
  }

  /** Period of the periodic interrupt, 0 when it is off. Rates 1 and 2 repeat 8 and 9 (data sheet, table 5). */
  private periodNs(): number {
    const rate = this.cell(REG_A) & A_RATE;
    if (rate === 0 || (this.cell(REG_A) & A_DIVIDER) !== A_DIVIDER_32KHZ) {
      return 0;
    }
    const shift = rate <= 2 ? rate + 6 : rate - 1;
    return ((1 << shift) * SECOND_NS) / 32768;
  }

  private alarm() {
    const field = (index: number, decode: (value: number) => number) => {
      const value = this.cell(index);
      return (value & ALARM_ANY) === ALARM_ANY ? null : decode(value);
    };
    return {
      hour: field(HOURS_ALARM, (value) => this.decodeHour(value)),
      minute: field(MINUTES_ALARM, (value) => this.decode(value)),
      second: field(SECONDS_ALARM, (value) => this.decode(value)),
    };
  }

  // ------------------------------------------------------------ encodings

  private cell(index: number): number {
    return this.cells[index] as number;
  }

  private encode(value: number): number {
    return this.cell(REG_B) & B_BINARY ? value : (Math.floor(value / 10) << 4) | (value % 10);
  }

  private decode(value: number): number {
    return this.cell(REG_B) & B_BINARY ? value : (value >> 4) * 10 + (value & 0x0f);
  }

  private encodeHour(hour: number): number {
    if (this.cell(REG_B) & B_24_HOUR) {
      return this.encode(hour);
    }
    return this.encode(hour % 12 === 0 ? 12 : hour % 12) | (hour >= 12 ? HOUR_PM : 0);
  }

  private decodeHour(value: number): number {
    if (this.cell(REG_B) & B_24_HOUR) {
      return this.decode(value);
    }
    return (this.decode(value & ~HOUR_PM) % 12) + (value & HOUR_PM ? 12 : 0);
  }
}

function withField(time: CalendarTime, index: number, value: number): CalendarTime {
  switch (index) {
    case SECONDS:
      return { ...time, second: value };
    case MINUTES:
      return { ...time, minute: value };
    case HOURS:
      return { ...time, hour: value };
    case WEEKDAY:
      return { ...time, weekday: value };
    case DAY:
      return { ...time, day: value };
    case MONTH:
      return { ...time, month: value };
    case YEAR:
      return { ...time, year: time.year - (time.year % 100) + value };
    default:
      return { ...time, year: value * 100 + (time.year % 100) };
  }
}
