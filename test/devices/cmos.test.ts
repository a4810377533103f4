import assert from "node:assert/strict";
import { test } from "node:test";
import { PortBus } from "../../host/devices/bus.ts";
import { nextAlarm } from "../../host/devices/cmos/calendar.ts";
import { Cmos } from "../../host/devices/cmos/cmos.ts";
import { fillPcCmos } from "../../host/devices/cmos/pc-layout.ts";
import { FakeIrq, FakeTime } from "./fakes.ts";

const SECOND = 1e9;
/** 2026-11-21, a Saturday, 13:59:58 and a quarter. */
const START = Date.UTC(2026, 10, 21, 13, 59, 58, 250) / 1000;

function clock() {
  const bus = new PortBus();
  const irq = new FakeIrq();
  const time = new FakeTime();
  const cmos = new Cmos({ irq, clock: time, timers: time, startSeconds: START });
  bus.map(0x70, 2, cmos);
  const read = (index: number) => {
    bus.write(0x70, 1, index);
    return bus.read(0x71, 1);
  };
  const write = (index: number, value: number) => {
    bus.write(0x70, 1, index);
    bus.write(0x71, 1, value);
  };
  return { bus, irq, time, cmos, read, write };
}

test("shows the date in BCD and 24 hours by default, and in binary when asked", () => {
  const { read, write } = clock();
  assert.deepEqual([0x32, 9, 8, 7, 6, 4, 2, 0].map(read), [0x20, 0x26, 0x11, 0x21, 7, 0x13, 0x59, 0x58]);
  write(0x0b, 0x06);
  assert.deepEqual([9, 8, 7, 4, 2, 0].map(read), [26, 11, 21, 13, 59, 58]);
  write(0x0b, 0x00);
  assert.equal(read(4), 0x81, "1 pm in BCD and 12 hours");
});

test("counts on, and announces the update 244 microseconds before", () => {
  const { read, time } = clock();
  time.advance(0.7 * SECOND);
  assert.equal(read(0x0a) & 0x80, 0);
  time.advance(0.0499 * SECOND);
  assert.equal(read(0x0a) & 0x80, 0x80);
  time.advance(0.0002 * SECOND);
  assert.equal(read(0x0a) & 0x80, 0);
  assert.equal(read(0), 0x59);
  time.advance(SECOND);
  assert.deepEqual([4, 2, 0].map(read), [0x14, 0x00, 0x00]);
});

test("setting the clock field by field under SET does not normalise in between", () => {
  const { read, write, time } = clock();
  write(0x0b, 0x82);
  write(8, 0x02);
  write(7, 0x28);
  write(4, 0x23);
  write(2, 0x59);
  write(0, 0x59);
  time.advance(10 * SECOND);
  assert.equal(read(0), 0x59, "stands still");
  write(0x0b, 0x02);
  time.advance(0.6 * SECOND);
  assert.deepEqual([8, 7, 4, 2, 0].map(read), [0x03, 0x01, 0x00, 0x00, 0x00]);
});

test("update-ended, alarm and periodic interrupts raise IRQ 8 until register C is read", () => {
  const { read, write, irq, time } = clock();
  write(0x0b, 0x12);
  time.advance(0.75 * SECOND);
  assert.equal(irq.level, true);
  assert.equal(read(0x0c), 0xd0, "the periodic flag is set too, though its interrupt is off");
  assert.equal(irq.level, false);
  assert.equal(read(0x0c), 0);

  write(0x0b, 0x22);
  for (const [cell, value] of [
    [5, 0x14],
    [3, 0x00],
    [1, 0x05],
  ] as const) {
    write(cell, value);
  }
  time.advance(5.9 * SECOND);
  assert.equal(irq.level, false);
  time.advance(0.2 * SECOND);
  assert.equal(irq.level, true);
  assert.equal(read(0x0c) & 0xa0, 0xa0);

  write(0x0a, 0x26);
  write(0x0b, 0x42);
  read(0x0c);
  const before = irq.rises;
  for (let i = 0; i < 1024; i++) {
    time.advance(SECOND / 1024);
    read(0x0c);
  }
  assert.ok(Math.abs(irq.rises - before - 1024) <= 1, `${irq.rises - before} ticks in a second`);
});

test("disabled sources cost no timers", () => {
  const { time } = clock();
  assert.equal(time.nextAt(), Number.POSITIVE_INFINITY);
});

test("alarms match wildcards; impossible ones never", () => {
  assert.equal(nextAlarm({ hour: null, minute: null, second: 30 }, 100), 150);
  assert.equal(nextAlarm({ hour: 0, minute: 0, second: 0 }, 0), 86400);
  assert.equal(nextAlarm({ hour: 25, minute: null, second: null }, 0), Number.POSITIVE_INFINITY);
});

test("RAM cells keep what is written, and the index cannot be read", () => {
  const { bus, cmos, read, write } = clock();
  write(0x0f, 0x05);
  cmos.reset();
  assert.equal(read(0x0f), 0x05);
  assert.equal(bus.read(0x70, 1), 0xff);
  assert.equal(read(0x0d), 0x80);
});

test("memory sizes are where firmware keeps them", () => {
  const { cmos, read } = clock();
  fillPcCmos(cmos, 256 * 2 ** 20, 512 * 2 ** 20, 1);
  assert.equal(read(0x15) | (read(0x16) << 8), 640);
  assert.equal(read(0x17) | (read(0x18) << 8), 0xffff);
  assert.equal(read(0x34) | (read(0x35) << 8), 240 * 16);
  assert.equal(read(0x5b) | (read(0x5c) << 8) | (read(0x5d) << 16), 512 * 16);
});
