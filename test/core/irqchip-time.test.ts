// Time: APIC timer, PIT, port 0x61, TSC, kvmclock, icount.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Chips, I, L, TSC_KHZ } from "./irqchip-core.ts";

const MS = 1_000_000;

function enabled(): Chips {
  const chips = new Chips();
  chips.enableApic();
  chips.apicWrite(0x350, 0x10700);
  return chips;
}

const deadline = (chips: Chips) => chips.call["nextDeadline"]!() as number;

test("APIC timer: one-shot", () => {
  const chips = enabled();
  chips.apicWrite(0x3e0, 0b1010);
  assert.equal(chips.apicRead(0x3e0), 0b1010);
  chips.apicWrite(0x320, 0x51);
  chips.apicWrite(0x380, 10_000);
  assert.equal(deadline(chips), chips.now + 10_000 * 128, "divided by 128 at 1 GHz");
  assert.notEqual(chips.takeRequests(0) & L.REQ_EVENT, 0, "the run loop sizes its slice anew");
  chips.now += 128_000;
  assert.equal(chips.apicRead(0x390), 9000);
  chips.apicWrite(0x3e0, 0b1011);
  assert.equal(deadline(chips), chips.now + 9000, "what is left goes on at the new rate");
  chips.pass(8999);
  assert.equal(chips.take(), -1);
  chips.pass(1);
  assert.equal(chips.take(), 0x51);
  assert.equal(chips.apicRead(0x390), 0);
  assert.equal(deadline(chips), Number.POSITIVE_INFINITY);
  chips.apicWrite(0x380, 1000);
  chips.apicWrite(0x380, 0);
  assert.equal(deadline(chips), Number.POSITIVE_INFINITY, "0 stops it");
});

test("APIC timer: periodic; missed periods merge", () => {
  const chips = enabled();
  chips.apicWrite(0x3e0, 0b1011);
  chips.apicWrite(0x320, 0x20051);
  const start = chips.now;
  chips.apicWrite(0x380, MS);
  chips.pass(MS);
  assert.equal(chips.take(), 0x51);
  chips.apicWrite(0xb0, 0);
  chips.pass(3.5 * MS);
  assert.equal(chips.take(), 0x51);
  chips.apicWrite(0xb0, 0);
  assert.equal(chips.take(), -1);
  assert.equal(deadline(chips), start + 5 * MS, "in step with the start");
  assert.equal(chips.apicRead(0x390), MS / 2);
  chips.apicWrite(0x320, 0x30051);
  chips.pass(MS);
  assert.equal(chips.take(), -1, "masked, it runs on");
  chips.apicWrite(0x380, 1000);
  assert.equal(deadline(chips), chips.now + 200_000, "short periods are lengthened");
});

test("APIC timer: TSC deadline", () => {
  const chips = enabled();
  chips.call["writeTscDeadline"]!(1n);
  assert.equal(chips.call["readTscDeadline"]!(), 0n, "ignored in other modes");
  chips.apicWrite(0x320, 0x40051);
  const tsc = chips.call["readTsc"]!();
  chips.call["writeTscDeadline"]!(tsc + BigInt(TSC_KHZ));
  chips.pass(MS - 10);
  assert.equal(chips.take(), -1);
  chips.pass(20);
  assert.equal(chips.take(), 0x51);
  assert.ok(chips.call["readTsc"]!() >= tsc + BigInt(TSC_KHZ));
  assert.equal(chips.call["readTscDeadline"]!(), 0n);
  chips.apicWrite(0xb0, 0);
  chips.call["writeTscDeadline"]!(5n);
  assert.equal(chips.take(), 0x51, "the past expires at once");
  chips.call["writeTscDeadline"]!(tsc + 100n * BigInt(TSC_KHZ));
  chips.apicWrite(0x380, 5);
  assert.equal(chips.apicRead(0x380), 0, "no initial count in this mode");
  assert.notEqual(deadline(chips), Number.POSITIVE_INFINITY);
  chips.apicWrite(0x320, 0x51);
  assert.equal(deadline(chips), Number.POSITIVE_INFINITY, "leaving the mode disarms");
});

