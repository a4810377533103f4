// SSE floating point and the x87 against the host's own processor, instruction by instruction: results, flags, status
// word and, where exceptions are unmasked, what is left unwritten. Needs gcc and an x86-64 host.
// WKVM_SOAK=1 runs for ten minutes instead of some seconds.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { CPU_CR4, VCPU_BASE } from "../../assembly/layout.ts";
import { otherVendor } from "../oracle/vendor.ts";
import { compareSse, compareX87, IN_BYTES, OUT_BYTES, randomCase } from "./float-case.ts";
import { type FloatCore, isX87, runSse, runX87 } from "./float-core.ts";
import { Random } from "./random.ts";

const soakMs = process.env.WKVM_SOAK ? 600_000 : Number(process.env.WKVM_FLOAT_MS ?? 12_000);
const root = process.env.WKVM_ROOT ?? process.cwd();
const folder = mkdtempSync(join(tmpdir(), "wkvm-float-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function buildOracle(): string | undefined {
  if (process.arch !== "x64") return undefined;
  const oracle = join(folder, "oracle");
  const source = join(root, "test/oracle/float-oracle.c");
  const built = spawnSync("gcc", ["-O1", "-mno-red-zone", "-o", oracle, source]);
  return built.status === 0 ? oracle : undefined;
}

async function buildCore(): Promise<FloatCore> {
  const wasm = join(folder, "float.wasm");
  const entry = process.env.WKVM_FLOAT_ENTRY ?? join(root, "assembly/softfloat/__tests__/harness.ts");
  const options = "--runtime stub -O3 --importMemory --sharedMemory --initialMemory 512 --maximumMemory 65536";
  const features = "--enable simd --enable threads --enable bulk-memory";
  const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
  execFileSync(process.execPath, [asc, entry, ...`${options} ${features}`.split(" "), "-o", wasm], { cwd: root });
  const memory = new WebAssembly.Memory({ initial: 512, maximum: 65536, shared: true });
  const host = new Proxy({}, { get: () => () => 0 });
  const { instance } = await WebAssembly.instantiate(readFileSync(wasm), { env: { memory, abort() {} }, host });
  return { memory, view: new DataView(memory.buffer), exports: instance.exports as unknown as FloatCore["exports"] };
}

const oracle = buildOracle();
/** What the vendors differ in: which NaN a sum of products keeps; x87 functions of operands that are no numbers, or far from 0; and when
 * a conversion to half precision is inexact. */
const VENDORS_OWN = /^(dpps|dppd|fprem|fscale|fsin|fcos|fptan|vcvtps2ph)/;

test("floating point equals the host's processor", { skip: oracle ? false : "needs gcc on x86-64" }, async (t) => {
  const core = await buildCore();
  core.view.setBigUint64(VCPU_BASE + CPU_CR4, 1n << 10n, true);
  const names = execFileSync(oracle as string, ["list"], { encoding: "utf8" })
    .trim()
    .split("\n");
  const only = process.env.WKVM_FLOAT_ONLY ? new RegExp(`^(?:${process.env.WKVM_FLOAT_ONLY})$`) : /./;
  const other = otherVendor();
  if (other) t.diagnostic(`without ${VENDORS_OWN.source}: ${other}`);
  const isAsked = (name: string): boolean => only.test(name) && !(other && VENDORS_OWN.test(name));
  const chosen = names.flatMap((name, index) => (isAsked(name) ? [index] : []));
  const random = new Random(Number(process.env.WKVM_SEED ?? 1));
  const started = Date.now();
  const failures = new Map<string, { count: number; first: string }>();
  const perRound = 200;
  let cases = 0;
  do {
    const input = Buffer.alloc(chosen.length * perRound * IN_BYTES);
    let at = 0;
    for (const index of chosen) {
      for (let i = 0; i < perRound; i++, at += IN_BYTES) randomCase(input, at, index, names[index] as string, random);
    }
    const ran = spawnSync(oracle as string, [], { input, maxBuffer: 1 << 30 });
    assert.equal(ran.stdout.length, (input.length / IN_BYTES) * OUT_BYTES, "the oracle answers every case");
    for (let i = 0; i < input.length / IN_BYTES; i++) {
      const name = names[input.readUInt32LE(i * IN_BYTES)] as string;
      const record = input.subarray(i * IN_BYTES, (i + 1) * IN_BYTES);
      const answer = ran.stdout.subarray(i * OUT_BYTES, (i + 1) * OUT_BYTES);
      const mine = isX87(name) ? runX87(core, name, record) : runSse(core, name, record);
      if (mine === undefined) {
        failures.set(name, { count: 1, first: "not mapped" });
        continue;
      }
      const difference = isX87(name) ? compareX87(name, record, answer, mine) : compareSse(name, record, answer, mine);
      cases++;
      if (!difference) continue;
      const known = failures.get(name);
      if (known) known.count++;
      else failures.set(name, { count: 1, first: difference });
    }
  } while (Date.now() - started < soakMs);
  t.diagnostic(`${cases} cases of ${chosen.length} instructions`);
  const report = [...failures].map(([name, { count, first }]) => `${name}: ${count} differ\n${first}`).join("\n");
  assert.equal(report, "");
});
