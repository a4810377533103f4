// Flags in translated code: kept as operands across blocks and out of regions, looked at by every condition.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Assembler } from "./assembler.ts";
import {
  CODE,
  DATA,
  onBothTiers,
  R8,
  RAX,
  RBX,
  RCX,
  RDI,
  RDX,
  RSI,
  shareInRegions,
  type TierGuest,
} from "./tier-guest.ts";

const CONDITIONS = 16;

/** Instructions that set flags, by name: of RAX and RDX, with CL as a count. */
const PRODUCERS: Record<string, number[]> = {
  "add rax, rdx": [0x48, 0x01, 0xd0],
  "add eax, edx": [0x01, 0xd0],
  "add ax, dx": [0x66, 0x01, 0xd0],
  "add al, dl": [0x00, 0xd0],
  "add ah, dl": [0x00, 0xd4],
  "adc rax, rdx": [0x48, 0x11, 0xd0],
  "adc al, dl": [0x10, 0xd0],
  "sub eax, edx": [0x29, 0xd0],
  "sbb ax, dx": [0x66, 0x19, 0xd0],
  "sbb rax, rdx": [0x48, 0x19, 0xd0],
  "cmp rax, rdx": [0x48, 0x39, 0xd0],
  "cmp al, dl": [0x38, 0xd0],
  "cmp al, 0x80": [0x3c, 0x80],
  "test eax, edx": [0x85, 0xd0],
  "and rax, rdx": [0x48, 0x21, 0xd0],
  "or al, dl": [0x08, 0xd0],
  "xor ax, dx": [0x66, 0x31, 0xd0],
  "neg rax": [0x48, 0xf7, 0xd8],
  "neg al": [0xf6, 0xd8],
  "inc eax": [0xff, 0xc0],
  "dec ax": [0x66, 0xff, 0xc8],
  "stc; inc rax": [0xf9, 0x48, 0xff, 0xc0],
  "clc; dec al": [0xf8, 0xfe, 0xc8],
  "shl rax, 1": [0x48, 0xd1, 0xe0],
  "shl eax, cl": [0xd3, 0xe0],
  "shr al, 1": [0xd0, 0xe8],
  "sar ax, 3": [0x66, 0xc1, 0xf8, 3],
  "rol eax, 1": [0xd1, 0xc0],
  "ror al, 1": [0xd0, 0xc8],
  "rcl rax, 1": [0x48, 0xd1, 0xd0],
  "imul eax, edx": [0x0f, 0xaf, 0xc2],
  "mul dl": [0xf6, 0xe2],
  "bt eax, edx": [0x0f, 0xa3, 0xd0],
  "rol rax, cl": [0x48, 0xd3, 0xc0],
  "cmp eax, edx; ror rax, 7": [0x39, 0xd0, 0x48, 0xc1, 0xc8, 7],
  "cmp al, dl; rol ax, cl": [0x38, 0xd0, 0x66, 0xd3, 0xc0],
  "dec eax; rol dl, 3; ror ax, 15": [0xff, 0xc8, 0xc0, 0xc2, 3, 0x66, 0xc1, 0xc8, 15],
  "sbb eax, edx; rol eax, 1": [0x19, 0xd0, 0xd1, 0xc0],
  "shl eax, 3; btr edx, 5; inc eax": [0xc1, 0xe0, 3, 0x0f, 0xba, 0xf2, 5, 0xff, 0xc0],
  "popcnt rax, rdx; ror eax, 1": [0xf3, 0x48, 0x0f, 0xb8, 0xc2, 0xd1, 0xc8],
  "rol eax, 1; cmc; ror edx, 1; stc": [0xd1, 0xc0, 0xf5, 0xd1, 0xca, 0xf9],
  "rol eax, 1; rcr rdx, 1": [0xd1, 0xc0, 0x48, 0xd1, 0xda],
  "rol eax, 1; adc rax, rdx": [0xd1, 0xc0, 0x48, 0x11, 0xd0],
  "xor eax, edx; bts [rdi], ecx": [0x31, 0xd0, 0x0f, 0xab, 0x0f],
  "cmc; shr rdx, 64": [0xf5, 0x48, 0xc1, 0xea, 64],
  "bsf eax, edx; cmc": [0x0f, 0xbc, 0xc2, 0xf5],
  "bsr rax, rdx": [0x48, 0x0f, 0xbd, 0xc2],
  "bsr ax, dx": [0x66, 0x0f, 0xbd, 0xc2],
  "tzcnt ax, dx": [0xf3, 0x66, 0x0f, 0xbc, 0xc2],
  "tzcnt rax, rdx": [0xf3, 0x48, 0x0f, 0xbc, 0xc2],
  "lzcnt ax, dx": [0xf3, 0x66, 0x0f, 0xbd, 0xc2],
  "lzcnt eax, edx": [0xf3, 0x0f, 0xbd, 0xc2],
  "popcnt rax, rdx": [0xf3, 0x48, 0x0f, 0xb8, 0xc2],
  "cmpxchg rsi, rdx": [0x48, 0x0f, 0xb1, 0xd6],
  "xadd rax, rdx": [0x48, 0x0f, 0xc1, 0xd0],
  sahf: [0x9e],
  "add [rdi], rax": [0x48, 0x01, 0x07],
  "lock dec dword [rdi]": [0xf0, 0xff, 0x0f],
  "comisd xmm0, xmm1": [0x66, 0x0f, 0x2f, 0xc1],
  "ptest xmm0, xmm1": [0x66, 0x0f, 0x38, 0x17, 0xc1],
};

