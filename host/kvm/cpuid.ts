// The CPUID leaves of a processor model, for setCpuid2 (SDM volume 2, CPUID; AMD APM volume 3, appendix E;
// Linux Documentation/virt/kvm/x86/cpuid.rst).

import * as feature from "../../assembly/features.ts";
import { FEATURE_REGISTERS, featureWords } from "./cpu-features.ts";
import { type CpuModel, DEFAULT_CPU_MODEL, parseCpuModel } from "./cpu-models.ts";
import { KVM_CPUID_FLAG_SIGNIFCANT_INDEX, type KvmCpuidEntry } from "./cpuid-table.ts";
import { checkInteger } from "./errors.ts";
import { DEFAULT_TSC_KHZ } from "./memory.ts";

/** What makes one vCPU's table differ from another's. */
export interface CpuidOptions {
  /** The vCPU's number, its APIC ID; default 0. */
  readonly id?: number;
  /** Cores in the (only) socket; default 1. */
  readonly cores?: number;
  /** Rate of the time-stamp counter, kHz; default 1 GHz. */
  readonly tscKhz?: number;
  /** False: the guest is not told that it runs under KVM (QEMU's `kvm=off`). */
  readonly kvm?: boolean;
}

/** KVM_FEATURE_*: what the core's paravirtual interfaces are (assembly/irqchip). */
const KVM_FEATURES =
  (1 << 0) | // CLOCKSOURCE
  (1 << 1) | // NOP_IO_DELAY
  (1 << 3) | // CLOCKSOURCE2
  (1 << 5) | // STEAL_TIME
  (1 << 6) | // PV_EOI
  (1 << 7) | // PV_UNHALT
  (1 << 11) | // PV_SEND_IPI
  (1 << 12) | // POLL_CONTROL
  (1 << 24); // CLOCKSOURCE_STABLE_BIT
/** The local APIC timer's input clock, kHz. */
const APIC_BUS_KHZ = 1_000_000;

const LINE_SIZE = 64;
/** AMD's leaf 0x80000021 is the last that says something here. */
const LAST_EXTENDED_LEAF = 0x8000_0021;

/**
 * The CPUID table of one vCPU.
 *
 * @example
 * vcpu.setCpuid2(cpuidFor(parseCpuModel("max"), { id: vcpu.id, cores: 2 }));
 */
export function cpuidFor(model: CpuModel | string = DEFAULT_CPU_MODEL, options: CpuidOptions = {}): KvmCpuidEntry[] {
  if (typeof model === "string") model = parseCpuModel(model);
  const { id = 0, cores = 1, tscKhz = DEFAULT_TSC_KHZ, kvm = true } = options;
  checkInteger(id, 0, 254, "id");
  checkInteger(cores, 1, 255, "cores");
  const table = new Map<string, KvmCpuidEntry>();
  const leaf = (number: number, eax = 0, ebx = 0, ecx = 0, edx = 0, subleaf?: number): void => {
    const flags = subleaf === undefined ? 0 : KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
    const entry = {
      function: number,
      index: subleaf ?? 0,
      flags,
      eax: eax >>> 0,
      ebx: ebx >>> 0,
      ecx: ecx >>> 0,
      edx: edx >>> 0,
    };
    table.set(`${number}.${subleaf ?? 0}`, entry);
  };
  const has = (number: number): boolean => model.features.has(number);
  const signature = signatureOf(model);
  const [vendorB, vendorD, vendorC] = words(model.vendor);

  leaf(0, 0xd, vendorB, vendorC, vendorD);
  leaf(1, signature, (id << 24) | (Math.min(cores, 255) << 16) | ((LINE_SIZE / 8) << 8), 0, 0);
  leaf(5);
  // The local APIC timer never stops.
  leaf(6, 1 << 2);
  leaf(7, 0, 0, 0, 0, 0);
  topology(leaf, id, cores);
  if (has(feature.FEAT_XSAVE)) extendedState(leaf, has);
  if (kvm) {
    const [signatureB, signatureC, signatureD] = words("KVMKVMKVM\0\0\0");
    leaf(0x4000_0000, 0x4000_0010, signatureB, signatureC, signatureD);
    leaf(0x4000_0001, KVM_FEATURES);
    leaf(0x4000_0010, tscKhz, APIC_BUS_KHZ);
  }
  const [immunityA, immunityC] = model.immunity;
  const lastExtended = immunityA || immunityC ? LAST_EXTENDED_LEAF : 0x8000_001e;
  leaf(0x8000_0000, lastExtended, vendorB, vendorC, vendorD);
  leaf(0x8000_0001, signature);
  const brand = words(model.brand.padEnd(48, "\0").slice(0, 48));
  for (let i = 0; i < 3; i++)
    leaf(0x8000_0002 + i, ...(brand.slice(4 * i, 4 * i + 4) as [number, number, number, number]));
  caches(leaf, cores, has(feature.FEAT_TOPOEXT));
  // The time-stamp counter runs at a constant rate in all states.
  leaf(0x8000_0007, 0, 0, 0, 1 << 8);
  leaf(0x8000_0008, model.physicalBits | (48 << 8), model.extendedFeatures, (cores - 1) | (idBits(cores) << 12));
  if (has(feature.FEAT_TOPOEXT)) leaf(0x8000_001e, id, id);
  if (lastExtended === LAST_EXTENDED_LEAF) leaf(LAST_EXTENDED_LEAF, immunityA, 0, immunityC);

  const shown = new Set(model.features);
  if (cores > 1) shown.add(feature.FEAT_HTT);
  showFeatures(table, shown);
  return [...table.values()];
}

