// Rounds of two runs of the bench in one set of results: where others use the machine too, more rounds are wanted than
// one run can be waited for.
import type { Results } from "./results.ts";

/** What is known of results before anything is measured. */
type Conditions = Pick<Results, "revision" | "host" | "options" | "runners">;

/** What each round adds to. */
interface Measured {
  readonly runs: readonly unknown[];
  readonly failures: readonly string[];
}

/** Why rounds of `later` cannot stand beside those of `earlier`, a line each. Runners that only one has are no reason. */
export function differences(earlier: Conditions, later: Conditions): string[] {
  const of = ({ revision, host, options, runners }: Conditions): [string, unknown][] => [
    ["revision", revision],
    ["processor", host.processor],
    ["cores", host.cores],
    ["quick", options.quick],
    ["scale", options.scale],
    ["learn", options.learn ?? 1],
    ["together", options.together],
    ...Object.keys(earlier.runners)
      .filter((name) => name in later.runners)
      .map((name): [string, unknown] => [name, runners[name]]),
  ];
  const now = of(later);
  const lines = of(earlier).flatMap(([what, value], i) =>
    value === now[i]![1] ? [] : [`${what}: ${value} there, ${now[i]![1]} here`],
  );
  // Two of its kind may be different programs.
  if (later.revision.endsWith("+")) lines.push(`revision: ${later.revision} has changes that are in no commit`);
  return lines;
}

/**
 * The rounds of `later` behind those of `earlier`, which they must not differ from (differences()). Boots and programs
 * have rounds. Of all else, and of the date and the machine, what `earlier` says stays.
 */
export function joined(earlier: Results, later: Results): Results {
  const before = earlier.options.reps;
  const reps = before + later.options.reps;
  const renumbered = later.programs?.map((result) => ({
    ...result,
    runs: result.runs.map((run) => ({ ...run, round: run.round + before })),
  }));
  const boot = both(earlier.boot, later.boot, ({ kernel, runner }) => `${kernel} ${runner}`);
  const programs = both(earlier.programs, renumbered, ({ program, runner, bits }) => `${program} ${runner} ${bits}`);
  const notRun = [
    ...earlier.notRun,
    ...later.notRun,
    ...missing(earlier, later, 1, before),
    ...missing(later, earlier, before + 1, reps),
  ];
  return {
    ...later,
    ...earlier,
    options: { ...earlier.options, reps },
    runners: { ...earlier.runners, ...later.runners },
    notRun: [...new Set(notRun)],
    ...(boot ? { boot } : {}),
    ...(programs ? { programs } : {}),
  };
}

/** Runs and failures of both, those of the same key together; undefined where neither has measured the part. */
function both<One extends Measured>(
  earlier: readonly One[] | undefined,
  later: readonly One[] | undefined,
  key: (one: One) => string,
): One[] | undefined {
  if (!earlier && !later) return undefined;
  const all = new Map((earlier ?? []).map((one) => [key(one), one]));
  for (const one of later ?? []) {
    const { runs, failures } = all.get(key(one)) ?? { runs: [], failures: [] };
    all.set(key(one), { ...one, runs: [...runs, ...one.runs], failures: [...failures, ...one.failures] });
  }
  return [...all.values()];
}

/** The line that tells what `own`, which has the rounds from `first` to `last`, has not measured and `other` has. */
function missing(own: Results, other: Results, first: number, last: number): string[] {
  const has = contents(own);
  const names = [...contents(other)].filter((name) => !has.has(name));
  const rounds = first === last ? `round ${first}` : `rounds ${first} to ${last}`;
  return names.length === 0 ? [] : [`not in ${rounds}: ${names.join(", ")}`];
}

/** Names of what has rounds. */
function contents({ boot = [], programs = [] }: Results): Set<string> {
  return new Set([
    ...boot.map(({ kernel }) => `boots of ${kernel}`),
    ...programs.map(({ program, bits }) => `${bits}-bit ${program}`),
    ...[...boot, ...programs].map(({ runner }) => runner),
  ]);
}
