// npm run vectors: records what this machine's processor makes of every form of every instruction.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readOptions } from "../../tools/options.mjs";
import { Batch, type Case, RESULT_VECTOR, type Result, VECTOR_TIMEOUT } from "../differential/case.ts";
import { digest } from "../differential/digest.ts";
import { excluded, featureOf } from "../differential/exclusions.ts";
import { allForms, drawCode } from "../differential/forms.ts";
import { isOffered } from "../differential/generator.ts";
import { Random } from "../differential/random.ts";
import { formName, shapeOf } from "../differential/shape.ts";
import { buildCase, type Revision } from "../differential/state.ts";
import { drawTableCode } from "../differential/table-code.ts";
import { identify, TABLE_FORMS, type TableForm } from "../differential/table-forms.ts";
import { hostFeatureBits, hostFeatures, processorName, Silicon } from "../oracle/silicon.ts";
import { CASES, CASES_WANTED, Coverage, formsOf, type Gaps, gapsFile, readVectors, vectorsFolder } from "./coverage.ts";
import { playVectors } from "./coverage-report.ts";
import { faultOf } from "./faults.ts";
import { type Group, pack } from "./format.ts";
import { buildGroup } from "./groups.ts";

/** Distinct encodings of a form, and states each is run in. */
const CODES = 20;
const SEEDS_PER_CODE = 5;
/** What a form gets that only ever raises #UD. */
const UNDEFINED_CODES = 1;
const DRAWS = 800;
/** x87 register forms are told apart by ModRM.rm too. */
const X87_DRAWS = 1600;
const INVALID_OPCODE = 6;
const REVISION = 3;
/** Cases of a fault that wkvm may raise another instead of. */
const SURE = 4;
/** Cases that are drawn for each fault that a form lacks. */
const FAULT_DRAWS = 6000;

/** Encodings by name of form. Forms are drawn until a name has enough encodings, or draws run out. */
function drawGroups(features: ReadonlySet<string>): Map<string, Group> {
  const groups = new Map<string, Group>();
  const random = new Random(0x76656373);
  for (const form of allForms(features)) {
    const draws = form.map === 0 && (form.opcode & 0xf8) === 0xd8 ? X87_DRAWS : DRAWS;
    for (let i = 0; i < draws; i++) {
      const code = drawCode(form, random, features);
      if (!code) continue;
      const shape = shapeOf(code, form.mode);
      const name = formName(shape);
      let group = groups.get(name);
      if (!group) {
        group = newGroup(name, featureOf(shape), form.mode, random, SEEDS_PER_CODE);
        groups.set(name, group);
      }
      if (group.codes.length < CODES) group.codes.push(code);
    }
  }
  return groups;
}

function newGroup(name: string, feature: string, mode: number, random: Random, seedsPerCode: number): Group {
  return { name, feature, mode, firstSeed: random.u32(), codes: [], seedsPerCode, digests: new Uint16Array() };
}

class Recorder {
  readonly silicon = new Silicon();
  readonly batch = new Batch(2048);
  readonly groups: Group[] = [];
  readonly coverage = new Coverage(SURE);

  /** Runs a group and notes its digests; undefined: some case did not end. */
  async play(group: Group, revision: Revision): Promise<Result[] | undefined> {
    const count = buildGroup(group, revision, this.batch.cases, 0);
    const results = await this.silicon.run(this.batch, count);
    if (results.some((result) => result.bytes[RESULT_VECTOR] === VECTOR_TIMEOUT)) return undefined;
    const { cases } = this.batch;
    group.digests = Uint16Array.from(results, (result, i) => digest(cases[i]!, result));
    return results;
  }

  /** Counts a group's cases. */
  count(group: Group, results: readonly Result[]): void {
    const forms = formsOf(group);
    results.forEach((result, i) => {
      const { shape, form } = forms[Math.floor(i / group.seedsPerCode)]!;
      if (form) this.coverage.add(this.batch.cases[i]!, shape, form, result);
    });
  }

  write(name: string): void {
    const packed = pack({ processor: processorName(), revision: REVISION, groups: this.groups });
    writeFileSync(join(vectorsFolder, `${name}.bin.gz`), packed);
    const cases = this.groups.reduce((sum, group) => sum + group.digests.length, 0);
    console.log(`${name}: ${this.groups.length} groups, ${cases} cases, ${packed.length} bytes`);
  }
}

