// Bundles one of the test side's programs and runs it: node tools/run-program.mjs FILE [ARGUMENT...]
import { mkdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { BUNDLE_OPTIONS, build } from "./build.mjs";
import { root, run } from "./project.mjs";

const [file, ...args] = process.argv.slice(2);
await build({ types: false });
const { build: esbuild } = await import("esbuild");
const folder = join(root, "node_modules", ".cache");
mkdirSync(folder, { recursive: true });
const program = join(folder, `${basename(file, ".ts")}-${process.pid}.mjs`);
try {
  await esbuild({ ...BUNDLE_OPTIONS, sourcemap: "inline", entryPoints: [file], outfile: program });
  process.exitCode = run(process.execPath, ["--enable-source-maps", program, ...args], {
    env: { ...process.env, WKVM_ROOT: root, WKVM_CORE: process.env.WKVM_CORE ?? join(root, "dist", "core.wasm") },
  });
} finally {
  rmSync(program, { force: true });
}
