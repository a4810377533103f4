// Regions of 16- and 32-bit code have lower halves of registers only.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CODE, LOW_CODE, RAX, RBX, RCX, shareInRegions, TierGuest } from "./tier-guest.ts";

const HLT = 0xf4;
const GARBAGE = 0xdead_beef_0000_0000n;

/** Runs code in compatibility mode, in registers whose upper halves are not 0. */
async function runWithGarbage(threshold: number, bits: 16 | 32, code: readonly number[]): Promise<TierGuest> {
  const guest = await TierGuest.create(threshold);
  guest.useCode(bits);
  const at = bits === 16 ? LOW_CODE : CODE;
  guest.load(at, [...code, HLT]);
  for (let round = 0; round < 4; round++) {
    for (const register of [RAX, RBX, RCX]) guest.setRegister(register, GARBAGE | 0x1122_3344n);
    guest.runToHalt(at);
  }
  return guest;
}

for (const bits of [16, 32] as const) {
  const size = bits === 16 ? [0x66] : [];
  test(`32-bit results of ${bits}-bit code are zero-extended, what is not written keeps its upper half`, async () => {
    for (const threshold of [0, 1]) {
      const guest = await runWithGarbage(threshold, bits, [...size, 0x01, 0xd8]); // add eax, ebx
      assert.equal(guest.register(RAX), 0x2244_6688n);
      assert.equal(guest.register(RBX), GARBAGE | 0x1122_3344n);
      assert.equal(shareInRegions(guest) > 0.2, threshold === 1);
    }
  });

  test(`the lower half of what ${bits}-bit code writes in part is the same in both tiers`, async () => {
    const code = [0xb4, 0x55, 0xb3, 0x66]; // mov ah, 0x55; mov bl, 0x66
    for (const threshold of [0, 1]) {
      const guest = await runWithGarbage(threshold, bits, code);
      assert.equal(guest.register(RAX) & 0xffff_ffffn, 0x1122_5544n);
      assert.equal(guest.register(RBX) & 0xffff_ffffn, 0x1122_3366n);
      // Undefined: what is pinned is what each tier does.
      assert.equal(guest.register(RAX) >> 32n, threshold === 0 ? GARBAGE >> 32n : 0n);
    }
  });
}
