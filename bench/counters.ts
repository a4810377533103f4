// What the core counts over a boot: instructions, exits, TLB misses; and which traces it spends them in.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PLAIN } from "./boot.ts";
import { attempt, type Context } from "./context.ts";
import type { GuestFiles, GuestKernel } from "./guest-files.ts";
import { bootInitramfs } from "./initramfs.ts";
import { withProcess } from "./measured-process.ts";
import { median } from "./median.ts";
import { RAM_BYTES } from "./peers/emulator.ts";
import type { CounterResult, TraceResult } from "./results.ts";
import type { TraceDistribution } from "./trace-counts.ts";

const TIMEOUT_SECONDS = 300;
const TRACES_TIMEOUT_SECONDS = 900;

interface ProbeOutput {
  readonly exits: Record<string, number>;
  readonly counters: Record<string, number>;
  readonly cpuSeconds: number;
  readonly millisecondsToFirstInstruction: number;
  readonly traces?: TraceDistribution;
}

export async function countersPart(context: Context): Promise<CounterResult[]> {
  const results: CounterResult[] = [];
  for (const { files, kernel } of kernelsOf(context)) {
    const runs: ProbeOutput[] = [];
    for (let round = 0; round < context.options.reps; round++) {
      const outcome = await attempt(context, `counters of ${kernel.version}`, () =>
        probe(context, files, kernel, false),
      );
      if ("value" in outcome) runs.push(outcome.value);
      else context.skip(`counters of ${kernel.version}: ${outcome.failure}`);
    }
    const last = runs.at(-1);
    if (!last) continue;
    const instructions = median(runs.map(({ counters }) => counters["instructions"]!));
    const cpuSeconds = median(runs.map((run) => run.cpuSeconds));
    const millionInstructionsPerSecond = median(
      runs.map((run) => run.counters["instructions"]! / run.cpuSeconds / 1e6),
    );
    context.say(
      `${kernel.version}: ${(instructions / 1e6).toFixed(0)} million instructions, ${millionInstructionsPerSecond.toFixed(0)} million a second`,
    );
    results.push({
      kernel: kernel.version,
      instructions,
      cpuSeconds,
      millionInstructionsPerSecond,
      millisecondsToFirstInstruction: median(runs.map((run) => run.millisecondsToFirstInstruction)),
      exits: last.exits,
      counters: last.counters,
      runs: runs.length,
    });
  }
  return results;
}

/** Counts every entry of every trace, which takes several times as long as a boot. */
export async function tracesPart(context: Context): Promise<TraceResult[]> {
  const results: TraceResult[] = [];
  for (const { files, kernel } of kernelsOf(context)) {
    const outcome = await attempt(context, `traces of ${kernel.version}`, () => probe(context, files, kernel, true));
    if ("failure" in outcome) context.skip(`traces of ${kernel.version}: ${outcome.failure}`);
    else {
      const { counters, traces } = outcome.value;
      results.push({ kernel: kernel.version, retired: counters["instructions"]!, ...traces! });
    }
  }
  return results;
}

function kernelsOf({ options, guests }: Context): { files: GuestFiles; kernel: GuestKernel }[] {
  return guests.flatMap((files) =>
    (options.quick ? files.kernels.slice(-1) : files.kernels).map((kernel) => ({ files, kernel })),
  );
}

async function probe(context: Context, files: GuestFiles, kernel: GuestKernel, traces: boolean): Promise<ProbeOutput> {
  const initrd = join(context.work, `boot-${files.bits}.cpio`);
  writeFileSync(initrd, bootInitramfs(files));
  const args = [context.probe, kernel.path, initrd, PLAIN, String(RAM_BYTES / 2 ** 20), "@userland"];
  return withProcess({ file: process.execPath, args: [...args, ...(traces ? ["traces"] : [])] }, async (running) => {
    const { match } = await running.until(/^\{.*\}$/m, traces ? TRACES_TIMEOUT_SECONDS : TIMEOUT_SECONDS);
    return JSON.parse(match[0]) as ProbeOutput;
  });
}
