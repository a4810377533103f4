// Local APICs: registers, priorities, interprocessor interrupts, x2APIC, paravirtual EOI, hypercalls.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KVM_MP_STATE_HALTED } from "../../assembly/exits.ts";
import { Chips, I, L } from "./irqchip-core.ts";

const BASE_XAPIC = 0xfee00800n;
const BASE_X2APIC = 0xfee00c00n;
const HERE = 0xfee00000n;

/** A machine whose two APICs are enabled; vCPU 0 is bound. */
function enabled(): Chips {
  const chips = new Chips();
  for (const index of [1, 0]) {
    chips.select(index);
    chips.enableApic();
    chips.apicWrite(0x350, 0x10700);
  }
  return chips;
}

/** Gives the bound vCPU 0 a vector by MSI. */
function send(chips: Chips, ...vectors: number[]): void {
  for (const vector of vectors) chips.call["signalMsi"]!(HERE, vector);
}

test("registers after reset", () => {
  const chips = new Chips();
  assert.equal(chips.apicRead(0x30), 0x50014);
  assert.equal(chips.apicRead(0xf0), 0xff);
  assert.equal(chips.apicRead(0xe0) >>> 0, 0xffffffff);
  assert.equal(chips.apicRead(0x350), 0x700, "the boot processor's LINT0 is ExtINT");
  assert.equal(chips.apicRead(0x320), 0x10000);
  chips.select(1);
  assert.equal(chips.apicRead(0x20), 0x01000000);
  assert.equal(chips.apicRead(0x350), 0x10000);
  chips.apicWrite(0x360, 0x400);
  assert.equal(chips.apicRead(0x360), 0x10400, "LVT entries stay masked while disabled by software");
});

test("accesses of other sizes and alignments", () => {
  const chips = enabled();
  const read = (offset: number, size: number) => Number(chips.call["chipMmioRead"]!(HERE + BigInt(offset), size));
  assert.equal(read(0x30, 1), 0x14);
  assert.equal(read(0x32, 2), 5);
  assert.equal(read(0x34, 4), 0, "between registers");
  assert.equal(read(0x30, 8), 0);
  chips.call["chipMmioWrite"]!(HERE + 0x80n, 0x30n, 1);
  assert.equal(chips.apicRead(0x80), 0, "narrow writes are ignored");
  assert.equal(chips.call["chipMmioRead"]!(HERE + 0x1000n, 4), -1n);
});

test("priorities: TPR, nesting, EOI order", () => {
  const chips = enabled();
  send(chips, 0x41, 0x45, 0x62);
  assert.equal(chips.take(), 0x62);
  assert.equal(chips.take(), -1);
  assert.equal(chips.apicRead(0xa0), 0x60);
  send(chips, 0x71);
  assert.equal(chips.take(), 0x71);
  chips.apicWrite(0xb0, 0);
  chips.apicWrite(0xb0, 0);
  assert.equal(chips.take(), 0x45);
  chips.apicWrite(0xb0, 0);
  chips.call["writeTpr"]!(4n);
  assert.equal(chips.apicRead(0x80), 0x40);
  assert.equal(chips.take(), -1, "class 4 is held back by TPR class 4");
  chips.takeRequests(0);
  chips.call["writeTpr"]!(3n);
  assert.equal(chips.takeRequests(0) & L.REQ_EVENT, L.REQ_EVENT);
  assert.equal(chips.take(), 0x41);
  assert.equal(chips.call["readTpr"]!(), 3n);
});

test("an APIC disabled by software takes no fixed interrupts, but NMI and INIT", () => {
  const chips = enabled();
  chips.apicWrite(0xf0, 0xff);
  assert.equal(chips.call["signalMsi"]!(HERE, 0x55), 0);
  assert.equal(chips.call["signalMsi"]!(HERE, 0x400), 1);
  assert.equal(chips.call["takeEvents"]!(), I.EVENT_NMI);
});

