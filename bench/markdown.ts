// Results as Markdown: medians, and ratios to wkvm's within the same run.
import { geometricMean, median } from "./median.ts";
import { PROGRAMS } from "./programs.ts";
import type { ProgramResult, ProgramRun, Results, TraceResult } from "./results.ts";

type Cell = string | number;

function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]): string => `| ${cells.join(" | ")} |`;
  const rule = `|${head.map((_, index) => (index === 0 ? " --- " : " ---: ")).join("|")}|`;
  return `${[line(head), rule, ...rows.map(line)].join("\n")}\n`;
}

const seconds = (value: number): string => (Number.isNaN(value) ? "-" : value.toFixed(value < 10 ? 2 : 1));
const times = (value: number): string => (Number.isNaN(value) ? "-" : `${value.toFixed(value < 10 ? 2 : 1)}×`);
const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

/** The whole report. */
export function markdown(results: Results, chart: string): string {
  const parts = [header(results)];
  if (results.boot ?? results.programs) parts.push(`![Ratios](${chart})\n`);
  if (results.boot) parts.push(bootTable(results));
  if (results.counters) parts.push(counterTable(results));
  if (results.programs?.length) parts.push(programTable(results));
  if (results.size || results.start || results.idle) parts.push(smallFigures(results));
  for (const traces of results.traces ?? []) parts.push(traceTable(traces));
  const failures = failuresOf(results);
  if (failures.length > 0)
    parts.push(`## Not run, or gone wrong\n\n${failures.map((line) => `- ${line}`).join("\n")}\n`);
  return parts.join("\n");
}

function header({ date, revision, host, options, runners }: Results): string {
  const load = `load average ${host.loadBefore} before the run`;
  return `# Bench of ${date.slice(0, 10)}

Revision ${revision}. ${host.processor}, ${host.cores} cores, ${host.memoryGiB} GiB, ${host.system}, Linux ${host.kernel},
Node ${host.node} (V8 ${host.v8}); ${load}. ${options.reps} interleaved round${options.reps === 1 ? "" : "s"}, a
fresh process each; medians. Processor time is that of all threads of the process.

${Object.entries(runners)
  .map(([name, what]) => `- **${name}**: ${what}`)
  .join("\n")}
`;
}

function bootTable({ boot = [] }: Results): string {
  const medianOf = (kernel: string, runner: string): number =>
    median(boot.find((b) => b.kernel === kernel && b.runner === runner)?.runs.map((run) => run.cpuSeconds) ?? []);
  const rows = boot
    .filter(({ runs }) => runs.length > 0)
    .map(({ kernel, runner, runs }) => [
      `${kernel} under ${runner}`,
      seconds(median(runs.map((run) => run.cpuSeconds))),
      seconds(median(runs.map((run) => run.busiestThreadSeconds))),
      seconds(median(runs.map((run) => run.wallSeconds))),
      times(median(runs.map((run) => run.cpuSeconds)) / medianOf(kernel, "wkvm")),
      median(runs.map((run) => run.memory.beyondGuestMiB)).toFixed(0),
      median(runs.map((run) => run.memory.peakMiB)).toFixed(0),
    ]);
  const head = [
    "Boot to userland",
    "cpu s",
    "busiest thread s",
    "wall s",
    "cpu / wkvm's",
    "MiB beyond guest RAM",
    "peak MiB",
  ];
  return `## Boot\n\nDebian's cloud kernels, plain command line, 256 MiB, to the first line of a shell script.\n\n${table(head, rows)}`;
}

function counterTable({ counters = [] }: Results): string {
  const rows = counters.map((result) => [
    result.kernel,
    (result.instructions / 1e6).toFixed(0),
    seconds(result.cpuSeconds),
    result.millionInstructionsPerSecond.toFixed(0),
    result.millisecondsToFirstInstruction,
    (result.counters["tracesBuilt"] ?? 0).toLocaleString("en"),
    (result.counters["tlbMisses"] ?? 0).toLocaleString("en"),
    (result.counters["pageFaults"] ?? 0).toLocaleString("en"),
    Object.values(result.exits)
      .reduce((a, b) => a + b, 0)
      .toLocaleString("en"),
  ]);
  const head = [
    "wkvm boots",
    "million instructions",
    "cpu s",
    "million/s",
    "ms to the first",
    "traces",
    "TLB misses",
    "page faults",
    "exits",
  ];
  return `## The core's counters\n\nProcessor time from the first instruction on; what comes before is mostly the unpacking of the kernel.\n\n${table(head, rows)}`;
}

/**
 * Processor time of a run: of the whole process, which the busiest thread tells more finely where that is all there is;
 * natively, of the program alone.
 */
function processorSeconds(run: ProgramRun, runner: string): number {
  return runner === "native" ? run.guestCpuSeconds : Math.max(run.cpuSeconds, run.busiestThreadSeconds);
}

