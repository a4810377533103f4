// Build step: prints assembly/generated/ from the instruction table. Usage: node print.js OUTPUT_FOLDER
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { printTables } from "./print-decoder.ts";
import { printDisassembly } from "./print-disassembly.ts";
import { number, printGroup, printHot } from "./print-interpreter.ts";
import { printMicroOps } from "./print-micro-ops.ts";
import { rows } from "./table.ts";
import { allVariants, variantsOf } from "./variant.ts";

const folder = process.argv[2];
if (!folder) throw new Error("print: name the output folder");
mkdirSync(folder, { recursive: true });
for (const row of rows) for (const form of row.forms) variantsOf(row, form);
const numbering = number();
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
write("interpret.ts", printHot(numbering));
for (const group of numbering.groups) write(`group-${group}.ts`, printGroup(numbering, group));
write("opcodes.ts", printTables(rows, numbering));
write("disassembly.ts", printDisassembly(rows));
// Helpers lie in the folders around the output.
const micro = printMicroOps(numbering, (module) => readFileSync(join(folder, "..", `${module}.ts`), "utf8"));
write("micro-ops.ts", micro.text);
write("helpers.ts", micro.helperText);
const sizes = [...numbering.cold].map(([g, list]) => `${g} ${list.length}`).join(", ");
console.log(`isa: micro-operations: ${micro.lists} lists, ${micro.bytes} bytes, ${micro.helpers.length} helpers`);
console.log(`isa: ${rows.length} rows, ${allVariants().length} variants, ${numbering.hot.length} hot; ${sizes}`);
