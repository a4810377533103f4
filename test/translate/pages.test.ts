// Regions over several pages: what they are made from may be overwritten, mapped elsewhere, or mapped twice.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KVM_EXIT_HLT } from "../../assembly/exits.ts";
import { Assembler, CONDITION } from "./assembler.ts";
import {
  CODE,
  DATA,
  HIGH,
  HIGH_PAGES,
  LOW_PAGES,
  OTHER_PML4,
  onBothTiers,
  PML4,
  PRESENT_WRITABLE,
  R9,
  RAX,
  RBX,
  RCX,
  RDI,
  RSI,
  STACK,
  shareInRegions,
  type TierGuest,
} from "./tier-guest.ts";

const PAGE = 0x1000;
/** Guest physical pages of the code that HIGH maps, and of what takes the place of one. */
const FRAMES = 0x4_0000;
const SPARE = 0x5_0000;
/** Offset in a page of the operand of its ADD. */
const OPERAND = 0x10 + 3;
const ROUNDS = 20;
/** The bit of a page table's entry. */
const GLOBAL = 0x100;

/** Code on `count` pages from HIGH on: each adds its number to RBX and goes to the next, the last one back; HLT. */
function chain(count: number): Uint8Array {
  const program = new Assembler(HIGH);
  program.set(RBX, 0).set(RCX, ROUNDS);
  for (let page = 0; page < count; page++) {
    program.to(HIGH + page * PAGE + 0x10).label(`page ${page}`);
    program.code(0x48, 0x83, 0xc3, page + 1); // add rbx, page + 1
    if (page + 1 < count) program.jump(`page ${page + 1}`);
  }
  return program.repeat(RCX, "page 0").halt().finish();
}

/** At CODE: reloads CR3, so that what the tables say holds, and goes to the address in RAX. */
const RELOAD = [0x0f, 0x20, 0xda, 0x0f, 0x22, 0xda, 0xff, 0xe0]; // mov rdx, cr3; mov cr3, rdx; jmp rax

function runAt(guest: TierGuest, address: number): bigint {
  guest.setRegister(RAX, address);
  guest.runToHalt();
  return guest.register(RBX);
}

function prepare(guest: TierGuest, pages: number): void {
  guest.load(CODE, RELOAD);
  guest.load(FRAMES, chain(pages));
  for (let page = 0; page < pages; page++) guest.mapHigh(page, FRAMES + page * PAGE);
}

const sumOf = (pages: number): number => (pages * (pages + 1)) / 2;

