// Two processors in two threads over one memory: each adds to the same counter with LOCK, so that nothing is lost.
//
//   npm run build && node examples/two-vcpus.js
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { KVM_EXIT_HLT, Kvm, Vm } from "wkvm";

const TIMES = 100_000;
const COUNTER = 0x2000;
// 16-bit code.
const code = Uint8Array.of(
  ...[0x66, 0xb9, TIMES & 255, (TIMES >> 8) & 255, (TIMES >> 16) & 255, 0], // mov ecx, TIMES
  ...[0xf0, 0x66, 0xff, 0x06, COUNTER & 255, COUNTER >> 8], // again: lock inc dword [COUNTER]
  ...[0x66, 0x49], //                                                dec ecx
  ...[0x75, 0xf6], //                                                jnz again
  0xf4, //                                                           hlt
);

/** Makes vCPU `id` in this thread and runs it to its HLT. */
function runVcpu(vm, id) {
  const vcpu = vm.createVcpu(id);
  const sregs = vcpu.getSregs();
  sregs.cs.base = 0n;
  sregs.cs.selector = 0;
  vcpu.setSregs(sregs);
  vcpu.setRegs({ ...vcpu.getRegs(), rip: 0x1000, rflags: 2 });
  const exit = vcpu.run();
  if (exit.reason !== KVM_EXIT_HLT) throw new Error(`vCPU ${id} left for reason ${exit.reason}`);
}

if (isMainThread) {
  const kvm = await Kvm.open();
  const vm = kvm.createVm({ memorySize: 1 << 20, maxVcpus: 2 });
  const userspaceAddr = vm.allocate(0x10000);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: 0x10000, userspaceAddr });
  new Uint8Array(vm.memory, userspaceAddr + 0x1000).set(code);

  // The handle names the core and the memory; the worker opens the same VM with it.
  const worker = new Worker(new URL(import.meta.url), { workerData: vm.handle });
  const finished = new Promise((resolve, reject) => worker.once("exit", resolve).once("error", reject));
  runVcpu(vm, 0);
  await finished;
  const sum = new DataView(vm.memory).getUint32(userspaceAddr + COUNTER, true);
  console.log(`${sum} additions by two processors (${2 * TIMES} expected)`);
  process.exitCode = sum === 2 * TIMES ? 0 : 1;
} else {
  runVcpu(Vm.attach(workerData), 1);
}
