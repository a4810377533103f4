// Accesses close together are looked up at once: what they do, and what is seen where one of them faults, is as if each
// were looked up when it is its turn.
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
  STACK,
  shareInRegions,
  type TierGuest,
} from "./tier-guest.ts";

const PAGE = 0x1000;
const PRESENT = 1;
const ACCESSED = 0x20;
const DIRTY = 0x40;
/** Linear pages of HIGH that are mapped, in no order of their frames. */
const FRAMES = [3, 1, 4, 0, 2];

function prepare(guest: TierGuest): void {
  FRAMES.forEach((frame, page) => {
    guest.mapHigh(page, DATA + frame * PAGE);
    guest.load(
      DATA + frame * PAGE,
      Uint8Array.from({ length: PAGE }, (_, i) => (i * 7 + frame) & 0xff),
    );
  });
}

/** mov rax, [rdi]; add rax, [rdi+8]; mov [rdi+16], rax; add [rdi+20], al */
const NEAR = [0x48, 0x8b, 0x07, 0x48, 0x03, 0x47, 8, 0x48, 0x89, 0x47, 16, 0x00, 0x47, 20];
/** Pushes four registers, and pops them in another order. */
const STACKED = [0x50, 0x51, 0x53, 0x57, 0x58, 0x5b, 0x59, 0x5f, 0x48, 0x93, 0x48, 0x97];

/** Does `body` with RDI at HIGH, then every `step` bytes, `count` times. */
function walk(body: number[], step: number, count: number): Uint8Array {
  const program = new Assembler(CODE)
    .set(RDI, HIGH)
    .set(RCX, count)
    .set(RBX, 5)
    .label("again")
    .code(...body);
  program.code(0x48, 0x83, 0xc7, step); // add rdi, step
  return program.repeat(RCX, "again").halt().finish();
}

test("a span that moves over pages, which lie elsewhere each", async () => {
  for (const step of [24, 3]) {
    const translated = await onBothTiers((guest) => {
      prepare(guest);
      guest.load(CODE, walk(NEAR, step, Math.floor((4 * PAGE) / step)));
      guest.runToHalt();
    });
    assert.ok(shareInRegions(translated) > 0.9, `${shareInRegions(translated)} in regions`);
  }
});

test("a span that lies in two pages each time", async () => {
  await onBothTiers((guest) => {
    prepare(guest);
    const program = new Assembler(CODE)
      .set(RDI, HIGH + PAGE - 12)
      .set(RCX, 5000)
      .label("again")
      .code(...NEAR);
    guest.load(CODE, program.repeat(RCX, "again").halt().finish());
    guest.runToHalt();
  });
});

test("the stack, whole and over the end of a page", async () => {
  for (const stack of [STACK, STACK + 16, STACK + 24, STACK + 3]) {
    await onBothTiers((guest) => {
      const program = new Assembler(CODE)
        .set(RDI, 7)
        .set(RCX, 300)
        .set(RBX, 5)
        .label("again")
        .code(...STACKED);
      guest.load(
        CODE,
        program
          .code(0xff, 0xc9)
          .code(0x75, 0x100 - 2 - 2 - STACKED.length)
          .halt()
          .finish(),
      );
      guest.run(CODE, stack);
    });
  }
});

test("a fault in the middle of a span finds what is before it done, and what is behind it not", async () => {
  for (const [present, writable] of [
    [false, false],
    [true, false],
  ]) {
    for (let at = PAGE - 24; at <= PAGE; at += 4) {
      await onBothTiers((guest) => {
        prepare(guest);
        guest.view.setBigUint64(
          HIGH_PAGES + 8,
          BigInt(present ? DATA | (writable ? PRESENT_WRITABLE : PRESENT) : 0),
          true,
        );
        const program = new Assembler(CODE)
          .set(RDI, HIGH)
          .set(RCX, 20)
          .label("again")
          .code(...NEAR);
        program
          .repeat(RCX, "again")
          .set(RDI, HIGH + at)
          .set(RCX, 1)
          .code(...NEAR);
        guest.load(CODE, program.halt().finish());
        guest.run(CODE);
      });
    }
  }
});

/** Runs code for what RDI points to: in the first page until it is translated, then once in the second. */
function runInBothPages(guest: TierGuest, body: readonly number[]): void {
  const program = new Assembler(CODE)
    .set(RDI, HIGH)
    .set(RCX, 30)
    .label("again")
    .code(...body)
    .repeat(RCX, "again");
  program.set(RDI, HIGH + PAGE).code(...body);
  guest.load(CODE, program.halt().finish());
  guest.run(CODE);
}

test("a page is not dirty before it is written", async () => {
  await onBothTiers((guest) => {
    prepare(guest);
    // #DE between the reads and the write, in the second page only, where RDX is 0.
    const body = [0x48, 0x8b, 0x07, 0x48, 0x8b, 0x5f, 8, 0x31, 0xd2, 0xf6, 0x77, 0x10, 0x48, 0x89, 0x5f, 4];
    guest.load(DATA + FRAMES[1]! * PAGE + 0x10, [0]);
    runInBothPages(guest, body);
    assert.equal(Number(guest.view.getBigUint64(HIGH_PAGES + 8, true)) & DIRTY, 0);
  });
});

test("a page is not marked accessed where the first access of a span, a write, faults", async () => {
  await onBothTiers((guest) => {
    prepare(guest);
    guest.view.setBigUint64(HIGH_PAGES + 8, BigInt((DATA + FRAMES[1]! * PAGE) | PRESENT), true);
    // mov [rdi], rbx; mov rbx, [rdi+8]; mov rsi, [rdi+16]
    const body = [0x48, 0x89, 0x1f, 0x48, 0x8b, 0x5f, 8, 0x48, 0x8b, 0x77, 0x10];
    runInBothPages(guest, body);
    assert.equal(Number(guest.view.getBigUint64(HIGH_PAGES + 8, true)) & ACCESSED, 0);
  });
});
