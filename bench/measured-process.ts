// A process under measurement: its output is watched for marks, at which its use of the processor is read.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readSync, writeFileSync } from "node:fs";
import { ProcessClock, usageOf } from "./proc.ts";

/** What to run. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** The folder that it runs in; this process's own if none is given. */
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** A file to read as standard input, instead of a stream that never brings anything. */
  readonly inputFile?: string;
  /** A file that it writes to instead of its standard output; made empty at the start. */
  readonly outputFile?: string;
}

/** A point in the output. */
export interface Mark {
  /** What matched, with its groups. */
  readonly match: RegExpExecArray;
  /** Since the process was started. */
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly busiestThreadSeconds: number;
}

/** A program that did not do what was asked of it; the message says what it did. */
export class PeerFailure extends Error {
  override readonly name = "PeerFailure";
}

const living = new Set<MeasuredProcess>();
const KEPT_OUTPUT = 2000;
const UNMATCHED_OUTPUT = 1 << 18;
const FOLLOW_MS = 10;
const FOLLOW_BYTES = 1 << 16;

/** Ends everything that runs; for signals and the end of this process. */
export function killAll(): void {
  for (const process of living) process.kill();
}

export class MeasuredProcess {
  private readonly child: ChildProcess;
  private readonly clock = new ProcessClock();
  private readonly startedMs = performance.now();
  private output = "";
  private complaints = "";
  private ended: string | undefined;
  private wake: () => void = () => {};
  private unfollow: NodeJS.Timeout | undefined;

  constructor({ file, args, cwd, env, inputFile, outputFile }: Command) {
    const input = inputFile === undefined ? undefined : openSync(inputFile, "r");
    // A process group of its own: Ctrl-C reaches this process alone, which then ends the group.
    this.child = spawn(file, args, {
      detached: true,
      ...(cwd === undefined ? {} : { cwd }),
      stdio: [input ?? "pipe", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C", ...env },
    });
    living.add(this);
    this.child.stdin?.on("error", () => {});
    if (input !== undefined) closeSync(input);
    if (outputFile !== undefined) this.follow(outputFile);
    this.child.stdout?.setEncoding("latin1").on("data", (text: string) => {
      this.take(text);
    });
    this.child.stderr?.setEncoding("latin1").on("data", (text: string) => {
      this.complaints = (this.complaints + text).slice(-KEPT_OUTPUT);
    });
    this.child.on("error", (error) => this.end(error.message));
    this.child.on("close", (code, signal) => this.end(signal ? `ended by ${signal}` : `ended with status ${code}`));
  }

  /** The process's number; throws PeerFailure where it could not be started. */
  get pid(): number {
    if (this.child.pid === undefined) throw new PeerFailure("could not be started");
    return this.child.pid;
  }

  /** Waits for the output to match; what comes up to the match is consumed. */
  async until(pattern: RegExp, timeoutSeconds: number): Promise<Mark> {
    const deadline = performance.now() + timeoutSeconds * 1000;
    for (;;) {
      const match = pattern.exec(this.output);
      if (match) {
        const wallSeconds = (performance.now() - this.startedMs) / 1000;
        this.output = this.output.slice(match.index + match[0].length);
        return { match, wallSeconds, ...this.usage() };
      }
      if (this.ended !== undefined) throw new PeerFailure(`${this.ended}${this.lastWords()}`);
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new PeerFailure(`hangs: nothing for ${timeoutSeconds} s${this.lastWords()}`);
      await this.change(leftMs);
    }
  }

  /** Waits until it ends by itself. Throws PeerFailure where it does not. */
  async untilEnd(timeoutSeconds: number): Promise<void> {
    const deadline = performance.now() + timeoutSeconds * 1000;
    while (this.ended === undefined) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new PeerFailure(`does not end: ${timeoutSeconds} s${this.lastWords()}`);
      await this.change(leftMs);
    }
  }

  /** Ends it at once, with all that it has started. */
  kill(): void {
    if (this.ended !== undefined || this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, "SIGKILL");
    } catch {
      // It ended by itself just now.
    }
  }

  /** As kill(), and waits until it is gone. */
  async stop(): Promise<void> {
    this.kill();
    while (this.ended === undefined) await this.change(1000);
  }

  /** Takes what is appended to a file. */
  private follow(path: string): void {
    writeFileSync(path, "");
    const file = openSync(path, "r");
    const buffer = Buffer.alloc(FOLLOW_BYTES);
    this.unfollow = setInterval(() => {
      const length = readSync(file, buffer, 0, buffer.length, null);
      if (length === 0) return;
      this.take(buffer.toString("latin1", 0, length));
    }, FOLLOW_MS);
    this.child.on("close", () => closeSync(file));
  }

  /** What nobody waited for is forgotten: a program that prints without end must not fill this process. */
  private take(text: string): void {
    this.output += text;
    if (this.output.length > 2 * UNMATCHED_OUTPUT) this.output = this.output.slice(-UNMATCHED_OUTPUT);
    this.wake();
  }

  private usage(): { cpuSeconds: number; busiestThreadSeconds: number } {
    try {
      const usage = usageOf(this.pid);
      return { cpuSeconds: this.clock.read(usage), busiestThreadSeconds: usage.busiestThreadSeconds };
    } catch {
      // A process that prints and ends can be gone.
      return { cpuSeconds: Number.NaN, busiestThreadSeconds: Number.NaN };
    }
  }

  private change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private end(how: string): void {
    this.ended ??= how;
    living.delete(this);
    clearInterval(this.unfollow);
    this.wake();
  }

  private lastWords(): string {
    const lines = (text: string): string[] => text.split(/\r?\n/).filter((line) => line.trim() !== "");
    const last = lines(this.complaints).at(-1) ?? lines(this.output).at(-1);
    return last === undefined ? "" : ` (${last.trim().slice(0, 160)})`;
  }
}

/** Runs `use` with a process that is gone afterwards, whatever happens. */
export async function withProcess<T>(command: Command, use: (process: MeasuredProcess) => Promise<T>): Promise<T> {
  const running = new MeasuredProcess(command);
  try {
    return await use(running);
  } finally {
    await running.stop();
  }
}