for (const pages of [1, 2, 3, 4, 6]) {
  test(`a loop over ${pages} pages, each overwritten by a device in turn`, async () => {
    const translated = await onBothTiers((guest) => {
      prepare(guest, pages);
      let sum = sumOf(pages);
      assert.equal(runAt(guest, HIGH), BigInt(ROUNDS * sum));
      for (let page = 0; page < pages; page++) {
        guest.load(FRAMES + page * PAGE + OPERAND, [100]);
        sum += 100 - (page + 1);
        assert.equal(runAt(guest, HIGH), BigInt(ROUNDS * sum));
        assert.equal(runAt(guest, HIGH), BigInt(ROUNDS * sum));
      }
    });
    assert.ok(shareInRegions(translated) > 0.6, `${shareInRegions(translated)} in regions`);
  });

  test(`a loop over ${pages} pages, each mapped elsewhere and back`, async () => {
    await onBothTiers((guest) => {
      prepare(guest, pages);
      const sum = sumOf(pages);
      assert.equal(runAt(guest, HIGH), BigInt(ROUNDS * sum));
      for (let page = 0; page < pages; page++) {
        guest.load(SPARE, guest.bytes.slice(FRAMES + page * PAGE, FRAMES + (page + 1) * PAGE));
        guest.load(SPARE + OPERAND, [50]);
        guest.mapHigh(page, SPARE);
        assert.equal(runAt(guest, HIGH), BigInt(ROUNDS * (sum + 50 - (page + 1))));
        guest.mapHigh(page, FRAMES + page * PAGE);
        assert.equal(runAt(guest, HIGH), BigInt(ROUNDS * sum));
      }
    });
  });

  test(`a loop over ${pages} pages that are mapped twice, the second time with another page among them`, async () => {
    const alias = 64;
    await onBothTiers((guest) => {
      prepare(guest, pages);
      const sum = sumOf(pages);
      for (let page = 0; page < pages; page++) guest.mapHigh(alias + page, FRAMES + page * PAGE);
      const last = pages - 1;
      for (let round = 0; round < 3; round++) {
        assert.equal(runAt(guest, HIGH), BigInt(ROUNDS * sum));
        assert.equal(runAt(guest, HIGH + alias * PAGE), BigInt(ROUNDS * sum));
      }
      guest.load(SPARE, guest.bytes.slice(FRAMES + last * PAGE, FRAMES + pages * PAGE));
      guest.load(SPARE + OPERAND, [33]);
      guest.mapHigh(alias + last, SPARE);
      for (let round = 0; round < 3; round++) {
        assert.equal(runAt(guest, HIGH), BigInt(ROUNDS * sum));
        assert.equal(runAt(guest, HIGH + alias * PAGE), BigInt(ROUNDS * (sum + 33 - pages)));
      }
    });
  });

  test(`a loop over ${pages} pages, the last of which goes away`, async () => {
    await onBothTiers((guest) => {
      prepare(guest, pages);
      runAt(guest, HIGH);
      guest.view.setBigUint64(HIGH_PAGES + (pages - 1) * 8, 0n, true);
      // The page fault's handler is a HLT too: the snapshot has its frame.
      guest.setRegister(RAX, HIGH);
      guest.runToHalt();
      assert.notEqual(guest.register(4), BigInt(STACK), "a frame lies on the stack");
    });
  });
}

test("two address spaces with PCIDs have other code at one address", async () => {
  const [pdpt, directory, table] = [0xa000, 0xb000, 0xc000];
  const inner = (amount: number): number[] => [0x48, 0x83, 0xc3, amount, 0xc3]; // add rbx, amount; ret
  const program = new Assembler(CODE).set(RBX, 0).set(RCX, ROUNDS).label("again");
  for (const register of [6, 7]) {
    program.code(0x0f, 0x22, 0xd8 | register); // mov cr3, rsi or rdi
    program.set(RAX, HIGH).code(0xff, 0xd0); // call rax
  }
  program.repeat(RCX, "again").halt();
  for (const keep of [0n, 1n << 63n]) {
    const translated = await onBothTiers((guest) => {
      const put = (at: number, value: number): void => guest.view.setBigUint64(at, BigInt(value), true);
      put(OTHER_PML4, pdpt | 7);
      put(pdpt, directory | 7);
      put(directory, LOW_PAGES | 7);
      put(directory + 8, table | 7);
      put(table, SPARE | PRESENT_WRITABLE);
      guest.mapHigh(0, FRAMES);
      guest.load(FRAMES, inner(1));
      guest.load(SPARE, inner(100));
      guest.load(CODE, program.finish());
      guest.setRegister(6, BigInt(PML4 | 1) | keep);
      guest.setRegister(7, BigInt(OTHER_PML4 | 2) | keep);
      guest.runToHalt();
      assert.equal(guest.register(RBX), BigInt(ROUNDS * 101));
    });
    assert.ok(shareInRegions(translated) > 0.3);
  }
});

test("code that takes its own page out of the tables goes on until it is looked up again", async () => {
  const program = new Assembler(HIGH).set(RCX, 3).label("again");
  program.code(0x48, 0x83, 0xc3, 1).repeat(RCX, "again");
  program.set(RAX, HIGH_PAGES).code(0x48, 0xc7, 0x00, 0, 0, 0, 0); // mov qword [rax], 0
  program.set(RAX, HIGH).code(0x0f, 0x01, 0x38); // invlpg [rax]
  program.label("gone").code(0x48, 0x83, 0xc3, 0x10).jump("gone");
  await onBothTiers((guest) => {
    guest.load(CODE, RELOAD);
    guest.load(FRAMES, program.finish());
    for (let run = 0; run < 3; run++) {
      guest.mapHigh(0, FRAMES);
      guest.setRegister(RAX, HIGH);
      guest.runToHalt();
    }
  });
});