test("APIC timer: saved and set again", () => {
  const chips = enabled();
  chips.apicWrite(0x3e0, 0b1011);
  chips.apicWrite(0x320, 0x51);
  chips.apicWrite(0x380, MS);
  chips.now += 400_000;
  chips.call["lapicSave"]!();
  const page = new Uint8Array(chips.memory.buffer, chips.vcpu(0) + L.CPU_LAPIC, 1024).slice();
  chips.apicWrite(0x380, 0);
  new Uint8Array(chips.memory.buffer).set(page, chips.vcpu(0) + L.CPU_LAPIC);
  chips.call["lapicLoaded"]!();
  assert.equal(deadline(chips), chips.now + 600_000);
  assert.equal(chips.apicRead(0x380), MS);
});

/** Programs a channel: control word, then the count low byte first. */
function program(chips: Chips, channel: number, mode: number, count: number, bcd = 0): void {
  chips.out(0x43, (channel << 6) | 0x30 | (mode << 1) | bcd);
  chips.out(0x40 + channel, count & 0xff, count >> 8);
}

function readCount(chips: Chips, channel: number): number {
  chips.out(0x43, channel << 6);
  return chips.in(0x40 + channel) | (chips.in(0x40 + channel) << 8);
}

const clocks = (count: number) => Math.ceil((count * 1e9) / 1193182);

test("PIT: channel 0 in modes 2 and 3 ticks without drift", () => {
  for (const mode of [2, 3]) {
    const chips = new Chips();
    chips.initPics();
    const start = chips.now;
    program(chips, 0, mode, 11932);
    assert.equal(deadline(chips), start + clocks(11932));
    for (let tick = 1; tick <= 100; tick++) {
      chips.pass(deadline(chips) - chips.now);
      assert.equal(chips.now, start + clocks(11932 * tick));
      assert.equal(chips.take(), 0x20);
      chips.out(0x20, 0x20);
      assert.equal(chips.take(), -1);
    }
  }
});

test("PIT: channel 0 as one-shot in modes 0 and 4, silent in 1 and 5", () => {
  for (const [mode, wait] of [
    [0, 1000],
    [4, 1001],
    [1, 0],
    [5, 0],
  ] as const) {
    const chips = new Chips();
    chips.initPics();
    const start = chips.now;
    program(chips, 0, mode, 1000);
    assert.equal(deadline(chips), wait ? start + clocks(wait) : Number.POSITIVE_INFINITY);
    chips.pass(10 * MS);
    assert.equal(chips.take(), wait ? 0x20 : -1);
    chips.out(0x20, 0x20);
    chips.pass(100 * MS);
    assert.equal(chips.take(), -1);
  }
});

test("PIT: the default routing brings the tick to IOAPIC pin 2", () => {
  const chips = enabled();
  chips.out(0x21, 0xff);
  chips.redirect(2, 0x30);
  program(chips, 0, 2, 11932);
  for (let i = 0; i < 3; i++) {
    chips.pass(deadline(chips) - chips.now);
    assert.equal(chips.take(), 0x30);
    chips.apicWrite(0xb0, 0);
  }
});

test("PIT: ticks that were not acknowledged come later, spaced and bounded", () => {
  const chips = new Chips();
  chips.initPics();
  program(chips, 0, 2, 1193);
  chips.pass(10.5 * MS);
  let ticks = 0;
  while (chips.now < 20 * MS) {
    if (chips.take() >= 0) {
      ticks++;
      chips.out(0x20, 0x20);
      assert.equal(chips.take(), -1, "not at once");
    }
    chips.pass(deadline(chips) - chips.now);
  }
  assert.equal(ticks, 19, "every edge of the 19 ms");
  chips.pass(3600e9);
  const pending = chips.view.getUint32(I.PIT_PENDING, true);
  assert.ok(pending > 900 && pending <= 1001, `an hour leaves a second's worth: ${pending}`);
  chips.out(0x21, 0x01);
  chips.out(0x21, 0);
  assert.equal(chips.view.getUint32(I.PIT_PENDING, true), 0, "unmasking starts afresh");
});

