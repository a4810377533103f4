// Random SSE2 and AVX programs of doubles and singles as translated code, against the interpreter: every register, MXCSR, and what
// the programs store on the way. The interpreter itself is held to silicon by test/differential and the recorded vectors.
import { CPU_CR4, CPU_XCR0 } from "../../assembly/layout.ts";
import type { Random } from "../differential/random.ts";
import { Assembler } from "./assembler.ts";
import { type Mood, testRandomPrograms } from "./random-programs.ts";
import { CODE, DATA, RBX, RCX, type TierGuest } from "./tier-guest.ts";

const LENGTH = 20;
const REGISTERS = 6;
/** Operands, 16 bytes each, lie where RDI points, results go to RSI and on. */
const OPERANDS = DATA;
const OPERAND_COUNT = 8;
const STATE = DATA + 0x800;

/** Long mode with what an operating system sets for SSE and AVX. */
const CR4 = 0x606a0n;
const XCR0_AVX = 7n;
/** Prefixes of packed and scalar singles and doubles. */
const PREFIXES = [[], [0xf3], [0x66], [0xf2]] as const;
/** ADD MUL SUB MIN DIV MAX SQRT, but for the last as often as they are in programs. */
const ARITHMETIC = [0x58, 0x59, 0x5c, 0x58, 0x59, 0x5c, 0x5d, 0x5e, 0x5f, 0x51];

function double(random: Random, mood: Mood): bigint {
  const fraction = (BigInt(random.u32() >>> 12) << 32n) | BigInt(random.u32());
  const exponent =
    mood === "tame" ? 0x3f8 + random.below(16) : [0, 0, 1, 2, 3, 0x3ff, 0x400, 0x7fd, 0x7fe, 0x7ff][random.below(10)]!;
  const sign = BigInt(random.below(2)) << 63n;
  return sign | (random.oneIn(8) ? 0n : (BigInt(exponent) << 52n) | (random.oneIn(2) ? 0n : fraction));
}

function single(random: Random, mood: Mood): number {
  const exponent =
    mood === "tame" ? 0x78 + random.below(16) : [0, 0, 1, 2, 3, 0x7f, 0x80, 0xfd, 0xfe, 0xff][random.below(10)]!;
  const sign = random.below(2) * 0x8000_0000;
  return sign + (random.oneIn(8) ? 0 : exponent * 0x80_0000 + (random.oneIn(2) ? 0 : random.u32() >>> 9));
}

function writeOperands({ view }: TierGuest, random: Random, mood: Mood): void {
  CONTROLS.forEach((mxcsr, i) => {
    view.setUint32(OPERANDS - 4 * (CONTROLS.length - i), mxcsr, true);
  });
  for (let i = 0; i < OPERAND_COUNT; i++) {
    const at = OPERANDS + 16 * i;
    const hostile = mood === "wild" && random.oneIn(3) ? "wild" : "tame";
    if (i & 1) for (let lane = 0; lane < 4; lane++) view.setUint32(at + 4 * lane, single(random, hostile), true);
    else for (let lane = 0; lane < 2; lane++) view.setBigUint64(at + 8 * lane, double(random, hostile), true);
  }
}

/** MXCSR, below the operands: the inexact flag set, as programs soon have it; all clear; flush to zero and another rounding. */
const CONTROLS = [0x1fa0, 0x1fa0, 0x1f80, 0xdfa0];

class Program {
  private stored = 0;

  constructor(
    readonly out: Assembler,
    readonly random: Random,
  ) {}

  /** An instruction of 0F and a ModRM byte: register, and a register or an operand that has doubles (or singles). */
  private instruction(prefix: readonly number[], opcode: number, singles: boolean): void {
    const { random } = this;
    const register = random.below(REGISTERS) << 3;
    const index = 2 * random.below(OPERAND_COUNT / 2) + Number(singles);
    if (random.oneIn(2)) this.out.code(...prefix, 0x0f, opcode, 0xc0 | register | random.below(REGISTERS));
    else this.out.code(...prefix, 0x0f, opcode, 0x47 | register, 16 * index);
  }

  /** An instruction that stores to where the next result goes. */
  private result(register: number, ...bytes: number[]): void {
    this.out.code(...bytes, 0x86 | (register << 3), this.stored & 0xff, this.stored >> 8, 0, 0);
    this.stored += 16;
  }

  private arithmetic(): void {
    const kind = this.random.below(4);
    const opcode = ARITHMETIC[this.random.below(ARITHMETIC.length)]!;
    if (this.random.oneIn(3)) this.vex(opcode);
    else this.instruction(PREFIXES[kind]!, opcode, kind < 2);
  }

