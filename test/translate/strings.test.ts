// String instructions in regions: over pages, backward, on top of themselves, and up to a page that is not there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CODE, DATA, HIGH, onBothTiers, RAX, RCX, RDI, RSI, shareInRegions, type TierGuest } from "./tier-guest.ts";

const PAGE = 0x1000;
/** Guest physical pages that the first two pages of HIGH are mapped to; the third is not there. */
const FRAMES = [0x4_0000, 0x4_2000];
const [CLD, STD, HLT, REP, REPNE] = [0xfc, 0xfd, 0xf4, 0xf3, 0xf2];
const ROUNDS = 5;

/** Instructions by name: prefixes and opcode. */
const COPIES: Record<string, number[]> = {
  "rep movsb": [REP, 0xa4],
  "rep movsw": [REP, 0x66, 0xa5],
  "rep movsd": [REP, 0xa5],
  "repne movsd": [REPNE, 0xa5],
  "rep stosb": [REP, 0xaa],
  "rep stosd": [REP, 0xab],
  movsb: [0xa4],
  movsd: [0xa5],
  stosd: [0xab],
  lodsb: [0xac],
  lodsd: [0xad],
  "scasb and its flags": [0xae, 0x0f, 0x92, 0xc3], // setb bl
  "cmpsd and its flags": [0xa7, 0x0f, 0x9f, 0xc3], // setg bl
  "repe cmpsb": [REP, 0xa6],
  "repne scasb": [REPNE, 0xae],
};

/** RSI, RDI, RCX: what the instruction finds. */
type Case = readonly [number, number, number];
const UPWARD: readonly Case[] = [
  [DATA, DATA + 0x200, 7],
  [DATA, DATA + 0x200, 0],
  [DATA + PAGE - 6, DATA + 0x1403, 9],
  [HIGH + 3, HIGH + PAGE - 10, 5],
  [DATA + 1, DATA + 2, 40],
  [DATA + 2, DATA, 3 * PAGE],
  [DATA, HIGH + 2 * PAGE - 24, 5],
  // The third page of HIGH is missing: a page fault in the middle, or at once.
  [DATA, HIGH + 2 * PAGE - 24, 24],
  [HIGH + 2 * PAGE - 7, DATA, 24],
  [DATA, HIGH + 2 * PAGE, 1],
  // More than a region does at a time.
  [DATA, DATA + 0x2_0000, 0x1_1000],
];
const DOWNWARD: readonly Case[] = [
  [DATA + 0x100, DATA + 0x200, 7],
  [DATA + PAGE + 6, DATA + 0x1403, 9],
  [DATA + 0x103, DATA + 0x104, 40],
  [DATA + 3 * PAGE, DATA + 3 * PAGE + 0x100, 2 * PAGE],
  [HIGH + PAGE + 3, DATA, 9],
];

function prepare(guest: TierGuest, code: readonly number[]): void {
  guest.load(CODE, [...code, HLT]);
  guest.load(
    DATA,
    Uint8Array.from({ length: 4 * PAGE }, (_, i) => i * 7 + (i >> 8)),
  );
  FRAMES.forEach((frame, i) => guest.mapHigh(i, frame));
}

function runCases(guest: TierGuest, bits: 32 | 64, cases: readonly Case[]): void {
  for (let round = 0; round < ROUNDS; round++) {
    for (const [rsi, rdi, rcx] of cases) {
      // A fault's handler is 64-bit code.
      guest.useCode(bits);
      guest.setRegister(RAX, 0x1122_3344);
      guest.setRegister(RSI, rsi);
      guest.setRegister(RDI, rdi);
      guest.setRegister(RCX, rcx);
      guest.runToHalt();
    }
  }
}

for (const bits of [64, 32] as const) {
  for (const [name, code] of Object.entries(COPIES)) {
    test(`${name} in ${bits}-bit code`, async () => {
      const translated = await onBothTiers((guest) => {
        for (const [direction, cases] of [
          [CLD, UPWARD],
          [STD, DOWNWARD],
        ] as const) {
          prepare(guest, [direction, ...code]);
          runCases(guest, bits, cases);
        }
      });
      assert.ok(shareInRegions(translated) > 0.3, `${shareInRegions(translated)} in regions`);
    });
  }

  test(`a copy over its own code, ${bits}-bit code`, async () => {
    await onBothTiers((guest) => {
      // INC of AL becomes DEC, both of which are behind the copy.
      prepare(guest, [CLD, REP, 0xa4, 0xfe, 0xc0]);
      guest.load(DATA, [0xc0, 0xc8]);
      runCases(guest, bits, [
        [DATA, CODE + 4, 1],
        [DATA + 1, CODE + 4, 1],
        [DATA, DATA + 8, 8],
      ]);
    });
  });
}
