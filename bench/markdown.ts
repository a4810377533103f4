// Results as Markdown: medians, and ratios to wkvm's within the same run.
import { type Cell, percent, seconds, table, times } from "./markdown-table.ts";
import { median } from "./median.ts";
import { WKVM } from "./peers/wkvm.ts";
import { programTables } from "./program-tables.ts";
import type { BootResult, CounterResult, ProfileResult, Results, TraceResult } from "./results.ts";

/** The whole report. */
export function markdown(results: Results, chart: string): string {
  const parts = [header(results)];
  if (results.boot ?? results.programs) parts.push(`![Ratios](${chart})\n`);
  if (results.boot) parts.push(bootTable(results));
  if (results.counters) parts.push(counterTable(results));
  if (results.programs?.length) parts.push(...programTables(results.programs));
  if (results.events?.length) parts.push(eventTable(results));
  if (results.vms?.length) parts.push(vmsTable(results));
  if (results.size || results.start || results.idle) parts.push(smallFigures(results));
  for (const traces of results.traces ?? []) parts.push(traceTable(traces));
  for (const profile of results.profiles ?? []) parts.push(profileTables(profile));
  const failures = failuresOf(results);
  if (failures.length > 0)
    parts.push(`## Not run, or gone wrong\n\n${failures.map((line) => `- ${line}`).join("\n")}\n`);
  return parts.join("\n");
}

function header({ date, revision, host, options, runners }: Results): string {
  const processes = options.together ? "one process for all programs of a runner" : "a fresh process for each program";
  const load = `load average ${host.loadBefore} before the run`;
  return `# Bench of ${date.slice(0, 10)}

Revision ${revision}. ${host.processor}, ${host.cores} cores, ${host.memoryGiB} GiB, ${host.system}, Linux ${host.kernel},
Node ${host.node} (V8 ${host.v8}); ${load}. ${options.reps} interleaved round${options.reps === 1 ? "" : "s"},
${processes}, runs of ${options.scale} units; medians. Processor time is that of all threads of the process, compilers' included.

${Object.entries(runners)
  .map(([name, what]) => `- **${name}**: ${what}`)
  .join("\n")}
`;
}

function bootTable({ boot = [] }: Results): string {
  const medianOf = (result: BootResult | undefined): number =>
    median((result?.runs ?? []).map((run) => run.cpuSeconds));
  /** The first of wkvm's accelerators is its default. */
  const own = (kernel: string): BootResult | undefined =>
    boot.find((b) => b.kernel === kernel && b.runner.startsWith(WKVM));
  const rows = boot
    .filter(({ runs }) => runs.length > 0)
    .map(({ kernel, runner, runs }) => [
      `${kernel} under ${runner}`,
      seconds(median(runs.map((run) => run.cpuSeconds))),
      seconds(median(runs.map((run) => run.busiestThreadSeconds))),
      seconds(median(runs.map((run) => run.wallSeconds))),
      times(median(runs.map((run) => run.cpuSeconds)) / medianOf(own(kernel))),
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
  return `## Boot\n\nDebian's cloud kernels and its 32-bit one, plain command line, 256 MiB, to the first line of a shell script.\n\n${table(head, rows)}`;
}

function counterTable({ counters = [] }: Results): string {
  const count = (number: number): string => number.toLocaleString("en");
  const rows = counters.map((result) => [
    `${result.kernel} under ${result.runner}`,
    (result.instructions / 1e6).toFixed(0),
    seconds(result.cpuSeconds),
    result.millionInstructionsPerSecond.toFixed(0),
    result.millisecondsToFirstInstruction,
    inRegions(result),
    count(result.counters["tracesBuilt"] ?? 0),
    count(result.counters["regionsBuilt"] ?? 0),
    count(result.counters["tlbMisses"] ?? 0),
    count(result.counters["pageFaults"] ?? 0),
  ]);
  const head = [
    ...["wkvm boots", "million instructions", "cpu s", "million/s", "ms to the first", "in regions"],
    ...["traces", "regions", "TLB misses", "page faults"],
  ];
  const exits = counters.map(({ kernel, runner, exits: reasons }) => {
    const list = Object.entries(reasons).sort((a, b) => b[1] - a[1]);
    return `- ${kernel} under ${runner}: ${list.map(([reason, times]) => `${count(times)} ${reason}`).join(", ")}`;
  });
  const text = "Processor time from the first instruction on; what comes before is mostly the unpacking of the kernel.";
  return `## The core's counters\n\n${text}\n\n${table(head, rows)}\nExits by reason:\n\n${exits.join("\n")}\n`;
}

/** The share of instructions that translated code has executed; nothing for cores that do not translate. */
function inRegions({ counters }: CounterResult): string {
  const translated = counters["regionInstructions"];
  return translated ? percent(translated / counters["instructions"]!) : "-";
}

function eventTable({ events = [] }: Results): string {
  const rows = events.map(({ runner, nanoseconds: ns }) => [
    runner,
    ...[ns.pio, ns.mmio, ns.inCore, ns.exception, ns.tlbMiss, ns.tlbFlush],
  ]);
  const head = ["ns of processor time", "OUT", "MMIO store", "IN from the PIC", "#UD and IRET", "TLB miss", "CR3 load"];
  const text =
    "A bare 32-bit guest repeats single events. OUT and the store go to devices, which wkvm has on the user side.";
  return `## Events\n\n${text}\n\n${table(head, rows)}`;
}

function vmsTable({ vms = [] }: Results): string {
  const rows = vms.map((result) => [
    `${result.runner}, ${result.vms} of ${result.ramMiB} MiB`,
    result.startedPerSecond.toFixed(0),
    result.mebibytesEach.toFixed(1),
    result.aloneMillionPerSecond.toFixed(0),
    result.togetherMillionPerSecond.toFixed(0),
  ]);
  const head = ["Machines in one process", "started/s", "MiB each", "million instr./s, one alone", "all in turn"];
  return `## Many virtual machines\n\n${table(head, rows)}`;
}

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

function profileTables({ what, runner, samples, functions, tiers }: ProfileResult): string {
  const total = Object.values(tiers).reduce((sum, value) => sum + value, 0);
  const tierRows: Cell[][] = [
    ["core (interpreter, translator, MMU)", tiers.core],
    ["translated regions", tiers.regions],
    ["host (devices, run loop)", tiers.host],
    ["garbage collection", tiers.garbageCollection],
    ["other threads (V8's compilers)", tiers.otherThreads],
  ].map(([name, value]) => [name as string, seconds(value as number), percent((value as number) / total)]);
  const functionRows = functions.map(({ name, share }) => [name, percent(share)]);
  return `## Profile of ${what} under ${runner}

${table(["Part of wkvm", "s", "share"], tierRows)}
${table([`Guest function (${samples} samples)`, "share"], functionRows)}`;
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
    ...programs.flatMap(({ program, runner, bits, failures }) =>
      failures.map((text) => `${bits}-bit ${program} under ${runner}: ${text}`),
    ),
  ];
}
