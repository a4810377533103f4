import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { test } from "node:test";
import {
  EventFd,
  exitName,
  KVM_CAP_SPLIT_IRQCHIP,
  KVM_EXIT_INTR,
  KVM_EXIT_IO,
  KVM_IRQ_ROUTING_IRQCHIP,
  KVM_IRQ_ROUTING_MSI,
  KVM_IRQCHIP_IOAPIC,
  KVM_IRQCHIP_PIC_MASTER,
  KVM_IRQCHIP_PIC_SLAVE,
  KVM_IRQFD_FLAG_DEASSIGN,
  KVM_IRQFD_FLAG_RESAMPLE,
  KVM_PIT_SPEAKER_DUMMY,
  KvmError,
  type Vm,
} from "../../host/kvm/index.ts";
import { makeGuest, openKvm } from "./guest.ts";

const hasCode = (code: string) => (error: unknown) => error instanceof KvmError && error.code === code;
const withIrqchip = { beforeVcpu: (vm: Vm) => vm.createIrqchip() };

/**
 * Real-mode code that sets up the 8259 pair (base 0x20), unmasks all but the timer, and halts in a loop:
 * mov al, 0x11; out 0x20, al; mov al, 0x20; out 0x21, al; mov al, 4; out 0x21, al; mov al, 1; out 0x21, al;
 * mov al, 1; out 0x21, al; sti; hlt; jmp back to hlt
 */
const SETUP_PIC = [
  0xb0, 0x11, 0xe6, 0x20, 0xb0, 0x20, 0xe6, 0x21, 0xb0, 0x04, 0xe6, 0x21, 0xb0, 0x01, 0xe6, 0x21, 0xb0, 0x01, 0xe6,
  0x21, 0xfb, 0xf4, 0xeb, 0xfd,
];
/** push ax; mov al, 'I'; out 0x99, al; mov al, 0x20; out 0x20, al; pop ax; iret */
const HANDLER = [0x50, 0xb0, 0x49, 0xe6, 0x99, 0xb0, 0x20, 0xe6, 0x20, 0x58, 0xcf];

async function picGuest(more: (vm: Vm) => void = () => {}) {
  const guest = await makeGuest(SETUP_PIC, {
    beforeVcpu: (vm) => {
      vm.createIrqchip();
      more(vm);
    },
  });
  guest.ram.set(HANDLER, 0x2000);
  for (let vector = 0x20; vector < 0x28; vector++) guest.ram.set([0x00, 0x20, 0, 0], 4 * vector);
  return guest;
}

/** Runs to the guest's HLT. */
function untilHalted(vcpu: Awaited<ReturnType<typeof picGuest>>["vcpu"]): void {
  const exit = vcpu.run({ block: false, maxNs: 1e9 });
  assert.equal(exitName(exit.reason), "INTR");
  assert.ok(exit.reason === KVM_EXIT_INTR && exit.halted);
}

test("createIrqchip() comes once, and before vCPUs", async () => {
  const kvm = await openKvm();
  using vm = kvm.createVm({ memorySize: 4096 });
  vm.createIrqchip();
  assert.throws(() => vm.createIrqchip(), hasCode("EEXIST"));
  using other = kvm.createVm({ memorySize: 4096 });
  other.createVcpu(0);
  assert.throws(() => other.createIrqchip(), hasCode("EINVAL"));
});

test("irqLine() wakes a halted guest through the 8259 pair", async () => {
  const { vm, vcpu } = await picGuest();
  untilHalted(vcpu);
  assert.equal(vm.irqLine(4, 1), 1);
  vm.irqLine(4, 0);
  const exit = vcpu.run({ maxNs: 1e9 });
  assert.ok(exit.reason === KVM_EXIT_IO && exit.port === 0x99);
  untilHalted(vcpu);
});

