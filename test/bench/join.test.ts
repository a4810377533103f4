// Rounds of two runs of the bench in one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { differences, joined } from "../../bench/join.ts";
import type { BootResult, ProgramResult, Results } from "../../bench/results.ts";

function boot(runner: string, seconds: readonly number[], failures: readonly string[] = []): BootResult {
  const memory = { residentMiB: 1, peakMiB: 1, beyondGuestMiB: 1 };
  const runs = seconds.map((cpuSeconds) => ({ cpuSeconds, busiestThreadSeconds: 1, wallSeconds: 1, memory }));
  return { kernel: "6.1", runner, runs, failures };
}

/** A run in each of some rounds. */
function program(runner: string, rounds: readonly number[], failures: readonly string[] = []): ProgramResult {
  const runs = rounds.map((round) => ({
    ...{ checksum: "1", guestSeconds: 1, guestCpuSeconds: 1, cpuSeconds: 1, busiestThreadSeconds: 1, wallSeconds: 1 },
    round,
    repeat: 0,
  }));
  return { program: "lua", runner, bits: 64, runs, failures };
}

function results(parts: Partial<Results>, reps = 2): Results {
  return {
    format: 3,
    date: `a day of ${reps} rounds`,
    revision: "abc1234",
    host: {
      processor: "Z80",
      cores: 2,
      memoryGiB: 1,
      architecture: "x64",
      system: "CP/M",
      kernel: "2.2",
      node: "20",
      v8: "11",
      loadBefore: reps,
    },
    options: { quick: false, reps, scale: 8, together: true },
    runners: { "wkvm-jit": "wkvm 1", tcg: "QEMU 7" },
    notRun: [],
    ...parts,
  };
}

const roundsOf = ({ programs = [] }: Results, runner: string): number[] =>
  programs.filter((result) => result.runner === runner).flatMap(({ runs }) => runs.map(({ round }) => round));

test("the later rounds are behind the earlier ones, of each runner those of the same rounds", () => {
  const all = joined(
    results({
      boot: [boot("wkvm-jit", [1, 2]), boot("tcg", [3], ["a boot"])],
      programs: [program("wkvm-jit", [0, 1]), program("tcg", [1], ["a run"])],
    }),
    results(
      {
        boot: [boot("tcg", [6]), boot("wkvm-jit", [4], ["another boot"])],
        programs: [program("tcg", [0, 1, 2]), program("wkvm-jit", [0, 2], ["another run"])],
      },
      3,
    ),
  );
  assert.equal(all.options.reps, 5);
  assert.deepEqual(all.boot, [boot("wkvm-jit", [1, 2, 4], ["another boot"]), boot("tcg", [3, 6], ["a boot"])]);
  assert.deepEqual(all.programs, [
    program("wkvm-jit", [0, 1, 2, 4], ["another run"]),
    program("tcg", [1, 2, 3, 4], ["a run"]),
  ]);
  assert.deepEqual(all.notRun, []);
});

test("what only one has measured keeps its runs, and where it is missing is told", () => {
  const all = joined(
    results({ programs: [program("wkvm-jit", [0, 1]), program("tcg", [0, 1])], notRun: ["bochs: not here"] }),
    results(
      {
        boot: [boot("wkvm-jit", [1])],
        programs: [program("wkvm-jit", [0]), program("v86", [0])],
        runners: { "wkvm-jit": "wkvm 1", v86: "v86 0.5" },
        notRun: ["bochs: not here"],
      },
      1,
    ),
  );
  assert.deepEqual(
    ["wkvm-jit", "tcg", "v86"].map((runner) => roundsOf(all, runner)),
    [[0, 1, 2], [0, 1], [2]],
  );
  assert.deepEqual(all.boot, [boot("wkvm-jit", [1])]);
  assert.deepEqual(all.runners, { "wkvm-jit": "wkvm 1", tcg: "QEMU 7", v86: "v86 0.5" });
  assert.deepEqual(all.notRun, ["bochs: not here", "not in rounds 1 to 2: boots of 6.1, v86", "not in round 3: tcg"]);
});

test("what has no rounds stays, as do day and machine", () => {
  const earlier = results({ size: { coreBytes: 1, coreGzippedBytes: 1 } });
  const all = joined(earlier, results({ size: { coreBytes: 2, coreGzippedBytes: 2 }, idle: [] }, 3));
  assert.deepEqual(all, { ...earlier, idle: [], options: { ...earlier.options, reps: 5 } });
});

test("what rounds must have in common is told where they differ", () => {
  const earlier = results({});
  assert.deepEqual(differences(earlier, results({}, 3)), []);
  assert.deepEqual(differences(earlier, results({ runners: { "wkvm-jit": "wkvm 1", v86: "v86 0.5" } })), []);
  const other = results({
    revision: "def5678+",
    host: { ...earlier.host, processor: "8080" },
    options: { ...earlier.options, scale: 64, learn: 3 },
    runners: { "wkvm-jit": "wkvm 1", tcg: "QEMU 10" },
  });
  assert.deepEqual(differences(earlier, other), [
    "revision: abc1234 there, def5678+ here",
    "processor: Z80 there, 8080 here",
    "scale: 8 there, 64 here",
    "learn: 1 there, 3 here",
    "tcg: QEMU 7 there, QEMU 10 here",
    "revision: def5678+ has changes that are in no commit",
  ]);
});
