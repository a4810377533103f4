// The commands of the project tell their options, and do nothing for one that they do not know.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const root = process.env["WKVM_ROOT"] ?? "";
const runTool = (tool: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(root, tool), ...args], { encoding: "utf8" });

for (const [tool, option] of [
  ["tools/test.mjs", "--soak"],
  ["tools/suites/run.mjs", "--machines LIST"],
] as const) {
  const run = (...args: string[]) => runTool(tool, ...args);

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

for (const [tool, args, complaint] of [
  ["tools/suites/run.mjs --path .", ["--machines", "jit,bad"], /^--machines bad: there are interp, jit, tcg\n$/],
  [
    "tools/run-program.mjs test/differential/fuzz.ts",
    ["--tiers", "jit,bad"],
    /^--tiers bad: there are interp, jit, ts\n$/,
  ],
  ["tools/run-program.mjs test/differential/fuzz.ts", ["--reference", "bad"], /^--reference bad: there are interp, /],
  ["tools/run-program.mjs test/payloads/payloads.ts", ["--accel", "bad"], /^--accel bad: there are interp, /],
  ["tools/run-program.mjs test/payloads/payloads.ts", ["--peers", "bad"], /^--peers bad: there are .*, none\n$/],
] as const) {
  test(`${tool} ${args.join(" ")} ends with status 2 and one line that tells what there is`, () => {
    const [file, ...rest] = tool.split(" ");
    const { status, stdout, stderr } = runTool(file!, ...rest, ...args);
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, complaint);
  });
}
