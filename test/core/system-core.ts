// The system part of the processor alone, compiled for tests: segments, far transfers, events, control
// registers and MSRs with the real MMU and interrupt chips under them, and a little machine around them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as L from "../../assembly/layout.ts";

const HARNESS = `
export { clearFault, fault, faultError, faultVector } from "./cpu";
export { lar, lsl, verr, verw } from "./execute/access-rights";
export { clts, lmsw, readCr, readDr, resetCpu, writeCr, writeDr, xgetbv, xsetbv } from "./execute/control";
export { cpuid, cpuidChanged } from "./execute/cpuid";
export { checkDataBreakpoint, checkInstructionBreakpoint, raiseDebugTraps, raiseSingleStep } from "./execute/debug";
export { callFar, interruptReturn, jumpFar, returnFar } from "./execute/far";
export { getFlags, setFlags } from "./execute/flags";
export { deliverException, deliverInterrupt, deliverNmi, int3, softInterrupt } from "./execute/interrupt";
export { hostReadMsr, hostWriteMsr, readMsr, writeMsr } from "./execute/msr";
export { ioAllowed } from "./execute/privilege";
export { linearChecked, loadLdt, loadSegment, loadTr } from "./execute/segments";
export { swapgs, syscall, sysenter, sysexit, sysret } from "./execute/syscall";
export { setSlot } from "./mmu/slots";
`;
/** Nothing is decoded here, so nothing has to be dropped. */
const TRACES = "export function codeWritten(host: usize, length: i32): void {}\n";

