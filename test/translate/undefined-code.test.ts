// Code that was undefined when it was decoded.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CPU_RIP } from "../../assembly/layout.ts";
import { CODE, HANDLERS, onBothTiers } from "./tier-guest.ts";

/** Behind the HLT of its handler. */
const UNDEFINED = HANDLERS + 6 * 16 + 1;
/** 0F 24, which is nothing, and NOP of [rax]: their second bytes tell them apart. HLT. */
const UNKNOWN = [0x0f, 0x24, 0x00, 0xf4];
const NOP = [0x0f, 0x1f, 0x00, 0xf4];

test("an undefined instruction is looked at anew when any byte of it changes", async () => {
  await onBothTiers((guest) => {
    guest.load(CODE, UNKNOWN);
    for (const [second, end] of [
      [UNKNOWN[1]!, UNDEFINED],
      [NOP[1]!, CODE + NOP.length],
      [UNKNOWN[1]!, UNDEFINED],
    ] as const) {
      guest.load(CODE + 1, [second]);
      // Twice, so that it is known the second time.
      for (let i = 0; i < 2; i++) {
        guest.runToHalt();
        assert.equal(guest.memory.u64(guest.state.base + CPU_RIP), BigInt(end));
      }
    }
  });
});
