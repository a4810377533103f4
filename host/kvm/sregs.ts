// KVM_GET_SREGS, KVM_SET_SREGS: struct kvm_sregs.

import {
  CPU_APIC_BASE,
  CPU_CR0,
  CPU_CR2,
  CPU_CR3,
  CPU_CR4,
  CPU_EFER,
  CPU_GDT_BASE,
  CPU_GDT_LIMIT,
  CPU_IDT_BASE,
  CPU_IDT_LIMIT,
  CPU_INTERRUPT_PENDING,
  CPU_INTERRUPT_SOFT,
  CPU_INTERRUPT_VECTOR,
  CPU_SEG_ATTR,
  CPU_SEG_BASE,
  CPU_SEG_LIMIT,
  CPU_SEG_SEL,
  VM_CHIPS,
} from "../../assembly/layout.ts";
import { check, ERRNO, KvmError, toU64 } from "./errors.ts";
import { writeMsr } from "./msrs.ts";
import { isCanonical } from "./registers.ts";
import type { VcpuState } from "./vcpu-state.ts";

/** struct kvm_segment: a segment register with its hidden part. `limit` counts bytes, granularity applied. */
export interface KvmSegment {
  base: bigint;
  /** u32. */
  limit: number;
  /** u16. */
  selector: number;
  /** 0..15: bits 0-3 of the descriptor's access byte. */
  type: number;
  present: number;
  /** 0..3. */
  dpl: number;
  db: number;
  s: number;
  l: number;
  g: number;
  avl: number;
  /** 1: loaded with a null selector. */
  unusable: number;
}

/** struct kvm_dtable. */
export interface KvmDtable {
  base: bigint;
  /** u16. */
  limit: number;
}

/** struct kvm_sregs. */
export interface KvmSregs {
  cs: KvmSegment;
  ds: KvmSegment;
  es: KvmSegment;
  fs: KvmSegment;
  gs: KvmSegment;
  ss: KvmSegment;
  tr: KvmSegment;
  ldt: KvmSegment;
  gdt: KvmDtable;
  idt: KvmDtable;
  cr0: bigint;
  cr2: bigint;
  cr3: bigint;
  cr4: bigint;
  /** 0..15. */
  cr8: bigint;
  efer: bigint;
  apicBase: bigint;
  /** 256 bits: at most one, the external interrupt that waits for injection. */
  interruptBitmap: [bigint, bigint, bigint, bigint];
}

/** In the order of CPU_SEG_*. */
const SEGMENTS = ["es", "cs", "ss", "ds", "fs", "gs", "ldt", "tr"] as const satisfies readonly (keyof KvmSregs)[];
const ATTR_UNUSABLE = 1 << 16;

const MSR_APIC_BASE = 0x1b;
const CR0_PE = 1n;
const CR0_NW = 1n << 29n;
const CR0_CD = 1n << 30n;
const CR0_PG = 1n << 31n;
const CR4_PAE = 1n << 5n;
const EFER_LME = 1n << 8n;
const EFER_LMA = 1n << 10n;
/** PE, MP, EM, TS, ET, NE, WP, AM, NW, CD, PG (SDM volume 3, 2.5). */
const CR0_DEFINED = 0xe005_003fn;
/** IA32_APIC_BASE: base from bit 12 on, enable 11, x2APIC 10, bootstrap 8 (SDM volume 3, 11.4.4). */
const APIC_BASE_FLAGS = 0xd00n;

/** Reads struct kvm_sregs. */
export function readSregs(state: VcpuState): KvmSregs {
  const segments = SEGMENTS.map((_, number) => readSegment(state, number));
  const [es, cs, ss, ds, fs, gs, ldt, tr] = segments as [
    KvmSegment,
    KvmSegment,
    KvmSegment,
    KvmSegment,
    KvmSegment,
    KvmSegment,
    KvmSegment,
    KvmSegment,
  ];
  return {
    cs,
    ds,
    es,
    fs,
    gs,
    ss,
    tr,
    ldt,
    gdt: { base: state.u64(CPU_GDT_BASE), limit: state.u32(CPU_GDT_LIMIT) & 0xffff },
    idt: { base: state.u64(CPU_IDT_BASE), limit: state.u32(CPU_IDT_LIMIT) & 0xffff },
    cr0: state.u64(CPU_CR0),
    cr2: state.u64(CPU_CR2),
    cr3: state.u64(CPU_CR3),
    cr4: state.u64(CPU_CR4),
    cr8: BigInt.asUintN(64, state.core.getTpr()),
    efer: state.u64(CPU_EFER),
    apicBase: state.u64(CPU_APIC_BASE),
    interruptBitmap: readBitmap(state),
  };
}

