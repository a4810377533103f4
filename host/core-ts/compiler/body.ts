// Compiles the statements of one function, with the inline functions that it calls.
//
// Statements become lines; an expression becomes texts (value.ts) that are written where they are used, so what an
// expression reads must not be changed by lines that come between: in() binds it to a temporary where it could be.
import ts from "typescript";
import { compileExpression, condition } from "./expressions.ts";
import { convertInteger } from "./integers.ts";
import * as P from "./parts.ts";
import type { FunctionSymbol, Module } from "./program.ts";
import { BOOL, F32, F64, isInteger, partsOf, type Type, typeNamed, V128, VOID } from "./types.ts";
import type { Unit } from "./unit.ts";
import { float, integer, type Value, VOID_VALUE, value } from "./value.ts";

export interface Local {
  readonly type: Type;
  /** JavaScript names of the parts. */
  readonly names: readonly string[];
  /** Its value where it never changes. */
  readonly fixed?: Value | undefined;
  readonly align: number;
}

interface Frame {
  /** Where the function's own names begin: an inline function does not see its caller's. */
  readonly module: Module;
  readonly types: ReadonlyMap<string, Type>;
  readonly result: Type;
  /** An inline function puts its result here and leaves the block. */
  readonly inline: { readonly label: string; readonly names: readonly string[]; left: boolean } | undefined;
  /** Names that the function assigns to somewhere. */
  readonly assigned: ReadonlySet<string>;
}

const SUFFIXES = ["", "$h", "$2", "$3"];
const VECTOR_SUFFIXES = ["", "$1", "$2", "$3"];

export class Body {
  lines: string[] = [];
  private scopes: Map<string, Local>[] = [new Map()];
  private frames: Frame[] = [];
  private readonly used = new Set<string>();
  private temporaries = 0;
  private labels = 0;
  /** How `continue` is said in the loops around, innermost last. */
  private readonly continues: string[] = [];
  private at: ts.Node | undefined;

  constructor(readonly unit: Unit) {}

  get frame(): Frame {
    return this.frames.at(-1)!;
  }

  error(message: string): Error {
    const file = this.at?.getSourceFile();
    const line = file && this.at ? file.getLineAndCharacterOfPosition(this.at.getStart()).line + 1 : 0;
    return new Error(`${file?.fileName ?? "?"}:${line}: ${message}: ${this.at?.getText().slice(0, 120)}`);
  }

  // -------------------------------------------------------------- lines, names
  emit(line: string): void {
    this.lines.push(line);
  }

  /** A name that no other variable of this function has. */
  name(wanted: string): string {
    let name = wanted;
    for (let n = 1; this.used.has(name) || this.unit.reserved(name); n++) name = `${wanted}$$${n}`;
    this.used.add(name);
    return name;
  }

  /** Keeps an int32 (or float) text under a name. */
  temporary(text: string): string {
    const name = `$t${this.temporaries++}`;
    this.emit(`const ${name} = ${bare(text)};`);
    return name;
  }

  /** Lines of their own, collected by `f`. */
  nested<T>(f: () => T): { lines: string[]; result: T } {
    const outer = this.lines;
    this.lines = [];
    this.scopes.push(new Map());
    const result = f();
    const lines = this.lines;
    this.scopes.pop();
    this.lines = outer;
    return { lines, result };
  }

  /** The value under names of its own, so that it stays what it is now. */
  bind(v: Value): Value {
    if (v.stable && v.parts.every(P.isAtom)) return v;
    const parts = v.parts.map((p) => (P.known(p) !== undefined ? p : this.temporary(p)));
    return { type: v.type, parts, stable: true, align: v.align };
  }

  /** The value with parts that may be written more than once in one line. */
  atoms(v: Value): Value {
    return v.parts.every(P.isAtom) ? v : { ...v, parts: v.parts.map((p) => (P.isAtom(p) ? p : this.temporary(p))) };
  }

  /** Values in the order of evaluation: what a later one's lines could change is bound before them. */
  in(...thunks: ((before: readonly Value[]) => Value)[]): Value[] {
    const values: Value[] = [];
    const marks: number[] = [];
    for (const thunk of thunks) {
      values.push(thunk(values));
      marks.push(this.lines.length);
    }
    for (let i = values.length - 1; i >= 0; i--) {
      const v = values[i]!;
      if (this.lines.length === marks[i] || v.stable) continue;
      const tail = this.lines.splice(marks[i]!);
      values[i] = this.bind(v);
      this.lines.push(...tail);
    }
    return values;
  }

