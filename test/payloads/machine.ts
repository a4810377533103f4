// A payload on a wkvm machine, in this process.
import { readFileSync } from "node:fs";
import { Kvm } from "../../host/kvm/index.ts";
import { MIB } from "../../host/machine/pc-hardware.ts";
import { startGuest } from "../machine/guest-run.ts";
import type { Ending, Run } from "./report.ts";

/** No payload takes a tenth of this on a quiet machine. */
const LIMIT_MS = 30_000;
const EXIT_PORT = 0xf4;

/** One way to run a guest: the tests ask for each of them. */
export interface Accelerator {
  readonly name: string;
  readonly open: () => Promise<Kvm>;
}

/** Every accelerator; with threshold 1 the translator takes what it can the first time. */
export const ACCELERATORS: readonly Accelerator[] = [
  { name: "interp", open: () => Kvm.open({ accel: "interp" }) },
  { name: "jit", open: () => Kvm.open({ accel: "jit", threshold: 1 }) },
  { name: "ts", open: () => Kvm.open({ accel: "ts" }) },
];

/** Runs an image until its machine ends. */
export async function runOnWkvm(accelerator: Accelerator, image: string): Promise<Run> {
  const { machine, console, ended } = await startGuest(
    {
      kvm: await accelerator.open(),
      memoryBytes: 64 * MIB,
      debugExits: [{ base: EXIT_PORT, size: 4 }],
      noReboot: true,
    },
    { kernel: readFileSync(image), kernelName: image, commandLine: "" },
  );
  let hung = false;
  const timer = setTimeout(() => {
    hung = true;
    machine.quit(1);
  }, LIMIT_MS);
  try {
    const { kind } = await ended;
    const ending: Ending = hung ? "hung" : kind === "reset" ? "shutdown" : "exit";
    return { output: console.output, ending };
  } catch (error) {
    return { output: `${console.output}\n${error}`, ending: "shutdown" };
  } finally {
    clearTimeout(timer);
  }
}
