// Builds the state a case starts from, out of its code and a seed. It knows enough of the code to
// make it meaningful: memory operands reach the data pages (or, now and then, just miss them),
// stack and string pointers point somewhere, shift counts are small as often as they are not.
//
// Recorded vectors store only (mode, code, seed) and an outcome: what this file makes of a seed is
// part of their format.
import {
  CASE_CODE,
  CASE_CODE_LENGTH,
  CASE_CODE_OFFSET,
  CASE_CS,
  CASE_DS,
  CASE_EFLAGS,
  CASE_ES,
  CASE_FCW,
  CASE_FS,
  CASE_FSW,
  CASE_FTW,
  CASE_GPR,
  CASE_GS,
  CASE_MODE,
  CASE_MXCSR,
  CASE_OPTIONS,
  CASE_PATCH_COUNT,
  CASE_PATCHES,
  CASE_SS,
  CASE_X87,
  CASE_YMM,
  type Case,
  codeBaseOf,
  DATA_BASE,
  DATA_BYTES,
  DATA_WINDOW,
  FS_BASE,
  GS_BASE,
  MODE_16,
  MODE_32,
  MODE_64,
  OPTION_NO_STEP,
  OPTION_SEQUENCE,
  PATCH_MAX_BYTES,
  PATCH_SIZE,
  segmentOf,
} from "./case.ts";
import { fillKind, KIND_F32, KIND_INTEGER, kindOf, vectorKind } from "./kinds.ts";
import { addLaterState, relateVectors, silenceFloats } from "./later-state.ts";
import { Random } from "./random.ts";
import { isString, type Shape, shapeOf } from "./shape.ts";
import { float80, integer } from "./values.ts";
import { isVexVector } from "./vex.ts";

/** What a case is made of. */
export interface Recipe {
  mode: number;
  code: Uint8Array;
  seed: number;
  /** Several instructions that end in a trap of their own (run without TF). */
  sequence?: boolean;
  /** What the seed stands for; the last one where absent. */
  revision?: Revision;
}

/** 1: the state as it was first. 2: with what later-state.ts adds. 3: operands are often at the segments' limit,
 * and vectors equal. 4: MXCSR is often one that native arithmetic needs. */
export type Revision = 1 | 2 | 3 | 4;
const LAST: Revision = 4;
/** That of the case in hand. */
let revision: Revision = LAST;

const random = new Random(0);
const pair = new Uint32Array(2);

const SEGMENT_FIELD = [CASE_ES, CASE_CS, CASE_SS, CASE_DS, CASE_FS, CASE_GS];

/** Contents of the data pages before each case. */
export function baseImage(): Uint8Array {
  const image = new Uint8Array(DATA_BYTES);
  const stream = new Random(0x776b766d);
  for (let at = 0; at < DATA_BYTES; at++) {
    image[at] = stream.oneIn(4) ? stream.pick([0, 0xff, 0x80, 0x7f, 1, 0x3f]) : stream.u32() >>> 24;
  }
  return image;
}

/** Offset from DATA_BASE of an operand: mostly inside the writable pages, often at an edge. */
function pickOffset(): number {
  if (revision >= 3 && random.oneIn(16)) return 0x4f00 - random.below(36);
  const kind = random.below(64);
  if (kind < 32) return 0x1000 + random.below(0x80) * 64;
  if (kind < 46) return 0x1000 + random.below(0x1f80);
  if (kind < 49) return 0x2000 - 1 - random.below(16);
  if (kind < 52) return 0x3000 + random.below(0xf80);
  if (kind < 54) return 0x3000 - 1 - random.below(16);
  if (kind < 56) return 0x4000 - 1 - random.below(16);
  if (kind < 58) return 0x5000 - 1 - random.below(16);
  if (kind < 60) return 0x1000 - 1 - random.below(16);
  if (kind < 61) return 0x5000 + random.below(0x800);
  if (kind < 62) return 0x4eff - random.below(18);
  return 0x4000 + random.below(0xe00);
}

/** Linear address of a segment's offset 0. */
function baseOf(test: Case, segment: number, mode: number): number {
  if (mode === MODE_64) return segment === 4 ? FS_BASE : segment === 5 ? GS_BASE : 0;
  return segmentOf(test.view.getUint16(SEGMENT_FIELD[segment]!, true))?.base ?? 0;
}

