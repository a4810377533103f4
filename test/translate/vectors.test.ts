// The recorded vectors, run as translated code: threshold 1 translates a case before it is executed. What is
// not translated, the interpreter answers for in recorded.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Batch,
  CASE_CODE_LENGTH,
  CASE_CODE_OFFSET,
  CASE_CS,
  CASE_MODE,
  type Case,
  CODE_BASE,
  CODE_BYTES,
  CODE_WINDOW,
  codeOf,
  RESULT_CR2,
  RESULT_VECTOR,
  type Result,
  segmentOf,
} from "../differential/case.ts";
import { digest } from "../differential/digest.ts";
import { disassemble } from "../differential/report.ts";
import { type Shape, shapeOf } from "../differential/shape.ts";
import { guestCpuid, guestFeatures } from "../oracle/guest-cpuid.ts";
import { PLACES } from "../oracle/guest-image.ts";
import { WkvmRunner } from "../oracle/wkvm-runner.ts";
import { readVectors } from "../vectors/coverage.ts";
import { buildGroup, GROUP_MAX } from "../vectors/groups.ts";

const SHOWN = 30;
/** Every STRIDE-th case: a prime, so that each form's codes and seeds all have their turn. */
const STRIDE = process.env["WKVM_SOAK"] ? 1 : 23;

const INT3 = 0xcc;
const PUSHF_POPF = [0x9c, 0x9d];
const STRING = [0x6c, 0x6d, 0x6e, 0x6f, 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf];
const TRANSFERS = [0xc2, 0xc3, 0xca, 0xcb, 0xcf, 0xe0, 0xe1, 0xe2, 0xe3, 0xe8, 0xe9, 0xeb];
const GENERAL_PROTECTION = 13;
const PAGE_FAULT = 14;
/** Bytes of an instruction at most. */
const LONGEST = 15;

/**
 * Why a case was recorded as something that translated code, which ends at the INT3 behind it, cannot show: the
 * recording had TF set, and stopped after one step. undefined: it can.
 */
function stepOnly({ map, opcode, reg, repeat, vex }: Shape): string | undefined {
  if (vex) return undefined;
  if (map === 0 && repeat && STRING.includes(opcode)) return "a repeated instruction stops after an iteration";
  if (map === 0 && opcode === INT3) return "is itself what ends translated code";
  if (map === 0 && PUSHF_POPF.includes(opcode)) return "shows or changes TF";
  if (map === 0 && (TRANSFERS.includes(opcode) || (opcode >= 0x70 && opcode <= 0x7f))) return "leads elsewhere";
  if (map === 0 && opcode === 0xff && reg >= 2 && reg <= 5) return "leads elsewhere";
  if (map === 1 && opcode >= 0x80 && opcode <= 0x8f) return "leads elsewhere";
  if (map === 1 && (opcode === 0x05 || opcode === 0x34)) return "leads elsewhere";
  return undefined;
}

/** Whether an instruction of any length would run out of the code window: silicon reads on behind what VEX forbids. */
function endsTheWindow(test: Case): boolean {
  return test.view.getUint16(CASE_CODE_OFFSET, true) + LONGEST > CODE_WINDOW + CODE_BYTES - CODE_BASE;
}

/** Whether it was the INT3 behind the case that could not be fetched: the recording ended before it. */
function endsUnmapped(result: Result): boolean {
  if (result.bytes[RESULT_VECTOR] !== PAGE_FAULT) return false;
  const address = result.view.getBigUint64(RESULT_CR2, true);
  return address >= BigInt(CODE_WINDOW) && address <= BigInt(CODE_WINDOW + CODE_BYTES);
}

/** Whether it was the INT3 behind the case that lies beyond the limit of its code segment. */
function endsTheSegment(test: Case, result: Result): boolean {
  if (result.bytes[RESULT_VECTOR] !== GENERAL_PROTECTION) return false;
  const offset = test.view.getUint16(CASE_CODE_OFFSET, true) + test.bytes[CASE_CODE_LENGTH]!;
  const segment = segmentOf(test.view.getUint16(CASE_CS, true));
  return segment !== undefined && offset + LONGEST > segment.limit && offset <= segment.limit + LONGEST;
}

/** A case that waits for others to be translated with it. */
interface Waiting {
  readonly test: Case;
  readonly name: string;
  readonly seed: number;
  readonly digest: number;
}

/** Runs cases as translated code, and returns which of them differ, as text, and how many could be compared. */
function replay(runner: WkvmRunner, waiting: readonly Waiting[]): { failures: string[]; compared: number } {
  const failures: string[] = [];
  let compared = 0;
  runner.prepare(waiting.map(({ test }) => test));
  for (const { test, name, seed, digest: recorded } of waiting) {
    const result = runner.run(test);
    if (endsUnmapped(result) || endsTheSegment(test, result)) continue;
    const code = codeOf(test);
    const mode = test.bytes[CASE_MODE]!;
    const vector = result.bytes[RESULT_VECTOR];
    // Under TF a gather traps after the elements it has loaded, before one that faults.
    if (shapeOf(code, mode).vectorIndex >= 0 && vector === PAGE_FAULT) continue;
    compared++;
    if (digest(test, result) === recorded) continue;
    failures.push(
      `${name}: ${Buffer.from(code).toString("hex")} (${disassemble(code, mode)}), seed ${seed}, vector ${vector}`,
    );
  }
  return { failures, compared };
}

test("recorded vectors give the recorded outcome as translated code", async (t) => {
  const cpuid = await guestCpuid();
  const features = guestFeatures(cpuid);
  const runner = await WkvmRunner.create(cpuid, undefined, undefined, true);
  const batch = new Batch(GROUP_MAX);
  const copies = new Batch(PLACES).cases;
  let waiting: Waiting[] = [];
  const failures: string[] = [];
  let cases = 0;
  let n = 0;
  const run = (): void => {
    const done = replay(runner, waiting);
    failures.push(...done.failures);
    cases += done.compared;
    waiting = [];
  };
  const files = [...readVectors().values()];
  const groups = files.flatMap(({ groups, revision }) => groups.map((group) => ({ group, revision })));
  for (const { group, revision } of groups) {
    if (group.feature && !features.has(group.feature)) continue;
    const count = buildGroup(group, revision, batch.cases, 0);
    for (let i = 0; i < count; i++) {
      if (n++ % STRIDE) continue;
      const each = batch.cases[i]!;
      const shape = shapeOf(codeOf(each), group.mode);
      if (stepOnly(shape) || (shape.vex && endsTheWindow(each))) continue;
      const copy = copies[waiting.length]!;
      copy.bytes.set(each.bytes);
      waiting.push({ test: copy, name: group.name, seed: group.firstSeed + i, digest: group.digests[i]! });
      if (waiting.length === PLACES) run();
    }
  }
  run();
  const { regionInstructions, instructions } = runner.stats().counters;
  const share = regionInstructions / instructions;
  t.diagnostic(`${cases} cases, ${(100 * share).toFixed(1)}% of their instructions in regions`);
  assert.equal(failures.length, 0, `${failures.length} cases differ:\n${failures.slice(0, SHOWN).join("\n")}`);
  assert.ok(share > 0.5, "cases are translated");
  assert.ok(cases > 1000, "the files hold vectors");
});