test("irqLine() without an irqchip throws ENXIO", async () => {
  const { vm } = await makeGuest([0xf4]);
  assert.throws(() => vm.irqLine(4, 1), hasCode("ENXIO"));
  assert.throws(() => vm.signalMsi({ addressLo: 0xfee0_0000, data: 0x30 }), hasCode("EINVAL"));
  assert.throws(() => vm.setGsiRouting([]), hasCode("EINVAL"));
  assert.throws(() => vm.getIrqchip(0), hasCode("ENXIO"));
  assert.throws(() => vm.createPit2(), hasCode("ENOENT"));
  assert.throws(() => vm.getPit2(), hasCode("ENXIO"));
});

test("runAsync() sleeps while the guest is halted, and irqLine() ends that", async () => {
  // Whoever does not sleep is busy each time; whoever does may be, where the host has had the thread wait for a processor.
  let utilization = 1;
  for (let attempt = 0; attempt < 10 && utilization >= 0.5; attempt++) {
    const { vm, vcpu } = await picGuest();
    // What is executed here has been compiled then; the engine's compilers go on on other threads, so it is the event loop's account.
    untilHalted(vcpu);
    const before = performance.eventLoopUtilization();
    setTimeout(() => vm.irqLine(4, 1), 150);
    const exit = await vcpu.runAsync();
    assert.ok(exit.reason === KVM_EXIT_IO && exit.port === 0x99);
    ({ utilization } = performance.eventLoopUtilization(before));
  }
  assert.ok(utilization < 0.5, `the event loop was busy for ${utilization} of the sleep`);
});

test("runAsync() sleeping in a halted guest ends by kick() and by its signal", async () => {
  const { vcpu } = await picGuest();
  setTimeout(() => vcpu.kick(), 20);
  assert.equal((await vcpu.runAsync()).reason, KVM_EXIT_INTR);
  const exit = await vcpu.runAsync({ signal: AbortSignal.timeout(20) });
  assert.ok(exit.reason === KVM_EXIT_INTR && exit.halted);
  assert.equal(exit.wakeAtNs, Number.POSITIVE_INFINITY);
});

test("getIrqchip() and setIrqchip() carry the controllers' state", async () => {
  const { vm, vcpu } = await picGuest();
  untilHalted(vcpu);
  const master = vm.getIrqchip(KVM_IRQCHIP_PIC_MASTER);
  assert.ok(master.chipId === KVM_IRQCHIP_PIC_MASTER);
  assert.equal(master.pic.irqBase, 0x20);
  assert.equal(master.pic.imr, 1);
  const slave = vm.getIrqchip(KVM_IRQCHIP_PIC_SLAVE);
  const ioapic = vm.getIrqchip(KVM_IRQCHIP_IOAPIC);
  assert.ok(ioapic.chipId === KVM_IRQCHIP_IOAPIC);
  assert.equal(ioapic.ioapic.baseAddress, 0xfec0_0000n);
  assert.equal(ioapic.ioapic.redirtbl[0], 0x1_0000n, "masked after reset");
  ioapic.ioapic.redirtbl[5] = 0x1_0035n;
  master.pic.imr = 0xfe;
  for (const chip of [master, slave, ioapic]) {
    vm.setIrqchip(chip);
    assert.deepEqual(vm.getIrqchip(chip.chipId), chip);
  }
  assert.throws(() => vm.getIrqchip(3), hasCode("EINVAL"));
});

test("setIrqchip() with a pending request interrupts the guest", async () => {
  const { vm, vcpu } = await picGuest();
  untilHalted(vcpu);
  const master = vm.getIrqchip(KVM_IRQCHIP_PIC_MASTER);
  assert.ok(master.chipId === KVM_IRQCHIP_PIC_MASTER);
  master.pic.irr |= 1 << 5;
  vm.setIrqchip(master);
  assert.equal(vcpu.run({ maxNs: 1e9 }).reason, KVM_EXIT_IO);
});

test("getLapic() and setLapic() carry the register page", async () => {
  const { vcpu } = await makeGuest([0xf4], withIrqchip);
  const page = vcpu.getLapic();
  const view = new DataView(page.buffer);
  assert.equal(page.length, 1024);
  assert.equal(view.getUint32(0x30, true) & 0xff, 0x14, "version");
  view.setUint32(0x80, 0x40, true);
  vcpu.setLapic(page);
  assert.deepEqual(vcpu.getLapic().slice(0x80, 0x84), Uint8Array.of(0x40, 0, 0, 0));
  assert.equal(vcpu.kvmRun.cr8, 4);
  assert.throws(() => vcpu.setLapic(page.slice(1)), hasCode("EINVAL"));
  const { vcpu: bare } = await makeGuest([0xf4]);
  assert.throws(() => bare.getLapic(), hasCode("EINVAL"));
});

