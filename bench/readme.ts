// README's figures: one table out of one file of results, between two marks.
import { type Cell, table } from "./markdown-table.ts";
import { median } from "./median.ts";
import { meanRatio, ratio } from "./program-figures.ts";
import { type Kind, PROGRAMS } from "./program-list.ts";
import type { Results } from "./results.ts";

const BEGIN = /<!-- bench: begin (\S+) -->/;
const END = "<!-- bench: end -->";

type Bits = 32 | 64;

/** A column's title, and the runners whose figures stand in it: some have another name for each width. */
const COLUMNS: readonly { readonly title: string; readonly runners: readonly string[] }[] = [
  { title: "wkvm", runners: ["wkvm-jit"] },
  { title: "wkvm, interpreted", runners: ["wkvm-interp"] },
  { title: "wkvm, in TypeScript", runners: ["wkvm-ts"] },
  { title: "QEMU's TCG", runners: ["tcg", "tcg-i386"] },
  { title: "v86", runners: ["v86"] },
  { title: "Bochs", runners: ["bochs"] },
];
/** Programs that have a row of their own: what wkvm is good at, what it is bad at, and what is between. */
const SHOWN = ["integer", "matrix", "simd", "x87", "gzip", "lua", "rewrite", "syscalls", "forks", "faults"];

/** The name of the results file that the README's figures come from. Throws where it has no marks. */
export function quotedFile(readme: string): string {
  const name = BEGIN.exec(readme)?.[1];
  if (name === undefined) throw new Error(`README has no line like ${BEGIN.source}`);
  return name;
}

/** The README with the figures of these results; `file`: their path from the repository's root, ending in .json. */
export function withFigures(readme: string, file: string, results: Results): string {
  const begin = BEGIN.exec(readme);
  const end = readme.indexOf(END);
  if (!begin || end < begin.index) throw new Error(`README has no lines ${BEGIN.source} and ${END}`);
  return `${readme.slice(0, begin.index)}<!-- bench: begin ${file} -->\n${section(file, results)}${readme.slice(end)}`;
}

function section(file: string, results: Results): string {
  const rows = [
    ...bootRows(results),
    ...programRows(results, 64),
    ...programRows(results, 32),
    ...smallRows(results),
  ].filter(({ values }) => values.some((value) => value !== ""));
  const used = COLUMNS.map((_, column) => rows.some(({ values }) => values[column] !== ""));
  const chosen = <T>(cells: readonly T[]): T[] => cells.filter((_, column) => used[column]);
  const head = ["", ...chosen(COLUMNS.map(({ title }) => title))];
  const body = rows.map(({ label, values }): Cell[] => [label, ...chosen(values)]);
  const picture = file.replace(/\.json$/, ".svg");
  return `${source(results)}\n\n${table(head, body)}\n![Ratios](${picture})\n`;
}

/** Where the figures come from, in words. */
function source({ date, revision, host, options, runners }: Results): string {
  const rounds = `${options.reps} round${options.reps === 1 ? "" : "s"}`;
  const learn = options.learn ?? 1;
  const times = learn === 1 ? "once" : `${learn} times`;
  const others = ["tcg", "v86", "bochs"].flatMap((name) => runners[name]?.split(",")[0] ?? []);
  return `Revision ${revision} on ${date.slice(0, 10)}: ${host.cores} cores of ${host.processor}, ${host.system}, Node ${host.node};
${[...others, rounds].join("; ")}; load average ${host.loadBefore} before. Processor time of the whole process, V8's compiler
threads included; programs as multiples of the same program natively, in a guest that has run them ${times}.`;
}

interface Row {
  readonly label: string;
  /** One a column; empty where there is no figure. */
  readonly values: readonly string[];
}

function row(label: string, of: (runner: string) => number | undefined, text: (value: number) => string): Row {
  const values = COLUMNS.map(({ runners }) => {
    const figures = runners.map(of).filter((value) => value !== undefined && Number.isFinite(value) && value > 0);
    return figures.length > 0 ? text(figures[0]!) : "";
  });
  return { label, values };
}

const seconds = (value: number): string => `${value.toFixed(1)} s`;
const times = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)}×`;

function bootRows({ boot = [] }: Results): Row[] {
  return [...new Set(boot.map(({ kernel }) => kernel))].map((kernel) => {
    const of = (runner: string): number =>
      median(
        boot.find((one) => one.kernel === kernel && one.runner === runner)?.runs.map((run) => run.cpuSeconds) ?? [],
      );
    return row(`Debian's Linux ${kernel} to userland`, of, seconds);
  });
}

function programRows({ programs = [] }: Results, bits: Bits): Row[] {
  const own = programs.filter((result) => result.bits === bits);
  const names = [...new Set(own.map(({ program }) => program))];
  const mean = (kind: Kind): Row => {
    const chosen = names.filter((name) => PROGRAMS[name]?.kind === kind);
    const label = `**${chosen.length} ${bits}-bit ${kind} programs, geometric mean**`;
    return row(label, (runner) => meanRatio(own, chosen, { runner, bits }, "native", "warm"), times);
  };
  const single = SHOWN.filter((name) => bits === 64 && names.includes(name)).map((program) =>
    row(PROGRAMS[program]?.what ?? program, (runner) => ratio(own, { program, runner, bits }, "native", "warm"), times),
  );
  return [mean("compute"), mean("system"), ...single];
}

function smallRows({ idle = [], start = [] }: Results): Row[] {
  return [
    row(
      "an idle shell's use of a core",
      (runner) => idle.find((one) => one.runner === runner)?.cpuPercent,
      (value) => `${value.toFixed(1)}%`,
    ),
    row(
      "process start to the first guest instruction",
      (runner) => median(start.find((one) => one.runner === runner)?.millisecondsToFirstInstruction ?? []),
      (value) => `${value.toFixed(0)} ms`,
    ),
  ];
}
