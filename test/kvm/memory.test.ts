import assert from "node:assert/strict";
import { test } from "node:test";
import {
  KVM_EXIT_HLT,
  KVM_EXIT_MMIO,
  KVM_MEM_LOG_DIRTY_PAGES,
  KVM_MEM_READONLY,
  KvmError,
  type MmioExit,
} from "../../host/kvm/index.ts";
import { makeGuest, openKvm, RAM_SIZE } from "./guest.ts";

const hasCode = (code: string) => (error: unknown) => error instanceof KvmError && error.code === code;
const PAGE = 0x1000;

test("allocate() gives zeroed, page-aligned, disjoint memory until there is no more", async () => {
  using vm = (await openKvm()).createVm({ memorySize: 4 * PAGE });
  const first = vm.allocate(1);
  const second = vm.allocate(PAGE + 1);
  assert.equal(first % PAGE, 0);
  assert.equal(second, first + PAGE);
  assert.ok(new Uint8Array(vm.memory, first, 3 * PAGE).every((byte) => byte === 0));
  assert.throws(() => vm.allocate(2 * PAGE), hasCode("ENOMEM"));
  assert.equal(vm.allocate(PAGE), second + 2 * PAGE);
  assert.throws(() => vm.allocate(1), hasCode("ENOMEM"));
  assert.throws(() => vm.allocate(0), hasCode("EINVAL"));
});

test("setUserMemoryRegion() refuses misalignment, overlap, and memory that is not the VM's", async () => {
  using vm = (await openKvm()).createVm({ memorySize: 16 * PAGE });
  const userspaceAddr = vm.allocate(8 * PAGE);
  const good = { slot: 0, flags: 0, guestPhysAddr: 0x10000, memorySize: 4 * PAGE, userspaceAddr };
  vm.setUserMemoryRegion(good);
  const refused = (change: object, code: string) =>
    assert.throws(
      () => vm.setUserMemoryRegion({ ...good, slot: 1, guestPhysAddr: 0x20000, ...change }),
      hasCode(code),
      JSON.stringify(change),
    );
  refused({ guestPhysAddr: 0x20001 }, "EINVAL");
  refused({ memorySize: 0x123 }, "EINVAL");
  refused({ userspaceAddr: userspaceAddr + 1 }, "EINVAL");
  refused({ userspaceAddr: 0 }, "EINVAL");
  refused({ memorySize: 64 * PAGE }, "EINVAL");
  refused({ slot: 64 }, "EINVAL");
  refused({ slot: -1 }, "EINVAL");
  refused({ flags: 0x80 }, "EINVAL");
  refused({ memorySize: 0 }, "EINVAL");
  refused({ guestPhysAddr: 0x13000 }, "EEXIST");
  refused({ guestPhysAddr: 0xf000 }, "EEXIST");
  assert.throws(
    () => vm.setUserMemoryRegion({ ...good, guestPhysAddr: 0xffff_ffff_ffff_f000n, slot: 1 }),
    hasCode("EINVAL"),
  );
  assert.throws(() => vm.setUserMemoryRegion({ ...good, memorySize: 2 * PAGE }), hasCode("EINVAL"), "resized");
  assert.throws(
    () => vm.setUserMemoryRegion({ ...good, flags: KVM_MEM_READONLY }),
    hasCode("EINVAL"),
    "made read-only",
  );
});

test("a slot of size 0 deletes; the address is MMIO afterwards", async () => {
  // mov al, [0x5000]; mov al, [0x5000]; hlt
  const { vm, vcpu, ram } = await makeGuest([0xa0, 0x00, 0x50, 0xe6, 0x10, 0xa0, 0x00, 0x50, 0xf4]);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: 0, userspaceAddr: 0 });
  const base = ram.byteOffset;
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: 0x5000, userspaceAddr: base });
  vm.setUserMemoryRegion({ slot: 1, guestPhysAddr: 0x5000, memorySize: PAGE, userspaceAddr: base + 0x5000 });
  ram[0x5000] = 0x77;
  const io = vcpu.run();
  assert.ok("port" in io && io.data[0] === 0x77);
  vm.setUserMemoryRegion({ slot: 1, guestPhysAddr: 0x5000, memorySize: 0, userspaceAddr: 0 });
  const exit = vcpu.run() as MmioExit;
  assert.equal(exit.reason, KVM_EXIT_MMIO);
  assert.equal(exit.physAddr, 0x5000n);
});

