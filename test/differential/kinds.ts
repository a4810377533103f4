// The kinds of numbers that instructions work on, and how registers and memory are filled with them.
import type { Case } from "./case.ts";
import type { Random } from "./random.ts";
import type { Shape } from "./shape.ts";
import { float16, float32, float64, float80, integer } from "./values.ts";
import { isFused } from "./vex.ts";

const pair = new Uint32Array(2);

export const KIND_INTEGER = 0;
export const KIND_F32 = 1;
const KIND_F64 = 2;
const KIND_F80 = 3;
export const KIND_BCD = 4;
const KIND_F16 = 5;
/** The kinds that vector registers are filled with, for an instruction that reads some other kind. */
const VECTOR_KINDS = [KIND_INTEGER, KIND_F32, KIND_F64, KIND_INTEGER, KIND_INTEGER, KIND_F16] as const;

/** The kind of number to fill a vector register with, where the instruction reads `kind`. */
export function vectorKind(kind: number): number {
  return VECTOR_KINDS[kind]!;
}

/** Which numbers an instruction is likely to read. */
export function kindOf(shape: Shape): number {
  const { map, opcode, reg, repeat, operandOverride } = shape;
  if (map === 0 && opcode >= 0xd8 && opcode <= 0xdf) {
    if (opcode === 0xd8 || (opcode === 0xd9 && reg < 4)) return KIND_F32;
    if (opcode === 0xdc || (opcode === 0xdd && reg < 4)) return KIND_F64;
    if (opcode === 0xdb && reg === 5) return KIND_F80;
    return opcode === 0xdf && reg === 4 ? KIND_BCD : KIND_INTEGER;
  }
  const wide = repeat === 0xf2 || (repeat === 0 && operandOverride);
  if (
    map === 1 &&
    ((opcode >= 0x10 && opcode <= 0x17) ||
      (opcode >= 0x28 && opcode <= 0x2f) ||
      opcode === 0xc6 ||
      (opcode >= 0x50 && opcode <= 0x5f) ||
      opcode === 0xc2 ||
      opcode === 0xe6 ||
      opcode === 0xd0 ||
      opcode === 0x7c ||
      opcode === 0x7d)
  ) {
    return wide ? KIND_F64 : KIND_F32;
  }
  if (isFused(shape)) return shape.rex & 8 ? KIND_F64 : KIND_F32;
  if (shape.vex && map === 2 && opcode === 0x13) return KIND_F16;
  if (shape.vex && map === 3 && opcode === 0x1d) return KIND_F32;
  if (map === 3 && (opcode <= 0x0d || opcode === 0x40 || opcode === 0x41)) return opcode & 1 ? KIND_F64 : KIND_F32;
  return KIND_INTEGER;
}

/** Fills bytes with numbers of a kind. */
export function fillKind(random: Random, test: Case, kind: number, from: number, to: number): void {
  const { view, bytes } = test;
  if (kind === KIND_BCD) {
    for (let at = from; at < to; at++) bytes[at] = random.below(10) * 16 + random.below(10);
    return;
  }
  if (kind === KIND_F80) {
    float80(random, view, from);
    return;
  }
  for (let at = from; at + 8 <= to; at += 8) {
    if (kind === KIND_F16) {
      pair[0] = float16(random) | (float16(random) << 16);
      pair[1] = float16(random) | (float16(random) << 16);
    } else if (kind === KIND_F32) {
      pair[0] = float32(random);
      pair[1] = float32(random);
    } else if (kind === KIND_F64) float64(random, pair);
    else if (random.oneIn(2)) integer(random, pair);
    else {
      // Small lanes: edges of bytes and words beside one another.
      pair[0] = random.u32();
      pair[1] = random.oneIn(2) ? random.pick([0x7f80ff01, 0x80007fff, 0x00ff8001, 0xffff8080]) : random.u32();
    }
    view.setUint32(at, pair[0]!, true);
    view.setUint32(at + 4, pair[1]!, true);
  }
}