function setGpr(test: Case, register: number, low: number, high: number, mode: number): void {
  test.view.setUint32(CASE_GPR + register * 8, low, true);
  test.view.setUint32(CASE_GPR + register * 8 + 4, mode === MODE_64 ? high : 0, true);
}

/** Sets a register to a number below 2^53 in size, negative ones sign-extended. */
function setNumber(test: Case, register: number, value: number, mode: number): void {
  setGpr(test, register, value >>> 0, Math.floor(value / 2 ** 32) >>> 0, mode);
}

function segments(test: Case, mode: number): void {
  const { view } = test;
  const set = (field: number, selector: number): void => view.setUint16(field, selector, true);
  if (mode === MODE_64) {
    set(CASE_CS, 0x33);
    set(CASE_SS, 0x2b);
    set(CASE_DS, 0x2b);
    set(CASE_ES, 0x2b);
    set(CASE_FS, 0);
    set(CASE_GS, 0);
    return;
  }
  const plain = mode === MODE_32 ? 0x2b : 0x0f;
  const other = [0x0f, 0x17, 0x1f, 0x27, 0x2b, 0x2f, 0];
  const cs = mode === MODE_16 ? 0x07 : random.oneIn(8) ? random.pick([0x2f, 0x37]) : 0x23;
  set(CASE_CS, cs);
  set(CASE_SS, random.oneIn(8) ? random.pick([0x0f, 0x1f, 0x27, 0x2b]) : plain);
  set(CASE_DS, random.oneIn(8) ? random.pick(other) : plain);
  set(CASE_ES, random.oneIn(8) ? random.pick(other) : plain);
  set(CASE_FS, random.pick(other));
  set(CASE_GS, random.pick(other));
}

function floatingPoint(test: Case): void {
  const { view, bytes } = test;
  let fcw = 0x37f;
  let fsw = 0;
  if (!random.oneIn(3)) fcw = 0x7f | (random.below(4) << 8) | (random.below(4) << 10);
  if (random.oneIn(8)) fcw &= ~(1 << random.below(6));
  if (random.oneIn(32)) fcw &= ~0x3f;
  fsw = (random.u32() & 0x7f7f) >>> 0;
  if (random.oneIn(2)) fsw &= ~0x3f;
  if (!random.oneIn(4)) fsw &= ~0x40;
  // A pending unmasked exception makes the next waiting instruction fault; mostly there is none.
  if (fsw & ~fcw & 0x3f) {
    if (random.oneIn(4)) fsw |= 0x8080;
    else fsw &= fcw | ~0x3f;
  }
  view.setUint16(CASE_FCW, fcw, true);
  view.setUint16(CASE_FSW, fsw, true);
  bytes[CASE_FTW] = random.oneIn(2) ? 0xff : random.u32() >>> 24;
  for (let i = 0; i < 8; i++) {
    view.setUint32(CASE_X87 + i * 16 + 8, 0, true);
    view.setUint32(CASE_X87 + i * 16 + 12, 0, true);
    float80(random, view, CASE_X87 + i * 16);
  }
  let mxcsr = 0x1f80 | (random.below(4) << 13);
  if (random.oneIn(4)) mxcsr |= random.u32() & 0x8040;
  if (random.oneIn(4)) mxcsr |= random.u32() & 0x3f;
  if (random.oneIn(8)) mxcsr &= ~(0x80 << random.below(6));
  view.setUint32(CASE_MXCSR, mxcsr, true);
}

/** Puts `length` bytes of interesting memory at a linear address, where the window has them. */
function patch(test: Case, address: number, kind: number): number {
  const { view } = test;
  const count = view.getUint16(CASE_PATCH_COUNT, true);
  const start = Math.max(address, DATA_WINDOW);
  const end = Math.min(address + PATCH_MAX_BYTES, DATA_WINDOW + DATA_BYTES);
  if (count === 2 || end <= start) return -1;
  const at = CASE_PATCHES + count * PATCH_SIZE;
  view.setUint32(at, start, true);
  view.setUint32(at + 4, end - start, true);
  fillKind(random, test, kind, at + 8, at + 8 + PATCH_MAX_BYTES);
  view.setUint16(CASE_PATCH_COUNT, count + 1, true);
  return start === address ? at + 8 : -1;
}