test("a slot moves when its address changes", async () => {
  using vm = (await openKvm()).createVm({ memorySize: 4 * PAGE });
  const userspaceAddr = vm.allocate(PAGE);
  const region = { slot: 3, guestPhysAddr: 0x1000, memorySize: PAGE, userspaceAddr };
  vm.setUserMemoryRegion(region);
  vm.setUserMemoryRegion({ ...region, guestPhysAddr: 0x9000 });
  assert.equal(vm.hostOffset(0x1000), undefined);
  assert.equal(vm.hostOffset(0x9010), userspaceAddr + 0x10);
  assert.equal(vm.hostOffset(0x9ff0, 0x11), undefined, "crosses the end");
});

test("writes to a read-only slot are MMIO exits, reads are not", async () => {
  // mov al, [0x8000]; mov [0x8001], al; hlt, in a slot of its own
  const { vm, vcpu, ram } = await makeGuest([0xa0, 0x00, 0x80, 0xa2, 0x01, 0x80, 0xf4]);
  const base = ram.byteOffset;
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: 0, userspaceAddr: 0 });
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: 0x8000, userspaceAddr: base });
  vm.setUserMemoryRegion({
    slot: 1,
    flags: KVM_MEM_READONLY,
    guestPhysAddr: 0x8000,
    memorySize: PAGE,
    userspaceAddr: base + 0x8000,
  });
  ram[0x8000] = 0x42;
  const exit = vcpu.run() as MmioExit;
  assert.deepEqual(
    [exit.reason, exit.physAddr, exit.isWrite, exit.len, exit.data[0]],
    [KVM_EXIT_MMIO, 0x8001n, true, 1, 0x42],
  );
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
  assert.equal(ram[0x8001], 0, "the write did not happen");
});

test("getDirtyLog() has a bit for each page written since the last call", async () => {
  // mov [0x3000], al; hlt; mov [0x7fff], ax (crosses a page); hlt
  const { vm, vcpu, ram } = await makeGuest([0xa2, 0x00, 0x30, 0xf4, 0xa3, 0xff, 0x7f, 0xf4]);
  assert.throws(() => vm.getDirtyLog(0), hasCode("ENOENT"), "no log is kept");
  assert.throws(() => vm.getDirtyLog(5), hasCode("ENOENT"), "no slot");
  assert.throws(() => vm.getDirtyLog(64), hasCode("EINVAL"));
  vm.setUserMemoryRegion({
    slot: 0,
    flags: KVM_MEM_LOG_DIRTY_PAGES,
    guestPhysAddr: 0,
    memorySize: RAM_SIZE,
    userspaceAddr: ram.byteOffset,
  });
  const dirty = () => {
    const bitmap = vm.getDirtyLog(0);
    assert.equal(bitmap.length, RAM_SIZE / PAGE / 8);
    return Array.from({ length: RAM_SIZE / PAGE }, (_, page) => page).filter(
      (page) => ((bitmap[page >> 3] ?? 0) >> (page & 7)) & 1,
    );
  };
  assert.deepEqual(dirty(), []);
  vcpu.run();
  assert.deepEqual(dirty(), [3]);
  assert.deepEqual(dirty(), []);
  vcpu.run();
  assert.deepEqual(dirty(), [7, 8]);
  vm.memoryWritten(0x9ff0, 0x20);
  assert.deepEqual(dirty(), [9, 10], "what a device wrote");
});

test("memoryWritten() makes the guest see new code", async () => {
  const { vcpu, load } = await makeGuest([0xb0, 0x01, 0xf4, 0xeb, 0xfb]); // again: mov al, 1; hlt; jmp again
  vcpu.run();
  assert.equal(vcpu.getRegs().rax & 0xffn, 1n);
  load(0x1001, [0x02]);
  vcpu.run();
  assert.equal(vcpu.getRegs().rax & 0xffn, 2n);
});

test("createVcpu() refuses numbers that are taken or too large", async () => {
  const { vm } = await makeGuest([0xf4]);
  assert.throws(() => vm.createVcpu(0), hasCode("EEXIST"));
  assert.throws(() => vm.createVcpu(2), hasCode("EINVAL"), "maxVcpus is 2");
  assert.throws(() => vm.createVcpu(-1), hasCode("EINVAL"));
  assert.equal(vm.createVcpu(1).id, 1);
});

test("adoptVcpu() goes on where another handle stopped", async () => {
  const { vm, vcpu } = await makeGuest([0xb0, 0x05, 0xf4, 0xb4, 0x06, 0xf4]); // mov al, 5; hlt; mov ah, 6; hlt
  vcpu.run();
  vcpu.close();
  const adopted = vm.adoptVcpu(0);
  assert.equal(adopted.run().reason, KVM_EXIT_HLT);
  assert.equal(adopted.getRegs().rax & 0xffffn, 0x0605n);
  assert.throws(() => vm.adoptVcpu(1), hasCode("ENOENT"));
});
