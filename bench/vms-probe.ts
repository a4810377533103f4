// A process of its own: makes many small virtual machines, runs them in turn, and prints as JSON what they took.
// Arguments: ACCELERATOR NUMBER MEBIBYTES.
import { readFileSync } from "node:fs";
import { type Accelerator, KVM_EXIT_IO, Kvm, type KvmSregs, type Vcpu, type Vm } from "../host/kvm/index.ts";

const CODE = 0x1000;
const SLICE_NS = 2e6;
const WARM_UP_MS = 2000;
const ALONE_MS = 500;
const TOGETHER_MS = 1000;
const MEBIBYTE = 2 ** 20;

/** Announces itself on a port, and computes for ever after. */
const PROGRAM = Uint8Array.of(
  ...[0xe6, 0x80], // out %al, $0x80
  0x40, // again: inc %eax
  ...[0x31, 0xc3], // xor %eax, %ebx
  ...[0x01, 0xd9], // add %ebx, %ecx
  ...[0x8d, 0x14, 0x01], // lea (%ecx,%eax), %edx
  ...[0x89, 0x14, 0x24], // mov %edx, (%esp)
  ...[0xeb, 0xf2], // jmp again
);

const [accel = "interp", number = "20", mebibytes = "16"] = process.argv.slice(2);
const core = process.env["WKVM_CORE"];
const kvm = await Kvm.open({ accel: accel as Accelerator, ...(core ? { core: readFileSync(core) } : {}) });
// The first one pays for the core's compilation.
const first = start();

const before = process.memoryUsage.rss();
const startedMs = performance.now();
const machines = Array.from({ length: Number(number) - 1 }, start);
const tookMs = performance.now() - startedMs;
const grown = process.memoryUsage.rss() - before;
machines.push(first);

// Until the engine has compiled the core for the second time.
throughput([first], WARM_UP_MS);
const alone = throughput([first], ALONE_MS);
const together = throughput(machines, TOGETHER_MS);
process.stdout.write(
  `${JSON.stringify({
    startedPerSecond: ((machines.length - 1) / tookMs) * 1000,
    mebibytesEach: grown / (machines.length - 1) / MEBIBYTE,
    aloneMillionPerSecond: alone,
    togetherMillionPerSecond: together,
  })}\n`,
);
process.exit(0);

/** A machine, up to the first exit of its guest. */
function start(): { vm: Vm; vcpu: Vcpu } {
  const memorySize = Number(mebibytes) * MEBIBYTE;
  const vm = kvm.createVm({ memorySize, maxVcpus: 1 });
  const userspaceAddr = vm.allocate(memorySize);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize, userspaceAddr });
  new Uint8Array(vm.memory, userspaceAddr).set(PROGRAM, CODE);
  const vcpu = vm.createVcpu(0);
  vcpu.setSregs(flat(vcpu.getSregs()));
  vcpu.setRegs({ ...vcpu.getRegs(), rip: CODE, rsp: CODE - 16, rflags: 2 });
  const { reason } = vcpu.run();
  if (reason !== KVM_EXIT_IO) throw new Error(`the guest left for reason ${reason}`);
  return { vm, vcpu };
}

/** Protected mode with flat 32-bit segments. */
function flat(sregs: KvmSregs): KvmSregs {
  const segment = { base: 0n, limit: 0xffff_ffff, present: 1, dpl: 0, s: 1, db: 1, l: 0, g: 1, avl: 0, unusable: 0 };
  sregs.cs = { ...segment, selector: 8, type: 11 };
  for (const name of ["ds", "es", "fs", "gs", "ss"] as const) sregs[name] = { ...segment, selector: 16, type: 3 };
  sregs.cr0 |= 1n;
  return sregs;
}

/** Millions of instructions a second of this process's time, the machines having a slice each in turn. */
function throughput(all: readonly { vcpu: Vcpu }[], ms: number): number {
  const instructions = (): number => all.reduce((sum, { vcpu }) => sum + vcpu.getStats().counters.instructions, 0);
  const [executed, used, endMs] = [instructions(), process.cpuUsage(), performance.now() + ms];
  while (performance.now() < endMs) for (const { vcpu } of all) vcpu.run({ maxNs: SLICE_NS });
  const { user, system } = process.cpuUsage(used);
  return (instructions() - executed) / (user + system);
}