test("PIT: without reinjection missed ticks are lost", () => {
  const chips = new Chips();
  chips.initPics();
  chips.call["setPitReinject"]!(0);
  program(chips, 0, 2, 1193);
  chips.pass(10.5 * MS);
  assert.equal(chips.take(), 0x20);
  chips.out(0x20, 0x20);
  chips.pass(0.1 * MS);
  assert.equal(chips.take(), -1);
});

test("PIT: counts, latches, read-back, BCD", () => {
  const chips = new Chips();
  program(chips, 1, 2, 1000);
  chips.now += clocks(300);
  assert.equal(readCount(chips, 1), 700);
  chips.now += clocks(1000);
  assert.equal(readCount(chips, 1), 700, "periodic");
  chips.out(0x43, 0x40);
  chips.now += clocks(100);
  chips.out(0x43, 0x40);
  assert.equal(chips.in(0x41) | (chips.in(0x41) << 8), 700, "the first latch stays");
  assert.equal(chips.in(0x41) | (chips.in(0x41) << 8), 600, "not latched");
  program(chips, 1, 3, 1000);
  chips.now += clocks(100);
  assert.equal(readCount(chips, 1), 800, "mode 3 counts by two");
  program(chips, 1, 0, 100);
  chips.now += clocks(101);
  assert.equal(readCount(chips, 1), 0xffff, "mode 0 counts on below zero");
  chips.out(0x43, 0xc4);
  assert.equal(chips.in(0x41), 0xb0, "status: output high, word access, mode 0");
  assert.notEqual(chips.in(0x41), 0xb0, "then the count, latched too");
  chips.in(0x41);
  chips.out(0x43, 0x70);
  chips.out(0x43, 0xe4);
  assert.equal(chips.in(0x41), 0x70, "null count, output low");
  program(chips, 1, 2, 0x1000, 1);
  chips.now += clocks(1);
  assert.equal(readCount(chips, 1), 0x0999);
  program(chips, 1, 2, 0);
  assert.equal(readCount(chips, 1), 0, "65536");
  chips.out(0x43, 0x50);
  chips.out(0x41, 0x80);
  assert.equal(chips.in(0x41), 0x80, "low byte access");
  chips.out(0x43, 0x60);
  chips.out(0x41, 0x12);
  assert.equal(chips.in(0x41), 0x12, "high byte access");
  assert.equal(chips.in(0x43), 0);
});

test("port 0x61: gate and output of channel 2, refresh", () => {
  const chips = new Chips();
  const output = () => (chips.in(0x61) >> 5) & 1;
  chips.out(0x61, 0);
  program(chips, 2, 0, 1000);
  chips.now += clocks(2000);
  assert.equal(output(), 0, "the gate is closed");
  chips.out(0x61, 1);
  chips.now += clocks(999) - 1;
  assert.equal(output(), 0);
  chips.now += clocks(2);
  assert.equal(output(), 1);
  chips.out(0x61, 3);
  assert.equal(chips.in(0x61) & 0x0f, 3);
  program(chips, 2, 1, 500);
  assert.equal(output(), 1, "a one-shot waits for the gate's edge");
  chips.out(0x61, 0);
  chips.out(0x61, 1);
  assert.equal(output(), 0);
  chips.now += clocks(501);
  assert.equal(output(), 1);
  program(chips, 2, 3, 1000);
  assert.equal(output(), 1);
  chips.now += clocks(600);
  assert.equal(output(), 0);
  chips.out(0x61, 0);
  assert.equal(output(), 1, "a closed gate forces the output high");
  program(chips, 2, 5, 100);
  chips.out(0x61, 1);
  chips.now += clocks(100) + 10;
  assert.equal(output(), 0, "strobe");
  chips.now += clocks(1);
  assert.equal(output(), 1);
  const refresh = chips.in(0x61) & 0x10;
  chips.now += 1 << 14;
  assert.notEqual(chips.in(0x61) & 0x10, refresh);
});

