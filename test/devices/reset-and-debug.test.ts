import assert from "node:assert/strict";
import { test } from "node:test";
import { A20Gate } from "../../host/devices/a20.ts";
import { PortBus } from "../../host/devices/bus.ts";
import { Debugcon } from "../../host/devices/debugcon/debugcon.ts";
import { IsaDebugExit } from "../../host/devices/isa-debug-exit/isa-debug-exit.ts";
import { ResetControl, SystemControlPortA } from "../../host/devices/reset-control/reset-control.ts";
import { FakeChardev } from "./fakes.ts";

test("0xcf9 resets on bit 2 only", () => {
  let resets = 0;
  const bus = new PortBus();
  const device = new ResetControl(() => {
    resets += 1;
  });
  bus.map(0xcf9, 1, device);
  bus.write(0xcf9, 1, 0x02);
  assert.equal(bus.read(0xcf9, 1), 0x02);
  assert.equal(resets, 0);
  bus.write(0xcf9, 1, 0x06);
  assert.equal(resets, 1);
});

test("port 0x92 resets on the rising edge of bit 0 and shows A20", () => {
  let resets = 0;
  const a20 = new A20Gate();
  const device = new SystemControlPortA(a20, () => {
    resets += 1;
  });
  assert.equal(device.readPort(0, 1), 0x02);
  device.writePort(0, 1, 0x00);
  assert.equal(a20.open, false);
  device.writePort(0, 1, 0x03);
  device.writePort(0, 1, 0x03);
  assert.equal(resets, 1);
  assert.equal(a20.open, true);
});

test("isa-debug-exit turns the value into an exit status", () => {
  const statuses: number[] = [];
  const bus = new PortBus();
  bus.map(0xf4, 4, new IsaDebugExit((status) => statuses.push(status)));
  bus.write(0xf4, 4, 0x10);
  bus.write(0xf4, 1, 0);
  assert.deepEqual(statuses, [0x21, 0x01]);
  assert.equal(bus.read(0xf4, 1), 0);
});

test("debugcon prints, and reads as 0xe9", () => {
  const chardev = new FakeChardev();
  const bus = new PortBus();
  bus.map(0xe9, 1, new Debugcon(chardev));
  bus.write(0xe9, 1, 0x21);
  assert.equal(chardev.output, "!");
  assert.equal(bus.read(0xe9, 1), 0xe9);
});
