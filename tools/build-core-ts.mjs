// Builds the TypeScript core: compiles assembly/ to host/core-ts/generated/core.ts (host/core-ts/README.md) and
// bundles that, with its runtime, to dist/core-ts.js.
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { must, root } from "./project.mjs";

const at = (...parts) => join(root, ...parts);

export async function buildCoreTs() {
  const started = performance.now();
  mkdirSync(at("dist", "build"), { recursive: true });
  const compiler = at("dist", "build", "core-ts-compiler.mjs");
  const options = {
    absWorkingDir: root,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "warning",
  };
  await build({
    ...options,
    entryPoints: ["host/core-ts/compiler/main.ts"],
    packages: "external",
    outfile: compiler,
  });
  must(process.execPath, [compiler, root, at("host", "core-ts", "generated")]);
  await build({
    ...options,
    entryPoints: ["host/core-ts/generated/core.ts"],
    platform: "neutral",
    // Names stay: profiles show them.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    outfile: "dist/core-ts.js",
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`core-ts: compiled in ${seconds} s, ${statSync(at("dist", "core-ts.js")).size} bytes`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildCoreTs();
