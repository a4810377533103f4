// Which instructions are tried: the opcode maps as tables, every prefix that selects an
// instruction, every digit of a group; and how the bytes of one are drawn.
import { MODE_16, MODE_32, MODE_64 } from "./case.ts";
import { drawAddress } from "./draw-address.ts";
import { excluded, featureOf, offers } from "./exclusions.ts";
import type { Random } from "./random.ts";
import { hasModrm, isGroup, type Shape, shapeOf } from "./shape.ts";
import { isGather, isVexVector, vexOpcodes } from "./vex.ts";

/** An instruction as the generator sees it. */
export interface Form {
  mode: number;
  map: number;
  opcode: number;
  /** Mandatory prefix: 0, 0x66, 0xf2 or 0xf3. */
  prefix: number;
  /** ModRM.reg of a group, or -1. */
  digit: number;
  vex: boolean;
  /** VEX.L of vector instructions. */
  vexL: number;
}

const PREFIX_BYTES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3];

/** 0F 38 opcodes with a meaning, and a few without. */
const MAP_2 = [
  0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0f, 0x10, 0x11, 0x14, 0x15, 0x16,
  0x17, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x28, 0x29, 0x2a, 0x2b, 0x30, 0x31, 0x32,
  0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x40, 0x41, 0x42, 0xc8, 0xc9, 0xca,
  0xcb, 0xcc, 0xcd, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xf0, 0xf1, 0xf6,
];
const MAP_3 = [
  0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x14, 0x15, 0x16, 0x17, 0x18, 0x20, 0x21, 0x22, 0x23, 0x40,
  0x41, 0x42, 0x43, 0x44, 0x60, 0x61, 0x62, 0x63, 0x64, 0xcc, 0xdf,
];
/** VEX-coded general instructions: [map, opcode, prefix]. */
const VEX_GENERAL: [number, number, number][] = [
  [2, 0xf2, 0],
  [2, 0xf3, 0],
  [2, 0xf5, 0],
  [2, 0xf5, 0xf3],
  [2, 0xf5, 0xf2],
  [2, 0xf6, 0xf2],
  [2, 0xf7, 0],
  [2, 0xf7, 0x66],
  [2, 0xf7, 0xf3],
  [2, 0xf7, 0xf2],
  [3, 0xf0, 0xf2],
];

function isPrefix(opcode: number, mode: number): boolean {
  return (
    PREFIX_BYTES.includes(opcode) ||
    opcode === 0x0f ||
    (mode === MODE_64 && opcode >= 0x40 && opcode <= 0x4f) ||
    // VEX, or LES and LDS, which load segment registers.
    opcode === 0xc4 ||
    opcode === 0xc5
  );
}

/** Every form of every mode whose feature is among `features`. */
export function allForms(features: ReadonlySet<string>): Form[] {
  const forms: Form[] = [];
  const add = (mode: number, map: number, opcode: number, prefix: number, vex = false, vexL = 0): void => {
    const probe = emitPlain({ mode, map, opcode, prefix, digit: 0, vex, vexL });
    const digits = isGroup(shapeOf(probe, mode)) ? [0, 1, 2, 3, 4, 5, 6, 7] : [-1];
    for (const digit of digits) {
      const form = { mode, map, opcode, prefix, digit, vex, vexL };
      // A form stays if either its memory or its register shape may run.
      const shapes = [0xc0, 0].map((mod) => shapeOf(emitPlain(form, mod), mode));
      const feature = featureOf(shapes[0]!);
      if (!offers(features, feature)) continue;
      if (shapes.every((shape) => excluded(shape))) continue;
      forms.push(form);
    }
  };
  for (const mode of [MODE_64, MODE_32, MODE_16]) {
    for (let opcode = 0; opcode < 256; opcode++) {
      if (!isPrefix(opcode, mode)) add(mode, 0, opcode, 0);
      if (opcode !== 0x38 && opcode !== 0x3a) for (const prefix of [0, 0x66, 0xf2, 0xf3]) add(mode, 1, opcode, prefix);
    }
    for (const opcode of MAP_2) for (const prefix of [0, 0x66, 0xf2, 0xf3]) add(mode, 2, opcode, prefix);
    for (const opcode of MAP_3) for (const prefix of [0, 0x66]) add(mode, 3, opcode, prefix);
    for (const [map, opcode, prefix] of VEX_GENERAL) add(mode, map, opcode, prefix, true);
    for (const [map, opcode] of vexOpcodes()) {
      for (const prefix of [0, 0x66, 0xf2, 0xf3]) for (const vexL of [0, 1]) add(mode, map, opcode, prefix, true, vexL);
    }
    for (const opcode of [0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf]) {
      for (const prefix of [0xf2, 0xf3]) add(mode, 0, opcode, prefix);
    }
  }
  return forms;
}

const MAP_BYTES = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]];

function emitPlain(form: Form, mod = 0xc0): Uint8Array {
  const { map, opcode, prefix, digit, vex, vexL } = form;
  const modrm = mod | (Math.max(digit, 0) << 3);
  if (vex) return Uint8Array.of(0xc4, 0xe0 | map, 0x78 | (vexL << 2) | pp(prefix), opcode, modrm, 0);
  const bytes = prefix ? [prefix] : [];
  bytes.push(...MAP_BYTES[map]!, opcode, modrm, 0, 0, 0, 0, 0, 0, 0);
  return Uint8Array.from(bytes);
}

function pp(prefix: number): number {
  return prefix === 0x66 ? 1 : prefix === 0xf3 ? 2 : prefix === 0xf2 ? 3 : 0;
}

