import assert from "node:assert/strict";
import { test } from "node:test";
import { PortBus } from "../../host/devices/bus.ts";
import { Serial16550 } from "../../host/devices/serial16550/serial16550.ts";
import { FakeChardev, FakeIrq, FakeTime } from "./fakes.ts";

const BASE = 0x3f8;

function uart() {
  const bus = new PortBus();
  const irq = new FakeIrq();
  const chardev = new FakeChardev();
  const time = new FakeTime();
  const device = new Serial16550({ irq, chardev, clock: time, timers: time });
  bus.map(BASE, 8, device);
  return {
    irq,
    chardev,
    time,
    device,
    read: (register: number) => bus.read(BASE + register, 1),
    write: (register: number, value: number) => bus.write(BASE + register, 1, value),
  };
}

test("what is written to THR goes out at once and the transmitter stays empty", () => {
  const { write, read, chardev } = uart();
  for (const byte of [0x48, 0x69]) {
    write(0, byte);
  }
  assert.equal(chardev.output, "Hi");
  assert.equal(read(5), 0x60);
});

test("the divisor latch hides behind DLAB", () => {
  const { write, read, chardev } = uart();
  write(3, 0x83);
  write(0, 0x01);
  write(1, 0x02);
  assert.equal(read(0), 0x01);
  assert.equal(read(1), 0x02);
  write(3, 0x03);
  assert.equal(read(1), 0x00);
  assert.equal(chardev.output, "");
  write(7, 0x5a);
  assert.equal(read(7), 0x5a);
});

test("enabling the THRE interrupt raises it; reading IIR takes it; writing THR raises it again", () => {
  const { write, read, irq } = uart();
  write(1, 0x02);
  assert.equal(irq.level, true);
  assert.equal(read(2), 0x02);
  assert.equal(irq.level, false);
  assert.equal(read(2), 0x01);
  write(0, 0x41);
  assert.equal(irq.level, true);
  assert.equal(irq.rises, 2);
});

test("without FIFO a character interrupts at once and the next waits in the back end", () => {
  const { write, read, irq, chardev } = uart();
  write(1, 0x01);
  chardev.type("ab");
  assert.equal(irq.level, true);
  assert.equal(read(2), 0x04);
  assert.equal(read(5) & 1, 1);
  assert.equal(read(0), 0x61);
  assert.equal(read(0), 0x62);
  assert.equal(irq.level, false);
  assert.equal(read(5) & 1, 0);
});

test("with FIFO the interrupt comes at the trigger level, or four character times later", () => {
  const { write, read, irq, chardev, time } = uart();
  write(3, 0x83);
  write(0, 1);
  write(1, 0);
  write(3, 0x03);
  write(2, 0x81);
  write(1, 0x01);
  assert.equal(read(2), 0xc1);
  chardev.type("abc");
  assert.equal(irq.level, false);
  time.advance(300_000);
  assert.equal(irq.level, false);
  time.advance(50_000);
  assert.equal(irq.level, true);
  assert.equal(read(2), 0xcc);
  assert.equal(read(0), 0x61);
  assert.equal(irq.level, false);
  chardev.type("defghi");
  assert.equal(read(2), 0xc4, "eight characters reach the level");
});

test("loopback connects outputs to inputs and the transmitter to the receiver", () => {
  const { write, read, chardev } = uart();
  assert.equal(read(6) & 0xf0, 0xb0);
  write(4, 0x1a);
  assert.equal(read(6) & 0xf0, 0x90, "RTS and OUT2 come back as CTS and DCD");
  write(0, 0x55);
  assert.equal(read(0), 0x55);
  assert.equal(chardev.output, "");
  write(0, 1);
  write(0, 2);
  assert.equal(read(5) & 0x02, 0x02, "overrun");
  assert.equal(read(5) & 0x02, 0, "cleared by reading");
});

test("modem status interrupts on changes, and the ring only when it ends", () => {
  const { write, read, irq } = uart();
  write(4, 0x10);
  read(6);
  write(1, 0x08);
  write(4, 0x14);
  assert.equal(irq.level, false, "ring starts");
  write(4, 0x10);
  assert.equal(irq.level, true, "ring ends");
  assert.equal(read(2), 0x00);
  assert.equal(read(6) & 0x0f, 0x04);
  assert.equal(irq.level, false);
});

test("a long queue holds the back end until half of it is read", () => {
  const { read, chardev } = uart();
  chardev.type("x".repeat(5000));
  assert.equal(chardev.ready, false);
  for (let i = 0; i < 3000; i++) {
    assert.equal(read(0), 0x78);
  }
  assert.equal(chardev.ready, true);
});

test("clearing the receive FIFO drops what is in it", () => {
  const { write, read, chardev } = uart();
  write(2, 0x01);
  chardev.type("abc");
  write(2, 0x03);
  assert.equal(read(5) & 1, 0);
});