test("PIT: the state is struct kvm_pit_state2 and can be set", () => {
  const chips = new Chips();
  assert.equal(chips.view.getUint8(I.PIT_STATE + I.PIT_MODE), 0xff, "not programmed");
  program(chips, 0, 2, 11932);
  const state = new Uint8Array(chips.memory.buffer, I.PIT_STATE, I.PIT_STATE2_SIZE).slice();
  const start = chips.now;
  chips.pass(25 * MS);
  program(chips, 0, 0, 1);
  new Uint8Array(chips.memory.buffer).set(state, I.PIT_STATE);
  chips.call["pitStateLoaded"]!();
  assert.equal(deadline(chips), start + clocks(3 * 11932));
});

test("TSC: exact, strictly increasing, one for all vCPUs", () => {
  const chips = new Chips();
  chips.now = 0x1fffffffffff;
  const expected = (BigInt(chips.now) * BigInt(TSC_KHZ)) / 1_000_000n;
  assert.equal(chips.call["readTsc"]!(), expected);
  assert.equal(chips.call["readTsc"]!(), expected + 1n, "the host's clock stands still");
  chips.select(1);
  assert.equal(chips.call["readTsc"]!(), expected + 2n);
  chips.now -= 1e6;
  assert.equal(chips.call["guestNs"]!() as number, 0x1fffffffffff, "time never goes back");
  for (const ticks of [1n, 12345n, 0x123456789abcdn]) {
    const ns = chips.call["tscToNs"]!(ticks) as number;
    assert.ok(chips.call["nsToTsc"]!(ns) >= ticks && chips.call["nsToTsc"]!(ns - 1) < ticks);
  }
});

test("TSC: written, adjusted, and its deadline moved along", () => {
  const chips = enabled();
  const adjust = () => chips.view.getBigInt64(chips.vcpu(0) + L.CPU_TSC_ADJUST, true);
  chips.apicWrite(0x320, 0x40051);
  chips.call["writeTsc"]!(1000n, 1);
  assert.ok(chips.call["readTsc"]!() - 1000n < 10n);
  assert.ok(adjust() < 0n);
  chips.call["writeTscDeadline"]!(1000n + BigInt(TSC_KHZ));
  chips.call["writeTscAdjust"]!(adjust() + BigInt(TSC_KHZ) / 2n);
  assert.ok(Math.abs(deadline(chips) - chips.now - MS / 2) < 100);
});

test("TSC: the host's writes to several vCPUs agree", () => {
  const chips = new Chips();
  const offset = (index: number) => chips.view.getBigUint64(chips.vcpu(index) + L.CPU_TSC_OFFSET, true);
  chips.now += 60e9;
  chips.call["writeTsc"]!(0n, 0);
  assert.equal(offset(0), 0n, "0 asks for the common counter");
  chips.call["writeTsc"]!(1_000_000n, 0);
  assert.notEqual(offset(0), 0n);
  chips.now += 0.3e9;
  chips.select(1);
  chips.call["writeTsc"]!(1_000_000n, 0);
  assert.equal(offset(1), offset(0));
  chips.call["writeTsc"]!(1n << 50n, 0);
  assert.notEqual(offset(1), offset(0));
});

test("kvmclock: the page's arithmetic gives guest time at many rates", () => {
  for (const khz of [800_000, 1_000_000, 1_193_182, 2_000_000, 2_500_000, 4_321_987]) {
    const chips = new Chips();
    chips.call["setTscKhz"]!(khz);
    chips.call["kvmClockSet"]!(0);
    const begin = chips.now;
    assert.equal(chips.call["kvmMsrWrite"]!(0x4b564d01, 0x1001n), 1);
    const page = () => {
      const at = chips.ram(0x1000);
      const shift = chips.view.getInt8(at + 28);
      const mul = BigInt(chips.view.getUint32(at + 24, true));
      assert.equal(chips.view.getUint32(at, true) & 1, 0, "the version is even");
      assert.equal(chips.view.getUint8(at + 29), 1, "TSC stable");
      const delta = chips.call["readTsc"]!() - chips.view.getBigUint64(at + 8, true);
      const shifted = shift < 0 ? delta >> BigInt(-shift) : delta << BigInt(shift);
      return Number(chips.view.getBigUint64(at + 16, true) + ((shifted * mul) >> 32n));
    };
    for (const ns of [0, 12_345, 1e9, 3600e9]) {
      chips.now = begin + ns;
      const error = Math.abs(page() - ns);
      assert.ok(error <= 3 + ns / 1e9, `${khz} kHz after ${ns} ns: off by ${error}`);
      assert.ok(Math.abs((chips.call["kvmClockGet"]!() as number) - page()) <= 3);
    }
  }
});