/** Compiles the system part in a folder of its own under the system's temporary folder. */
export function compileSystem(): Uint8Array<ArrayBuffer> {
  const folder = mkdtempSync(join(tmpdir(), "wkvm-system-"));
  try {
    const assembly = join(folder, "assembly");
    for (const name of ["execute", "irqchip", "mmu", "softfloat"]) {
      cpSync(`assembly/${name}`, join(assembly, name), { recursive: true });
    }
    for (const name of ["cpu", "exits", "features", "host", "layout"]) {
      cpSync(`assembly/${name}.ts`, join(assembly, `${name}.ts`));
    }
    mkdirSync(join(assembly, "decode"));
    writeFileSync(join(assembly, "decode/traces.ts"), TRACES);
    writeFileSync(join(assembly, "harness.ts"), HARNESS);
    const flags = ["--runtime", "stub", "-O3", "--importMemory", "--sharedMemory", "--initialMemory", "4096"];
    flags.push("--maximumMemory", "4096", "--enable", "simd", "--enable", "threads", "--enable", "bulk-memory");
    const asc = join(process.cwd(), "node_modules/assemblyscript/bin/asc.js");
    execFileSync(process.execPath, [asc, "assembly/harness.ts", ...flags, "-o", "system.wasm"], { cwd: folder });
    return new Uint8Array(readFileSync(join(folder, "system.wasm")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const RAM = 0x4000000;
export const RAM_SIZE = 16 << 20;

export const [ES, CS, SS, DS, FS, GS, LDTR, TR] = [0, 1, 2, 3, 4, 5, 6, 7];
export const [RAX, RCX, RDX, RSP, R11] = [0, 1, 2, 4, 11];

// Where the machine keeps its tables.
export const GDT = 0x1000;
export const IDT = 0x2000;
export const TSS = 0x3000;
export const LDT = 0x3800;
export const TSS2 = 0x9000;
export const TSS64 = 0xa000;
export const PML4 = 0x100000;

// Selectors of its GDT.
export const CODE0 = 8;
export const DATA0 = 16;
export const CODE3 = 24 + 3;
export const DATA3 = 32 + 3;
export const TSS_SELECTOR = 40;
export const CODE0_64 = 48;
export const LDT_SELECTOR = 56;
export const EXPAND_DOWN = 72;
export const ABSENT_DATA = 80;
export const EXECUTE_ONLY = 88;
export const CALL_GATE = 96 + 3;
export const TSS2_SELECTOR = 104;
export const TSS64_SELECTOR = 112;
export const CODE3_64 = 128 + 3;

const INTERRUPT_GATE = 0x8e;
export const TRAP_GATE = 0x8f;
export const USER_GATE = 0xee;
export const TASK_GATE = 0x85;

type Call = (...values: (number | bigint)[]) => number | bigint;

export class SystemMachine {
  readonly view: DataView;
  /** What the core reported through host.trace: kind, a, b, c. */
  readonly traced: [number, bigint, bigint, bigint][] = [];
  private readonly exports: Record<string, Call & { value: number }>;

  constructor(code: Uint8Array<ArrayBuffer>) {
    const memory = new WebAssembly.Memory({ initial: 4096, maximum: 4096, shared: true });
    const host = {
      nowNs: () => performance.now() * 1e6,
      wallNs: () => Date.now() * 1e6,
      randomU32: () => 4,
      doorbell: () => {},
      trace: (kind: number, a: bigint, b: bigint, c: bigint) => this.traced.push([kind, a, b, c]),
    };
    const module = new WebAssembly.Module(code);
    const instance = new WebAssembly.Instance(module, { env: { memory, abort: () => assert.fail("abort") }, host });
    this.exports = instance.exports as never;
    this.view = new DataView(memory.buffer);
    for (const [field, value] of [
      [L.VM_RAM_BASE, RAM],
      [L.VM_RAM_SIZE, RAM_SIZE],
      [L.VM_CODE_LINES, 0x3000000],
      [L.VM_DIRTY_PAGES, 0x3800000],
      [L.VM_VCPU_COUNT, 1],
      [L.VM_TSC_KHZ, 1000000],
      [L.VM_ICOUNT_SHIFT, -1],
    ] as const) {
      this.view.setInt32(field, value, true);
    }
    this.call("cpuidChanged");
    this.call("resetCpu", 0);
    assert.equal(this.call("setSlot", 0, 0, 0n, BigInt(RAM_SIZE), RAM), 0);
  }

  /** Calls a helper, whatever it comes to. */
  call(name: string, ...values: (number | bigint)[]): number | bigint {
    const found = this.exports[name];
    assert.ok(found, `${name} is exported`);
    return found(...values);
  }

  /** What the last call raised: "", "#13(18)" with the error code in hex, "#6", or "exit 8". */
  fault(): string {
    const kind = this.exports["fault"]!.value;
    const error = this.exports["faultError"]!.value;
    const vector = this.exports["faultVector"]!.value;
    this.call("clearFault");
    if (kind === 0) return "";
    if (kind === 2) return `exit ${this.cpu32(L.RUN_EXIT_REASON)}`;
    return error < 0 ? `#${vector}` : `#${vector}(${error.toString(16)})`;
  }

  /** Calls a helper that is to succeed. */
  run(name: string, ...values: (number | bigint)[]): number | bigint {
    const result = this.call(name, ...values);
    assert.equal(this.fault(), "", name);
    return result;
  }

  /** Calls a helper and says what it raised. */
  raises(name: string, ...values: (number | bigint)[]): string {
    this.call(name, ...values);
    return this.fault();
  }

  cpu32(field: number): number {
    return this.view.getUint32(L.VCPU_BASE + field, true);
  }
  setCpu32(field: number, value: number): void {
    this.view.setUint32(L.VCPU_BASE + field, value, true);
  }
  cpu(field: number): bigint {
    return this.view.getBigUint64(L.VCPU_BASE + field, true);
  }
  setCpu(field: number, value: bigint): void {
    this.view.setBigUint64(L.VCPU_BASE + field, value, true);
  }

  get rip(): bigint {
    return this.cpu(L.CPU_RIP);
  }
  set rip(value: bigint) {
    this.setCpu(L.CPU_RIP, value);
  }
  get sp(): number {
    return Number(this.reg(RSP!));
  }
  set sp(value: number) {
    this.setReg(RSP!, BigInt(value));
  }
  get cpl(): number {
    return this.cpu32(L.CPU_CPL);
  }
  get flags(): number {
    return Number(this.call("getFlags"));
  }
  set flags(value: number) {
    this.call("setFlags", value);
  }
  reg(index: number): bigint {
    return this.cpu(L.CPU_GPR + 8 * index);
  }
  setReg(index: number, value: bigint): void {
    this.setCpu(L.CPU_GPR + 8 * index, value);
  }
  selector(seg: number): number {
    return this.cpu32(L.CPU_SEG_SEL + 4 * seg);
  }
  rights(seg: number): number {
    return this.cpu32(L.CPU_SEG_ATTR + 4 * seg);
  }
  base(seg: number): bigint {
    return this.cpu(L.CPU_SEG_BASE + 8 * seg);
  }

  read8(gpa: number): number {
    return this.view.getUint8(RAM + gpa);
  }
  read16(gpa: number): number {
    return this.view.getUint16(RAM + gpa, true);
  }
  read32(gpa: number): number {
    return this.view.getUint32(RAM + gpa, true);
  }
  read64(gpa: number): bigint {
    return this.view.getBigUint64(RAM + gpa, true);
  }
  write8(gpa: number, value: number): void {
    this.view.setUint8(RAM + gpa, value);
  }
  write16(gpa: number, value: number): void {
    this.view.setUint16(RAM + gpa, value, true);
  }
  write32(gpa: number, ...values: number[]): void {
    for (const [i, value] of values.entries()) this.view.setUint32(RAM + gpa + 4 * i, value, true);
  }
  write64(gpa: number, ...values: (number | bigint)[]): void {
    for (const [i, value] of values.entries()) {
      this.view.setBigUint64(RAM + gpa + 8 * i, BigInt.asUintN(64, BigInt(value)), true);
    }
  }

  /** Writes a segment descriptor: access byte, and the G, D, L, AVL bits. */
  descriptor(selector: number, base: number, limit: number, access: number, flags: number): void {
    const at = GDT + (selector & 0xfff8);
    this.write32(at, (limit & 0xffff) | (base << 16));
    const high = ((base >>> 16) & 0xff) | (access << 8) | (limit & 0xf0000) | (flags << 20) | (base & 0xff000000);
    this.write32(at + 4, high);
  }

  /** Writes a 32-bit gate. */
  gate(at: number, selector: number, offset: number, access: number, count = 0): void {
    this.write32(at, (offset & 0xffff) | (selector << 16), (offset & 0xffff0000) | (access << 8) | count);
  }
  handler(vector: number, selector: number, offset: number, access = INTERRUPT_GATE): void {
    this.gate(IDT + vector * 8, selector, offset, access);
  }
  handler64(vector: number, selector: number, offset: number, access = INTERRUPT_GATE, ist = 0): void {
    this.gate(IDT + vector * 16, selector, offset, access, ist);
    this.write64(IDT + vector * 16 + 8, 0);
  }

  /** Writes the tables, and loads GDTR and IDTR. */
  tables(): void {
    this.descriptor(CODE0, 0, 0xfffff, 0x9a, 0xc);
    this.descriptor(DATA0, 0, 0xfffff, 0x92, 0xc);
    this.descriptor(CODE3, 0, 0xfffff, 0xfa, 0xc);
    this.descriptor(DATA3, 0, 0xfffff, 0xf2, 0xc);
    this.descriptor(TSS_SELECTOR, TSS, 0x2167, 0x89, 0);
    this.descriptor(CODE0_64, 0, 0xfffff, 0x9a, 0xa);
    this.descriptor(LDT_SELECTOR, LDT, 0xff, 0x82, 0);
    this.descriptor(EXPAND_DOWN, 0, 0xffff, 0x96, 0x4);
    this.descriptor(ABSENT_DATA, 0, 0xfffff, 0x12, 0xc);
    this.descriptor(EXECUTE_ONLY, 0, 0xfffff, 0x98, 0xc);
    this.gate(GDT + (CALL_GATE & 0xfff8), CODE0, 0x12345, 0xec, 2);
    this.descriptor(TSS2_SELECTOR, TSS2, 0x67, 0x89, 0);
    this.descriptor(TSS64_SELECTOR, TSS64, 0x67, 0x89, 0);
    this.write64(GDT + TSS64_SELECTOR + 8, 0);
    this.descriptor(CODE3_64, 0, 0xfffff, 0xfa, 0xa);
    this.setCpu(L.CPU_GDT_BASE, BigInt(GDT));
    this.setCpu32(L.CPU_GDT_LIMIT, 0xff);
    this.setCpu(L.CPU_IDT_BASE, BigInt(IDT));
    this.setCpu32(L.CPU_IDT_LIMIT, 0xfff);
  }

  /** To flat 32-bit code at level 0, with TSS and its ring 0 stack at 0x8000. */
  protectedMode(): void {
    this.tables();
    this.run("writeCr", 0, 0x11n);
    this.run("jumpFar", CODE0, 0x5000n, 4);
    for (const seg of [ES, SS, DS]) this.run("loadSegment", seg!, DATA0);
    this.run("loadTr", TSS_SELECTOR);
    this.write32(TSS + 4, 0x8000, DATA0);
    this.write16(TSS + 102, 0x68);
    for (const vector of [6, 8, 13, 14]) this.handler(vector, CODE0, vector << 8);
    this.sp = 0x7000;
  }

  /** Executes IRETD with these values on the stack: EIP, CS, EFLAGS, and ESP, SS, ... where levels change. */
  iret(...frame: number[]): void {
    this.sp = 0x7000 - 4 * frame.length;
    this.write32(this.sp, ...frame);
    this.call("interruptReturn", 4);
  }

  /** To flat 32-bit code at level 3. */
  userMode(flags = 0x202): void {
    this.protectedMode();
    this.iret(0x6000, CODE3, flags, 0xa000, DATA3);
    assert.equal(this.fault(), "");
  }

  /** Identity paging of the first 16 MiB with 2 MiB pages that level 3 may use, and compatibility mode at level 0. */
  compatibilityMode(): void {
    this.protectedMode();
    this.write64(PML4, PML4 + 0x1007);
    this.write64(PML4 + 0x1000, PML4 + 0x2007);
    for (let i = 0; i < 8; i++) this.write64(PML4 + 0x2000 + i * 8, i * 0x200000 + 0x87);
    this.run("writeMsr", 0xc0000080, 0x100n);
    this.run("writeCr", 3, BigInt(PML4));
    this.run("writeCr", 4, 0x20n);
    this.run("writeCr", 0, 0x80000011n);
  }

  /** To 64-bit code at level 0 with a null SS, a TSS with RSP0 0xb008 and IST1 0xc000. */
  longMode(): void {
    this.compatibilityMode();
    this.run("jumpFar", CODE0_64, 0x6000n, 4);
    this.run("loadTr", TSS64_SELECTOR);
    this.run("loadSegment", SS!, 0);
    this.write64(TSS64 + 4, 0xb008);
    this.write64(TSS64 + 36, 0xc000);
    for (const vector of [1, 13, 14]) this.handler64(vector, CODE0_64, 0x100000 + vector);
    this.write64(IDT + 8 * 16, 0, 0);
    this.sp = 0x7000;
  }

  /** Executes IRETQ with these values on the stack: RIP, CS, RFLAGS, RSP, SS. */
  iretq(...frame: (number | bigint)[]): void {
    this.sp = 0x7000 - 40;
    this.write64(this.sp, ...frame);
    this.call("interruptReturn", 8);
  }
}
