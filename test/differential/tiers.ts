// The ways in which wkvm can execute a guest's instructions: each is compared with the oracle by itself.
import type { KvmCpuidEntry } from "../../host/kvm/cpuid-table.ts";
import { WkvmRunner } from "../oracle/wkvm-runner.ts";
import type { Case, Result } from "./case.ts";

/** A processor of ours that runs cases. The result is valid until the next call. */
export interface Tier {
  readonly name: string;
  run(test: Case): Result;
}

type Create = (cpuid: readonly KvmCpuidEntry[]) => Promise<{ run(test: Case): Result }>;

const TIERS: Readonly<Record<string, Create>> = {
  interp: (cpuid) => WkvmRunner.create(cpuid),
};

/** Names of all tiers that exist. */
export const TIER_NAMES: readonly string[] = Object.keys(TIERS);

/** Makes tiers by name. Throws for a name that is none. */
export async function createTiers(names: readonly string[], cpuid: readonly KvmCpuidEntry[]): Promise<Tier[]> {
  const tiers: Tier[] = [];
  for (const name of names) {
    const create = TIERS[name];
    if (!create) throw new Error(`no tier '${name}': there is ${TIER_NAMES.join(", ")}`);
    const runner = await create(cpuid);
    tiers.push({ name, run: (test) => runner.run(test) });
  }
  return tiers;
}
