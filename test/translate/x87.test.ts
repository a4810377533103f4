// Random x87 programs as translated code, against the interpreter: every register, tag, flag and pointer, and what the
// programs store on the way. The interpreter itself is held to silicon by test/differential and the recorded vectors.
import type { Random } from "../differential/random.ts";
import { Assembler } from "./assembler.ts";
import { type Mood, testRandomPrograms } from "./random-programs.ts";
import { CODE, DATA, RBX, RCX, type TierGuest } from "./tier-guest.ts";

const LENGTH = 20;
/** Operands lie around RDI, results go to RSI and on. */
const OPERANDS = DATA + 128;
const STATE = DATA + 0x800;

const DOUBLES = -128;
const SINGLES = -64;
const EXTENDED = -32;
const INTEGERS = 64;
const CONTROLS = 96;

/** Significands and exponents where rounding, carries and cancellation happen. */
const FRACTIONS = [
  0n,
  1n,
  0x7ffn,
  0x800n,
  0x801n,
  0xfffffffffffffn,
  0xffffffffff800n,
  0x8000000000000n,
  0xaaaaaaaaaaaaan,
];
const EXPONENTS = [0, 1, 2, 0x380, 0x381, 0x3c0, 0x3fe, 0x3ff, 0x400, 0x401, 0x435, 0x47e, 0x47f, 0x7fd, 0x7fe, 0x7ff];

function double(random: Random, mood: Mood): bigint {
  const sign = BigInt(random.below(2)) << 63n;
  if (mood === "tame") return sign | (BigInt(0x3f8 + random.below(16)) << 52n) | fraction(random);
  if (random.oneIn(8)) return sign;
  return sign | (BigInt(EXPONENTS[random.below(EXPONENTS.length)]!) << 52n) | fraction(random);
}

function fraction(random: Random): bigint {
  if (random.oneIn(2)) return FRACTIONS[random.below(FRACTIONS.length)]!;
  return (BigInt(random.u32() >>> 12) << 32n) | BigInt(random.u32());
}

function writeOperands(guest: TierGuest, random: Random, mood: Mood): void {
  const { view } = guest;
  for (let i = 0; i < 8; i++) view.setBigUint64(OPERANDS + DOUBLES + 8 * i, double(random, mood), true);
  for (let i = 0; i < 8; i++) {
    const tame = (0x3f000000 + (random.u32() >>> 8)) | (random.below(2) << 31);
    view.setInt32(OPERANDS + SINGLES + 4 * i, mood === "tame" ? tame : random.u32() | 0, true);
  }
  for (let i = 0; i < 6; i++) {
    const at = OPERANDS + EXTENDED + 16 * i;
    const significand = (1n << 63n) | (fraction(random) << 11n) | BigInt(random.below(0x800));
    const near = 0x3fff - 40 + random.below(80);
    const exponent = mood === "tame" ? near : [0, 1, 0x3c01, 0x43fe, 0x7ffe, 0x7fff, near][random.below(7)]!;
    view.setBigUint64(at, mood === "wild" && random.oneIn(6) ? significand & ~(1n << 63n) : significand, true);
    view.setUint16(at + 8, exponent | (random.below(2) << 15), true);
  }
  for (let i = 0; i < 4; i++)
    view.setBigInt64(OPERANDS + INTEGERS + 8 * i, BigInt(random.u32()) << BigInt(random.below(33)), true);
  for (let i = 0; i < 4; i++) {
    const mode = mood === "tame" ? [0x37f, 0x27f][random.below(2)]! : 0x7f | (random.below(16) << 8);
    view.setUint16(
      OPERANDS + CONTROLS + 2 * i,
      mood === "wild" && random.oneIn(16) ? mode & ~(1 << random.below(6)) : mode,
      true,
    );
  }
}

/** Puts a program together, and knows how many registers are in use while it is executed. */
class Program {
  depth = 0;
  private stored = 0;

  constructor(
    readonly out: Assembler,
    readonly random: Random,
    readonly mood: Mood,
  ) {}

