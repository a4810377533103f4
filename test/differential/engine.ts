// The differential engine: draws cases, has the oracle and wkvm run them, and collects what differs.
import type { Silicon } from "../oracle/silicon.ts";
import type { WkvmRunner } from "../oracle/wkvm-runner.ts";
import {
  Batch,
  CASE_MODE,
  CASE_OPTIONS,
  CASE_SIZE,
  type Case,
  codeOf,
  OPTION_SEQUENCE,
  RESULT_VECTOR,
  type Result,
  VECTOR_TIMEOUT,
} from "./case.ts";
import { compare, type Difference } from "./compare.ts";
import { allForms, drawCode, type Form } from "./forms.ts";
import { Random } from "./random.ts";
import { drawSequence, fitsSequence } from "./sequence.ts";
import { formName, shapeOf } from "./shape.ts";
import { buildCase, type Recipe } from "./state.ts";

/** A case on which two processors disagree. */
export interface Mismatch {
  form: string;
  test: Case;
  expected: Result;
  actual: Result;
  differences: Difference[];
}

/** Counts by form: cases, and how each ended (by vector). */
export type Coverage = Map<string, Map<number, number>>;

const INVALID_OPCODE = 6;
const BATCH = 2048;
/** Draws that decide whether a form does anything but #UD. */
const PROBES = 6;

/** What an engine draws. */
export interface EngineOptions {
  seed: number;
  /** Processor features that both sides have, in Linux's spelling. */
  features: ReadonlySet<string>;
  /** Only forms whose name matches. */
  only?: RegExp | undefined;
  /** One case in this many is a sequence; 0: none. */
  sequences?: number;
}

export class Engine {
  readonly coverage: Coverage = new Map();
  cases = 0;
  private readonly random: Random;
  private readonly batch = new Batch(BATCH);
  private forms: Form[];
  private undefinedForms: Form[] = [];

  constructor(
    private readonly silicon: Silicon,
    private readonly runner: WkvmRunner | undefined,
    private readonly options: EngineOptions,
  ) {
    this.random = new Random(options.seed);
    this.forms = allForms(options.features);
    if (options.only) {
      const pattern = options.only;
      this.forms = this.forms.filter((form) => this.namesOf(form).some((name) => pattern.test(name)));
      if (this.forms.length === 0) throw new Error(`no form matches ${pattern}`);
    }
  }

  /** Names of what a form may be drawn as. */
  private namesOf(form: Form): string[] {
    const names = new Set<string>();
    const random = new Random(1);
    for (let i = 0; i < 24; i++) {
      const code = drawCode(form, random, this.options.features);
      if (code) names.add(formName(shapeOf(code, form.mode)));
    }
    return [...names];
  }

  /** Sets aside the forms that only raise #UD: they are tried, but seldom. */
  async probe(): Promise<{ defined: number; undefined: number }> {
    const owners: Form[] = [];
    const alive = new Set<Form>();
    const flush = async (): Promise<void> => {
      const results = await this.silicon.run(this.batch, owners.length);
      results.forEach((result, i) => {
        if (result.bytes[RESULT_VECTOR] !== INVALID_OPCODE) alive.add(owners[i]!);
      });
      owners.length = 0;
    };
    for (const form of this.forms) {
      for (let i = 0; i < PROBES; i++) {
        const code = drawCode(form, this.random, this.options.features);
        if (!code) continue;
        buildCase(this.batch.cases[owners.length]!, { mode: form.mode, code, seed: this.random.u32() });
        owners.push(form);
        if (owners.length === BATCH) await flush();
      }
    }
    if (owners.length) await flush();
    this.undefinedForms = this.forms.filter((form) => !alive.has(form));
    const defined = this.forms.filter((form) => alive.has(form));
    if (defined.length) this.forms = defined;
    return { defined: this.forms.length, undefined: this.undefinedForms.length };
  }

  /** Draws one case. */
  draw(): Recipe {
    const { random, options } = this;
    if (options.sequences && random.oneIn(options.sequences)) {
      const { mode, code } = drawSequence(random, (wanted) => this.drawVector(wanted));
      return { mode, code, seed: random.u32(), sequence: true };
    }
    for (;;) {
      const from = this.undefinedForms.length && random.oneIn(24) ? this.undefinedForms : this.forms;
      const form = random.pick(from);
      const code = drawCode(form, random, options.features);
      if (code) return { mode: form.mode, code, seed: random.u32() };
    }
  }

  /** Bytes of an x87, MMX or SSE instruction on registers whose every result is defined, or undefined. */
  private drawVector(mode: number): Uint8Array | undefined {
    const form = this.random.pick(this.forms);
    if (form.mode !== mode) return undefined;
    const code = drawCode(form, this.random, this.options.features);
    return code && fitsSequence(shapeOf(code, mode)) ? code : undefined;
  }

  /** Runs one batch on both and returns what differs. */
  async step(): Promise<Mismatch[]> {
    const { batch, runner } = this;
    for (const test of batch.cases) buildCase(test, this.draw());
    const expected = await this.silicon.run(batch, BATCH);
    const found: Mismatch[] = [];
    for (let i = 0; i < BATCH; i++) {
      const test = batch.cases[i]!;
      const wanted = expected[i]!;
      const form = formOf(test);
      this.count(form, wanted.bytes[RESULT_VECTOR]!);
      if (!runner || wanted.bytes[RESULT_VECTOR] === VECTOR_TIMEOUT) continue;
      const actual = runner.run(test);
      const differences = compare(test, wanted, actual);
      if (differences.length)
        found.push({
          form,
          test: copyCase(test),
          expected: copyResult(wanted),
          actual: copyResult(actual),
          differences,
        });
    }
    this.cases += BATCH;
    return found;
  }

  /** Makes a mismatch as plain as it can be: whatever part of the state does not matter is set to rest. */
  async minimize(mismatch: Mismatch): Promise<Mismatch> {
    const { runner } = this;
    if (!runner) return mismatch;
    let best = mismatch;
    const scratch = new Batch(1);
    const trial = scratch.cases[0]!;
    for (const change of SIMPLER) {
      trial.bytes.set(best.test.bytes);
      change(trial);
      const [wanted] = await this.silicon.run(scratch, 1);
      if (!wanted) break;
      const actual = runner.run(trial);
      const differences = compare(trial, wanted, actual);
      if (differences.length === 0 || !sameKind(differences, mismatch.differences)) continue;
      best = {
        form: mismatch.form,
        test: copyCase(trial),
        expected: copyResult(wanted),
        actual: copyResult(actual),
        differences,
      };
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

/** The name that a case is counted under. */
export function formOf(test: Case): string {
  if (test.bytes[CASE_OPTIONS]! & OPTION_SEQUENCE) return `sequence@${["64", "32", "16"][test.bytes[CASE_MODE]!]}`;
  return formName(shapeOf(codeOf(test), test.bytes[CASE_MODE]!));
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

function copyResult(result: Result): Result {
  const bytes = result.bytes.slice();
  return { bytes, view: new DataView(bytes.buffer) };
}
