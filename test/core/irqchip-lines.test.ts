// Interrupt lines: the 8259 pair, the IOAPIC, GSI routing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Chips, I, L } from "./irqchip-core.ts";

test("8259: vectors, priorities and EOI", () => {
  const chips = new Chips();
  chips.initPics();
  assert.equal(chips.take(), -1);
  assert.equal(chips.line(4, 1), 1);
  assert.equal(chips.line(3, 1), 1);
  assert.notEqual(chips.takeRequests(0) & L.REQ_EVENT, 0, "the boot processor is told");
  assert.equal(chips.take(), 0x23, "the lower pin comes first");
  assert.equal(chips.take(), -1, "pin 4 waits for the EOI of pin 3");
  chips.line(0, 1);
  assert.equal(chips.take(), 0x20, "a higher pin nests");
  chips.out(0x20, 0x0b);
  assert.equal(chips.in(0x20), 0x09, "in service: 0 and 3");
  chips.out(0x20, 0x20, 0x20);
  assert.equal(chips.in(0x20), 0);
  assert.equal(chips.take(), 0x24);
  chips.out(0x20, 0x64);
  chips.out(0x20, 0x0a);
  assert.equal(chips.in(0x20), 0, "edges are gone although the lines are high");
});

test("8259: an edge line interrupts once, a level line while it is high", () => {
  const chips = new Chips();
  chips.initPics();
  chips.out(0x4d1, 0xff);
  assert.equal(chips.in(0x4d1), 0xde, "pins 8 and 13 are always edge");
  chips.line(10, 1);
  assert.equal(chips.take(), 0x2a);
  chips.out(0xa0, 0x20);
  chips.out(0x20, 0x20);
  assert.equal(chips.take(), 0x2a, "still high");
  chips.line(10, 0);
  chips.out(0xa0, 0x20);
  chips.out(0x20, 0x20);
  assert.equal(chips.take(), -1);
  chips.line(5, 1);
  assert.equal(chips.take(), 0x25);
  chips.out(0x20, 0x20);
  assert.equal(chips.take(), -1);
  assert.equal(chips.line(5, 1), 0, "no new edge");
});

test("8259: masks", () => {
  const chips = new Chips();
  chips.initPics();
  chips.out(0x21, 0xfb);
  chips.out(0xa1, 0xff);
  assert.equal(chips.line(14, 1), -1, "masked in the slave; the IOAPIC's pin is masked too");
  assert.equal(chips.take(), -1);
  chips.out(0xa1, 0);
  assert.equal(chips.call["interruptReady"]!(), 1);
  assert.equal(chips.take(), 0x2e);
  assert.equal(chips.in(0x21), 0xfb);
});

test("8259: automatic EOI, rotation, special mask mode, poll", () => {
  const chips = new Chips();
  chips.initPics(3);
  chips.out(0x20, 0x80);
  chips.line(2 + 1, 1);
  chips.line(6, 1);
  assert.equal(chips.take(), 0x23);
  chips.out(0x20, 0x0b);
  assert.equal(chips.in(0x20), 0, "nothing stays in service");
  chips.line(1, 1);
  assert.equal(chips.take(), 0x26, "rotation puts pin 3 last, so 6 precedes 1");
  assert.equal(chips.take(), 0x21);

  chips.initPics();
  chips.line(1, 0);
  chips.line(1, 1);
  assert.equal(chips.take(), 0x21);
  chips.line(7, 0);
  chips.line(7, 1);
  assert.equal(chips.take(), -1);
  chips.out(0x20, 0x68);
  chips.out(0x21, 0x02);
  assert.equal(chips.take(), 0x27, "special mask mode lets lower pins through a masked one in service");
  chips.out(0x20, 0x48, 0x67, 0x61);

  chips.out(0x21, 0);
  chips.line(5, 0);
  chips.line(5, 1);
  chips.out(0x20, 0x0c);
  assert.equal(chips.in(0x20), 0x85);
  chips.out(0x20, 0x0c);
  assert.equal(chips.in(0x20), 0, "nothing to poll");
});

