// Random bytes as code, in every mode and at both privileges: the core must neither trap nor hang.
// Each mode runs in a process of its own, so that a hang is a failed test.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { CONFIGURATIONS, type Mode, runRandomCode } from "./random-code-guest.ts";

const MS = process.env["WKVM_SOAK"] ? 60_000 : 400;
const SEED = Number(process.env["WKVM_SEED"] ?? 1);
const CHILD = "WKVM_RANDOM_CODE";

const child = process.env[CHILD];
if (child) {
  const [mode = "", cpl = "", seed = "", ms = ""] = child.split(" ");
  const outcome = await runRandomCode(mode as Mode, Number(cpl), Number(seed), Number(ms));
  console.log(JSON.stringify(outcome));
} else {
  for (const [mode, cpl] of CONFIGURATIONS) {
    test(`random code, ${mode}, CPL ${cpl}`, (t) => {
      const run = spawnSync(process.execPath, [process.argv[1]!], {
        env: { ...process.env, [CHILD]: `${mode} ${cpl} ${SEED} ${MS}`, NODE_TEST_CONTEXT: undefined },
        encoding: "utf8",
        timeout: MS * 2 + 30_000,
        killSignal: "SIGKILL",
      });
      assert.equal(run.signal, null, "the core hangs");
      assert.equal(run.status, 0, run.stderr);
      const outcome = JSON.parse(run.stdout) as { exits: Record<string, number>; starts: number };
      t.diagnostic(`${outcome.starts} starts, exits by reason ${JSON.stringify(outcome.exits)}`);
      assert.ok(outcome.starts > 0);
    });
  }
}
