// The human monitor: a line editor and the commands that exist so far. QEMU's names and answers.
import type { Chardev } from "../chardev/types.ts";
import type { Machine } from "../machine/machine.ts";
import { describeTranslation } from "./info-jit.ts";

const PROMPT = "(qemu) ";
const CTRL_C = 0x03;
const BACKSPACE = 0x08;
const CTRL_U = 0x15;
const DELETE = 0x7f;

/** What the monitor shows and controls. */
export interface MonitorTarget {
  readonly machine: Pick<Machine, "isPaused" | "pause" | "resumeGuest" | "reset" | "powerButton" | "dump"> & {
    readonly vm: Pick<Machine["vm"], "getStats" | "translationObstacle">;
  };
  /** True once the guest has switched itself off and the machine is only still there to be looked at. */
  isShutDown(): boolean;
  /** Ends the program. */
  quit(): void;
  readonly name: string | undefined;
  readonly version: string;
}

interface Command {
  readonly names: readonly string[];
  readonly help: string;
  /** Returns what to print. */
  run(target: MonitorTarget): string;
}

/** What acts on the machine: no answer, but for one that has ended. */
const acting = (action: (machine: MonitorTarget["machine"]) => void) => (target: MonitorTarget) => {
  if (target.isShutDown()) return "the guest has switched itself off; quit leaves\n";
  action(target.machine);
  return "";
};

const COMMANDS: readonly Command[] = [
  { names: ["help", "?"], help: "show this list", run: () => helpText() },
  { names: ["quit", "q"], help: "leave the emulator", run: quit },
  { names: ["stop", "s"], help: "stop the processor", run: acting((machine) => machine.pause()) },
  { names: ["cont", "c"], help: "let the processor go on", run: acting((machine) => machine.resumeGuest()) },
  { names: ["system_reset"], help: "reset the machine", run: acting((machine) => machine.reset()) },
  { names: ["system_powerdown"], help: "press the power button", run: acting((machine) => machine.powerButton()) },
  {
    names: ["info status"],
    help: "whether the machine runs",
    run: (target) => `VM status: ${statusOf(target)}\n`,
  },
  { names: ["info registers"], help: "the processor's registers", run: ({ machine }) => `${machine.dump()}\n` },
  {
    names: ["info jit"],
    help: "what was translated, and how much of the guest ran in it",
    run: ({ machine }) => describeTranslation(machine.vm.getStats(), machine.vm.translationObstacle),
  },
  { names: ["info name"], help: "the guest's name", run: ({ name }) => (name ? `${name}\n` : "") },
  { names: ["info version"], help: "the version", run: ({ version }) => `${version}\n` },
];

function quit(target: MonitorTarget): string {
  target.quit();
  return "";
}

function statusOf(target: MonitorTarget): string {
  if (target.isShutDown()) return "paused (shutdown)";
  return target.machine.isPaused ? "paused" : "running";
}

function helpText(): string {
  return COMMANDS.map(({ names, help }) => `${names.join("|").padEnd(20)} -- ${help}\n`).join("");
}

/** Serves the monitor on a character device. */
export class HumanMonitor {
  private readonly chardev: Chardev;
  private readonly target: MonitorTarget;
  private lineText = "";

  constructor(chardev: Chardev, target: MonitorTarget) {
    this.chardev = chardev;
    this.target = target;
    chardev.onInput((bytes) => {
      for (const byte of bytes) this.key(byte);
    });
  }

  /** Says who is there; called when the monitor gets a terminal or the focus of a shared one. */
  greet(): void {
    this.print(`\r\nwkvm ${this.target.version} monitor - type 'help' for more information\n${PROMPT}${this.lineText}`);
  }

  private key(byte: number): void {
    if (byte === 0x0d || byte === 0x0a) {
      this.print("\n");
      const line = this.lineText;
      this.lineText = "";
      this.execute(line);
      this.print(PROMPT);
    } else if (byte === BACKSPACE || byte === DELETE) {
      if (this.lineText === "") return;
      this.lineText = this.lineText.slice(0, -1);
      this.print("\b \b");
    } else if (byte === CTRL_U || byte === CTRL_C) {
      this.print("\b \b".repeat(this.lineText.length));
      this.lineText = "";
    } else if (byte >= 0x20) {
      const character = String.fromCharCode(byte);
      this.lineText += character;
      this.print(character);
    }
  }

  private execute(line: string): void {
    const text = line.trim().replaceAll(/\s+/g, " ");
    if (text === "") return;
    const command = COMMANDS.find(({ names }) => names.includes(text));
    if (command) this.print(command.run(this.target));
    else this.print(`unknown command: '${text}' (this monitor is small yet: help lists what there is)\n`);
  }

  private print(text: string): void {
    this.chardev.write(new TextEncoder().encode(text.replaceAll(/\r?\n/g, "\r\n")));
  }
}