test("signalMsi() reaches an enabled local APIC", async () => {
  // sti; hlt; hlt
  const { vm, vcpu, ram } = await makeGuest([0xfb, 0xf4, 0xf4], withIrqchip);
  ram.set([0xe6, 0x99, 0xcf], 0x2000); // out 0x99, al; iret
  ram.set([0x00, 0x20, 0, 0], 4 * 0x41);
  const page = vcpu.getLapic();
  new DataView(page.buffer).setUint32(0xf0, 0x1ff, true);
  vcpu.setLapic(page);
  assert.equal(vm.signalMsi({ addressLo: 0xfee0_0000, data: 0x41 }), 1);
  const exit = vcpu.run({ maxNs: 1e9 });
  assert.ok(exit.reason === KVM_EXIT_IO && exit.port === 0x99);
});

test("setGsiRouting() moves a line, and refuses what cannot be", async () => {
  const { vm, vcpu } = await picGuest();
  untilHalted(vcpu);
  vm.setGsiRouting([
    { gsi: 50, type: KVM_IRQ_ROUTING_IRQCHIP, irqchip: { irqchip: KVM_IRQCHIP_PIC_MASTER, pin: 6 } },
    { gsi: 51, type: KVM_IRQ_ROUTING_MSI, msi: { addressLo: 0xfee0_0000, addressHi: 0, data: 0x41 } },
  ]);
  assert.equal(vm.irqLine(4, 1), -1, "routed nowhere now");
  assert.equal(vm.irqLine(50, 1), 1);
  assert.equal(vcpu.run({ maxNs: 1e9 }).reason, KVM_EXIT_IO);
  const bad =
    (irqchip: number, pin: number, gsi = 1) =>
    () =>
      vm.setGsiRouting([{ gsi, type: KVM_IRQ_ROUTING_IRQCHIP, irqchip: { irqchip, pin } }]);
  assert.throws(bad(3, 0), hasCode("EINVAL"));
  assert.throws(bad(KVM_IRQCHIP_IOAPIC, 24), hasCode("EINVAL"));
  assert.throws(bad(KVM_IRQCHIP_PIC_SLAVE, 8), hasCode("EINVAL"));
  assert.throws(bad(0, 0, 1024), hasCode("EINVAL"));
  vm.irqLine(50, 0);
  assert.equal(vm.irqLine(50, 1), 1, "the table that was there is still in force");
});

test("createPit2() ticks a guest, which runAsync() wakes in time", async () => {
  // mov al, 0x34; out 0x43, al; mov al, 0; out 0x40, al; mov al, 0x20; out 0x40, al (8192 clocks: 6.9 ms), then SETUP_PIC
  const program = [0xb0, 0x34, 0xe6, 0x43, 0xb0, 0x00, 0xe6, 0x40, 0xb0, 0x20, 0xe6, 0x40, ...SETUP_PIC];
  program[program.length - 7] = 0; // mov al, 0 instead of 1: IRQ 0 is unmasked
  program.splice(program.length - 8, 2, 0xb0, 0x00);
  const { vm, vcpu, ram } = await makeGuest(program, {
    beforeVcpu: (vm) => {
      vm.createIrqchip();
      vm.createPit2({ flags: KVM_PIT_SPEAKER_DUMMY });
    },
  });
  ram.set(HANDLER, 0x2000);
  ram.set([0x00, 0x20, 0, 0], 4 * 0x20);
  assert.throws(() => vm.createPit2(), hasCode("EEXIST"));
  const startNs = vm.nowNs();
  for (let i = 0; i < 8; i++) {
    const exit = await vcpu.runAsync({ signal: AbortSignal.timeout(5000) });
    assert.ok(exit.reason === KVM_EXIT_IO && exit.port === 0x99, exitName(exit.reason));
  }
  // No tick comes early; on a busy machine some come late, and then closer together.
  const period = (vm.nowNs() - startNs) / 8 / 1e6;
  assert.ok(period > 6.8 && period < 60, `${period} ms a tick, 6.9 programmed`);
  const pit = vm.getPit2();
  assert.equal(pit.channels[0].mode, 2);
  assert.equal(pit.channels[0].count, 0x2000);
  pit.channels[0].count = 0x1000;
  vm.setPit2(pit);
  assert.equal(vm.getPit2().channels[0].count, 0x1000);
  pit.channels[1].count = 0x10001;
  assert.throws(() => vm.setPit2(pit), hasCode("EINVAL"));
  vm.reinjectControl(false);
});

