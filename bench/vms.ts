// Many virtual machines in one process, by the library: how fast they start, what each takes, what all execute together.
import { attempt, type Context } from "./context.ts";
import { withProcess } from "./measured-process.ts";
import { median } from "./median.ts";
import { acceleratorOf } from "./peers/wkvm.ts";
import type { VmsResult } from "./results.ts";

const VMS = 20;
const RAM_MIB = 16;
const TIMEOUT_SECONDS = 120;

type Figures = Omit<VmsResult, "runner" | "vms" | "ramMiB">;

export async function vmsPart(context: Context): Promise<VmsResult[]> {
  const results: VmsResult[] = [];
  for (const emulator of context.emulators) {
    const accelerator = acceleratorOf(emulator);
    if (accelerator === undefined || emulator.only) continue;
    const runs: Figures[] = [];
    for (let round = 0; round < context.options.reps; round++) {
      const what = `many machines under ${emulator.name}`;
      const outcome = await attempt(context, what, () => probe(context.vmsProbe, accelerator));
      if ("value" in outcome) runs.push(outcome.value);
      else context.skip(`${what}: ${outcome.failure}`);
    }
    if (runs.length === 0) continue;
    const of = (figure: keyof Figures): number => median(runs.map((run) => run[figure]));
    results.push({
      runner: emulator.name,
      vms: VMS,
      ramMiB: RAM_MIB,
      startedPerSecond: of("startedPerSecond"),
      mebibytesEach: of("mebibytesEach"),
      aloneMillionPerSecond: of("aloneMillionPerSecond"),
      togetherMillionPerSecond: of("togetherMillionPerSecond"),
    });
  }
  return results;
}

async function probe(program: string, accelerator: string): Promise<Figures> {
  const command = { file: process.execPath, args: [program, accelerator, String(VMS), String(RAM_MIB)] };
  return withProcess(command, async (running) => {
    const { match } = await running.until(/^\{.*\}$/m, TIMEOUT_SECONDS);
    return JSON.parse(match[0]) as Figures;
  });
}
