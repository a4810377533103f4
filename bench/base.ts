// Another revision of this repository, built to be measured beside the present one.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { OptionError } from "./options.ts";

/** A revision's build. */
export interface Base {
  /** Its commit, shortened. */
  readonly commit: string;
  /** Its dist/wkvm.js. */
  readonly program: string;
}

/**
 * Builds `revision` unless a former run has; the build is kept among the caches of the checkout at `root`, where it finds
 * the packages that it imports. Throws OptionError for what is no revision, or cannot be built.
 */
export function buildBase(root: string, revision: string, say: (text: string) => void): Base {
  const found = git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`);
  if (found === undefined) throw new OptionError(`--base ${revision}: no such revision`);
  const commit = found.slice(0, 12);
  const cache = join(root, "node_modules", ".cache");
  const kept = join(cache, `wkvm-base-${commit}`);
  const program = join(kept, "dist", "wkvm.js");
  if (existsSync(program)) return { commit, program };
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "wkvm-base-new-"));
  const clean = (): void => rmSync(work, { recursive: true, force: true });
  process.on("exit", clean);
  try {
    say(`building ${commit}`);
    const tree = join(work, "tree");
    // A clone has no part in this checkout's list of work trees, which a broken run would leave an entry in.
    must(spawnSync("git", ["clone", "--quiet", "--no-checkout", "--shared", root, tree], { encoding: "utf8" }), commit);
    must(spawnSync("git", ["checkout", "--quiet", "--detach", found], { cwd: tree, encoding: "utf8" }), commit);
    // The same packages need not be installed again; others must never be installed through a link.
    const lock = (folder: string): string => readFileSync(join(folder, "package-lock.json"), "utf8");
    if (lock(tree) === lock(root)) symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
    must(spawnSync(process.execPath, ["tools/build.mjs"], { cwd: tree, encoding: "utf8" }), commit);
    mkdirSync(join(work, "kept"));
    cpSync(join(tree, "dist"), join(work, "kept", "dist"), { recursive: true });
    renameSync(join(work, "kept"), kept);
  } finally {
    process.off("exit", clean);
    clean();
  }
  return { commit, program };
}

function git(root: string, ...args: string[]): string | undefined {
  const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

function must({ status, stderr }: { status: number | null; stderr: string }, commit: string): void {
  if (status === 0) return;
  const lines = (stderr ?? "").split("\n").filter((line) => line.trim() !== "");
  throw new OptionError(`--base ${commit}: cannot be built: ${lines.at(-1) ?? "for no reason given"}`);
}
