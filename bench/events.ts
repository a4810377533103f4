// What single events cost: exits by port, by memory and in the core, exceptions, misses of the TLB. The guest is
// bench/bare/events.c, without an operating system.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { attempt, type Context } from "./context.ts";
import { type Mark, type MeasuredProcess, PeerFailure, withProcess } from "./measured-process.ts";
import { median } from "./median.ts";
import type { EventResult } from "./results.ts";

/** What the guest repeats; PAGES of bench/bare/events.c are touched in one pass. */
const PAGES = 128;
const SILENCE_SECONDS = 60;
const FLAGS = [
  ...["-m32", "-O2", "-std=gnu11", "-ffreestanding", "-nostdlib", "-static", "-fno-pic", "-no-pie"],
  ...["-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-Wl,--build-id=none", "-Wl,-N"],
  ...["-Wl,--section-start=.multiboot=0x100000", "-Wl,-Ttext=0x101000"],
];

/** Nanoseconds of processor time that the guest's loops took a turn, by their names. */
export type LoopTimes = Readonly<Record<string, number>>;

export async function eventsPart(context: Context): Promise<EventResult[]> {
  const kernel = join(context.work, "events");
  const source = join(context.root, "bench", "bare", "events.c");
  const compiled = spawnSync("gcc", [...FLAGS, "-o", kernel, source], { encoding: "utf8" });
  if (compiled.error || compiled.status !== 0) {
    context.skip(`events: cannot be compiled (Debian packages gcc and gcc-multilib)`);
    return [];
  }
  const runners = context.emulators
    .filter(({ multiboot, only }) => multiboot && !only)
    .map((emulator) => ({ emulator, rounds: [] as LoopTimes[] }));
  for (let round = 0; round < context.options.reps; round++) {
    for (const { emulator, rounds } of runners) {
      const what = `events under ${emulator.name}`;
      const command = emulator.command({ kernel, initrd: "", append: "" });
      const outcome = await attempt(context, what, () => withProcess(command, followLoops));
      if ("value" in outcome) rounds.push(outcome.value);
      else context.skip(`${what}: ${outcome.failure}`);
    }
  }
  return runners
    .filter(({ rounds }) => rounds.length > 0)
    .map(({ emulator, rounds }) => ({ runner: emulator.name, nanoseconds: nanosecondsOf(rounds) }));
}

const LINE = /^@(begin|end|done)\b ?(\S*) ?(\d*)\r?\n/m;

/** Follows the guest's lines to the last. */
export async function followLoops(running: Pick<MeasuredProcess, "until">): Promise<LoopTimes> {
  const times: Record<string, number> = {};
  let began: { name: string; count: number; mark: Mark } | undefined;
  for (;;) {
    const mark = await running.until(LINE, SILENCE_SECONDS);
    const [, kind, name = "", count] = mark.match;
    if (kind === "done") return times;
    if (kind === "begin") began = { name, count: Number(count), mark };
    else if (began?.name !== name) throw new PeerFailure(`an end without a beginning: ${name}`);
    else times[name] = ((mark.cpuSeconds - began.mark.cpuSeconds) / began.count) * 1e9;
  }
}

/** One event of each kind, from the loops that it is in. */
export function nanosecondsOf(rounds: readonly LoopTimes[]): EventResult["nanoseconds"] {
  const of = (figure: (times: LoopTimes) => number): number => Math.round(median(rounds.map(figure)));
  return {
    pio: of((times) => times["pio"]!),
    mmio: of((times) => times["mmio"]!),
    inCore: of((times) => times["light"]!),
    exception: of((times) => times["exception"]!),
    // Passes that flush before they touch, less what flushing and touching alone take.
    tlbMiss: of((times) => (times["misses"]! - times["hits"]! - times["flushes"]!) / PAGES),
    tlbFlush: of((times) => times["flushes"]!),
  };
}
