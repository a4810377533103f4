// The functions of a WebAssembly module as text: an instruction a line, as the text format has them, indented by blocks.
import { readOpcode, skipLocals } from "./instruction.ts";
import type { Opcode } from "./opcodes.ts";
import { Reader } from "./reader.ts";

const SECTION_IMPORT = 2;
const SECTION_CODE = 10;
const IMPORT_FUNCTION = 0;
const IMPORT_TABLE = 1;
const IMPORT_MEMORY = 2;
const VOID = 0x40;
const TYPES = new Map([
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
]);

/** Names of what a module's code names by number. */
export interface WasmNames {
  /** Imported functions and globals, by the names that the module imports them by. */
  import(name: string): string;
  local(number: number): string;
  /** What lies at a constant offset of a load or a store, if that has a name. */
  offset(value: number): string | undefined;
}

interface Imports {
  readonly functions: string[];
  readonly globals: string[];
}

/** The text of each function in a module's code section. Throws for what is no module. */
export function wasmFunctions(module: Uint8Array, names: WasmNames): string[][] {
  const reader = new Reader(module, 8);
  const imports: Imports = { functions: [], globals: [] };
  const functions: string[][] = [];
  while (!reader.done) {
    const id = reader.byte();
    const section = reader.part(reader.u32());
    if (id === SECTION_IMPORT) readImports(section, imports, names);
    if (id !== SECTION_CODE) continue;
    for (let left = section.u32(); left > 0; left--) {
      functions.push(functionLines(section.part(section.u32()), imports, names));
    }
  }
  return functions;
}

function readImports(section: Reader, { functions, globals }: Imports, names: WasmNames): void {
  for (let left = section.u32(); left > 0; left--) {
    section.name();
    const name = names.import(section.name());
    const kind = section.byte();
    if (kind === IMPORT_FUNCTION) {
      functions.push(name);
      section.u32();
    } else if (kind === IMPORT_MEMORY || kind === IMPORT_TABLE) {
      if (kind === IMPORT_TABLE) section.byte();
      const limits = section.byte();
      section.u32();
      if (limits & 1) section.u32();
    } else {
      globals.push(name);
      section.part(2);
    }
  }
}

function functionLines(body: Reader, imports: Imports, names: WasmNames): string[] {
  skipLocals(body);
  const lines: string[] = [];
  let depth = 0;
  while (!body.done) {
    const { name, immediates } = readOpcode(body);
    if (name === "end" || name === "else") depth--;
    // The end of the function itself is no line.
    if (depth < 0) break;
    lines.push(`${" ".repeat(depth)}${name}${operands(body, name, immediates, imports, names)}`);
    if (immediates === "b" || name === "else") depth++;
  }
  return lines;
}

/** The immediates of an instruction, a space before each. */
function operands(
  body: Reader,
  name: string,
  immediates: Opcode["immediates"],
  imports: Imports,
  names: WasmNames,
): string {
  switch (immediates) {
    case "b": {
      const type = body.byte();
      return type === VOID ? "" : ` (result ${TYPES.get(type) ?? type})`;
    }
    case "i":
      return ` ${index(body.u32(), name, imports, names)}`;
    case "ii":
      return ` ${body.u32()} ${body.u32()}`;
    case "labels": {
      const labels = Array.from({ length: body.u32() + 1 }, () => body.u32());
      return ` ${labels.join(" ")}`;
    }
    case "m":
    case "ml":
      return memory(body, names) + (immediates === "ml" ? ` ${body.byte()}` : "");
    case "i32":
    case "i64":
      return ` ${body.signed()}`;
    case "f32":
      return ` ${body.f32()}`;
    case "f64":
      return ` ${body.f64()}`;
    case "v128":
    case "lanes":
      return bytes(body.take(16), immediates);
    case "l":
      return ` ${body.byte()}`;
    case "types":
      return ` (result ${Array.from({ length: body.u32() }, () => TYPES.get(body.byte())).join(" ")})`;
    case "":
      return "";
  }
}

function index(number: number, name: string, { functions, globals }: Imports, names: WasmNames): string {
  if (name.startsWith("local.")) return `$${names.local(number)}`;
  const imported = name.startsWith("global.")
    ? globals[number]
    : name === "call" || name === "return_call"
      ? functions[number]
      : undefined;
  return imported === undefined ? `${number}` : `$${imported}`;
}

function memory(body: Reader, names: WasmNames): string {
  body.u32();
  const offset = body.u32();
  return offset ? ` offset=${names.offset(offset) ?? offset}` : "";
}

function bytes(values: Uint8Array, immediates: "v128" | "lanes"): string {
  if (immediates === "lanes") return ` ${values.join(" ")}`;
  const hex = [...values].reverse().map((byte) => byte.toString(16).padStart(2, "0"));
  return ` i8x16 0x${hex.join("")}`;
}