test("of NMIs that nobody has taken there are two at most, and no later one without the first", () => {
  const chips = enabled();
  const send = () => assert.equal(chips.call["signalMsi"]!(HERE, 0x400), 1);
  const take = () => chips.call["takeEvents"]!();
  send();
  assert.equal(take(), I.EVENT_NMI);
  for (let i = 0; i < 3; i++) send();
  assert.equal(take(), I.EVENT_NMI | I.EVENT_NMI_AGAIN);
  assert.equal(take(), 0);
});

test("errors: illegal vectors and registers", () => {
  const chips = enabled();
  chips.apicWrite(0x370, 0x33);
  chips.call["signalMsi"]!(HERE, 5);
  chips.apicWrite(0x300, 0x40003);
  chips.apicRead(0x3f0);
  assert.equal(chips.apicRead(0x280), 0, "until software writes the register");
  chips.apicWrite(0x280, 0);
  assert.equal(chips.apicRead(0x280), 0x40 | 0x20 | 0x80);
  assert.equal(chips.take(), 0x33);
  chips.apicWrite(0x280, 0);
  assert.equal(chips.apicRead(0x280), 0);
});

test("interprocessor interrupts: destinations and shorthands", () => {
  const chips = enabled();
  const takeBoth = () =>
    [0, 1].map((index) => {
      chips.select(index);
      const vector = chips.take();
      if (vector >= 0) chips.apicWrite(0xb0, 0);
      return vector;
    });
  const ipi = (low: number, destination = 0) => {
    chips.select(0);
    chips.apicWrite(0x310, destination << 24);
    chips.apicWrite(0x300, low);
    return takeBoth();
  };
  assert.deepEqual(ipi(0x4051, 1), [-1, 0x51]);
  assert.equal(chips.takeRequests(1) & L.REQ_EVENT, L.REQ_EVENT);
  assert.deepEqual(ipi(0x4052, 0xff), [0x52, 0x52]);
  assert.deepEqual(ipi(0x44053), [0x53, -1], "self");
  assert.deepEqual(ipi(0x84054), [0x54, 0x54], "all");
  assert.deepEqual(ipi(0xc4055), [-1, 0x55], "all but self");
  chips.select(1);
  chips.apicWrite(0xd0, 0x02000000);
  assert.deepEqual(ipi(0x4856, 2), [-1, 0x56], "logical, flat");
  chips.select(1);
  chips.apicWrite(0xe0, 0x0fffffff);
  chips.apicWrite(0xd0, 0x31000000);
  assert.deepEqual(ipi(0x4857, 0x31), [-1, 0x57], "logical, cluster 3");
  assert.deepEqual(ipi(0x4858, 0x21), [-1, -1]);
  chips.select(0);
  assert.equal(chips.apicRead(0x300), 0x4858, "delivery status reads idle");
});

test("INIT and start-up", () => {
  const chips = enabled();
  chips.apicWrite(0x310, 1 << 24);
  chips.apicWrite(0x300, 0x4500);
  chips.apicWrite(0x300, 0x8500);
  chips.apicWrite(0x300, 0x4699);
  chips.apicWrite(0x300, 0x469a);
  assert.equal(chips.call["eventsPending"]!(), 0, "not for this vCPU");
  chips.select(1);
  assert.equal(chips.call["eventsPending"]!(), 1);
  assert.equal(chips.call["takeEvents"]!(), I.EVENT_INIT | I.EVENT_SIPI | (0x9a << I.EVENT_SIPI_VECTOR_SHIFT));
  assert.equal(chips.call["takeEvents"]!(), 0);
  chips.select(0);
  chips.apicWrite(0x300, 0x4699);
  chips.apicWrite(0x300, 0x4500);
  chips.select(1);
  assert.equal(chips.call["takeEvents"]!(), I.EVENT_INIT, "INIT discards a start-up before it");
  chips.call["lapicReset"]!(1);
  assert.equal(chips.apicRead(0xf0), 0xff);
  assert.equal(chips.apicRead(0x20), 0x01000000);
});

test("LINT1 and the ExtINT of LINT0", () => {
  const chips = enabled();
  chips.initPics();
  chips.line(1, 1);
  assert.equal(chips.take(), -1);
  chips.apicWrite(0x350, 0x700);
  assert.equal(chips.take(), 0x21);
  assert.equal(chips.call["pulseLint1"]!(0), 0);
  chips.apicWrite(0x360, 0x400);
  assert.equal(chips.call["pulseLint1"]!(0), 1);
  assert.equal(chips.call["takeEvents"]!(), I.EVENT_NMI);
});

