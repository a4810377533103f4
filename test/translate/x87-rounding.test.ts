// Arithmetic of the x87 as translated code, against the interpreter, with ten-byte operands that are made to be hard to round: results
// beside a number of 64 bits and beside the middle of two, cancellation, and exponents and significands at their borders.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../differential/random.ts";
import { Assembler } from "./assembler.ts";
import { CODE, DATA, onBothTiers, RCX, RDI, RSI, shareInRegions, type TierGuest } from "./tier-guest.ts";

const OPERANDS = DATA + 0x1000;
const RESULTS = DATA + 0x3_0000;
const TURNS = process.env["WKVM_SOAK"] ? 200 : 4;
/** Pairs in a turn, of 32 bytes, and random ones among them. */
const PAIRS = 2048;

const INTEGER_BIT = 1n << 63n;
const BORDERS = [
  0n,
  1n,
  2n,
  0x7ffn,
  0x800n,
  0x801n,
  0x0fffn,
  0x7fff_ffff_ffff_f800n,
  0x7fff_ffff_ffff_fffen,
  0x7fff_ffff_ffff_ffffn,
].map((n) => INTEGER_BIT | n);
const EXPONENTS = [0, 1, 2, 0x3fff - 64, 0x3ffe, 0x3fff, 0x4000, 0x3fff + 63, 0x7ffd, 0x7ffe, 0x7fff];
const ONE = 0x3fff;

/** Pops what it computes from ST(1) and ST(0), or changes ST(0). */
const OPERATIONS = {
  FADDP: [0xde, 0xc1],
  FMULP: [0xde, 0xc9],
  FSUBP: [0xde, 0xe9],
  FSUBRP: [0xde, 0xe1],
  FDIVP: [0xde, 0xf9],
  FDIVRP: [0xde, 0xf1],
  FSQRT: [0xdd, 0xd8, 0xd9, 0xfa], // of ST(1), as FSTP drops ST(0)
};

interface Ten {
  readonly significand: bigint;
  /** Of 16 bits, with the sign. */
  readonly exponent: number;
}

function significand(random: Random): bigint {
  const bits = (BigInt(random.u32()) << 32n) | BigInt(random.u32());
  // Some with few bits, as integers and decimal fractions have.
  return INTEGER_BIT | (random.oneIn(4) ? (bits >> 40n) << 40n : bits);
}

/** The upper 64 bits of a positive number, with the exponent of what is left of a power of two behind them. */
function leading(value: bigint, exponent: number): Ten {
  const excess = value.toString(2).length - 64;
  return { significand: excess < 0 ? value << BigInt(-excess) : value >> BigInt(excess), exponent: exponent + excess };
}

function nudged(ten: Ten, by: bigint): Ten {
  const moved = BigInt.asUintN(64, ten.significand + by);
  return { ...ten, significand: moved | INTEGER_BIT };
}

/** Two operands; a third of all pairs have a quotient, and a third a root of the first one, that is hard to round. */
function pair(random: Random, index: number): readonly [Ten, Ten] {
  const near = BigInt(random.below(5)) - 2n;
  const half = BigInt(random.below(2));
  const result = 2n * significand(random) + half;
  switch (index % 3) {
    case 0: {
      const divisor = significand(random);
      return [nudged(leading(result * divisor, ONE), near), { significand: divisor, exponent: ONE }];
    }
    case 1:
      return [nudged(leading(result * result, ONE), near), { significand: significand(random), exponent: ONE }];
    default: {
      const signed = (): number => (ONE - 2 + random.below(5)) | (random.below(2) << 15);
      const first = { significand: significand(random), exponent: signed() };
      if (random.oneIn(2)) return [first, { significand: nudged(first, near).significand, exponent: signed() }];
      return [
        first,
        { significand: significand(random), exponent: (ONE - 70 + random.below(140)) | (random.below(2) << 15) },
      ];
    }
  }
}

function borderPair(index: number): readonly [Ten, Ten] {
  const [a, b] = [index % BORDERS.length, Math.floor(index / BORDERS.length) % BORDERS.length];
  const exponents = Math.floor(index / BORDERS.length ** 2);
  return [
    { significand: BORDERS[a]!, exponent: EXPONENTS[(exponents + a) % EXPONENTS.length]! },
    { significand: BORDERS[b]!, exponent: EXPONENTS[(exponents * 3 + b) % EXPONENTS.length]! },
  ];
}

/** Zeros, infinities, a quiet NaN, a denormal number and 1, each with each. */
const UNUSUAL: readonly Ten[] = [
  { significand: 0n, exponent: 0 },
  { significand: 0n, exponent: 0x8000 },
  { significand: INTEGER_BIT, exponent: 0x7fff },
  { significand: INTEGER_BIT, exponent: 0xffff },
  { significand: INTEGER_BIT | (1n << 62n), exponent: 0x7fff },
  { significand: 1n, exponent: 0 },
  { significand: INTEGER_BIT, exponent: ONE },
  { significand: INTEGER_BIT, exponent: 0x8000 | ONE },
];
const SPECIAL = UNUSUAL.length ** 2;

function writeOperands(guest: TierGuest, random: Random): void {
  for (let i = 0; i < PAIRS; i++) {
    const operands =
      i < SPECIAL
        ? [UNUSUAL[i % UNUSUAL.length]!, UNUSUAL[Math.floor(i / UNUSUAL.length)]!]
        : i < PAIRS / 4
          ? borderPair(random.below(0x10000))
          : pair(random, i);
    operands.forEach(({ significand, exponent }, side) => {
      const at = OPERANDS + 32 * i + 16 * side;
      guest.view.setBigUint64(at, significand, true);
      guest.view.setUint16(at + 8, exponent, true);
    });
  }
}

/** A loop over all pairs: the operation, its status and its result stored. */
function program(operation: readonly number[]): Uint8Array {
  return new Assembler(CODE)
    .code(0xdb, 0xe3) // fninit
    .set(RSI, OPERANDS)
    .set(RDI, RESULTS)
    .set(RCX, PAIRS)
    .label("pair")
    .code(0xdb, 0x2e, 0xdb, 0x6e, 0x10) // fld tbyte [rsi]; fld tbyte [rsi+16]
    .code(...operation)
    .code(0xdd, 0x7f, 0x0a, 0xdb, 0x3f) // fnstsw [rdi+10]; fstp tbyte [rdi]
    .code(0xdb, 0xe2) // fnclex
    .code(0x48, 0x83, 0xc6, 0x20, 0x48, 0x83, 0xc7, 0x10) // add rsi, 32; add rdi, 16
    .repeat(RCX, "pair")
    .halt()
    .finish();
}

for (const [name, operation] of Object.entries(OPERATIONS)) {
  test(`${name} rounds what is hard to round as the interpreter does`, async () => {
    const translated = await onBothTiers((guest) => {
      for (let turn = 1; turn <= TURNS; turn++) {
        writeOperands(guest, new Random(turn));
        guest.load(CODE, program(operation));
        guest.runToHalt();
        guest.runToHalt();
      }
    });
    assert.ok(shareInRegions(translated) > 0.8, `${shareInRegions(translated)} in regions`);
  });
}
