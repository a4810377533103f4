// The core with its interpreter taken out: every case but those of the system group is handed to the test, so that the
// same run loop, decoder, MMU and exceptions execute what the TypeScript printer or the translator made of the table.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MicroOp } from "../../assembly/isa/micro-op.ts";
import { printTables } from "../../assembly/isa/print-decoder.ts";
import { type Numbering, number, printGroup } from "../../assembly/isa/print-interpreter.ts";
import { printMicroOps } from "../../assembly/isa/print-micro-ops.ts";
import { rows } from "../../assembly/isa/table.ts";
import { allVariants, type Variant, variantsOf } from "../../assembly/isa/variant.ts";

/** The run loop's switch with one way out: the test's own execution of a record. */
const INTERPRETER = `
import { cpu, fault } from "../cpu";
import { findTrace, leaveTrace, raiseDecoded } from "../decode/dispatch";
import { R_OFFSET, R_SUB, setRecord, T_RECORDS, RECORD_SIZE } from "../decode/record";
import { beginShadow } from "../execute/request";
import { CPU_RIP, CPU_TRACE_RIP } from "../layout";
import { executeSystem } from "./group-system";

/** Index in the table of the test's function: (case number, record) -> 1, or 0: fault is set or once more. */
export let tier: i32 = 0;

export function setTier(index: i32): void { tier = index; }

export function interpret(): void { execute(0); }
export function executeStep(step: usize): void { execute(step); }
export function executeGroup(_op: u32, sub: u32, pc: usize): usize { return executeSystem(sub, pc); }

function execute(step: usize): void {
  for (;;) {
    const trace = step ? step : findTrace(0);
    if (!trace) return;
    step = 0;
    let pc = trace + T_RECORDS;
    for (;;) {
      const op = <u32>load<u16>(pc);
      if (op == 0) break;
      if (op == 1) { store<u64>(cpu, load<u64>(cpu, CPU_TRACE_RIP) + load<u16>(pc, R_OFFSET), CPU_RIP); break; }
      if (op == 2 || op == 3) { leaveTrace(trace, pc); if (op == 3) beginShadow(1); break; }
      if (op == 4) { raiseDecoded(pc); break; }
      setRecord(pc);
      if (op == SYSTEM_GROUP) pc += executeSystem(load<u16>(pc, R_SUB), pc);
      else if (call_indirect<i32>(tier, load<u32>(pc), pc)) pc += RECORD_SIZE;
      if (fault) break;
    }
    if (fault) { leaveTrace(trace, pc); return; }
  }
}
`;

/** What tiers need besides the helpers of the rows. */
const SURFACE: Record<string, string[]> = {
  cpu: ["fault", "raise", "raiseError"],
  "decode/record": ["nextRip"],
  "execute/atomic": ["enterExclusive", "leaveExclusive"],
  "execute/address": ["addressChecked", "offsetChecked"],
  "execute/flags": ["statusFlags", "setStatusFlags", ...Array.from({ length: 16 }, (_v, i) => `condition${i}`)],
  "execute/push-pop": ["branchNear", "jumpNear"],
  "execute/vector-registers": ["aligned16"],
  "execute/vector/memory": ["alignedChecked", "vectorReadSlow", "vectorWriteSlow"],
  "mmu/access": ["readSlow", "writeSlow", "rmwReadSlow"],
  "mmu/tlb": ["tlb"],
  "generated/interpret": ["setTier"],
};

/** Every call in a list. */
export function callsIn(steps: readonly MicroOp[]): (MicroOp & { op: "call" })[] {
  return steps.flatMap((s) => (s.op === "call" ? [s] : s.op === "when" ? callsIn(s.body) : []));
}

export interface GateCore {
  readonly module: WebAssembly.Module;
  readonly numbering: Numbering;
  /** The variants of a row, all forms and widths. */
  variants(row: string): Variant[];
  /** Milliseconds that asc took. */
  readonly compiled: number;
}

/** Name under which the core exports a helper. */
export const exportName = (module: string, name: string): string => `${module}.${name}`.replace(/[^A-Za-z0-9]/g, "_");

/** Prints the tables, and compiles the core around them with the helpers of `names` exported. */
export function buildGateCore(root: string, names: readonly string[]): GateCore {
  for (const row of rows) for (const form of row.forms) variantsOf(row, form);
  const numbering = number();
  const variants = (name: string): Variant[] => allVariants().filter((v) => v.row.name === name);
  const folder = mkdtempSync(join(root, "dist", "gate-"));
  try {
    const assembly = join(folder, "assembly");
    cpSync(join(root, "assembly"), assembly, {
      recursive: true,
      filter: (path) => !/[\\/](generated|isa|__tests__)$/.test(path),
    });
    mkdirSync(join(assembly, "generated"));
    const put = (name: string, text: string): void => writeFileSync(join(assembly, name), text);
    put("generated/opcodes.ts", printTables(rows, numbering));
    put("generated/group-system.ts", printGroup(numbering, "system"));
    const micro = printMicroOps(numbering, (module) => readFileSync(join(root, "assembly", `${module}.ts`), "utf8"));
    put("generated/micro-ops.ts", micro.text);
    put("generated/helpers.ts", micro.helperText);
    put(
      "generated/interpret.ts",
      INTERPRETER.replace(
        "SYSTEM_GROUP",
        `${numbering.opOf.get(allVariants().find((v) => v.row.name === "hlt")!.key)! & 0xffff}`,
      ),
    );
    const exported = new Map<string, Set<string>>(
      Object.entries(SURFACE).map(([module, list]) => [module, new Set(list)]),
    );
    for (const { module, name } of names.flatMap(variants).flatMap((v) => callsIn(v.steps))) {
      const set = exported.get(module) ?? new Set();
      exported.set(module, set.add(name));
    }
    let index = readFileSync(join(assembly, "index.ts"), "utf8");
    for (const [module, list] of exported) {
      index += `export { ${[...list].map((name) => `${name} as ${exportName(module, name)}`).join(", ")} } from "./${module}";\n`;
    }
    put("index.ts", index);
    const started = performance.now();
    const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
    const flags =
      "--runtime stub -O1 --importMemory --sharedMemory --initialMemory 64 --maximumMemory 65536 --enable simd --enable threads --enable bulk-memory --noExportMemory --exportTable --memoryBase 1024";
    execFileSync(
      process.execPath,
      [
        asc,
        join(assembly, "index.ts"),
        ...flags.split(" "),
        "--disableWarning",
        "201",
        "--outFile",
        join(folder, "gate.wasm"),
      ],
      { cwd: root },
    );
    const module = new WebAssembly.Module(readFileSync(join(folder, "gate.wasm")));
    return { module, numbering, variants, compiled: performance.now() - started };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
