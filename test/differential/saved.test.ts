// Every case that once went wrong, and was saved by `npm run fuzz -- --save`, on every tier.
import assert from "node:assert/strict";
import { test } from "node:test";
import { guestCpuid } from "../oracle/guest-cpuid.ts";
import { compare } from "./compare.ts";
import { savedCases } from "./saved-case.ts";
import { createTiers, TIER_NAMES } from "./tiers.ts";

test("cases that once went wrong agree with the processor that gave them", async () => {
  const tiers = await createTiers(TIER_NAMES, await guestCpuid());
  const cases = savedCases();
  assert.ok(cases.length > 0, "there are saved cases");
  for (const { name, saved, test: each, expected } of cases) {
    for (const tier of tiers) {
      if (!tier.runs(each)) continue;
      const differences = compare(each, expected, tier.run(each));
      assert.deepEqual(differences, [], `${tier.name}: ${name}: ${saved.what}`);
    }
  }
});
