// wkvm against the host's own processor, for a bounded time: one seed that is always the same and
// one that never is. Skipped by name on hosts that cannot be the oracle; the recorded vectors run there, and the tiers
// are compared with one another.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { siliconMissing } from "../oracle/silicon.ts";
import { otherVendor } from "../oracle/vendor.ts";
import { type CampaignOptions, runCampaign } from "./campaign.ts";

const SECONDS = process.env["WKVM_SOAK"] ? 600 : 8;
const missing = siliconMissing() ?? otherVendor();
const FRESH_SEED = Date.now() % 1_000_000;

async function agree(t: TestContext, options: Pick<CampaignOptions, "seed" | "reference" | "tiers">): Promise<void> {
  const result = await runCampaign({ seconds: SECONDS, sequences: 16, described: 20, ...options });
  const seed = `seed ${options.seed}`;
  t.diagnostic(
    `${seed}: ${result.cases} cases of ${result.coverage.size} forms, ${Math.round(result.casesPerSecond)} a second`,
  );
  const texts = result.groups.slice(0, 20).map(({ name: group, count, text }) => `== ${group}: ${count}\n${text}`);
  assert.ok(result.cases > 0);
  assert.equal(result.mismatches, 0, `${seed}: ${result.groups.length} groups differ\n${texts.join("\n")}`);
}

for (const [name, seed] of [
  ["a fixed seed", 1],
  ["a fresh seed", FRESH_SEED],
] as const) {
  test(`instructions and sequences agree with silicon: ${name}`, { skip: missing ?? false }, (t) => agree(t, { seed }));
}

for (const tier of ["jit", "ts"]) {
  test(
    `${tier} agrees with interp where the host's processor is not asked`,
    { skip: missing ? false : "this one is" },
    (t) => agree(t, { seed: FRESH_SEED, reference: "interp", tiers: [tier] }),
  );
}
