// The guest programs: natively, and under each emulator in a guest of each width.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SETTLED } from "./boot.ts";
import { checkChecksums } from "./checksums.ts";
import { programFiles } from "./compile-programs.ts";
import { attempt, type Context } from "./context.ts";
import { programsInitramfs } from "./initramfs.ts";
import { type Command, withProcess } from "./measured-process.ts";
import type { Options } from "./options.ts";
import type { Bits } from "./peers/emulator.ts";
import { kvm } from "./peers/kvm.ts";
import { PROGRAMS } from "./program-list.ts";
import { followPrograms, type Limits, type Progress } from "./program-output.ts";
import type { ProgramResult, ProgramRun } from "./results.ts";

const QUICK_REPEATS = 2;
const FULL_REPEATS = 3;

/** For a process that is not measured: a boot and all programs. */
const LEARNING_SECONDS = 1200;

/** Something that runs programs. */
export interface Runner {
  readonly name: string;
  readonly bits: Bits;
  /** Its programs share one process whatever the options say. */
  readonly slow: boolean;
  /** Processes that are not measured come first, with the programs of the first that is: so many. */
  readonly learn?: number;
  /** Those that it can run; all of them if none are named. */
  readonly programs?: readonly string[];
  readonly command: (programs: readonly string[]) => Command;
}

export interface Collected extends ProgramResult {
  readonly runs: ProgramRun[];
  readonly failures: string[];
}

export async function programsPart(context: Context): Promise<ProgramResult[]> {
  const { options } = context;
  const names = options.programs.length > 0 ? options.programs : Object.keys(PROGRAMS);
  const runners = context.guests.flatMap(({ bits }) => runnersOf(context, bits));
  const results = await measurePrograms(context, runners, names);
  return checkChecksums(results, context.say);
}

function runnersOf(context: Context, bits: Bits): Runner[] {
  const { options } = context;
  const files = context.guests.find((guest) => guest.bits === bits)!;
  const programs = programFiles(join(context.root, "bench", "guests"), files, context.work);
  if ("missing" in programs) {
    context.skip(`${bits}-bit guest programs: ${programs.missing}`);
    return [];
  }
  const initrd = join(context.work, `programs-${bits}.cpio`);
  writeFileSync(initrd, programsInitramfs(programs));
  const kernel = files.kernels.at(-1)!;
  const repeats = options.quick ? QUICK_REPEATS : FULL_REPEATS;
  const words = (names: readonly string[]): string[] => [String(repeats), String(options.scale), ...names];
  const runners = context.emulators
    .filter(({ guests, only }) => guests.includes(bits) && only !== "boots")
    .map(
      ({ name, slow, learns, wantsUnpacked, command }): Runner => ({
        name,
        bits,
        slow: slow === true,
        learn: learns ? options.learn : 0,
        command: (chosen) =>
          command({
            kernel: wantsUnpacked ? kernel.unpacked : kernel.path,
            initrd,
            append: `${SETTLED} -- ${words(chosen).join(" ")}`,
          }),
      }),
    );
  if (bits === 64 && options.peers.includes("kvm")) {
    const found = kvm(join(context.root, "bench"), files.folder);
    if ("missing" in found) context.skip(`kvm: ${found.missing}`);
    else runners.unshift({ ...found, command: (chosen) => found.command(words(chosen)) });
  }
  if (!options.peers.includes("native")) return runners;
  const { program: file, folder: cwd } = programs;
  return [{ name: "native", bits, slow: false, command: (chosen) => ({ file, args: words(chosen), cwd }) }, ...runners];
}

/** A process's turn: the programs that it runs. */
interface Turn {
  readonly runner: Runner;
  readonly programs: readonly string[];
}

/** The order of one round: runners take turns, at each program where it has a process of its own. */
export function turnsOf(runners: readonly Runner[], names: readonly string[], together: boolean): Turn[] {
  const sharing = runners.filter(({ slow }) => together || slow);
  const single = runners.filter((runner) => !sharing.includes(runner));
  return [
    ...names.flatMap((name) => single.filter(can(name)).map((runner) => ({ runner, programs: [name] }))),
    ...sharing.map((runner) => ({ runner, programs: names.filter((name) => can(name)(runner)) })),
  ];
}

function can(name: string): (runner: Runner) => boolean {
  return ({ programs }) => programs?.includes(name) ?? true;
}

export async function measurePrograms(
  context: { readonly options: Pick<Options, "reps" | "together">; readonly say: Context["say"] },
  runners: readonly Runner[],
  names: readonly string[],
  limits?: Limits,
): Promise<Collected[]> {
  const { options } = context;
  const results = new Map<string, Collected>();
  const resultOf = (program: string, { name, bits }: Runner): Collected => {
    const key = `${program} ${name} ${bits}`;
    const found = results.get(key) ?? { program, runner: name, bits, runs: [], failures: [] };
    results.set(key, found);
    return found;
  };
  for (const name of names) for (const runner of runners.filter(can(name))) resultOf(name, runner);
  for (let round = 0; round < options.reps; round++) {
    for (const { runner, programs } of turnsOf(runners, names, options.together)) {
      await takeTurn(context, { runner, programs, round, limits }, (program) => resultOf(program, runner));
    }
  }
  return [...results.values()];
}

/** Until the guest has executed its programs and turned its machine off. */
async function runToTheEnd(command: Command): Promise<void> {
  await withProcess(command, (running) => running.untilEnd(LEARNING_SECONDS));
}

/** Runs programs in one process; where it fails, the programs behind the one that it failed in have another one. */
async function takeTurn(
  context: Pick<Context, "say">,
  { runner, programs, round, limits }: Turn & { readonly round: number; readonly limits: Limits | undefined },
  resultOf: (program: string) => Collected,
): Promise<void> {
  const what = `${runner.bits}-bit ${programs.length === 1 ? programs[0] : "programs"} under ${runner.name}`;
  let left = programs;
  while (left.length > 0) {
    for (let run = 0; round === 0 && run < (runner.learn ?? 0); run++)
      await attempt(context, `${what}, not measured`, () => runToTheEnd(runner.command(left)));
    const progress: Progress = { runs: [], failed: [], running: undefined };
    const outcome = await attempt(context, what, () =>
      withProcess(runner.command(left), (running) => followPrograms(running, round, progress, limits)),
    );
    for (const { program, run } of progress.runs) resultOf(program).runs.push(run);
    for (const { program, failure } of progress.failed) resultOf(program).failures.push(failure);
    if (!("failure" in outcome)) break;
    const at = progress.running;
    const ended = new Set([...progress.runs, ...progress.failed].map(({ program }) => program));
    for (const program of at === undefined ? left.filter((name) => !ended.has(name)) : [at]) {
      resultOf(program).failures.push(outcome.failure);
    }
    left = at === undefined ? [] : left.slice(left.indexOf(at) + 1);
  }
  const done = programs.filter((program) => resultOf(program).runs.some((run) => run.round === round));
  context.say(`${what}, round ${round + 1}: ${done.length} of ${programs.length}`);
}
