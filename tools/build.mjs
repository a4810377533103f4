// npm run build: dist/core.wasm, dist/core-ts.js, dist/index.js, dist/wkvm.js and the type declarations.
// Each step is left out where its inputs are those of the last build.
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureInstalled } from "./install.mjs";
import { digestOf, filesUnder, must, root } from "./project.mjs";

const CONFIGURATION = ["package.json", "tsconfig.json", "tsconfig.types.json", "tools/build.mjs"];
const CORE_STAMP = join(root, "dist", ".core-digest");
const CORE_TS_STAMP = join(root, "dist", ".core-ts-digest");
const HOST_STAMP = join(root, "dist", ".host-digest");

/** Options that every bundle shares. Packages stay imports: npm installs them, and their licences with them. */
export const BUNDLE_OPTIONS = {
  absWorkingDir: root,
  bundle: true,
  packages: "external",
  format: "esm",
  platform: "node",
  target: "node20",
  sourcemap: true,
  legalComments: "none",
  logLevel: "warning",
};

/** Brings dist/ up to date. `types: false` leaves out the declarations, which only packages need. */
export async function build({ types = true } = {}) {
  ensureInstalled();
  mkdirSync(join(root, "dist"), { recursive: true });
  await buildCore();
  await buildTypeScriptCore();
  await buildHost(types);
}

/** Prints the instruction table and compiles the kernel side. */
function buildCore() {
  const own = (path) => path.endsWith(".ts") && !path.includes("/generated/") && !path.includes("/__tests__/");
  const digest = digestOf([
    ...filesUnder("assembly", own),
    ...filesUnder("host/disassembler/wasm", own),
    "tools/branch-hints.ts",
    "tools/build-core.mjs",
    "package-lock.json",
  ]);
  return renew(["dist/core.wasm"], CORE_STAMP, digest, () => {
    must(process.execPath, ["tools/build-core.mjs"], { stdio: ["ignore", 2, 2] });
  });
}

/** Compiles the kernel side once more, to TypeScript (host/core-ts/README.md). */
function buildTypeScriptCore() {
  const own = (path) => path.endsWith(".ts") && !path.includes("/generated/") && !path.includes("/__tests__/");
  const digest = digestOf([
    ...filesUnder("assembly", own),
    ...filesUnder("host/core-ts", own),
    "tools/build-core-ts.mjs",
    "package-lock.json",
  ]);
  return renew(["dist/core-ts.js"], CORE_TS_STAMP, digest, () => {
    must(process.execPath, ["tools/build-core-ts.mjs"], { stdio: ["ignore", 2, 2] });
  });
}

/** Bundles the user side. */
function buildHost(types) {
  const shared = [
    "host/core-ts/core.ts",
    "assembly/layout.ts",
    "assembly/exits.ts",
    "assembly/features.ts",
    "assembly/isa/encoding.ts",
    "assembly/generated/disassembly.ts",
    "assembly/generated/unpack-module.ts",
    "assembly/unpack/codes.ts",
    "assembly/unpack/memory.ts",
  ];
  const sources = [
    ...filesUnder("host", (path) => path.endsWith(".ts") && !path.startsWith("host/core-ts/")),
    ...shared.filter(exists),
    ...CONFIGURATION,
  ];
  const digest = digestOf(sources);
  const outputs = ["dist/index.js", "dist/wkvm.js", ...(types ? ["dist/types/host/index.d.ts"] : [])];
  return renew(outputs, HOST_STAMP, digest, async () => {
    await bundle();
    if (types) declarations();
  });
}

/** Makes `outputs`, unless they are there and the stamp says that they were made of the same. The stamp goes first: of what was interrupted
 * nothing is taken for built. */
async function renew(outputs, stamp, digest, make) {
  if (outputs.every(exists) && readStamp(stamp) === digest) return;
  rmSync(stamp, { force: true });
  await make();
  writeFileSync(stamp, digest);
}

function exists(path) {
  return existsSync(join(root, path));
}

async function bundle() {
  const { build: esbuild, stop } = await import("esbuild");
  const workers = filesUnder("host", (path) => path.endsWith("-worker.ts"));
  await esbuild({
    ...BUNDLE_OPTIONS,
    entryPoints: [
      { in: "host/index.ts", out: "index" },
      ...workers.map((path) => ({ in: path, out: path.slice(path.lastIndexOf("/") + 1, -".ts".length) })),
    ],
    outdir: "dist",
  });
  await esbuild({
    ...BUNDLE_OPTIONS,
    entryPoints: [{ in: "host/cli/main.ts", out: "wkvm" }],
    banner: { js: "#!/usr/bin/env node" },
    outdir: "dist",
  });
  chmodSync(join(root, "dist", "wkvm.js"), 0o755);
  // npm start goes on in this process; esbuild's own must not wait beside the guest.
  await stop();
}

/** Declarations of host/index.ts and what it names. Sources import `./x.ts`; a package has `./x.d.ts`, that is `./x.js`. */
function declarations() {
  rmSync(join(root, "dist", "types"), { recursive: true, force: true });
  must(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.types.json"]);
  for (const path of filesUnder("dist/types", (name) => name.endsWith(".d.ts"))) {
    const text = readFileSync(join(root, path), "utf8");
    writeFileSync(join(root, path), text.replaceAll(/((?:from|import\()\s*"\.{1,2}\/[^"]*)\.ts"/g, '$1.js"'));
  }
  // For bundlers, which turn the import of such a file into its address.
  writeFileSync(join(root, "dist", "types", "core-wasm.d.ts"), "declare const url: string;\nexport default url;\n");
}

function readStamp(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
