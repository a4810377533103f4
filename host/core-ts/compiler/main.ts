// Build step: compiles the kernel side's sources (assembly/) to TypeScript. Usage: node main.js ROOT OUTPUT_FOLDER
//
// The instruction table is printed once more, a function a case (assembly/isa/print-cases.ts): one function with a
// switch over all of them would be more than V8 optimises.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { printCases } from "../../../assembly/isa/print-cases.ts";
import { core } from "./core.ts";

const [root, folder] = process.argv.slice(2);
if (!root || !folder) throw new Error("name the checkout and the output folder");
const printed = printCases();
const text = core((path) => printed.get(path) ?? readFileSync(join(root, "assembly", `${path}.ts`), "utf8"));
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "core.ts"), text);
console.log(`core-ts: ${text.length} bytes`);
