// The CPUID table that test guests get: all that wkvm supports; and its feature bits by Linux's names.

import type { KvmCpuidEntry } from "../../host/kvm/cpuid-table.ts";
import { Kvm } from "../../host/kvm/index.ts";

/** [leaf, register, bit, name] of what the generator asks about. */
const NAMES: [number, "eax" | "ebx" | "ecx" | "edx", number, string][] = [
  [1, "ecx", 0, "pni"],
  [1, "ecx", 1, "pclmulqdq"],
  [1, "ecx", 9, "ssse3"],
  [1, "ecx", 13, "cx16"],
  [1, "ecx", 19, "sse4_1"],
  [1, "ecx", 20, "sse4_2"],
  [1, "ecx", 22, "movbe"],
  [1, "ecx", 23, "popcnt"],
  [1, "ecx", 25, "aes"],
  [1, "ecx", 12, "fma"],
  [1, "ecx", 28, "avx"],
  [1, "ecx", 29, "f16c"],
  [7, "ebx", 3, "bmi1"],
  [7, "ebx", 5, "avx2"],
  [7, "ebx", 8, "bmi2"],
  [7, "ebx", 19, "adx"],
  [7, "ebx", 29, "sha_ni"],
  [7, "ecx", 8, "gfni"],
  [7, "ecx", 9, "vaes"],
  [7, "ecx", 10, "vpclmulqdq"],
  [0x80000001, "ecx", 0, "lahf_lm"],
  [0x80000001, "ecx", 5, "abm"],
];

/** KVM_GET_SUPPORTED_CPUID. */
export async function guestCpuid(): Promise<KvmCpuidEntry[]> {
  const kvm = await Kvm.open();
  return kvm.getSupportedCpuid();
}

/** Names of the features a table offers. */
export function guestFeatures(cpuid: readonly KvmCpuidEntry[]): Set<string> {
  const found = NAMES.filter(([leaf, register, bit]) =>
    cpuid.some((entry) => entry.function === leaf && entry.index === 0 && ((entry[register] >>> bit) & 1) === 1),
  );
  return new Set(found.map(([, , , name]) => name));
}

/** The registers that assembly/features.ts numbers, in its order. */
const WORDS: readonly (readonly [leaf: number, index: number, register: "eax" | "ebx" | "ecx" | "edx"])[] = [
  [1, 0, "ecx"],
  [1, 0, "edx"],
  [7, 0, "ebx"],
  [7, 0, "ecx"],
  [0x80000001, 0, "ecx"],
  [0x80000001, 0, "edx"],
  [7, 0, "edx"],
  [0xd, 1, "eax"],
];

/** The features a table offers as numbers of assembly/features.ts. */
export function guestFeatureBits(cpuid: readonly KvmCpuidEntry[]): Set<number> {
  const bits = new Set<number>();
  WORDS.forEach(([leaf, index, register], i) => {
    const word = cpuid.find((entry) => entry.function === leaf && entry.index === index)?.[register] ?? 0;
    for (let bit = 0; bit < 32; bit++) if ((word >>> bit) & 1) bits.add(i * 32 + bit);
  });
  return bits;
}
