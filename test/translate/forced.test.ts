// Threshold 1: at first each region has a module of its own, with which its trace is executed in a region even the first
// time; where there are many, modules have many of them, and nearly everything is still executed in regions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { JIT_SPARING, VM_JIT_PACE } from "../../assembly/layout.ts";
import { Assembler, int32 } from "./assembler.ts";
import { LARGE, RBX, RDX, shareInRegions, TierGuest } from "./tier-guest.ts";

/** SINGLES of assembly/translate/waiting.ts. */
const SINGLES = 1000;

/** Calls so many functions one after the other, over and over: what they come to is in RBX. */
function callAll(functions: number, rounds: number): Uint8Array {
  const program = new Assembler(LARGE).set(RBX, 0).set(RDX, rounds).label("again");
  for (let i = 0; i < functions; i++) program.call(`f${i}`);
  program.repeat(RDX, "again").halt();
  for (let i = 0; i < functions; i++) program.label(`f${i}`).code(0x48, 0x81, 0xc3, ...int32(i), 0xc3); // add rbx, i; ret
  return program.finish();
}

async function run(threshold: number, program: Uint8Array): Promise<{ guest: TierGuest; sizes: number[] }> {
  const guest = await TierGuest.create(threshold, LARGE + (2 << 20));
  guest.memory.view.setUint32(VM_JIT_PACE, JIT_SPARING, true);
  const sizes: number[] = [];
  guest.hooks.module = (_, slots) => {
    // One without regions has the ways between them.
    if (slots.length > 0) sizes.push(slots.length);
  };
  guest.load(LARGE, program);
  guest.runToHalt(LARGE);
  return { guest, sizes };
}

test("forced regions of a small program have modules of their own, and nothing is interpreted", async () => {
  const { guest, sizes } = await run(1, callAll(100, 1));
  assert.ok(sizes.length >= 200 && sizes.every((size) => size === 1), `${sizes}`);
  assert.equal(shareInRegions(guest), 1);
});

test("forced regions of a large program are gathered", async (t) => {
  const functions = 3000;
  const rounds = 200;
  const program = callAll(functions, rounds);
  const [interpreted, forced] = [await run(0, program), await run(1, program)];
  assert.equal(forced.guest.register(RBX), BigInt(rounds) * ((BigInt(functions) * BigInt(functions - 1)) / 2n));
  assert.equal(forced.guest.snapshots[0], interpreted.guest.snapshots[0]);

  const { sizes } = forced;
  const regions = sizes.reduce((a, b) => a + b, 0);
  const share = shareInRegions(forced.guest);
  t.diagnostic(
    `${regions} regions in ${sizes.length} modules, ${(100 * share).toFixed(2)}% of the instructions in regions`,
  );
  assert.ok(sizes.slice(0, SINGLES).every((size) => size === 1));
  assert.ok(regions >= functions, `${regions} regions`);
  assert.ok(sizes.length < SINGLES + regions / 8, `${sizes.length} modules`);
  assert.ok(share >= 0.99, `${share}`);
});
