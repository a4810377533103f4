// Which processor features mean nothing without others: the instructions of one work on the state or the registers of
// the other (SDM volume 1, 13.2 and 14.3; volume 2, the CPUID feature column of each instruction).

import * as f from "../../assembly/features.ts";

/** A feature, and those that go where it goes. */
const DEPENDENTS: readonly (readonly [feature: number, dependents: readonly number[]])[] = [
  [f.FEAT_FXSR, [f.FEAT_SSE]],
  [f.FEAT_SSE, [f.FEAT_SSE2]],
  [f.FEAT_SSE2, [f.FEAT_SSE3, f.FEAT_AES, f.FEAT_PCLMULQDQ, f.FEAT_SHA]],
  [f.FEAT_SSE3, [f.FEAT_SSSE3]],
  [f.FEAT_SSSE3, [f.FEAT_SSE41]],
  [f.FEAT_SSE41, [f.FEAT_SSE42]],
  [f.FEAT_SSE42, [f.FEAT_AVX]],
  [f.FEAT_XSAVE, [f.FEAT_XSAVEOPT, f.FEAT_XSAVEC, f.FEAT_XGETBV1, f.FEAT_XSAVES, f.FEAT_AVX, f.FEAT_PKU]],
  [f.FEAT_XSAVEC, [f.FEAT_XSAVES]],
  [f.FEAT_AVX, [f.FEAT_AVX2, f.FEAT_F16C, f.FEAT_FMA, f.FEAT_VAES, f.FEAT_VPCLMULQDQ]],
  [f.FEAT_AES, [f.FEAT_VAES]],
  [f.FEAT_PCLMULQDQ, [f.FEAT_VPCLMULQDQ]],
  [f.FEAT_LM, [f.FEAT_LAHF64, f.FEAT_PCID, f.FEAT_FSGSBASE]],
];

/** Takes away what depends on features that are not there. Returns what was taken. */
export function removeDependents(features: Set<number>): number[] {
  const removed: number[] = [];
  // A dependent that goes may have dependents of its own.
  for (let before = -1; before !== removed.length; ) {
    before = removed.length;
    for (const [feature, dependents] of DEPENDENTS) {
      if (features.has(feature)) continue;
      for (const dependent of dependents) if (features.delete(dependent)) removed.push(dependent);
    }
  }
  return removed;
}