/** The segment a memory operand uses (SDM volume 1, table 3-5). */
function segmentFor(shape: Shape): number {
  if (shape.segment >= 0 && !(shape.mode === MODE_64 && shape.segment < 4)) return shape.segment;
  return shape.base === 5 || shape.base === 4 ? 2 : 3;
}

/** Makes the registers (or the displacement) of a memory operand address `linear`. */
function solve(test: Case, shape: Shape, linear: number, displacementAt: number): void {
  const { mode, base, index, scale, displacement } = shape;
  let want = linear - baseOf(test, segmentFor(shape), mode);
  const limit = 2 ** (8 * shape.addressSize);
  if (base === 16 || (base < 0 && index < 0)) {
    if (base === 16)
      want -=
        codeBaseOf(test.view.getUint16(CASE_CS, true)) + test.view.getUint16(CASE_CODE_OFFSET, true) + shape.length;
    for (let i = 0; i < shape.displacementSize; i++) {
      test.bytes[displacementAt + i] = Math.floor(want / 2 ** (8 * i)) & 0xff;
    }
    return;
  }
  want -= displacement;
  const wrap = (value: number): number => (shape.addressSize === 8 ? value : ((value % limit) + limit) % limit);
  // What a narrower address size ignores is noise.
  const put = (register: number, value: number): void => {
    setNumber(test, register, wrap(value), mode);
    if (shape.addressSize === 4 && mode === MODE_64 && random.oneIn(2)) {
      test.view.setUint32(CASE_GPR + register * 8 + 4, random.u32(), true);
    }
  };
  if (base < 0) put(index, Math.floor(want / scale));
  else if (index < 0) put(base, want);
  else if (base === index) put(base, Math.floor(want / (1 + scale)));
  else {
    const steps = random.below(64) - 16;
    put(index, steps);
    put(base, want - steps * scale);
  }
}

/** A gather's index register: small numbers, 32 or 64 bits each, so that most elements lie near the base. */
function gatherIndices(test: Case, { vectorIndex, opcode, scale }: Shape): void {
  const at = CASE_YMM + vectorIndex * 32;
  const bytes = opcode & 1 ? 8 : 4;
  for (let i = at; i < at + 32; i += bytes) {
    const far = random.oneIn(32);
    const index = Math.trunc((far ? random.u32() - 2 ** 31 : random.below(4096) - 2048) / scale);
    test.view.setInt32(i, index, true);
    if (bytes === 8) test.view.setInt32(i + 4, random.oneIn(64) ? random.below(4) : index < 0 ? -1 : 0, true);
  }
}

function memoryOperand(test: Case, shape: Shape): void {
  const { mode, map, opcode } = shape;
  const kind = random.oneIn(16) ? KIND_INTEGER : kindOf(shape);
  const address = DATA_BASE + pickOffset();
  const moffs = map === 0 && opcode >= 0xa0 && opcode <= 0xa3;
  const tail = shape.immediateSize;
  if (moffs)
    solve(test, { ...shape, base: -1, index: -1, displacementSize: tail }, address, CASE_CODE + shape.length - tail);
  else solve(test, shape, address, CASE_CODE + shape.length - tail - shape.displacementSize);
  if (mode === MODE_64 && shape.base >= 0 && shape.base < 16 && random.oneIn(100)) {
    test.view.setUint32(CASE_GPR + shape.base * 8 + 4, random.pick([0x8000, 0x7fff8000, 0xffff7fff, 0x12345678]), true);
  }
  // BT and its kin reach beyond the operand by the register's value.
  if (map === 1 && (opcode === 0xa3 || opcode === 0xab || opcode === 0xb3 || opcode === 0xbb) && !random.oneIn(8)) {
    const register = shape.reg | ((shape.rex & 4) << 1);
    if (register !== shape.base && register !== shape.index) setNumber(test, register, random.below(1024) - 512, mode);
  }
  if (shape.vectorIndex >= 0) gatherIndices(test, shape);
  const data = patch(test, address, kind);
  if (data < 0) return;
  const isCompareExchange = map === 1 && (opcode === 0xb0 || opcode === 0xb1 || opcode === 0xc7);
  if (isCompareExchange && random.oneIn(2)) {
    const wide = opcode === 0xc7;
    const step = wide && shape.operandSize !== 8 ? 4 : 8;
    test.bytes.copyWithin(data, CASE_GPR, CASE_GPR + 8);
    if (wide) test.bytes.copyWithin(data + step, CASE_GPR + 16, CASE_GPR + 24);
  }
  // FXRSTOR and LDMXCSR: reserved bits of MXCSR fault, and bit 17 is reserved on one vendor's processors only.
  if (map === 1 && opcode === 0xae && (shape.reg === 1 || shape.reg === 2)) {
    const mxcsr = data + (shape.reg === 1 ? 24 : 0);
    if (random.oneIn(4)) test.bytes[mxcsr + 2]! &= ~2;
    else test.bytes.fill(0, mxcsr + 2, mxcsr + 4);
  }
  const isIndirect = map === 0 && opcode === 0xff && (shape.reg === 2 || shape.reg === 4);
  if (isIndirect && !random.oneIn(4)) codePointer(test, data, mode);
}

