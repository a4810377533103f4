// npm run bench: builds the project and the bench, and runs it. Options go behind `--`; bench/options.ts has them.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { BUNDLE_OPTIONS, build } from "./build.mjs";
import { root } from "./project.mjs";

await build({ types: false });
const { build: esbuild } = await import("esbuild");
// Inside node_modules, so that the bundles find the packages; a folder per run, so that runs do not meet.
const cache = join(root, "node_modules", ".cache");
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, "wkvm-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
await esbuild({
  ...BUNDLE_OPTIONS,
  sourcemap: "inline",
  entryPoints: ["run", "probe", "v86-runner", "vms-probe", "profile-probe"].map((name) => ({
    in: `bench/${name}.ts`,
    out: name,
  })),
  outdir: folder,
  outExtension: { ".js": ".mjs" },
});
process.env.WKVM_ROOT = root;
process.env.WKVM_CORE = join(root, "dist", "core.wasm");
await import(pathToFileURL(join(folder, "run.mjs")).href);
