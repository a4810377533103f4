// What a broken or a hostile guest does to a translator: it has to come to what the interpreter comes to, and to keep
// what it needs bounded.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KVM_EXIT_HLT, KVM_EXIT_INTR } from "../../assembly/exits.ts";
import { JIT_AT_ONCE, JIT_SPARING, VM_JIT_MODULES, VM_JIT_PACE } from "../../assembly/layout.ts";
import { Random } from "../differential/random.ts";
import { type Mode, MEMORY as RANDOM_MEMORY, startRandomCode } from "../kvm/random-code-guest.ts";
import { Assembler, int32 } from "./assembler.ts";
import { CODE, DATA, HIGH, LARGE, onBothTiers, RAX, RBX, RCX, RDI, shareInRegions, TierGuest } from "./tier-guest.ts";

const SOAK = process.env["WKVM_SOAK"] !== undefined;
const STARTS = SOAK ? 500 : 12;
const SEED = Number(process.env["WKVM_SEED"] ?? 1);
const EXITS_PER_START = 40;
/** The core's function table at most: its own functions, and the translator's slots (assembly/translate/layout.ts). */
const TABLE_LIMIT = 16384 + 2048;

/** Of the modes that are not 64-bit some lead there by their gates, and all share caches with it. */
const RANDOM: readonly [Mode, number][] = [
  ["long", 0],
  ["long", 3],
  ["compat", 3],
  ["protected32", 0],
  ["real", 0],
];

for (const [mode, cpl] of RANDOM) {
  test(`random bytes as code, ${mode}, CPL ${cpl}`, async (t) => {
    const powerUp = async () => Promise.all([0, 1].map((threshold) => TierGuest.powerUp(threshold, RANDOM_MEMORY)));
    let [interpreted, translated] = (await powerUp()) as [TierGuest, TierGuest];
    let compared = 0;
    let regionsBuilt = 0;
    for (let start = 0; start < STARTS; start++) {
      let endless = false;
      for (const guest of [interpreted, translated]) {
        const random = new Random(SEED);
        random.reseed(SEED, start);
        startRandomCode(guest, guest.power, mode, cpl, random);
        guest.snapshots.length = 0;
        for (let i = 0; i < EXITS_PER_START; i++) {
          const reason = guest.run();
          // A loop without an end is left alone: where the limit of time finds it depends on where slices end.
          if (reason === KVM_EXIT_INTR) {
            guest.snapshots.pop();
            endless = true;
          }
          if (!guest.answer(reason, start) && reason !== KVM_EXIT_HLT) break;
        }
      }
      const exits = Math.min(interpreted.snapshots.length, translated.snapshots.length);
      for (let i = 0; i < exits; i++) {
        assert.equal(translated.snapshots[i], interpreted.snapshots[i], `seed ${SEED}, start ${start}, exit ${i}`);
      }
      assert.equal(translated.snapshots.length, interpreted.snapshots.length, `seed ${SEED}, start ${start}`);
      compared += exits;
      // What it has written until then is no longer the same, nor is the time.
      if (endless || start === STARTS - 1) {
        regionsBuilt += translated.stats().counters.regionsBuilt;
        [interpreted, translated] = (await powerUp()) as [TierGuest, TierGuest];
      }
    }
    t.diagnostic(`${compared} exits alike, ${regionsBuilt} regions built`);
    assert.ok(compared >= STARTS / 4, `${compared} exits were compared`);
    if (mode === "long") assert.ok(regionsBuilt > STARTS, `${regionsBuilt} regions`);
  });
}

test("a loop that overwrites its own instructions: behind it, ahead of it, and the very next one", async () => {
  for (const target of ["before", "next", "after", "far"]) {
    const program = new Assembler(CODE).set(RBX, 0).set(RCX, 40).label("again");
    const add = (): Assembler => program.code(0x48, 0x81, 0xc3, ...int32(1)); // add rbx, 1
    const operand = (name: string): Assembler =>
      program
        .code(0x48, 0x81, 0xc3)
        .label(name)
        .code(...int32(1));
    operand("before").setAddress(RDI, target);
    program.code(0x89, 0x0f); // mov [rdi], ecx
    operand("next");
    add();
    operand("after")
      .jump("on")
      .to(CODE + 0x400)
      .label("on");
    operand("far").repeat(RCX, "again").halt();
    const translated = await onBothTiers((guest) => {
      for (let run = 0; run < 3; run++) {
        guest.load(CODE, program.finish());
        guest.runToHalt();
      }
    });
    assert.ok(translated.stats().counters.regionsDropped > 0, `${target}: regions are dropped`);
  }
});

test("code that is written, called and written again by one loop", async () => {
  // mov eax, ecx; ret behind DATA, its operand another each time.
  const program = new Assembler(CODE).set(RBX, 0).set(RCX, 300).set(RDI, DATA).label("again");
  program.code(0xc6, 0x07, 0xb8, 0x89, 0x4f, 0x01, 0xc6, 0x47, 0x05, 0xc3); // mov byte [rdi], 0xb8; ...
  program.code(0xff, 0xd7, 0x48, 0x01, 0xc3, 0xff, 0xd7, 0x48, 0x01, 0xc3); // call rdi; add rbx, rax; twice
  program.repeat(RCX, "again").halt();
  const translated = await onBothTiers((guest) => {
    guest.load(CODE, program.finish());
    guest.runToHalt();
    assert.equal(guest.register(RBX), BigInt(300 * 301));
  });
  assert.ok(shareInRegions(translated) > 0.2);
});

