// The programs under examples/ run as they are, against the built package.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const root = process.env["WKVM_ROOT"] ?? process.cwd();
const run = (name: string) =>
  execFileSync(process.execPath, [join(root, "examples", name)], { cwd: root, encoding: "utf8", timeout: 60_000 });

test("examples/hello.js prints the sum that its guest computes", () => {
  assert.equal(run("hello.js"), "4\n");
});

test("examples/two-vcpus.js loses no addition", () => {
  assert.match(run("two-vcpus.js"), /^200000 additions/);
});
