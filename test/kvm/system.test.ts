import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import {
  KVM_CAP_IRQCHIP,
  KVM_CAP_MAX_VCPUS,
  KVM_CAP_NR_MEMSLOTS,
  KVM_CAP_USER_MEMORY,
  Kvm,
  KvmError,
} from "../../host/kvm/index.ts";
import { makeGuest, openKvm } from "./guest.ts";

const corePath = process.env["WKVM_CORE"] ?? "dist/core.wasm";
const hasCode = (code: string) => (error: unknown) => error instanceof KvmError && error.code === code;

test("open() takes a core as bytes, compiled, or by URL", async () => {
  const bytes = readFileSync(corePath);
  for (const core of [bytes, await WebAssembly.compile(bytes), pathToFileURL(corePath)]) {
    using kvm = await Kvm.open({ core });
    assert.equal(kvm.getApiVersion(), 12);
  }
});

test("open() rejects with ENODEV what cannot run", async () => {
  await assert.rejects(Kvm.open({ core: Uint8Array.of(1, 2, 3) }), hasCode("ENODEV"));
  await assert.rejects(Kvm.open({ core: new URL("file:///nonexistent/core.wasm") }), hasCode("ENODEV"));
  await assert.rejects(Kvm.open({ accel: "jit", threshold: 0 }), hasCode("EINVAL"));
  await assert.rejects(Kvm.open({ accel: "hax" as "jit" }), hasCode("ENODEV"));
});

test("getApiVersion() is 12", async () => {
  assert.equal((await openKvm()).getApiVersion(), 12);
});

test("checkExtension() gives values, and 0 for what is not there", async () => {
  const kvm = await openKvm();
  assert.equal(kvm.checkExtension(KVM_CAP_IRQCHIP), 1);
  assert.equal(kvm.checkExtension(KVM_CAP_USER_MEMORY), 1);
  assert.equal(kvm.checkExtension(KVM_CAP_NR_MEMSLOTS), 64);
  assert.equal(kvm.checkExtension(KVM_CAP_MAX_VCPUS), 16);
  assert.equal(kvm.checkExtension(157), 0, "KVM_CAP_NESTED_STATE");
  assert.equal(kvm.checkExtension(99999), 0);
});

test("getSupportedCpuid() is a table that setCpuid2() takes", async () => {
  const kvm = await openKvm();
  const { vcpu } = await makeGuest([0xf4]);
  vcpu.setCpuid2(kvm.getSupportedCpuid());
  assert.deepEqual(vcpu.getCpuid2(), kvm.getSupportedCpuid());
});

test("every register of getMsrIndexList() can be read and written back", async () => {
  const kvm = await openKvm();
  const { vcpu } = await makeGuest([0xf4], { beforeVcpu: (vm) => vm.createIrqchip() });
  vcpu.setCpuid2(kvm.getSupportedCpuid());
  const list = kvm.getMsrIndexList();
  const values = vcpu.getMsrs(list);
  assert.deepEqual(
    values.map(({ index }) => index),
    list,
  );
  assert.equal(vcpu.setMsrs(values), list.length);
});

test("createVm() refuses sizes that cannot be", async () => {
  const kvm = await openKvm();
  for (const memorySize of [0, -4096, 4095, 1.5, Number.NaN]) {
    assert.throws(() => kvm.createVm({ memorySize }), hasCode("EINVAL"), String(memorySize));
  }
  for (const maxVcpus of [0, 17, 1.5]) {
    assert.throws(() => kvm.createVm({ memorySize: 4096, maxVcpus }), hasCode("EINVAL"), String(maxVcpus));
  }
  assert.throws(() => kvm.createVm({ memorySize: 4 * 2 ** 30 }), hasCode("ENOMEM"));
});

test("createVm() holds 3.5 GiB of guest memory", async () => {
  const kvm = await openKvm();
  using vm = kvm.createVm({ memorySize: 3.5 * 2 ** 30, maxVcpus: 4 });
  const at = vm.allocate(3.5 * 2 ** 30);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: 3.5 * 2 ** 30, userspaceAddr: at });
  assert.equal(vm.hostOffset(3.5 * 2 ** 30 - 1), at + 3.5 * 2 ** 30 - 1);
});

test("calls on closed handles throw EBADF", async () => {
  const kvm = await Kvm.open();
  const vm = kvm.createVm({ memorySize: 4096 });
  const vcpu = vm.createVcpu(0);
  kvm.close();
  assert.throws(() => kvm.getApiVersion(), hasCode("EBADF"));
  vm.close();
  assert.throws(() => vm.createVcpu(1), hasCode("EBADF"));
  assert.throws(() => vcpu.run(), hasCode("EBADF"));
});

test("errors carry the errno's name and number", async () => {
  const kvm = await openKvm();
  try {
    kvm.createVm({ memorySize: 1 });
    assert.fail();
  } catch (error) {
    assert.ok(error instanceof KvmError && error instanceof Error);
    assert.equal(error.code, "EINVAL");
    assert.equal(error.errno, 22);
    assert.match(error.message, /^EINVAL: memorySize/);
  }
});
