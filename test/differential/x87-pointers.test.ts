// The last x87 instruction, its opcode and its operand, as FNSTENV, FNSAVE and FXSAVE show them: against the host's own
// processor, in 64-, 32- and 16-bit code.
import assert from "node:assert/strict";
import { test } from "node:test";
import { guestCpuid } from "../oracle/guest-cpuid.ts";
import { Silicon, siliconMissing } from "../oracle/silicon.ts";
import { otherVendor } from "../oracle/vendor.ts";
import {
  Batch,
  CASE_CODE,
  CASE_CODE_LENGTH,
  CASE_DS,
  CASE_GPR,
  type Case,
  DATA_BASE,
  DATA_WINDOW,
  MODE_16,
  MODE_32,
  MODE_64,
  RESULT_VECTOR,
  type Result,
  segmentOf,
} from "./case.ts";
import { initialWord, memoryOf } from "./compare.ts";
import { Random } from "./random.ts";
import { disassemble } from "./report.ts";
import { buildCase } from "./state.ts";
import { createTiers, TIER_NAMES } from "./tiers.ts";

const COUNT = 1500;
const BREAKPOINT = 3;
/** Where the state is stored: the second data page, at a multiple of 16. */
const FRAME = 0x2100;
/** D9 F0 and so on: approximate results, which FNSAVE would show. */
const TRANSCENDENTAL = [0xf0, 0xf1, 0xf2, 0xf3, 0xf9, 0xfb, 0xfe, 0xff];

/** Stores of the state: bytes before ModRM, ModRM.reg, and where pointers and opcode lie, for operand sizes 4 and 2. */
const STORES = [
  { opcode: [0xd9], reg: 6, at: [12, 28], at16: [6, 14] },
  { opcode: [0xdd], reg: 6, at: [12, 28], at16: [6, 14] },
  { opcode: [0x0f, 0xae], reg: 0, at: [6, 24], at16: [6, 24] },
] as const;

/** A random x87 instruction, on registers or on memory at SI. */
function x87(random: Random, mode: number): number[] {
  const bytes: number[] = [];
  if (random.oneIn(6)) bytes.push(random.pick([0x26, 0x3e, 0x66]));
  const opcode = 0xd8 + random.below(8);
  const reg = random.below(8) << 3;
  if (random.oneIn(2)) bytes.push(opcode, 0x40 | reg | (mode === MODE_16 ? 4 : 6), random.below(64));
  else bytes.push(opcode, 0xc0 | reg | random.below(8));
  return bytes;
}

function isApproximate(bytes: readonly number[]): boolean {
  const at = bytes.indexOf(0xd9);
  return at >= 0 && TRANSCENDENTAL.includes(bytes[at + 1]!);
}

const reason = siliconMissing() ?? otherVendor();

test("FIP, FDP and FOP are those of silicon", { skip: reason ?? false }, async (t) => {
  const random = new Random(0x46495000);
  const tiers = await createTiers(TIER_NAMES, await guestCpuid());
  const silicon = new Silicon();
  t.after(() => silicon.close());
  const batch = new Batch(COUNT);
  const ranges: (readonly [number, number])[] = [];
  for (const each of batch.cases) {
    const mode = random.pick([MODE_64, MODE_32, MODE_16]);
    const code: number[] = [];
    for (let n = random.below(3); n >= 0; n--) {
      const bytes = x87(random, mode);
      if (!isApproximate(bytes)) code.push(...bytes);
    }
    const store = random.pick(STORES);
    const narrow = random.oneIn(4);
    if (narrow) code.push(0x66);
    code.push(...store.opcode, (store.reg << 3) | (mode === MODE_16 ? 5 : 7), 0xcc);
    buildCase(each, { mode, code: Uint8Array.from(code), seed: random.u32(), sequence: true });
    point(each, 6, 0x1100 + random.below(64), mode);
    point(each, 7, FRAME, mode);
    ranges.push(narrow !== (mode === MODE_16) ? store.at16 : store.at);
  }
  const expected = await silicon.run(batch, COUNT);
  const wrong: string[] = [];
  let compared = 0;
  batch.cases.forEach((each, i) => {
    const want = expected[i]!;
    if (want.bytes[RESULT_VECTOR] !== BREAKPOINT) return;
    compared++;
    const [from, to] = ranges[i]!;
    const theirs = stored(each, want, from, to);
    for (const tier of tiers) {
      const ours = stored(each, tier.run(each), from, to);
      if (theirs === ours) continue;
      const code = disassemble(each.bytes.slice(CASE_CODE, CASE_CODE + each.bytes[CASE_CODE_LENGTH]!), each.bytes[0]!);
      wrong.push(`${tier.name}: ${code}: ${theirs} ${ours}`);
    }
  });
  t.diagnostic(`${compared} of ${COUNT} cases ran to their end`);
  assert.ok(compared > COUNT / 4);
  assert.equal(wrong.length, 0, `${wrong.length} differ:\n${wrong.slice(0, 20).join("\n")}`);
});

/** Makes a register address a place in the data pages by DS or ES. */
function point(test: Case, register: number, offset: number, mode: number): void {
  const selector = test.view.getUint16(CASE_DS, true);
  const base = mode === MODE_64 ? 0 : (segmentOf(selector)?.base ?? 0);
  test.view.setBigUint64(CASE_GPR + register * 8, BigInt(DATA_BASE + offset - base), true);
}

/** The bytes [from, to) of the frame, in hexadecimal. */
function stored(test: Case, result: Result, from: number, to: number): string {
  const changed = memoryOf(result);
  let text = "";
  for (let i = from; i < to; i++) {
    const at = DATA_BASE + FRAME + i - DATA_WINDOW;
    const word = at & ~7;
    const value = changed.get(word) ?? initialWord(test, word);
    text += Number((value >> BigInt((at - word) * 8)) & 0xffn)
      .toString(16)
      .padStart(2, "0");
  }
  return text;
}
