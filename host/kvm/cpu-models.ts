// The processors that `-cpu` names. docs/decisions/0003-processor-identity.md says why they are what they are.

import * as feature from "../../assembly/features.ts";
import { removeDependents } from "./cpu-dependencies.ts";
import { describeFeature, FEATURE_NAMES, IMPLEMENTED } from "./cpu-features.ts";
import { parseIdentity } from "./cpu-identity.ts";
import { KvmError } from "./errors.ts";

/** A processor model: who it says it is, and what it offers. */
export interface CpuModel {
  readonly name: string;
  /** One line for `-cpu help`. */
  readonly description: string;
  /** Twelve letters: CPUID leaf 0. */
  readonly vendor: string;
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
  /** At most 48 letters: CPUID leaves 0x80000002..4. */
  readonly brand: string;
  /** FEAT_* of assembly/features.ts. */
  readonly features: ReadonlySet<number>;
  /** Leaf 0x80000008 EBX. */
  readonly extendedFeatures: number;
  /** Leaf 0x80000021 EAX and ECX; 0: the model ends before that leaf. */
  readonly immunity: readonly [eax: number, ecx: number];
  readonly physicalBits: number;
}

const f = feature;
const VENDOR = "AuthenticAMD";

/** psABI x86-64-v1 with what every PC kernel expects besides. */
const BASELINE = [
  f.FEAT_FPU,
  f.FEAT_VME,
  f.FEAT_DE,
  f.FEAT_PSE,
  f.FEAT_TSC,
  f.FEAT_MSR,
  f.FEAT_PAE,
  f.FEAT_MCE,
  f.FEAT_CX8,
  f.FEAT_APIC,
  f.FEAT_SEP,
  f.FEAT_MTRR,
  f.FEAT_PGE,
  f.FEAT_MCA,
  f.FEAT_CMOV,
  f.FEAT_PAT,
  f.FEAT_PSE36,
  f.FEAT_CLFLUSH,
  f.FEAT_MMX,
  f.FEAT_FXSR,
  f.FEAT_SSE,
  f.FEAT_SSE2,
  f.FEAT_SSE3,
  f.FEAT_CX16,
  f.FEAT_X2APIC,
  f.FEAT_HYPERVISOR,
  f.FEAT_LAHF64,
  f.FEAT_SYSCALL,
  f.FEAT_NX,
  f.FEAT_LM,
];

// Leaf 0x80000008 EBX (AMD APM volume 3, E.4.7).
/** XSAVE and FXSAVE always keep the x87 error pointers. */
const XSAVE_ERROR_POINTERS = 1 << 2;
/** Not vulnerable to speculative store bypass. */
const SSB_NO = 1 << 26;
/** Not vulnerable to branch type confusion. */
const BTC_NO = 1 << 29;

// Leaf 0x80000021.
/** EAX: LFENCE always serializes. */
const LFENCE_SERIALIZES = 1 << 2;
/** EAX: loading a null selector clears the base. */
const NULL_CLEARS_BASE = 1 << 6;
/** EAX: EFER.AutoIBRS. */
const AUTOMATIC_IBRS = 1 << 8;
/** EAX: not vulnerable to speculative return stack overflow. */
const SRSO_NO = 1 << 29;
/** ECX: not vulnerable to transient scheduler attacks: by L1 (bit 2), by store queue (bit 1), and a bit that Linux of the end
 * of 2026 (6.12.117) wants to see beside these two. Where one is missing, it executes VERW before each return to a program. */
const TSA_NO = (1 << 1) | (1 << 2) | (1 << 7);

/** A processor of AMD's fourth Zen generation in name, which speculates about nothing. */
const SAFE = {
  vendor: VENDOR,
  family: 0x19,
  model: 0x11,
  stepping: 1,
  extendedFeatures: XSAVE_ERROR_POINTERS | SSB_NO | BTC_NO,
  immunity: [LFENCE_SERIALIZES | NULL_CLEARS_BASE | AUTOMATIC_IBRS | SRSO_NO, TSA_NO],
  physicalBits: 40,
} as const;

/** Features that cost more at each context switch than programs gain (PKU), that no stock kernel uses (PKS), or make
 * programs choose instructions that are slower here than what they replace (AVX and what needs it). */
const LEFT_TO_MAX: ReadonlySet<number> = new Set([
  f.FEAT_PKU,
  f.FEAT_PKS,
  f.FEAT_AVX,
  f.FEAT_AVX2,
  f.FEAT_F16C,
  f.FEAT_FMA,
  f.FEAT_VAES,
  f.FEAT_VPCLMULQDQ,
]);

