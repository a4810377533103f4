// The state in which a boot protocol wants the first processor.
import type { KvmRegs } from "../kvm/registers.ts";
import type { KvmSegment, KvmSregs } from "../kvm/sregs.ts";
import type { BootImage, BootRegion } from "./types.ts";

/** Selectors that Linux's boot protocol asks for, in a table that the others do not mind. */
const CODE_SELECTOR = 0x10;
const DATA_SELECTOR = 0x18;
const TASK_SELECTOR = 0x20;

/** Behind the BIOS data area, in front of the traditional boot sector address. */
const GDT_AT = 0x500;
/** Six pages: the top two levels and four page directories of 2 MiB pages. */
const PAGE_TABLES_AT = 0x1000;
const PAGE = 4096;
const IDENTITY_GIB = 4;

// Descriptors: flat, accessed, ring 0.
const CODE32 = 0x00cf9b000000ffffn;
const CODE64 = 0x00af9b000000ffffn;
const DATA = 0x00cf93000000ffffn;
const TASK32_BUSY = 0x00008b0000000067n;

const CR0_PE = 0x1n;
const CR0_ET = 0x10n;
const CR0_PG = 0x80000000n;
const CR4_PAE = 0x20n;
const EFER_LME = 0x100n;
const EFER_LMA = 0x400n;
const PAGE_PRESENT_WRITABLE = 0x3n;
const PAGE_LARGE = 0x80n;
const RFLAGS_FIXED = 0x2n;

/** General registers at entry. */
export function startRegisters(image: BootImage): KvmRegs {
  const { rip, rax = 0, rbx = 0, rsi = 0 } = image.registers;
  return {
    rax: BigInt(rax),
    rbx: BigInt(rbx),
    rcx: 0n,
    rdx: 0n,
    rsi: BigInt(rsi),
    rdi: 0n,
    rsp: 0n,
    rbp: 0n,
    r8: 0n,
    r9: 0n,
    r10: 0n,
    r11: 0n,
    r12: 0n,
    r13: 0n,
    r14: 0n,
    r15: 0n,
    rip: BigInt(rip),
    rflags: RFLAGS_FIXED,
  };
}

/** Changes power-up system registers to what the image's mode needs. */
export function setStartSregs(sregs: KvmSregs, image: BootImage): void {
  const long = image.mode === "long";
  sregs.cs = segment(CODE_SELECTOR, { type: 11, s: 1, l: long ? 1 : 0, db: long ? 0 : 1 });
  for (const name of ["ds", "es", "fs", "gs", "ss"] as const) {
    sregs[name] = segment(DATA_SELECTOR, { type: 3, s: 1, l: 0, db: 1 });
  }
  sregs.tr = { ...segment(TASK_SELECTOR, { type: 11, s: 0, l: 0, db: 0 }), limit: 0x67, g: 0 };
  sregs.ldt = { ...segment(0, { type: 2, s: 0, l: 0, db: 0 }), limit: 0xffff, g: 0 };
  sregs.gdt = { base: BigInt(GDT_AT), limit: gdt(long).length - 1 };
  sregs.idt = { base: 0n, limit: 0 };
  sregs.cr0 = CR0_PE | CR0_ET | (long ? CR0_PG : 0n);
  sregs.cr3 = long ? BigInt(PAGE_TABLES_AT) : 0n;
  sregs.cr4 = long ? CR4_PAE : 0n;
  sregs.efer = long ? EFER_LME | EFER_LMA : 0n;
}

/** The tables in RAM that this state refers to. */
export function startTables(image: BootImage): BootRegion[] {
  const long = image.mode === "long";
  const table = gdt(long);
  const regions: BootRegion[] = [{ gpa: GDT_AT, data: table, memorySize: table.length }];
  if (long) {
    const pages = identityMap();
    regions.push({ gpa: PAGE_TABLES_AT, data: pages, memorySize: pages.length });
  }
  return regions;
}

function segment(selector: number, kind: { type: number; s: number; l: number; db: number }): KvmSegment {
  return { base: 0n, limit: 0xffffffff, selector, present: 1, dpl: 0, g: 1, avl: 0, unusable: 0, ...kind };
}

function gdt(long: boolean): Uint8Array {
  // In 64-bit mode the task descriptor takes two places; its upper half is zero.
  return words([0n, 0n, long ? CODE64 : CODE32, DATA, TASK32_BUSY, 0n]);
}

/** The first 4 GiB one to one. */
function identityMap(): Uint8Array {
  const entries = new Array<bigint>((PAGE / 8) * (2 + IDENTITY_GIB)).fill(0n);
  const perPage = PAGE / 8;
  const table = (page: number) => BigInt(PAGE_TABLES_AT + page * PAGE) | PAGE_PRESENT_WRITABLE;
  entries[0] = table(1);
  for (let gib = 0; gib < IDENTITY_GIB; gib++) {
    entries[perPage + gib] = table(2 + gib);
  }
  for (let i = 0; i < IDENTITY_GIB * perPage; i++) {
    entries[2 * perPage + i] = (BigInt(i) << 21n) | PAGE_PRESENT_WRITABLE | PAGE_LARGE;
  }
  return words(entries);
}

function words(values: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => {
    view.setBigUint64(index * 8, value, true);
  });
  return bytes;
}