test("code that a repeated string instruction overwrites while it stands in it", async () => {
  const program = new Assembler(CODE).set(RBX, 0).label("start");
  program.set(RAX, 0x90).set(RCX, 64).setAddress(RDI, "start").code(0xfc, 0xf3, 0xaa); // cld; rep stosb
  program
    .code(0x48, 0xff, 0xc3)
    .halt()
    .to(CODE + 0x80)
    .halt();
  await onBothTiers((guest) => {
    for (let run = 0; run < 3; run++) {
      guest.load(CODE, program.finish());
      guest.runToHalt();
    }
  });
});

test("code where there is no memory, and code that runs out of it", async () => {
  // A page of HIGH that is mapped to where no slot is: fetches read ones.
  await onBothTiers((guest) => {
    guest.mapHigh(0, 0x40_0000);
    guest.setRegister(RAX, 0);
    for (let run = 0; run < 3; run++) guest.run(HIGH);
  });
  await onBothTiers((guest) => {
    guest.mapHigh(0, DATA);
    guest.mapHigh(1, 0x40_0000);
    guest.load(DATA, new Array(4096).fill(0x90));
    for (let run = 0; run < 3; run++) guest.run(HIGH + 0xff0);
  });
});

test("a jump into itself, and instructions longer than fifteen bytes", async () => {
  const long = new Assembler(CODE).code(...new Array(15).fill(0x66), 0x90).halt();
  const self = new Assembler(CODE).code(0xeb, 0xff, 0xc0, 0x48, 0xff, 0xc3).halt(); // jmp $+1: inc eax; inc rbx
  for (const program of [long, self]) {
    await onBothTiers((guest) => {
      guest.load(CODE, program.finish());
      guest.setRegister(RAX, 0);
      for (let run = 0; run < 3; run++) guest.runToHalt();
    });
  }
});

// 64 regions become one module at a time; at threshold 1 each has one of its own, or only the first have.
for (const [threshold, rounds, pace] of [
  [2, 20_000, JIT_AT_ONCE],
  [1, 2_000, JIT_AT_ONCE],
  [1, 20_000, JIT_SPARING],
] as const) {
  test(`distinct pages of code, far more than modules are kept, threshold ${threshold}, pace ${pace}`, async (t) => {
    const modules = 16;
    const pages = SOAK ? rounds * 50 : rounds;
    const bytes = LARGE + (16 << 20);
    const frames = 4096 - 1;
    // Each turn writes a page of code that was never there before, and calls it three times.
    const program = new Assembler(CODE).set(RBX, 0).set(RCX, pages).label("again");
    program.code(0x89, 0xcf, 0x81, 0xe7, ...int32(frames), 0xc1, 0xe7, 12); // edi = (ecx & frames) << 12
    program.code(0x81, 0xc7, ...int32(LARGE), 0xc6, 0x07, 0xb8, 0x89, 0x4f, 0x01, 0xc6, 0x47, 0x05, 0xc3); // mov eax, ecx; ret
    for (let i = 0; i < 3; i++) program.code(0xff, 0xd7, 0x48, 0x01, 0xc3); // call rdi; add rbx, rax
    program.repeat(RCX, "again").halt();

    const interpreted = await TierGuest.create(0, bytes);
    const translated = await TierGuest.create(threshold, bytes);
    translated.memory.view.setUint32(VM_JIT_MODULES, modules, true);
    translated.memory.view.setUint32(VM_JIT_PACE, pace, true);
    // Whoever runs the test may keep no modules either.
    translated.modules.push = () => 0;
    const before = process.memoryUsage.rss();
    for (const guest of [interpreted, translated]) {
      guest.load(CODE, program.finish());
      for (let rip: number | undefined = CODE; guest.run(rip) === KVM_EXIT_INTR; rip = undefined) {
        assert.ok(guest.stats().counters.modulesLive <= modules);
      }
      assert.equal(guest.register(RBX), (3n * BigInt(pages) * BigInt(pages + 1)) / 2n);
    }
    assert.equal(translated.snapshots.at(-1), interpreted.snapshots.at(-1));

    const { regionsBuilt, regionModules, modulesLive, modulesEvicted, codeWrites } = translated.stats().counters;
    const { table } = translated.core as unknown as { table: WebAssembly.Table };
    const grown = (process.memoryUsage.rss() - before) >> 20;
    t.diagnostic(`${regionsBuilt} regions in ${regionModules} modules, ${modulesEvicted} evicted, ${modulesLive} live`);
    t.diagnostic(`${codeWrites} writes to code, a table of ${table.length}, ${grown} MiB more than at the beginning`);
    assert.ok(regionsBuilt >= pages, `${regionsBuilt} regions`);
    assert.ok(modulesEvicted > regionModules / 2 && modulesLive <= modules, `${modulesLive} modules`);
    assert.ok(table.length <= TABLE_LIMIT, `a table of ${table.length}`);
    // Kept, the modules would take gigabytes.
    if (SOAK) assert.ok(grown < 256, `${grown} MiB more`);
  });
}
