// Random programs of floating point as translated code, against the interpreter. The interpreter itself is held to silicon by
// test/differential and the recorded vectors.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Random } from "../differential/random.ts";
import { CODE, DATA, onBothTiers, RBX, RCX, RDI, RSI, shareInRegions, type TierGuest } from "./tier-guest.ts";

const PROGRAMS = process.env["WKVM_SOAK"] ? 3000 : 120;
const RUNS = 3;
const ITERATIONS = 12;
/** Where RSI points: results go there and on. */
const RESULTS = DATA + 0x1000;

/** Hostile values come in every so many. */
export type Mood = "tame" | "wild";

export interface RandomPrograms {
  /** What the programs are made of, for the test's name. */
  readonly of: string;
  /** Where RDI points. */
  readonly operands: number;
  /** The least share of instructions that regions execute. */
  readonly inRegions: Record<Mood, number>;
  /** Once for each guest. */
  prepare?(guest: TierGuest): void;
  writeOperands(guest: TierGuest, random: Random, mood: Mood): void;
  /** A loop of RCX turns at CODE; RBX is 0. */
  program(random: Random, mood: Mood): Uint8Array;
}

/** Declares a test for either mood. */
export function testRandomPrograms(programs: RandomPrograms): void {
  for (const mood of ["tame", "wild"] as const) {
    test(`${mood} ${programs.of} programs leave what the interpreter leaves`, (t) => compareTiers(t, programs, mood));
  }
}

async function compareTiers(t: TestContext, programs: RandomPrograms, mood: Mood): Promise<void> {
  const guest = await onBothTiers((each) => {
    programs.prepare?.(each);
    for (let seed = 1; seed <= PROGRAMS; seed++) {
      const random = new Random(seed);
      each.load(CODE, programs.program(random, mood));
      for (let run = 0; run < RUNS; run++) {
        programs.writeOperands(each, random, mood);
        each.setRegister(RCX, ITERATIONS);
        each.setRegister(RDI, programs.operands);
        each.setRegister(RSI, RESULTS);
        each.setRegister(RBX, 0);
        each.run(CODE);
      }
    }
  });
  const share = shareInRegions(guest);
  t.diagnostic(`${(100 * share).toFixed(1)}% of the instructions in regions`);
  assert.ok(share > programs.inRegions[mood]);
}
