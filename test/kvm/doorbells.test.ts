import assert from "node:assert/strict";
import { test } from "node:test";
import {
  EventFd,
  KVM_EXIT_HLT,
  KVM_EXIT_IO,
  KVM_EXIT_MMIO,
  KVM_IOEVENTFD_FLAG_DATAMATCH,
  KVM_IOEVENTFD_FLAG_DEASSIGN,
  KVM_IOEVENTFD_FLAG_PIO,
  KvmError,
} from "../../host/kvm/index.ts";
import { makeGuest } from "./guest.ts";

const hasCode = (code: string) => (error: unknown) => error instanceof KvmError && error.code === code;

test("an ioeventfd on a port is a direct call, without an exit", async () => {
  // mov al, 5; out 0x10, al; out 0x10, ax; out 0x11, al; hlt
  const { vm, vcpu } = await makeGuest([0xb0, 0x05, 0xe6, 0x10, 0xe7, 0x10, 0xe6, 0x11, 0xf4]);
  const fd = new EventFd();
  let calls = 0;
  fd.onSignal(() => void calls++);
  vm.ioeventfd({ addr: 0x10, len: 1, flags: KVM_IOEVENTFD_FLAG_PIO, fd });
  const wide = vcpu.run();
  assert.ok(wide.reason === KVM_EXIT_IO && wide.size === 2, "another size does not ring");
  assert.deepEqual([calls, fd.count], [1, 1]);
  const other = vcpu.run();
  assert.ok(other.reason === KVM_EXIT_IO && other.port === 0x11);
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
  assert.equal(vm.getStats().counters.doorbells, 1);
});

test("an ioeventfd on memory can match its data, and ends by DEASSIGN", async () => {
  // again: mov [edi], eax; hlt; jmp again  (32-bit)
  const { vm, vcpu } = await makeGuest([0x89, 0x07, 0xf4, 0xeb, 0xfb], { mode: "protected" });
  const write = (value: bigint) => {
    vcpu.setRegs({ ...vcpu.getRegs(), rax: value, rdi: 0xd000_0000n, rip: 0x1000n });
    const exit = vcpu.run();
    if (exit.reason === KVM_EXIT_MMIO) assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
    return exit.reason;
  };
  const fd = new EventFd();
  const request = { addr: 0xd000_0000n, len: 4, flags: KVM_IOEVENTFD_FLAG_DATAMATCH, datamatch: 7, fd };
  vm.ioeventfd(request);
  assert.equal(write(6n), KVM_EXIT_MMIO);
  assert.equal(write(7n), KVM_EXIT_HLT);
  assert.equal(fd.read(), 1);
  vm.ioeventfd({ ...request, datamatch: 8 });
  assert.throws(() => vm.ioeventfd(request), hasCode("EEXIST"));
  assert.throws(() => vm.ioeventfd({ ...request, flags: 0 }), hasCode("EEXIST"), "would ring for the same write");
  vm.ioeventfd({ ...request, flags: request.flags | KVM_IOEVENTFD_FLAG_DEASSIGN });
  assert.equal(write(7n), KVM_EXIT_MMIO);
  assert.equal(write(8n), KVM_EXIT_HLT);
  assert.throws(
    () => vm.ioeventfd({ ...request, flags: request.flags | KVM_IOEVENTFD_FLAG_DEASSIGN }),
    hasCode("ENOENT"),
  );
});

test("ioeventfd() refuses lengths and flags that do not exist", async () => {
  const { vm } = await makeGuest([0xf4]);
  const fd = new EventFd();
  assert.throws(() => vm.ioeventfd({ addr: 0, len: 3, fd }), hasCode("EINVAL"));
  assert.throws(() => vm.ioeventfd({ addr: 0, len: 4, flags: 0x100, fd }), hasCode("EINVAL"));
  assert.throws(() => vm.ioeventfd({ addr: 0xffff_ffff_ffff_fffen, len: 4, fd }), hasCode("EINVAL"));
  assert.throws(() => vm.ioeventfd({ addr: 0, len: 0, flags: KVM_IOEVENTFD_FLAG_DATAMATCH, fd }), hasCode("EINVAL"));
});

