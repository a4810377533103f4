// What a test file tells of its results arrives, however busy the runner is.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

test("what a process writes before it ends itself is read to the end by one that reads late", async () => {
  const whole = pathToFileURL(join(process.env["WKVM_ROOT"] ?? "", "tools/whole-output.mjs")).href;
  // More than a pipe or a socket holds, in pieces as small as results are.
  const source = 'for (let i = 0; i < 10_000; i++) process.stdout.write("x".repeat(100)); process.exit();';
  const child = spawn(process.execPath, ["--import", whole, "-e", source], { stdio: ["ignore", "pipe", "inherit"] });
  await sleep(500);
  let length = 0;
  for await (const piece of child.stdout) length += (piece as Buffer).length;
  assert.equal(length, 1_000_000);
});
