// The command as a process: types at it, waits for what it shows, and for its end.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

export const root = process.env["WKVM_ROOT"] ?? process.cwd();
export const command = join(root, "dist", "wkvm.js");

export interface Ended {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

export class Session {
  private readonly child: ChildProcess;
  private output = "";
  private errors = "";
  private looked = 0;
  private changed: () => void = () => {};
  private ended = false;
  private readonly end: Promise<Ended>;

  constructor(args: readonly string[], { program = command, env = {} as NodeJS.ProcessEnv } = {}) {
    this.child = spawn(process.execPath, [program, ...args], { stdio: "pipe", env: { ...process.env, ...env } });
    this.child.stdin?.on("error", () => {});
    this.child.stdout?.setEncoding("latin1").on("data", (text: string) => {
      this.output += text;
      this.changed();
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.errors += text;
    });
    this.end = new Promise((resolve) => {
      this.child.on("close", (status) => {
        this.ended = true;
        this.changed();
        resolve({ status, output: this.output, errors: this.errors });
      });
    });
  }

  /** The process's number. */
  get pid(): number {
    return this.child.pid ?? 0;
  }

  type(text: string): void {
    this.child.stdin?.write(text);
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Waits until what has been shown since the last call matches; returns what stands before the end of the match. */
  async see(pattern: RegExp, timeoutMs = 30_000): Promise<string> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const fresh = this.output.slice(this.looked);
      const match = pattern.exec(fresh);
      if (match) {
        this.looked += match.index + match[0].length;
        return fresh.slice(0, match.index + match[0].length);
      }
      const left = deadline - performance.now();
      if (this.ended || left <= 0) {
        this.child.kill("SIGKILL");
        const why = this.ended ? "the command ended" : `${timeoutMs} ms passed`;
        throw new Error(`${why} before ${pattern}; it showed:\n${fresh.slice(-3000)}\n${this.errors.slice(-2000)}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Waits for the end of the process; kills it where that takes too long, which shows as status null. */
  async finish(timeoutMs = 30_000): Promise<Ended> {
    const timer = setTimeout(() => this.child.kill("SIGKILL"), timeoutMs);
    const ended = await this.end;
    clearTimeout(timer);
    return ended;
  }
}

/** Runs the command to its end with nothing on its standard input. */
export function runToEnd(args: readonly string[], options?: ConstructorParameters<typeof Session>[1]): Promise<Ended> {
  return new Session(args, options).finish();
}