test("8259: special fully nested mode lets a slave interrupt itself", () => {
  for (const [icw4, expected] of [
    [0x11, 0x29],
    [0x01, -1],
  ] as const) {
    const chips = new Chips();
    chips.initPics(icw4);
    chips.line(12, 1);
    assert.equal(chips.take(), 0x2c);
    chips.line(9, 1);
    assert.equal(chips.take(), expected);
  }
});

test("8259: the state is struct kvm_pic_state", () => {
  const chips = new Chips();
  chips.initPics();
  chips.out(0x21, 0xb8);
  const bytes = new Uint8Array(chips.memory.buffer, I.PIC_MASTER, 16);
  assert.equal(bytes[2], 0xb8, "imr");
  assert.equal(bytes[5], 0x20, "irq_base");
  assert.equal(bytes[13], 1, "init4");
  assert.equal(bytes[15], 0xf8, "elcr_mask");
  bytes[1] = 0x02;
  chips.call["irqchipLoaded"]!();
  assert.equal(chips.take(), 0x21, "a request that was set from outside is delivered");
});

test("IOAPIC: registers", () => {
  const chips = new Chips();
  assert.equal(chips.ioapicRead(1), 0x170011);
  chips.ioapicWrite(0, 0x05000000);
  assert.equal(chips.ioapicRead(0), 0x05000000);
  assert.equal(chips.ioapicRead(0x10), 0x10000, "masked at reset");
  chips.redirect(3, 0xffffffff, 0xff);
  assert.equal(chips.ioapicRead(0x16), 0x1afff, "status and remote IRR are read-only");
  assert.equal(chips.ioapicRead(0x17) >>> 0, 0xff000000);
  assert.equal(chips.ioapicRead(0x50) >>> 0, 0xffffffff, "no such pin");
  assert.equal(chips.call["chipMmioRead"]!(0xfec01000n, 4), -1n);
});

test("IOAPIC: edges, and edges that are lost while masked", () => {
  const chips = new Chips();
  chips.enableApic();
  chips.apicWrite(0x350, 0x10700);
  chips.redirect(20, 0x51);
  assert.equal(chips.line(20, 1), 1);
  assert.equal(chips.line(20, 1), 0);
  assert.equal(chips.take(), 0x51);
  chips.apicWrite(0xb0, 0);
  assert.equal(chips.take(), -1);
  chips.line(20, 0);
  chips.redirect(20, 0x10051);
  assert.equal(chips.line(20, 1), -1);
  chips.redirect(20, 0x51);
  assert.equal(chips.take(), -1);
});

test("IOAPIC: a level interrupt holds remote IRR until its EOI, then comes again", () => {
  const chips = new Chips();
  chips.enableApic();
  chips.redirect(21, 0x8000 | 0x61);
  chips.line(21, 1);
  assert.equal(chips.ioapicRead(0x10 + 42), 0xc061, "remote IRR");
  assert.equal(chips.take(), 0x61);
  assert.equal((chips.apicRead(0x1b0) >>> 1) & 1, 1, "TMR");
  chips.apicWrite(0xb0, 0);
  assert.equal(chips.take(), 0x61, "still high");
  chips.line(21, 0);
  chips.apicWrite(0xb0, 0);
  assert.equal(chips.ioapicRead(0x10 + 42), 0x8061);
  assert.equal(chips.take(), -1);
  chips.line(21, 1);
  chips.redirect(21, 0x61);
  assert.equal(chips.ioapicRead(0x10 + 42), 0x61, "a switch to edge drops remote IRR");
});

