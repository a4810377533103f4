// Plays the recorded vectors: every form of every instruction that wkvm offers, against what the processor named in the
// file made of it. Needs neither gcc nor x86. And asks whether they cover the instruction table.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch } from "../differential/case.ts";
import { digest } from "../differential/digest.ts";
import { offers } from "../differential/exclusions.ts";
import { disassemble } from "../differential/report.ts";
import { guestCpuid, guestFeatures } from "../oracle/guest-cpuid.ts";
import { WkvmRunner } from "../oracle/wkvm-runner.ts";
import { Coverage, formsOf, linesOf, readGaps, readVectors } from "./coverage.ts";
import type { Group } from "./format.ts";
import { buildGroup, GROUP_MAX } from "./groups.ts";

const SHOWN = 30;
/** Of each form's cases every STRIDE-th is played. */
const STRIDE = process.env["WKVM_TEST_ACCEL"] === "ts" && !process.env["WKVM_SOAK"] ? 5 : 1;
/** Lines of gaps.json: this number may only become smaller. */
const GAPS = 641;

const coverage = new Coverage();

test("every recorded vector gives the recorded outcome", async (t) => {
  const cpuid = await guestCpuid();
  const features = guestFeatures(cpuid);
  const runner = await WkvmRunner.create(cpuid);
  const batch = new Batch(GROUP_MAX);
  const failures: string[] = [];
  const offered = ({ feature }: Group): boolean => offers(features, feature);
  let wrong = 0;
  for (const [name, { groups, revision, processor }] of readVectors()) {
    let cases = 0;
    const played = groups.filter(offered);
    for (const group of played) {
      const count = buildGroup(group, revision, batch.cases, 0);
      const forms = formsOf(group);
      let failed = 0;
      let first = "";
      for (let i = 0; i < count; i += STRIDE) {
        const each = batch.cases[i]!;
        cases++;
        const code = Math.floor(i / group.seedsPerCode);
        const { shape, form } = forms[code]!;
        const result = runner.run(each);
        if (form) coverage.add(each, shape, form, result);
        if (digest(each, result) === group.digests[i]) continue;
        failed++;
        const bytes = group.codes[code]!;
        first ||= `${Buffer.from(bytes).toString("hex")} (${disassemble(bytes, group.mode)}), seed ${group.firstSeed + i}`;
      }
      wrong += failed;
      if (failed) failures.push(`${group.name}: ${failed} of ${count}, first ${first}`);
    }
    t.diagnostic(
      `${name}: ${cases} cases in ${played.length} groups, recorded on ${processor}; ` +
        `${groups.length - played.length} groups need features that this core does not offer`,
    );
    assert.ok(cases > 1000, `${name} holds vectors`);
  }
  assert.equal(wrong, 0, `${wrong} cases in ${failures.length} groups differ:\n${failures.slice(0, SHOWN).join("\n")}`);
});

test("the vectors cover every form and fault of the table but those on the list, which does not grow", {
  skip: STRIDE > 1 ? "every case has to be played" : false,
}, () => {
  const listed = new Set(linesOf(readGaps()));
  const missing = new Set([...coverage.missing()].flatMap(([key, lacks]) => lacks.map((lack) => `${key}: ${lack}`)));
  const added = [...missing].filter((line) => !listed.has(line));
  const stale = [...listed].filter((line) => !missing.has(line));
  // A comparison of long arrays takes minutes to explain itself.
  const some = (lines: readonly string[]): string => `${lines.length}: ${lines.slice(0, SHOWN).join("; ")}`;
  assert.equal(added.length, 0, `missing and not listed (npm run vectors -- --fill NAME records them): ${some(added)}`);
  assert.equal(stale.length, 0, `listed and not missing: ${some(stale)}`);
  assert.ok(listed.size <= GAPS, `${listed.size} lines of gaps.json, ${GAPS} allowed`);
});