  // -------------------------------------------------------------- types and conversions
  typeOf(node: ts.TypeNode | undefined): Type {
    if (!node) return VOID;
    const name = node.getText();
    const t = this.frame.types.get(name) ?? typeNamed(name);
    if (!t) throw this.error(`no type ${name}`);
    return t;
  }

  convert(v: Value, to: Type): Value {
    if (v.type === to || to === VOID) return v;
    if (isInteger(v.type) && isInteger(to)) return convertInteger(this, v, to);
    if (v.type.kind === "vector" || to.kind === "vector") throw this.error(`${v.type.name} as ${to.name}`);
    const x = v.parts[0]!;
    if (to.kind === "float") {
      if (v.constant !== undefined) return float(to, Number(v.constant));
      if (v.type.kind === "float") return value(to, [to === F32 ? `Math.fround(${x})` : x], v.stable);
      if (v.type.size === 64) {
        const high = v.type.signed ? v.parts[1]! : P.unsigned(v.parts[1]!);
        if (to === F32) return this.runtimeFloat(F32, "float", v.type.signed ? "f32FromI64" : "f32FromU64", v.parts);
        return value(F64, [`(${high} * 4294967296 + ${P.unsigned(x)})`], v.stable);
      }
      const exact = v.type.size === 32 && !v.type.signed ? P.unsigned(x) : x;
      return value(to, [to === F32 ? `Math.fround(${exact})` : exact], v.stable);
    }
    if (to === BOOL)
      return { type: BOOL, parts: [`(${x} !== 0 ? 1 : 0)`], condition: `(${x} !== 0)`, stable: v.stable, align: 1 };
    const name = `${to.signed ? "i" : "u"}${to.size}FromFloat`;
    return to.size === 64
      ? this.runtime64(to, "float", name, [x])
      : value(to, [this.unit.runtime("float", name) + `(${x})`]);
  }

  /** The value as a JavaScript condition. */
  truthy(v: Value): string {
    if (v.condition !== undefined) return v.condition;
    if (v.constant !== undefined) return v.constant === 0n ? "false" : "true";
    if (v.type.kind === "float") return `(${v.parts[0]} !== 0)`;
    return partsOf(v.type) === 2 ? `(${P.or(v.parts[0]!, v.parts[1]!)} !== 0)` : `(${v.parts[0]} !== 0)`;
  }

  // -------------------------------------------------------------- calls
  /** A call of a runtime function that gives 64 bits: the high half is left in its module. */
  runtime64(t: Type, module: string, name: string, args: readonly string[]): Value {
    const low = this.temporary(`${this.unit.runtime(module, name)}(${args.map(bare).join(", ")})`);
    const high = this.temporary(this.unit.runtime(module, "high"));
    return value(t, [low, high], true);
  }

  runtimeFloat(t: Type, module: string, name: string, args: readonly string[]): Value {
    return value(t, [`${this.unit.runtime(module, name)}(${args.map(bare).join(", ")})`]);
  }

  /** A call of a runtime function that gives a vector. */
  runtimeVector(name: string, args: readonly string[]): Value {
    const first = this.temporary(`${this.unit.runtime("vector", name)}(${args.map(bare).join(", ")})`);
    const rest = ["second", "third", "fourth"].map((n) => this.temporary(this.unit.runtime("vector", n)));
    return value(V128, [first, ...rest], true);
  }

  call(symbol: FunctionSymbol, types: readonly Type[], args: readonly Value[]): Value {
    const { name, result } = this.unit.function(symbol, types);
    const text = `${name}(${args
      .flatMap((a) => a.parts)
      .map(bare)
      .join(", ")})`;
    if (result === VOID) {
      this.emit(`${text};`);
      return VOID_VALUE;
    }
    const first = this.temporary(text);
    if (partsOf(result) === 1) return value(result, [first], true);
    const registers = partsOf(result) === 2 ? ["$high"] : ["$second", "$third", "$fourth"];
    return value(result, [first, ...registers.map((r) => this.temporary(r))], true);
  }