test("x2APIC: legal and illegal transitions", () => {
  const chips = new Chips();
  chips.select(1);
  const write = (value: bigint) => chips.faults("writeApicBase", value);
  assert.equal(write(0xfee00400n), true, "x2APIC without enable");
  assert.equal(write(BASE_XAPIC | 1n), true, "reserved bit");
  assert.equal(write(0n), false);
  assert.equal(write(BASE_X2APIC), true, "disabled to x2APIC");
  assert.equal(write(BASE_XAPIC), false);
  assert.equal(chips.faults("lapicMsrRead", 0x802), true, "xAPIC mode has no MSRs");
  assert.equal(write(BASE_X2APIC), false);
  assert.equal(write(BASE_XAPIC), true, "x2APIC to xAPIC");
  assert.equal(chips.call["lapicMsrRead"]!(0x802), 1n);
  assert.equal(chips.call["lapicMsrRead"]!(0x80d), 2n);
  assert.equal(chips.call["chipMmioRead"]!(HERE + 0x20n, 4), 0xffffffffn, "the page is gone");
  assert.equal(write(0xfee00000n), false, "x2APIC to disabled");
  assert.equal(write(BASE_XAPIC), false);
  assert.equal(chips.apicRead(0x20), 0x01000000);
  chips.view.setUint32(chips.vcpu(1) + L.CPU_FEATURES, 0, true);
  assert.equal(write(BASE_X2APIC), true, "CPUID does not offer it");
});

test("x2APIC: set by the host, which stores IA32_APIC_BASE in place", () => {
  const chips = new Chips();
  chips.select(1);
  const store = (value: bigint) => {
    chips.view.setBigUint64(chips.vcpu(1) + L.CPU_APIC_BASE, value, true);
    return chips.call["hostWriteApicBase"]!(value);
  };
  assert.equal(store(BASE_X2APIC), 0);
  assert.equal(chips.call["lapicMsrRead"]!(0x802), 1n);
  assert.equal(store(0xfee00400n), -22);
  assert.equal(chips.view.getBigUint64(chips.vcpu(1) + L.CPU_APIC_BASE, true), BASE_X2APIC);
  assert.equal(store(BASE_XAPIC), 0, "back to xAPIC, which the guest may not do");
  assert.equal(chips.apicRead(0x20), 0x01000000);
});

test("x2APIC: registers by MSR", () => {
  const chips = new Chips();
  for (const index of [1, 0]) {
    chips.select(index);
    assert.equal(chips.faults("writeApicBase", BASE_X2APIC | (index ? 0n : 0x100n)), false);
    assert.equal(chips.faults("lapicMsrWrite", 0x80f, 0x1ffn), false);
  }
  for (const [index, value] of [
    [0x802, 0n],
    [0x803, 0n],
    [0x80a, 0n],
    [0x80d, 0n],
    [0x80e, 0n],
    [0x831, 0n],
    [0x839, 0n],
    [0x80b, 1n],
    [0x828, 1n],
    [0x808, 0x100n],
    [0x80f, 0x1000n],
    [0x830, 0x100000n],
    [0x835, 0x100000n],
    [0x838, 1n << 32n],
    [0x83f, 0x100n],
    [0x82f, 0n],
    [0x8ff, 0n],
  ] as const) {
    assert.equal(chips.faults("lapicMsrWrite", index, value), true, `write ${index.toString(16)}`);
  }
  for (const index of [0x80b, 0x80e, 0x831, 0x83f, 0x800, 0x8ff]) {
    assert.equal(chips.faults("lapicMsrRead", index), true, `read ${index.toString(16)}`);
  }
  assert.equal(chips.faults("lapicMsrWrite", 0x830, (1n << 32n) | 0x4061n), false);
  assert.equal(chips.call["lapicMsrRead"]!(0x830), (1n << 32n) | 0x4061n);
  chips.call["lapicMsrWrite"]!(0x83f, 0x62n);
  assert.equal(chips.take(), 0x62);
  chips.call["lapicMsrWrite"]!(0x830, 0x0000000200004863n);
  chips.select(1);
  assert.equal(chips.take(), 0x63, "logical: cluster 0, second member");
  chips.call["lapicMsrWrite"]!(0x80b, 0n);
  assert.equal(chips.take(), 0x61);
  chips.call["lapicReset"]!(1);
  assert.equal(chips.call["lapicMsrRead"]!(0x80d), 2n, "INIT keeps x2APIC mode and the ID");
});

