// -accel and -machine accel=: which core executes the guest, or which two in lockstep.
import type { Accelerator, KvmOptions } from "../kvm/index.ts";
import { type KeyValues, parseKeyValues } from "./key-values.ts";
import { UsageError } from "./usage-error.ts";

/** Names with what they mean: scripts written for QEMU ask for kvm or tcg. */
const NAMES = new Map<string, Accelerator>([
  ["interp", "interp"],
  ["jit", "jit"],
  ["ts", "ts"],
  ["lockstep", "lockstep"],
  ["kvm", "jit"],
  ["tcg", "jit"],
]);
export const ACCELERATOR_HELP = `Accelerators supported in wkvm:
jit[,threshold=N][,max-modules=N][,profile=FILE][,verify=on][,code-cache=off] (default; what is executed often becomes
    WebAssembly; kvm and tcg mean it too; what that was, and what V8 made of it and of wkvm itself, is kept for the
    next run in the cache folder, or not; behind such a run N/3 entries are enough; FILE, made where it is missing, has
    what was hot instead)
interp[,code-cache=off] (every instruction is interpreted)
ts (the core in plain TypeScript)
lockstep[,a=A][,b=B][,every=N][,threshold=N] (two of them, compared every N instructions; needs -icount)
`;

/** What -accel asks for; undefined: what the library, or WKVM_ACCEL, has as its default. */
export interface AcceleratorChoice {
  accel: Accelerator | undefined;
  /** How often code is entered before it is translated, and how many modules of it are kept. */
  threshold: number | undefined;
  maxModules: number | undefined;
  /** The file that keeps what was hot from one run to the next. */
  profile: string | undefined;
  /** Whether what the engine made of the core is kept for the next process. */
  codeCache: boolean | undefined;
  /** Whether the interpreter checks what it does. */
  verify: boolean | undefined;
  /** With lockstep: which cores, and how often they are compared. */
  lockstep: KvmOptions["lockstep"];
}

/** The argument of -accel. */
export function parseAccelerator(value: string): AcceleratorChoice {
  const values = parseKeyValues(value, "accel");
  const accel = chooseAccelerator(values.get("accel") ?? "");
  const translates = accel === "jit" || accel === "lockstep";
  const threshold = translates ? positive(values, "threshold", 0x7fff_ffff) : undefined;
  const maxModules = translates ? positive(values, "max-modules", 4096) : undefined;
  const profile = accel === "jit" ? values.get("profile") : undefined;
  const verify = accel === "jit" && values.has("verify") ? values.boolean("verify", false) : undefined;
  const cacheable = (accel === "jit" || accel === "interp") && values.has("code-cache");
  const codeCache = cacheable ? values.boolean("code-cache", true) : undefined;
  const lockstep = accel === "lockstep" ? lockstepOf(values) : undefined;
  values.finish((key) => `Property '${accel}-accel.${key}' not found`);
  return { accel, threshold, maxModules, profile, codeCache, verify, lockstep };
}

function positive(values: KeyValues, key: string, most: number): number | undefined {
  if (!values.has(key)) return undefined;
  const number = values.integer(key, 0);
  if (number < 1 || number > most) throw new UsageError(`Parameter '${key}' expects a number from 1 to ${most}`);
  return number;
}

function lockstepOf(values: KeyValues): NonNullable<KvmOptions["lockstep"]> {
  const core = (key: string, fallback: Accelerator): Accelerator => {
    const chosen = chooseAccelerator(values.get(key) ?? fallback);
    if (chosen === "lockstep") throw new UsageError(`Parameter '${key}' expects an accelerator other than lockstep`);
    return chosen;
  };
  const every = values.integer("every", 100_000);
  if (every < 1 || every > 0xffff_ffff) throw new UsageError("Parameter 'every' expects a number of instructions");
  return { a: core("a", "interp"), b: core("b", "ts"), every };
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