test("a loop whose code lies across the boundary of two pages", async () => {
  for (let before = 1; before < 24; before++) {
    const program = new Assembler(HIGH).to(HIGH + PAGE - before).label("start");
    program.set(RBX, 0).set(RCX, ROUNDS).label("again");
    program.code(0x48, 0x81, 0xc3, 0x78, 0x56, 0x34, 0x12).code(0x48, 0x89, 0x1f).repeat(RCX, "again").halt();
    await onBothTiers((guest) => {
      guest.load(CODE, RELOAD);
      guest.load(FRAMES, program.finish());
      // Neighbours in the tables that are none in memory.
      guest.load(SPARE, guest.bytes.slice(FRAMES + PAGE, FRAMES + 2 * PAGE));
      guest.mapHigh(0, FRAMES);
      guest.mapHigh(1, SPARE);
      guest.setRegister(RDI, DATA);
      assert.equal(runAt(guest, HIGH + PAGE - before), BigInt(ROUNDS * 0x12345678));
      guest.load(SPARE + 8, []);
      assert.equal(runAt(guest, HIGH + PAGE - before), BigInt(ROUNDS * 0x12345678));
    });
  }
});

test("a region is entered though the TLB lacks a page of it, unless that page was never accessed", async () => {
  const accessed = 0x20n;
  const code = new Assembler(HIGH);
  for (let i = 0; i < 8; i++) code.code(0x48, 0x83, 0xc3, 1); // add rbx, 1
  code.code(0x48, 0x85, 0xf6).when(CONDITION.ne, "other").code(0xc3); // test rsi, rsi; ret
  code
    .to(HIGH + PAGE)
    .label("other")
    .code(0x48, 0x83, 0xc3, 1, 0xc3);
  // At each of these 50 calls of HIGH, at the second with the TLB emptied before: mov cr3, r9.
  const [plain, reloading] = [CODE, CODE + PAGE];
  const calls = (at: number, bytes: number[]): Uint8Array => {
    const program = new Assembler(at)
      .set(RBX, 0)
      .set(RCX, 50)
      .label("again")
      .code(...bytes);
    return program.set(RAX, HIGH).code(0xff, 0xd0).repeat(RCX, "again").halt().finish(); // call rax
  };
  const second = (guest: TierGuest): bigint => guest.view.getBigUint64(HIGH_PAGES + 8, true);
  const run = (guest: TierGuest, other: number, at: number): void => {
    guest.setRegister(RSI, other);
    guest.runToHalt(at);
  };
  const translated = await onBothTiers(
    (guest) => {
      guest.load(plain, calls(plain, []));
      guest.load(reloading, calls(reloading, [0x41, 0x0f, 0x22, 0xd9]));
      guest.load(FRAMES, code.finish());
      guest.mapHigh(0, FRAMES);
      guest.mapHigh(1, FRAMES + PAGE);
      guest.setRegister(R9, PML4);
      run(guest, 1, plain);
      const before = guest.stats().counters;
      for (let round = 0; round < 4; round++) run(guest, round & 1, reloading);
      const { instructions, regionInstructions } = guest.stats().counters;
      const share = (regionInstructions - before.regionInstructions) / (instructions - before.instructions);
      assert.ok(share > 0.75 || guest.stats().counters.regionsBuilt === 0, `${share} in regions`);
      guest.mapHigh(1, FRAMES + PAGE);
      run(guest, 0, reloading);
      assert.equal(second(guest) & accessed, 0n);
      run(guest, 1, reloading);
      assert.equal(second(guest) & accessed, accessed);
    },
    [16],
  );
  assert.ok(translated.stats().counters.regionsBuilt > 0);
});

