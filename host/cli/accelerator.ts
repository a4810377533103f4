// -accel and -machine accel=: which core executes the guest.
import type { Accelerator } from "../kvm/index.ts";
import { parseKeyValues } from "./key-values.ts";
import { UsageError } from "./usage-error.ts";

/** Names with what they mean: scripts written for QEMU ask for kvm or tcg. */
const NAMES = new Map<string, Accelerator>([
  ["interp", "interp"],
  ["ts", "ts"],
  ["kvm", "interp"],
  ["tcg", "interp"],
]);
const TO_COME = ["jit"];

export const ACCELERATOR_HELP = `Accelerators supported in wkvm:
interp (default; kvm and tcg mean it too)
ts (the core in plain TypeScript)
`;

/** The argument of -accel. */
export function parseAccelerator(value: string): Accelerator {
  const values = parseKeyValues(value, "accel");
  const chosen = chooseAccelerator(values.get("accel") ?? "");
  values.finish((key) => `Property '${chosen}-accel.${key}' not found`);
  return chosen;
}

/** The first of the names, joined by colons, that there is. */
export function chooseAccelerator(text: string): Accelerator {
  const names = text.split(":");
  for (const name of names) {
    const found = NAMES.get(name);
    if (found) return found;
  }
  const name = names[0] as string;
  if (TO_COME.includes(name)) throw new UsageError(`${name}: not implemented yet; there are interp and ts`);
  throw new UsageError(`invalid accelerator ${name}`);
}
