// Medians, means and ratios, and the tables that they stand in.
import assert from "node:assert/strict";
import { test } from "node:test";
import { geometricMean, median } from "../../bench/median.ts";
import { meanRatio, programSeconds, ratio } from "../../bench/program-figures.ts";
import { programTables } from "../../bench/program-tables.ts";
import type { ProgramResult } from "../../bench/results.ts";

/** Seconds of the first run, and of those behind it. */
function result(program: string, runner: string, bits: 32 | 64, ...seconds: number[]): ProgramResult {
  const runs = seconds.map((cpuSeconds, repeat) => ({
    checksum: "1",
    guestSeconds: cpuSeconds,
    guestCpuSeconds: cpuSeconds,
    // What the harness sees of a native process is not what is asked for.
    cpuSeconds: runner === "native" || runner === "kvm" ? 99 : cpuSeconds,
    busiestThreadSeconds: cpuSeconds / 2,
    wallSeconds: cpuSeconds * 2,
    round: 0,
    repeat,
  }));
  return { program, runner, bits, runs, failures: [] };
}

const RESULTS = [
  result("sieve", "native", 64, 0.02, 0.01, 0.01, 0.01),
  result("sieve", "wkvm-interp", 64, 0.4, 0.2, 0.1, 0.3),
  result("sieve", "tcg", 64, 0.08, 0.05, 0.05, 0.05),
  result("sha256", "native", 64, 0.02, 0.02),
  result("sha256", "wkvm-interp", 64, 1.8, 1.6),
  result("sha256", "tcg", 64),
  result("sieve", "native", 32, 0.03, 0.03),
  result("sieve", "v86", 32, 0.9, 0.6),
];

test("medians", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.ok(Number.isNaN(median([])));
  assert.ok(Math.abs(geometricMean([2, 8]) - 4) < 1e-12);
  assert.ok(Number.isNaN(geometricMean([])));
});

test("the first run is cold, the median of the others warm", () => {
  const cell = { program: "sieve", runner: "wkvm-interp", bits: 64 } as const;
  assert.equal(programSeconds(RESULTS, cell, "cold"), 0.4);
  assert.equal(programSeconds(RESULTS, cell, "warm"), 0.2);
  assert.ok(Number.isNaN(programSeconds(RESULTS, { ...cell, bits: 32 }, "warm")));
});

test("without an emulator it is the program's own time that counts", () => {
  const cell = { program: "sieve", runner: "kvm", bits: 64 } as const;
  assert.equal(programSeconds([result("sieve", "kvm", 64, 0.5, 0.25)], cell, "warm"), 0.25);
});

test("ratios are to native's warm time, and between peers at the same temperature", () => {
  const close = (value: number, expected: number): void => assert.ok(Math.abs(value - expected) < 1e-9, `${value}`);
  const cell = { program: "sieve", runner: "wkvm-interp", bits: 64 } as const;
  close(ratio(RESULTS, cell, "native", "cold"), 40);
  close(ratio(RESULTS, cell, "native", "warm"), 20);
  close(ratio(RESULTS, cell, "tcg", "cold"), 5);
  close(ratio(RESULTS, cell, "tcg", "warm"), 4);
  // 0.1 of 0.2, 0.1 and 0.3
  close(ratio(RESULTS, cell, "tcg", "warm", Math.min), 2);
  close(meanRatio(RESULTS, ["sieve", "sha256"], cell, "native", "warm"), 40);
  // A program that one of the two has not run is left out.
  close(meanRatio(RESULTS, ["sieve", "sha256"], cell, "tcg", "warm"), 4);
});

test("tables have one row a program and the means of its kind, for each width", () => {
  const text = programTables(RESULTS).join("\n");
  assert.match(text, /\| sieve: [^|]+\| 10\.0 \| 40\.0× \/ 20\.0× \| 8\.00× \/ 5\.00× \|/);
  assert.match(text, /\| sha256: [^|]+\| 20\.0 \| 90\.0× \/ 80\.0× \| - \|/);
  assert.match(text, /\| \*\*geometric mean, compute\*\* \| {2}\| 60\.0× \/ 40\.0× \|/);
  assert.match(
    text,
    /### 64-bit programs: wkvm-interp and its peers[\s\S]*\| sieve: [^|]+\| 0\.20× \/ 0\.25× \| 0\.20× \/ 0\.50× \|/,
  );
  assert.match(text, /## 32-bit guest programs[\s\S]*\| sieve: [^|]+\| 30\.0 \| 30\.0× \/ 20\.0× \|/);
  assert.match(text, /\| sieve under native \| 20\.0 \| 10\.0 \| 40\.0 \| 20\.0 \|/);
});
