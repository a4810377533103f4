// The differential engine: draws cases, has the oracle and every tier of wkvm run them, and collects what differs.
import { PLACES } from "../oracle/guest-image.ts";
import {
  Batch,
  CASE_MODE,
  CASE_OPTIONS,
  CASE_SIZE,
  type Case,
  codeOf,
  MODE_NAMES,
  OPTION_SEQUENCE,
  RESULT_VECTOR,
  type Result,
  VECTOR_TIMEOUT,
} from "./case.ts";
import { compare, type Difference } from "./compare.ts";
import { BATCH, DrawnBatches, type Oracle } from "./drawn-batches.ts";
import type { Generator } from "./generator.ts";
import { formName, type Shape, shapeOf } from "./shape.ts";
import { identify, type TableForm } from "./table-forms.ts";
import type { Tier } from "./tiers.ts";

/** A case on which a tier and the oracle disagree. */
export interface Mismatch {
  form: string;
  tier: Tier;
  test: Case;
  expected: Result;
  actual: Result;
  differences: Difference[];
}

/** A case that the oracle has run. */
interface Asked {
  readonly test: Case;
  readonly wanted: Result;
  readonly shape: Shape;
  readonly form: string;
}

/** Counts by form: cases, and how each ended (by vector). */
export type Coverage = Map<string, Map<number, number>>;

export class Engine {
  readonly coverage: Coverage = new Map();
  cases = 0;
  private readonly batches: DrawnBatches;

  /** Without tiers, the oracle alone is run. */
  constructor(
    private readonly oracle: Oracle,
    private readonly tiers: readonly Tier[],
    readonly generator: Generator,
  ) {
    this.batches = new DrawnBatches(oracle, generator);
  }

  /** Runs one batch on all and returns what differs. */
  async step(): Promise<Mismatch[]> {
    const { batch, expected } = await this.batches.next();
    const asked: Asked[] = [];
    for (let i = 0; i < BATCH; i++) {
      const test = batch.cases[i]!;
      const wanted = expected[i]!;
      const shape = shapeOf(codeOf(test), test.bytes[CASE_MODE]!);
      const form = formOf(test, shape);
      this.count(form, wanted.bytes[RESULT_VECTOR]!);
      if (wanted.bytes[RESULT_VECTOR] !== VECTOR_TIMEOUT) asked.push({ test, wanted, shape, form });
    }
    this.cases += BATCH;
    return this.tiers.flatMap((tier) => {
      const cases = asked.filter(({ test }, i) => i % tier.share === 0 && tier.runs(test));
      return ask(tier, cases);
    });
  }

  /** Makes a mismatch as plain as it can be: whatever part of the state does not matter is set to rest. */
  async minimize(mismatch: Mismatch): Promise<Mismatch> {
    const { form, tier } = mismatch;
    let best = mismatch;
    const scratch = new Batch(1);
    const trial = scratch.cases[0]!;
    for (const change of SIMPLER) {
      trial.bytes.set(best.test.bytes);
      change(trial);
      const [wanted] = await (await this.oracle.submit(scratch, 1)).answer;
      if (!wanted) break;
      const actual = tier.run(trial);
      const differences = compare(trial, wanted, actual);
      if (differences.length === 0 || !sameKind(differences, mismatch.differences)) continue;
      best = mismatchOf(form, tier, trial, wanted, actual, differences);
    }
    return best;
  }

  private count(form: string, vector: number): void {
    let counts = this.coverage.get(form);
    if (!counts) {
      counts = new Map();
      this.coverage.set(form, counts);
    }
    counts.set(vector, (counts.get(vector) ?? 0) + 1);
  }
}

/** Has a tier run cases, and returns what differs. */
function ask(tier: Tier, cases: readonly Asked[]): Mismatch[] {
  const found: Mismatch[] = [];
  for (let from = 0; from < cases.length; from += PLACES) {
    const group = cases.slice(from, from + PLACES);
    tier.prepare?.(group.map(({ test }) => test));
    for (const { test, wanted, shape, form } of group) {
      const actual = tier.run(test);
      const differences = compare(test, wanted, actual, shape);
      if (differences.length) found.push(mismatchOf(form, tier, test, wanted, actual, differences));
    }
  }
  return found;
}

/** The name that a case is counted under: the table's, or one made of its bytes where the table has none. */
export function formOf(test: Case, shape: Shape = shapeOf(codeOf(test), test.bytes[CASE_MODE]!)): string {
  const mode = test.bytes[CASE_MODE]!;
  if (test.bytes[CASE_OPTIONS]! & OPTION_SEQUENCE) return `sequence@${MODE_NAMES[mode]}`;
  const known = identify(shape);
  if (!known) return formName(shape);
  let name = names.get(known);
  if (name === undefined) {
    name = `${known.key}@${MODE_NAMES[mode]}`;
    names.set(known, name);
  }
  return name;
}

/** Of the table's forms, each of which belongs to one mode: a form is named a million times. */
const names = new Map<TableForm, string>();

/** A mismatch with copies of what will be overwritten. */
export function mismatchOf(
  form: string,
  tier: Tier,
  test: Case,
  expected: Result,
  actual: Result,
  differences: Difference[],
): Mismatch {
  return { form, tier, test: copyCase(test), expected: copyResult(expected), actual: copyResult(actual), differences };
}

function sameKind(a: Difference[], b: Difference[]): boolean {
  return b.some((difference) => difference.field === a[0]!.field);
}

const SIMPLER: ((test: Case) => void)[] = [
  (test) => test.bytes.fill(0, 352, 864),
  (test) => test.bytes.fill(0, 224, 352),
  (test) => test.view.setUint32(8, 0x1f80, true),
  (test) => {
    test.view.setUint16(12, 0x37f, true);
    test.view.setUint16(14, 0, true);
    test.bytes[16] = 0xff;
  },
  (test) => test.view.setUint32(4, 0x202, true),
  (test) => test.view.setUint32(4, test.view.getUint32(4, true) & ~0x8d5, true),
  (test) => test.view.setUint16(2, 0x1100, true),
  (test) => test.view.setUint16(18, 0, true),
  ...Array.from({ length: 16 }, (_, i) => (test: Case) => test.bytes.fill(0, 96 + i * 8, 104 + i * 8)),
  ...Array.from({ length: 16 }, (_, i) => (test: Case) => test.bytes.fill(0, 100 + i * 8, 104 + i * 8)),
];

function copyCase(test: Case): Case {
  const bytes = test.bytes.slice(0, CASE_SIZE);
  return { bytes, view: new DataView(bytes.buffer) };
}

export function copyResult(result: Result): Result {
  const bytes = result.bytes.slice();
  return { bytes, view: new DataView(bytes.buffer) };
}