test("what a callback throws, run() throws, and the exit comes next", async () => {
  const { vm, vcpu } = await makeGuest([0xe6, 0x10, 0xf4]); // out 0x10, al; hlt
  const fd = new EventFd();
  fd.onSignal(() => {
    throw new Error("device bug");
  });
  vm.ioeventfd({ addr: 0x10, len: 1, flags: KVM_IOEVENTFD_FLAG_PIO, fd });
  assert.throws(() => vcpu.run(), /device bug/);
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
});

test("run() from inside a callback throws EBUSY", async () => {
  const { vm, vcpu } = await makeGuest([0xe6, 0x10, 0xf4]); // out 0x10, al; hlt
  const fd = new EventFd();
  let code = "";
  fd.onSignal(() => {
    try {
      vcpu.run();
    } catch (error) {
      code = (error as KvmError).code;
    }
  });
  vm.ioeventfd({ addr: 0x10, len: 1, flags: KVM_IOEVENTFD_FLAG_PIO, fd });
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
  assert.equal(code, "EBUSY");
});

test("coalesced writes wait in the ring, in order, until it is drained", async () => {
  // mov [0xe000], al; mov [0xe002], ax; out 0x80, al; mov al, [0xe000]; hlt, with 0xe000 in no slot
  const { vm, vcpu, ram } = await makeGuest([0xa2, 0x00, 0xe0, 0xa3, 0x02, 0xe0, 0xe6, 0x80, 0xa0, 0x00, 0xe0, 0xf4]);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: 0, userspaceAddr: 0 });
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: 0xe000, userspaceAddr: ram.byteOffset });
  vm.registerCoalescedMmio({ addr: 0xe000, size: 0x1000 });
  vm.registerCoalescedMmio({ addr: 0x80, size: 1, pio: true });
  vcpu.setRegs({ ...vcpu.getRegs(), rax: 0x1234 });
  const exit = vcpu.run();
  assert.ok(exit.reason === KVM_EXIT_MMIO && !exit.isWrite, "reads are not collected");
  const writes = vm.drainCoalescedMmio().map(({ physAddr, pio, data }) => [Number(physAddr), pio, ...data]);
  assert.deepEqual(writes, [
    [0xe000, false, 0x34],
    [0xe002, false, 0x34, 0x12],
    [0x80, true, 0x34],
  ]);
  assert.deepEqual(vm.drainCoalescedMmio(), []);
  vm.unregisterCoalescedMmio({ addr: 0, size: 0x10000 });
  vcpu.setRegs({ ...vcpu.getRegs(), rip: 0x1000n });
  const direct = vcpu.run();
  assert.ok(direct.reason === KVM_EXIT_MMIO && direct.isWrite);
  assert.throws(() => vm.registerCoalescedMmio({ addr: 0, size: 0 }), hasCode("EINVAL"));
});

test("a full ring gives exits instead of losing writes", async () => {
  // again: mov [0xe000], cl; loop again; hlt
  const { vm, vcpu, ram } = await makeGuest([0x88, 0x0e, 0x00, 0xe0, 0xe2, 0xfa, 0xf4]);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: 0, userspaceAddr: 0 });
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: 0xe000, userspaceAddr: ram.byteOffset });
  vm.registerCoalescedMmio({ addr: 0xe000, size: 0x1000 });
  vcpu.setRegs({ ...vcpu.getRegs(), rcx: 255 });
  const values: number[] = [];
  for (;;) {
    const exit = vcpu.run();
    for (const write of vm.drainCoalescedMmio()) values.push(write.data[0] as number);
    if (exit.reason !== KVM_EXIT_MMIO) break;
    values.push(exit.data[0] as number);
  }
  assert.deepEqual(
    values,
    Array.from({ length: 255 }, (_, i) => 255 - i),
  );
});

test("EventFd counts, calls back, and can be waited for", async () => {
  const fd = new EventFd(2);
  assert.equal(fd.count, 2);
  assert.equal(fd.read(), 2);
  assert.equal(fd.read(), 0);
  let calls = 0;
  const end = fd.onSignal(() => void calls++);
  fd.signal(3);
  end();
  fd.signal();
  assert.equal(calls, 1);
  assert.equal(fd.wait(), 4);
  const before = performance.now();
  assert.equal(fd.wait(20), 0);
  assert.ok(performance.now() - before >= 15);
  setTimeout(() => EventFd.from(fd.handle).signal(), 10);
  assert.equal(await Promise.race([fd.waitAsync(), new Promise((resolve) => setTimeout(resolve, 2000))]), 1);
  assert.throws(() => new EventFd(-1), hasCode("EINVAL"));
});
