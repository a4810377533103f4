// README's figures come from one file of results, and from nowhere else.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { quotedFile, withFigures } from "../../bench/readme.ts";
import type { Results } from "../../bench/results.ts";

const root = process.env["WKVM_ROOT"] ?? process.cwd();
const readme = readFileSync(join(root, "README.md"), "utf8");
const file = quotedFile(readme);
const results = JSON.parse(readFileSync(join(root, file), "utf8")) as Results;

test("README has the figures of the results that it names", () => {
  assert.equal(readme, withFigures(readme, file, results), `npm run bench -- --readme ${file}`);
  assert.ok(existsSync(join(root, file.replace(/\.json$/, ".svg"))));
});

test("another figure in the results changes README", () => {
  const [first, ...rest] = results.boot ?? [];
  assert.ok(first);
  const slower = { ...first, runs: first.runs.map((run) => ({ ...run, cpuSeconds: 1234.5 })) };
  assert.match(withFigures(readme, file, { ...results, boot: [slower, ...rest] }), /\| 1234\.5 s /);
});

test("a README without marks is refused", () => {
  assert.throws(() => withFigures("# wkvm\n", file, results), /README has no lines/);
  assert.throws(() => quotedFile("# wkvm\n"), /README has no line/);
});
