// The library in Chromium: the same guests as in Node on the page's main thread and in workers, under the content
// security policies that a site may have. What is right is what the interpreter does in Node.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type GuestResult, type Refusal, runProgram, type SessionResult } from "./guest-runs.ts";
import { findChromium, Site } from "./site.ts";
import type { Assignment } from "./tasks.ts";

const chromium = findChromium() ?? "";
const skip = chromium === "" ? "Chromium (package chromium) is not installed" : false;
const TIMEOUT = { timeout: 120_000 };

let site: Site;
let right: GuestResult;
before(async () => {
  if (skip) return;
  site = await Site.open();
  right = (await runProgram({ accel: "interp" })) as GuestResult;
  assert.equal(right.end, "HLT");
});
after(() => site?.close());

const SMALL = { mebibytes: 32, prompt: "wkvm# ", commands: ["echo from a page", "poweroff"] };
const translated = { accel: "jit", threshold: 1000 } as const;

/** The share of its instructions that a guest executed in regions. */
const share = ({ counters }: GuestResult): number => counters.regionInstructions / counters.instructions;

/** Checks a guest's result. `obstacles`: as GuestResult has them, where nothing is to be translated. */
function check(result: unknown, tier: "translated" | "interpreted", obstacles: readonly (string | null)[]): void {
  const { end, output, registers, memory, counters, ...seen } = result as GuestResult;
  assert.deepEqual(
    { end, output, registers, memory, instructions: counters?.instructions },
    {
      end: right.end,
      output: "done",
      registers: right.registers,
      memory: right.memory,
      instructions: right.counters.instructions,
    },
    JSON.stringify(result),
  );
  assert.deepEqual(seen.obstacles, obstacles);
  if (tier === "translated") {
    assert.ok(counters.regionsBuilt > 0 && counters.modulesLive > 0);
    // The first slice is interpreted, however much of it the machine has time for.
    assert.ok(share(result as GuestResult) > 0.5, `${share(result as GuestResult)} in regions`);
  } else assert.deepEqual([counters.regionsBuilt, counters.regionInstructions], [0, 0]);
}

function checkRefusal(result: unknown, code: string, message: RegExp): void {
  const refusal = result as Refusal;
  assert.deepEqual([refusal.error, refusal.code], ["KvmError", code], JSON.stringify(result));
  assert.match(refusal.message, message);
}

/** No obstacle: as JSON has it. */
const NONE = [null, null];

test("guests run on the main thread and in a worker as they do in Node", { skip, ...TIMEOUT }, async (t) => {
  const tasks = [
    ["jit", { do: "program", options: translated }],
    ["jit by default", { do: "program", options: {} }],
    ["interp", { do: "program", options: { accel: "interp" } }],
    ["ts", { do: "program", options: { accel: "ts" } }],
    ["machine", { do: "machine", options: {}, session: SMALL }],
  ] as const;
  const results = await site.visit(
    chromium,
    "open",
    tasks.flatMap(([name, task]): Assignment[] => [
      { name: `${name}, main thread`, task },
      { name: `${name}, worker`, worker: "open", task },
    ]),
  );
  t.diagnostic(String(results["browser"]));
  assert.equal(results["isolated"], true);
  for (const place of ["main thread", "worker"]) {
    check(results[`jit, ${place}`], "translated", NONE);
    check(results[`jit by default, ${place}`], "translated", NONE);
    check(results[`interp, ${place}`], "interpreted", NONE);
    check(results[`ts, ${place}`], "interpreted", NONE);
    const { output, end } = results[`machine, ${place}`] as SessionResult;
    assert.equal(end, "poweroff", output);
    assert.match(output, /memory: 32 MiB[\s\S]*wkvm# echo from a page\r\nfrom a page\r\nwkvm# poweroff/);
    t.diagnostic(`${place}: ${(100 * share(results[`jit, ${place}`] as GuestResult)).toFixed(1)}% in regions`);
  }
});

test("'wasm-unsafe-eval' is all that a policy has to allow", { skip, ...TIMEOUT }, async () => {
  const results = await site.visit(chromium, "wasm", [
    { name: "page", task: { do: "program", options: translated } },
    { name: "worker", worker: "wasm", task: { do: "program", options: translated } },
  ]);
  check(results["page"], "translated", NONE);
  check(results["worker"], "translated", NONE);
});

test("a worker that may not compile interprets on a core compiled elsewhere, and says so", {
  skip,
  ...TIMEOUT,
}, async () => {
  const results = await site.visit(chromium, "open", [
    { name: "own", worker: "strict", task: { do: "program", options: translated, core: "posted" } },
    { name: "attached", worker: "strict", task: { do: "attached", options: translated } },
    { name: "interp", worker: "strict", task: { do: "program", options: { accel: "interp" }, core: "posted" } },
    {
      name: "verify",
      worker: "strict",
      task: { do: "program", options: { ...translated, verify: true }, core: "posted" },
    },
  ]);
  check(results["own"], "interpreted", ["forbidden", "forbidden"]);
  check(results["interp"], "interpreted", NONE);
  checkRefusal(results["verify"], "ENODEV", /nothing can be verified.*wasm-unsafe-eval/);
  // Known only when there is something to translate: the VM was made where that is allowed.
  const attached = results["attached"] as GuestResult;
  assert.deepEqual(attached.obstacles, [null, "forbidden", "forbidden"]);
  assert.deepEqual([attached.registers, attached.memory], [right.registers, right.memory]);
  assert.equal(attached.counters.regionInstructions, 0);
});

test("a policy that forbids the core is an error that says what to do; the core in TypeScript runs", {
  skip,
  ...TIMEOUT,
}, async () => {
  const results = await site.visit(chromium, "strict", [
    { name: "jit", task: { do: "program", options: {} } },
    { name: "interp", task: { do: "program", options: { accel: "interp" } } },
    { name: "worker", worker: "strict", task: { do: "program", options: {} } },
    { name: "ts", task: { do: "program", options: { accel: "ts" } } },
  ]);
  for (const name of ["jit", "interp", "worker"]) {
    checkRefusal(results[name], "EPERM", /script-src 'wasm-unsafe-eval'.*accelerator 'ts'/);
  }
  check(results["ts"], "interpreted", NONE);
});

test("a page without cross-origin isolation is told that it needs it", { skip, ...TIMEOUT }, async () => {
  const results = await site.visit(chromium, "not-isolated", [{ name: "jit", task: { do: "program", options: {} } }]);
  assert.equal(results["isolated"], false);
  checkRefusal(results["jit"], "ENODEV", /cross-origin isolation/);
});
