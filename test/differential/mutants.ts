// The test of the tests: seeds errors into the instruction table, at random over all of it, and has the differential
// engine find every one. The cases are drawn as in any campaign, without a look at what the errors are; an error is then
// only put in force for the cases whose instruction it stands in, as it cannot show in the others.
import { MUTATION_KINDS, type Mutation, type MutationKind, mutationsOf } from "../../assembly/isa/mutate.ts";
import type { Variant } from "../../assembly/isa/variant.ts";
import { guestCpuid } from "../oracle/guest-cpuid.ts";
import { Silicon } from "../oracle/silicon.ts";
import { WkvmRunner } from "../oracle/wkvm-runner.ts";
import { commonFeatures } from "./campaign.ts";
import { type Case, RESULT_VECTOR, type Result, VECTOR_TIMEOUT } from "./case.ts";
import { compare } from "./compare.ts";
import { BATCH, DrawnBatches } from "./drawn-batches.ts";
import { Engine, formOf, type Mismatch, mismatchOf } from "./engine.ts";
import { Generator } from "./generator.ts";
import { buildMutantCore, type MutantExports } from "./mutant-core.ts";
import { Random } from "./random.ts";
import { describe } from "./report.ts";
import type { Tier } from "./tiers.ts";

export interface MutantOptions {
  count: number;
  seed: number;
  /** For everything, the build included. */
  seconds: number;
  onBuilt?: (seconds: number) => void;
  onFound?: (mutant: Mutant) => void;
}

/** An error and what became of it. */
export interface Mutant {
  number: number;
  mutation: Mutation;
  /** Cases that executed its instruction, and cases in all, until it was found or time was up. */
  reached: number;
  cases: number;
  /** The reproducer, made minimal; undefined: it survived. */
  found: string | undefined;
}

/** Some errors make an instruction repeat for ever; a busy machine stops this process for some time. */
const CASE_LIMIT_NS = 1e9;

/** Errors of as many kinds as there are, each kind as often, over all variants that cases are drawn for. */
function choose(variants: readonly Variant[], count: number, random: Random): Mutation[] {
  const byKind = new Map<MutationKind, Mutation[]>(MUTATION_KINDS.map((kind) => [kind, []]));
  for (const variant of variants) for (const m of mutationsOf(variant)) byKind.get(m.kind)!.push(m);
  const kinds = MUTATION_KINDS.filter((kind) => byKind.get(kind)!.length > 0);
  const chosen = new Set<Mutation>();
  for (let i = 0; chosen.size < count; i++) {
    const list = byKind.get(kinds[i % kinds.length]!)!;
    chosen.add(list[random.u32() % list.length]!);
  }
  return [...chosen];
}

/** Seeds errors and looks for them until all are found or time is up. Throws where the core is wrong without any. */
export async function runMutants(options: MutantOptions): Promise<Mutant[]> {
  const until = performance.now() + options.seconds * 1000;
  const cpuid = await guestCpuid();
  const random = new Random(options.seed);
  const generator = new Generator({ seed: random.u32(), features: commonFeatures(cpuid), sequences: 32 });
  const variants = [...new Set(generator.known.map((form) => form.variant))];
  const mutants = choose(variants, options.count, random).map(
    (mutation, i): Mutant => ({ number: i + 1, mutation, reached: 0, cases: 0, found: undefined }),
  );
  const started = performance.now();
  const root = process.env["WKVM_ROOT"] ?? process.cwd();
  const core = await buildMutantCore(
    root,
    mutants.map(({ mutation }) => mutation),
  );
  options.onBuilt?.((performance.now() - started) / 1000);
  const silicon = new Silicon();
  try {
    const hunt = new Hunt(silicon, () => WkvmRunner.create(cpuid, core, CASE_LIMIT_NS), generator, mutants, options);
    await hunt.run(until);
  } finally {
    silicon.close();
  }
  return mutants;
}

