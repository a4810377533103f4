// The gate of the instruction table (docs/decisions/0001): twelve instructions, in every form the recorded vectors hold,
// executed by what each printer makes of their micro-operations, against what the real processor did.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { Signatures } from "../../assembly/isa/helper-signatures.ts";
import { Helpers, serialize } from "../../assembly/isa/serialize.ts";
import type { Variant } from "../../assembly/isa/variant.ts";
import { CPU_MODE, MODE_CODE_MASK, MODE_CODE64, VCPU_BASE } from "../../assembly/layout.ts";
import type { CoreExports } from "../../host/kvm/core.ts";
import type { VcpuState } from "../../host/kvm/vcpu-state.ts";
import { Batch, codeOf } from "../differential/case.ts";
import { digest } from "../differential/digest.ts";
import { disassemble } from "../differential/report.ts";
import { guestCpuid, guestFeatures } from "../oracle/guest-cpuid.ts";
import { WkvmRunner } from "../oracle/wkvm-runner.ts";
import { type Group, unpack } from "../vectors/format.ts";
import { buildGroup } from "../vectors/groups.ts";
import { buildGateCore, exportName, type GateCore } from "./gate-core.ts";
import { Translator } from "./translator.ts";

const root = process.env["WKVM_ROOT"] ?? process.cwd();
const RECORD_SIZE = 32;
/** Cases of an instruction that are played, spread over its forms; all of them in a soak. */
const ENOUGH = process.env["WKVM_SOAK"] ? Number.POSITIVE_INFINITY : 2500;
const SHOWN = 20;

/** An instruction of the gate: its rows, and the recorded forms that are it. */
interface Instruction {
  rows: string[];
  forms: RegExp;
}

const CONDITIONS = ["o", "no", "b", "nb", "z", "nz", "be", "nbe", "s", "ns", "p", "np", "l", "nl", "le", "nle"];

const GATE: Record<string, Instruction> = {
  add: { rows: ["add"], forms: /^(lock\.)?(0[0-5]|8[0-3]\/0)\b/ },
  adc: { rows: ["adc"], forms: /^(lock\.)?(1[0-5]|8[0-3]\/2)\b/ },
  "shl r/m,cl": { rows: ["shl"], forms: /^d[23]\/4\b/ },
  imul: { rows: ["imul", "imul3"], forms: /^(0faf|69|6b)\b/ },
  push: { rows: ["push", "push_imm"], forms: /^(5[0-7]|68|6a|ff\/6)(?![0-9a-f])/ },
  call: { rows: ["call", "call_indirect"], forms: /^(e8|ff\/2)(?![0-9a-f])/ },
  jcc: { rows: CONDITIONS.map((cc) => `j${cc}`), forms: /^(7[0-9a-f]|0f8[0-9a-f])(?![0-9a-f])/ },
  cmpxchg: { rows: ["cmpxchg"], forms: /^(lock\.)?0fb[01]\b/ },
  "rep movsb": { rows: ["movsb"], forms: /^(f[23]\.)?a4(?![0-9a-f])/ },
  addsd: { rows: ["addsd"], forms: /^f2\.0f58\b/ },
  pshufb: { rows: ["pshufb", "pshufb_mm"], forms: /^(66\.)?0f3800\b/ },
  fadd: { rows: ["fadd", "fadd_sti", "fadd_pop", "fadd_f32", "fadd_f64"], forms: /^(d8\/0|dc\/0|de\/0\.)/ },
};

/** An instruction that is executed again and again without end is the tier's mistake. */
const PATIENCE = 1000;

type Execute = (number: number, record: number) => number;

function patient(execute: Execute): Execute {
  let again = 0;
  return (number, record) => {
    const done = execute(number, record);
    again = done ? 0 : again + 1;
    assert.ok(again < PATIENCE, "the instruction neither completes nor faults");
    return done;
  };
}

/** Puts a JavaScript function into the core's table. */
function functionReference(execute: Execute): WebAssembly.ExportValue {
  // (import "e" "f" (func (param i32 i32) (result i32))) (export "f" (func 0))
  const bytes = [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 2, 7, 1, 1, 101, 1, 102, 0, 0, 7, 5, 1, 1, 102, 0, 0,
  ];
  return new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes)), { e: { f: patient(execute) } })
    .exports["f"]!;
}

let gate: GateCore;
let groups: Group[];

