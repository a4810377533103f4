// When a revision counts as slower than another, and what is compared at all.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, comparisonTable } from "../../bench/compare.ts";
import type { ProgramResult, Results } from "../../bench/results.ts";

const NOTHING = {
  wallSeconds: 1,
  busiestThreadSeconds: 1,
  guestSeconds: 1,
  guestCpuSeconds: 1,
  checksum: "1",
  round: 0,
};

function warm(program: string, runner: string, ...seconds: number[]): ProgramResult {
  return {
    program,
    runner,
    bits: 64,
    failures: [],
    runs: seconds.map((cpuSeconds) => ({ ...NOTHING, cpuSeconds, repeat: 1 })),
  };
}

function resultsOf(...programs: ProgramResult[]): Results {
  return { programs } as unknown as Results;
}

const slower = (results: Results, tolerance = 0.1): string[] =>
  compare(results, tolerance)
    .filter((comparison) => comparison.slower)
    .map(({ what }) => what);

test("a time that has grown by more than the tolerance is a loss", () => {
  const results = resultsOf(warm("sieve", "wkvm-jit", 1.2, 1.22, 1.21), warm("sieve", "base-jit", 1, 1.01, 1.02));
  assert.deepEqual(slower(results), ["64-bit sieve, warm, wkvm-jit"]);
  assert.deepEqual(slower(results, 0.3), []);
});

test("disturbed runs are none: the smallest times must have grown too", () => {
  assert.deepEqual(slower(resultsOf(warm("sieve", "wkvm-jit", 1, 2, 2), warm("sieve", "base-jit", 1, 1, 1))), []);
});

test("many small losses add up to one", () => {
  const names = ["a", "b", "c"];
  const results = resultsOf(...names.flatMap((name) => [warm(name, "wkvm-jit", 1.07), warm(name, "base-jit", 1)]));
  assert.deepEqual(slower(results), ["geometric mean"]);
});

test("only what both have run is compared, accelerator by accelerator, cold apart from warm", () => {
  const cold = { ...NOTHING, cpuSeconds: 5, repeat: 0 };
  const own = warm("sieve", "wkvm-jit", 1);
  const results = resultsOf(
    { ...own, runs: [cold, ...own.runs] },
    warm("sieve", "base-interp", 1),
    warm("sieve", "base-jit", 2),
    warm("sieve", "tcg", 1),
    warm("lua", "wkvm-jit", 1),
  );
  assert.deepEqual(compare(results, 0.1), [{ what: "64-bit sieve, warm, wkvm-jit", ratio: 0.5, slower: false }]);
});

test("boots are compared by kernel", () => {
  const boot = (runner: string, cpuSeconds: number) => ({
    kernel: "6.12",
    runner,
    failures: [],
    runs: [{ cpuSeconds }],
  });
  const results = { boot: [boot("wkvm-interp", 6), boot("base-interp", 5)] } as unknown as Results;
  assert.deepEqual(slower(results), ["boot of 6.12, wkvm-interp"]);
});

test("the table begins with the losses", () => {
  const text = comparisonTable(
    [
      { what: "good", ratio: 0.9, slower: false },
      { what: "bad", ratio: 1.5, slower: true },
    ],
    "abc",
    0.1,
  );
  assert.match(text, /1 of 2 are slower by more than 10\.0%/);
  assert.ok(text.indexOf("| bad | 1.50× | **slower** |") < text.indexOf("| good | 0.90× |  |"));
});
