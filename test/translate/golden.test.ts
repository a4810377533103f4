// The WebAssembly that small regions become, as golden/*.wat has it: a change in generated code shows in review.
// UPDATE_GOLDEN=1 writes the files anew.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CPU_TRACES, CPU_TRANSLATE, VCPU_BASE } from "../../assembly/layout.ts";
import { regionTexts } from "../../host/disassembler/region.ts";
import { Assembler, CONDITION } from "./assembler.ts";
import { CODE, type CodeBits, DATA, LOW_CODE, RBP, RCX, RDI, RDX, RSI, TierGuest } from "./tier-guest.ts";

const FOLDER = join(process.env["WKVM_ROOT"] ?? process.cwd(), "test/translate/golden");
const UPDATE = process.env["UPDATE_GOLDEN"] === "1";

/** Straight-line code by name: each with an end that leaves the region. */
const STRAIGHT: Record<string, number[]> = {
  "mov-register": [0x48, 0x89, 0xd8],
  "mov-32-bits": [0x89, 0xd8],
  "mov-16-bits": [0x66, 0x89, 0xd8],
  "mov-high-byte": [0x88, 0xdc],
  "mov-immediate": [0x48, 0xc7, 0xc0, 0x78, 0x56, 0x34, 0x12],
  "lea-scaled": [0x48, 0x8d, 0x44, 0x8b, 0x10],
  "load-64": [0x48, 0x8b, 0x07],
  "load-byte-zero-extended": [0x0f, 0xb6, 0x07],
  "load-rip-relative": [0x8b, 0x05, 0, 1, 0, 0],
  "load-fs": [0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0],
  "store-64": [0x48, 0x89, 0x07],
  "store-byte": [0x88, 0x07],
  "add-register": [0x48, 0x01, 0xd8],
  // mulsd xmm0, xmm1; addsd xmm0, [rdi]
  "mulsd-addsd": [0xf2, 0x0f, 0x59, 0xc1, 0xf2, 0x0f, 0x58, 0x07],
  "add-to-memory": [0x01, 0x07],
  "add-dead-flags": [0x01, 0xd8, 0x01, 0xc8],
  "adc-register": [0x48, 0x11, 0xd8],
  "inc-keeps-carry": [0x48, 0xff, 0xc0],
  "shl-by-cl": [0x48, 0xd3, 0xe0],
  "shr-by-constant": [0xc1, 0xe8, 5],
  "imul-register": [0x48, 0x0f, 0xaf, 0xc3],
  "mul-wide": [0x48, 0xf7, 0xe3],
  "div-32": [0xf7, 0xf3],
  "cmp-setcc": [0x48, 0x39, 0xd8, 0x0f, 0x9c, 0xc2],
  "test-cmov": [0x85, 0xc0, 0x48, 0x0f, 0x44, 0xd3],
  bsf: [0x48, 0x0f, 0xbc, 0xc3],
  bswap: [0x48, 0x0f, 0xc8],
  "xchg-memory": [0x48, 0x87, 0x07],
  "push-pop": [0x50, 0x5b],
  "cdqe-cqo": [0x48, 0x98, 0x48, 0x99],
  "movaps-load": [0x0f, 0x28, 0x07],
  paddd: [0x66, 0x0f, 0xfe, 0xc1],
  pshufd: [0x66, 0x0f, 0x70, 0xc1, 0x1b],
  addsd: [0xf2, 0x0f, 0x58, 0xc1],
  // Whatever leaves for in front of it does so in the shadow.
  "sti-addsd": [0xfb, 0xf2, 0x0f, 0x58, 0xc1],
  movsb: [0xa4],
  "fld-fadd": [0xd9, 0xe8, 0xd8, 0xc0],
  "fld-fmul-fstp-64": [0xdd, 0x07, 0xd8, 0xc8, 0xdd, 0x5f, 8],
  "fld-fxch-fucomip": [0xd9, 0xe8, 0xd9, 0xee, 0xd9, 0xc9, 0xdf, 0xe9],
  "fldcw-fistp": [0xd9, 0x07, 0xd9, 0x6f, 8, 0xdf, 0x7f, 16],
  "fsin-by-a-helper": [0xd9, 0xe8, 0xd9, 0xfe, 0xd9, 0xe0],
  "cpuid-by-the-interpreter": [0x0f, 0xa2],
};

/** Programs with control flow. */
const PROGRAMS: Record<string, (program: Assembler) => void> = {
  "loop-counted": (p) => p.label("again").code(0x48, 0x01, 0xcb).repeat(RCX, "again"),
  // add rbx, [rdi]; add rdi, 8: in a window (windows.ts)
  "loop-strided": (p) => p.label("again").code(0x48, 0x03, 0x1f, 0x48, 0x83, 0xc7, 8).repeat(RCX, "again"),
  // movsd xmm1, [rdi]; unpcklpd xmm1, xmm1; mulpd xmm1, [rsi]; addpd xmm0, xmm1; add rdi, 8; add rsi, 16: asked together
  // (float/group.ts), and in front of the loop (float/accumulators.ts)
  "loop-sum-of-products": (p) =>
    p
      .label("again")
      .code(0xf2, 0x0f, 0x10, 0x0f, 0x66, 0x0f, 0x14, 0xc9, 0x66, 0x0f, 0x59, 0x0e, 0x66, 0x0f, 0x58, 0xc1)
      .code(0x48, 0x83, 0xc7, 8, 0x48, 0x83, 0xc6, 16)
      .repeat(RCX, "again"),
  "loop-nested": (p) =>
    p.label("outer").set(RSI, 3).label("inner").code(0x48, 0x01, 0xf3).repeat(RSI, "inner").repeat(RCX, "outer"),
  // A block that goes to itself, and with which the loop around it begins.
  "loop-of-one-block-in-another": (p) =>
    p.set(RDX, 3).label("again").code(0x48, 0x01, 0xcb).repeat(RCX, "again").set(RCX, 3).repeat(RDX, "again"),
  diamond: (p) =>
    p
      .label("again")
      .code(0xf6, 0xc1, 1)
      .when(CONDITION.e, "even")
      .code(0x48, 0xff, 0xc0)
      .jump("join")
      .label("even")
      .code(0x48, 0xff, 0xcb)
      .label("join")
      .repeat(RCX, "again"),
  "call-return": (p) =>
    p
      .label("again")
      .call("function")
      .repeat(RCX, "again")
      .jump("end")
      .label("function")
      .code(0x48, 0x01, 0xcb, 0xc3)
      .label("end"),
};