class Hunt {
  private readonly batches: DrawnBatches;
  private runner!: WkvmRunner;
  private cases = 0;

  constructor(
    private readonly silicon: Silicon,
    private readonly create: () => Promise<WkvmRunner>,
    private readonly generator: Generator,
    private readonly mutants: readonly Mutant[],
    private readonly options: MutantOptions,
  ) {
    this.batches = new DrawnBatches(silicon, generator);
  }

  private get core(): MutantExports {
    return this.runner.core as MutantExports;
  }

  async run(until: number): Promise<void> {
    this.runner = await this.create();
    while (performance.now() < until && this.mutants.some(({ found }) => found === undefined)) {
      const { batch, expected } = await this.batches.next();
      const found: [Mutant, Mismatch][] = [];
      for (let i = 0; i < BATCH; i++) {
        if (expected[i]!.bytes[RESULT_VECTOR] !== VECTOR_TIMEOUT) await this.try(batch.cases[i]!, expected[i]!, found);
        this.cases++;
      }
      for (const [mutant, mismatch] of found) await this.report(mutant, mismatch);
    }
    for (const mutant of this.mutants) if (mutant.found === undefined) mutant.cases = this.cases;
  }

  /** Runs a case without an error, and then with each error that its instruction has. */
  private async try(test: Case, expected: Result, found: [Mutant, Mismatch][]): Promise<void> {
    this.takeReached();
    const right = this.runner.run(test);
    const reached = this.takeReached();
    await this.mustAgree(test, expected, right);
    for (const number of reached) {
      const mutant = this.mutants[number - 1]!;
      if (mutant.found !== undefined) continue;
      mutant.reached++;
      const tier = this.tierOf(mutant);
      let actual = tier.run(test);
      // What did not end has to do so twice.
      if (actual.bytes[RESULT_VECTOR] === VECTOR_TIMEOUT) {
        this.runner = await this.create();
        actual = tier.run(test);
      }
      const differences = compare(test, expected, actual);
      if (differences.length === 0) continue;
      mutant.found = "";
      mutant.cases = this.cases + 1;
      found.push([mutant, mismatchOf(formOf(test), tier, test, expected, actual, differences)]);
      // The error may have broken more than the case.
      this.runner = await this.create();
    }
  }

  private async mustAgree(test: Case, expected: Result, actual: Result): Promise<void> {
    const differences = compare(test, expected, actual);
    if (differences.length === 0) return;
    this.runner = await this.create();
    const again = this.runner.run(test);
    const rest = compare(test, expected, again);
    if (rest.length === 0 || again.bytes[RESULT_VECTOR] === VECTOR_TIMEOUT) return;
    const tier = { name: "interp", share: 1, runs: () => true, run: (one: Case) => this.runner.run(one) };
    throw new Error(
      `differs without an error: ${describe(mismatchOf(formOf(test), tier, test, expected, again, rest))}`,
    );
  }

  private takeReached(): number[] {
    const numbers: number[] = [];
    for (let word = 0; word * 64 < this.mutants.length; word++) {
      const bits = this.core.takeReached(word);
      if (bits !== 0n) for (let i = 0; i < 64; i++) if ((bits >> BigInt(i)) & 1n) numbers.push(word * 64 + i + 1);
    }
    return numbers;
  }

  private tierOf({ number }: Mutant): Tier {
    return {
      name: `mutant ${number}`,
      share: 1,
      runs: () => true,
      run: (test) => {
        this.core.setMutant(number);
        const result = this.runner.run(test);
        this.core.setMutant(0);
        return result;
      },
    };
  }

  private async report(mutant: Mutant, mismatch: Mismatch): Promise<void> {
    const engine = new Engine(this.silicon, [], this.generator);
    mutant.found = describe(await engine.minimize(mismatch));
    this.runner = await this.create();
    this.options.onFound?.(mutant);
  }
}
