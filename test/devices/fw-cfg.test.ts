import assert from "node:assert/strict";
import { test } from "node:test";
import { PortBus } from "../../host/devices/bus.ts";
import { FwCfg } from "../../host/devices/fw-cfg/fw-cfg.ts";
import { FakeRam } from "./fakes.ts";

function device() {
  const bus = new PortBus();
  const ram = new FakeRam(0x10000);
  const fwCfg = new FwCfg(ram);
  bus.map(0x510, 2, fwCfg.ports);
  bus.map(0x514, 8, fwCfg.dmaPorts);
  const read = (selector: number, count: number) => {
    bus.write(0x510, 2, selector);
    return Array.from({ length: count }, () => bus.read(0x511, 1));
  };
  return { bus, ram, fwCfg, read };
}

test("signature, identity, numbers and zeros behind the end", () => {
  const { fwCfg, read } = device();
  assert.deepEqual(read(0, 5), [0x51, 0x45, 0x4d, 0x55, 0]);
  assert.deepEqual(read(1, 4), [3, 0, 0, 0]);
  fwCfg.setNumber(5, 2, 1);
  assert.deepEqual(read(5, 2), [1, 0]);
  assert.deepEqual(read(0x1234, 2), [0, 0]);
});

test("the directory lists files with big-endian size and selector", () => {
  const { fwCfg, read } = device();
  fwCfg.addFile("etc/test", Uint8Array.of(7, 8, 9));
  const directory = read(0x19, 68);
  assert.deepEqual(directory.slice(0, 12), [0, 0, 0, 1, 0, 0, 0, 3, 0, 0x20, 0, 0]);
  assert.equal(String.fromCharCode(...directory.slice(12, 20)), "etc/test");
  assert.deepEqual(read(0x20, 3), [7, 8, 9]);
  assert.throws(() => fwCfg.addFile("x".repeat(56), new Uint8Array(0)), RangeError);
});

test("DMA selects and reads into RAM, and reports errors in its control word", () => {
  const { bus, ram, fwCfg } = device();
  fwCfg.addFile("etc/test", Uint8Array.of(7, 8, 9));
  assert.equal(bus.read(0x514, 4), 0x554d4551, "QEMU");
  assert.equal(bus.read(0x518, 4), 0x47464320, " CFG");
  const view = new DataView(ram.bytes.buffer);
  view.setUint32(0x100, (0x20 << 16) | 0x0a);
  view.setUint32(0x104, 4);
  view.setBigUint64(0x108, 0x200n);
  ram.bytes.fill(0xff, 0x200, 0x204);
  bus.write(0x514, 4, 0);
  bus.write(0x518, 4, 0x00010000);
  assert.equal(view.getUint32(0x100), 0);
  assert.deepEqual([...ram.bytes.subarray(0x200, 0x204)], [7, 8, 9, 0]);
  view.setUint32(0x100, (0x20 << 16) | 0x0a);
  view.setBigUint64(0x108, 0xffff_0000n);
  bus.write(0x518, 4, 0x00010000);
  assert.equal(view.getUint32(0x100), 1);
});