/** What kernels use for themselves: no program is compiled for it. */
const FOR_KERNELS = [
  f.FEAT_PCID,
  f.FEAT_TSC_DEADLINE,
  f.FEAT_FSGSBASE,
  f.FEAT_TSC_ADJUST,
  f.FEAT_SMEP,
  f.FEAT_INVPCID,
  f.FEAT_SMAP,
  f.FEAT_CLFLUSHOPT,
  f.FEAT_CLWB,
  f.FEAT_UMIP,
  f.FEAT_RDPID,
  f.FEAT_TOPOEXT,
  f.FEAT_PAGES_1G,
  f.FEAT_RDTSCP,
  f.FEAT_RDRAND,
  f.FEAT_RDSEED,
  f.FEAT_ERMS,
  f.FEAT_FSRM,
  f.FEAT_PREFETCHW,
];

/** What a level of the x86-64 psABI adds to the one below it. */
const LEVEL_2 = [f.FEAT_SSSE3, f.FEAT_SSE41, f.FEAT_SSE42, f.FEAT_POPCNT];
const LEVEL_3 = [
  f.FEAT_XSAVE,
  f.FEAT_AVX,
  f.FEAT_AVX2,
  f.FEAT_BMI1,
  f.FEAT_BMI2,
  f.FEAT_F16C,
  f.FEAT_FMA,
  f.FEAT_ABM,
  f.FEAT_MOVBE,
  // How AVX state is saved.
  f.FEAT_XSAVEOPT,
  f.FEAT_XSAVEC,
  f.FEAT_XGETBV1,
  f.FEAT_XSAVES,
];

/** What Ivy Bridge has beyond x86-64-v2. */
const IVY_BRIDGE = [
  f.FEAT_PCLMULQDQ,
  f.FEAT_TSC_DEADLINE,
  f.FEAT_AES,
  f.FEAT_XSAVE,
  f.FEAT_XSAVEOPT,
  f.FEAT_AVX,
  f.FEAT_F16C,
  f.FEAT_RDRAND,
  f.FEAT_FSGSBASE,
  f.FEAT_SMEP,
  f.FEAT_ERMS,
  f.FEAT_RDTSCP,
];

const MODELS: readonly CpuModel[] = [
  {
    ...SAFE,
    name: "wkvm64",
    description: "x86-64-v2 and what else stock kernels use; needs no mitigations (default)",
    brand: "wkvm x86-64 Processor",
    features: new Set([...IMPLEMENTED].filter((number) => !LEFT_TO_MAX.has(number))),
  },
  {
    name: "qemu64",
    description: "x86-64-v1, as QEMU's model of that name",
    vendor: VENDOR,
    family: 15,
    model: 107,
    stepping: 1,
    brand: "QEMU Virtual CPU version 2.5+",
    features: new Set(BASELINE),
    extendedFeatures: 0,
    immunity: [0, 0],
    physicalBits: 40,
  },
  {
    name: "Opteron_G1",
    description: "AMD Opteron 240 (Gen 1 Class Opteron), as QEMU's model of that name",
    vendor: VENDOR,
    family: 15,
    model: 6,
    stepping: 1,
    brand: "AMD Opteron 240 (Gen 1 Class Opteron)",
    features: new Set(BASELINE.filter((number) => number !== f.FEAT_CX16 && number !== f.FEAT_LAHF64)),
    extendedFeatures: 0,
    immunity: [0, 0],
    physicalBits: 40,
  },
  {
    name: "IvyBridge",
    description: "Intel Xeon E3-12xx v2 (Ivy Bridge), as QEMU's model of that name",
    vendor: "GenuineIntel",
    family: 6,
    model: 58,
    stepping: 9,
    brand: "Intel Xeon E3-12xx v2 (Ivy Bridge)",
    features: new Set([...BASELINE, ...LEVEL_2, ...IVY_BRIDGE]),
    extendedFeatures: 0,
    immunity: [0, 0],
    physicalBits: 40,
  },
  {
    ...SAFE,
    name: "x86-64-v2",
    description: "what programs for this level of the x86-64 psABI need (SSE4.2), and no more",
    brand: "wkvm x86-64-v2 Processor",
    features: new Set([...BASELINE, ...FOR_KERNELS, ...LEVEL_2]),
  },
  {
    ...SAFE,
    name: "x86-64-v3",
    description: "what programs for this level of the x86-64 psABI need (AVX2, FMA), and no more",
    brand: "wkvm x86-64-v3 Processor",
    features: new Set([...BASELINE, ...FOR_KERNELS, ...LEVEL_2, ...LEVEL_3]),
  },
  {
    ...SAFE,
    name: "max",
    description: "everything that this processor can do",
    brand: "wkvm x86-64 Processor (max)",
    features: IMPLEMENTED,
  },
];

