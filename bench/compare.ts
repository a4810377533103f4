// Whether this revision is slower than the one that it was measured beside.
import { percent, table, times } from "./markdown-table.ts";
import { geometricMean, median } from "./median.ts";
import { WKVM } from "./peers/wkvm.ts";
import type { Results } from "./results.ts";

/** What the names of the other revision's runners begin with. */
export const BASE = "base-";

/** Processor times of the same work in two revisions. */
interface Pair {
  readonly what: string;
  readonly now: readonly number[];
  readonly base: readonly number[];
}

export interface Comparison {
  readonly what: string;
  /** This revision's median time as a multiple of the other one's. */
  readonly ratio: number;
  readonly slower: boolean;
}

/**
 * One comparison for each thing that both have run, and the last for all of them. `tolerance`: the share by which a time
 * may grow. A time has grown if the median and the smallest have: whatever else a machine does only adds to times. The
 * mean of all varies less than any one of them, and may grow by half as much.
 */
export function compare(results: Results, tolerance: number): Comparison[] {
  const single = pairsOf(results).map(({ what, now, base }): Comparison => {
    const ratio = median(now) / median(base);
    const least = Math.min(...now) / Math.min(...base);
    return { what, ratio, slower: Math.min(ratio, least) > 1 + tolerance };
  });
  if (single.length < 2) return single;
  const ratio = geometricMean(single.map((comparison) => comparison.ratio));
  return [...single, { what: "geometric mean", ratio, slower: ratio > 1 + tolerance / 2 }];
}

function pairsOf({ programs = [], boot = [] }: Results): Pair[] {
  const own = (runner: string): boolean => runner.startsWith(WKVM);
  const baseOf = (runner: string): string => BASE + runner.slice(WKVM.length);
  const seconds = (runs: readonly { readonly cpuSeconds: number }[] = []): number[] =>
    runs.map((run) => run.cpuSeconds);
  const boots = boot
    .filter(({ runner }) => own(runner))
    .map(({ kernel, runner, runs }) => ({
      what: `boot of ${kernel}, ${runner}`,
      now: seconds(runs),
      base: seconds(boot.find((b) => b.kernel === kernel && b.runner === baseOf(runner))?.runs),
    }));
  const heats = (["cold", "warm"] as const).flatMap((heat) =>
    programs
      .filter(({ runner }) => own(runner))
      .map(({ program, bits, runner, runs }) => {
        const other = programs.find((p) => p.program === program && p.bits === bits && p.runner === baseOf(runner));
        const chosen = (all: typeof runs = []): typeof runs =>
          all.filter(({ repeat }) => repeat > 0 === (heat === "warm"));
        return {
          what: `${bits}-bit ${program}, ${heat}, ${runner}`,
          now: seconds(chosen(runs)),
          base: seconds(chosen(other?.runs)),
        };
      }),
  );
  return [...boots, ...heats].filter(({ now, base }) => now.length > 0 && base.length > 0);
}

/** The comparisons as Markdown, the losses first. */
export function comparisonTable(comparisons: readonly Comparison[], commit: string, tolerance: number): string {
  const sorted = [...comparisons].sort((a, b) => Number(b.slower) - Number(a.slower) || b.ratio - a.ratio);
  const rows = sorted.map(({ what, ratio, slower }) => [what, times(ratio), slower ? "**slower**" : ""]);
  const losses = comparisons.filter(({ slower }) => slower).length;
  const summary = losses === 0 ? "Nothing is slower" : `${losses} of ${comparisons.length} are slower`;
  const head = ["", `time / ${commit}'s`, ""];
  return `## Against ${commit}\n\n${summary} by more than ${percent(tolerance)}.\n\n${table(head, rows)}`;
}
