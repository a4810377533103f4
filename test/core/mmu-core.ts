// The MMU alone, compiled for tests: real sources, with stand-ins for the interrupt chips and the
// decoder, and a little machine around them: RAM, page tables, registers.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as L from "../../assembly/layout.ts";

// The harness is AssemblyScript, which the type checker of the tests does not read.
const HARNESS = `
export * from "./mmu/index";
export { clearFault, fault, faultError, faultNonCanonical, faultVector } from "./cpu";
export { codeWrites, codeHost, codeLength } from "./decode/traces";
export { slices } from "./execute/request";
`;
const TRACES = `
export let codeWrites: i32 = 0;
export let codeHost: usize = 0;
export let codeLength: i32 = 0;
export function codeWritten(host: usize, length: i32): void {
  codeWrites++;
  codeHost = host;
  codeLength = length;
}
`;
/** One data breakpoint: 4 bytes at linear 0x8010 while DR7 has an enable bit. */
const DEBUG = `
export function watchesPage(page: u64): bool {
  return page == 0x8000;
}
export function checkDataBreakpoint(va: u64, size: i32, write: bool): bool {
  return va < 0x8014 && va + size > 0x8010;
}
`;
const REQUEST = `
export let slices: i32 = 0;
export function requestSlice(): void {
  slices++;
}
`;
/** One chip register of 4 bytes at 0xfee00000. */
const CHIPS = `
let register: u64 = 0;
export function chipMmioRead(gpa: u64, size: i32): i64 {
  return gpa == 0xfee00000 ? <i64>register : -1;
}
export function chipMmioWrite(gpa: u64, value: u64, size: i32): bool {
  if (gpa != 0xfee00000) return false;
  register = value & 0xffffffff;
  return true;
}
`;

