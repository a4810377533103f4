// The benchmark programs, compiled from bench/guests for either width, and the files that they use.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { GuestFiles } from "./guest-files.ts";
import type { Bits } from "./peers/emulator.ts";

export interface ProgramFiles {
  /** The statically linked program. */
  readonly program: string;
  /** The folder to run it in: busybox and lua/ lie there. */
  readonly folder: string;
}

/** Doubles are SSE2's in both: x87.c asks for the other by itself. */
const FLAGS: Record<Bits, readonly string[]> = {
  64: ["-O2", "-std=gnu11", "-static"],
  32: ["-m32", "-msse2", "-mfpmath=sse", "-O2", "-std=gnu11", "-static"],
};
const PACKAGES: Record<Bits, string> = { 64: "gcc and libc6-dev", 32: "gcc-multilib" };

/**
 * Compiles `sources`/*.c, or says why not. The program lies in the cache under a name that depends on the sources;
 * `work` takes the folder to run it in.
 */
export function programFiles(sources: string, files: GuestFiles, work: string): ProgramFiles | { missing: string } {
  const compiled = compile(sources, files);
  if ("missing" in compiled) return compiled;
  const folder = join(work, `programs-${files.bits}`);
  if (!existsSync(folder)) {
    mkdirSync(folder);
    copyFileSync(files.busybox, join(folder, "busybox"));
    cpSync(files.lua, join(folder, "lua"), { recursive: true });
    copyFileSync(join(sources, "interpreter.lua"), join(folder, "lua", "interpreter.lua"));
  }
  return { program: compiled.path, folder };
}

function compile(sources: string, { bits, folder }: GuestFiles): { path: string } | { missing: string } {
  const flags = FLAGS[bits];
  const names = readdirSync(sources)
    .filter((name) => name.endsWith(".c") || name.endsWith(".h"))
    .sort();
  const digest = createHash("sha256").update(flags.join(" "));
  for (const name of names) digest.update(name).update(readFileSync(join(sources, name)));
  const path = join(folder, `programs-${digest.digest("hex").slice(0, 16)}`);
  if (existsSync(path)) return { path };
  const part = `${path}.${process.pid}`;
  const inputs = names.filter((name) => name.endsWith(".c")).map((name) => join(sources, name));
  const result = spawnSync("gcc", [...flags, "-o", part, ...inputs, "-lm"], { encoding: "utf8" });
  if (result.error) return { missing: `gcc is not installed (Debian packages ${PACKAGES[bits]})` };
  if (result.status !== 0) {
    const line = result.stderr.split("\n").find((text) => text !== "");
    return { missing: `gcc for ${bits}-bit programs: ${line} (Debian packages ${PACKAGES[bits]})` };
  }
  renameSync(part, path);
  return { path };
}
