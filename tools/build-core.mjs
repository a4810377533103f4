// Builds the kernel side: prints assembly/generated/ from the instruction table, compiles dist/core.wasm with asc,
// and checks that the module holds neither an allocator nor a data segment that could be written.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const at = (...parts) => join(root, ...parts);
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** Bundles what the build itself runs; returns where it lies. */
async function bundle(entry, name) {
  const outfile = at("dist", "build", name);
  const how = { bundle: true, platform: "node", format: "esm", target: "node20", logLevel: "warning" };
  await build({ ...how, entryPoints: [entry], outfile });
  return outfile;
}

/** Bundles and runs assembly/isa/print.ts. */
export async function printGenerated() {
  const printer = await bundle(at("assembly", "isa", "print.ts"), "isa-print.mjs");
  rmSync(at("assembly", "generated"), { recursive: true, force: true });
  execFileSync(process.execPath, [printer, at("assembly", "generated")], { stdio: "inherit" });
}

/** Compiles assembly/core.ts; WKVM_ASC_OPT overrides the optimisation level while developing. */
export function compileCore(output = at("dist", "core.wasm")) {
  const asc = at("node_modules", "assemblyscript", "bin", "asc.js");
  const flags = [
    at("assembly", "core.ts"),
    "--runtime",
    "stub",
    process.env.WKVM_ASC_OPT ?? "-O3",
    "--importMemory",
    "--sharedMemory",
    "--initialMemory",
    "64",
    "--maximumMemory",
    "65536",
    "--enable",
    "simd",
    "--enable",
    "threads",
    "--enable",
    "bulk-memory",
    "--noExportMemory",
    "--exportTable",
    "--memoryBase",
    "1024",
    "--disableWarning",
    "112",
    "--disableWarning",
    "201",
    "--outFile",
    output,
    "--textFile",
    at("dist", "build", "core.wat"),
  ];
  execFileSync(process.execPath, [asc, ...flags], { stdio: "inherit", cwd: root });
}

/** Compiles unpack.wasm, and prints it as text into assembly/generated/unpack-module.ts: it is small, and what imports it
 * need not look for a file. */
export function compileUnpack() {
  const asc = at("node_modules", "assemblyscript", "bin", "asc.js");
  const output = at("dist", "build", "unpack.wasm");
  const flags = [
    at("assembly", "unpack", "index.ts"),
    "--runtime",
    "stub",
    "-O3",
    "--noAssert",
    "--importMemory",
    "--noExportMemory",
    "--initialMemory",
    "6",
    "--enable",
    "simd",
    "--enable",
    "bulk-memory",
    "--memoryBase",
    "1024",
    "--disableWarning",
    "201",
    "--outFile",
    output,
  ];
  execFileSync(process.execPath, [asc, ...flags], { stdio: "inherit", cwd: root });
  const text = readFileSync(output).toString("base64");
  const head = "// Printed by tools/build-core.mjs: unpack.wasm in base64 (assembly/unpack/).\n";
  writeFileSync(at("assembly", "generated", "unpack-module.ts"), `${head}export const UNPACK_WASM = "${text}";\n`);
}

/** Throws if the core contains what its memory layout has no place for. */
export async function checkCore(output = at("dist", "core.wasm")) {
  const text = readFileSync(at("dist", "build", "core.wat"), "utf8");
  for (const forbidden of ["~lib/rt/", "__alloc", "__new"]) {
    if (text.includes(forbidden)) throw new Error(`core.wasm contains ${forbidden}: assembly/ must not allocate`);
  }
  const VM_BASE = 0x100000;
  for (const [, offset, data] of text.matchAll(/^ \(data \S+ \(i32\.const (\d+)\) "(.*)"\)$/gm)) {
    const length = data.replace(/\\[0-9a-f]{2}|\\./g, "x").length;
    if (Number(offset) + length > VM_BASE)
      throw new Error("core.wasm: read-only tables reach into the VM area at VM_BASE");
  }
  const imports = WebAssembly.Module.imports(await WebAssembly.compile(readFileSync(output)));
  const allowed = new Set(["memory", "nowNs", "wallNs", "randomU32", "doorbell", "compile", "discard", "trace"]);
  for (const { name } of imports)
    if (!allowed.has(name)) throw new Error(`core.wasm imports ${name}: assembly/host.ts is the whole surface`);
}

/** Functions that handle what hardly ever happens, or is the way out of the interpreter's loop. */
const COLD = /(Slow|Checked|\/branchNear|\/findTrace|\/leaveTrace)$/;
const FAULT = "assembly/cpu/fault";

/** Tells engines which of the core's branches are unlikely. */
async function hintBranches(output = at("dist", "core.wasm")) {
  const hints = await bundle(at("tools", "branch-hints.ts"), "branch-hints.mjs");
  const { withBranchHints } = await import(pathToFileURL(hints));
  const text = readFileSync(at("dist", "build", "core.wat"), "utf8");
  const names = (pattern) => [...text.matchAll(pattern)].map(([, name]) => name);
  const functions = names(/^ \((?:import "[^"]*" "[^"]*" \()?func \$(\S+)/gm);
  const cold = new Set(functions.flatMap((name, number) => (COLD.test(name) ? [number] : [])));
  const fault = names(/^ \(global \$(\S+)/gm).indexOf(FAULT);
  if (cold.size === 0 || fault < 0) throw new Error("core.wasm: no function is cold, or there is no global for faults");
  writeFileSync(output, withBranchHints(readFileSync(output), cold, fault));
}

export async function buildCore() {
  mkdirSync(at("dist", "build"), { recursive: true });
  let start = performance.now();
  await printGenerated();
  compileUnpack();
  console.log(`isa: printed in ${seconds(start)}`);
  start = performance.now();
  compileCore();
  await hintBranches();
  await checkCore();
  console.log(`core: compiled in ${seconds(start)}, ${readFileSync(at("dist", "core.wasm")).length} bytes`);
  writeFileSync(at("dist", "build", "core.stamp"), `${Date.now()}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await buildCore();