before(() => {
  const known = Object.values(GATE).flatMap((i) => i.rows);
  gate = buildGateCore(root, known);
  groups = unpack(readFileSync(join(root, "test/vectors/recorded.bin.gz"))).groups;
});

/** A runner whose cases the tier executes; `make` gets the instance's exports and memory. */
async function runnerWith(
  make: (exports: Record<string, unknown>, memory: WebAssembly.Memory) => Execute,
): Promise<WkvmRunner> {
  const runner = await WkvmRunner.create(await guestCpuid(), gate.module);
  const { core, state } = runner as unknown as { core: CoreExports; state: VcpuState };
  const exports = core as unknown as Record<string, unknown>;
  const table = exports["table"] as WebAssembly.Table;
  const index = table.grow(1);
  table.set(index, functionReference(make(exports, state.memory.memory as WebAssembly.Memory)));
  (exports["generated_interpret_setTier"] as (index: number) => void)(index);
  return runner;
}

/** Plays every recorded case of an instruction; returns how many there were. */
function play(runner: WkvmRunner, { forms }: Instruction, features: ReadonlySet<string>): number {
  const batch = new Batch(256);
  const chosen = groups.filter(({ name, feature }) => forms.test(name) && (!feature || features.has(feature)));
  const stride = Math.max(1, Math.ceil(chosen.reduce((sum, group) => sum + group.digests.length, 0) / ENOUGH));
  const wrong: string[] = [];
  let cases = 0;
  let shown = 0;
  for (const group of chosen) {
    const count = buildGroup(group, 1, batch.cases, 0);
    for (let i = cases % stride; i < count; i += stride) {
      const each = batch.cases[i]!;
      cases++;
      if (digest(each, runner.run(each)) === group.digests[i]) continue;
      const code = codeOf(each);
      const text = shown++ < SHOWN ? ` (${disassemble(code, group.mode)})` : "";
      wrong.push(`${group.name}: ${Buffer.from(code).toString("hex")}${text}, seed ${group.firstSeed + i}`);
    }
  }
  assert.equal(wrong.length, 0, `${wrong.length} of ${cases} cases differ:\n${wrong.slice(0, SHOWN).join("\n")}`);
  return cases;
}

const variantsOfGate = (): Variant[] => Object.values(GATE).flatMap((i) => i.rows.flatMap((row) => gate.variants(row)));

test("the interpreter's cases do what the processor did", async (t) => {
  const features = guestFeatures(await guestCpuid());
  const runner = await WkvmRunner.create(await guestCpuid());
  for (const [name, instruction] of Object.entries(GATE)) {
    await t.test(name, (t) => t.diagnostic(`${play(runner, instruction, features)} recorded cases`));
  }
});

test("the translated cases do what the processor did", async (t) => {
  const features = guestFeatures(await guestCpuid());
  const numbers = new Helpers(new Signatures((module) => readFileSync(join(root, "assembly", `${module}.ts`), "utf8")));
  const lists = new Map(
    variantsOfGate().map((v) => [gate.numbering.opOf.get(v.key)!, { variant: v, bytes: serialize(v, numbers) }]),
  );
  const helpers = numbers.names.map((key) => exportName(...(key.split(".") as [string, string])));
  const translated = new Map<string, (record: number) => number>();
  let size = 0;
  const runner = await runnerWith((exports, memory) => (number, record) => {
    const code64 = (new DataView(memory.buffer).getUint32(VCPU_BASE + CPU_MODE, true) & MODE_CODE_MASK) === MODE_CODE64;
    const key = `${code64}${Buffer.from(new Uint8Array(memory.buffer, record, RECORD_SIZE)).toString("latin1")}`;
    let run = translated.get(key);
    if (!run) {
      const list = lists.get(number >>> 0);
      assert.ok(list, `case ${number} is one of the gate's`);
      const bytes = new Translator(
        list.bytes,
        new DataView(memory.buffer, record, RECORD_SIZE),
        helpers,
        code64,
        list.variant.row.needsRip ?? false,
      ).translate();
      size += bytes.length;
      const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
        core: exports as WebAssembly.ModuleImports,
        env: { memory },
      });
      run = instance.exports["run"] as (record: number) => number;
      translated.set(key, run);
    }
    return run(record);
  });
  for (const [name, instruction] of Object.entries(GATE)) {
    await t.test(name, (t) => t.diagnostic(`${play(runner, instruction, features)} recorded cases`));
  }
  t.diagnostic(
    `${translated.size} records translated, ${Math.round(size / translated.size)} bytes of WebAssembly each`,
  );
});
