// Two core instances in two threads over one memory. This file is also the worker's program.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { VM_BASE } from "../../assembly/layout.ts";
import {
  EventFd,
  type EventFdHandle,
  exitName,
  Kicker,
  KVM_EXIT_HLT,
  KVM_EXIT_INTR,
  KVM_EXIT_IO,
  KVM_IOEVENTFD_FLAG_PIO,
  Vm,
  type VmHandle,
} from "../../host/kvm/index.ts";
import { CODE, enter, makeGuest, openKvm } from "./guest.ts";

interface Task {
  readonly handle: VmHandle;
  /** Offset of guest physical address 0 in the VM's memory. */
  readonly ramAt: number;
  /** Absent: the vCPU stays as it powers up. */
  readonly mode?: "real" | "protected" | "long";
  /** Signalled when both may begin. */
  readonly start: EventFdHandle;
}

if (isMainThread) tests();
else void openKvm().then(() => runWorker(workerData as Task));

/** vCPU 1, in the worker: runs until an exit that is not the end of a slice, and posts its name. */
function runWorker({ handle, ramAt, mode, start }: Task): void {
  const vm = Vm.attach(handle);
  const vcpu = vm.createVcpu(1);
  if (mode) enter(vcpu, new Uint8Array(vm.memory, ramAt), mode);
  parentPort?.postMessage("ready");
  EventFd.from(start).wait(20_000);
  const exit = vcpu.run({ maxNs: 60e9 });
  parentPort?.postMessage(exitName(exit.reason));
}

/** Starts the worker and waits until its vCPU is ready; `finished` resolves to the name of its exit. */
async function startWorker(task: Omit<Task, "start">): Promise<{ go(): void; finished: Promise<string> }> {
  const start = new EventFd();
  const worker = new Worker(process.argv[1] as string, { workerData: { ...task, start: start.handle } satisfies Task });
  await once(worker, "message");
  const finished = Promise.race([
    once(worker, "message").then(([name]) => name as string),
    once(worker, "error").then(([error]) => Promise.reject(error)),
  ]);
  return { go: () => start.signal(), finished };
}

/** Has both vCPUs execute the same program, which ends with HLT, at the same time. */
async function runBoth(code: number[], mode: "protected" | "long"): Promise<DataView> {
  const { vm, vcpu, ram } = await makeGuest(code, { mode });
  const { go, finished } = await startWorker({ handle: vm.handle, ramAt: ram.byteOffset, mode });
  go();
  assert.equal(exitName(vcpu.run({ maxNs: 60e9 }).reason), "HLT");
  assert.equal(await finished, "HLT");
  return new DataView(ram.buffer, ram.byteOffset);
}