test("IOAPIC: destinations and delivery modes", () => {
  const chips = new Chips();
  for (const index of [1, 0]) {
    chips.select(index);
    chips.enableApic();
    chips.apicWrite(0xd0, (1 << index) << 24);
  }
  chips.redirect(16, 0x41, 1);
  assert.equal(chips.line(16, 1), 1);
  assert.equal(chips.take(), -1);
  chips.select(1);
  assert.equal(chips.take(), 0x41);
  chips.redirect(17, 0x0842, 3);
  assert.equal(chips.line(17, 1), 2, "logical, both");
  chips.redirect(18, 0x0943, 3);
  assert.equal(chips.line(18, 1), 1, "lowest priority: one of both");
  chips.redirect(19, 0x0400, 1);
  chips.line(19, 1);
  assert.equal(chips.call["takeEvents"]!(), I.EVENT_NMI);
  chips.redirect(20, 0x0500, 1);
  chips.line(20, 1);
  assert.equal(chips.call["takeEvents"]!(), I.EVENT_INIT);
  chips.redirect(22, 0x44, 9);
  assert.equal(chips.line(22, 1), -1, "nobody has that ID");
});

test("ExtINT by the IOAPIC brings the 8259 pair's vector", () => {
  const chips = new Chips();
  chips.initPics();
  chips.enableApic();
  chips.apicWrite(0x350, 0x10700);
  chips.line(1, 1);
  assert.equal(chips.take(), -1, "LINT0 is masked");
  chips.redirect(5, 0x700);
  chips.line(5, 1);
  assert.equal(chips.take(), 0x21);
});

test("routing: MSI entries, tables from the host, resampled lines", () => {
  const chips = new Chips();
  chips.enableApic();
  const entry = (index: number, ...words: number[]) =>
    words.forEach((word, i) => {
      chips.view.setUint32(I.ROUTES + index * I.ROUTE_SIZE + 4 * i, word, true);
    });
  chips.call["routesBegin"]!();
  entry(0, 40, I.ROUTING_MSI, 0xfee00000, 0, 0x71);
  entry(1, 41, I.ROUTING_IRQCHIP, I.CHIP_IOAPIC, 7, 0);
  chips.view.setUint32(I.ROUTE_COUNT, 2, true);
  assert.equal(chips.call["routesEnd"]!(), 0);
  assert.equal(chips.line(40, 1), 1);
  assert.equal(chips.line(40, 0), -1);
  assert.equal(chips.take(), 0x71);
  assert.equal(chips.line(4, 1), -1, "the default table is gone");
  chips.redirect(7, 0x8000 | 0x91);
  chips.call["setResample"]!(41, 1);
  assert.equal(chips.call["resampleLine"]!(41), 1);
  assert.equal(chips.take(), 0x91);
  chips.apicWrite(0xb0, 0);
  assert.equal(chips.take(), -1, "the EOI took the line down");
  assert.deepEqual(chips.doorbells, [I.RESAMPLE_DOORBELL + 41]);
  chips.call["routesBegin"]!();
  entry(1, 41, I.ROUTING_IRQCHIP, I.CHIP_IOAPIC, 24, 0);
  assert.equal(chips.call["routesEnd"]!(), -22);
  assert.equal(chips.call["signalMsi"]!(0xfee00000n, 0x72), 1);
  assert.equal(chips.call["signalMsi"]!(0xfee00000n, 0x72), 0, "merged");
  assert.equal(chips.call["signalMsi"]!(0xfee07000n, 0x72), -1);
});

test("without an irqchip nothing answers", () => {
  const chips = new Chips({ irqchip: false });
  assert.equal(chips.call["chipPortRead"]!(0x20, 1), -1n);
  assert.equal(chips.call["chipMmioRead"]!(0xfee00020n, 4), -1n);
  assert.equal(chips.line(1, 1), -6);
  assert.equal(chips.call["interruptReady"]!(), 0);
  assert.equal(chips.call["nextDeadline"]!() as number, Number.POSITIVE_INFINITY);
  assert.equal(chips.call["createPit"]!(0), -2);
  assert.equal(chips.faults("lapicMsrRead", 0x802), true);
  assert.equal(chips.call["createIrqchip"]!(), 0);
  assert.equal(chips.call["createIrqchip"]!(), -17);
});
