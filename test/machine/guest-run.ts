// Running a machine in a test: a serial console to talk to, and a limit on its time.
import { smallGuest } from "../../host/boot/small-guest/small-guest.ts";
import type { BootFiles } from "../../host/boot/types.ts";
import { Kvm } from "../../host/kvm/index.ts";
import { Machine } from "../../host/machine/machine.ts";
import { MIB } from "../../host/machine/pc-hardware.ts";
import type { MachineEnd, MachineEvent, MachineOptions } from "../../host/machine/types.ts";
import { FakeChardev } from "../devices/fakes.ts";

/** A console that one can wait on. */
export class Console extends FakeChardev {
  private waiting: (() => void)[] = [];

  override write(bytes: Uint8Array): void {
    super.write(bytes);
    for (const wake of this.waiting.splice(0)) {
      wake();
    }
  }

  /** Resolves when the output since `from` contains `text`; rejects after `timeoutMs`. */
  async expect(text: string, timeoutMs = 20_000, from = 0): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!this.output.includes(text, from)) {
      if (Date.now() > deadline) {
        throw new Error(`no "${text}" in:\n${this.output.slice(-4000)}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Types a line and waits for `answer` after it. */
  async ask(line: string, answer: string): Promise<void> {
    const from = this.output.length;
    this.type(`${line}\r`);
    await this.expect(answer, 20_000, from);
  }
}

export interface RunningGuest {
  readonly machine: Machine;
  readonly console: Console;
  readonly events: MachineEvent[];
  readonly ended: Promise<MachineEnd>;
}

/** Builds a machine and lets it run; by default with the small guest. */
export async function startGuest(
  options: Partial<MachineOptions> = {},
  boot: BootFiles = { kernel: smallGuest(), kernelName: "small guest", commandLine: "" },
): Promise<RunningGuest> {
  const console = new Console();
  const events: MachineEvent[] = [];
  const machine = new Machine({
    kvm: await Kvm.open(),
    memoryBytes: 32 * MIB,
    cpus: 1,
    serial: [console],
    boot,
    onEvent: (event) => events.push(event),
    ...options,
  });
  // Not before the caller has the machine in its hands.
  const ended = new Promise<void>((resolve) => setImmediate(resolve)).then(() => machine.run());
  return { machine, console, events, ended };
}
