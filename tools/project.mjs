// Where the project's files are, and small things that all tools share.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Absolute path of the checkout. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** Runs a command in the checkout with inherited streams; returns its exit status (128 + n for signal n). */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (result.error) {
    console.error(`${command}: ${result.error.message}`);
    return 127;
  }
  return result.status ?? 128;
}

/** Runs a step that the rest depends on; a failure ends this process with its status. */
export function must(command, args, options) {
  const status = run(command, args, options);
  if (status !== 0) process.exit(status);
}

/** Paths (relative to the checkout, sorted) of all files under `folder` that `accept` takes. */
export function filesUnder(folder, accept) {
  const start = join(root, folder);
  if (!existsSync(start)) return [];
  return readdirSync(start, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length))
    .filter((path) => accept(path))
    .sort();
}

/** A digest of names and contents of files given by paths relative to the checkout. */
export function digestOf(paths) {
  const hash = createHash("sha256");
  for (const path of paths) {
    const content = readFileSync(join(root, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}
