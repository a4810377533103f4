// Installing the development packages: never through a link into a folder that another checkout uses.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const root = process.env["WKVM_ROOT"] ?? "";
const folder = mkdtempSync(join(tmpdir(), "wkvm-install-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("packages are not installed through a symbolic link", () => {
  const checkout = join(folder, "checkout");
  const shared = join(folder, "shared");
  const commands = join(folder, "commands");
  for (const made of [join(checkout, "tools"), shared, commands]) mkdirSync(made, { recursive: true });
  for (const name of ["install.mjs", "project.mjs"]) cpSync(join(root, "tools", name), join(checkout, "tools", name));
  writeFileSync(join(checkout, "package-lock.json"), "{}");
  writeFileSync(join(shared, "package"), "somebody's");
  symlinkSync(shared, join(checkout, "node_modules"));
  // What stands for npm tells that it was called.
  const called = join(folder, "called");
  writeFileSync(join(commands, "npm"), `#!/bin/sh\ntouch ${called}\n`, { mode: 0o755 });

  const install = 'import("./tools/install.mjs").then((module) => module.ensureInstalled())';
  const env = { PATH: `${commands}:${process.env["PATH"]}` };
  const refused = spawnSync(process.execPath, ["-e", install], { cwd: checkout, env, encoding: "utf8" });
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /node_modules is a symbolic link/);
  assert.equal(existsSync(called), false);
  assert.deepEqual(readdirSync(shared), ["package"]);

  rmSync(join(checkout, "node_modules"));
  mkdirSync(join(checkout, "node_modules"));
  const installed = spawnSync(process.execPath, ["-e", install], { cwd: checkout, env, encoding: "utf8" });
  assert.equal(installed.status, 0, installed.stderr);
  assert.equal(existsSync(called), true);
});
