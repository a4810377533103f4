// What bench/guests/main.c prints, with the time at which each line came.
import { type Mark, type MeasuredProcess, PeerFailure } from "./measured-process.ts";
import type { ProgramRun } from "./results.ts";

/** How long a peer may be silent before it is taken to hang. */
export interface Limits {
  readonly bootSeconds: number;
  readonly programSeconds: number;
}

/** Enough for Bochs on a busy machine. */
export const LIMITS: Limits = { bootSeconds: 600, programSeconds: 180 };
const LINE = /^@(begin|result|failed|done)\b ?(.*?)\r?\n/m;

/** How far a process has come. */
export interface Progress {
  readonly runs: { readonly program: string; readonly run: ProgramRun }[];
  readonly failed: { readonly program: string; readonly failure: string }[];
  /** The program that has begun and not ended. */
  running: string | undefined;
}

/** Follows one process through all of its programs. Throws PeerFailure; `progress` tells then what was done before. */
export async function followPrograms(
  running: Pick<MeasuredProcess, "until">,
  round: number,
  progress: Progress,
  { bootSeconds, programSeconds }: Limits = LIMITS,
): Promise<void> {
  let began: Mark | undefined;
  for (;;) {
    const mark = await running.until(LINE, began ? programSeconds : bootSeconds);
    const [, kind, rest] = mark.match;
    const [program = "", repeat = "", ...values] = rest!.split(" ");
    if (kind === "done") return;
    if (kind === "begin") {
      began = mark;
      progress.running = program;
      continue;
    }
    if (!began || progress.running !== program) throw new PeerFailure(`a result without a beginning: ${rest}`);
    if (kind === "failed") progress.failed.push({ program, failure: `ended with status ${values[0]}` });
    else progress.runs.push({ program, run: programRun(began, mark, round, Number(repeat), values) });
    progress.running = undefined;
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
