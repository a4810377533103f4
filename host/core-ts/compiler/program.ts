// The modules of the kernel side, and what their names mean.
import ts from "typescript";

export interface FunctionSymbol {
  readonly kind: "function";
  readonly name: string;
  readonly module: Module;
  readonly node: ts.FunctionDeclaration;
  readonly inline: boolean;
  /** Declared in assembly/host.ts: the host has it. */
  readonly external: boolean;
}

export interface VariableSymbol {
  readonly kind: "variable";
  readonly name: string;
  readonly module: Module;
  readonly node: ts.VariableDeclaration;
  readonly isConst: boolean;
}

export type GlobalSymbol = FunctionSymbol | VariableSymbol;

export interface Module {
  /** Path under assembly/ without extension. */
  readonly path: string;
  readonly source: ts.SourceFile;
  readonly own: Map<string, GlobalSymbol>;
  /** Local name: module and name there. */
  readonly imports: Map<string, { readonly from: string; readonly name: string }>;
  /** Exported under another name, or from another module. */
  readonly reexports: Map<string, { readonly from: string; readonly name: string }>;
}

/** Reads a module's text; throws where there is none. */
export type Reader = (path: string) => string;

export class Program {
  private readonly modules = new Map<string, Module>();
  /** Names of all functions and variables of all modules. */
  readonly names = new Set<string>();

  constructor(private readonly read: Reader) {}

  module(path: string): Module {
    const known = this.modules.get(path);
    if (known) return known;
    const source = ts.createSourceFile(`${path}.ts`, plain(this.read(path)), ts.ScriptTarget.ES2022, true);
    const [complaint] = (source as unknown as { parseDiagnostics: ts.Diagnostic[] }).parseDiagnostics;
    if (complaint) throw new Error(`${path}: ${ts.flattenDiagnosticMessageText(complaint.messageText, " ")}`);
    const module: Module = { path, source, own: new Map(), imports: new Map(), reexports: new Map() };
    this.modules.set(path, module);
    for (const statement of source.statements) this.declare(module, statement);
    for (const name of module.own.keys()) this.names.add(name);
    return module;
  }

  private declare(module: Module, statement: ts.Statement): void {
    if (ts.isImportDeclaration(statement)) {
      const from = resolve(module.path, (statement.moduleSpecifier as ts.StringLiteral).text);
      const bindings = statement.importClause?.namedBindings;
      if (!bindings || !ts.isNamedImports(bindings)) throw new Error(`${module.path}: only named imports are known`);
      for (const e of bindings.elements)
        module.imports.set(e.name.text, { from, name: (e.propertyName ?? e.name).text });
      return;
    }
    if (ts.isExportDeclaration(statement)) {
      const specifier = statement.moduleSpecifier as ts.StringLiteral | undefined;
      const clause = statement.exportClause as ts.NamedExports;
      for (const e of clause.elements) {
        const name = (e.propertyName ?? e.name).text;
        const target = specifier ? { from: resolve(module.path, specifier.text), name } : { from: module.path, name };
        module.reexports.set(e.name.text, target);
      }
      return;
    }
    if (ts.isFunctionDeclaration(statement)) {
      const modifiers = (statement.modifiers ?? []).map((m) => m.getText());
      const name = statement.name!.text;
      module.own.set(name, {
        kind: "function",
        name,
        module,
        node: statement,
        inline: modifiers.includes("@inline"),
        external: modifiers.includes("declare"),
      });
      return;
    }
    if (ts.isVariableStatement(statement)) {
      const isConst = (statement.declarationList.flags & ts.NodeFlags.Const) !== 0;
      for (const node of statement.declarationList.declarations) {
        const name = (node.name as ts.Identifier).text;
        module.own.set(name, { kind: "variable", name, module, node, isConst });
      }
    }
  }

  /** Reads a module and all that it imports. */
  loadAll(path: string, seen = new Set<string>()): void {
    if (seen.has(path)) return;
    seen.add(path);
    const { imports, reexports } = this.module(path);
    for (const { from } of [...imports.values(), ...reexports.values()]) this.loadAll(from, seen);
  }

  /** What `name` means in `module`, imports followed. */
  find(module: Module, name: string): GlobalSymbol | undefined {
    const own = module.own.get(name);
    if (own) return own;
    const imported = module.imports.get(name);
    return imported ? this.exported(imported.from, imported.name) : undefined;
  }

  /** What a module exports under a name. */
  exported(path: string, name: string): GlobalSymbol {
    const module = this.module(path);
    const own = module.own.get(name);
    if (own) return own;
    const again = module.reexports.get(name) ?? module.imports.get(name);
    if (!again) throw new Error(`${path} has no ${name}`);
    return again.from === path ? this.find(module, again.name)! : this.exported(again.from, again.name);
  }

  /** All names that a module exports. */
  exportsOf(path: string): string[] {
    const module = this.module(path);
    const own = [...module.own.values()].filter((s) => {
      const holder = s.kind === "function" ? s.node : s.node.parent.parent;
      return (
        (ts.getCombinedModifierFlags(holder as ts.Declaration) & ts.ModifierFlags.Export) !== 0 ||
        (ts.canHaveModifiers(holder) && ts.getModifiers(holder)?.some((m) => m.kind === ts.SyntaxKind.ExportKeyword))
      );
    });
    return [...own.map((s) => s.name), ...module.reexports.keys()];
  }
}

/** The text as TypeScript's parser has to see it: it would take \`x << (f<T>() ...\` for type arguments. */
function plain(text: string): string {
  return text.replaceAll(/<<(?=\s*[(<])/g, "<< +");
}

function resolve(from: string, specifier: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const step of specifier.split("/")) {
    if (step === "..") parts.pop();
    else if (step !== ".") parts.push(step);
  }
  const path = parts.join("/").replace(/\.ts$/, "");
  return TRANSLATOR.has(path) ? "translate/none" : path;
}

/** What the kernel side calls of the translator, which a core without WebAssembly cannot have. */
const TRANSLATOR: ReadonlySet<string> = new Set([
  "translate/translator",
  "translate/batch",
  "translate/heat",
  "translate/regions",
  "translate/unmapped",
]);