const VALUES = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  1n << 63n,
  -1n,
];

/** Registers of the start: each pair of values has a turn. */
function begin(guest: TierGuest, turn: number): void {
  for (let i = 0; i < 16; i++) if (i !== 4) guest.setRegister(i, 0);
  guest.setRegister(RAX, VALUES[turn % VALUES.length]!);
  guest.setRegister(RDX, VALUES[(turn * 5 + 3) % VALUES.length]!);
  guest.setRegister(RSI, VALUES[(turn * 7 + 1) % VALUES.length]!);
  guest.setRegister(RCX, turn % 4);
  guest.setRegister(RDI, DATA);
}

/** Undefined flags are what the interpreter makes of them: the same on both tiers. */
for (const [name, bytes] of Object.entries(PRODUCERS)) {
  test(`every condition after ${name}, in the next block and by SETcc and CMOVcc`, async () => {
    const program = new Assembler(CODE);
    program
      .code(...bytes)
      .jump("conditions")
      .code(0x90)
      .label("conditions");
    for (let condition = 0; condition < CONDITIONS; condition++) {
      // The bit of each condition that holds: by a branch in R8, by SETcc at [rdi+64], by CMOVcc in R9.
      program.when(condition ^ 1, `skip ${condition}`);
      // bts would change the carry: lea r8, [r8 + 2^condition].
      program.code(0x4d, 0x8d, 0x80, ...[0, 8, 16, 24].map((shift) => ((1 << condition) >> shift) & 0xff));
      program.label(`skip ${condition}`);
      program.code(0x0f, 0x90 | condition, 0x47, 64 + condition);
      program.code(0x41, 0x0f, 0x40 | condition, 0xd9);
    }
    program.code(0x9c, 0x41, 0x5b).halt(); // pushf; pop r11
    const translated = await onBothTiers(
      (guest) => {
        guest.load(CODE, program.finish());
        for (let turn = 0; turn < VALUES.length; turn++) {
          begin(guest, turn);
          guest.runToHalt();
        }
      },
      [1, 2],
    );
    assert.ok(shareInRegions(translated) > 0.5, `${shareInRegions(translated)} of the instructions ran in regions`);
    assert.notEqual(translated.register(R8), 0n);
  });
}

test("INC and DEC keep the carry of the block before, around a loop", async () => {
  const program = new Assembler(CODE);
  // Adds two numbers of eight words: the carry goes round the loop through DEC and LEA.
  program.set(RCX, 8).code(0x48, 0x31, 0xdb).label("word"); // xor rbx, rbx
  program.code(0x48, 0x8b, 0x04, 0xdf); // mov rax, [rdi+rbx*8]
  program.code(0x48, 0x11, 0x44, 0xdf, 0x40); // adc [rdi+rbx*8+64], rax
  program.code(0x48, 0x8d, 0x5b, 0x01); // lea rbx, [rbx+1]
  program.repeat(RCX, "word").code(0x0f, 0x92, 0xc0).halt(); // setc al
  const translated = await onBothTiers((guest) => {
    guest.load(CODE, program.finish());
    guest.load(
      DATA,
      Array.from({ length: 128 }, (_, i) => (i % 8 < 7 ? 0xff : i)),
    );
    for (let run = 0; run < 4; run++) {
      guest.setRegister(RDI, DATA);
      guest.runToHalt();
    }
  });
  assert.ok(shareInRegions(translated) > 0.8);
});

test("flags from either side of a join are told apart", async () => {
  const program = new Assembler(CODE);
  program.set(RBX, 0).set(RCX, 40).label("again");
  program.code(0xf6, 0xc1, 1).when(4, "even"); // test cl, 1
  program.code(0x48, 0x83, 0xf9, 20).jump("join"); // cmp rcx, 20
  program.label("even").code(0x00, 0xc8); // add al, cl
  program.label("join").code(0x0f, 0x92, 0xc2, 0x0f, 0x9c, 0xc6); // setc dl; setl dh
  program.code(0x66, 0x01, 0xd3, 0x48, 0xc1, 0xc3, 3); // add bx, dx; rol rbx, 3
  program.repeat(RCX, "again").halt();
  await onBothTiers((guest) => {
    guest.load(CODE, program.finish());
    guest.setRegister(RAX, 0);
    guest.runToHalt();
  });
});