/** Draws the bytes of one instruction of a form; undefined where the draw fell on an excluded one. */
export function drawCode(form: Form, random: Random, features: ReadonlySet<string>): Uint8Array | undefined {
  const { mode, map, opcode, prefix, digit } = form;
  const bytes: number[] = [];
  const is64 = mode === MODE_64;
  const push = (value: number): void => {
    bytes.push(value & 0xff);
  };
  if (random.oneIn(12)) push(random.pick([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]));
  if (!is64 && random.oneIn(8)) push(random.pick([0x64, 0x65]));
  if (is64 && random.oneIn(12)) push(random.pick([0x64, 0x65]));
  if (random.oneIn(is64 ? 10 : 5)) push(0x67);
  if (random.oneIn(40) || (random.oneIn(3) && lockable(form))) push(0xf0);
  if (!form.vex) {
    if (map === 0 && (isWordSized(form) ? random.oneIn(4) : random.oneIn(16))) push(0x66);
    if (map > 0 && prefix !== 0x66 && random.oneIn(integerTwoByte(form) ? 4 : 24)) push(0x66);
    if (map === 0 && prefix === 0 && random.oneIn(24)) push(random.pick([0xf2, 0xf3]));
    if (prefix) push(prefix);
    if (is64 && random.oneIn(2)) push(0x40 | random.below(16));
    for (const byte of MAP_BYTES[map]!) push(byte);
  } else if (isVexVector(shapeOf(emitPlain(form), mode))) vectorPrefix(bytes, form, random);
  else {
    const rxb = is64 ? random.below(8) : 0;
    const w = random.below(2) << 7;
    push(0xc4);
    push(((~rxb & 7) << 5) | map);
    push(w | ((is64 ? random.below(16) : 8 | random.below(8)) << 3) | (random.oneIn(16) ? 4 : 0) | pp(prefix));
  }
  push(opcode);
  const preview = shapeOf(Uint8Array.from([...bytes, 0xc0 | (Math.max(digit, 0) << 3)]), mode);
  if (hasModrm(map, opcode, mode)) modrm(bytes, preview, digit, random);
  const shape = shapeOf(Uint8Array.from(bytes), mode);
  for (let i = 0; i < shape.immediateSize; i++) push(0);
  immediate(bytes, shape.immediateSize, random);
  if (bytes.length > 15 && !random.oneIn(4)) return undefined;
  const code = Uint8Array.from(bytes);
  const final = shapeOf(code, mode);
  const feature = featureOf(final);
  if (excluded(final) || !offers(features, feature)) return undefined;
  return code;
}

/** The prefix of a vector instruction. Many take no register in vvvv and one value of W: both are drawn often. */
function vectorPrefix(bytes: number[], { mode, map, prefix, vexL }: Form, random: Random): void {
  const is64 = mode === MODE_64;
  const inverted = random.oneIn(2) ? 15 : is64 || random.oneIn(16) ? random.below(16) : 8 | random.below(8);
  const last = (inverted << 3) | (vexL << 2) | pp(prefix);
  if (map === 1 && random.oneIn(3) && (is64 || inverted & 8)) {
    bytes.push(0xc5, last | (is64 ? random.below(2) << 7 : 0x80));
    return;
  }
  const rxb = is64 ? random.below(8) : random.oneIn(16) ? 1 : 0;
  bytes.push(0xc4, ((~rxb & 7) << 5) | map, last | (random.below(2) << 7));
}

function modrm(bytes: number[], preview: Shape, digit: number, random: Random): void {
  const { addressSize } = preview;
  const gather = isGather(preview);
  const reg = digit >= 0 ? digit : random.below(8);
  const memory = random.below(100) < (gather ? 95 : 60);
  const mod = memory ? random.pick([0, 1, 1, 2]) : 3;
  const rm = gather && !random.oneIn(16) ? 4 : random.below(8);
  bytes.push((mod << 6) | (reg << 3) | rm);
  if (!memory) return;
  drawAddress(bytes, mod, rm, addressSize, random);
}

function immediate(bytes: number[], size: number, random: Random): void {
  const at = bytes.length - size;
  const edge = random.oneIn(3)
    ? random.pick([0, 1, 2, 0x7f, 0x80, 0xff, 0x1f, 0x20, 0x21, 0x3f, 0x40, 0x0f, 0x10])
    : -1;
  const fill = edge >= 0x80 ? 0xff : 0;
  for (let i = 0; i < size; i++) bytes[at + i] = edge < 0 ? random.u32() >>> 24 : i === 0 ? edge : fill;
}

function isWordSized(form: Form): boolean {
  return (
    form.map === 0 &&
    !(form.opcode >= 0xd8 && form.opcode <= 0xdf) &&
    (form.opcode >= 0x40 || (form.opcode & 1) === 1 || (form.opcode & 7) > 5)
  );
}

function integerTwoByte(form: Form): boolean {
  const { map, opcode } = form;
  return (
    (map === 1 && ((opcode >= 0x40 && opcode <= 0x4f) || (opcode >= 0xa0 && opcode <= 0xc1) || opcode >= 0xc7)) ||
    (map === 2 && opcode >= 0xf0)
  );
}

/** LOCK is legal with a memory operand, or close to legal. */
function lockable(form: Form): boolean {
  const { map, opcode } = form;
  if (map === 0) {
    return (
      (opcode < 0x40 && (opcode & 7) < 2) ||
      (opcode >= 0x80 && opcode <= 0x83) ||
      opcode === 0x86 ||
      opcode === 0x87 ||
      opcode === 0xf6 ||
      opcode === 0xf7 ||
      opcode === 0xfe ||
      opcode === 0xff
    );
  }
  return map === 1 && [0xa3, 0xab, 0xb0, 0xb1, 0xb3, 0xba, 0xbb, 0xc0, 0xc1, 0xc7].includes(opcode);
}
