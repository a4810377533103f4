// The compiled unit: which functions and variables of the sources it holds, and the text of all of them.
import ts from "typescript";
import { Body } from "./body.ts";
import { compileExpression } from "./expressions.ts";
import type { FunctionSymbol, Program, VariableSymbol } from "./program.ts";
import { BOOL, F64, isInteger, partsOf, type Type, typeNamed, VOID } from "./types.ts";
import { type Value, value } from "./value.ts";

interface Compiled {
  readonly name: string;
  readonly result: Type;
  readonly parameters: readonly Type[];
}

/** Read-only tables begin here, as in core.wasm (--memoryBase). */
const DATA_BASE = 1024;

export class Unit {
  private readonly functions = new Map<string, Compiled>();
  private readonly queue: (() => void)[] = [];
  private readonly names = new Set<string>();
  private readonly variables = new Map<VariableSymbol, Value>();
  private readonly variableNames = new Map<VariableSymbol, string[]>();
  private readonly declarations: string[] = [];
  private readonly texts: string[] = [];
  private readonly runtimeUses = new Map<string, Set<string>>();
  private readonly tables: { at: number; bytes: Uint8Array }[] = [];
  private next = DATA_BASE;

  /** `aligned`: names of the sources that hold multiples of a power of two. */
  constructor(
    readonly program: Program,
    private readonly aligned: ReadonlyMap<string, number>,
  ) {}

  alignedName(name: string): number | undefined {
    return this.aligned.get(name);
  }

  /** True for names that a local variable must not have: a global one could be meant. */
  reserved(name: string): boolean {
    return this.program.names.has(name) || RESERVED.has(name);
  }

  /** A function of runtime/<module>.ts, as the text calls it. */
  runtime(module: string, name: string): string {
    const uses = this.runtimeUses.get(module) ?? new Set();
    this.runtimeUses.set(module, uses.add(name));
    return `${module}$${name}`;
  }

  private unique(wanted: string): string {
    let name = wanted;
    for (let n = 1; this.names.has(name) || RESERVED.has(name); n++) name = `${wanted}$${n}`;
    this.names.add(name);
    return name;
  }

  // -------------------------------------------------------------- functions
  function(symbol: FunctionSymbol, types: readonly Type[]): Compiled {
    const key = `${symbol.module.path}#${symbol.name}<${types.map((t) => t.name).join()}>`;
    const known = this.functions.get(key);
    if (known) return known;
    const generic = new Map((symbol.node.typeParameters ?? []).map((p, i) => [p.name.text, types[i]!]));
    const typeOf = (node: ts.TypeNode | undefined): Type =>
      node ? (generic.get(node.getText()) ?? typeNamed(node.getText()) ?? VOID) : VOID;
    const name = symbol.external
      ? `$host.${symbol.name}`
      : this.unique([symbol.name, ...types.map((t) => t.name)].join("$"));
    const parameters = symbol.node.parameters.map((p) => typeOf(p.type));
    const compiled: Compiled = { name, result: typeOf(symbol.node.type), parameters };
    this.functions.set(key, compiled);
    if (!symbol.external) this.queue.push(() => this.texts.push(Body.function(this, symbol, name, generic)));
    return compiled;
  }

  /** Compiles what was asked for, and what that calls. */
  finish(): void {
    for (let next = this.queue.shift(); next; next = this.queue.shift()) next();
  }

  // -------------------------------------------------------------- variables
  namesOf(symbol: VariableSymbol): readonly string[] {
    this.variable(symbol);
    const names = this.variableNames.get(symbol);
    if (!names) throw new Error(`${symbol.module.path}: ${symbol.name} is constant`);
    return names;
  }

  variable(symbol: VariableSymbol): Value {
    const known = this.variables.get(symbol);
    if (known) return known;
    const { node } = symbol;
    const declared = node.type && typeNamed(node.type.getText());
    const body = Body.forConstant(this, symbol.module);
    let initial = node.initializer && compileExpression(body, node.initializer, declared);
    const t = declared ?? initial!.type;
    initial &&= body.convert(initial, t);
    if (body.lines.length > 0) throw new Error(`${symbol.module.path}: ${symbol.name} is computed`);
    if (symbol.isConst) {
      if (!initial || (isInteger(t) && initial.constant === undefined))
        throw new Error(`${symbol.module.path}: ${symbol.name}`);
      this.variables.set(symbol, initial);
      return initial;
    }
    const base = this.unique(symbol.name);
    const names = ["", "$h", "$2", "$3"].slice(0, partsOf(t)).map((s) => `${base}${s}`);
    names.forEach((n, i) => this.declarations.push(`let ${n} = ${initial?.parts[i] ?? 0};`));
    this.variableNames.set(symbol, names);
    const v = value(t, names, false, this.aligned.get(symbol.name) ?? 1);
    const result = t === BOOL ? { ...v, condition: `(${names[0]} !== 0)` } : v;
    this.variables.set(symbol, result);
    return result;
  }

  // -------------------------------------------------------------- tables
  /** Places memory.data<T>([...]) and gives its address. */
  data(body: Body, t: Type | undefined, list: ts.Expression): number {
    if (!t || !ts.isArrayLiteralExpression(list)) throw body.error("memory.data without a list");
    const size = t.size / 8;
    const bytes = new Uint8Array(list.elements.length * size);
    const view = new DataView(bytes.buffer);
    list.elements.forEach((e, i) => {
      const v = body.convert(compileExpression(body, e, t), t);
      if (t === F64 || v.constant === undefined) throw body.error("a table of something else than integers");
      let x = BigInt.asUintN(64, v.constant);
      for (let k = 0; k < size; k++, x >>= 8n) view.setUint8(i * size + k, Number(x & 255n));
    });
    this.next = (this.next + 15) & ~15;
    const at = this.next;
    this.tables.push({ at, bytes });
    this.next += bytes.length;
    return at;
  }

  // -------------------------------------------------------------- the text
  parametersOf(symbol: FunctionSymbol): Compiled {
    return this.function(symbol, []);
  }

  imports(): string {
    return [...this.runtimeUses]
      .map(([module, names]) => {
        const list = [...names].sort().map((n) => `${n} as ${module}$${n}`);
        return `import { ${list.join(", ")} } from "../runtime/${module}.ts";`;
      })
      .join("\n");
  }

  bodyText(): string {
    return `${this.declarations.join("\n")}\n${this.texts.join("\n")}`;
  }

  /** The tables as one run of bytes from DATA_BASE on. */
  tableBytes(): { readonly base: number; readonly bytes: Uint8Array } {
    const bytes = new Uint8Array(this.next - DATA_BASE);
    for (const table of this.tables) bytes.set(table.bytes, table.at - DATA_BASE);
    return { base: DATA_BASE, bytes };
  }
}

/** Names that generated text must not hide. */
const RESERVED = new Set([
  "Math",
  "Atomics",
  "Error",
  "Uint8Array",
  "Infinity",
  "NaN",
  "undefined",
  "arguments",
  "eval",
  "delete",
  "new",
  "in",
  "var",
  "let",
  "const",
  "function",
  "this",
  "with",
  "yield",
  "await",
  "class",
  "enum",
  "export",
  "import",
  "default",
  "do",
  "else",
  "for",
  "if",
  "null",
  "return",
  "static",
  "super",
  "switch",
  "throw",
  "true",
  "false",
  "try",
  "typeof",
  "void",
  "while",
]);