/** Compiles the MMU in a folder of its own under the system's temporary folder. */
export function compileMmu(): Uint8Array<ArrayBuffer> {
  const folder = mkdtempSync(join(tmpdir(), "wkvm-mmu-"));
  try {
    const assembly = join(folder, "assembly");
    cpSync("assembly/mmu", join(assembly, "mmu"), { recursive: true });
    for (const name of ["cpu", "exits", "host", "layout"]) cpSync(`assembly/${name}.ts`, join(assembly, `${name}.ts`));
    const standIns: [string, string][] = [
      ["decode/traces.ts", TRACES],
      ["execute/debug.ts", DEBUG],
      ["execute/request.ts", REQUEST],
      ["irqchip/index.ts", CHIPS],
      ["harness.ts", HARNESS],
    ];
    for (const [path, text] of standIns) {
      mkdirSync(join(assembly, path, ".."), { recursive: true });
      writeFileSync(join(assembly, path), text);
    }
    const flags = ["--runtime", "stub", "-O3", "--importMemory", "--sharedMemory", "--initialMemory", "4096"];
    flags.push("--maximumMemory", "4096", "--enable", "simd", "--enable", "threads", "--enable", "bulk-memory");
    const asc = join(process.cwd(), "node_modules/assemblyscript/bin/asc.js");
    execFileSync(process.execPath, [asc, "assembly/harness.ts", ...flags, "-o", "mmu.wasm"], { cwd: folder });
    return new Uint8Array(readFileSync(join(folder, "mmu.wasm")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Call = (...values: (number | bigint)[]) => number | bigint;

/** What an access came to: a value, a fault "#14 err 2 cr2 0x1000", or an exit "exit 6". */
export type Outcome = bigint | string;

export const RAM = 0x4000000;
export const RAM_SIZE = 64 << 20;
const CODE_LINES = 0x3000000;
const DIRTY = 0x3800000;
export const SCRATCH = 0x3c00000;

export const P = 1n;
export const W = 2n;
export const U = 4n;
export const A = 0x20n;
export const D = 0x40n;
export const PS = 0x80n;
export const G = 0x100n;
export const NX = 1n << 63n;

export const CR0_PE = 1n;
export const CR0_WP = 1n << 16n;
export const CR0_PG = 1n << 31n;
export const CR4_PSE = 1n << 4n;
export const CR4_PAE = 1n << 5n;
export const CR4_PGE = 1n << 7n;
export const CR4_PCIDE = 1n << 17n;
export const CR4_SMEP = 1n << 20n;
export const CR4_SMAP = 1n << 21n;
export const CR4_PKE = 1n << 22n;
export const CR4_PKS = 1n << 24n;
export const EFER_LONG = 0xd01n;
export const EFER_LONG_NO_NX = 0x501n;

export class MmuMachine {
  readonly view: DataView;
  readonly exports: Record<string, Call & { value: number }>;
  readonly rung: number[] = [];

  constructor(code: Uint8Array<ArrayBuffer>) {
    const memory = new WebAssembly.Memory({ initial: 4096, maximum: 4096, shared: true });
    const host = { trace: () => {}, doorbell: (index: number) => this.rung.push(index) };
    const module = new WebAssembly.Module(code);
    const instance = new WebAssembly.Instance(module, { env: { memory, abort: () => assert.fail("abort") }, host });
    this.exports = instance.exports as never;
    this.view = new DataView(memory.buffer);
    this.set32(L.VM_RAM_BASE, RAM);
    this.set32(L.VM_RAM_SIZE, RAM_SIZE);
    this.set32(L.VM_CODE_LINES, CODE_LINES);
    this.set32(L.VM_DIRTY_PAGES, DIRTY);
    this.set32(L.VM_VCPU_COUNT, 1);
    this.setCpu(L.CPU_CR0, CR0_PE);
    this.call("mmuReset");
    assert.equal(this.call("setSlot", 0, 0, 0n, BigInt(RAM_SIZE), RAM), 0);
  }

  call(name: string, ...values: (number | bigint)[]): number | bigint {
    const found = this.exports[name];
    assert.ok(found, `${name} is exported`);
    return found(...values);
  }

  set32(address: number, value: number): void {
    this.view.setUint32(address, value, true);
  }

  setCpu(field: number, value: bigint): void {
    this.view.setBigUint64(L.VCPU_BASE + field, value, true);
  }

  cpu(field: number): bigint {
    return this.view.getBigUint64(L.VCPU_BASE + field, true);
  }

  cpu32(field: number): number {
    return this.view.getUint32(L.VCPU_BASE + field, true);
  }

  stat(index: number): bigint {
    return this.cpu(L.CPU_STATS + 8 * index);
  }

  /** Stores a 64-bit word at a guest physical address. */
  put(gpa: number, value: bigint): void {
    this.view.setBigUint64(RAM + gpa, value, true);
  }

  put32(gpa: number, value: bigint): void {
    this.view.setUint32(RAM + gpa, Number(value), true);
  }

  get(gpa: number): bigint {
    return this.view.getBigUint64(RAM + gpa, true);
  }

  get32(gpa: number): bigint {
    return BigInt(this.view.getUint32(RAM + gpa, true));
  }

  /** Sets the paging registers and empties the TLB, as after KVM_SET_SREGS. Returns mmuReset()'s answer. */
  registers(cr0: bigint, cr3: bigint, cr4: bigint, efer: bigint): boolean {
    this.setCpu(L.CPU_CR0, cr0);
    this.setCpu(L.CPU_CR3, cr3);
    this.setCpu(L.CPU_CR4, cr4);
    this.setCpu(L.CPU_EFER, efer);
    this.set32(L.VCPU_BASE + L.CPU_MODE, efer & 0x400n ? L.MODE_LONG | L.MODE_CODE64 : L.MODE_CODE32);
    return this.call("mmuReset") !== 0;
  }

  privilege(cpl: number, ac = false): void {
    this.set32(L.VCPU_BASE + L.CPU_CPL, cpl);
    this.set32(L.VCPU_BASE + L.CPU_EFLAGS, ac ? 0x40002 : 2);
    this.call("updateAccessClass");
  }

  /** 4-level tables at 0x1000..0x4000 whose last one maps 512 pages at linear 0; all levels grant everything. */
  longMode(cr4 = 0n, cr0 = 0n, efer = EFER_LONG): void {
    this.put(0x1000, 0x2000n | P | W | U);
    this.put(0x2000, 0x3000n | P | W | U);
    this.put(0x3000, 0x4000n | P | W | U);
    this.registers(CR0_PE | CR0_PG | cr0, 0x1000n, CR4_PAE | cr4, efer);
  }

  /** Entry for linear page `page` (0 to 511) in longMode()'s last table. */
  map(page: number, entry: bigint): void {
    this.put(0x4000 + 8 * page, entry);
  }

  read(va: bigint, size = 4): Outcome {
    return this.outcome(this.call("readMem", va, size) as bigint);
  }

  write(va: bigint, value: bigint, size = 4): Outcome {
    return this.outcome(BigInt(this.call("writeMem", va, value, size)));
  }

  /** Reads as a read-modify-write instruction does. */
  modify(va: bigint, size = 4): Outcome {
    return this.outcome(this.call("rmwReadSlow", va, size) as bigint);
  }

  systemRead(va: bigint, size = 4): Outcome {
    return this.outcome(this.call("sysRead", va, size) as bigint);
  }

  /** The guest physical address that a fetch at `va` reaches. */
  fetch(va: bigint): Outcome {
    this.call("fetchTranslate", va);
    return this.outcome((this.exports["fetchGpa"] as unknown as { value: bigint }).value);
  }

  global(name: string): number {
    return (this.exports[name] as { value: number }).value;
  }

  outcome(value: bigint): Outcome {
    const fault = this.global("fault");
    if (!fault) return BigInt.asUintN(64, value);
    this.call("clearFault");
    if (fault === 2) return `exit ${this.cpu32(L.RUN_EXIT_REASON)}`;
    const vector = this.global("faultVector");
    const cr2 = vector === 14 ? ` cr2 0x${this.cpu(L.CPU_CR2).toString(16)}` : "";
    return `#${vector} err ${this.global("faultError")}${cr2}`;
  }
}
