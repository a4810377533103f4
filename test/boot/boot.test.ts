// The default guest, as a user meets it: Debian's kernel boots to a shell that computes.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { debianGuest } from "../../host/guest/debian.ts";
import { Session } from "../cli/session.ts";

/** A slow, busy machine included. */
const BOOT_MS = 300_000;
const ANSWER_MS = 60_000;

test("Debian's 6.12 cloud kernel boots to a shell, answers, and powers off", async (context) => {
  const missing = await debianGuest().then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (missing) return context.skip(`no Debian kernel: ${missing}`);
  const session = new Session([]);
  await session.see(/busybox shell;[\s\S]*# /, BOOT_MS);
  session.type("echo answer $((6*7))\n");
  await session.see(/^answer 42\r?$/m, ANSWER_MS);
  session.type("uname -a\n");
  const uname = await session.see(/^Linux wkvm 6\.\d+\..* x86_64 GNU\/Linux\r?$/m, ANSWER_MS);
  context.diagnostic(uname.trim().split("\n").at(-1) ?? "");
  session.type("grep -c ^processor /proc/cpuinfo; echo counted\n");
  assert.match(await session.see(/^counted\r?$/m, ANSWER_MS), /^1\r?$/m);
  session.type("dmesg | grep -i kvm; echo listed\n");
  assert.match(await session.see(/^listed\r?$/m, ANSWER_MS), /Hypervisor detected: KVM|kvm-clock/);
  session.type("poweroff -f\n");
  const { status, errors } = await session.finish(ANSWER_MS);
  assert.equal(status, 0, errors);
});

test("without apt the small built-in guest boots and says how to get another", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "wkvm-offline-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const session = new Session([], { env: { PATH: folder, XDG_CACHE_HOME: folder } });
  await session.see(/Type help for the commands\.[\s\S]*wkvm# /, ANSWER_MS);
  session.type("echo one two\r");
  await session.see(/^one two/m, ANSWER_MS);
  session.type("poweroff\r");
  const { status, errors } = await session.finish(ANSWER_MS);
  assert.equal(status, 0, errors);
  assert.match(errors, /cannot be fetched[\s\S]*-kernel KERNEL/);
});
