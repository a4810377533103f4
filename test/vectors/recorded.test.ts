// Plays the recorded vectors (recorded.bin.gz): every form of every instruction that wkvm offers,
// against what the processor named in the file made of it. Needs neither gcc nor x86.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Batch, codeOf } from "../differential/case.ts";
import { digest } from "../differential/digest.ts";
import { offers } from "../differential/exclusions.ts";
import { disassemble } from "../differential/report.ts";
import { guestCpuid, guestFeatures } from "../oracle/guest-cpuid.ts";
import { WkvmRunner } from "../oracle/wkvm-runner.ts";
import { unpack } from "./format.ts";
import { buildGroup } from "./groups.ts";

const SHOWN = 30;
/** Of each form's cases every STRIDE-th is played. */
const STRIDE = process.env["WKVM_TEST_ACCEL"] === "ts" && !process.env["WKVM_SOAK"] ? 5 : 1;

test("every recorded vector gives the recorded outcome", async (t) => {
  const folder = join(process.env["WKVM_ROOT"] ?? process.cwd(), "test/vectors");
  const vectors = unpack(readFileSync(join(folder, "recorded.bin.gz")));
  const cpuid = await guestCpuid();
  const features = guestFeatures(cpuid);
  const runner = await WkvmRunner.create(cpuid);
  const batch = new Batch(256);
  const failures: string[] = [];
  let cases = 0;
  let skipped = 0;
  let wrong = 0;
  for (const group of vectors.groups) {
    if (!offers(features, group.feature)) {
      skipped++;
      continue;
    }
    const count = buildGroup(group, batch.cases, 0);
    let failed = 0;
    let first = "";
    for (let i = 0; i < count; i += STRIDE) {
      const each = batch.cases[i]!;
      cases++;
      if (digest(each, runner.run(each)) === group.digests[i]) continue;
      failed++;
      const code = codeOf(each);
      first ||= `${Buffer.from(code).toString("hex")} (${disassemble(code, group.mode)}), seed ${group.firstSeed + i}`;
    }
    wrong += failed;
    if (failed) failures.push(`${group.name}: ${failed} of ${count}, first ${first}`);
  }
  t.diagnostic(
    `${cases} cases of ${vectors.groups.length - skipped} forms, recorded on ${vectors.processor}; ` +
      `${skipped} forms need features that this core does not offer`,
  );
  assert.ok(cases > 100_000, "the file holds vectors");
  assert.equal(wrong, 0, `${wrong} cases in ${failures.length} forms differ:\n${failures.slice(0, SHOWN).join("\n")}`);
});