/** Writes a plausible branch target: an offset into the code window. */
function codePointer(test: Case, at: number, mode: number): void {
  const target = codeBaseOf(test.view.getUint16(CASE_CS, true)) + 0x1000 + random.below(0x2200);
  test.view.setUint32(at, target, true);
  if (mode !== MODE_16) test.view.setUint32(at + 4, 0, true);
}

/** Offset of an address for a segment, in the case's own registers. */
function pointer(test: Case, register: number, segment: number, mode: number, offset: number): void {
  setNumber(test, register, DATA_BASE + offset - baseOf(test, segment, mode), mode);
}

/** Whether an instruction may come back to its own bytes: such a case has to be stepped. */
function loops(shape: Shape): boolean {
  const { map, opcode, reg, immediate, length } = shape;
  const relative =
    map === 0 && ((opcode >= 0x70 && opcode <= 0x7f) || (opcode >= 0xe0 && opcode <= 0xe3) || opcode === 0xeb);
  if (relative) return immediate >= 0x100 - length;
  if (map === 1) return opcode >= 0x80 && opcode <= 0x8f && immediate === 0xff;
  return (
    ((opcode === 0xe8 || opcode === 0xe9) && immediate === 0xff) ||
    opcode === 0xc2 ||
    opcode === 0xc3 ||
    (opcode === 0xff && (reg === 2 || reg === 4))
  );
}

function usesStack(shape: Shape): boolean {
  const { map, opcode, reg } = shape;
  if (map === 1) return opcode === 0xa0 || opcode === 0xa8;
  return (
    map === 0 &&
    ((opcode >= 0x50 && opcode <= 0x61) ||
      [0x06, 0x0e, 0x16, 0x1e, 0x68, 0x6a, 0x8f, 0x9c, 0x9d, 0xc2, 0xc3, 0xc8, 0xc9, 0xe8].includes(opcode) ||
      (opcode === 0xff && (reg === 2 || reg === 6)))
  );
}

/** Fills in a whole case. The recipe's code may have its displacement rewritten. */
export function buildCase(test: Case, recipe: Recipe): void {
  const shape = shapeOf(recipe.code, recipe.mode);
  revision = recipe.revision ?? LAST;
  build(test, recipe, shape);
  if (revision >= 2) addLaterState(test, shape, recipe.seed, recipe.sequence === true);
  if (revision >= 3 && recipe.sequence !== true && shape.map > 0) relateVectors(test, shape, recipe.seed);
  if (revision >= 4) silenceFloats(test, recipe.seed);
  const stack = segmentOf(test.view.getUint16(CASE_SS, true));
  // IRET to a 16-bit stack leaves the upper half of ESP to the kernel's: it is zero on either side.
  if (stack && !(stack.attributes & 0x4000)) test.view.setUint16(CASE_GPR + 34, 0, true);
}

