// The guest programs: natively, and in one boot under each emulator.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PLAIN } from "./boot.ts";
import { attempt, type Context } from "./context.ts";
import { compilePrograms, programsInitramfs } from "./guest-files.ts";
import { type Command, type Mark, type MeasuredProcess, PeerFailure, withProcess } from "./measured-process.ts";
import type { ProgramResult, ProgramRun } from "./results.ts";

/** As bench/guests/programs.h has them, with what each is for. */
export const PROGRAMS = {
  integer: "64-bit integer arithmetic in registers",
  sha256: "SHA-256",
  sieve: "sieve of Eratosthenes",
  calls: "recursion and calls through pointers",
  floating: "matrix product and n-body in doubles",
  simd: "SSE2 integer vectors",
  copy: "rep movs, rep stos, 16-byte copies",
  chase: "pointers through 64 MiB",
  faults: "page faults",
  syscalls: "system calls",
  pipes: "two processes in turn over pipes",
  forks: "fork and exec",
  rewrite: "self-modifying code",
} as const;

/** In one boot: the first is cold, the second warm. */
const REPEATS = 2;
const BOOT_SECONDS = 300;
const PROGRAM_SECONDS = 120;
const FULL_SCALE = 4;
const QUICK_SCALE = 1;

export function scaleOf(quick: boolean): number {
  return quick ? QUICK_SCALE : FULL_SCALE;
}

interface Runner {
  readonly name: string;
  readonly command: Command;
}

interface Collected extends ProgramResult {
  readonly runs: ProgramRun[];
  readonly failures: string[];
}

export async function programsPart(context: Context): Promise<ProgramResult[]> {
  const compiled = compilePrograms(join(context.root, "bench", "guests"), context.files.folder);
  if ("missing" in compiled) {
    context.skip(`guest programs: ${compiled.missing}`);
    return [];
  }
  const { options } = context;
  const names = options.programs.length > 0 ? options.programs : Object.keys(PROGRAMS);
  const runners = runnersOf(context, compiled.path, names);
  const results = new Map(
    names.flatMap((program) =>
      runners.map(({ name }): [string, Collected] => [
        `${program} ${name}`,
        { program, runner: name, runs: [], failures: [] },
      ]),
    ),
  );
  for (let round = 0; round < options.reps; round++) {
    for (const { name, command } of runners) {
      const collect = (program: string): Collected => results.get(`${program} ${name}`)!;
      const seen = new Set<string>();
      const outcome = await attempt(context, `programs under ${name}`, () =>
        withProcess(command, (running) => runAll(running, round, collect, seen)),
      );
      context.say(`programs under ${name}, round ${round + 1}: ${seen.size} of ${names.length}`);
      // What the failure left without its turn.
      if ("failure" in outcome) {
        for (const program of names) if (!seen.has(program)) collect(program).failures.push(outcome.failure);
      }
    }
  }
  return checked([...results.values()], context);
}

function runnersOf(context: Context, program: string, names: readonly string[]): Runner[] {
  const scale = String(scaleOf(context.options.quick));
  const words = [String(REPEATS), scale, ...names];
  const initrd = join(context.work, "programs.cpio");
  writeFileSync(initrd, programsInitramfs(readFileSync(program)));
  const kernel = context.files.kernels.at(-1)!;
  const append = `${PLAIN} quiet -- ${words.join(" ")}`;
  const runners: Runner[] = context.emulators
    // Whose kernel was unpacked beforehand does not matter once it runs.
    .filter(({ name }) => name !== "tcg, unpacked" && name !== "bochs")
    .map(({ name, command, wantsUnpacked }) => ({
      name,
      command: command({ kernel: wantsUnpacked ? kernel.unpacked : kernel.path, initrd, append }),
    }));
  if (context.options.peers.includes("native"))
    runners.unshift({ name: "native", command: { file: program, args: words } });
  return runners;
}

const LINE = /^@(begin|result|failed|done)\b ?(.*?)\r?\n/m;

/** Follows one process through all of its programs. */
async function runAll(
  running: MeasuredProcess,
  round: number,
  collect: (program: string) => Collected,
  seen: Set<string>,
): Promise<void> {
  let began: Mark | undefined;
  for (;;) {
    const mark = await running.until(LINE, began ? PROGRAM_SECONDS : BOOT_SECONDS);
    const [, kind, rest] = mark.match;
    const [program = "", repeat = "", ...values] = rest!.split(" ");
    if (kind === "done") return;
    if (kind === "begin") {
      began = mark;
      continue;
    }
    const result = collect(program);
    seen.add(program);
    if (kind === "failed") result.failures.push(`ended with status ${values[0]}`);
    else if (!began) throw new PeerFailure(`a result without a beginning: ${rest}`);
    else result.runs.push(programRun(began, mark, round, Number(repeat), values));
  }
}

function programRun(began: Mark, ended: Mark, round: number, repeat: number, values: readonly string[]): ProgramRun {
  const [checksum = "", elapsedNs = "", usedNs = ""] = values;
  return {
    checksum,
    guestSeconds: Number(elapsedNs) / 1e9,
    guestCpuSeconds: Number(usedNs) / 1e9,
    cpuSeconds: ended.cpuSeconds - began.cpuSeconds,
    busiestThreadSeconds: ended.busiestThreadSeconds - began.busiestThreadSeconds,
    wallSeconds: ended.wallSeconds - began.wallSeconds,
    round,
    repeat,
  };
}

/** Holds checksums against the native ones, or where there are none against those of most runs. */
function checked(results: readonly Collected[], context: Context): ProgramResult[] {
  for (const program of new Set(results.map((result) => result.program))) {
    const all = results.filter((result) => result.program === program);
    const expected = expectedChecksum(all);
    for (const { runner, runs, failures } of all) {
      const wrong = runs.filter(({ checksum }) => checksum !== expected);
      for (const { checksum } of wrong) {
        failures.push(`wrong checksum ${checksum} instead of ${expected}`);
        context.say(`${program} under ${runner}: wrong checksum`);
      }
    }
  }
  return results.map((result) => {
    const expected = expectedChecksum(results.filter(({ program }) => program === result.program));
    return { ...result, runs: result.runs.filter(({ checksum }) => checksum === expected) };
  });
}

function expectedChecksum(results: readonly ProgramResult[]): string | undefined {
  const native = results.find(({ runner }) => runner === "native")?.runs[0]?.checksum;
  if (native !== undefined) return native;
  const votes = new Map<string, number>();
  for (const { checksum } of results.flatMap(({ runs }) => runs)) votes.set(checksum, (votes.get(checksum) ?? 0) + 1);
  return [...votes].sort((a, b) => b[1] - a[1])[0]?.[0];
}
