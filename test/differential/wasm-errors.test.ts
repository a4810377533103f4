// The test of the tests for translated code: with the wrong opcode in what the translator emits, cases drawn as in any
// campaign show it. What is right is the interpreter's, which is held to silicon.
import assert from "node:assert/strict";
import { test } from "node:test";
import { guestCpuid, guestFeatureBits, guestFeatures } from "../oracle/guest-cpuid.ts";
import { PLACES } from "../oracle/guest-image.ts";
import { WkvmRunner } from "../oracle/wkvm-runner.ts";
import { Batch, CASE_OPTIONS, type Case, OPTION_NO_STEP, type Result } from "./case.ts";
import { compare } from "./compare.ts";
import { Generator } from "./generator.ts";
import { buildCase } from "./state.ts";
import { replaceInstructions } from "./wasm-errors.ts";

const CASES = 12_288;
const SEED = 7105;
/** What a case may take that such an error keeps from ending; a right one is waited for longer. */
const ERROR_LIMIT_NS = 1e9;

/** Of all instructions, few are done in line with operands and MXCSR as they have to be for native arithmetic. */
const ARITHMETIC = /^(add|sub|mul|div)[sp][sd] /;

/** What is emitted, and what is in its place. */
const ERRORS: readonly (readonly [from: string, to: string])[] = [
  ["i64.add", "i64.sub"],
  ["i64.and", "i64.or"],
  ["i64.or", "i64.xor"],
  ["i64.xor", "i64.or"],
  ["i64.mul", "i64.add"],
  ["i64.shl", "i64.shr_u"],
  ["i64.shr_u", "i64.shr_s"],
  ["i64.shr_s", "i64.shr_u"],
  ["i64.ctz", "i64.clz"],
  ["i64.lt_u", "i64.lt_s"],
  ["i64.extend_i32_s", "i64.extend_i32_u"],
  ["i64.extend_i32_u", "i64.extend_i32_s"],
  ["i32.xor", "i32.or"],
  ["i32.shr_u", "i32.shr_s"],
  ["i32.load8_u", "i32.load8_s"],
  ["i32.load16_u", "i32.load16_s"],
  ["i32.store8", "i32.store16"],
  ["v128.and", "v128.or"],
  ["v128.xor", "v128.or"],
  ["i8x16.add", "i8x16.sub"],
  ["i16x8.add", "i16x8.sub"],
  ["i32x4.add", "i32x4.sub"],
  ["i16x8.gt_s", "i16x8.gt_u"],
];

const FLOAT_ERRORS: typeof ERRORS = [
  ["f64.add", "f64.sub"],
  ["f64.sub", "f64.add"],
  ["f64.mul", "f64.div"],
  ["f64.div", "f64.mul"],
  ["f32.add", "f32.sub"],
  ["f32.mul", "f32.div"],
  ["f64x2.add", "f64x2.sub"],
  ["f64x2.mul", "f64x2.add"],
  ["f32x4.sub", "f32x4.add"],
  ["f32x4.mul", "f32x4.add"],
];

const cpuid = await guestCpuid();

/** Cases that translated code can run, and what they come to. */
async function drawn(only?: RegExp): Promise<{ cases: Case[]; expected: Result[] }> {
  const features = { names: guestFeatures(cpuid), bits: guestFeatureBits(cpuid) };
  const generator = new Generator({ seed: SEED, features, only, sequences: only ? 0 : 8 });
  const batch = new Batch(CASES);
  for (const each of batch.cases) buildCase(each, generator.draw());
  const cases = batch.cases.filter(({ bytes }) => bytes[CASE_OPTIONS]! & OPTION_NO_STEP);
  const interpreter = await WkvmRunner.create(cpuid, undefined, undefined, false);
  return { cases, expected: interpreter.runAll(cases, cases.length) };
}

/** Cases until translated code shows something else; -1: it never does. */
async function firstDifference(
  { cases, expected }: { cases: Case[]; expected: Result[] },
  onModule?: (module: Uint8Array) => void,
): Promise<number> {
  const runner = await WkvmRunner.create(cpuid, undefined, onModule && ERROR_LIMIT_NS, true, onModule);
  for (let from = 0; from < cases.length; from += PLACES) {
    const group = cases.slice(from, from + PLACES);
    runner.prepare(group);
    for (const [i, each] of group.entries())
      if (compare(each, expected[from + i]!, runner.run(each)).length) return from + i;
  }
  return -1;
}

for (const [name, errors, only] of [
  ["all instructions", ERRORS, undefined],
  ["floating-point arithmetic", FLOAT_ERRORS, ARITHMETIC],
] as const) {
  test(`a wrong opcode in the translated code of ${name} is found`, async () => {
    const all = await drawn(only);
    assert.equal(await firstDifference(all), -1, "without errors nothing differs");
    for (const [from, to] of errors) {
      let replaced = 0;
      const found = await firstDifference(all, (module) => {
        replaced += replaceInstructions(module, from, to);
      });
      assert.ok(replaced > 0, `there is ${from} in translated code`);
      assert.ok(found >= 0, `${from} as ${to}, in ${replaced} places, shows`);
    }
  });
}
