// Processes under measurement: marks, failures, and that nothing is left of them.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { killAll, MeasuredProcess, PeerFailure, withProcess } from "../../bench/measured-process.ts";
import { ProcessClock, usageOf } from "../../bench/proc.ts";
import { alive, shell } from "./fake-peers.ts";

async function gone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 100 && alive(pid); tries++) await sleep(20);
  return !alive(pid);
}

test("marks are consumed one after the other, and time does not run backwards", async () => {
  await withProcess(shell("echo first; echo second; sleep 5"), async (running) => {
    const first = await running.until(/f(.*)t\n/, 20);
    const second = await running.until(/second/, 20);
    assert.equal(first.match[1], "irs");
    assert.ok(second.wallSeconds >= first.wallSeconds && second.cpuSeconds >= first.cpuSeconds);
  });
});

test("silence, an end and a missing program are told apart", async () => {
  const failure = (command: Parameters<typeof withProcess>[0]): Promise<string> =>
    withProcess(command, (running) => running.until(/never/, 0.5)).then(
      () => "no failure",
      (error: unknown) => (error instanceof PeerFailure ? error.message : "another error"),
    );
  assert.match(await failure(shell("echo waiting; sleep 60")), /^hangs: nothing for 0.5 s \(waiting\)$/);
  assert.match(await failure(shell("echo broken >&2; exit 3")), /^ended with status 3 \(broken\)$/);
  assert.match(await failure({ file: "/no/such/program", args: [] }), /ENOENT/);
});

test("a peer that prints without end neither hides its end nor fills the bench", async () => {
  await assert.rejects(
    withProcess(shell("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done"), (running) =>
      running.until(/never/, 1),
    ),
    /hangs/,
  );
});

test("a process takes its children with it", async () => {
  let child = 0;
  await withProcess(shell("sleep 600 & echo $!; wait"), async (running) => {
    child = Number((await running.until(/(\d+)\n/, 20)).match[1]);
    assert.ok(alive(child));
  });
  assert.ok(await gone(child));
});

test("killAll leaves nothing", async () => {
  const running = [new MeasuredProcess(shell("echo on; sleep 600")), new MeasuredProcess(shell("echo on; sleep 600"))];
  for (const one of running) await one.until(/on/, 20);
  killAll();
  for (const one of running) assert.ok(await gone(one.pid));
});

test("output comes from a file where the program writes one, also of a second run", async () => {
  const folder = mkdtempSync(join(tmpdir(), "wkvm-test-"));
  const outputFile = join(folder, "serial");
  try {
    for (const word of ["first", "second"]) {
      const command = { ...shell(`sleep 0.1; echo ${word} >> ${outputFile}; sleep 60`), outputFile };
      const { match } = await withProcess(command, (running) => running.until(/^(\w+)\n/, 20));
      assert.equal(match[1], word);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("processor time keeps what threads used that have ended, and is finer than ticks", () => {
  const clock = new ProcessClock();
  const close = (value: number, expected: number): void => assert.ok(Math.abs(value - expected) < 1e-9, `${value}`);
  close(clock.read({ cpuSeconds: 0.1, livingSeconds: 0.1049 }), 0.1049);
  close(clock.read({ cpuSeconds: 0.1, livingSeconds: 0.1071 }), 0.1071);
  // A thread that had 30 ms ends.
  close(clock.read({ cpuSeconds: 0.11, livingSeconds: 0.08 }), 0.11);
  close(clock.read({ cpuSeconds: 0.11, livingSeconds: 0.0812 }), 0.1112);
});

test("usage of a process", () => {
  const { livingSeconds, busiestThreadSeconds } = usageOf(process.pid);
  assert.ok(livingSeconds >= busiestThreadSeconds && busiestThreadSeconds > 0);
  assert.throws(() => usageOf(0x7ffffff0), /ENOENT/);
});