type AddLeaf = (number: number, eax?: number, ebx?: number, ecx?: number, edx?: number, subleaf?: number) => void;

/** Puts the feature bits into their registers. */
function showFeatures(table: Map<string, KvmCpuidEntry>, features: ReadonlySet<number>): void {
  featureWords(features).forEach((word, i) => {
    const place = FEATURE_REGISTERS[i] as (typeof FEATURE_REGISTERS)[number];
    const entry = table.get(`${place.leaf}.${place.subleaf}`);
    if (entry) entry[place.register] = (entry[place.register] | word) >>> 0;
  });
  // AMD repeats the old features of leaf 1 EDX: all but SEP, DS, ACPI, SS, HTT, TM, PBE and SSE.
  const basic = table.get("1.0");
  const extended = table.get(`${0x8000_0001}.0`);
  if (basic && extended) extended.edx = (extended.edx | (basic.edx & 0x0183_f3ff)) >>> 0;
}

/** EAX of leaf 1: family, model and stepping. */
function signatureOf({ family, model, stepping }: CpuModel): number {
  const extended = family > 15 ? family - 15 : 0;
  return (extended << 20) | ((model >> 4) << 16) | (Math.min(family, 15) << 8) | ((model & 15) << 4) | stepping;
}

/** Leaf 0xB: one thread a core, all cores in one package. */
function topology(leaf: AddLeaf, id: number, cores: number): void {
  leaf(0xb, 0, 1, 0x100, id, 0);
  leaf(0xb, idBits(cores), cores, 0x201, id, 1);
}

/** Bits of an APIC ID that number the cores. */
function idBits(cores: number): number {
  return 32 - Math.clz32(cores - 1);
}

/** Leaf 0xD: XSAVE components. EBX of subleaves 0 and 1 depends on XCR0 and is the core's to compute. */
function extendedState(leaf: AddLeaf, has: (number: number) => boolean): void {
  const LEGACY = 0x240;
  const avx = has(feature.FEAT_AVX);
  const pku = has(feature.FEAT_PKU);
  const size = pku ? 2688 + 8 : avx ? LEGACY + 256 : LEGACY;
  leaf(0xd, 3 | (avx ? 4 : 0) | (pku ? 1 << 9 : 0), LEGACY, size, 0, 0);
  leaf(0xd, 0, 0, 0, 0, 1);
  if (avx) leaf(0xd, 256, LEGACY, 0, 0, 2);
  if (pku) leaf(0xd, 8, 2688, 0, 0, 9);
}

/** Leaves 0x80000005, 6 and 0x8000001D: 32 KiB and 32 KiB of L1, 1 MiB of L2 a core, 16 MiB of L3 for all. */
function caches(leaf: AddLeaf, cores: number, topoext: boolean): void {
  const l1 = (32 << 24) | (8 << 16) | (1 << 8) | LINE_SIZE;
  const tlb = 0xff40_ff40;
  leaf(0x8000_0005, tlb, tlb, l1, l1);
  // Associativity codes: 6 is 8 ways, 8 is 16 ways.
  leaf(
    0x8000_0006,
    0,
    0x6400_6400,
    (1024 << 16) | (6 << 12) | (1 << 8) | LINE_SIZE,
    (32 << 18) | (8 << 12) | (1 << 8) | LINE_SIZE,
  );
  if (!topoext) return;
  const list: [type: number, level: number, ways: number, bytes: number, sharers: number, inclusive: number][] = [
    [1, 1, 8, 32 << 10, 1, 0],
    [2, 1, 8, 32 << 10, 1, 0],
    [3, 2, 8, 1 << 20, 1, 2],
    [3, 3, 16, 16 << 20, cores, 0],
  ];
  list.forEach(([type, level, ways, bytes, sharers, inclusive], subleaf) => {
    const sets = bytes / (ways * LINE_SIZE);
    const eax = type | (level << 5) | (1 << 8) | ((sharers - 1) << 14);
    leaf(0x8000_001d, eax, ((ways - 1) << 22) | (LINE_SIZE - 1), sets - 1, inclusive, subleaf);
  });
  leaf(0x8000_001d, 0, 0, 0, 0, list.length);
}

/** Letters as 32-bit words, little endian. */
function words(text: string): number[] {
  const out: number[] = [];
  for (let i = 0; i < text.length; i += 4) {
    let word = 0;
    for (let byte = 3; byte >= 0; byte--) word = (word << 8) | text.charCodeAt(i + byte);
    out.push(word >>> 0);
  }
  return out;
}
