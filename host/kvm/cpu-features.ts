// Processor features: which the core implements, and what QEMU's command line calls them.

import * as feature from "../../assembly/features.ts";

/**
 * What the core implements, as FEAT_* of assembly/features.ts. CPUID never shows more than this: an instruction's bit
 * comes here in the commit that brings the instruction.
 */
export const IMPLEMENTED: ReadonlySet<number> = new Set([
  feature.FEAT_FPU,
  feature.FEAT_VME,
  feature.FEAT_DE,
  feature.FEAT_PSE,
  feature.FEAT_TSC,
  feature.FEAT_MSR,
  feature.FEAT_PAE,
  feature.FEAT_MCE,
  feature.FEAT_CX8,
  feature.FEAT_APIC,
  feature.FEAT_SEP,
  feature.FEAT_MTRR,
  feature.FEAT_PGE,
  feature.FEAT_MCA,
  feature.FEAT_CMOV,
  feature.FEAT_PAT,
  feature.FEAT_PSE36,
  feature.FEAT_CLFLUSH,
  feature.FEAT_MMX,
  feature.FEAT_FXSR,
  feature.FEAT_SSE,
  feature.FEAT_SSE2,
  feature.FEAT_SSE3,
  feature.FEAT_PCLMULQDQ,
  feature.FEAT_SSSE3,
  feature.FEAT_FMA,
  feature.FEAT_CX16,
  feature.FEAT_PCID,
  feature.FEAT_SSE41,
  feature.FEAT_SSE42,
  feature.FEAT_X2APIC,
  feature.FEAT_MOVBE,
  feature.FEAT_POPCNT,
  feature.FEAT_TSC_DEADLINE,
  feature.FEAT_AES,
  feature.FEAT_XSAVE,
  feature.FEAT_AVX,
  feature.FEAT_F16C,
  feature.FEAT_RDRAND,
  feature.FEAT_HYPERVISOR,
  feature.FEAT_FSGSBASE,
  feature.FEAT_TSC_ADJUST,
  feature.FEAT_BMI1,
  feature.FEAT_AVX2,
  feature.FEAT_SMEP,
  feature.FEAT_BMI2,
  feature.FEAT_ERMS,
  feature.FEAT_INVPCID,
  feature.FEAT_RDSEED,
  feature.FEAT_ADX,
  feature.FEAT_SMAP,
  feature.FEAT_CLFLUSHOPT,
  feature.FEAT_CLWB,
  feature.FEAT_SHA,
  feature.FEAT_UMIP,
  feature.FEAT_PKU,
  feature.FEAT_PKS,
  feature.FEAT_VAES,
  feature.FEAT_VPCLMULQDQ,
  feature.FEAT_RDPID,
  feature.FEAT_FSRM,
  feature.FEAT_LAHF64,
  feature.FEAT_ABM,
  feature.FEAT_PREFETCHW,
  feature.FEAT_TOPOEXT,
  feature.FEAT_SYSCALL,
  feature.FEAT_NX,
  feature.FEAT_MMXEXT,
  feature.FEAT_PAGES_1G,
  feature.FEAT_RDTSCP,
  feature.FEAT_LM,
  feature.FEAT_XSAVEOPT,
  feature.FEAT_XSAVEC,
  feature.FEAT_XGETBV1,
  feature.FEAT_XSAVES,
]);

