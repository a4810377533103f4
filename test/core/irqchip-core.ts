// The interrupt chips alone, compiled for tests: real sources, flat RAM instead of the MMU, a clock
// that stands still until a test moves it, and two vCPU areas.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as I from "../../assembly/irqchip/layout.ts";
import * as L from "../../assembly/layout.ts";

const RAM = 0x3000000;
const RAM_SIZE = 0x10000;

// The harness is AssemblyScript, which the type checker of the tests does not read.
const HARNESS = `
import { clearFault, fault, selectCpu } from "./cpu";
import { vcpuAt } from "./irqchip/wake";
export * from "./irqchip/index";
export function select(index: i32): void {
  selectCpu(vcpuAt(index));
}
export function takeFault(): i32 {
  const pending = fault;
  clearFault();
  return pending;
}
`;
const PHYSICAL = `
export function physRead(gpa: u64, size: i32): u64 {
  if (gpa + size > ${RAM_SIZE}) return u64.MAX_VALUE;
  const host = <usize>gpa + ${RAM};
  return size == 1 ? load<u8>(host) : size == 4 ? load<u32>(host) : load<u64>(host);
}
export function physWrite(gpa: u64, value: u64, size: i32): bool {
  if (gpa + size > ${RAM_SIZE}) return false;
  const host = <usize>gpa + ${RAM};
  if (size == 1) store<u8>(host, <u8>value);
  else if (size == 4) store<u32>(host, <u32>value);
  else store<u64>(host, value);
  return true;
}
`;

