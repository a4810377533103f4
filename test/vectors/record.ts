// npm run vectors: records what this machine's processor makes of every form of every instruction
// into test/vectors/recorded.bin.gz, and a coverage summary beside it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Batch, RESULT_VECTOR } from "../differential/case.ts";
import { digest } from "../differential/digest.ts";
import { EXCLUSIONS, featureOf } from "../differential/exclusions.ts";
import { allForms, drawCode } from "../differential/forms.ts";
import { Random } from "../differential/random.ts";
import { formName, shapeOf } from "../differential/shape.ts";
import { hostFeatures, processorName, Silicon } from "../oracle/silicon.ts";
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
const TIMEOUT = 0xfe;
const folder = join(process.env["WKVM_ROOT"] ?? process.cwd(), "test/vectors");

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
        const feature = featureOf(shape);
        group = {
          name,
          feature,
          mode: form.mode,
          firstSeed: random.u32(),
          codes: [],
          seedsPerCode: SEEDS_PER_CODE,
          digests: new Uint16Array(),
        };
        groups.set(name, group);
      }
      if (group.codes.length < CODES) group.codes.push(code);
    }
  }
  return groups;
}

async function record(): Promise<void> {
  const silicon = new Silicon();
  const batch = new Batch(CODES * SEEDS_PER_CODE);
  const kept: Group[] = [];
  const coverage: Record<string, Record<string, number>> = {};
  for (const group of [...drawGroups(hostFeatures()).values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const run = async (): Promise<Record<string, number>> => {
      const count = buildGroup(group, batch.cases, 0);
      const results = await silicon.run(batch, count);
      group.digests = Uint16Array.from(results, (result, i) => digest(batch.cases[i]!, result));
      const vectors: Record<string, number> = {};
      for (const result of results) {
        const vector = result.bytes[RESULT_VECTOR]!;
        vectors[vector] = (vectors[vector] ?? 0) + 1;
      }
      return vectors;
    };
    let vectors = await run();
    if (vectors[TIMEOUT]) continue;
    // A form that never gets past #UD is one fact, not a hundred.
    if (Object.keys(vectors).every((vector) => Number(vector) === INVALID_OPCODE || Number(vector) === 14)) {
      group.codes.length = Math.min(group.codes.length, UNDEFINED_CODES);
      vectors = await run();
    }
    kept.push(group);
    coverage[group.name] = vectors;
  }
  silicon.close();
  const packed = pack({ processor: processorName(), groups: kept });
  writeFileSync(join(folder, "recorded.bin.gz"), packed);
  const cases = kept.reduce((sum, group) => sum + group.digests.length, 0);
  const summary = {
    processor: processorName(),
    forms: kept.length,
    cases,
    /** Forms that complete, and have fewer than 100 cases: encodings without operands have fewer to vary. */
    under100: kept
      .filter((group) => coverage[group.name]!["1"] && group.digests.length < 100)
      .map((group) => group.name),
    excluded: EXCLUSIONS.map(({ reason }) => reason),
  };
  writeFileSync(join(folder, "coverage.json"), `${JSON.stringify(summary, null, 1)}\n`);
  console.log(`${kept.length} forms, ${cases} cases, ${packed.length} bytes`);
}

await record();
