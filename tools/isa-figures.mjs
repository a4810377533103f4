// node tools/isa-figures.mjs [row...]: what rows of the instruction table cost in each printed form, and asc's time for
// them all: the figures of docs/decisions/0001. Takes minutes.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "./project.mjs";

const outfile = join(root, "dist", "build", "isa-figures.mjs");
mkdirSync(join(root, "dist", "build"), { recursive: true });
await build({
  absWorkingDir: root,
  entryPoints: ["test/isa/figures.ts"],
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20",
  outfile,
  logLevel: "warning",
});
process.exitCode =
  spawnSync(process.execPath, [outfile, ...process.argv.slice(2)], { cwd: root, stdio: "inherit" }).status ?? 1;