/** The median of the warm runs. */
function programMedian(
  results: readonly ProgramResult[],
  program: string,
  runner: string,
  seconds: (run: ProgramRun, runner: string) => number = processorSeconds,
): number {
  const runs = results.find((r) => r.program === program && r.runner === runner)?.runs ?? [];
  const warm = runs.filter(({ repeat }) => repeat > 0);
  return median((warm.length > 0 ? warm : runs).map((run) => seconds(run, runner)));
}

/** Time as a multiple of `of`'s. */
export function ratio(results: readonly ProgramResult[], program: string, runner: string, of: string): number {
  return programMedian(results, program, runner) / programMedian(results, program, of);
}

function programTable({ programs = [] }: Results): string {
  const names = [...new Set(programs.map(({ program }) => program))];
  const runners = [...new Set(programs.map(({ runner }) => runner))];
  const others = runners.filter((name) => name !== "native");
  const rows: Cell[][] = names.map((name) => [
    `${name}: ${PROGRAMS[name as keyof typeof PROGRAMS] ?? ""}`,
    ...runners.map((runner) => seconds4(programMedian(programs, name, runner))),
    seconds4(programMedian(programs, name, "wkvm", (run) => run.guestSeconds)),
    ...others.map((runner) => times(ratio(programs, name, runner, "native"))),
    times(ratio(programs, name, "wkvm", "tcg")),
  ]);
  const mean = (runner: string, of: string): string =>
    times(geometricMean(names.map((name) => ratio(programs, name, runner, of)).filter((value) => value > 0)));
  rows.push([
    "geometric mean",
    ...runners.map(() => ""),
    "",
    ...others.map((runner) => mean(runner, "native")),
    mean("wkvm", "tcg"),
  ]);
  const head = [
    "Guest program",
    ...runners.map((name) => `${name} s`),
    "wkvm's guest clock s",
    ...others.map((name) => `${name} / native`),
    "wkvm / tcg",
  ];
  return `## Guest programs\n\nSecond run in one boot: processor time of the whole process; beside it the guest's own clock in wkvm.\n\n${table(head, rows)}`;
}

const seconds4 = (value: number): string => (Number.isNaN(value) ? "-" : value.toFixed(4));

function smallFigures({ size, start = [], idle = [] }: Results): string {
  const rows: Cell[][] = [];
  if (size) {
    rows.push(["core.wasm, gzipped", `${(size.coreGzippedBytes / 1024).toFixed(0)} KiB`]);
    rows.push(["core.wasm", `${(size.coreBytes / 1024).toFixed(0)} KiB`]);
  }
  for (const { runner, guest, millisecondsToFirstInstruction } of start) {
    rows.push([
      `${runner}: process start to first instruction (${guest})`,
      `${median(millisecondsToFirstInstruction).toFixed(0)} ms`,
    ]);
  }
  for (const { runner, cpuPercent, memory } of idle) {
    rows.push([`${runner}: an idle shell's use of a core`, `${cpuPercent.toFixed(1)}%`]);
    rows.push([`${runner}: memory beyond guest RAM at the shell`, `${memory.beyondGuestMiB.toFixed(0)} MiB`]);
    rows.push([`${runner}: peak of resident memory, guest RAM included`, `${memory.peakMiB.toFixed(0)} MiB`]);
  }
  return `## Small figures\n\n${table(["", ""], rows)}`;
}

function traceTable(traces: TraceResult): string {
  const summary = `${(traces.instructions / 1e6).toFixed(0)} million instructions in ${traces.heads.toLocaleString("en")} traces on ${traces.pages.toLocaleString("en")} pages, ${(traces.entries / 1e6).toFixed(0)} million entries, ${traces.averageLength.toFixed(2)} instructions an entry (${(traces.retired / 1e6).toFixed(0)} million instructions retired).`;
  const hottest = table(
    ["Hottest traces", "share of all instructions"],
    traces.hottest.map(({ heads, share }) => [heads.toLocaleString("en"), percent(share)]),
  );
  const over = table(
    ["Entered more often than", "traces", "share of all instructions"],
    traces.over.map((row) => [row.times.toLocaleString("en"), row.heads.toLocaleString("en"), percent(row.share)]),
  );
  const top = table(
    ["Physical address", "length", "entries", "share"],
    traces.top.map((head) => [head.gpa, head.length, head.entries.toLocaleString("en"), percent(head.share)]),
  );
  return `## Traces of a ${traces.kernel} boot\n\n${summary}\n\n${hottest}\n${over}\n${top}`;
}

function failuresOf({ notRun, boot = [], programs = [] }: Results): string[] {
  return [
    ...notRun,
    ...boot.flatMap(({ kernel, runner, failures }) =>
      failures.map((text) => `boot of ${kernel} under ${runner}: ${text}`),
    ),
    ...programs.flatMap(({ program, runner, failures }) =>
      failures.map((text) => `${program} under ${runner}: ${text}`),
    ),
  ];
}
