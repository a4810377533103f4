// Builds a core in which chosen cases of the interpreter have errors beside them, one of which is in force at a time:
//   if (mutant == 7) { the steps with an error } else { the steps as recorded }
// One build serves all of them. It is made of a copy of assembly/ in a folder of its own.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Mutation } from "../../assembly/isa/mutate.ts";
import { number, type PrintBody, printGroup, printHot } from "../../assembly/isa/print-interpreter.ts";
import type { CoreExports } from "../../host/kvm/core.ts";

/** What the core of mutants exports besides the others. */
export interface MutantExports extends CoreExports {
  /** Puts error number `n` (from 1) in force; 0: none. */
  setMutant(n: number): void;
  /** Which of the errors 64 * word + 1... stand in cases that were executed since the last call, a bit each. */
  takeReached(word: number): bigint;
}

const BITS = 64;

/** The module that says which error is in force, and notes which cases were executed. */
function controlModule(words: number): string {
  const numbers = Array.from({ length: words }, (_, i) => i);
  return `${numbers.map((i) => `let reached${i}: u64 = 0;`).join("\n")}
export let mutant: u32 = 0;
export function setMutant(n: u32): void { mutant = n; }
${numbers.map((i) => `export function reach${i}(bits: u64): void { reached${i} |= bits; }`).join("\n")}
export function takeReached(word: u32): u64 {
  let bits: u64 = 0;
${numbers.map((i) => `  if (word == ${i}) { bits = reached${i}; reached${i} = 0; }`).join("\n")}
  return bits;
}
`;
}

const BASE = "generated/mutants";
const FLAGS =
  "--runtime stub -O3 --importMemory --sharedMemory --initialMemory 64 --maximumMemory 65536 --enable simd " +
  "--enable threads --enable bulk-memory --noExportMemory --exportTable --memoryBase 1024 --disableWarning 112 --disableWarning 201";

/** Prints a case with its errors, which are numbered from 1 in the order of `mutations`. */
function printerOf(mutations: readonly Mutation[]): PrintBody {
  return (printer, variant) => {
    const own = mutations.flatMap((m, i) => (m.variant.key === variant.key ? [i] : []));
    const recorded = printer.body(variant);
    if (own.length === 0) return recorded;
    const words = new Map<number, bigint>();
    for (const i of own) words.set(i >> 6, (words.get(i >> 6) ?? 0n) | (1n << BigInt(i & 63)));
    const reached = [...words].map(([word, bits]) => `${printer.use(BASE, `reach${word}`)}(${bits});`);
    const wrong = own.map((i) => {
      const steps = mutations[i]!.steps();
      return `if (${printer.use(BASE, "mutant")} == ${i + 1}) { ${printer.body({ ...variant, steps })} } else `;
    });
    return `${reached.join(" ")} ${wrong.join("")}{ ${recorded} }`;
  };
}

/** Compiles the core with these errors. `root`: the checkout, whose assembly/generated is up to date. */
export async function buildMutantCore(root: string, mutations: readonly Mutation[]): Promise<WebAssembly.Module> {
  const folder = mkdtempSync(join(root, "dist", "mutants-"));
  try {
    const assembly = join(folder, "assembly");
    cpSync(join(root, "assembly"), assembly, { recursive: true });
    const write = (name: string, text: string): void => writeFileSync(join(assembly, name), text);
    const numbering = number();
    const print = printerOf(mutations);
    write(`${BASE}.ts`, controlModule(Math.ceil(mutations.length / BITS)));
    write("generated/interpret.ts", printHot(numbering, print));
    for (const group of numbering.groups) write(`generated/group-${group}.ts`, printGroup(numbering, group, print));
    write(
      "with-mutants.ts",
      'export * from "./core";\nexport { setMutant, takeReached } from "./generated/mutants";\n',
    );
    const wasm = join(folder, "core.wasm");
    const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
    const options = [...FLAGS.split(" "), "--outFile", wasm];
    execFileSync(process.execPath, [asc, join(assembly, "with-mutants.ts"), ...options], { cwd: root });
    return await WebAssembly.compile(readFileSync(wasm));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
