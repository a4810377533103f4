// npm test: installs, builds, checks and runs every test.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { BUNDLE_OPTIONS, build } from "./build.mjs";
import { ensureDebianPackages } from "./debian-packages.mjs";
import { readOptions } from "./options.mjs";
import { filesUnder, root } from "./project.mjs";

const BIN = "node_modules";
/** Two test files at a time: some of them start a guest that fills a core. */
const CONCURRENCY = 2;

/** Test files that are run on the TypeScript core too (WKVM_TEST_ACCEL=ts). */
const ON_EVERY_CORE = ["test/kvm/", "test/vectors/recorded"];

/** No file takes a third of this on a busy machine. */
const TIMEOUT_MS = 900_000;

const HELP = `npm test [-- PATTERN...]
  Installs, builds, checks and runs every test; with patterns, the test files whose path contains
  one of them, or, where none does, the tests whose name matches.
  --soak    the longer forms of the tests (npm run soak)
`;
const { values, positionals: patterns } = readOptions(HELP, {
  options: { soak: { type: "boolean", default: false } },
  allowPositionals: true,
});
const { soak } = values;
const results = [];

/** Runs one step and notes how it ended; later steps run all the same, so that one run shows every failure. */
async function step(name, args, environment = {}) {
  const started = performance.now();
  console.log(`\n== ${name}`);
  const status = await new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...environment },
    });
    child.on("error", () => resolve(127));
    child.on("close", (code) => resolve(code ?? 1));
  });
  results.push({ name, passed: status === 0, seconds: (performance.now() - started) / 1000 });
}

async function staticSteps() {
  await step("types (tsc)", [`${BIN}/typescript/bin/tsc`, "-p", "."]);
  await step("format and lint (biome)", [`${BIN}/@biomejs/biome/bin/biome`, "ci", "--max-diagnostics=40", "."]);
  await step("direction of imports", ["tools/check-layers.mjs"]);
  await step("leaf modules (as-pect)", [`${BIN}/@as-pect/cli/bin/asp.js`, "--summary", "--no-logo"]);
}

/** The files to run, and what else node --test is told. */
function select() {
  const all = filesUnder("test", (path) => path.endsWith(".test.ts"));
  if (patterns.length === 0) return { files: all, names: [] };
  const files = all.filter((path) => patterns.some((pattern) => path.includes(pattern)));
  if (files.length > 0) return { files, names: [] };
  return { files: all, names: patterns.map((pattern) => `--test-name-pattern=${pattern}`) };
}

/** Inside a bundle, a test's own `import.meta.url` still names its source, next to which its data lies. */
const sourceUrls = {
  name: "source-urls",
  setup(bundler) {
    bundler.onLoad({ filter: /[\\/]test[\\/].*\.ts$/ }, ({ path }) => {
      if (path.includes(`${BIN}/`)) return undefined;
      const url = JSON.stringify(pathToFileURL(path).href);
      return { contents: readFileSync(path, "utf8").replaceAll(/\bimport\.meta\.url\b/g, url), loader: "ts" };
    });
  },
};

/** A failed test may leave a process or a socket behind, for which its file would wait for ever (Node 20.14 and newer). */
function againstHangs() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major === 20 && minor < 14) return [];
  const whole = `--import=${pathToFileURL(join(root, "tools", "whole-output.mjs"))}`;
  return [whole, "--test-force-exit", ...(soak ? [] : [`--test-timeout=${TIMEOUT_MS}`])];
}

async function runTests() {
  const { build: esbuild } = await import("esbuild");
  const { files, names } = select();
  // Inside node_modules, so that tests find the packages; a folder per run, so that runs do not meet.
  mkdirSync(join(root, BIN, ".cache"), { recursive: true });
  const folder = mkdtempSync(join(root, BIN, ".cache", "wkvm-test-"));
  try {
    await esbuild({
      ...BUNDLE_OPTIONS,
      sourcemap: "inline",
      entryPoints: files.map((path) => ({ in: path, out: path.slice("test/".length, -".ts".length) })),
      outdir: folder,
      outExtension: { ".js": ".mjs" },
      plugins: [sourceUrls],
    });
    const bundles = files.map((path) => join(folder, `${path.slice("test/".length, -".ts".length)}.mjs`));
    const flags = [
      "--enable-source-maps",
      "--test",
      `--test-concurrency=${CONCURRENCY}`,
      "--test-reporter=spec",
      ...againstHangs(),
    ];
    const environment = {
      WKVM_ROOT: root,
      WKVM_CORE: join(root, "dist", "core.wasm"),
      ...(soak ? { WKVM_SOAK: "1" } : {}),
    };
    await step(`${files.length} test files (node --test)`, [...flags, ...names, ...bundles], environment);
    const again = bundles.filter((_, index) => ON_EVERY_CORE.some((prefix) => files[index].startsWith(prefix)));
    if (again.length > 0) {
      const name = `${again.length} of them on the TypeScript core`;
      await step(name, [...flags, ...names, ...again], { ...environment, WKVM_TEST_ACCEL: "ts" });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const started = performance.now();
ensureDebianPackages();
await build();
if (patterns.length === 0) await staticSteps();
await runTests();

console.log("");
for (const { name, passed, seconds } of results) {
  console.log(`${passed ? "passed" : "FAILED"}  ${name}  (${seconds.toFixed(1)} s)`);
}
const failed = results.filter((result) => !result.passed);
const total = ((performance.now() - started) / 1000).toFixed(0);
console.log(
  failed.length === 0
    ? `npm test: all passed in ${total} s`
    : `npm test: ${failed.length} of ${results.length} steps FAILED`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
