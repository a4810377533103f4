// The ways in which wkvm can execute a guest's instructions: each is compared with the oracle by itself.

import { type CoreProgram, compileCore, loadTypeScriptCore } from "../../host/kvm/core.ts";
import type { KvmCpuidEntry } from "../../host/kvm/cpuid-table.ts";
import { WkvmRunner } from "../oracle/wkvm-runner.ts";
import { CASE_OPTIONS, type Case, OPTION_NO_STEP, type Result } from "./case.ts";

/** A processor of ours that runs cases. The result is valid until the next call. */
export interface Tier {
  readonly name: string;
  /** One case in this many is run. */
  readonly share: number;
  /** Whether it can run a case: TF steps through the interpreter alone. */
  runs(test: Case): boolean;
  run(test: Case): Result;
  /** Where it is cheaper to be told before of the cases that are run next: up to PLACES of them, each to be run once. */
  prepare?(tests: readonly Case[]): void;
}

interface Kind {
  /** One case in this many, beside others: slow tiers do not make the fast ones wait. */
  readonly share: number;
  /** Every case runs as translated code. */
  readonly translated?: boolean;
  core(): Promise<CoreProgram>;
}

const TIERS: Readonly<Record<string, Kind>> = {
  interp: { share: 1, core: compileCore },
  jit: { share: 8, translated: true, core: compileCore },
  ts: { share: 8, core: loadTypeScriptCore },
};

/** Names of all tiers that exist. */
export const TIER_NAMES: readonly string[] = Object.keys(TIERS);

/** Makes tiers by name. Throws for a name that is none. */
export async function createTiers(names: readonly string[], cpuid: readonly KvmCpuidEntry[]): Promise<Tier[]> {
  const tiers: Tier[] = [];
  for (const name of names) {
    const kind = TIERS[name];
    if (!kind) throw new Error(`no tier '${name}': there is ${TIER_NAMES.join(", ")}`);
    const translated = kind.translated === true;
    const runner = await WkvmRunner.create(cpuid, await kind.core(), undefined, translated);
    const runs = (test: Case): boolean => !translated || (test.bytes[CASE_OPTIONS]! & OPTION_NO_STEP) !== 0;
    tiers.push({
      name,
      share: names.length > 1 ? kind.share : 1,
      runs,
      run: (test) => runner.run(test),
      ...(translated ? { prepare: (tests) => runner.prepare(tests) } : {}),
    });
  }
  return tiers;
}
