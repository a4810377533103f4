// What the tests of this folder share: a VM with some RAM and a vCPU in flat real mode.

import {
  type Accelerator,
  Kvm,
  type KvmSregs,
  type Vcpu,
  type VcpuExit,
  type Vm,
  type VmOptions,
} from "../../host/kvm/index.ts";

/** Which core the tests of this folder run on: `npm test` runs them on each. */
export const ACCELERATOR: Accelerator = process.env["WKVM_TEST_ACCEL"] === "ts" ? "ts" : "interp";

let opened: Promise<Kvm> | undefined;

/** The one Kvm of a test file. */
export function openKvm(): Promise<Kvm> {
  opened ??= Kvm.open({ accel: ACCELERATOR });
  return opened;
}

/** Guest physical address that programs are put at. */
export const CODE = 0x1000;
/** Bytes of RAM from guest physical address 0 on. */
export const RAM_SIZE = 0x10_0000;

/** A VM with RAM and a program, and its vCPU 0 about to execute the program. */
export interface Guest {
  readonly vm: Vm;
  readonly vcpu: Vcpu;
  /** RAM from guest physical address 0 on. */
  readonly ram: Uint8Array;
  /** Puts bytes at a guest physical address, as a device would. */
  load(at: number, bytes: ArrayLike<number>): void;
}

/** What a test may ask of makeGuest(). */
export interface GuestOptions extends Partial<VmOptions> {
  /** Called before the vCPU is made. */
  readonly beforeVcpu?: (vm: Vm) => void;
  /** "real": 16-bit, "protected": flat 32-bit, "long": 64-bit with the first GiB mapped. */
  readonly mode?: "real" | "protected" | "long";
}

/** Makes a guest that will execute `code` at CODE, with the stack below it and interrupts disabled. */
export async function makeGuest(code: ArrayLike<number>, options: GuestOptions = {}): Promise<Guest> {
  const { beforeVcpu, mode = "real", ...vmOptions } = options;
  const kvm = await openKvm();
  const vm = kvm.createVm({ memorySize: 4 << 20, maxVcpus: 2, ...vmOptions });
  const userspaceAddr = vm.allocate(RAM_SIZE);
  vm.setUserMemoryRegion({ slot: 0, flags: 0, guestPhysAddr: 0, memorySize: RAM_SIZE, userspaceAddr });
  const ram = new Uint8Array(vm.memory, userspaceAddr, RAM_SIZE);
  ram.set(code, CODE);
  beforeVcpu?.(vm);
  const vcpu = vm.createVcpu(0);
  enter(vcpu, ram, mode);
  const load = (at: number, bytes: ArrayLike<number>) => {
    ram.set(bytes, at);
    vm.memoryWritten(at, bytes.length);
  };
  return { vm, vcpu, ram, load };
}

/** Brings a vCPU into a mode, at CODE. */
export function enter(vcpu: Vcpu, ram: Uint8Array, mode: "real" | "protected" | "long", rip = CODE): void {
  const sregs = vcpu.getSregs();
  if (mode === "real") {
    sregs.cs.base = 0n;
    sregs.cs.selector = 0;
  } else {
    flat(sregs, mode === "long");
    sregs.cr0 |= 1n;
    if (mode === "long") enablePaging(sregs, ram);
  }
  vcpu.setSregs(sregs);
  vcpu.setRegs({ ...vcpu.getRegs(), rip, rsp: CODE, rflags: 2 });
}

/** Where the long-mode page tables lie: PML4, PDPT. */
export const PML4 = 0x8000;

function flat(sregs: KvmSregs, long: boolean): void {
  const segment = { base: 0n, limit: 0xffff_ffff, present: 1, dpl: 0, s: 1, g: 1, avl: 0, unusable: 0 };
  sregs.cs = { ...segment, selector: 8, type: 11, db: long ? 0 : 1, l: long ? 1 : 0 };
  for (const name of ["ds", "es", "fs", "gs", "ss"] as const) {
    sregs[name] = { ...segment, selector: 16, type: 3, db: 1, l: 0 };
  }
}

/** Long mode with one 1 GiB page mapped to itself. */
function enablePaging(sregs: KvmSregs, ram: Uint8Array): void {
  const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  view.setBigUint64(PML4, BigInt(PML4 + 0x1000) | 7n, true);
  view.setBigUint64(PML4 + 0x1000, 0x87n, true);
  sregs.cr3 = BigInt(PML4);
  sregs.cr4 |= 1n << 5n;
  sregs.cr0 |= 1n << 31n;
  sregs.efer |= (1n << 8n) | (1n << 10n);
}

/** Runs until an exit for which `until` holds; gives up after `most` exits. */
export function runUntil(vcpu: Vcpu, until: (exit: VcpuExit) => boolean, most = 1000): VcpuExit {
  for (let i = 0; i < most; i++) {
    const exit = vcpu.run({ maxNs: 2e9 });
    if (until(exit)) return exit;
  }
  throw new Error(`no such exit among ${most}`);
}
