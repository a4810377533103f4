// -accel and -machine accel=: which core executes the guest.
import type { Accelerator } from "../kvm/index.ts";
import { parseKeyValues } from "./key-values.ts";
import { UsageError } from "./usage-error.ts";

/** Names with what they mean: scripts written for QEMU ask for kvm or tcg. */
const NAMES = new Map<string, Accelerator>([
  ["interp", "interp"],
  ["jit", "jit"],
  ["ts", "ts"],
  ["kvm", "interp"],
  ["tcg", "interp"],
]);
export const ACCELERATOR_HELP = `Accelerators supported in wkvm:
interp (default; kvm and tcg mean it too)
jit[,threshold=N] (what is executed often becomes WebAssembly)
ts (the core in plain TypeScript)
`;

/** What -accel asks for; undefined: what the library, or WKVM_ACCEL, has as its default. */
export interface AcceleratorChoice {
  accel: Accelerator | undefined;
  /** How often code is entered before it is translated. */
  threshold: number | undefined;
}

/** The argument of -accel. */
export function parseAccelerator(value: string): AcceleratorChoice {
  const values = parseKeyValues(value, "accel");
  const accel = chooseAccelerator(values.get("accel") ?? "");
  const threshold = accel === "jit" ? values.integer("threshold", 0) || undefined : undefined;
  values.finish((key) => `Property '${accel}-accel.${key}' not found`);
  return { accel, threshold };
}

/** The first of the names, joined by colons, that there is. */
export function chooseAccelerator(text: string): Accelerator {
  const names = text.split(":");
  for (const name of names) {
    const found = NAMES.get(name);
    if (found) return found;
  }
  throw new UsageError(`invalid accelerator ${names[0]}`);
}
