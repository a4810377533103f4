// From a recorded group to its cases.
import type { Case } from "../differential/case.ts";
import { buildCase } from "../differential/state.ts";
import type { Group, Vectors } from "./format.ts";

/** No group has more cases. */
export const GROUP_MAX = 256;

/** The cases of a group in order, built into a batch from `at` on; how many there are. */
export function buildGroup(group: Group, revision: Vectors["revision"], cases: readonly Case[], at: number): number {
  let n = 0;
  for (const code of group.codes) {
    for (let seed = 0; seed < group.seedsPerCode; seed++, n++) {
      buildCase(cases[at + n]!, { mode: group.mode, code, seed: (group.firstSeed + n) >>> 0, revision });
    }
  }
  return n;
}