test("kvmclock: updates, stopped guests, counters that differ", () => {
  const chips = new Chips();
  chips.call["kvmMsrWrite"]!(0x12, 0x1001n);
  const at = chips.ram(0x1000);
  const version = chips.view.getUint32(at, true);
  chips.call["kvmClockUpdate"]!();
  chips.call["kvmClockUpdate"]!();
  assert.ok(chips.view.getUint32(at, true) - version <= 2, "unchanged pages are not rewritten");
  assert.equal(chips.call["kvmClockGuestStopped"]!(), 0);
  chips.call["kvmClockUpdate"]!();
  assert.equal(chips.view.getUint8(at + 29), 3);
  chips.view.setUint8(at + 29, 1);
  chips.call["kvmClockSet"]!(5e9);
  chips.call["kvmClockUpdate"]!();
  assert.equal(chips.view.getUint8(at + 29), 1, "the guest has seen that it was stopped");
  assert.equal(chips.view.getBigUint64(at + 16, true), 5_000_000_000n);
  chips.select(1);
  assert.equal(chips.call["kvmClockGuestStopped"]!(), -22);
  chips.call["writeTsc"]!(7n, 1);
  chips.select(0);
  chips.call["kvmClockUpdate"]!();
  assert.equal(chips.view.getUint8(at + 29), 0, "not stable across vCPUs");
});

test("kvmclock: wall clock, steal time, MSRs that are refused", () => {
  const chips = new Chips();
  const write = (index: number, value: bigint) => chips.call["kvmMsrWrite"]!(index, value);
  chips.call["kvmClockSet"]!(10e9);
  assert.equal(write(0x4b564d00, 0x2000n), 1);
  const at = chips.ram(0x2000);
  assert.equal(chips.view.getUint32(at + 4, true), 1_700_000_000 - 10);
  assert.equal(chips.view.getUint32(at, true) & 1, 0);
  assert.equal(write(0x4b564d03, 0x2041n), 1);
  assert.equal(chips.view.getUint32(chips.ram(0x2048), true) & 1, 0);
  assert.equal(write(0x4b564d03, 0x2003n), 0);
  assert.equal(write(0x4b564d02, 0x3001n), 0, "asynchronous page faults are not offered");
  assert.equal(write(0x4b564d02, 0n), 1);
  assert.equal(write(0x4b564d05, 2n), 0);
  assert.equal(write(0x4b564d05, 1n), 1);
  assert.equal(chips.call["kvmMsrRead"]!(0x4b564d05), 1n);
  assert.equal(write(0x4b564d09, 0n), 0);
});

test("icount: time is what the vCPUs have executed", () => {
  const chips = new Chips({ icountShift: 3 });
  const at = chips.vcpu(0);
  const ns = () => chips.call["guestNs"]!() as number;
  assert.equal(ns(), 0);
  chips.view.setUint32(at + L.CPU_SLICE, 1000, true);
  chips.view.setUint32(at + L.CPU_FUEL, 400, true);
  assert.equal(ns(), 600 * 8);
  chips.view.setBigUint64(at + L.CPU_RETIRED, 1000n, true);
  chips.view.setUint32(at + L.CPU_FUEL, 1000, true);
  chips.view.setUint32(chips.vcpu(1) + L.CPU_SLICE, 50, true);
  assert.equal(ns(), 1050 * 8);
  chips.call["advanceIcountTo"]!(MS);
  assert.equal(ns(), MS);
  chips.call["advanceIcountTo"]!(5);
  assert.equal(ns(), MS);
  chips.now += MS;
  assert.equal(ns(), MS, "the host's clock does not matter");
});