  private pick<T>(values: readonly T[]): T {
    return values[this.random.below(values.length)]!;
  }
  private st(from = 0): number {
    return from + this.random.below(Math.max(this.depth - from, 1));
  }
  private operand(opcode: number, digit: number, at: number): void {
    this.out.code(opcode, 0x47 | (digit << 3), at & 0xff);
  }
  private double(): number {
    return DOUBLES + 8 * this.random.below(8);
  }
  private single(): number {
    return SINGLES + 4 * this.random.below(8);
  }
  private integer(): number {
    return INTEGERS + 8 * this.random.below(4);
  }
  /** Where the next result goes: [rsi + displacement]. */
  private result(opcode: number, digit: number): void {
    this.out.code(opcode, 0x86 | (digit << 3), this.stored & 0xff, this.stored >> 8, 0, 0);
    this.stored += 16;
  }

  load(): void {
    const { random } = this;
    this.pick([
      () => this.operand(0xd9, 0, this.single()),
      () => this.operand(0xdd, 0, this.double()),
      () => this.operand(0xdd, 0, this.double()),
      () => this.operand(0xdb, 5, EXTENDED + 16 * random.below(6)),
      () => this.operand(0xdf, 0, this.integer()),
      () => this.operand(0xdb, 0, this.integer()),
      () => this.operand(0xdf, 5, this.integer()),
      () => this.out.code(0xd9, 0xe8 + random.below(7)),
      () => this.out.code(0xd9, 0xc0 + this.st()),
    ])();
    this.depth++;
  }

  arithmetic(): void {
    const digit = this.pick([0, 1, 4, 5, 0, 1, 4, 5, 6, 7]);
    const { random } = this;
    this.pick([
      () => this.out.code(0xd8, 0xc0 + 8 * digit + this.st()),
      () => this.out.code(0xdc, 0xc0 + 8 * digit + this.st()),
      () => this.operand(0xd8, digit, this.single()),
      () => this.operand(0xdc, digit, this.double()),
      () => this.operand(random.oneIn(2) ? 0xda : 0xde, digit, this.integer()),
      () => {
        if (this.depth < 2) return;
        this.out.code(0xde, 0xc0 + 8 * digit + this.st(1));
        this.depth--;
      },
    ])();
  }

  store(): void {
    const popping = this.random.below(2);
    const digit = 2 + popping;
    this.pick([
      () => this.result(0xd9, digit),
      () => this.result(0xdd, digit),
      () => this.result(0xdd, digit),
      () => this.result(0xdf, digit),
      () => this.result(0xdb, digit),
      () => this.out.code(0xdd, 0xd0 + 8 * popping + this.st()),
    ])();
    this.depth -= popping;
  }

  storeAndPop(): void {
    this.pick([
      () => this.result(0xdb, 7),
      () => this.result(0xdf, 7),
      () => this.result(0xdb, 1),
      () => this.result(0xdd, 1),
      () => this.out.code(0xdd, 0xd8),
    ])();
    this.depth--;
  }

  compare(): void {
    const popping = this.random.below(2);
    this.pick([
      () => this.out.code(0xd8, 0xd0 + 8 * popping + this.st()),
      () => this.out.code(0xdd, 0xe0 + 8 * popping + this.st()),
      () => this.operand(0xd8, 2 + popping, this.single()),
      () => this.operand(0xdc, 2 + popping, this.double()),
      () => this.operand(0xde, 2 + popping, this.integer()),
    ])();
    this.depth -= popping;
    // fnstsw [rsi + ...]
    this.result(0xdd, 7);
  }

  compareToFlags(): void {
    const popping = this.random.below(2);
    this.out.code(popping ? 0xdf : 0xdb, this.pick([0xe8, 0xf0]) + this.st());
    this.depth -= popping;
    // pushfq; pop rax; mov [rsi + ...], rax
    this.out.code(0x9c, 0x58, 0x48);
    this.result(0x89, 0);
  }

