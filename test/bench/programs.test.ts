// How the bench runs programs under peers that crash, hang, lie or talk without end. The peers are shell scripts.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checkChecksums } from "../../bench/checksums.ts";
import { measurePrograms, type Runner, turnsOf } from "../../bench/programs.ts";
import { fakeRunner, ran } from "./fake-peers.ts";

const NAMES = ["one", "two", "three"];
const LIMITS = { bootSeconds: 20, programSeconds: 20 };

function measure(runners: readonly Runner[], { together = true, reps = 1, limits = LIMITS } = {}) {
  return measurePrograms({ options: { together, reps }, say: () => {} }, runners, NAMES, limits);
}

test("runs are collected by program, with the round and the repeat", async () => {
  const script = (names: readonly string[]): string =>
    [...names.flatMap((name) => [ran(name), ran(name, "00000000000000ab", 1)]), "echo @done"].join("; ");
  const results = await measure([fakeRunner("peer", script)], { reps: 2 });
  assert.deepEqual(
    results.map(({ program, runs }) => [program, ...runs.map(({ round, repeat }) => `${round}.${repeat}`)]),
    NAMES.map((name) => [name, "0.0", "0.1", "1.0", "1.1"]),
  );
  const run = results[0]!.runs[0]!;
  assert.equal(run.checksum, "00000000000000ab");
  assert.equal(run.guestSeconds, 0.005);
  assert.equal(run.guestCpuSeconds, 0.004);
});

test("what learns runs as often as it is told before the first round, and is not measured then", async () => {
  const folder = mkdtempSync(join(tmpdir(), "wkvm-learns-"));
  try {
    const file = join(folder, "processes");
    const script = (names: readonly string[]): string =>
      [`echo >>'${file}'`, ...names.map((name) => ran(name)), "echo @done"].join("; ");
    const results = await measure([{ ...fakeRunner("peer", script), learn: 3 }], { reps: 2 });
    assert.deepEqual(
      results.map(({ runs }) => runs.length),
      [2, 2, 2],
    );
    assert.equal(readFileSync(file, "utf8").length, 5);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a crash costs the program that it happens in, and the later ones have another process", async () => {
  const crashes = (names: readonly string[]): string =>
    names.map((name) => (name === "two" ? "echo '@begin two 0'; exit 7" : ran(name))).join("; ");
  const results = await measure([fakeRunner("peer", (names) => `${crashes(names)}; echo @done`)]);
  assert.deepEqual(
    results.map(({ runs }) => runs.length),
    [1, 0, 1],
  );
  assert.match(results[1]!.failures[0]!, /status 7/);
  assert.deepEqual([results[0]!.failures, results[2]!.failures], [[], []]);
});

test("a peer that does not boot costs all programs once, and the others go on", async () => {
  const good = fakeRunner("good", (names) => `${names.map((name) => ran(name)).join("; ")}; echo @done`);
  const results = await measure([fakeRunner("bad", () => "echo panic >&2; kill -9 $$"), good]);
  for (const { runner, runs, failures } of results) {
    if (runner === "good") assert.equal(runs.length, 1);
    else assert.match(failures.join(), /^ended by SIGKILL \(panic\)$/);
  }
});

test("a program that hangs is ended after its time", async () => {
  const hangs = (names: readonly string[]): string =>
    names.map((name) => (name === "two" ? "echo '@begin two 0'; sleep 600" : ran(name))).join("; ");
  const results = await measure([fakeRunner("peer", (names) => `${hangs(names)}; echo @done`)], {
    limits: { bootSeconds: 20, programSeconds: 0.3 },
  });
  assert.match(results[1]!.failures[0]!, /hangs/);
  assert.equal(results[2]!.runs.length, 1);
});

test("a peer that fails when all is done costs nothing", async () => {
  const results = await measure([
    fakeRunner("peer", (names) => `${names.map((name) => ran(name)).join("; ")}; exit 1`),
  ]);
  for (const { runs, failures } of results) assert.deepEqual([runs.length, failures], [1, []]);
});

test("a program that fails in the guest is told by its status", async () => {
  const script = `${ran("one")}; echo '@begin two 0'; echo '@failed two 0 139'; ${ran("three")}; echo @done`;
  const results = await measure([fakeRunner("peer", () => script)]);
  assert.deepEqual(results[1]!.failures, ["ended with status 139"]);
  assert.equal(results[2]!.runs.length, 1);
});

test("a result that no beginning came before is refused", async () => {
  const results = await measure([fakeRunner("peer", () => "echo '@result one 0 ab 1 1'; echo @done")]);
  assert.match(results[0]!.failures[0]!, /without a beginning/);
});

test("wrong checksums are told and their times not used", async () => {
  const says = (checksum: string) => (names: readonly string[]) =>
    `${names.map((name) => ran(name, checksum)).join("; ")}; echo @done`;
  const native = fakeRunner("native", says("aa"));
  const told: string[] = [];
  const results = checkChecksums(await measure([native, fakeRunner("wrong", says("bb"))]), (text) => told.push(text));
  const wrong = results.find(({ runner, program }) => runner === "wrong" && program === "one")!;
  assert.deepEqual(wrong.runs, []);
  assert.deepEqual(wrong.failures, ["wrong checksum bb instead of aa"]);
  assert.equal(told[0], "64-bit one under wrong: wrong checksum");
});

test("without a native run the majority is right", async () => {
  const says = (name: string, checksum: string): Runner =>
    fakeRunner(name, (names) => `${names.map((program) => ran(program, checksum)).join("; ")}; echo @done`);
  const results = checkChecksums(await measure([says("a", "1"), says("b", "2"), says("c", "2")]), () => {});
  assert.deepEqual(
    results.filter(({ program }) => program === "one").map(({ runs }) => runs.length),
    [0, 1, 1],
  );
});

test("a runner that cannot run a program is not asked to, and has no result", async () => {
  const script = (names: readonly string[]): string => `${names.map((name) => ran(name)).join("; ")}; echo @done`;
  const some = { ...fakeRunner("some", script), programs: ["two"] };
  const results = await measure([some, fakeRunner("all", script)]);
  assert.deepEqual(
    results.map(({ program, runner, runs }) => `${program} ${runner} ${runs.length}`),
    ["one all 1", "two some 1", "two all 1", "three all 1"],
  );
  const turns = turnsOf([some], NAMES, false).map(({ programs }) => programs.join());
  assert.deepEqual(turns, ["two"]);
});

test("runners take turns at each program, unless they share a boot", () => {
  const [quick, slow] = [fakeRunner("quick", () => ""), fakeRunner("slow", () => "", true)];
  const order = (together: boolean): string[] =>
    turnsOf([quick, slow], ["one", "two"], together).map(({ runner, programs }) => `${runner.name} ${programs}`);
  assert.deepEqual(order(false), ["quick one", "quick two", "slow one,two"]);
  assert.deepEqual(order(true), ["quick one,two", "slow one,two"]);
});
