// The oracle itself: what it says about a few instructions against a model written out by hand, that
// it says the same twice, and that it is fast enough to be asked about everything.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Batch,
  CASE_EFLAGS,
  CASE_GPR,
  CASE_OPTIONS,
  type Case,
  MODE_64,
  RESULT_EFLAGS,
  RESULT_GPR,
  RESULT_VECTOR,
  type Result,
} from "../differential/case.ts";
import { compare } from "../differential/compare.ts";
import { Generator } from "../differential/generator.ts";
import { buildCase } from "../differential/state.ts";
import { hostFeatureBits, hostFeatures, Silicon, siliconMissing } from "./silicon.ts";

const missing = siliconMissing();
const CF = 1n;
const PF = 4n;
const AF = 0x10n;
const ZF = 0x40n;
const SF = 0x80n;
const OF = 0x800n;

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
const signed = (value: bigint): bigint => BigInt.asIntN(64, value);

/** PF, ZF and SF of a 64-bit result. */
function resultFlags(value: bigint): bigint {
  let bits = 0;
  for (let low = Number(value & 0xffn); low; low >>= 1) bits += low & 1;
  return (bits % 2 === 0 ? PF : 0n) | (value === 0n ? ZF : 0n) | (value >> 63n ? SF : 0n);
}

interface Model {
  code: number[];
  /** [result, flags, flags that are defined]. */
  of(a: bigint, b: bigint, carry: bigint): [bigint, bigint, bigint];
}

const ALL = CF | PF | AF | ZF | SF | OF;
const overflow = (exact: bigint, result: bigint): bigint => (exact === signed(result) ? 0n : OF);

/** Operations on RAX (a) and RCX (b). */
const MODELS: Record<string, Model> = {
  "add rax, rcx": {
    code: [0x48, 0x01, 0xc8],
    of: (a, b) => {
      const r = wrap(a + b);
      return [r, (a + b > r ? CF : 0n) | ((a ^ b ^ r) & AF) | resultFlags(r) | overflow(signed(a) + signed(b), r), ALL];
    },
  },
  "adc rax, rcx": {
    code: [0x48, 0x11, 0xc8],
    of: (a, b, c) => {
      const r = wrap(a + b + c);
      return [
        r,
        (a + b + c > r ? CF : 0n) | ((a ^ b ^ r) & AF) | resultFlags(r) | overflow(signed(a) + signed(b) + c, r),
        ALL,
      ];
    },
  },
  "sub rax, rcx": {
    code: [0x48, 0x29, 0xc8],
    of: (a, b) => {
      const r = wrap(a - b);
      return [r, (a < b ? CF : 0n) | ((a ^ b ^ r) & AF) | resultFlags(r) | overflow(signed(a) - signed(b), r), ALL];
    },
  },
  "shl rax, cl": {
    code: [0x48, 0xd3, 0xe0],
    of: (a, b) => {
      const n = b & 63n;
      const r = wrap(a << n);
      if (n === 0n) return [a, 0n, 0n];
      return [r, (((a << n) >> 64n) & 1n) | resultFlags(r), CF | PF | ZF | SF];
    },
  },
  "imul rax, rcx": {
    code: [0x48, 0x0f, 0xaf, 0xc1],
    of: (a, b) => {
      const exact = signed(a) * signed(b);
      const r = wrap(exact);
      return [r, exact === signed(r) ? 0n : CF | OF, CF | OF];
    },
  },
};

test("the oracle agrees with hand-written models", { skip: missing ?? false }, async (t) => {
  const silicon = new Silicon();
  t.after(() => silicon.close());
  const batch = new Batch(500);
  for (const [name, { code, of }] of Object.entries(MODELS)) {
    batch.cases.forEach((each, i) => {
      buildCase(each, { mode: MODE_64, code: Uint8Array.from(code), seed: i });
      // Near the end of the code window a case faults instead.
      each.view.setUint16(2, 0x1100, true);
      each.view.setUint32(CASE_EFLAGS, each.view.getUint32(CASE_EFLAGS, true) & ~0x40000, true);
      // Half of the cases run up to an INT3; these are all to end with the step's trap.
      each.bytes[CASE_OPTIONS] = 0;
    });
    const results = await silicon.run(batch, batch.capacity);
    results.forEach((result, i) => checkModel(name, batch.cases[i]!, result, of));
  }
});

function checkModel(name: string, each: Case, result: Result, of: Model["of"]): void {
  const a = each.view.getBigUint64(CASE_GPR, true);
  const b = each.view.getBigUint64(CASE_GPR + 8, true);
  const [value, flags, defined] = of(a, b, BigInt(each.view.getUint32(CASE_EFLAGS, true)) & CF);
  const what = `${name} with rax ${a.toString(16)}, rcx ${b.toString(16)}`;
  assert.equal(result.bytes[RESULT_VECTOR], 1, what);
  assert.equal(result.view.getBigUint64(RESULT_GPR, true).toString(16), value.toString(16), what);
  assert.equal(BigInt(result.view.getUint32(RESULT_EFLAGS, true)) & defined, flags & defined, `${what}: flags`);
}

test("two oracles agree on random cases of every form, at 20,000 cases a second or so", {
  skip: missing ?? false,
}, async (t) => {
  const one = new Silicon();
  const two = new Silicon();
  t.after(() => {
    one.close();
    two.close();
  });
  const features = { names: hostFeatures(), bits: hostFeatureBits() };
  const generator = new Generator({ seed: 7, features, sequences: 16 });
  const batch = new Batch(4096);
  for (const each of batch.cases) buildCase(each, generator.draw());
  const started = performance.now();
  const first = await one.run(batch, batch.capacity);
  t.diagnostic(`${Math.round((batch.capacity / (performance.now() - started)) * 1000)} cases a second`);
  const second = await two.run(batch, batch.capacity);
  const differing = first.filter((result, i) => compare(batch.cases[i]!, result, second[i]!).length);
  assert.equal(differing.length, 0);
});
