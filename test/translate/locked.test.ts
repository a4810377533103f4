// LOCK in regions: a VM for one processor needs none; in one for several, the next may begin while a region of the first runs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { regionTexts } from "../../host/disassembler/region.ts";
import { Assembler } from "./assembler.ts";
import { CODE, DATA, RDI, TierGuest } from "./tier-guest.ts";

/** How often the regions of LOCK INC [RDI] and HLT have the interpreter execute an instruction. */
async function callsOf(maxVcpus: number): Promise<number> {
  const guest = await TierGuest.create(3, undefined, maxVcpus);
  guest.load(CODE, new Assembler(CODE).code(0xf0, 0x48, 0xff, 0x07).halt().finish());
  for (let run = 0; run < 5; run++) {
    guest.setRegister(RDI, DATA);
    guest.runToHalt();
  }
  const texts = guest.modules.flatMap(regionTexts).join("\n");
  return texts.split("call $execute").length - 1;
}

test("locked instructions are plain ones where there can be one processor only", async () => {
  assert.equal(await callsOf(1), 1, "HLT");
  assert.equal(await callsOf(2), 2, "LOCK INC, and HLT, though the second processor is not there yet");
});