function build(test: Case, recipe: Recipe, shape: Shape): void {
  const { mode, code, seed } = recipe;
  const { view, bytes } = test;
  random.reseed(seed, (mode << 8) | code.length);
  const sequence = recipe.sequence === true;
  bytes.fill(0, 0, CASE_GPR);
  bytes[CASE_MODE] = mode;
  bytes[CASE_CODE_LENGTH] = code.length;
  bytes[CASE_OPTIONS] = sequence
    ? OPTION_SEQUENCE | OPTION_NO_STEP
    : random.oneIn(2) && !loops(shape)
      ? OPTION_NO_STEP
      : 0;
  bytes.set(code, CASE_CODE);
  segments(test, mode);

  let codeOffset = 0x1040 + random.below(0x400);
  if (!sequence) {
    const place = random.below(16);
    if (place < 2) codeOffset = 0x2000 - 1 - random.below(code.length);
    else if (place === 2) codeOffset = 0x3000 - code.length + (random.oneIn(2) ? random.below(code.length) : 0);
  }
  view.setUint16(CASE_CODE_OFFSET, codeOffset, true);

  let eflags = 0x202 | (random.u32() & 0x8d5);
  if (random.oneIn(4)) eflags |= 0x400;
  if (!sequence && random.oneIn(32)) eflags |= 0x40000;
  view.setUint32(CASE_EFLAGS, eflags, true);
  floatingPoint(test);

  const registers = mode === MODE_64 ? 16 : 8;
  bytes.fill(0, CASE_GPR, CASE_GPR + 128);
  for (let i = 0; i < registers; i++) {
    integer(random, pair);
    setGpr(test, i, pair[0]!, pair[1]!, mode);
  }
  if (random.oneIn(2)) bytes[CASE_GPR + 8] = random.below(72);
  const string = isString(shape);
  if (string || sequence) {
    setNumber(test, 1, random.below(sequence || random.oneIn(2) ? 40 : 4), mode);
    if (!sequence && random.oneIn(8)) setNumber(test, 1, random.u32(), mode);
  }
  // DX:AX small enough that half of the divisions fit.
  if (random.oneIn(2)) setNumber(test, 2, random.pick([0, 0, 1, -1]), mode);

  const stack = usesStack(shape);
  const edge = (): number => (sequence ? 0x1100 + random.below(0x1e00) : pickOffset());
  const aligned = edge();
  pointer(test, 4, 2, mode, random.oneIn(3) ? aligned : aligned & ~7);
  pointer(test, 6, 3, mode, edge());
  pointer(test, 7, 0, mode, edge());
  if (stack || sequence || random.oneIn(2)) pointer(test, 5, 2, mode, edge());
  if (sequence || (shape.map === 0 && shape.opcode === 0xd7) || random.oneIn(4)) pointer(test, 3, 3, mode, edge());
  view.setUint16(CASE_PATCH_COUNT, 0, true);

  const kind = vectorKind(kindOf(shape));
  // Legacy instructions see zeros in the upper halves: recorded vectors go back to before there was anything else.
  const used = isVexVector(shape) ? 32 : 16;
  for (let i = 0; i < 16; i++) {
    const at = CASE_YMM + i * 32;
    fillKind(random, test, random.oneIn(8) ? random.below(3) : kind, at, at + used);
    bytes.fill(0, at + used, at + 32);
  }
  if (sequence) return;
  // MMX registers are the significands: give them integers and packed singles too.
  if (shape.map > 0 && random.oneIn(2)) {
    for (let i = 0; i < 8; i++)
      fillKind(random, test, kind === KIND_F32 ? KIND_F32 : KIND_INTEGER, CASE_X87 + i * 16, CASE_X87 + i * 16 + 8);
  }
  const moffs = shape.map === 0 && shape.opcode >= 0xa0 && shape.opcode <= 0xa3;
  if (shape.memory || moffs) memoryOperand(test, shape);
  const register = shape.rm | ((shape.rex & 1) << 3);
  if (
    !shape.memory &&
    shape.map === 0 &&
    shape.opcode === 0xff &&
    (shape.reg === 2 || shape.reg === 4) &&
    !random.oneIn(4)
  ) {
    codePointer(test, CASE_GPR + register * 8, mode);
    if (mode !== MODE_64) view.setUint32(CASE_GPR + register * 8 + 4, 0, true);
  }
  if (shape.map === 0 && (shape.opcode === 0xc2 || shape.opcode === 0xc3) && !random.oneIn(4)) {
    const linear = view.getUint32(CASE_GPR + 32, true) + baseOf(test, 2, mode);
    const data = patch(test, linear, KIND_INTEGER);
    if (data >= 0) codePointer(test, data, mode);
  }
}
