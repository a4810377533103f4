// Scalar arithmetic as translated code, against the interpreter: each operation on each pair of operands at the borders of
// what is computed in line, with the result and MXCSR of each stored. Beside x87 instructions, regions are left by a
// place of their own (translate/state.ts).
import assert from "node:assert/strict";
import { test } from "node:test";
import { Assembler } from "./assembler.ts";
import { CODE, DATA, onBothTiers, RBX, RCX, RDI, RSI, shareInRegions, type TierGuest } from "./tier-guest.ts";

const CONTROL = DATA;
const OPERANDS = DATA + 0x1000;
const RESULTS = DATA + 0x8000;
/** Everything masked, rounding to nearest, the inexact flag set: what native arithmetic needs. */
const SILENT = 0x1fa0;

const DOUBLES = [
  0n,
  1n << 63n,
  1n,
  0x000fffffffffffffn,
  0x0010000000000000n,
  0x3ff0000000000000n,
  0xbff0000000000000n,
  0x3ff0000000000001n,
  0x7fefffffffffffffn,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff8000000000001n,
  0x7ff0000000000001n,
];
const SINGLES = [
  0, 0x80000000, 1, 0x007fffff, 0x00800000, 0x3f800000, 0xbf800000, 0x3f800001, 0x7f7fffff, 0x7f800000, 0xff800000,
  0x7fc00001, 0x7f800001,
];
const PAIRS = DOUBLES.length ** 2;

/** Prefixes of what works on doubles and on singles. */
const WIDTHS = [0xf2, 0xf3] as const;
const [ADD, MUL, SUB, DIV] = [0x58, 0x59, 0x5c, 0x5e];
const FNINIT = [0xdb, 0xe3];
const FMUL = [0xd9, 0xe8, 0xd8, 0xc8, 0xdd, 0xd8]; // fld1; fmul st, st(0); fstp st(0)

/** Pairs of operands 16 bytes apart, the second in the middle. */
function writeOperands(guest: TierGuest, prefix: number): void {
  for (let i = 0; i < PAIRS; i++) {
    const at = OPERANDS + 16 * i;
    [Math.floor(i / DOUBLES.length), i % DOUBLES.length].forEach((n, side) => {
      if (prefix === 0xf2) guest.view.setBigUint64(at + 8 * side, DOUBLES[n]!, true);
      else guest.view.setUint32(at + 8 * side, SINGLES[n]!, true);
    });
  }
  guest.view.setUint32(CONTROL, SILENT, true);
}

/** A loop over all pairs: MXCSR to what it was, the operation, its result and MXCSR stored, then `beside`. */
function program(prefix: number, opcode: number, beside: readonly number[]): Uint8Array {
  return new Assembler(CODE)
    .set(RBX, CONTROL)
    .set(RSI, OPERANDS)
    .set(RDI, RESULTS)
    .set(RCX, PAIRS)
    .label("pair")
    .code(0x0f, 0xae, 0x13) // ldmxcsr [rbx]
    .code(prefix, 0x0f, 0x10, 0x06) // movsd xmm0, [rsi]
    .code(prefix, 0x0f, opcode, 0x46, 0x08) // the operation on xmm0, [rsi+8]
    .code(prefix, 0x0f, 0x11, 0x07) // movsd [rdi], xmm0
    .code(0x0f, 0xae, 0x5f, 0x08) // stmxcsr [rdi+8]
    .code(...beside)
    .code(0x48, 0x83, 0xc6, 0x10, 0x48, 0x83, 0xc7, 0x10) // add rsi, 16; add rdi, 16
    .repeat(RCX, "pair")
    .halt()
    .finish();
}

for (const [name, beside] of [
  ["alone", []],
  ["beside x87 instructions", FMUL],
] as const) {
  test(`scalar arithmetic ${name} is exact in value and flags`, async () => {
    const translated = await onBothTiers((guest) => {
      // With exceptions masked, regions made from here on do the x87 themselves.
      guest.load(
        CODE,
        new Assembler(CODE)
          .code(...FNINIT)
          .halt()
          .finish(),
      );
      guest.runToHalt();
      for (const prefix of WIDTHS) {
        writeOperands(guest, prefix);
        for (const opcode of [ADD, MUL, SUB, DIV]) {
          guest.load(CODE, program(prefix, opcode, beside));
          guest.runToHalt();
          guest.runToHalt();
        }
      }
    });
    assert.ok(shareInRegions(translated) > 0.8, `${shareInRegions(translated)} in regions`);
  });
}
