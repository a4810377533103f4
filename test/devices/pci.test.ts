import assert from "node:assert/strict";
import { test } from "node:test";
import { MmioBus, PortBus } from "../../host/devices/bus.ts";
import { I440fxHostBridge } from "../../host/devices/pci/i440fx.ts";
import { PciBus, pirqOfPin } from "../../host/devices/pci/pci-bus.ts";
import { PciFunction } from "../../host/devices/pci/pci-function.ts";
import { Piix3Isa } from "../../host/devices/pci/piix3-isa.ts";
import { Piix4Pm } from "../../host/devices/pci/piix4-pm.ts";
import { FakeIrq } from "./fakes.ts";

class TestCard extends PciFunction {
  constructor() {
    super({ vendorId: 0x1234, deviceId: 0x5678, classCode: 0xff0000 });
    this.usePin(1);
    this.addBar(0, { kind: "io", size: 32, device: { readPort: () => 0x42, writePort: () => {} } });
    this.addBar(2, {
      kind: "memory",
      size: 0x4000,
      is64Bit: true,
      device: { readMmio: (_offset, data) => data.fill(0x24), writeMmio: () => {} },
    });
  }

  interrupt(level: boolean): void {
    this.setInterrupt(level);
  }
}

function board() {
  const ports = new PortBus();
  const mmio = new MmioBus();
  const irqs = Array.from({ length: 16 }, () => new FakeIrq());
  const isa = new Piix3Isa(irqs);
  const pci = new PciBus({ ports, mmio, pirqs: isa.pirqs });
  ports.map(0xcf8, 4, pci.addressPort);
  ports.map(0xcfc, 4, pci.dataPort);
  pci.attach(0, 0, new I440fxHostBridge());
  pci.attach(1, 0, isa);
  pci.attach(1, 3, new Piix4Pm(ports, { readPort: () => 0x77, writePort: () => {} }));
  const select = (slot: number, index: number, register: number) =>
    ports.write(0xcf8, 4, 0x80000000 + slot * 0x800 + index * 0x100 + (register & 0xfc));
  const read = (slot: number, index: number, register: number, size: 1 | 2 | 4) => {
    select(slot, index, register);
    return ports.read(0xcfc + (register & 3), size);
  };
  const write = (slot: number, index: number, register: number, size: 1 | 2 | 4, value: number) => {
    select(slot, index, register);
    ports.write(0xcfc + (register & 3), size, value);
  };
  return { ports, mmio, irqs, pci, read, write };
}

test("mechanism 1 answers double words, words and bytes", () => {
  const { ports, read } = board();
  assert.equal(read(0, 0, 0, 4), 0x12378086);
  assert.equal(read(0, 0, 2, 2), 0x1237);
  assert.equal(read(1, 0, 0x0b, 1), 0x06);
  assert.equal(read(1, 3, 0, 4), 0x71138086);
  assert.equal(read(1, 0, 0x0e, 1) & 0x80, 0x80, "multifunction");
  assert.equal(read(2, 0, 0, 4), 0xffffffff);
  ports.write(0xcf8, 4, 0x80000000);
  ports.write(0xcf8, 1, 0x55);
  assert.equal(ports.read(0xcf8, 4), 0x80000000, "byte writes do not reach the address register");
  ports.write(0xcf8, 4, 0);
  assert.equal(ports.read(0xcfc, 4), 0xffffffff, "not enabled");
});

test("base address registers give their size and follow the command register", () => {
  const { ports, mmio, pci, read, write } = board();
  pci.attach(3, 0, new TestCard());
  write(3, 0, 0x10, 4, 0xffffffff);
  assert.equal(read(3, 0, 0x10, 4), 0xffffffe1);
  write(3, 0, 0x18, 4, 0xffffffff);
  assert.equal(read(3, 0, 0x18, 4), 0xffffc004);
  write(3, 0, 0x10, 4, 0xc001);
  assert.equal(ports.read(0xc000, 1), 0xff);
  write(3, 0, 0x04, 2, 0x0003);
  assert.equal(ports.read(0xc000, 1), 0x42);
  write(3, 0, 0x10, 4, 0xd001);
  assert.equal(ports.read(0xc000, 1), 0xff);
  assert.equal(ports.read(0xd01f, 1), 0x42);
  write(3, 0, 0x18, 4, 0xe0000000);
  write(3, 0, 0x1c, 4, 0x1);
  const data = new Uint8Array(4);
  mmio.read(0x1e0000000, data);
  assert.deepEqual([...data], [0x24, 0x24, 0x24, 0x24]);
  pci.reset();
  assert.equal(ports.read(0xd000, 1), 0xff);
});

test("pins are routed to ISA interrupts and shared", () => {
  const { irqs, pci, write } = board();
  const [one, two] = [new TestCard(), new TestCard()];
  pci.attach(3, 0, one);
  pci.attach(7, 0, two);
  assert.equal(pirqOfPin(3, 0), pirqOfPin(7, 0));
  one.interrupt(true);
  assert.equal(irqs[11]?.level, false, "not routed yet");
  write(1, 0, 0x60 + pirqOfPin(3, 0), 1, 11);
  assert.equal(irqs[11]?.level, true);
  two.interrupt(true);
  one.interrupt(false);
  assert.equal(irqs[11]?.level, true);
  write(7, 0, 0x04, 2, 0x0400);
  assert.equal(irqs[11]?.level, false, "INTx disabled");
  write(7, 0, 0x04, 2, 0x0000);
  assert.equal(irqs[11]?.level, true);
});

test("the PIIX4 places its registers where it is told", () => {
  const { ports, write } = board();
  write(1, 3, 0x40, 4, 0x600);
  assert.equal(ports.read(0x600, 1), 0xff);
  write(1, 3, 0x80, 1, 1);
  assert.equal(ports.read(0x600, 1), 0x77);
  write(1, 3, 0x40, 4, 0xb000);
  assert.equal(ports.read(0x600, 1), 0xff);
  assert.equal(ports.read(0xb03f, 1), 0x77);
});

test("two functions cannot share a place", () => {
  const { pci } = board();
  assert.throws(() => pci.attach(1, 0, new TestCard()), RangeError);
  assert.equal(pci.freeSlot(), 2);
});
