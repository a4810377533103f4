// Loops that regions have: where they are entered, and what becomes of what they lacked when they were made.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PROFILE_SOONER, VM_JIT_PROFILE } from "../../assembly/layout.ts";
import { regionTexts } from "../../host/disassembler/region.ts";
import { Assembler, CONDITION } from "./assembler.ts";
import { CODE, RAX, RBX, RCX, RDI, RDX, RSI, TierGuest } from "./tier-guest.ts";

const THRESHOLD = 1200;
const REGISTERS = [RAX, RBX, RCX, RDX, RSI] as const;

/** What a guest is to do next: where it begins, and registers that it begins with. */
interface Run {
  readonly from: number;
  readonly registers: ReadonlyMap<number, number>;
}
const whole = (mask: number): Run => ({ from: CODE, registers: new Map([[RDI, mask]]) });

/** Has guests of the interpreter and of regions do the same, and compares them. Returns the latter and the regions that it made in each run. */
async function guestOf(
  program: Uint8Array,
  runs: readonly Run[],
  sooner = false,
): Promise<{ guest: TierGuest; made: number[] }> {
  const interpreted = await TierGuest.create(0);
  const guest = await TierGuest.create(THRESHOLD);
  if (sooner) guest.memory.view.setUint32(VM_JIT_PROFILE, PROFILE_SOONER, true);
  const made = [];
  for (const one of [interpreted, guest]) one.load(CODE, program);
  for (const { from, registers } of runs) {
    const before = guest.stats().counters.regionsBuilt;
    const results = [interpreted, guest].map((one) => {
      for (const [number, value] of registers) one.setRegister(number, value);
      one.runToHalt(from);
      return REGISTERS.map((number) => one.register(number));
    });
    assert.deepEqual(results[1], results[0]);
    made.push(guest.stats().counters.regionsBuilt - before);
  }
  return { guest, made };
}

/** RBX rounds of four turns each, of which those with RCX & RDI == 0 go by way of `odd`. In front of each round a function is called,
 * if `calls`. The second block of a turn is hot before the first, which a round goes into by just going on. */
function rounds(calls: boolean): { code: Uint8Array; turn: number } {
  const program = new Assembler(CODE).set(RBX, 2000).label("round");
  if (calls) program.call("function");
  program.set(RCX, 4).label("turn");
  const turn = program.here;
  program.code(0x48, 0xff, 0xc0); // inc rax
  program.code(0x48, 0x85, 0xf9).when(CONDITION.e, "odd"); // test rcx, rdi
  program.label("middle").code(0x48, 0x01, 0xc2); // add rdx, rax
  program.repeat(RCX, "turn").repeat(RBX, "round").halt();
  program.label("odd").code(0x48, 0x83, 0xc6, 3).jump("middle"); // add rsi, 3
  program.label("function").code(0x48, 0xff, 0xc6, 0xc3); // inc rsi; ret
  return { code: program.finish(), turn };
}

test("a region is entered in front of its loops and not at the block in them that was hot first", async () => {
  const { guest } = await guestOf(rounds(true).code, [whole(1), whole(1), whole(1)]);
  const [first] = guest.modules.flatMap((module) => regionTexts(module)).filter((text) => text.includes("br_table"));
  assert.ok(first, "a region has several entries");
  // Where the function is called and where it comes back to; the loop within is one of WebAssembly's, beside the dispatcher's.
  assert.match(first, /br_table 0 1$/m);
  assert.equal(first.match(/^ *loop$/gm)?.length, 2);
});

test("what a loop's region lacked is in the region that takes its place, and has none of its own", async () => {
  const { guest, made } = await guestOf(rounds(false).code, [whole(-1), whole(1), whole(1), whole(1)]);
  assert.deepEqual(made, [1, 1, 0, 0]);
  assert.equal(guest.stats().counters.regionsDropped, 1);
});

test("where regions are made sooner than usual, one is not made anew sooner", async () => {
  const runs = [whole(-1), ...Array.from({ length: 6 }, () => whole(1))];
  const dropped = async (count: number): Promise<number> =>
    (await guestOf(rounds(false).code, runs.slice(0, count), true)).guest.stats().counters.regionsDropped;
  assert.equal(await dropped(3), 0);
  assert.equal(await dropped(7), 1);
});

test("a loop that goes on for long is entered in its midst after all", async () => {
  const { code, turn } = rounds(true);
  const long = new Map([
    [RDI, 1],
    [RBX, 1],
    [RCX, 500_000],
  ]);
  const { guest } = await guestOf(code, [whole(1), { from: turn, registers: long }]);
  const { instructions, regionInstructions } = guest.stats().counters;
  assert.ok(regionInstructions > 0.9 * instructions, `${regionInstructions} of ${instructions} in regions`);
});
