// What the TLB does not have, a region looks up and goes on; what is not there, not to be written or no RAM, and what
// crosses pages, it leaves to the interpreter.
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
  type TierGuest,
} from "./tier-guest.ts";

const PAGE = 0x1000;
const PAGES = 32;
const PRESENT = 1;
const ACCESSED = 0x20;
const DIRTY = 0x40;

/** Adds the first bytes of PAGES pages from HIGH on, writes them to the second bytes, drops the TLB, and does it again. */
function walkPages(program: Assembler, rounds: number, access: number[]): Assembler {
  program.set(RBX, rounds).label("round").set(RDI, HIGH).set(RCX, PAGES).label("page");
  program.code(...access);
  program.code(0x48, 0x81, 0xc7, 0x00, 0x10, 0, 0); // add rdi, 0x1000
  program.repeat(RCX, "page");
  program.code(0x0f, 0x20, 0xda, 0x0f, 0x22, 0xda); // mov rdx, cr3; mov cr3, rdx
  return program.repeat(RBX, "round").halt();
}

const READ = [0x02, 0x07]; // add al, [rdi]
const READ_WRITE = [0x02, 0x07, 0x88, 0x47, 0x01]; // add al, [rdi]; mov [rdi+1], al

function tables(guest: TierGuest, bits: number): void {
  for (let page = 0; page < PAGES; page++) {
    guest.view.setBigUint64(HIGH_PAGES + page * 8, BigInt((DATA + (page % 4) * PAGE) | bits), true);
  }
}

function entry(guest: TierGuest, page: number): number {
  return Number(guest.view.getBigUint64(HIGH_PAGES + page * 8, true)) & 0xfff;
}

test("pages that the TLB does not have are found without leaving the region", async () => {
  const rounds = 50;
  const translated = await onBothTiers((guest) => {
    tables(guest, PRESENT_WRITABLE);
    guest.load(DATA, [3]);
    guest.load(CODE, walkPages(new Assembler(CODE), rounds, READ_WRITE).finish());
    guest.runToHalt();
    for (let page = 0; page < PAGES; page++) assert.equal(entry(guest, page), PRESENT_WRITABLE | ACCESSED | DIRTY);
  });
  const { tlbMisses, regionMisses } = translated.stats().counters;
  assert.ok(tlbMisses > rounds * PAGES * 0.9, `${tlbMisses} misses of the TLB`);
  assert.ok(regionMisses < rounds * 4, `${regionMisses} regions left for the interpreter`);
});

test("where the TLB lacks pages again and again, a region that left for them goes on", async () => {
  const rounds = 800;
  const runs = 3;
  const often = 16384;
  const translated = await onBothTiers(
    (guest) => {
      tables(guest, PRESENT_WRITABLE);
      guest.load(CODE, walkPages(new Assembler(CODE), rounds, READ).finish());
      for (let run = 0; run < runs; run++) guest.runToHalt();
    },
    [3],
  );
  const { tlbMisses, regionMisses } = translated.stats().counters;
  assert.ok(tlbMisses > runs * rounds * PAGES * 0.9, `${tlbMisses} misses of the TLB`);
  assert.ok(regionMisses > often && regionMisses < often * 1.2, `${regionMisses} regions left for the interpreter`);
});

test("a page that is only read is not marked dirty, and one that may not be written faults where it is", async () => {
  await onBothTiers((guest) => {
    tables(guest, PRESENT_WRITABLE);
    guest.load(CODE, walkPages(new Assembler(CODE), 20, READ).finish());
    guest.runToHalt();
    for (let page = 0; page < PAGES; page++) assert.equal(entry(guest, page), PRESENT_WRITABLE | ACCESSED);
    // CR0.WP is set: the last page faults at the write, with all before it done.
    guest.view.setBigUint64(HIGH_PAGES + (PAGES - 1) * 8, BigInt(DATA | PRESENT), true);
    guest.load(CODE, walkPages(new Assembler(CODE), 20, READ_WRITE).finish());
    guest.run(CODE);
    assert.equal(entry(guest, PAGES - 1) & DIRTY, 0);
  });
});