test("irqfd() raises an interrupt per signal, until it is taken away", async () => {
  const { vm, vcpu } = await picGuest();
  untilHalted(vcpu);
  const fd = new EventFd();
  vm.irqfd({ fd, gsi: 3 });
  assert.throws(() => vm.irqfd({ fd, gsi: 4 }), hasCode("EBUSY"));
  fd.signal();
  assert.equal(fd.count, 0, "taken");
  assert.equal(vcpu.run({ maxNs: 1e9 }).reason, KVM_EXIT_IO);
  untilHalted(vcpu);
  vm.irqfd({ fd, gsi: 3, flags: KVM_IRQFD_FLAG_DEASSIGN });
  fd.signal();
  untilHalted(vcpu);
});

test("a resampling irqfd hears when the guest acknowledges", async () => {
  // out 0x4d0 <- 0x08 first: pin 3 level-triggered: mov dx, 0x4d0; mov al, 8; out dx, al
  const guest = await makeGuest([0xba, 0xd0, 0x04, 0xb0, 0x08, 0xee, ...SETUP_PIC], withIrqchip);
  guest.ram.set(HANDLER, 0x2000);
  guest.ram.set([0x00, 0x20, 0, 0], 4 * 0x23);
  const { vm, vcpu } = guest;
  untilHalted(vcpu);
  const fd = new EventFd();
  const resamplefd = new EventFd();
  assert.throws(() => vm.irqfd({ fd, gsi: 3, flags: KVM_IRQFD_FLAG_RESAMPLE }), hasCode("EINVAL"));
  vm.irqfd({ fd, gsi: 3, flags: KVM_IRQFD_FLAG_RESAMPLE, resamplefd });
  let again = 2;
  resamplefd.onSignal(() => {
    resamplefd.read();
    // The device still has something: it raises the line from inside the callback.
    if (--again > 0) fd.signal();
  });
  fd.signal();
  for (let i = 0; i < 2; i++) {
    const exit = vcpu.run({ maxNs: 1e9 });
    assert.equal(exitName(exit.reason), "IO");
  }
  untilHalted(vcpu);
  assert.equal(again, 0);
});

test("enableCap(SPLIT_IRQCHIP) puts local APICs alone into the core", async () => {
  const kvm = await openKvm();
  using vm = kvm.createVm({ memorySize: 4096 });
  vm.enableCap({ cap: KVM_CAP_SPLIT_IRQCHIP, args: [24] });
  assert.throws(() => vm.enableCap({ cap: KVM_CAP_SPLIT_IRQCHIP, args: [24] }), hasCode("EEXIST"));
  assert.throws(() => vm.createIrqchip(), hasCode("EEXIST"));
  assert.throws(() => vm.getIrqchip(0), hasCode("ENXIO"));
  assert.equal(vm.createVcpu(0).getLapic().length, 1024);
  assert.throws(() => vm.enableCap({ cap: 12345 }), hasCode("EINVAL"));
});

test("resetChips() masks the IOAPIC and forgets the 8259s' setup", async () => {
  const { vm, vcpu } = await picGuest();
  untilHalted(vcpu);
  vm.resetChips();
  const master = vm.getIrqchip(KVM_IRQCHIP_PIC_MASTER);
  assert.ok(master.chipId === KVM_IRQCHIP_PIC_MASTER);
  assert.equal(master.pic.irqBase, 0);
});