/** Everything anew. */
async function recordAll(recorder: Recorder): Promise<void> {
  for (const group of [...drawGroups(hostFeatures()).values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    let results = await recorder.play(group, REVISION);
    // A form that never gets past #UD is one fact, not a hundred.
    const isUndefined = results?.every(({ bytes }) => [INVALID_OPCODE, 14].includes(bytes[RESULT_VECTOR]!));
    if (isUndefined) {
      group.codes.length = Math.min(group.codes.length, UNDEFINED_CODES);
      results = await recorder.play(group, REVISION);
    }
    if (!results) continue;
    recorder.groups.push(group);
    recorder.count(group, results);
  }
  recorder.write("recorded");
}

/** The table's forms by key: the modes of each. */
function formsByKey(bits: ReadonlySet<number>): Map<string, TableForm[]> {
  const forms = new Map<string, TableForm[]>();
  for (const form of TABLE_FORMS)
    if (isOffered(form, { names: new Set(), bits })) forms.set(form.key, [...(forms.get(form.key) ?? []), form]);
  return forms;
}

/** Draws an encoding that is the form, and asked about. */
function drawOf(form: TableForm, random: Random): Uint8Array | undefined {
  const code = drawTableCode(form, random);
  if (!code) return undefined;
  const shape = shapeOf(code, form.mode);
  return identify(shape)?.key === form.key && !excluded(shape) ? code : undefined;
}

/** Groups for the forms that have too few cases. */
async function fillCases(recorder: Recorder, forms: ReadonlyMap<string, readonly TableForm[]>): Promise<void> {
  const random = new Random(0x66696c6c);
  for (const [key, lacks] of recorder.coverage.missing()) {
    const modes = forms.get(key);
    if (!lacks.includes(CASES) || !modes) continue;
    for (const form of modes) {
      const codes = new Map<string, Uint8Array>();
      for (let i = 0; i < DRAWS && codes.size < Math.ceil(CODES / modes.length); i++) {
        const code = drawOf(form, random);
        if (code) codes.set(code.join(), code);
      }
      if (codes.size === 0) continue;
      const seeds = Math.ceil(CASES_WANTED / modes.length / codes.size);
      const group = newGroup(key, "", form.mode, random, seeds);
      group.codes.push(...codes.values());
      const results = await recorder.play(group, REVISION);
      if (!results) continue;
      recorder.groups.push(group);
      recorder.count(group, results);
    }
  }
}

/** Single cases for the faults that forms have no case of. */
async function fillFaults(recorder: Recorder, forms: ReadonlyMap<string, readonly TableForm[]>): Promise<void> {
  const random = new Random(0x6661756c);
  const { batch, coverage } = recorder;
  const drawn = new Map<string, number>();
  for (;;) {
    const wanted = [...coverage.missing()].filter(
      ([key, lacks]) => forms.has(key) && lacks.some((lack) => lack !== CASES) && (drawn.get(key) ?? 0) < FAULT_DRAWS,
    );
    if (wanted.length === 0) return;
    const recipes: { form: TableForm; lacks: string[]; code: Uint8Array; seed: number; test: Case }[] = [];
    const each = Math.max(1, Math.floor(batch.capacity / wanted.length));
    for (const [key, lacks] of wanted) {
      for (let i = 0; i < each && recipes.length < batch.capacity; i++) {
        drawn.set(key, (drawn.get(key) ?? 0) + 1);
        const form = random.pick(forms.get(key)!);
        const code = drawOf(form, random);
        if (!code) continue;
        const test = batch.cases[recipes.length]!;
        const seed = random.u32();
        buildCase(test, { mode: form.mode, code, seed, revision: REVISION });
        recipes.push({ form, lacks, code, seed, test });
      }
    }
    const results = await recorder.silicon.run(batch, recipes.length);
    recipes.forEach(({ form, lacks, code, seed, test }, i) => {
      const result = results[i]!;
      const shape = shapeOf(code, form.mode);
      const fault = faultOf(test, shape, form, result);
      if (!fault || !lacks.includes(fault) || coverage.hasFault(form.key, fault)) return;
      const group = { ...newGroup(form.key, "", form.mode, random, 1), firstSeed: seed, codes: [code] };
      group.digests = Uint16Array.of(digest(test, result));
      recorder.groups.push(group);
      coverage.add(test, shape, form, result);
    });
  }
}

/** Why a form has no case of something. */
function reasonFor(key: string, forms: ReadonlyMap<string, readonly TableForm[]>, lacks: readonly string[]): string {
  const [form] = forms.get(key) ?? [];
  if (!form) return "the processor that recorded does not have it";
  const random = new Random(1);
  const reasons = new Set<string>();
  for (let i = 0; i < DRAWS / 8; i++) {
    const code = drawTableCode(form, random);
    if (!code) continue;
    const reason = excluded(shapeOf(code, form.mode));
    if (!reason && lacks.includes(CASES) === false) return "no state of an ordinary process is known to raise it";
    if (reason) reasons.add(reason);
  }
  return [...reasons][0] ?? "no state of an ordinary process is known to raise it";
}

const EITHER = "of two faults of one instruction either may come first";

function writeGaps(coverage: Coverage, forms: ReadonlyMap<string, readonly TableForm[]>): void {
  const gaps: Gaps = {};
  for (const [key, lacks] of coverage.missing()) {
    const unsure = coverage.isUnsure(key) && !lacks.includes(CASES);
    const byLack = (gaps[unsure ? EITHER : reasonFor(key, forms, lacks)] ??= {});
    for (const lack of lacks) (byLack[lack] ??= []).push(key);
  }
  writeFileSync(gapsFile, `${JSON.stringify(gaps, null, 1)}\n`);
  const lines = [...coverage.missing().values()].reduce((sum, lacks) => sum + lacks.length, 0);
  console.log(`gaps.json: ${lines} lines`);
}

const HELP = `npm run vectors [-- --fill NAME]
  Records what this machine's processor makes of every form of every instruction into
  test/vectors/recorded.bin.gz, and what is missing still, and why, into gaps.json.
  --fill NAME    leaves the files that are there alone, and records what they lack into NAME.bin.gz
`;

async function main(): Promise<void> {
  const { values } = readOptions(HELP, { options: { fill: { type: "string" } } });
  const recorder = new Recorder();
  const forms = formsByKey(hostFeatureBits());
  if (values.fill === undefined) await recordAll(recorder);
  else {
    for (const [name, { groups, revision }] of readVectors()) {
      if (name === `${values.fill}.bin.gz`) continue;
      for (const group of groups) recorder.count(group, (await recorder.play(group, revision)) ?? []);
    }
    await fillCases(recorder, forms);
    await fillFaults(recorder, forms);
    recorder.write(values.fill);
  }
  writeGaps((await playVectors()).coverage, forms);
  recorder.silicon.close();
}

await main();
