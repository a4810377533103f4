// The text of the generated module: a function that makes a core over a memory.
import { PRELUDE } from "./prelude.ts";
import { Program, type Reader } from "./program.ts";
import { I64, isInteger, partsOf, type Type, U64, VOID } from "./types.ts";
import { Unit } from "./unit.ts";

/** Names of the sources that only ever hold addresses of this alignment: records and traces, TLB entries, slots, state. */
const ALIGNED: ReadonlyMap<string, number> = new Map([
  ["cpu", 4096],
  ["c", 4096],
  ["pc", 8],
  ["rec", 8],
  ["record", 8],
  ["t", 8],
  ["trace", 8],
  ["link", 4],
  ["entry", 8],
  ["tlb", 32],
  ["slot", 8],
]);

/** The module's text. `read` gives a module under assembly/ by its path. */
export function core(read: Reader): string {
  const program = new Program(read);
  program.loadAll("index");
  program.loadAll("generated/cases");
  const unit = new Unit(program, ALIGNED);
  const handlers = program.exportsOf("generated/cases").filter((name) => name.startsWith("case_"));
  const table = handlers.map((name) => unit.function(functionNamed(program, "generated/cases", name), []).name);
  const exported = program.exportsOf("index").map((name) => wrapper(unit, program, name));
  unit.finish();
  const { base, bytes } = unit.tableBytes();
  return `// Printed by host/core-ts/compiler from assembly/. Not edited.
// @ts-nocheck
import type { CoreHost } from "../core.ts";
${unit.imports()}

const $TABLES = "${Buffer.from(bytes).toString("base64")}";

/** Makes a core over a memory: what an instance of core.wasm is. */
export function makeCore($memory: ArrayBufferLike, $host: CoreHost) {
${PRELUDE}
$U8.set(Uint8Array.from(atob($TABLES), (c) => c.charCodeAt(0)), ${base});
${unit.bodyText()}
const $handlers = [${table.join(", ")}];
return {
${exported.join("\n")}
};
}
`;
}

function functionNamed(program: Program, module: string, name: string) {
  const symbol = program.exported(module, name);
  if (symbol.kind !== "function") throw new Error(`${name} is no function`);
  return symbol;
}

/** An export takes and gives what WebAssembly's would: numbers cut to int32, bigints for 64-bit integers. */
function wrapper(unit: Unit, program: Program, name: string): string {
  const { name: inner, parameters, result } = unit.function(functionNamed(program, "index", name), []);
  if (parameters.length === 0 && !wide(result)) return `${name}: ${inner},`;
  const args = parameters.map((t, i) =>
    wide(t) ? `$low(a${i}), $upper(a${i})` : isInteger(t) ? `a${i} | 0` : `a${i}`,
  );
  const call = `${inner}(${args.join(", ")})`;
  const list = parameters.map((t, i) => `a${i}: ${wide(t) ? "bigint" : "number"}`).join(", ");
  if (result === VOID) return `${name}(${list}): void { ${call}; },`;
  if (!wide(result)) return `${name}(${list}): number { return ${call}; },`;
  return `${name}(${list}): bigint { const r = ${call}; return $join(r, $high); },`;
}

const wide = (t: Type): boolean => (t === I64 || t === U64) && partsOf(t) === 2;
