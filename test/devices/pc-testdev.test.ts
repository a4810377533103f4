import assert from "node:assert/strict";
import { test } from "node:test";
import { MmioBus, PortBus } from "../../host/devices/bus.ts";
import { PcTestdev, TESTDEV_MEMORY, TESTDEV_MEMORY_BYTES } from "../../host/devices/pc-testdev/pc-testdev.ts";
import { FakeIrq } from "./fakes.ts";

test("the echo register keeps bytes, words and doublewords", () => {
  const bus = new PortBus();
  bus.map(0xe0, 4, new PcTestdev([]).echo);
  bus.write(0xe0, 4, 0x12345678);
  assert.equal(bus.read(0xe0, 2), 0x5678);
  assert.equal(bus.read(0xe2, 1), 0x34);
  bus.write(0xe1, 1, 0xff);
  assert.equal(bus.read(0xe0, 4), 0x1234ff78);
});

test("a byte to an interrupt port sets the level of that line", () => {
  const lines = [new FakeIrq(), new FakeIrq()];
  const bus = new PortBus();
  bus.map(0x2000, 24, new PcTestdev(lines).irqs);
  bus.write(0x2001, 1, 1);
  assert.deepEqual([lines[0]?.level, lines[1]?.level], [false, true]);
  bus.write(0x2001, 1, 0);
  bus.write(0x2002, 1, 1);
  assert.equal(lines[1]?.level, false);
});

test("the memory holds what is written, and nothing beyond its end answers", () => {
  const bus = new MmioBus();
  bus.map(TESTDEV_MEMORY, TESTDEV_MEMORY_BYTES, new PcTestdev([]).memory);
  bus.write(TESTDEV_MEMORY + 0xfffe, Uint8Array.of(1, 2));
  const two = new Uint8Array(2);
  bus.read(TESTDEV_MEMORY + 0xfffe, two);
  assert.deepEqual([...two], [1, 2]);
  bus.read(TESTDEV_MEMORY + 0xffff, two);
  assert.deepEqual([...two], [0xff, 0xff]);
});