function tests(): void {
  const EACH = 500_000;
  const count = [EACH & 255, (EACH >> 8) & 255, (EACH >> 16) & 255, 0];

  test("a million LOCK XADD by two vCPUs reach the exact sum", async () => {
    // mov ecx, EACH; again: mov eax, 1; lock xadd [0x3000], eax; dec ecx; jnz again; hlt
    const loop = [0xb8, 1, 0, 0, 0, 0xf0, 0x0f, 0xc1, 0x05, 0x00, 0x30, 0, 0, 0x49, 0x75, 0xf0];
    const view = await runBoth([0xb9, ...count, ...loop, 0xf4], "protected");
    assert.equal(view.getUint32(0x3000, true), 2 * EACH);
  });

  test("a million CMPXCHG16B by two vCPUs reach the exact sum", async () => {
    const code = [
      ...[0x41, 0xb8, ...count], // mov r8d, EACH
      ...[0x48, 0x8b, 0x04, 0x25, 0x10, 0x30, 0, 0], // next: mov rax, [0x3010]
      ...[0x48, 0x8b, 0x14, 0x25, 0x18, 0x30, 0, 0], // mov rdx, [0x3018]
      ...[0x48, 0x8d, 0x58, 0x01], // retry: lea rbx, [rax + 1]
      ...[0x48, 0x8d, 0x4a, 0x02], // lea rcx, [rdx + 2]
      ...[0xf0, 0x48, 0x0f, 0xc7, 0x0c, 0x25, 0x10, 0x30, 0, 0], // lock cmpxchg16b [0x3010]
      ...[0x75, 0xec], // jnz retry
      ...[0x41, 0xff, 0xc8], // dec r8d
      ...[0x75, 0xd7], // jnz next
      0xf4, // hlt
    ];
    const view = await runBoth(code, "long");
    assert.equal(view.getBigUint64(0x3010, true), BigInt(2 * EACH));
    assert.equal(view.getBigUint64(0x3018, true), BigInt(4 * EACH));
  });

  test("misaligned LOCK INC across a page reaches the exact sum", async () => {
    // mov ecx, 100000; again: lock inc dword [0x3ffe]; dec ecx; jnz again; hlt
    const loop = [0xf0, 0xff, 0x05, 0xfe, 0x3f, 0, 0, 0x49, 0x75, 0xf6];
    const view = await runBoth([0xb9, 0xa0, 0x86, 1, 0, ...loop, 0xf4], "protected");
    assert.equal(view.getUint32(0x3ffe, true), 200_000);
  });

  test("INIT, SIPI and an IPI back travel between two threads, and kicks end both", async () => {
    const { vm, vcpu, ram } = await makeGuest([], {
      mode: "protected",
      beforeVcpu: (created) => created.createIrqchip(),
    });
    const bsp = [
      ...[0xc7, 0x05, 0xf0, 0x00, 0xe0, 0xfe, 0xff, 0x01, 0, 0], // mov dword [0xfee000f0], 0x1ff: enable
      ...[0xc7, 0x05, 0x10, 0x03, 0xe0, 0xfe, 0, 0, 0, 1], // mov dword [0xfee00310], 1 << 24: to APIC ID 1
      ...[0xc7, 0x05, 0x00, 0x03, 0xe0, 0xfe, 0x00, 0x45, 0, 0], // mov dword [0xfee00300], 0x4500: INIT
      ...[0xc7, 0x05, 0x00, 0x03, 0xe0, 0xfe, 0x03, 0x46, 0, 0], // mov dword [0xfee00300], 0x4603: SIPI at 0x3000
      ...[0xfb, 0xf4, 0xeb, 0xfd], // sti; again: hlt; jmp again
    ];
    const ap = [
      ...[0x66, 0xb9, 0x1b, 0, 0, 0, 0x0f, 0x32], // mov ecx, IA32_APIC_BASE; rdmsr
      ...[0x66, 0x0d, 0x00, 0x0c, 0, 0, 0x0f, 0x30], // or eax, 0xc00; wrmsr: x2APIC
      ...[0x66, 0xb9, 0x30, 0x08, 0, 0], // mov ecx, x2APIC ICR
      ...[0x66, 0x31, 0xd2, 0x66, 0xb8, 0x41, 0, 0, 0], // xor edx, edx; mov eax, 0x41
      ...[0x0f, 0x30, 0xf4, 0xeb, 0xfd], // wrmsr; again: hlt; jmp again
    ];
    const view = new DataView(ram.buffer, ram.byteOffset);
    ram.set(bsp, CODE);
    ram.set(ap, 0x3000);
    ram.set([0xe6, 0x99, 0xf4], 0x4000); // the handler: out 0x99, al; hlt
    view.setBigUint64(0x5000 + 8 * 0x41, 0x0000_8e00_0008_4000n, true);
    view.setBigUint64(0x6008, 0x00cf_9b00_0000_ffffn, true);
    view.setBigUint64(0x6010, 0x00cf_9300_0000_ffffn, true);
    const sregs = vcpu.getSregs();
    sregs.idt = { base: 0x5000n, limit: 0x7ff };
    sregs.gdt = { base: 0x6000n, limit: 0x17 };
    vcpu.setSregs(sregs);

    const { go, finished } = await startWorker({ handle: vm.handle, ramAt: ram.byteOffset });
    go();
    const exit = vcpu.run({ maxNs: 20e9 });
    assert.ok(exit.reason === KVM_EXIT_IO && exit.port === 0x99, exitName(exit.reason));
    vcpu.kick();
    assert.equal(vcpu.run().reason, KVM_EXIT_INTR);
    Kicker.kick({ memory: vm.handle.memory, index: 1 });
    assert.equal(await finished, "INTR");
    assert.equal(vm.getStats().exits["INTR"], 2);
  });

  test("a doorbell that rings in another thread reaches the EventFd's callback here", async () => {
    const { vm, ram } = await makeGuest([0xe6, 0x42, 0xf4]); // out 0x42, al; hlt
    const fd = new EventFd();
    vm.ioeventfd({ addr: 0x42, len: 1, flags: KVM_IOEVENTFD_FLAG_PIO, fd });
    const rang = new Promise<void>((resolve) => fd.onSignal(resolve));
    const { go, finished } = await startWorker({ handle: vm.handle, ramAt: ram.byteOffset, mode: "real" });
    go();
    assert.equal(await finished, "HLT");
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error("nothing rang")), 5000);
    });
    await Promise.race([rang, late]);
    clearTimeout(timer);
    assert.equal(fd.read(), 1);
  });

  test("instances leave static data as the first one found it", async () => {
    const { vm, vcpu } = await makeGuest([0xe6, 0x42, 0xf4], { mode: "protected" }); // out 0x42, al; hlt
    const before = new Uint8Array(vm.memory, 0, VM_BASE).slice();
    while (vcpu.run().reason !== KVM_EXIT_HLT) {}
    assert.deepEqual(Buffer.from(vm.memory, 0, VM_BASE).equals(before), true, "run() wrote static data");
    vm.createVcpu(1);
    assert.deepEqual(Buffer.from(vm.memory, 0, VM_BASE).equals(before), true, "an instance wrote other static data");
  });
}
