// Loops that keep the page of their last access: what they read and write is what the interpreter does, over pages that
// alias each other, across their ends, where one may not be written, and after mappings have changed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Assembler } from "./assembler.ts";
import {
  CODE,
  DATA,
  HIGH,
  HIGH_PAGES,
  onBothTiers,
  PRESENT_WRITABLE,
  RBX,
  RCX,
  RDI,
  shareInRegions,
  type TierGuest,
} from "./tier-guest.ts";

const PAGE = 0x1000;
const PAGES = 8;
const PRESENT = 1;
const STRIDE = 0x155;
const ROUNDS = 60;

/** Drops the TLB; then goes over PAGES pages from HIGH on, ROUNDS times, adding up and writing what has been added up. */
function stride(): Uint8Array {
  const program = new Assembler(CODE).code(0x0f, 0x20, 0xda, 0x0f, 0x22, 0xda); // mov rdx, cr3; mov cr3, rdx
  program.set(RBX, ROUNDS).label("round").set(RDI, HIGH);
  program.set(RCX, Math.floor((PAGES * PAGE - 16) / STRIDE)).label("step");
  program.code(0x48, 0x03, 0x07); // add rax, [rdi]
  program.code(0x48, 0x89, 0x47, 0x01); // mov [rdi+1], rax
  program.code(0x48, 0x81, 0xc7, STRIDE & 0xff, STRIDE >> 8, 0, 0); // add rdi, STRIDE
  return program.repeat(RCX, "step").repeat(RBX, "round").halt().finish();
}

/** Maps page i to frame (i + turn) % 4. */
function map(guest: TierGuest, turn: number): void {
  for (let page = 0; page < PAGES; page++) {
    guest.view.setBigUint64(
      HIGH_PAGES + page * 8,
      BigInt((DATA + ((page + turn) % 4) * PAGE) | PRESENT_WRITABLE),
      true,
    );
  }
}

test("strides over pages read and write what the interpreter does", async () => {
  const translated = await onBothTiers((guest) => {
    for (let turn = 0; turn < 4; turn++) {
      map(guest, turn);
      guest.load(DATA, [turn + 1, 2, 3]);
      guest.load(CODE, stride());
      guest.runToHalt();
    }
  });
  assert.ok(shareInRegions(translated) > 0.5);
});

test("a page in the middle that may not be written faults there", async () => {
  await onBothTiers((guest) => {
    map(guest, 0);
    guest.load(CODE, stride());
    guest.runToHalt();
    guest.view.setBigUint64(HIGH_PAGES + 5 * 8, BigInt((DATA + PAGE) | PRESENT), true);
    guest.load(CODE, stride());
    guest.run(CODE);
  });
});