  /** The same of 128 or 256 bits with three operands; the upper half of a register is stored before and behind it. */
  private vex(opcode: number): void {
    const { random } = this;
    const wide = random.oneIn(2) ? 4 : 0;
    const register = random.below(REGISTERS);
    // vvvv is 0 for what has no second operand, as the square root.
    const second = opcode === 0x51 ? 0 : random.below(REGISTERS);
    const other = random.oneIn(2) ? [0xc0 | random.below(REGISTERS)] : [0x47, 32 * random.below(OPERAND_COUNT / 2)];
    const [modrm, ...displacement] = other;
    const packed = random.below(2);
    this.out.code(
      0xc5,
      0x80 | ((~second & 15) << 3) | wide | packed,
      opcode,
      modrm! | (register << 3),
      ...displacement,
    );
    // vmovups [rsi + ...], ymm
    this.result(register, 0xc5, 0xfc, 0x11);
    this.stored += 16;
  }

  private move(): void {
    const { random } = this;
    const kind = random.below(4);
    const choices = [
      // movups movss movupd movsd; unpcklpd; xorps of a register with itself; movapd
      () => this.instruction(PREFIXES[kind]!, 0x10, kind < 2),
      () => this.result(random.below(REGISTERS), ...PREFIXES[kind]!, 0x0f, 0x11),
      () => this.instruction([0x66], 0x14, false),
      () => this.out.code(0x0f, 0x57, 0xc0 | (9 * random.below(REGISTERS))),
      () => this.instruction([0x66], 0x28, false),
      // movq xmm, xmm/m64
      () => this.instruction([0xf3], 0x7e, false),
    ];
    choices[random.below(choices.length)]!();
  }

  private convert(): void {
    const { random } = this;
    const choices = [
      // cvtsi2sd xmm, rbx; the same of ebx; cvtsd2ss; cvtss2sd
      () => this.out.code(0xf2, 0x48, 0x0f, 0x2a, 0xc3 | (random.below(REGISTERS) << 3)),
      () => this.out.code(0xf2, 0x0f, 0x2a, 0xc3 | (random.below(REGISTERS) << 3)),
      () => this.instruction([0xf2], 0x5a, false),
      () => this.instruction([0xf3], 0x5a, true),
      // cvttsd2si and cvtsd2si to rax, which is stored
      () => {
        this.out.code(0xf2, 0x48, 0x0f, 0x2c + random.below(2), 0xc0 | random.below(REGISTERS));
        this.result(0, 0x48, 0x89);
      },
    ];
    choices[random.below(choices.length)]!();
  }

  private compare(): void {
    const wide = this.random.oneIn(2);
    // ucomis, comis; pushfq; pop rax; mov [rsi + ...], rax
    this.instruction(wide ? [0x66] : [], 0x2e + this.random.below(2), !wide);
    this.out.code(0x9c, 0x58);
    this.result(0, 0x48, 0x89);
  }

  /** Flags that are set already hide those that an instruction sets. */
  private control(): void {
    // stmxcsr [rsi + ...]; ldmxcsr [rdi - ...]
    this.result(3, 0x0f, 0xae);
    this.out.code(0x0f, 0xae, 0x57, 0x100 - 4 * CONTROLS.length + 4 * this.random.below(CONTROLS.length));
  }

  step(): void {
    if (this.random.oneIn(4)) this.control();
    const kind = this.random.below(10);
    if (kind < 6) this.arithmetic();
    else if (kind < 8) this.move();
    else if (kind === 8) this.convert();
    else this.compare();
  }
}

/** A loop of random instructions, then FXSAVE. It begins with the registers that are there. */
function program(random: Random): Uint8Array {
  const out = new Assembler(CODE);
  out.label("again");
  const body = new Program(out, random);
  for (let i = 0; i < LENGTH; i++) {
    body.step();
    // test cl, 1; the inexact flag may come to be set on either way
    if (i === LENGTH >> 1) out.code(0xf6, 0xc1, 1).when(5, "odd").code(0x48, 0xff, 0xc3).label("odd");
  }
  // add rsi, 1024
  out.code(0x48, 0x81, 0xc6, 0, 4, 0, 0).repeat(RCX, "again");
  // fxsave [rbx]
  out.set(RBX, STATE).code(0x0f, 0xae, 0x03);
  return out.halt().finish();
}

testRandomPrograms({
  of: "SSE and AVX",
  operands: OPERANDS,
  inRegions: { tame: 0.5, wild: 0.3 },
  prepare(guest) {
    guest.state.setU64(CPU_CR4, CR4);
    guest.state.setU64(CPU_XCR0, XCR0_AVX);
    guest.core.commitSregs();
  },
  writeOperands,
  program,
});
