import assert from "node:assert/strict";
import { test } from "node:test";
import { MmioBus, type PioDevice, PortBus } from "../../host/devices/bus.ts";
import { SharedIrqLine } from "../../host/devices/irq-lines.ts";

function recorder(maxAccess: 1 | 2 | 4) {
  const log: string[] = [];
  const device: PioDevice = {
    maxAccess,
    readPort: (offset, size) => {
      log.push(`r${offset}.${size}`);
      return 0x11 * (offset + 1);
    },
    writePort: (offset, size, value) => {
      log.push(`w${offset}.${size}=${value.toString(16)}`);
    },
  };
  return { log, device };
}

test("unclaimed ports read all-ones and swallow writes", () => {
  const bus = new PortBus();
  assert.equal(bus.read(0x80, 1), 0xff);
  assert.equal(bus.read(0x80, 2), 0xffff);
  assert.equal(bus.read(0xffff, 4), 0xffffffff);
  bus.write(0x80, 4, 1);
});

test("an access wider than the device decodes arrives in pieces, lowest first", () => {
  const bus = new PortBus();
  const { log, device } = recorder(1);
  bus.map(0x100, 2, device);
  bus.write(0x100, 4, 0x44332211);
  assert.deepEqual(log, ["w0.1=11", "w1.1=22"]);
  assert.equal(bus.read(0x100, 4), 0xffff2211);
});

test("an access that fits arrives whole, unsigned", () => {
  const bus = new PortBus();
  const { log, device } = recorder(4);
  bus.map(0x100, 4, device);
  bus.write(0x100, 4, -1);
  assert.deepEqual(log, ["w0.4=ffffffff"]);
});

test("the range mapped last wins until it is removed", () => {
  const bus = new PortBus();
  const first = recorder(4);
  const second = recorder(1);
  bus.map(0xcf8, 4, first.device);
  const mapping = bus.map(0xcf9, 1, second.device);
  bus.write(0xcf9, 1, 6);
  bus.write(0xcf8, 4, 0x80000000);
  assert.deepEqual(second.log, ["w0.1=6"]);
  assert.deepEqual(first.log, ["w0.4=80000000"]);
  mapping.remove();
  bus.write(0xcf9, 1, 6);
  assert.equal(first.log.length, 2);
});

test("ranges outside the port space are refused", () => {
  assert.throws(() => new PortBus().map(0xfff0, 0x20, recorder(1).device), RangeError);
});

test("MMIO finds the device by address, and all-ones elsewhere", () => {
  const bus = new MmioBus();
  const mapping = bus.map(0xe0000000, 0x1000, {
    readMmio: (offset, data) => data.fill(offset),
    writeMmio: () => {},
  });
  const data = new Uint8Array(8);
  bus.read(0xe0000020, data);
  assert.deepEqual([...data], new Array(8).fill(0x20));
  bus.read(0xe0000ffc, data);
  assert.deepEqual([...data], new Array(8).fill(0xff), "an access that leaves the range");
  mapping.remove();
  bus.read(0xe0000020, data);
  assert.equal(data[0], 0xff);
});

test("a shared wire is high while one device holds it", () => {
  const levels: boolean[] = [];
  const line = new SharedIrqLine((level) => levels.push(level));
  const [a, b] = [line.connect(), line.connect()];
  a.set(true);
  b.set(true);
  a.set(true);
  a.set(false);
  b.set(false);
  b.set(false);
  assert.deepEqual(levels, [true, false]);
});
