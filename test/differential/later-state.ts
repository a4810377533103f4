// What the second revision of the generator adds to a case's state. The first one is what the vectors recorded before it
// stand for, so it stays as it is: this is drawn afterwards, from a stream of its own.
import {
  CASE_GPR,
  CASE_MXCSR,
  CASE_PATCH_COUNT,
  CASE_PATCHES,
  CASE_YMM,
  type Case,
  MODE_64,
  PATCH_SIZE,
} from "./case.ts";
import { fillKind, kindOf, vectorKind } from "./kinds.ts";
import { Random } from "./random.ts";
import { isString, type Shape } from "./shape.ts";

const random = new Random(0);
const STREAM = 2;
const RELATED = 3;
const SILENT = 4;
const RSP = 4;
const RSI = 6;
const RDI = 7;
/** Upper halves of addresses at the edges of what is canonical, on either side. */
const EDGES = [0x7fff, 0x8000, 0xffff8000, 0xffff7fff, 0x10000, 0x7fff8000];

function setUpper(test: Case, register: number): void {
  test.view.setUint32(CASE_GPR + register * 8 + 4, random.pick(EDGES), true);
}

/** MXCSR's rounding control; everything masked, and the inexact flag. */
const MXCSR_ROUNDING = 0x6000;
const MXCSR_SILENT = 0x1fa0;

/** An MXCSR that native arithmetic leaves as it is, but for what operands and results are: with any other, translated
 * code does none itself. By chance it is one in forty. */
export function silenceFloats(test: Case, seed: number): void {
  random.reseed(seed, SILENT);
  if (!random.oneIn(3)) return;
  const mxcsr = test.view.getUint32(CASE_MXCSR, true);
  test.view.setUint32(CASE_MXCSR, (mxcsr & ~MXCSR_ROUNDING) | MXCSR_SILENT, true);
}

/** Whether an instruction takes a branch target from a register or from memory. */
function isComputedBranch({ map, opcode, reg }: Shape): boolean {
  return map === 0 && (opcode === 0xc2 || opcode === 0xc3 || (opcode === 0xff && (reg === 2 || reg === 4)));
}

/** Vectors that have to do with one another: PTEST and comparisons of equals hardly meet any by chance. */
export function relateVectors(test: Case, shape: Shape, seed: number): void {
  random.reseed(seed, RELATED);
  if (!random.oneIn(4)) return;
  const at = (register: number): number => CASE_YMM + register * 32;
  const reg = at(shape.reg | ((shape.rex & 4) << 1));
  const other = at(shape.memory ? shape.vexV : shape.rm | ((shape.rex & 1) << 3));
  const kind = random.below(4);
  if (kind === 0) test.bytes.fill(0, reg, reg + 32);
  else if (kind === 1) test.bytes.fill(0xff, reg, reg + 32);
  else if (shape.memory && test.view.getUint16(CASE_PATCH_COUNT, true) > 0)
    test.bytes.copyWithin(CASE_PATCHES + 8, reg, reg + 32);
  else test.bytes.copyWithin(other, reg, reg + 32);
}

/** Completes a case built for `shape` with `seed`. */
export function addLaterState(test: Case, shape: Shape, seed: number, sequence: boolean): void {
  random.reseed(seed, STREAM);
  // Legacy instructions have to leave the upper halves alone.
  const kind = vectorKind(kindOf(shape));
  if (!random.oneIn(4))
    for (let at = CASE_YMM; at < CASE_YMM + 512; at += 32) fillKind(random, test, kind, at + 16, at + 32);
  if (shape.mode !== MODE_64 || sequence) return;
  if (random.oneIn(64)) setUpper(test, RSP);
  if (isString(shape) && random.oneIn(24)) setUpper(test, random.pick([RSI, RDI]));
  if (shape.memory && shape.base >= 0 && shape.base < 16 && random.oneIn(48)) setUpper(test, shape.base);
  if (!isComputedBranch(shape) || !random.oneIn(10)) return;
  if (!shape.memory && shape.modrm >= 0) setUpper(test, shape.rm | ((shape.rex & 1) << 3));
  for (let n = 0; n < test.view.getUint16(CASE_PATCH_COUNT, true); n++)
    test.view.setUint32(CASE_PATCHES + n * PATCH_SIZE + 12, random.pick(EDGES), true);
}