/** Other names that `-cpu` takes. */
const ALIASES: Readonly<Record<string, string>> = {
  host: "max",
  base: "qemu64",
  "qemu64-v1": "qemu64",
  "x86-64-v1": "qemu64",
};

/** The model that is used where none is named. */
export const DEFAULT_CPU_MODEL = "wkvm64";

/**
 * All processor models, for `-cpu help`.
 *
 * @example
 * for (const { name, description } of cpuModels()) console.log(name, description);
 */
export function cpuModels(): readonly CpuModel[] {
  return MODELS;
}

/** Takes one line about a request that could not be met. */
export type Warn = (message: string) => void;

/**
 * A processor model by QEMU's spelling: a name, then features that are added (`+avx`, `avx=on`, `avx`) or taken away
 * (`-x2apic`, `x2apic=off`), or what the processor says of itself (`vendor=GenuineIntel`); as in QEMU `+` and `-` count after all else, and `-` last. What is asked for and cannot be
 * had, since the core does not implement it or since it depends on what is not there, is told to `warn` and left out; it
 * is EINVAL where there is no `warn`, or with `enforce`, and `check=off` says nothing. Throws EINVAL for an unknown name
 * or property.
 *
 * @example
 * const model = parseCpuModel("x86-64-v3,-fma,+aes", console.warn);
 */
export function parseCpuModel(text: string, warn?: Warn): CpuModel {
  const [name = "", ...properties] = text.split(",");
  const model = MODELS.find((known) => known.name === (ALIASES[name] ?? name));
  if (!model) throw new KvmError("EINVAL", `unable to find CPU model '${name}'`);
  const features = new Set(model.features);
  const identities = properties.map((property) => parseIdentity(property, model));
  const rest = properties.filter((_, index) => identities[index] === undefined);
  const { requested, enforce, check } = applyProperties(features, rest, model.name);

  const problems: string[] = [];
  for (const number of requested) {
    if (!features.has(number) || IMPLEMENTED.has(number)) continue;
    features.delete(number);
    problems.push(`wkvm doesn't support requested feature: ${describeFeature(number)}`);
  }
  for (const number of removeDependents(features)) {
    if (!requested.has(number)) continue;
    problems.push(`This feature depends on other features that were not requested: ${describeFeature(number)}`);
  }
  if (problems.length && (enforce || !warn)) throw new KvmError("EINVAL", problems.join("; "));
  if (check) for (const problem of problems) warn?.(problem);
  return Object.assign({ ...model, features }, ...identities);
}

/** Applies the properties behind a model's name; `requested`: the features that they ask for. */
function applyProperties(
  features: Set<number>,
  properties: readonly string[],
  model: string,
): { requested: Set<number>; enforce: boolean; check: boolean } {
  const requested = new Set<number>();
  const switches = { enforce: false, check: true };
  const later: [number, boolean][] = [];
  const set = (number: number, on: boolean): void => {
    if (on) features.add(number);
    else features.delete(number);
    if (on) requested.add(number);
    else requested.delete(number);
  };
  for (const property of properties) {
    const [, sign = "", spelled = "", value] = /^([+-]?)([^=]*)(?:=(.*))?$/.exec(property)!;
    const number = FEATURE_NAMES[spelled] ?? FEATURE_NAMES[spelled.replaceAll("_", "-")];
    const isSwitch = sign === "" && (spelled === "enforce" || spelled === "check");
    if ((number === undefined && !isSwitch) || (sign && value !== undefined)) {
      throw new KvmError("EINVAL", `Property '${model}-x86_64-cpu.${property.replace(/^[+-]/, "")}' not found`);
    }
    if (value !== undefined && value !== "on" && value !== "off") {
      throw new KvmError("EINVAL", `Parameter '${spelled}' expects 'on' or 'off'`);
    }
    if (isSwitch) switches[spelled as "enforce" | "check"] = value !== "off";
    else if (sign) later.push([number!, sign === "+"]);
    else set(number!, value !== "off");
  }
  for (const [number, on] of later) if (on) set(number, true);
  for (const [number, on] of later) if (!on) set(number, false);
  return { requested, ...switches };
}
