// The guest programs' figures as Markdown: times native, wkvm against each peer, and how the time was measured.
import { type Cell, milliseconds, table, times } from "./markdown-table.ts";
import { WKVM } from "./peers/wkvm.ts";
import { meanRatio, processorSeconds, programSeconds, ratio, type Temperature } from "./program-figures.ts";
import { PROGRAMS } from "./program-list.ts";
import type { ProgramResult } from "./results.ts";

type Bits = ProgramResult["bits"];

/** One width's results. */
interface Width {
  readonly bits: Bits;
  readonly results: readonly ProgramResult[];
  readonly programs: readonly string[];
  readonly runners: readonly string[];
}

export function programTables(results: readonly ProgramResult[]): string[] {
  return ([64, 32] as const).flatMap((bits) => {
    const own = results.filter((result) => result.bits === bits);
    if (own.length === 0) return [];
    const programs = [...new Set(own.map(({ program }) => program))];
    const width = { bits, results: own, programs, runners: [...new Set(own.map(({ runner }) => runner))] };
    return [nativeTable(width), versusTables(width), measuredTable(width)].filter((text) => text !== "");
  });
}

/** Rows of programs, and of means over kinds of programs. */
function rows(
  { programs }: Width,
  cells: (program: string) => Cell[],
  means: (programs: string[]) => Cell[],
): Cell[][] {
  const mean = (label: string, chosen: string[]): Cell[][] =>
    chosen.length > 1 ? [[`**geometric mean, ${label}**`, ...means(chosen)]] : [];
  const kind = (name: string): string[] => programs.filter((program) => PROGRAMS[program]?.kind === name);
  return [
    ...programs.map((program) => [`${program}: ${PROGRAMS[program]?.what ?? ""}`, ...cells(program)]),
    ...mean("compute", kind("compute")),
    ...mean("system", kind("system")),
  ];
}

/** Cold and warm, as one cell. */
const both = (of: (temperature: Temperature) => number): string => {
  const [cold, warm] = [of("cold"), of("warm")];
  return Number.isNaN(cold) && Number.isNaN(warm) ? "-" : `${times(cold)} / ${times(warm)}`;
};

function nativeTable(width: Width): string {
  const { bits, results, runners } = width;
  const others = runners.filter((runner) => runner !== "native");
  const title = `## ${bits}-bit guest programs\n`;
  if (!runners.includes("native") || others.length === 0) return title;
  const body = rows(
    width,
    (program) => [
      milliseconds(programSeconds(results, { program, runner: "native", bits }, "warm")),
      ...others.map((runner) => both((heat) => ratio(results, { program, runner, bits }, "native", heat))),
    ],
    (chosen) => [
      "",
      ...others.map((runner) => both((heat) => meanRatio(results, chosen, { runner, bits }, "native", heat))),
    ],
  );
  const text = "Processor time of the whole process as a multiple of native: cold (first run in a process) / warm.";
  return `${title}\n${text}\n\n${table(["", "native ms", ...others], body)}`;
}

/** How many times faster wkvm is than each peer. */
function versusTables(width: Width): string {
  const { bits, results, runners } = width;
  const peers = runners.filter((runner) => runner !== "native" && !runner.startsWith(WKVM));
  const own = runners.filter((runner) => runner.startsWith(WKVM));
  if (peers.length === 0) return "";
  return own
    .map((base) => {
      const columns = peers.flatMap((runner) => [
        { title: runner, runner },
        { title: `${runner}, least`, runner, typical: Math.min },
      ]);
      const body = rows(
        width,
        (program) =>
          columns.map(({ runner, typical }) =>
            both((heat) => ratio(results, { program, runner, bits }, base, heat, typical)),
          ),
        (chosen) =>
          columns.map(({ runner, typical }) =>
            both((heat) => meanRatio(results, chosen, { runner, bits }, base, heat, typical)),
          ),
      );
      const text = `How many times the processor time of ${base} each takes, cold / warm: above 1, ${base} is faster. By the medians of the rounds, and by the least time of each, which others on the machine have lengthened least.`;
      return `### ${bits}-bit programs: ${base} and its peers\n\n${text}\n\n${table(["", ...columns.map(({ title }) => title)], body)}`;
    })
    .join("\n");
}

/** Beside the processor time: the busiest thread's, wall time, and what the guest's own clock says. */
function measuredTable({ bits, results, programs, runners }: Width): string {
  const body = programs.flatMap((program) =>
    runners.map((runner) => {
      const cell = { program, runner, bits };
      const figures = (heat: Temperature): string[] => [
        milliseconds(programSeconds(results, cell, heat, processorSeconds)),
        milliseconds(programSeconds(results, cell, heat, (run) => run.busiestThreadSeconds)),
        milliseconds(programSeconds(results, cell, heat, (run) => run.wallSeconds)),
        milliseconds(programSeconds(results, cell, heat, (run) => run.guestSeconds)),
      ];
      return [`${program} under ${runner}`, ...figures("cold"), ...figures("warm")];
    }),
  );
  const head = (heat: Temperature): string[] => [`${heat}: cpu ms`, "busiest thread ms", "wall ms", "guest's clock ms"];
  return `<details><summary>${bits}-bit programs: milliseconds by every clock</summary>\n\n${table(["", ...head("cold"), ...head("warm")], body)}\n</details>\n`;
}
