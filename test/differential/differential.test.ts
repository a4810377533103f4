// wkvm against the host's own processor, for a bounded time: one seed that is always the same and
// one that never is. Skipped by name on hosts that cannot be the oracle; the recorded vectors run there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { siliconMissing } from "../oracle/silicon.ts";
import { otherVendor } from "../oracle/vendor.ts";
import { runCampaign } from "./campaign.ts";

const SECONDS = process.env["WKVM_SOAK"] ? 600 : 8;
const skip = siliconMissing() ?? otherVendor() ?? false;

for (const [name, seed] of [
  ["a fixed seed", 1],
  ["a fresh seed", Date.now() % 1_000_000],
] as const) {
  test(`instructions and sequences agree with silicon: ${name}`, { skip }, async (t) => {
    const result = await runCampaign({ seconds: SECONDS, seed, sequences: 16, described: 20 });
    t.diagnostic(
      `seed ${seed}: ${result.cases} cases of ${result.coverage.size} forms, ${Math.round(result.casesPerSecond)} a second`,
    );
    const texts = result.groups.slice(0, 20).map(({ name: group, count, text }) => `== ${group}: ${count}\n${text}`);
    assert.equal(result.mismatches, 0, `seed ${seed}: ${result.groups.length} groups differ\n${texts.join("\n")}`);
  });
}