  unary(): void {
    this.out.code(
      ...this.pick([
        [0xd9, 0xe0],
        [0xd9, 0xe1],
        [0xd9, 0xfa],
        [0xd9, 0xfc],
        [0xd9, 0xe4],
        [0xd9, 0xe5],
      ]),
    );
  }

  other(): void {
    const { random } = this;
    this.pick([
      () => this.out.code(0xd9, 0xc8 + this.st()),
      () => this.out.code(0xd9, 0xc8 + this.st()),
      () => this.operand(0xd9, 5, CONTROLS + 2 * random.below(4)),
      () => this.result(0xd9, 7),
      // fnstsw ax; fwait; fnop; fnclex; fprem; fscale; fcmovb
      () => this.out.code(0xdf, 0xe0),
      () => this.out.code(0x9b),
      () => this.out.code(0xd9, 0xd0),
      () => this.out.code(0xdb, 0xe2),
      () => this.out.code(0xd9, this.depth > 1 ? this.pick([0xf8, 0xfd]) : 0xd0),
      () => this.out.code(0xda, 0xc0 + this.st()),
      // inc rbx
      () => this.out.code(0x48, 0xff, 0xc3),
    ])();
  }

  /** Doubles in XMM0 to XMM3 between the x87's: ADD, MUL, SUB, MIN, DIV, MAX, SQRT or a move. */
  scalar(): void {
    const { random } = this;
    const opcode = this.pick([0x58, 0x59, 0x5c, 0x5d, 0x5e, 0x5f, 0x51, 0x10]);
    const register = random.below(4);
    this.pick([
      () => this.out.code(0xf2, 0x0f, opcode, 0x47 | (register << 3), this.double() & 0xff),
      () => this.out.code(0xf2, 0x0f, opcode, 0xc0 | (register << 3) | random.below(4)),
    ])();
  }

  /** What moves TOP or empties a register while others are in use. */
  disorder(): void {
    this.pick([
      () => this.out.code(0xd9, 0xf6),
      () => this.out.code(0xd9, 0xf7),
      () => this.out.code(0xdd, 0xc0 + this.random.below(8)),
      () => this.out.code(0xdd, 0xd0 + this.random.below(8)),
      () => this.out.code(0xd9, 0xc8 + this.random.below(8)),
      () => this.out.code(0xdb, 0xe3),
    ])();
  }

  step(): void {
    if (this.mood === "wild" && this.random.oneIn(12)) this.disorder();
    else if (this.depth === 0 || (this.depth < 7 && this.random.oneIn(4))) this.load();
    else if (this.depth >= 7) this.storeAndPop();
    else {
      this.pick([
        () => this.arithmetic(),
        () => this.arithmetic(),
        () => this.arithmetic(),
        () => this.store(),
        () => this.storeAndPop(),
        () => this.compare(),
        () => this.compareToFlags(),
        () => this.unary(),
        () => this.other(),
        () => this.scalar(),
      ])();
    }
  }
}

/** A loop of random instructions, then FXSAVE. It begins with the state that is there. */
function program(random: Random, mood: Mood): Uint8Array {
  const out = new Assembler(CODE);
  if (mood === "tame") out.code(0xdb, 0xe3);
  out.label("again");
  const body = new Program(out, random, mood);
  for (let i = 0; i < LENGTH; i++) {
    body.step();
    if (i === LENGTH >> 1) out.code(0xf6, 0xc1, 1).when(5, "odd").code(0x48, 0xff, 0xc3).label("odd");
  }
  while (mood === "tame" && body.depth > 0) body.storeAndPop();
  // add rsi, 512
  out.code(0x48, 0x81, 0xc6, 0, 2, 0, 0).repeat(RCX, "again");
  // fxsave [rbx]
  out.set(RBX, STATE).code(0x0f, 0xae, 0x03);
  return out.halt().finish();
}

testRandomPrograms({ of: "x87", operands: OPERANDS, inRegions: { tame: 0.7, wild: 0.35 }, writeOperands, program });