/** Features by the names of QEMU's `-cpu M,+name`. */
export const FEATURE_NAMES: Readonly<Record<string, number>> = {
  fpu: feature.FEAT_FPU,
  vme: feature.FEAT_VME,
  de: feature.FEAT_DE,
  pse: feature.FEAT_PSE,
  tsc: feature.FEAT_TSC,
  msr: feature.FEAT_MSR,
  pae: feature.FEAT_PAE,
  mce: feature.FEAT_MCE,
  cx8: feature.FEAT_CX8,
  apic: feature.FEAT_APIC,
  sep: feature.FEAT_SEP,
  mtrr: feature.FEAT_MTRR,
  pge: feature.FEAT_PGE,
  mca: feature.FEAT_MCA,
  cmov: feature.FEAT_CMOV,
  pat: feature.FEAT_PAT,
  pse36: feature.FEAT_PSE36,
  clflush: feature.FEAT_CLFLUSH,
  mmx: feature.FEAT_MMX,
  fxsr: feature.FEAT_FXSR,
  sse: feature.FEAT_SSE,
  sse2: feature.FEAT_SSE2,
  ht: feature.FEAT_HTT,
  pni: feature.FEAT_SSE3,
  sse3: feature.FEAT_SSE3,
  pclmulqdq: feature.FEAT_PCLMULQDQ,
  monitor: feature.FEAT_MONITOR,
  vmx: feature.FEAT_VMX,
  ssse3: feature.FEAT_SSSE3,
  fma: feature.FEAT_FMA,
  cx16: feature.FEAT_CX16,
  pcid: feature.FEAT_PCID,
  "sse4.1": feature.FEAT_SSE41,
  sse4_1: feature.FEAT_SSE41,
  "sse4.2": feature.FEAT_SSE42,
  sse4_2: feature.FEAT_SSE42,
  x2apic: feature.FEAT_X2APIC,
  movbe: feature.FEAT_MOVBE,
  popcnt: feature.FEAT_POPCNT,
  "tsc-deadline": feature.FEAT_TSC_DEADLINE,
  aes: feature.FEAT_AES,
  xsave: feature.FEAT_XSAVE,
  avx: feature.FEAT_AVX,
  f16c: feature.FEAT_F16C,
  rdrand: feature.FEAT_RDRAND,
  hypervisor: feature.FEAT_HYPERVISOR,
  fsgsbase: feature.FEAT_FSGSBASE,
  "tsc-adjust": feature.FEAT_TSC_ADJUST,
  bmi1: feature.FEAT_BMI1,
  avx2: feature.FEAT_AVX2,
  smep: feature.FEAT_SMEP,
  bmi2: feature.FEAT_BMI2,
  erms: feature.FEAT_ERMS,
  invpcid: feature.FEAT_INVPCID,
  rdseed: feature.FEAT_RDSEED,
  adx: feature.FEAT_ADX,
  smap: feature.FEAT_SMAP,
  clflushopt: feature.FEAT_CLFLUSHOPT,
  clwb: feature.FEAT_CLWB,
  "sha-ni": feature.FEAT_SHA,
  umip: feature.FEAT_UMIP,
  pku: feature.FEAT_PKU,
  pks: feature.FEAT_PKS,
  gfni: feature.FEAT_GFNI,
  vaes: feature.FEAT_VAES,
  vpclmulqdq: feature.FEAT_VPCLMULQDQ,
  la57: feature.FEAT_LA57,
  rdpid: feature.FEAT_RDPID,
  fsrm: feature.FEAT_FSRM,
  serialize: feature.FEAT_SERIALIZE,
  "lahf-lm": feature.FEAT_LAHF64,
  svm: feature.FEAT_SVM,
  cr8legacy: feature.FEAT_CR8_LEGACY,
  abm: feature.FEAT_ABM,
  sse4a: feature.FEAT_SSE4A,
  misalignsse: feature.FEAT_MISALIGNED_SSE,
  "3dnowprefetch": feature.FEAT_PREFETCHW,
  tbm: feature.FEAT_TBM,
  topoext: feature.FEAT_TOPOEXT,
  syscall: feature.FEAT_SYSCALL,
  nx: feature.FEAT_NX,
  mmxext: feature.FEAT_MMXEXT,
  "fxsr-opt": feature.FEAT_FFXSR,
  pdpe1gb: feature.FEAT_PAGES_1G,
  rdtscp: feature.FEAT_RDTSCP,
  lm: feature.FEAT_LM,
  "3dnow": feature.FEAT_3DNOW,
  "3dnowext": feature.FEAT_3DNOWEXT,
  xsaveopt: feature.FEAT_XSAVEOPT,
  xsavec: feature.FEAT_XSAVEC,
  xgetbv1: feature.FEAT_XGETBV1,
  xsaves: feature.FEAT_XSAVES,
};

/** The registers of CPUID that feature numbers are grouped by, in order, 32 features each. */
export const FEATURE_REGISTERS = [
  { leaf: 1, subleaf: 0, register: "ecx" },
  { leaf: 1, subleaf: 0, register: "edx" },
  { leaf: 7, subleaf: 0, register: "ebx" },
  { leaf: 7, subleaf: 0, register: "ecx" },
  { leaf: 0x8000_0001, subleaf: 0, register: "ecx" },
  { leaf: 0x8000_0001, subleaf: 0, register: "edx" },
  { leaf: 7, subleaf: 0, register: "edx" },
  { leaf: 0xd, subleaf: 1, register: "eax" },
] as const;

/** Names of the features that the core implements, one each, in alphabetical order. */
export function featureNames(): string[] {
  return [...IMPLEMENTED].map(nameOf).sort();
}

function nameOf(number: number): string {
  return Object.entries(FEATURE_NAMES).find(([, feature]) => feature === number)?.[0] ?? `${number}`;
}

/** Where CPUID shows a feature, as QEMU's messages have it: "CPUID.07H:EBX.avx2 [bit 5]". */
export function describeFeature(number: number): string {
  const { leaf, register } = FEATURE_REGISTERS[number >> 5]!;
  const digits = leaf.toString(16).toUpperCase().padStart(2, "0");
  return `CPUID.${digits}H:${register.toUpperCase()}.${nameOf(number)} [bit ${number & 31}]`;
}

/** The eight registers of FEATURE_REGISTERS that show a set of features. */
export function featureWords(features: Iterable<number>): number[] {
  const words = FEATURE_REGISTERS.map(() => 0);
  for (const number of features) {
    const word = number >> 5;
    words[word] = ((words[word] as number) | (1 << (number & 31))) >>> 0;
  }
  return words;
}