  // -------------------------------------------------------------- names of the sources
  find(name: string): Local | undefined {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const found = this.scopes[i]!.get(name);
      if (found) return found;
      if (this.scopes[i]!.has("\0")) return undefined;
    }
    return undefined;
  }

  private declare(name: string, local: Local): void {
    this.scopes.at(-1)!.set(name, local);
  }

  /** JavaScript names for the parts of a variable. */
  namesFor(wanted: string, t: Type): string[] {
    const base = this.name(wanted);
    return (t === V128 ? VECTOR_SUFFIXES : SUFFIXES).slice(0, partsOf(t)).map((s) => `${base}${s}`);
  }

  private variable(name: string, t: Type, initial: Value | undefined, constant: boolean): void {
    const align = this.unit.alignedName(name) ?? (constant ? (initial?.align ?? 1) : 1);
    if (constant && initial?.constant !== undefined) {
      this.declare(name, { type: t, names: [], fixed: integer(t, initial.constant), align });
      return;
    }
    const names = this.namesFor(name, t);
    const parts = initial?.parts ?? names.map(() => "0");
    names.forEach((n, i) => this.emit(`${constant ? "const" : "let"} ${n} = ${bare(parts[i]!)};`));
    const fixed = constant ? { type: t, parts: names, stable: true, align } : undefined;
    this.declare(name, { type: t, names, fixed, align });
  }

  /** Assigns to a variable of the sources, local or global. */
  assign(names: readonly string[], v: Value): void {
    if (names.length === 2 && !(P.isAtom(v.parts[0]!) && v.stable)) {
      // Neither half may read what the other's assignment has changed.
      const high = P.known(v.parts[1]!) !== undefined ? v.parts[1]! : this.temporary(v.parts[1]!);
      this.emit(`${names[0]} = ${bare(v.parts[0]!)};`);
      this.emit(`${names[1]} = ${high};`);
      return;
    }
    const parts = names.length > 1 ? this.bind(v).parts : v.parts;
    names.forEach((n, i) => {
      if (n !== parts[i]) this.emit(`${n} = ${bare(parts[i]!)};`);
    });
  }

  // -------------------------------------------------------------- functions
  /** For the initializer of a module's variable. */
  static forConstant(unit: Unit, module: Module): Body {
    const body = new Body(unit);
    body.frames.push({ module, types: new Map(), result: VOID, inline: undefined, assigned: new Set() });
    return body;
  }

  /** The function as JavaScript text. */
  static function(unit: Unit, symbol: FunctionSymbol, name: string, types: ReadonlyMap<string, Type>): string {
    const body = new Body(unit);
    const { node } = symbol;
    body.at = node;
    body.frames.push({ module: symbol.module, types, result: VOID, inline: undefined, assigned: assignedIn(node) });
    const result = body.typeOf(node.type);
    body.frames[0] = { ...body.frame, result };
    const parameters: string[] = [];
    for (const p of node.parameters) {
      const parameter = p.name.getText();
      const t = body.typeOf(p.type);
      const names = body.namesFor(parameter, t);
      parameters.push(...names);
      const align = unit.alignedName(parameter) ?? 1;
      const fixed = body.frame.assigned.has(parameter) ? undefined : { type: t, parts: names, stable: true, align };
      body.declare(parameter, { type: t, names, fixed, align });
    }
    for (const statement of node.body!.statements) body.statement(statement);
    const typed = parameters.map((p) => `${p}: number`).join(", ");
    return `function ${name}(${typed}): ${result === VOID ? "void" : "number"} {\n${body.lines.join("\n")}\n}\n`;
  }

  /** The body of an inline function in place. */
  inline(symbol: FunctionSymbol, types: ReadonlyMap<string, Type>, args: readonly Value[]): Value {
    const { node } = symbol;
    if (this.frames.length > 24) throw this.error("inline functions call each other for ever");
    const assigned = assignedIn(node);
    const outer = this.at;
    this.scopes.push(new Map([["\0", { type: VOID, names: [], align: 1 }]]));
    this.frames.push({ module: symbol.module, types, result: VOID, inline: undefined, assigned });
    const result = this.typeOf(node.type);
    node.parameters.forEach((p, i) => {
      const parameter = p.name.getText();
      const t = this.typeOf(p.type);
      const given = this.convert(args[i]!, t);
      if (assigned.has(parameter)) this.variable(parameter, t, given, false);
      else {
        const fixed = given.constant !== undefined ? given : this.bind(given);
        this.declare(parameter, {
          type: t,
          names: fixed.parts,
          fixed,
          align: Math.max(fixed.align, this.unit.alignedName(parameter) ?? 1),
        });
      }
    });
    const statements = node.body!.statements;
    const last = statements.at(-1);
    const plain = statements.slice(0, -1).every((s) => !contains(s, ts.isReturnStatement));
    let answer: Value;
    if (plain && (!last || ts.isReturnStatement(last) || !contains(last, ts.isReturnStatement))) {
      this.frames[this.frames.length - 1] = { ...this.frame, result };
      for (const s of statements.slice(0, -1)) this.statement(s);
      if (last && ts.isReturnStatement(last) && last.expression) {
        answer = this.convert(compileExpression(this, last.expression, result), result);
        // What the caller does next may change what the expression reads.
        if (answer.constant === undefined && statements.length > 1) answer = this.bind(answer);
      } else {
        if (last && !ts.isReturnStatement(last)) this.statement(last);
        answer = VOID_VALUE;
      }
    } else answer = this.inlineBlock(statements, result);
    this.frames.pop();
    this.scopes.pop();
    this.at = outer;
    return answer;
  }

  private inlineBlock(statements: readonly ts.Statement[], result: Type): Value {
    const label = `$b${this.labels++}`;
    const names = result === VOID ? [] : this.namesFor("$r", result);
    for (const n of names) this.emit(`let ${n} = 0;`);
    this.frames[this.frames.length - 1] = { ...this.frame, result, inline: { label, names, left: false } };
    const { lines } = this.nested(() => statements.forEach((s) => this.statement(s)));
    this.emit(`${label}: {`);
    this.lines.push(...lines);
    this.emit("}");
    return result === VOID ? VOID_VALUE : value(result, names, true);
  }

  // -------------------------------------------------------------- statements
  block(statement: ts.Statement): string[] {
    return this.nested(() => {
      if (ts.isBlock(statement)) for (const s of statement.statements) this.statement(s);
      else this.statement(statement);
    }).lines;
  }

  statement(node: ts.Statement): void {
    this.at = node;
    if (ts.isVariableStatement(node)) this.declarations(node.declarationList);
    else if (ts.isExpressionStatement(node)) this.effect(node.expression);
    else if (ts.isReturnStatement(node)) this.returns(node);
    else if (ts.isIfStatement(node)) this.ifs(node);
    else if (ts.isBlock(node)) {
      const lines = this.block(node);
      this.emit("{");
      this.lines.push(...lines);
      this.emit("}");
    } else if (ts.isForStatement(node)) this.loop(node.initializer, node.condition, node.incrementor, node.statement);
    else if (ts.isWhileStatement(node)) this.loop(undefined, node.expression, undefined, node.statement);
    else if (ts.isSwitchStatement(node)) this.switches(node);
    else if (ts.isBreakStatement(node)) this.emit("break;");
    else if (ts.isContinueStatement(node)) this.emit(this.continues.at(-1)!);
    else if (!ts.isEmptyStatement(node)) throw this.error(`no rule for ${ts.SyntaxKind[node.kind]}`);
  }

  /** An expression for what it does. */
  effect(node: ts.Expression): void {
    const v = compileExpression(this, node, VOID);
    // Reads without effects vanish; calls have been emitted already.
    void v;
  }

  private declarations(list: ts.VariableDeclarationList): void {
    const isConst = (list.flags & ts.NodeFlags.Const) !== 0;
    for (const d of list.declarations) {
      const name = d.name.getText();
      const declared = d.type ? this.typeOf(d.type) : undefined;
      let initial = d.initializer && compileExpression(this, d.initializer, declared);
      const t = declared ?? initial!.type;
      initial &&= this.convert(initial, t);
      this.variable(name, t, initial, isConst || !this.frame.assigned.has(name));
    }
  }

  private returns(node: ts.ReturnStatement): void {
    const { result, inline } = this.frame;
    const v = node.expression ? this.convert(compileExpression(this, node.expression, result), result) : VOID_VALUE;
    if (inline) {
      if (inline.names.length > 0) this.assign(inline.names, v);
      this.emit(`break ${inline.label};`);
      return;
    }
    if (result === VOID) {
      this.emit("return;");
      return;
    }
    const registers = partsOf(result) === 2 ? ["$high"] : partsOf(result) === 4 ? ["$second", "$third", "$fourth"] : [];
    registers.forEach((r, i) => this.emit(`${r} = ${bare(v.parts[i + 1]!)};`));
    this.emit(`return ${bare(v.parts[0]!)};`);
  }

  private ifs(node: ts.IfStatement): void {
    const test = condition(this, node.expression);
    if (test === "true" || test === "false") {
      const taken = test === "true" ? node.thenStatement : node.elseStatement;
      if (taken) {
        // A declaration of the branch stays the branch's own.
        const lines = this.block(taken);
        this.emit("{");
        this.lines.push(...lines);
        this.emit("}");
      }
      return;
    }
    const then = this.block(node.thenStatement);
    const otherwise = node.elseStatement && this.block(node.elseStatement);
    this.emit(`if (${bare(test)}) {`);
    this.lines.push(...then);
    if (otherwise) {
      this.emit("} else {");
      this.lines.push(...otherwise);
    }
    this.emit("}");
  }

  private loop(
    initializer: ts.ForInitializer | undefined,
    test: ts.Expression | undefined,
    step: ts.Expression | undefined,
    statement: ts.Statement,
  ): void {
    const { lines } = this.nested(() => {
      if (initializer && ts.isVariableDeclarationList(initializer)) this.declarations(initializer);
      else if (initializer) this.effect(initializer);
      const tested = this.nested(() => (test ? condition(this, test) : "true"));
      const stepped = step ? this.nested(() => this.effect(step)).lines : [];
      const short = stepped.length === 0 || (stepped.length === 1 && !/^(const|let) /.test(stepped[0]!));
      const label = `$b${this.labels++}`;
      this.continues.push(short ? "continue;" : `break ${label};`);
      const inner = this.block(statement);
      this.continues.pop();
      const header = short ? (stepped[0] ?? "").replace(/;$/, "") : "";
      if (tested.lines.length === 0) this.emit(`for (; ${bare(tested.result)}; ${header}) {`);
      else {
        this.emit(`for (; ; ${header}) {`);
        this.lines.push(...tested.lines);
        this.emit(`if (!${tested.result}) break;`);
      }
      if (!short) this.emit(`${label}: {`);
      this.lines.push(...inner);
      if (!short) this.lines.push("}", ...stepped);
      this.emit("}");
    });
    this.emit("{");
    this.lines.push(...lines);
    this.emit("}");
  }

  private switches(node: ts.SwitchStatement): void {
    const on = compileExpression(this, node.expression, undefined);
    const { lines } = this.nested(() => {
      this.emit(`switch (${bare(on.parts[0]!)}) {`);
      for (const clause of node.caseBlock.clauses) {
        if (ts.isCaseClause(clause)) {
          const label = this.convert(compileExpression(this, clause.expression, on.type), on.type);
          if (label.constant === undefined) throw this.error("a case that is not constant");
          this.emit(`case ${label.parts[0]}:`);
        } else this.emit("default:");
        if (clause.statements.length === 0) continue;
        const inner = this.nested(() => clause.statements.forEach((s) => this.statement(s)));
        this.emit("{");
        this.lines.push(...inner.lines);
        this.emit("}");
      }
      this.emit("}");
    });
    this.lines.push(...lines);
  }

  zero(t: Type): Value {
    if (t === VOID) return VOID_VALUE;
    if (t.kind === "float") return float(t, 0);
    return t === V128 ? value(V128, ["0", "0", "0", "0"], true) : integer(t, 0n);
  }
}