test("INVLPG of a page of code, and of another page of its region", async () => {
  const pages = 3;
  await onBothTiers((guest) => {
    prepare(guest, pages);
    // Behind the HLT: jmp rax. At CODE: mov [r9], r10; invlpg [rsi]; jmp r11. Registers alone are set in between, which
    // drops no translation.
    const code = chain(pages);
    guest.load(FRAMES, [...code, 0xff, 0xe0]);
    guest.load(CODE, [0x4d, 0x89, 0x11, 0x0f, 0x01, 0x3e, 0x41, 0xff, 0xe3]);
    const mapAndRun = (page: number, frame: number, first = false): bigint => {
      const registers = {
        [RAX]: CODE,
        [RSI]: HIGH + page * PAGE,
        [R9]: HIGH_PAGES + page * 8,
        10: frame | PRESENT_WRITABLE,
        11: HIGH,
      };
      for (const [number, value] of Object.entries(registers)) guest.setRegister(Number(number), value);
      assert.equal(guest.run(first ? CODE : undefined), KVM_EXIT_HLT);
      return guest.register(RBX);
    };
    const sum = sumOf(pages);
    for (let round = 0; round < 4; round++) assert.equal(mapAndRun(0, FRAMES, round === 0), BigInt(ROUNDS * sum));
    for (let page = 0; page < pages; page++) {
      const frame = FRAMES + page * PAGE;
      guest.load(SPARE, guest.bytes.slice(frame, frame + PAGE));
      guest.load(SPARE + OPERAND, [50]);
      for (let round = 0; round < 3; round++) {
        assert.equal(mapAndRun(page, SPARE), BigInt(ROUNDS * (sum + 50 - (page + 1))));
        assert.equal(mapAndRun(page, frame), BigInt(ROUNDS * sum));
      }
    }
  });
});

for (const [name, drop] of [
  ["INVLPG under one of them", [0x0f, 0x01, 0x38]], // invlpg [rax]
  // mov rdx, cr4; btc rdx, 7; mov cr4, rdx; btc rdx, 7; mov cr4, rdx
  [
    "CR4.PGE",
    [0x0f, 0x20, 0xe2, 0x48, 0x0f, 0xba, 0xfa, 7, 0x0f, 0x22, 0xe2, 0x48, 0x0f, 0xba, 0xfa, 7, 0x0f, 0x22, 0xe2],
  ],
] as const) {
  test(`a global page of code is there in both address spaces, until ${name} drops it`, async () => {
    const inner = (amount: number): number[] => [0x48, 0x83, 0xc3, amount, 0xc3]; // add rbx, amount; ret
    const program = new Assembler(CODE).set(RBX, 0).set(RAX, HIGH);
    for (const loop of ["before", "after"]) {
      program.set(RCX, ROUNDS).label(loop);
      // mov cr3, rsi or rdi; call rax
      for (const register of [RSI, RDI]) program.code(0x0f, 0x22, 0xd8 | register, 0xff, 0xd0);
      program.repeat(RCX, loop);
      if (loop === "before") program.code(0x4d, 0x89, 0x11, ...drop); // mov [r9], r10
    }
    const bytes = program.halt().finish();
    for (const keep of [0n, 1n << 63n]) {
      await onBothTiers((guest) => {
        guest.load(CODE, bytes);
        guest.load(FRAMES, inner(1));
        guest.load(SPARE, inner(100));
        guest.setRegister(RSI, BigInt(PML4 | 1) | keep);
        guest.setRegister(RDI, BigInt(OTHER_PML4 | 2) | keep);
        guest.setRegister(R9, HIGH_PAGES);
        guest.setRegister(10, SPARE | PRESENT_WRITABLE | GLOBAL);
        for (let run = 0; run < 4; run++) {
          guest.view.setBigUint64(HIGH_PAGES, BigInt(FRAMES | PRESENT_WRITABLE | GLOBAL), true);
          guest.runToHalt();
          assert.equal(guest.register(RBX), BigInt(2 * ROUNDS * 101));
        }
      });
    }
  });
}
