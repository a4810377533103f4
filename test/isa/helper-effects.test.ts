// What helper-effects.ts says of helpers, against their sources: the flags, registers and memory that a helper and all
// that it calls touch, by the names they use for it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import ts from "typescript";
import { ANYTHING, effectsOf } from "../../assembly/isa/helper-effects.ts";
import type { MicroOp } from "../../assembly/isa/micro-op.ts";
import { rows } from "../../assembly/isa/table.ts";
import { variantsOf } from "../../assembly/isa/variant.ts";

/** Every call in a list. */
function callsIn(steps: readonly MicroOp[]): (MicroOp & { op: "call" })[] {
  return steps.flatMap((s) => (s.op === "call" ? [s] : s.op === "when" ? callsIn(s.body) : []));
}

const root = process.env["WKVM_ROOT"] ?? process.cwd();

interface Touched {
  readsFlags: boolean;
  changesFlags: boolean;
  /** load or store on the vCPU's registers, or gpr() and setGpr(). */
  readsRegisters: boolean;
  writesRegisters: boolean;
  guestMemory: boolean;
  faults: boolean;
}

const sources = new Map<string, ts.SourceFile>();

function source(module: string): ts.SourceFile {
  let file = sources.get(module);
  if (!file) {
    const text = readFileSync(join(root, "assembly", `${module}.ts`), "utf8");
    sources.set(module, (file = ts.createSourceFile(`${module}.ts`, text, ts.ScriptTarget.Latest, true)));
  }
  return file;
}

/** Where a name of a module comes from. */
function origin(module: string, name: string): { module: string; name: string } | undefined {
  for (const statement of source(module).statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    const bindings = statement.importClause?.namedBindings;
    if (!bindings || !ts.isNamedImports(bindings)) continue;
    const found = bindings.elements.find((e) => e.name.text === name);
    if (!found) continue;
    const path = (statement.moduleSpecifier as ts.StringLiteral).text;
    return { module: join(dirname(module), path), name: found.propertyName?.text ?? name };
  }
  return undefined;
}

function functionOf(module: string, name: string): ts.FunctionDeclaration | undefined {
  return source(module).statements.find(
    (s): s is ts.FunctionDeclaration => ts.isFunctionDeclaration(s) && s.name?.text === name,
  );
}

/** Adds what a function touches, and what those it calls do. */
function walk(module: string, name: string, touched: Touched, seen: Set<string>): void {
  const key = `${module}.${name}`;
  if (seen.has(key)) return;
  seen.add(key);
  if (module.startsWith("mmu/")) {
    touched.guestMemory = true;
    return;
  }
  const body = functionOf(module, name)?.body;
  if (!body) return;
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const callee = node.expression.text;
      const text = node.getText();
      // What is left of a noted x87 operand says where the base of its segment is.
      const ownRegister = /\(\s*cpu\b(?![\s\S]*(CPU_|ABOUT_BASE))/.test(text);
      if (callee === "load") {
        if (/CPU_CC_/.test(text)) touched.readsFlags = true;
        else if (ownRegister) touched.readsRegisters = true;
      } else if (callee === "store") {
        if (/CPU_CC_/.test(text)) touched.changesFlags = true;
        else if (/\(\s*cpu\b(?![^,]*,[\s\S]*,\s*CPU_)/.test(text) && !/CPU_[A-Z]/.test(text))
          touched.writesRegisters = true;
      } else if (callee === "gpr") touched.readsRegisters = true;
      else if (callee === "setGpr") touched.writesRegisters = true;
      else if (/^raise/.test(callee)) touched.faults = true;
      const from = origin(module, callee);
      if (from) walk(from.module, from.name, touched, seen);
      else if (functionOf(module, callee)) walk(module, callee, touched, seen);
    }
    ts.forEachChild(node, visit);
  };
  visit(body);
}

test("declared effects of helpers cover what their sources touch", () => {
  const calls = rows.flatMap((row) =>
    row.forms.flatMap((form) => variantsOf(row, form).flatMap((v) => callsIn(v.variant.steps))),
  );
  const known = new Map(calls.map((call) => [`${call.module}.${call.name}`, call]));
  let checked = 0;
  for (const [key, { module, name }] of known) {
    if (effectsOf(module, name) === ANYTHING) continue;
    checked++;
    assert.ok(functionOf(module, name), `${key} exists`);
    const touched: Touched = {
      readsFlags: false,
      changesFlags: false,
      readsRegisters: false,
      writesRegisters: false,
      guestMemory: false,
      faults: false,
    };
    walk(module, name, touched, new Set());
    const effects = effectsOf(module, name);
    // A helper that sets some flags keeps the others by reading them all: reading is declared only where it decides.
    if (touched.readsFlags) assert.ok(effects.flagsRead || effects.flagsChanged, `${key} reads flags`);
    assert.equal(touched.changesFlags, effects.flagsChanged !== 0, `${key} changes flags`);
    assert.equal(touched.readsRegisters, effects.registersRead !== 0, `${key} reads registers`);
    assert.equal(touched.writesRegisters, effects.registersWritten !== 0, `${key} writes registers`);
    assert.equal(touched.guestMemory, effects.memory, `${key} reaches guest memory`);
  }
  assert.ok(checked > 100);
});
