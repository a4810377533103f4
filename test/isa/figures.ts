// The figures of docs/decisions/0001: what a row costs in each printed form, and what asc takes for the table. Usage:
// node tools/isa-figures.mjs [row...]
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Signatures } from "../../assembly/isa/helper-signatures.ts";
import { printTables } from "../../assembly/isa/print-decoder.ts";
import { type Numbering, number, printGroup, printHot } from "../../assembly/isa/print-interpreter.ts";
import { Helpers, serialize } from "../../assembly/isa/serialize.ts";
import { rows } from "../../assembly/isa/table.ts";
import { allVariants, type Variant, variantsOf } from "../../assembly/isa/variant.ts";

const root = process.env["WKVM_ROOT"] ?? process.cwd();
const shown = process.argv.slice(2);
const GATE = ["add", "adc", "shl", "imul", "push", "call", "jz", "cmpxchg", "movsb", "addsd", "pshufb", "fadd"];

/** Sizes of exported functions by name. */
function functionSizes(wasm: Uint8Array): Map<string, number> {
  let at = 8;
  const leb = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++]!;
      value |= (byte & 0x7f) << shift;
      if (!(byte & 0x80)) return value >>> 0;
    }
  };
  const bodies: number[] = [];
  const exported = new Map<string, number>();
  while (at < wasm.length) {
    const id = wasm[at++]!;
    const end = leb() + at;
    if (id === 7) {
      for (let n = leb(); n > 0; n--) {
        const length = leb();
        const name = Buffer.from(wasm.subarray(at, at + length)).toString();
        at += length;
        const kind = wasm[at++]!;
        const index = leb();
        if (kind === 0) exported.set(name, index);
      }
    } else if (id === 10) {
      for (let n = leb(); n > 0; n--) {
        const size = leb();
        bodies.push(size);
        at += size;
      }
    }
    at = end;
  }
  const module = WebAssembly.Module.imports(new WebAssembly.Module(Uint8Array.from(wasm)));
  const imported = module.filter((i) => i.kind === "function").length;
  return new Map([...exported].map(([name, index]) => [name, bodies[index - imported]!]));
}

/** Compiles an entry file of a copy of assembly/; returns the module and the processor time of asc in seconds. */
function compile(folder: string, entry: string): { wasm: Uint8Array; seconds: number } {
  const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
  const flags =
    "--runtime stub -O3 --importMemory --sharedMemory --initialMemory 64 --maximumMemory 65536 --enable simd --enable threads --enable bulk-memory --noExportMemory --memoryBase 1024 --disableWarning 201";
  const out = join(folder, "figures.wasm");
  const timed = spawnSync(
    "bash",
    [
      "-c",
      `TIMEFORMAT='%U %S'; time "$@"`,
      "asc",
      process.execPath,
      asc,
      join(folder, "assembly", entry),
      ...flags.split(" "),
      "--outFile",
      out,
    ],
    { cwd: root, encoding: "utf8" },
  );
  if (timed.status !== 0) throw new Error(timed.stderr);
  const [user, system] = timed.stderr.trim().split("\n").at(-1)!.split(" ").map(Number) as [number, number];
  return { wasm: readFileSync(out), seconds: user + system };
}

for (const row of rows) for (const form of row.forms) variantsOf(row, form);
const numbering = number();
const byRow = new Map<string, Variant[]>();
for (const v of allVariants()) byRow.set(v.row.name, [...(byRow.get(v.row.name) ?? []), v]);

const folder = mkdtempSync(join(root, "dist", "figures-"));
try {
  const assembly = join(folder, "assembly");
  cpSync(join(root, "assembly"), assembly, {
    recursive: true,
    filter: (path) => !/[\\/](generated|isa|__tests__)$/.test(path),
  });
  mkdirSync(join(assembly, "generated"));
  const put = (name: string, text: string): void => writeFileSync(join(assembly, "generated", name), text);
  put("opcodes.ts", printTables(rows, numbering));

  // Each row as a group of its own: one function, whose size is what its cases take.
  const single: Numbering = { ...numbering, groups: [...byRow.keys()], hot: [], cold: byRow };
  const functions = new Map<string, string>();
  let entry = "";
  single.groups.forEach((name, i) => {
    const text = printGroup(single, name);
    functions.set(name, `row${i}`);
    put(`row-${i}.ts`, text);
    entry += `export { ${/export function (\w+)/.exec(text)![1]} as row${i} } from "./generated/row-${i}";\n`;
  });
  writeFileSync(join(assembly, "rows.ts"), entry);
  const separate = compile(folder, "rows.ts");
  const sizes = functionSizes(separate.wasm);

  const helpers = new Helpers(new Signatures((module) => readFileSync(join(root, "assembly", `${module}.ts`), "utf8")));
  const figures = [...byRow].map(([name, variants]) => ({
    name,
    cases: variants.length,
    wasm: sizes.get(functions.get(name)!)!,
    serialised: variants.reduce((sum, v) => sum + serialize(v, helpers).length, 0),
  }));
  const total = figures.reduce((a, b) => ({
    name: "all rows",
    cases: a.cases + b.cases,
    wasm: a.wasm + b.wasm,
    serialised: a.serialised + b.serialised,
  }));
  console.log("| row | cases | wasm bytes (a case) | serialised bytes (a case) |\n|---|---|---|---|");
  for (const name of [...(shown.length ? shown : GATE), ""]) {
    const f = name ? figures.find((each) => each.name === name)! : total;
    const per = (value: number): string => `${value} (${Math.round(value / f.cases)})`;
    console.log(`| ${f.name} | ${f.cases} | ${per(f.wasm)} | ${per(f.serialised)} |`);
  }
  console.log(
    `\nasc, a function a row: ${separate.seconds.toFixed(1)} s of processor time, ${separate.wasm.length} bytes`,
  );

  put("interpret.ts", printHot(numbering));
  for (const group of numbering.groups) put(`group-${group}.ts`, printGroup(numbering, group));
  for (const name of ["micro-ops.ts", "helpers.ts"]) {
    try {
      cpSync(join(root, "assembly", "generated", name), join(assembly, "generated", name));
    } catch {
      // Not every state of the core reads them.
    }
  }
  const whole = compile(folder, "index.ts");
  console.log(`asc, the core: ${whole.seconds.toFixed(1)} s of processor time, ${whole.wasm.length} bytes`);
  // The same core with every group and the hot switch empty: what is left is not the table's.
  const none: Numbering = { ...numbering, hot: [], cold: new Map(numbering.groups.map((g) => [g, []])) };
  put("interpret.ts", printHot(none));
  for (const group of numbering.groups) put(`group-${group}.ts`, printGroup(none, group));
  const without = compile(folder, "index.ts");
  const seconds = whole.seconds - without.seconds;
  const bytes = whole.wasm.length - without.wasm.length;
  console.log(`asc, the core without cases: ${without.seconds.toFixed(1)} s, ${without.wasm.length} bytes`);
  console.log(
    `a row: ${((1000 * seconds) / rows.length).toFixed(1)} ms, ${Math.round(bytes / rows.length)} bytes; a case: ${((1000 * seconds) / total.cases).toFixed(1)} ms, ${Math.round(bytes / total.cases)} bytes (helpers that only cases use included)`,
  );
  console.log(`${rows.length} rows, ${total.cases} cases, ${helpers.names.length} helpers`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