/** Compiles the chips in a folder of its own under the system's temporary folder. */
function compileChips(): Uint8Array<ArrayBuffer> {
  const root = process.env.WKVM_ROOT ?? process.cwd();
  const folder = mkdtempSync(join(tmpdir(), "wkvm-irqchip-"));
  try {
    mkdirSync(join(folder, "mmu"));
    for (const name of ["cpu.ts", "exits.ts", "features.ts", "host.ts", "layout.ts", "irqchip", "mmu/state.ts"]) {
      cpSync(join(root, "assembly", name), join(folder, name), { recursive: true });
    }
    writeFileSync(join(folder, "harness.ts"), HARNESS);
    writeFileSync(join(folder, "mmu/physical.ts"), PHYSICAL);
    const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
    const options = "--runtime stub -O1 --importMemory --sharedMemory --initialMemory 1024 --maximumMemory 1024";
    const features = "--enable simd --enable threads --enable bulk-memory";
    const args = [asc, "harness.ts", ...`${options} ${features}`.split(" "), "-o", "chips.wasm"];
    execFileSync(process.execPath, args, { cwd: folder });
    return new Uint8Array(readFileSync(join(folder, "chips.wasm")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

let compiled: WebAssembly.Module | undefined;

type Call = (...values: (number | bigint)[]) => number & bigint;

export const LAPIC = 0xfee00000;
export const IOAPIC = 0xfec00000;
/** TSC rate of the machine: 2.5 GHz. */
export const TSC_KHZ = 2_500_000;
export const MSR_X2APIC = 0x800;

export class Chips {
  readonly memory = new WebAssembly.Memory({ initial: 1024, maximum: 1024, shared: true });
  readonly view = new DataView(this.memory.buffer);
  readonly call: Record<string, Call>;
  /** Host time in ns. */
  now = 1_000_000;
  wall = 1_700_000_000e9;
  readonly doorbells: number[] = [];

  /** A machine with two vCPUs and, unless told otherwise, an irqchip with a PIT. */
  constructor(options: { irqchip?: boolean; icountShift?: number } = {}) {
    compiled ??= new WebAssembly.Module(compileChips());
    const host = {
      nowNs: () => this.now,
      wallNs: () => this.wall,
      randomU32: () => 0,
      doorbell: (index: number) => this.doorbells.push(index),
      trace() {},
    };
    const imports = { env: { memory: this.memory, abort: () => assert.fail("the core aborted") }, host };
    this.call = new WebAssembly.Instance(compiled, imports).exports as unknown as Record<string, Call>;
    this.view.setUint32(L.VM_VCPU_COUNT, 2, true);
    this.view.setUint32(L.VM_TSC_KHZ, TSC_KHZ, true);
    this.view.setInt32(L.VM_ICOUNT_SHIFT, options.icountShift ?? -1, true);
    if (options.irqchip === false) return;
    assert.equal(this.call["createIrqchip"]!(), 0);
    assert.equal(this.call["createPit"]!(1), 0);
    for (const index of [1, 0]) {
      this.view.setUint32(this.vcpu(index) + L.CPU_INDEX, index, true);
      // CPUID offers x2APIC (bit 21) and TSC-deadline (bit 24).
      this.view.setUint32(this.vcpu(index) + L.CPU_FEATURES, (1 << 21) | (1 << 24), true);
      this.select(index);
      this.call["lapicReset"]!(0);
    }
  }

  vcpu(index: number): number {
    return L.VCPU_BASE + index * L.VCPU_SIZE;
  }

  select(index: number): void {
    this.call["select"]!(index);
  }

  out(port: number, ...values: number[]): void {
    for (const value of values) assert.equal(this.call["chipPortWrite"]!(port, value, 1), 1, "the port is the core's");
  }

  in(port: number): number {
    return Number(this.call["chipPortRead"]!(port, 1));
  }

  /** Writes a register of the bound vCPU's APIC page. */
  apicWrite(offset: number, value: number): void {
    assert.equal(this.call["chipMmioWrite"]!(BigInt(LAPIC + offset), BigInt(value >>> 0), 4), 1);
  }

  apicRead(offset: number): number {
    return Number(this.call["chipMmioRead"]!(BigInt(LAPIC + offset), 4));
  }

  ioapicWrite(register: number, value: number): void {
    this.call["chipMmioWrite"]!(BigInt(IOAPIC), BigInt(register), 4);
    this.call["chipMmioWrite"]!(BigInt(IOAPIC + 0x10), BigInt(value >>> 0), 4);
  }

  ioapicRead(register: number): number {
    this.call["chipMmioWrite"]!(BigInt(IOAPIC), BigInt(register), 4);
    return Number(this.call["chipMmioRead"]!(BigInt(IOAPIC + 0x10), 4));
  }

  /** Programs a redirection entry. */
  redirect(pin: number, low: number, destination = 0): void {
    this.ioapicWrite(0x11 + 2 * pin, destination << 24);
    this.ioapicWrite(0x10 + 2 * pin, low);
  }

  /** Enables the bound vCPU's APIC by software. */
  enableApic(): void {
    this.apicWrite(0xf0, 0x1ff);
  }

  /** Takes the interrupt that is ready on the bound vCPU: its vector, or -1. */
  take(): number {
    return this.call["interruptReady"]!() ? this.call["interruptAcknowledge"]!() : -1;
  }

  line(gsi: number, level: number): number {
    return this.call["irqLine"]!(gsi, level);
  }

  /** Moves time forward and runs the bound vCPU's timers. */
  pass(ns: number): void {
    this.now += ns;
    this.call["runTimers"]!();
  }

  /** Writes an MSR by one of the core's functions; whether it raised #GP. */
  faults(name: string, ...values: (number | bigint)[]): boolean {
    this.call[name]!(...values);
    return this.call["takeFault"]!() === 1;
  }

  /** The requests of a vCPU (REQ_*), which are taken. */
  takeRequests(index: number): number {
    const at = this.vcpu(index) + L.CPU_FUEL + 4;
    const requests = this.view.getUint32(at, true);
    this.view.setUint32(at, 0, true);
    return requests;
  }

  /** Offset in linear memory of guest RAM's byte `gpa`. */
  ram(gpa: number): number {
    return RAM + gpa;
  }

  /** Initialises the 8259 pair as PCs do: vectors 0x20 and 0x28, nothing masked. */
  initPics(icw4 = 1): void {
    this.out(0x20, 0x11);
    this.out(0x21, 0x20, 0x04, icw4);
    this.out(0xa0, 0x11);
    this.out(0xa1, 0x28, 0x02, icw4);
  }
}

export { I, L };
