// One terminal shared by several front ends (a serial port and the monitor), with QEMU's escape character:
// Ctrl-A and a letter command the program, everything else goes to the front end that has the focus.
import type { Chardev } from "./types.ts";

const BACKLOG_LIMIT = 1 << 16;

/** What the escape character can ask of the program. */
export interface MuxCommands {
  /** Ctrl-A x. */
  quit(): void;
  /** Ctrl-A s: write back what disks hold in memory. */
  saveDisks(): void;
  /** Milliseconds since the program started, for Ctrl-A t. */
  elapsedMs(): number;
}

export interface MuxOptions {
  readonly backend: Chardev;
  readonly commands: MuxCommands;
  /** The escape character, 1 (Ctrl-A) to 26. */
  readonly escape: number;
  /** Name of the program in messages. */
  readonly program: string;
}

interface Front {
  readonly chardev: Chardev;
  readonly onFocus: (() => void) | undefined;
  readonly sendBreak: (() => void) | undefined;
  listener: ((bytes: Uint8Array) => void) | null;
  ready: boolean;
  /** Input that came while the front end was not ready. */
  backlog: number[];
}

/** Shares `backend`; the first front end that is added has the focus. */
export class Mux {
  private readonly options: MuxOptions;
  private readonly fronts: Front[] = [];
  private focus = 0;
  private escaped = false;
  private timestamps = false;
  private lineStart = true;

  constructor(options: MuxOptions) {
    this.options = options;
    options.backend.onInput((bytes) => this.input(bytes));
  }

  /** Adds a front end. `onFocus` is called when Ctrl-A c reaches it, `sendBreak` for Ctrl-A b while it has the focus. */
  add({ onFocus, sendBreak }: { onFocus?: () => void; sendBreak?: () => void } = {}): Chardev {
    const chardev: Chardev = {
      write: (bytes) => this.output(bytes),
      onInput: (listener) => {
        front.listener = listener;
      },
      setReady: (ready) => {
        front.ready = ready;
        if (ready) this.deliver(front);
      },
    };
    const front: Front = { chardev, onFocus, sendBreak, listener: null, ready: true, backlog: [] };
    this.fronts.push(front);
    return chardev;
  }

  private input(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.escaped) {
        this.escaped = false;
        this.command(byte);
      } else if (byte === this.options.escape) {
        this.escaped = true;
      } else {
        this.pass(byte);
      }
    }
    const front = this.fronts[this.focus];
    if (front) this.deliver(front);
  }

  private pass(byte: number): void {
    const front = this.fronts[this.focus];
    // A keyboard cannot be held back for ever; what nobody reads is dropped at last.
    if (front && front.backlog.length < BACKLOG_LIMIT) front.backlog.push(byte);
  }

  private deliver(front: Front): void {
    if (!front.listener || !front.ready || front.backlog.length === 0) return;
    const bytes = Uint8Array.from(front.backlog);
    front.backlog = [];
    front.listener(bytes);
  }

  private command(byte: number): void {
    if (byte === this.options.escape) {
      this.pass(byte);
      return;
    }
    switch (String.fromCharCode(byte)) {
      case "h":
      case "?":
        this.say(this.help());
        break;
      case "x":
        this.say(`${this.options.program}: Terminated\r\n`);
        this.options.commands.quit();
        break;
      case "s":
        this.options.commands.saveDisks();
        break;
      case "b":
        this.sendBreak();
        break;
      case "c":
        this.nextFront();
        break;
      case "t":
        this.timestamps = !this.timestamps;
        this.lineStart = true;
        break;
      default:
        break;
    }
  }

  private sendBreak(): void {
    const front = this.fronts[this.focus];
    if (front?.sendBreak) front.sendBreak();
    else this.say("\r\nbreak: this console does not take one\r\n");
  }

  private nextFront(): void {
    if (this.fronts.length < 2) {
      this.say("\r\nthere is nothing else on this terminal\r\n");
      return;
    }
    // What was typed before the switch still belongs to the one that had the focus.
    this.deliver(this.fronts[this.focus] as Front);
    this.focus = (this.focus + 1) % this.fronts.length;
    const front = this.fronts[this.focus] as Front;
    front.onFocus?.();
    this.deliver(front);
  }

  private output(bytes: Uint8Array): void {
    if (!this.timestamps) {
      this.options.backend.write(bytes);
      return;
    }
    let text = "";
    for (const byte of bytes) {
      if (this.lineStart) text += this.timestamp();
      text += String.fromCharCode(byte);
      this.lineStart = byte === 0x0a;
    }
    this.options.backend.write(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  }

  private timestamp(): string {
    const ms = Math.floor(this.options.commands.elapsedMs());
    const two = (value: number): string => String(value).padStart(2, "0");
    const seconds = Math.floor(ms / 1000);
    const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    return `[${clock}.${String(ms % 1000).padStart(3, "0")}] `;
  }

  private say(text: string): void {
    this.options.backend.write(new TextEncoder().encode(text));
  }

  private help(): string {
    const key = `C-${String.fromCharCode(this.options.escape + 0x60)}`;
    const lines = [
      `${key} h    show this list`,
      `${key} x    leave the emulator`,
      `${key} s    write disks back`,
      `${key} t    show the time before each line, or stop that`,
      `${key} b    send a break (the magic SysRq key of a serial console)`,
      `${key} c    switch between console and monitor`,
      `${key} ${key}  send ${key}`,
    ];
    return `\r\n${lines.join("\r\n")}\r\n`;
  }
}