test("paravirtual EOI", () => {
  const chips = enabled();
  const word = () => chips.view.getUint8(chips.ram(0x800));
  assert.equal(chips.call["kvmMsrWrite"]!(0x4b564d04, 0x802n), 0, "reserved bit");
  assert.equal(chips.call["kvmMsrWrite"]!(0x4b564d04, 0x801n), 1);
  send(chips, 0x51);
  assert.equal(chips.take(), 0x51);
  assert.equal(word(), 1, "offered");
  chips.view.setUint8(chips.ram(0x800), 0);
  send(chips, 0x41);
  assert.equal(chips.take(), 0x41, "the guest's clearing of the bit was the EOI");
  assert.equal(word(), 1);
  send(chips, 0x42);
  assert.equal(chips.take(), -1);
  assert.equal(word(), 0, "what waits needs a real EOI");
  chips.apicWrite(0xb0, 0);
  assert.equal(chips.take(), 0x42);
  chips.apicWrite(0xb0, 0);
  chips.redirect(9, 0x8000 | 0x77);
  chips.line(9, 1);
  assert.equal(chips.take(), 0x77);
  assert.equal(word(), 0, "an IOAPIC pin waits for the EOI");
});

test("hypercalls", () => {
  const chips = enabled();
  const hypercall = (number: bigint, ...args: bigint[]) => {
    const at = chips.vcpu(0) + L.CPU_GPR;
    [0, 3, 1, 2, 6].forEach((register, i) => {
      chips.view.setBigUint64(at + 8 * register, [number, ...args][i] ?? 0n, true);
    });
    chips.call["hypercall"]!();
    return chips.view.getBigInt64(at, true);
  };
  chips.view.setUint32(chips.vcpu(0) + L.CPU_MODE, L.MODE_CODE64, true);
  assert.equal(hypercall(1n), 0n);
  assert.equal(hypercall(77n), -1000n);
  assert.equal(hypercall(10n, 0b11n, 0n, 0n, 0x4081n), 2n);
  assert.equal(hypercall(10n, 0b11n, 0n, 0n, 0x40881n), -22n);
  assert.equal(chips.take(), 0x81);
  assert.equal(hypercall(5n, 0n, 1n), 0n);
  chips.select(1);
  assert.equal(chips.take(), 0x81);
  assert.equal(chips.call["takeEvents"]!(), 0, "the kick is kept for the HLT that follows");
  chips.view.setUint32(chips.vcpu(1) + L.CPU_MP_STATE, KVM_MP_STATE_HALTED, true);
  assert.equal(chips.call["takeEvents"]!(), I.EVENT_UNHALT);
  chips.select(0);
  assert.equal(hypercall(9n, 0x900n, 1n), -95n);
  assert.equal(hypercall(9n, 0x900n, 0n), 0n);
  assert.equal(chips.view.getBigUint64(chips.ram(0x900), true), 1_700_000_000n);
  assert.equal(hypercall(9n, 0xffffff0n, 0n), -14n);
  chips.view.setUint32(chips.vcpu(0) + L.CPU_MODE, L.MODE_CODE32, true);
  assert.equal(hypercall(0xffffffff00000000n + 77n), 0xfffffc18n, "32-bit registers");
  chips.view.setUint32(chips.vcpu(0) + L.CPU_CPL, 3, true);
  chips.view.setUint32(chips.vcpu(0) + L.CPU_MODE, L.MODE_CODE64, true);
  assert.equal(hypercall(1n), -1n);
});
