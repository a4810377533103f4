// The commands of the project tell their options, and do nothing for one that they do not know.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const root = process.env["WKVM_ROOT"] ?? "";

for (const [tool, option] of [
  ["tools/test.mjs", "--soak"],
  ["tools/suites/run.mjs", "--machines LIST"],
] as const) {
  const run = (...args: string[]) => spawnSync(process.execPath, [join(root, tool), ...args], { encoding: "utf8" });

  test(`${tool} -h tells its options`, () => {
    const { status, stdout } = run("-h");
    assert.equal(status, 0);
    assert.match(stdout, new RegExp(`^ +${option} `, "m"));
  });

  test(`${tool} ends with status 2 and its options for one that it has not`, () => {
    const { status, stdout, stderr } = run("--no-such-option");
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, /no-such-option/);
    assert.match(stderr, new RegExp(`^ +${option} `, "m"));
  });
}