/**
 * Writes struct kvm_sregs. Throws EINVAL, with nothing changed, for what no processor can hold: reserved bits of
 * CR0, CR4, EFER, APIC base; paging without protection; long mode without PAE; bases that are not canonical.
 */
export function writeSregs(state: VcpuState, sregs: KvmSregs): void {
  validate(sregs);
  const before = state.copy(0, CPU_IDT_LIMIT + 4);
  const interrupt = bitmapVector(sregs.interruptBitmap);
  SEGMENTS.forEach((name, number) => {
    writeSegment(state, number, sregs[name]);
  });
  state.setU64(CPU_GDT_BASE, toU64(sregs.gdt.base, "gdt.base"));
  state.setU32(CPU_GDT_LIMIT, sregs.gdt.limit & 0xffff);
  state.setU64(CPU_IDT_BASE, toU64(sregs.idt.base, "idt.base"));
  state.setU32(CPU_IDT_LIMIT, sregs.idt.limit & 0xffff);
  state.setU64(CPU_CR0, toU64(sregs.cr0, "cr0"));
  state.setU64(CPU_CR2, toU64(sregs.cr2, "cr2"));
  state.setU64(CPU_CR3, toU64(sregs.cr3, "cr3"));
  state.setU64(CPU_CR4, toU64(sregs.cr4, "cr4"));
  state.setU64(CPU_EFER, toU64(sregs.efer, "efer"));
  let result = state.core.commitSregs();
  // A change of the APIC's mode has effects on the APIC, so it goes the way of the MSR.
  if (result >= 0 && !writeMsr(state, MSR_APIC_BASE, toU64(sregs.apicBase, "apicBase"))) result = -ERRNO.EINVAL;
  if (result < 0) {
    restore(state, before);
    check(state.core.commitSregs(), "the system registers that were there cannot be put back");
    check(result, "these system registers describe no state of a processor");
  }
  state.core.setTpr(toU64(sregs.cr8, "cr8"));
  if (interrupt >= 0) {
    state.setU32(CPU_INTERRUPT_PENDING, 1);
    state.setU32(CPU_INTERRUPT_VECTOR, interrupt);
    state.setU32(CPU_INTERRUPT_SOFT, 0);
  }
  state.changed();
}

/** Puts back the registers that writeSregs has written, and only those: the request word is other threads' too. */
function restore(state: VcpuState, before: Uint8Array): void {
  const ranges: [number, number][] = [
    [CPU_SEG_BASE, CPU_SEG_SEL + 32],
    [CPU_CR0, CPU_CR4 + 8],
    [CPU_EFER, CPU_EFER + 8],
    [CPU_GDT_BASE, CPU_IDT_LIMIT + 4],
  ];
  for (const [from, to] of ranges) state.put(from, before.subarray(from, to));
}

function readSegment(state: VcpuState, number: number): KvmSegment {
  const selector = state.u32(CPU_SEG_SEL + 4 * number) & 0xffff;
  const base = state.u64(CPU_SEG_BASE + 8 * number);
  return segmentWithRights(selector, state.u32(CPU_SEG_ATTR + 4 * number), base, state.u32(CPU_SEG_LIMIT + 4 * number));
}

/** A segment register by its access rights in the format that VMX has for them (SDM volume 3, guest register state). */
export function segmentWithRights(selector: number, attr: number, base = 0n, limit = 0xffff_ffff): KvmSegment {
  return {
    base,
    limit,
    selector,
    type: attr & 15,
    present: (attr >> 7) & 1,
    dpl: (attr >> 5) & 3,
    db: (attr >> 14) & 1,
    s: (attr >> 4) & 1,
    l: (attr >> 13) & 1,
    g: (attr >> 15) & 1,
    avl: (attr >> 12) & 1,
    unusable: attr & ATTR_UNUSABLE ? 1 : 0,
  };
}

