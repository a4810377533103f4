// How much of an instruction that the processor does not have is fetched before it is found undefined: put at the end of a
// page behind which there is none, each is a page fault until all its bytes are there. The lengths are those that an AMD
// EPYC (family 25, model 17) shows; where it has the instruction itself, what its operands take.
import assert from "node:assert/strict";
import { test } from "node:test";
import { guestCpuid } from "../oracle/guest-cpuid.ts";
import { WkvmRunner } from "../oracle/wkvm-runner.ts";
import {
  Batch,
  CASE_CODE_OFFSET,
  CASE_CS,
  CODE_BASE,
  CODE_BYTES,
  CODE_WINDOW,
  MODE_16,
  MODE_32,
  MODE_64,
  RESULT_CR2,
  RESULT_VECTOR,
} from "./case.ts";
import { buildCase } from "./state.ts";

const UNDEFINED = 6;
const PAGE_FAULT = 14;
const END = CODE_WINDOW + CODE_BYTES;
const SELECTORS = [0x33, 0x23, 0x07];

/** Modes, the bytes it begins with (zeros follow), and its length. */
const LENGTHS: readonly (readonly [modes: readonly number[], code: string, length: number])[] = [
  // XOP: no immediate in maps 8 and 9, four bytes in map 10; POP with a digit leads there too.
  [[MODE_64, MODE_32, MODE_16], "8fe878a200", 5],
  [[MODE_64, MODE_32], "8fe878a284", 10],
  [[MODE_64, MODE_32], "8fe978018480", 10],
  [[MODE_64, MODE_32, MODE_16], "8fea781240", 10],
  [[MODE_64, MODE_32, MODE_16], "8fe078a2c0", 5],
  [[MODE_64, MODE_32], "8f4880", 5],
  // EVEX: a ModRM byte, and the immediates of the maps.
  [[MODE_64, MODE_32, MODE_16], "62f1004858c0", 6],
  [[MODE_64, MODE_32, MODE_16], "62f17c4877", 5],
  [[MODE_64, MODE_32], "62f57c485884", 11],
  [[MODE_64, MODE_32, MODE_16], "62f17c48c6c0", 7],
  [[MODE_64, MODE_32], "62f37d480384", 12],
  [[MODE_16], "62f37d480384", 9],
  // What 64-bit mode has not any more keeps its immediate.
  [[MODE_64], "9a", 7],
  [[MODE_64], "669a", 6],
  [[MODE_64], "ea", 7],
  [[MODE_64], "d40a", 2],
  [[MODE_64], "d50a", 2],
  [[MODE_64], "06", 1],
  // Here Intel's manual has a ModRM byte, and that processor none.
  [[MODE_64, MODE_32], "0fb984", 8],
  [[MODE_64, MODE_32], "0fff84", 8],
  // Nothing follows these.
  [[MODE_64, MODE_32, MODE_16], "0fa6", 2],
  [[MODE_64, MODE_32, MODE_16], "0f7a", 2],
];

test("an undefined instruction is fetched to its end first", async () => {
  const runner = await WkvmRunner.create(await guestCpuid());
  const each = new Batch(1).cases[0]!;
  for (const [modes, begins, length] of LENGTHS) {
    for (const mode of modes) {
      for (let there = 1; there <= length; there++) {
        const code = new Uint8Array(there);
        code.set(Buffer.from(begins, "hex").subarray(0, there));
        buildCase(each, { mode, code, seed: 5 });
        each.view.setUint16(CASE_CS, SELECTORS[mode]!, true);
        each.view.setUint16(CASE_CODE_OFFSET, END - CODE_BASE - there, true);
        const { bytes, view } = runner.run(each);
        const what = `${begins} in mode ${mode} with ${there} bytes`;
        assert.equal(bytes[RESULT_VECTOR], there < length ? PAGE_FAULT : UNDEFINED, what);
        if (there < length) assert.equal(view.getUint32(RESULT_CR2, true), END, what);
      }
    }
  }
});
