// Standard input and output as a character device. A terminal is put into raw mode and always put back:
// on close, when the process ends for whatever reason, and while it is stopped by job control.
import type { Chardev } from "../types.ts";

const FLUSH_BYTES = 4096;
const CTRL_C = 0x03;
const CTRL_BACKSLASH = 0x1c;
const CTRL_Z = 0x1a;

/** Control characters that a terminal turns into signals when it is not raw. */
const SIGNALS = new Map<number, NodeJS.Signals>([
  [CTRL_C, "SIGINT"],
  [CTRL_BACKSLASH, "SIGQUIT"],
  [CTRL_Z, "SIGTSTP"],
]);

export interface TerminalOptions {
  /** Ctrl-C, Ctrl-\ and Ctrl-Z act on this program instead of going to the guest. */
  readonly signals: boolean;
}

/** At most one exists at a time: there is one standard input. */
export class Terminal implements Chardev {
  private readonly signals: boolean;
  private readonly pending: number[] = [];
  private listener: ((bytes: Uint8Array) => void) | null = null;
  private scheduled = false;
  private closed = false;
  private readonly onData = (bytes: Buffer): void => this.input(bytes);
  private readonly onExit = (): void => this.setRaw(false);
  private readonly onStop = (): void => {
    this.setRaw(false);
    process.kill(process.pid, "SIGSTOP");
  };
  private readonly onContinue = (): void => this.setRaw(true);

  constructor(options: TerminalOptions) {
    this.signals = options.signals;
    process.on("exit", this.onExit);
    process.on("SIGTSTP", this.onStop);
    process.on("SIGCONT", this.onContinue);
    // A reader that went away (a pipe to head) ends the output, not the guest.
    process.stdout.on("error", ignorePipeError);
    process.stdin.on("error", () => {});
    this.setRaw(true);
    process.stdin.on("data", this.onData);
    process.stdin.resume();
  }

  write(bytes: Uint8Array): void {
    for (const byte of bytes) this.pending.push(byte);
    if (this.pending.length >= FLUSH_BYTES) this.flush();
    if (this.pending.length === 0 || this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  onInput(listener: ((bytes: Uint8Array) => void) | null): void {
    this.listener = listener;
  }

  setReady(ready: boolean): void {
    if (this.closed) return;
    if (ready) process.stdin.resume();
    else process.stdin.pause();
  }

  /** Writes what is buffered, puts the terminal back and lets standard input go. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.flush();
    this.setRaw(false);
    process.stdin.off("data", this.onData);
    process.stdin.pause();
    process.off("exit", this.onExit);
    process.off("SIGTSTP", this.onStop);
    process.off("SIGCONT", this.onContinue);
  }

  private input(bytes: Buffer): void {
    let plain = bytes;
    if (this.signals && process.stdin.isTTY) {
      plain = Buffer.from(bytes.filter((byte) => !SIGNALS.has(byte)));
      for (const byte of bytes) {
        const signal = SIGNALS.get(byte);
        if (signal) process.kill(process.pid, signal);
      }
    }
    if (plain.length > 0) this.listener?.(plain);
  }

  private flush(): void {
    if (this.pending.length === 0) return;
    process.stdout.write(Uint8Array.from(this.pending));
    this.pending.length = 0;
  }

  private setRaw(raw: boolean): void {
    // A terminal that has gone away (its window was closed) cannot be set any more, and need not be.
    try {
      if (process.stdin.isTTY) process.stdin.setRawMode(raw);
    } catch {}
  }
}

function ignorePipeError(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
}