/** A text without the parentheses around all of it. */
export function bare(text: string): string {
  if (!text.startsWith("(") || !text.endsWith(")")) return text;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "(") depth++;
    else if (text[i] === ")" && --depth === 0 && i < text.length - 1) return text;
  }
  return text.slice(1, -1);
}

function contains(node: ts.Node, is: (node: ts.Node) => boolean): boolean {
  return is(node) || (ts.forEachChild(node, (child) => (contains(child, is) ? true : undefined)) ?? false);
}

const assignments = new WeakMap<ts.Node, ReadonlySet<string>>();

/** Names that are assigned to, incremented or decremented anywhere in a function. */
function assignedIn(node: ts.Node): ReadonlySet<string> {
  const known = assignments.get(node);
  if (known) return known;
  const names = new Set<string>();
  const visit = (n: ts.Node): void => {
    if (
      ts.isBinaryExpression(n) &&
      n.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
      n.operatorToken.kind <= ts.SyntaxKind.LastAssignment
    )
      names.add(n.left.getText());
    if (ts.isPostfixUnaryExpression(n)) names.add(n.operand.getText());
    if (
      ts.isPrefixUnaryExpression(n) &&
      (n.operator === ts.SyntaxKind.PlusPlusToken || n.operator === ts.SyntaxKind.MinusMinusToken)
    )
      names.add(n.operand.getText());
    // Declared without a value, it gets one later.
    if (ts.isVariableDeclaration(n) && !n.initializer) names.add(n.name.getText());
    ts.forEachChild(n, visit);
  };
  visit(node);
  assignments.set(node, names);
  return names;
}