/** Code of 32 bits. */
const STRAIGHT_32: Record<string, number[]> = {
  "add-register": [0x01, 0xd8],
  "mov-high-byte": [0x88, 0xdc],
  "load-scaled": [0x8b, 0x44, 0x8f, 0x10],
  "store-16-bits": [0x66, 0x89, 0x07],
  "load-fs": [0x64, 0xa1, 0x14, 0, 0, 0],
  "push-pop": [0x50, 0x5b],
  leave: [0xc9],
  "mul-wide": [0xf7, 0xe3],
  "rep-movsd": [0xf3, 0xa5],
  "shrd-by-constant": [0x0f, 0xac, 0xd8, 29],
  "psrlq-psrldq": [0x66, 0x0f, 0x73, 0xd1, 7, 0x66, 0x0f, 0x73, 0xd9, 4],
  scasb: [0xae],
};
const PROGRAMS_32: Record<string, (program: Assembler) => void> = {
  loop: (p) => p.label("again").code(0x01, 0xcb, 0xe2, 0xfc), // again: add ebx, ecx; loop again
  "call-return": (p) => p.call("function").jump("end").label("function").code(0x01, 0xcb, 0xc3).label("end"),
};

/** Code of 16 bits, all of it in flat segments. */
const STRAIGHT_16: Record<string, number[]> = {
  "add-register": [0x01, 0xd8],
  "load-bx-si": [0x8b, 0x00],
  "push-pop": [0x50, 0x5b],
};

interface Program {
  readonly bits: CodeBits;
  readonly code: Uint8Array;
}

/** All programs by the names of their files. */
function programs(): Map<string, Program> {
  const all = new Map<string, Program>();
  const add = (bits: CodeBits, name: string, build: (program: Assembler) => void): void => {
    const program = new Assembler(bits === 16 ? LOW_CODE : CODE);
    build(program);
    all.set(bits === 64 ? name : `${bits}-${name}`, { bits, code: program.halt().finish() });
  };
  const straight = { 64: STRAIGHT, 32: STRAIGHT_32, 16: STRAIGHT_16 };
  const flowing = { 64: PROGRAMS, 32: PROGRAMS_32, 16: {} };
  for (const bits of [64, 32, 16] as const) {
    for (const [name, bytes] of Object.entries(straight[bits])) add(bits, name, (p) => p.code(...bytes));
    for (const [name, build] of Object.entries(flowing[bits])) add(bits, name, build);
  }
  return all;
}

/** Whether a module has regions: it has ways out of them then, which other modules have for it. */
function hasRegions(module: Uint8Array): boolean {
  return WebAssembly.Module.imports(new WebAssembly.Module(Uint8Array.from(module))).some(({ name }) =>
    name.startsWith("x"),
  );
}

/** Without what depends on where a record happens to lie, and on the helpers that there are. */
function settled(text: string): string {
  return text
    .replaceAll(/(?<=i32\.const )\d+$/gm, (value) => (isRecord(Number(value)) ? "record" : value))
    .replaceAll(/(?<=i32\.const )\d+(?=\n *i32\.store offset=cpu\.span_mark)/g, "mark")
    .replaceAll(/\$h\d+/g, "$helper");
}

function isRecord(value: number): boolean {
  return value >= VCPU_BASE + CPU_TRACES && value < VCPU_BASE + CPU_TRANSLATE;
}

/** The largest region that the program becomes once it has been executed a few times. */
async function textOf({ bits, code }: Program): Promise<string> {
  const guest = await TierGuest.create(3);
  const at = bits === 16 ? LOW_CODE : CODE;
  guest.useCode(bits);
  guest.load(at, code);
  for (let run = 0; run < 4; run++) {
    for (let i = 0; i < 16; i++) guest.setRegister(i, 1);
    guest.setRegister(RDI, DATA);
    guest.setRegister(RSI, DATA + 64);
    guest.setRegister(RCX, 5);
    guest.setRegister(RBP, DATA);
    guest.runToHalt(at);
  }
  const texts = guest.modules.filter(hasRegions).flatMap(regionTexts);
  assert.ok(texts.length > 0, "a region was made");
  return settled(texts.reduce((largest, text) => (text.length > largest.length ? text : largest)));
}

for (const [name, program] of programs()) {
  test(`the region of ${name} is as it was`, async () => {
    const path = join(FOLDER, `${name}.wat`);
    const hex = [...program.code].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = `;; ${hex}\n${await textOf(program)}\n`;
    if (UPDATE) {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(path, text);
    }
    assert.ok(existsSync(path), `${path} is missing: UPDATE_GOLDEN=1 writes it`);
    assert.equal(text, readFileSync(path, "utf8"), "UPDATE_GOLDEN=1 writes the files anew");
  });
}

test("each golden file belongs to a program", () => {
  const known = programs();
  for (const file of readdirSync(FOLDER)) assert.ok(known.has(file.replace(/\.wat$/, "")), file);
});
