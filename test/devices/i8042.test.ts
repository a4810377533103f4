import assert from "node:assert/strict";
import { test } from "node:test";
import { A20Gate } from "../../host/devices/a20.ts";
import { I8042 } from "../../host/devices/i8042/i8042.ts";
import { FakeIrq } from "./fakes.ts";

function controller() {
  const keyboardIrq = new FakeIrq();
  const auxIrq = new FakeIrq();
  const a20 = new A20Gate();
  let resets = 0;
  const device = new I8042({
    keyboardIrq,
    auxIrq,
    a20,
    requestReset: () => {
      resets += 1;
    },
  });
  const command = (value: number) => device.commandPort.writePort(0, 1, value);
  const data = (value: number) => device.dataPort.writePort(0, 1, value);
  const read = () => device.dataPort.readPort(0, 1);
  const status = () => device.commandPort.readPort(0, 1);
  const readAll = () => {
    const bytes: number[] = [];
    while (status() & 1) {
      bytes.push(read());
    }
    return bytes;
  };
  return { device, keyboardIrq, auxIrq, a20, command, data, read, status, readAll, resets: () => resets };
}

test("self-test, port tests and the command byte answer as Linux's probe expects", () => {
  const { command, data, readAll } = controller();
  command(0xaa);
  assert.deepEqual(readAll(), [0x55]);
  command(0xab);
  assert.deepEqual(readAll(), [0x00]);
  command(0xa9);
  assert.deepEqual(readAll(), [0x00]);
  command(0x60);
  data(0x30);
  command(0x20);
  assert.deepEqual(readAll(), [0x30]);
});

test("0xd3 echoes through the auxiliary side with its interrupt", () => {
  const { command, data, read, status, auxIrq, keyboardIrq } = controller();
  command(0xd3);
  data(0xa5);
  assert.equal(status() & 0x21, 0x21);
  assert.equal(auxIrq.level, true);
  assert.equal(keyboardIrq.level, false);
  assert.equal(read(), 0xa5);
  assert.equal(auxIrq.level, false);
});

test("keys arrive translated to set 1, each byte with an edge of IRQ 1", () => {
  const { device, read, keyboardIrq, readAll } = controller();
  device.keyboard.key(0x1e, true);
  device.keyboard.key(0x1e, false);
  device.keyboard.key(0xe048, true);
  device.keyboard.key(0xe048, false);
  assert.equal(keyboardIrq.level, true);
  assert.equal(read(), 0x1e);
  assert.equal(keyboardIrq.rises, 2);
  assert.deepEqual(readAll(), [0x9e, 0xe0, 0x48, 0xe0, 0xc8]);
  device.keyboard.key(0x41, true);
  device.keyboard.key(0x54, true);
  assert.deepEqual(readAll(), [0x41, 0x54], "the two codes above 0x7f of set 2");
});

test("without translation the keyboard's own set 2 is seen", () => {
  const { device, command, data, readAll } = controller();
  command(0x60);
  data(0x01);
  device.keyboard.key(0x1e, true);
  device.keyboard.key(0x1e, false);
  assert.deepEqual(readAll(), [0x1c, 0xf0, 0x1c]);
});

test("every set 1 code survives the way through set 2", () => {
  const { device, readAll } = controller();
  for (let code = 1; code < 0x80; code++) {
    device.keyboard.key(code, true);
    assert.deepEqual(readAll(), [code]);
  }
});

test("the keyboard answers reset, identify, LEDs and unknown commands", () => {
  const { device, data, readAll } = controller();
  data(0xff);
  assert.deepEqual(readAll(), [0xfa, 0xaa]);
  data(0xf2);
  assert.deepEqual(readAll(), [0xfa, 0xab, 0x41], "0x83 goes through the translation");
  data(0xed);
  data(0x02);
  assert.deepEqual(readAll(), [0xfa, 0xfa]);
  assert.equal(device.keyboard.leds, 2);
  data(0xee);
  assert.deepEqual(readAll(), [0xee]);
  data(0x01);
  assert.deepEqual(readAll(), [0xfe]);
});

test("a switched-off keyboard keeps its bytes", () => {
  const { device, command, status, readAll } = controller();
  command(0xad);
  device.keyboard.key(0x1e, true);
  assert.equal(status() & 1, 0);
  command(0xae);
  assert.deepEqual(readAll(), [0x1e]);
});

test("the mouse knows the wheel knock and reports movement", () => {
  const { device, command, data, readAll } = controller();
  const mouse = (...bytes: number[]) => {
    for (const byte of bytes) {
      command(0xd4);
      data(byte);
    }
    return readAll();
  };
  assert.deepEqual(mouse(0xff), [0xfa, 0xaa, 0x00]);
  mouse(0xf3, 200, 0xf3, 100, 0xf3, 80);
  assert.deepEqual(mouse(0xf2), [0xfa, 3]);
  device.mouse.move(1, 1, 0, 0);
  assert.deepEqual(readAll(), [], "not enabled");
  mouse(0xf4);
  device.mouse.move(5, -3, 1, 1);
  assert.deepEqual(readAll().slice(-4), [0x29, 6, 0xfe, 1]);
});

test("0xfe resets, the output port opens and closes A20", () => {
  const { command, data, readAll, a20, resets } = controller();
  command(0xd1);
  data(0xdd);
  assert.equal(a20.open, false);
  command(0xd0);
  assert.equal((readAll()[0] as number) & 3, 1);
  command(0xdf);
  assert.equal(a20.open, true);
  assert.equal(resets(), 0);
  command(0xfe);
  assert.equal(resets(), 1);
  command(0xd1);
  data(0xfe);
  assert.equal(resets(), 2);
});
