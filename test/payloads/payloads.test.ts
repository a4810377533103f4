// System behaviour, as programs on the bare machine see it (README.md). The payloads are held against Bochs and QEMU by
// `npm run payloads`; here against wkvm, on each accelerator.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { compilerMissing, listPayloads, PayloadBuilder, payloadFolder } from "./build.ts";
import { knownChecks, WKVM } from "./known-failures.ts";
import { ACCELERATORS, runOnWkvm } from "./machine.ts";
import { judge } from "./report.ts";

const missing = await compilerMissing();
const builder = new PayloadBuilder();
const knownFailures = knownChecks(WKVM);
const used = new Set<string>();

for (const accelerator of ACCELERATORS) {
  for (const payload of listPayloads()) {
    test(`${payload.name} on ${accelerator.name}`, { skip: missing ?? false }, async () => {
      const verdict = judge(payload.name, await runOnWkvm(accelerator, await builder.build(payload)), knownFailures);
      assert.deepEqual(verdict.complaints, []);
      assert.deepEqual(verdict.mended, [], "passes: take it from the list of known failures and from docs/QUIRKS.md");
      for (const key of verdict.known) used.add(key);
    });
  }
}

test("docs/QUIRKS.md tells of each payload that has a known failure", () => {
  const quirks = readFileSync(join(payloadFolder(), "..", "..", "docs", "QUIRKS.md"), "utf8");
  for (const { payload, reason } of WKVM)
    assert.ok(quirks.includes(`payloads: \`${payload}\``), `${payload}: ${reason}`);
});

test("every known failure is one of a check that there is", { skip: missing ?? false }, () => {
  assert.deepEqual([...used].sort(), [...knownFailures].sort());
});