function writeSegment(state: VcpuState, number: number, segment: KvmSegment): void {
  let attr = segment.type | (segment.s << 4) | (segment.dpl << 5) | (segment.present << 7);
  attr |= (segment.avl << 12) | (segment.l << 13) | (segment.db << 14) | (segment.g << 15);
  // KVM takes a segment that is not present for one that cannot be used, too.
  if (segment.unusable || !segment.present) attr |= ATTR_UNUSABLE;
  state.setU64(CPU_SEG_BASE + 8 * number, toU64(segment.base, "base"));
  state.setU32(CPU_SEG_LIMIT + 4 * number, segment.limit);
  state.setU32(CPU_SEG_ATTR + 4 * number, attr);
  state.setU32(CPU_SEG_SEL + 4 * number, segment.selector);
}

function readBitmap(state: VcpuState): [bigint, bigint, bigint, bigint] {
  const bitmap: [bigint, bigint, bigint, bigint] = [0n, 0n, 0n, 0n];
  if (state.u32(CPU_INTERRUPT_PENDING) && !state.u32(CPU_INTERRUPT_SOFT)) {
    const vector = state.u32(CPU_INTERRUPT_VECTOR) & 255;
    bitmap[(vector >> 6) as 0 | 1 | 2 | 3] = 1n << BigInt(vector & 63);
  }
  return bitmap;
}

function bitmapVector(bitmap: readonly bigint[]): number {
  for (let word = 0; word < 4; word++) {
    const bits = bitmap[word] ?? 0n;
    for (let bit = 0; bit < 64; bit++) if ((bits >> BigInt(bit)) & 1n) return word * 64 + bit;
  }
  return -1;
}

function validate(sregs: KvmSregs): void {
  const cr0 = toU64(sregs.cr0, "cr0");
  const cr4 = toU64(sregs.cr4, "cr4");
  const efer = toU64(sregs.efer, "efer");
  const apicBase = toU64(sregs.apicBase, "apicBase");
  if (cr0 & ~CR0_DEFINED) invalid("CR0 has reserved bits set", cr0);
  if (cr0 & CR0_PG && !(cr0 & CR0_PE)) invalid("CR0.PG needs CR0.PE", cr0);
  if (cr0 & CR0_NW && !(cr0 & CR0_CD)) invalid("CR0.NW needs CR0.CD", cr0);
  if (cr0 & CR0_PG && efer & EFER_LME) {
    if (!(cr4 & CR4_PAE)) invalid("long mode needs CR4.PAE", cr4);
    if (!(efer & EFER_LMA)) invalid("paging with EFER.LME needs EFER.LMA", efer);
  } else {
    if (efer & EFER_LMA) invalid("EFER.LMA needs EFER.LME and CR0.PG", efer);
    if (sregs.cs.l && sregs.cs.present) invalid("a 64-bit code segment needs EFER.LMA", efer);
  }
  if (toU64(sregs.cr8, "cr8") > 15n) invalid("CR8 has reserved bits set", sregs.cr8);
  if (apicBase & 0xfffn & ~APIC_BASE_FLAGS) invalid("the APIC base has reserved bits set", apicBase);
  for (const name of SEGMENTS) validateSegment(sregs[name], name);
  for (const name of ["gdt", "idt"] as const) {
    if (!isCanonical(toU64(sregs[name].base, `${name}.base`)))
      invalid(`${name}.base is not canonical`, sregs[name].base);
    range(sregs[name].limit, 0xffff, `${name}.limit`);
  }
}

function validateSegment(segment: KvmSegment, name: string): void {
  if (!isCanonical(toU64(segment.base, `${name}.base`))) invalid(`${name}.base is not canonical`, segment.base);
  range(segment.limit, 0xffff_ffff, `${name}.limit`);
  range(segment.selector, 0xffff, `${name}.selector`);
  range(segment.type, 15, `${name}.type`);
  range(segment.dpl, 3, `${name}.dpl`);
  for (const flag of ["present", "db", "s", "l", "g", "avl", "unusable"] as const) {
    range(segment[flag], 1, `${name}.${flag}`);
  }
}

function range(value: number, most: number, what: string): void {
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw new KvmError("EINVAL", `${what} must be an integer from 0 to ${most}: ${value}`);
  }
}

function invalid(what: string, value: bigint): never {
  throw new KvmError("EINVAL", `${what}: 0x${value.toString(16)}`);
}

/** True where a local APIC lies in the core, which then owns injection. */
export function hasLapic(state: VcpuState): boolean {
  return (state.memory.u32(VM_CHIPS) & 5) !== 0;
}
