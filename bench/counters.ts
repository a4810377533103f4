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
import { acceleratorOf } from "./peers/wkvm.ts";
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

interface Boot {
  readonly accelerator: string;
  readonly runner: string;
  readonly files: GuestFiles;
  readonly kernel: GuestKernel;
}

export async function countersPart(context: Context): Promise<CounterResult[]> {
  const results: CounterResult[] = [];
  for (const boot of bootsOf(context)) {
    const what = `counters of ${boot.kernel.version} under ${boot.runner}`;
    const runs: ProbeOutput[] = [];
    for (let round = 0; round < context.options.reps; round++) {
      const outcome = await attempt(context, what, () => probe(context, boot, false));
      if ("value" in outcome) runs.push(outcome.value);
      else context.skip(`${what}: ${outcome.failure}`);
    }
    const last = runs.at(-1);
    if (!last) continue;
    const of = (figure: (run: ProbeOutput) => number): number => median(runs.map(figure));
    const result: CounterResult = {
      kernel: boot.kernel.version,
      runner: boot.runner,
      instructions: of(({ counters }) => counters["instructions"]!),
      cpuSeconds: of((run) => run.cpuSeconds),
      millionInstructionsPerSecond: of((run) => run.counters["instructions"]! / run.cpuSeconds / 1e6),
      millisecondsToFirstInstruction: of((run) => run.millisecondsToFirstInstruction),
      exits: last.exits,
      counters: last.counters,
      runs: runs.length,
    };
    const [millions, speed] = [result.instructions / 1e6, result.millionInstructionsPerSecond];
    context.say(`${what}: ${millions.toFixed(0)} million instructions, ${speed.toFixed(0)} million a second`);
    results.push(result);
  }
  return results;
}

/** Counts every entry of every trace, which takes several times as long as a boot, and which the interpreter can. */
export async function tracesPart(context: Context): Promise<TraceResult[]> {
  const results: TraceResult[] = [];
  for (const boot of bootsOf(context).filter(({ accelerator }) => accelerator === "interp")) {
    const what = `traces of ${boot.kernel.version}`;
    const outcome = await attempt(context, what, () => probe(context, boot, true));
    if ("failure" in outcome) context.skip(`${what}: ${outcome.failure}`);
    else {
      const { counters, traces } = outcome.value;
      results.push({ kernel: boot.kernel.version, retired: counters["instructions"]!, ...traces! });
    }
  }
  return results;
}

/** In a quick run one kernel under each accelerator. */
function bootsOf({ options, guests, emulators }: Context): Boot[] {
  return emulators.flatMap((emulator) => {
    const accelerator = emulator.only ? undefined : acceleratorOf(emulator);
    if (accelerator === undefined) return [];
    const boots = guests.flatMap((files) =>
      files.kernels.map((kernel) => ({ accelerator, runner: emulator.name, files, kernel })),
    );
    return options.quick ? boots.filter(({ kernel }) => kernel === guests[0]?.kernels.at(-1)) : boots;
  });
}

async function probe(context: Context, { accelerator, files, kernel }: Boot, traces: boolean): Promise<ProbeOutput> {
  const initrd = join(context.work, `boot-${files.bits}.cpio`);
  writeFileSync(initrd, bootInitramfs(files));
  const args = [context.probe, kernel.path, initrd, PLAIN, String(RAM_BYTES / 2 ** 20), accelerator, "@userland"];
  return withProcess({ file: process.execPath, args: [...args, ...(traces ? ["traces"] : [])] }, async (running) => {
    const { match } = await running.until(/^\{.*\}$/m, traces ? TRACES_TIMEOUT_SECONDS : TIMEOUT_SECONDS);
    return JSON.parse(match[0]) as ProbeOutput;
  });
}
