// The host's own /dev/kvm. Nested virtualisation often runs no stock kernel, but flat ring-3 code it runs: so the programs
// that need no system have a guest without one (bench/kvm).
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Command } from "../measured-process.ts";

const PROBE_TIMEOUT_MS = 10_000;

/** As FLAT_PROGRAMS of bench/kvm/programs.h has them. */
const PROGRAMS = ["integer", "sieve", "calls", "matrix", "nbody", "x87", "simd", "repcopy", "ssecopy", "chase"];

const HOST_FLAGS = ["-O2", "-std=gnu11"];
const GUEST_FLAGS = [
  ...["-O2", "-std=gnu11", "-static", "-nostdlib", "-fno-pic", "-no-pie", "-fno-stack-protector"],
  // No calls of a library, which there is not, and no instructions that an operating system turns on.
  ...["-fno-math-errno", "-fno-tree-loop-distribute-patterns", "-fcf-protection=none"],
  ...["-Wl,--build-id=none", "-Wl,-Ttext=0x400000"],
];

export interface KvmRunner {
  readonly name: "kvm";
  readonly bits: 64;
  readonly slow: false;
  readonly programs: readonly string[];
  /** `words`: repeats, scale and names, as bench/guests/main.c takes them. */
  readonly command: (words: readonly string[]) => Command;
}

/** `sources`: the bench's folder. `cache`: takes what is compiled. */
export function kvm(sources: string, cache: string): KvmRunner | { readonly missing: string } {
  if (!existsSync("/dev/kvm")) return { missing: "this system has no /dev/kvm" };
  if (process.arch !== "x64") return { missing: `this machine is ${process.arch}` };
  const flat = compile([join(sources, "kvm", "flat.c")], HOST_FLAGS, join(cache, "kvm-flat"));
  const parts = PROGRAMS.map((name) => join(sources, "guests", `${name}.c`));
  const guest = compile([join(sources, "kvm", "guest.c"), ...parts], GUEST_FLAGS, join(cache, "kvm-guest"));
  if (!flat || !guest) return { missing: "its programs cannot be compiled (Debian packages gcc and libc6-dev)" };
  const { status, stdout } = spawnSync(flat, [], { encoding: "utf8", timeout: PROBE_TIMEOUT_MS });
  if (status !== 0) return { missing: stdout?.trim() || "ring-3 code does not come back" };
  return {
    name: "kvm",
    bits: 64,
    slow: false,
    programs: PROGRAMS,
    command: (words) => ({ file: flat, args: [guest, ...words] }),
  };
}

/** The program's path, whose name ends with a digest of its sources; undefined where it cannot be compiled. */
function compile(inputs: readonly string[], flags: readonly string[], path: string): string | undefined {
  const digest = createHash("sha256").update(flags.join(" "));
  const folders = [...new Set(inputs.map((input) => dirname(input)))];
  const headers = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".h"))
      .sort()
      .map((name) => join(folder, name)),
  );
  for (const file of [...inputs, ...headers]) digest.update(readFileSync(file));
  const program = `${path}-${digest.digest("hex").slice(0, 16)}`;
  if (existsSync(program)) return program;
  const part = `${program}.${process.pid}`;
  if (spawnSync("gcc", [...flags, "-o", part, ...inputs]).status !== 0) return undefined;
  renameSync(part, program);
  return program;
}
