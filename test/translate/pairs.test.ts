// What the interpreter has one case for two of (assembly/isa/pairs.ts): it does what their own cases do, one behind the other.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CPU_RIP } from "../../assembly/layout.ts";
import { CODE, type CodeBits, onBothTiers, RAX, RBX, RSI, TierGuest } from "./tier-guest.ts";

const HLT = 0xf4;
const REX_W = 0x48;
/** To the next instruction, which so begins a trace of its own. */
const JMP = [0xeb, 0x00];
/** Behind a conditional jump over one byte: where it does not jump, where it does. */
const ENDS = [HLT, 0x90, HLT];

/** Comparisons of RAX, RBX, the byte at RSI and an immediate. */
const COMPARISONS: Record<string, number[]> = {
  "test rax, rbx": [REX_W, 0x85, 0xd8],
  "test eax, ebx": [0x85, 0xd8],
  "test al, bl": [0x84, 0xd8],
  "test bl, imm": [0xf6, 0xc3, 0x81],
  "test byte [rsi], imm": [0xf6, 0x06, 0x48],
  "cmp rax, rbx": [REX_W, 0x39, 0xd8],
  "cmp rbx, imm": [REX_W, 0x83, 0xfb, 0xff],
  "cmp eax, ebx": [0x39, 0xd8],
  "cmp ebx, imm": [0x83, 0xfb, 0x80],
  "cmp bl, imm": [0x80, 0xfb, 0x7f],
};
/** JB, JNB, JZ, JNZ. */
const JUMPS = [0x72, 0x73, 0x74, 0x75];
const VALUES = [0n, 1n, 0x7fn, 0x80n, 0xffn, 0x7fffffffn, 0x80000000n, 0xffffffffn, 1n << 63n, (1n << 64n) - 1n];

/** Runs code and returns how far behind `length` bytes of it the guest halts, and the flags. */
function haltsAt(guest: TierGuest, code: readonly number[], length: number): string {
  guest.load(CODE, [...code, ...ENDS]);
  guest.runToHalt();
  return `${guest.memory.u64(guest.state.base + CPU_RIP) - BigInt(CODE + length)} ${guest.core.getRflags().toString(16)}`;
}

for (const bits of [64, 32] satisfies CodeBits[]) {
  test(`a comparison and the jump behind it, ${bits}-bit code`, async () => {
    const guest = await TierGuest.create(0);
    guest.useCode(bits);
    for (const [name, comparison] of Object.entries(COMPARISONS)) {
      if (bits === 32 && comparison[0] === REX_W) continue;
      for (const jump of JUMPS) {
        for (const a of VALUES) {
          for (const b of VALUES) {
            guest.setRegister(RAX, bits === 64 ? a : a & 0xffffffffn);
            guest.setRegister(RBX, bits === 64 ? b : b & 0xffffffffn);
            guest.setRegister(RSI, CODE);
            const together = haltsAt(guest, [...comparison, jump, 1], comparison.length + 2);
            const apart = haltsAt(guest, [...comparison, ...JMP, jump, 1], comparison.length + JMP.length + 2);
            assert.equal(together, apart, `${name}, jump ${jump.toString(16)}, ${a}, ${b}`);
          }
        }
      }
    }
  });

  test(`the first of two overwrites the second, ${bits}-bit code`, async () => {
    await onBothTiers((guest) => {
      guest.useCode(bits);
      // PUSH RAX; PUSH RBX, over which the first of them writes HLT.
      guest.load(CODE, [0x50, 0x53, 0x53, HLT]);
      guest.setRegister(RAX, HLT);
      guest.run(CODE, CODE + 1 + bits / 8);
      assert.equal(guest.memory.u64(guest.state.base + CPU_RIP), BigInt(CODE + 2));
      // It is known before the stack comes to lie there.
      guest.load(CODE, [0x50, 0x53, HLT]);
      guest.runToHalt();
      guest.run(CODE, CODE + 1 + bits / 8);
      assert.equal(guest.memory.u64(guest.state.base + CPU_RIP), BigInt(CODE + 2));
    });
  });
}
