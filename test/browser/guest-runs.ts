// What a page and its workers do with the library: one program on a core, a VM of somebody else's, a whole machine.
// Everything they return can be posted and compared.
import { smallGuest } from "../../host/boot/small-guest/small-guest.ts";
import type { BootFiles } from "../../host/boot/types.ts";
import type { Chardev } from "../../host/chardev/types.ts";
import {
  exitName,
  KVM_EXIT_IO,
  Kvm,
  KvmError,
  type KvmOptions,
  type TranslationObstacle,
  type VcpuStats,
  Vm,
  type VmHandle,
} from "../../host/kvm/index.ts";
import { Machine } from "../../host/machine/machine.ts";
import { CODE, enter, RAM_SIZE } from "../kvm/guest.ts";
import { Assembler, CONDITION } from "../translate/assembler.ts";

const [RBX, RCX, RDI] = [3, 1, 7];
const DATA = 0x2_0000;
/** The guest may use SSE (SDM volume 3, section 2.5). */
const CR4_OSFXSR = 1n << 9n;
const TURNS = 500_000;

/** What a guest has come to. */
export interface GuestResult {
  readonly end: string;
  /** What it wrote to ports. */
  readonly output: string;
  readonly registers: string;
  /** A sum over RAM. */
  readonly memory: number;
  readonly counters: VcpuStats["counters"];
  /** Known to the Kvm, to the VM in the end, and told while it ran. */
  readonly obstacles: readonly (TranslationObstacle | undefined)[];
}

/** An error as data. */
export interface Refusal {
  readonly error: string;
  readonly code: string | undefined;
  readonly message: string;
}

/** Mixes numbers in registers and memory, branches on them, and says "done" on a port. */
function program(): Uint8Array {
  const code = new Assembler(CODE).set(RCX, TURNS).set(RBX, 1).set(RDI, DATA).label("again");
  code.code(0x48, 0x01, 0xcb, 0x48, 0xc1, 0xc3, 5, 0x48, 0x31, 0x1f); // add rbx, rcx; rol rbx, 5; xor [rdi], rbx
  code.code(0x66, 0x48, 0x0f, 0x6e, 0xc3, 0x66, 0x0f, 0xd4, 0xc8); // movq xmm0, rbx; paddq xmm1, xmm0
  code.code(0x66, 0x0f, 0xd6, 0x4f, 8); // movq [rdi+8], xmm1
  code.code(0xf6, 0xc3, 1).when(CONDITION.e, "even").code(0x48, 0xff, 0xc0).label("even"); // test bl, 1; inc rax
  code.repeat(RCX, "again");
  for (const byte of new TextEncoder().encode("done")) code.code(0xb0, byte, 0xe6, 0x42); // mov al, byte; out 0x42, al
  return code.halt().finish();
}

/** Executes the program on the vCPU 0 that it makes. */
function execute(vm: Vm, ram: Uint8Array, known: TranslationObstacle | undefined): GuestResult {
  const told: TranslationObstacle[] = [];
  vm.onObstacle = (obstacle) => told.push(obstacle);
  const vcpu = vm.createVcpu(0);
  enter(vcpu, ram, "long");
  const sregs = vcpu.getSregs();
  sregs.cr4 |= CR4_OSFXSR;
  vcpu.setSregs(sregs);
  let output = "";
  let exit = vcpu.run();
  for (; exit.reason === KVM_EXIT_IO; exit = vcpu.run()) output += String.fromCharCode(...exit.data);
  const registers = Object.entries(vcpu.getRegs()).map(([name, value]) => `${name}=${value.toString(16)}`);
  return {
    end: exitName(exit.reason),
    output,
    registers: registers.join(" "),
    memory: ram.reduce((sum, byte) => (Math.imul(sum, 31) + byte) | 0, 0),
    counters: vm.getStats().counters,
    obstacles: [known, vm.translationObstacle, ...told],
  };
}

/** A VM with the program in its RAM, for execute() here or in a worker. */
export async function prepare(options: KvmOptions): Promise<{ kvm: Kvm; vm: Vm; ramAt: number }> {
  const kvm = await Kvm.open(options);
  const vm = kvm.createVm({ memorySize: RAM_SIZE, maxVcpus: 1 });
  const ramAt = vm.allocate(RAM_SIZE);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: RAM_SIZE, userspaceAddr: ramAt });
  new Uint8Array(vm.memory, ramAt, RAM_SIZE).set(program(), CODE);
  return { kvm, vm, ramAt };
}

/** Opens a Kvm with these options and runs the program, or says why not. */
export async function runProgram(options: KvmOptions): Promise<GuestResult | Refusal> {
  try {
    const { kvm, vm, ramAt } = await prepare(options);
    return execute(vm, new Uint8Array(vm.memory, ramAt, RAM_SIZE), kvm.translationObstacle);
  } catch (error) {
    return refusal(error);
  }
}

/** Runs the program in a VM that another thread has prepared. */
export function runAttached(handle: VmHandle, ramAt: number): GuestResult | Refusal {
  try {
    const vm = Vm.attach(handle);
    return execute(vm, new Uint8Array(vm.memory, ramAt, RAM_SIZE), undefined);
  } catch (error) {
    return refusal(error);
  }
}

function refusal(error: unknown): Refusal {
  const { name, message } = error as Error;
  return { error: name, code: error instanceof KvmError ? error.code : undefined, message };
}

/** What a machine boots, and what is typed at each of its prompts. */
export interface Session {
  /** A kernel and an initrd by URL; the small guest without. */
  readonly linux?: { readonly kernel: string; readonly initrd: string; readonly commandLine: string };
  readonly mebibytes: number;
  readonly prompt: string;
  readonly commands: readonly string[];
}

/** What came of it. */
export interface SessionResult {
  readonly output: string;
  readonly end: string;
  /** Host time to the first prompt. */
  readonly bootMs: number;
  readonly counters: VcpuStats["counters"];
}

async function bootFiles(linux: Session["linux"]): Promise<BootFiles> {
  if (!linux) return { kernel: smallGuest(), kernelName: "small guest", commandLine: "" };
  const bytesOf = async (url: string) => new Uint8Array(await (await fetch(url)).arrayBuffer());
  const { kernel, initrd, commandLine } = linux;
  return { kernel: await bytesOf(kernel), kernelName: kernel, initrd: await bytesOf(initrd), commandLine };
}

/** A machine from power-up to where its guest ends it. */
export async function runMachine(options: KvmOptions, session: Session): Promise<SessionResult> {
  let output = "";
  let bootMs = 0;
  let type = (_text: string): void => {};
  const commands = [...session.commands];
  const boot = await bootFiles(session.linux);
  const kvm = await Kvm.open(options);
  const started = performance.now();
  const console: Chardev = {
    write(bytes) {
      for (const byte of bytes) output += String.fromCharCode(byte);
      if (!output.endsWith(session.prompt)) return;
      bootMs ||= performance.now() - started;
      setTimeout(type, 0, `${commands.shift()}\r`);
    },
    onInput(listener) {
      type = (text) => listener?.(new TextEncoder().encode(text));
    },
  };
  const machine = new Machine({ kvm, memoryBytes: session.mebibytes << 20, cpus: 1, serial: [console], boot });
  const { kind } = await machine.run();
  const { counters } = machine.vm.getStats();
  machine.close();
  return { output, end: kind, bootMs, counters };
}
