// The default guest to its shell with everything translated, with every region checked, and in lockstep.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { Session } from "../cli/session.ts";

const BOOT_MS = 3_600_000;
/** Percent of the instructions that run in regions where all are forced. */
const FORCED = 99;

const noApt = existsSync("/usr/bin/apt-get") ? false : "no apt-get";
const noSoak = noApt || (process.env["WKVM_SOAK"] ? false : "npm run soak runs it");

/** Boots, asks the shell for something, and returns what `info jit` says. */
async function boot(options: readonly string[]): Promise<string> {
  const session = new Session([...options, "-m", "256", "-nographic", "-no-reboot"]);
  await session.see(/busybox shell;[\s\S]*# /, BOOT_MS);
  session.type("seq 1 1000 | sha256sum\n");
  await session.see(/^67d4ff71d43921d5739f387da09746f405e425b07d727e4c69d029461d1f051f /m, BOOT_MS);
  session.type("\x01cinfo jit\n");
  const text = await session.see(/writes to code +\d+/);
  session.type("quit\n");
  assert.equal((await session.finish()).status, 0);
  return text;
}

test(`${FORCED}% of a boot's instructions run in regions where they are forced`, { skip: noApt }, async (t) => {
  const text = await boot(["-accel", "jit,threshold=1"]);
  const share = Number(/\((\S+)% in regions\)/.exec(text)?.[1]);
  t.diagnostic(`${share}%`);
  assert.ok(share >= FORCED, `${share}% of the instructions run in regions`);
});

test("a boot whose regions are checked against the interpreter", { skip: noSoak }, async (t) => {
  const text = await boot(["-accel", "jit,verify=on,threshold=300"]);
  const [all, regions] = /verified +(\d+) regions, \d+ entries, \d+ instructions/.exec(text) ?? [];
  t.diagnostic(`${all}`);
  assert.ok(Number(regions) > 1000, `${regions} regions were checked`);
});

for (const threshold of [1, 200]) {
  test(`a boot in lockstep, translated beside interpreted, threshold ${threshold}`, { skip: noSoak }, async () => {
    // A difference would end it with what both cores have.
    await boot(["-accel", `lockstep,a=jit,b=interp,threshold=${threshold}`, "-icount", "shift=0"]);
  });
}
