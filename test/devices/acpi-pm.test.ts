import assert from "node:assert/strict";
import { test } from "node:test";
import { AcpiPm } from "../../host/devices/acpi-pm/acpi-pm.ts";
import { GeneralEvents } from "../../host/devices/acpi-pm/gpe.ts";
import { SmiCommand } from "../../host/devices/acpi-pm/smi-command.ts";
import { PortBus } from "../../host/devices/bus.ts";
import { FakeIrq, FakeTime } from "./fakes.ts";

function pm() {
  const bus = new PortBus();
  const sci = new FakeIrq();
  const time = new FakeTime();
  let offs = 0;
  const power: string[] = [];
  const device = new AcpiPm({
    sci,
    clock: time,
    timers: time,
    powerOff: () => {
      offs += 1;
    },
    suspend: () => power.push("suspend"),
    wake: () => power.push("wake"),
  });
  bus.map(0x600, 64, device);
  bus.map(0xb2, 2, new SmiCommand((enabled) => device.setAcpiEnabled(enabled)));
  return { bus, sci, time, device, offs: () => offs, power };
}

test("S3 lasts until an event that is enabled, which the guest finds after the reset", () => {
  const { bus, device, power } = pm();
  device.alarm();
  bus.write(0x600, 2, 0x0400);
  bus.write(0x602, 2, 0x0400);
  bus.write(0x604, 2, 0x2400);
  assert.deepEqual(power, ["suspend"]);
  device.pressPowerButton();
  assert.deepEqual(power, ["suspend"], "the power button is not enabled");
  device.alarm();
  device.alarm();
  assert.deepEqual(power, ["suspend", "wake"]);
  const cause = device.enabledEvents;
  device.reset();
  device.markWoken(cause);
  assert.equal(bus.read(0x600, 2), 0x8400);
});

test("the PM timer counts 3.579545 MHz in 24 bits, at any access width", () => {
  const { bus, time } = pm();
  time.advance(1e9);
  assert.equal(bus.read(0x608, 4), 3579545);
  assert.equal(bus.read(0x608, 2), 3579545 & 0xffff);
  time.advance(4e9);
  assert.equal(bus.read(0x608, 4), (5 * 3579545) % 2 ** 24);
});

test("ACPI is switched on and off through the SMI command port", () => {
  const { bus } = pm();
  assert.equal(bus.read(0x604, 2), 0);
  bus.write(0xb2, 1, 0xf1);
  assert.equal(bus.read(0x604, 2), 1);
  bus.write(0x604, 2, 0);
  assert.equal(bus.read(0x604, 2), 1, "the guest itself cannot clear SCI_EN");
  bus.write(0xb2, 1, 0xf0);
  assert.equal(bus.read(0x604, 2), 0);
});

test("the power button raises the SCI when enabled, until its status is cleared", () => {
  const { bus, sci, device } = pm();
  bus.write(0xb2, 1, 0xf1);
  device.pressPowerButton();
  assert.equal(sci.level, false);
  bus.write(0x602, 2, 0x0100);
  assert.equal(sci.level, true);
  assert.equal(bus.read(0x600, 2), 0x0100);
  bus.write(0x600, 2, 0x0100);
  assert.equal(sci.level, false);
  assert.equal(bus.read(0x602, 2), 0x0100, "the enable bits stay");
});

test("the timer's top bit changing sets its status and interrupts", () => {
  const { bus, sci, time } = pm();
  bus.write(0xb2, 1, 0xf1);
  bus.write(0x602, 2, 0x0001);
  time.advance(2.3e9);
  assert.equal(sci.level, false);
  time.advance(0.1e9);
  assert.equal(sci.level, true);
  bus.write(0x600, 2, 0x0001);
  assert.equal(sci.level, false);
});

test("SLP_EN with type S5 powers off, other types do not", () => {
  const { bus, offs } = pm();
  bus.write(0x604, 2, 0x2400);
  assert.equal(offs(), 0);
  bus.write(0x604, 2, 0x2000);
  assert.equal(offs(), 1);
});

test("general purpose events share the SCI", () => {
  const { bus, sci, device } = pm();
  const events = new GeneralEvents((pending) => device.setGeneralEvent(pending));
  bus.map(0xafe0, 4, events);
  bus.write(0xb2, 1, 0xf1);
  events.raise(1);
  assert.equal(sci.level, false);
  bus.write(0xafe2, 2, 0x0002);
  assert.equal(sci.level, true);
  bus.write(0xafe0, 1, 0x02);
  assert.equal(sci.level, false);
});
