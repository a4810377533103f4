// Prints variants as TypeScript, bundles them with the runtime of this folder, and loads the result.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Frame } from "../../assembly/isa/print-assemblyscript.ts";
import { TypeScriptPrinter } from "../../assembly/isa/print-typescript.ts";
import type { Variant } from "../../assembly/isa/variant.ts";
import { callsIn, exportName } from "./gate-core.ts";

export interface TypeScriptTier {
  attach(exports: Record<string, unknown>, buffer: ArrayBufferLike): void;
  /** Executes a case on a record: 1, or 0 where a fault is set. */
  execute(number: number, record: number): number;
}

const FRAME: Frame = {
  fail: "return 0;",
  retry: "return 0;",
  branch: (condition, width) =>
    `call("execute_push_pop_branchNear", pc, ${condition ?? 1}, ${width}); if (fault) return 0;`,
  jump: (target, width) =>
    `call("execute_push_pop_jumpNear", join(${width === 64 ? target : `${target}, 0`}), ${width});`,
};

/** A helper of the core under its own name: halves become a BigInt on the way in, and halves again on the way out. */
function adapter(variants: readonly Variant[]): string {
  const functions = new Map<string, string>();
  for (const { module, name, args, type } of variants.flatMap((v) => callsIn(v.steps))) {
    const parameters = args.map((a, i) => (a.type === "i64" ? `a${i}: number, a${i}h: number` : `a${i}: number`));
    const values = args.map((a, i) => (a.type === "i64" ? `join(a${i}, a${i}h)` : `a${i}`));
    const result = type === "i64" ? "split(r as bigint)" : "Number(r ?? 0)";
    functions.set(
      name,
      `const ${name} = (${parameters.join(", ")}): number => { const r = call(${[JSON.stringify(exportName(module, name)), ...values].join(", ")}); return ${result}; };`,
    );
  }
  return [...functions.values()].join("\n");
}

/** The text of a module with one function that executes any of the variants. */
export function printTypeScript(
  variants: readonly Variant[],
  opOf: ReadonlyMap<string, number>,
  runtime: string,
): string {
  const printer = new TypeScriptPrinter(FRAME);
  const cases = variants.map((v) => {
    const rip = v.row.needsRip
      ? "{ const r = nextRip(pc); I32[(c + CPU_RIP) >> 2] = r; I32[(c + CPU_RIP + 4) >> 2] = high; } "
      : "";
    return `    case ${opOf.get(v.key)!}: { // ${v.key}\n      ${rip}${printer.body(v)} return 1; }`;
  });
  const imports = new Map(
    [...printer.imports].filter(([module]) => !module.includes("/")).map(([m, names]) => [m, new Set(names)]),
  );
  const add = (module: string, ...names: string[]): void =>
    void imports.set(module, new Set([...(imports.get(module) ?? []), ...names]));
  add("machine", "U8", "U16", "I32", "c", "attach", "begin", "call", "fault", "high", "join", "split");
  add("layout", "CPU_RIP");
  add("record", "nextRip");
  const from = (module: string): string =>
    module === "layout" ? join(runtime, "../../../assembly/layout.ts") : join(runtime, `${module}.ts`);
  const lines = [...imports].map(
    ([module, names]) => `import { ${[...names].sort().join(", ")} } from ${JSON.stringify(from(module))};`,
  );
  return `${lines.join("\n")}\n${adapter(variants)}
export { attach };
export function execute(number: number, pc: number): number {
  begin();
  switch (number >>> 0) {
${cases.join("\n")}
  }
  throw new Error(\`case \${number} is not among the printed ones\`);
}
`;
}

/** Prints, bundles and loads the variants. `root`: the checkout. */
export async function loadTypeScriptTier(
  root: string,
  variants: readonly Variant[],
  opOf: ReadonlyMap<string, number>,
): Promise<{ tier: TypeScriptTier; text: string }> {
  const text = printTypeScript(variants, opOf, join(root, "test/isa/typescript-runtime"));
  const folder = mkdtempSync(join(root, "dist", "typescript-tier-"));
  try {
    writeFileSync(join(folder, "cases.ts"), text);
    const { build } = await import("esbuild");
    const outfile = join(folder, "cases.mjs");
    await build({
      entryPoints: [join(folder, "cases.ts")],
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20",
      outfile,
      logLevel: "error",
    });
    return { tier: (await import(pathToFileURL(outfile).href)) as TypeScriptTier, text };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
