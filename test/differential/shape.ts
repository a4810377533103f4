// Takes instruction bytes apart as far as a test needs to know: prefixes, opcode, ModRM, the
// memory operand's registers and displacement, immediates, length (SDM volume 2, chapter 2).
import { MODE_16, MODE_64 } from "./case.ts";
import { isGather } from "./vex.ts";

export interface Shape {
  mode: number;
  operandOverride: boolean;
  addressOverride: boolean;
  lock: boolean;
  /** 0, 0xf2 or 0xf3: the last one counts. */
  repeat: number;
  /** Segment register number of the override, or -1. */
  segment: number;
  /** The REX byte, or 0. */
  rex: number;
  /** 0: one byte, 1: 0F, 2: 0F 38, 3: 0F 3A. */
  map: number;
  vex: boolean;
  /** A prefix stands before VEX, not LOCK, that makes it undefined. */
  spoiled: boolean;
  vexL: number;
  vexV: number;
  opcode: number;
  /** -1 where there is none. */
  modrm: number;
  mod: number;
  reg: number;
  rm: number;
  /** A memory operand is addressed through ModRM. */
  memory: boolean;
  /** Register numbers, or -1; base 16 is rip. */
  base: number;
  index: number;
  /** The vector register that is a gather's index, or -1. */
  vectorIndex: number;
  scale: number;
  displacement: number;
  displacementSize: number;
  /** Bytes: 2, 4 or 8. */
  operandSize: number;
  addressSize: number;
  immediateSize: number;
  /** Value of the last immediate byte, for shift counts. */
  immediate: number;
  length: number;
}

const MODRM_16_BASE = [3, 3, 5, 5, 6, 7, 5, 3];
const MODRM_16_INDEX = [6, 7, 6, 7, -1, -1, -1, -1];

/** Whether an opcode is followed by a ModRM byte. */
export function hasModrm(map: number, opcode: number, mode: number): boolean {
  if (map >= 2) return true;
  if (map === 1) {
    if (opcode >= 0x80 && opcode <= 0x8f) return false;
    if (opcode >= 0xc8 && opcode <= 0xcf) return false;
    if (opcode >= 0x30 && opcode <= 0x3f) return false;
    if (opcode >= 0x04 && opcode <= 0x0c) return false;
    return ![0x0e, 0x24, 0x25, 0x26, 0x27, 0x77, 0xa0, 0xa1, 0xa2, 0xa8, 0xa9, 0xaa].includes(opcode);
  }
  if (opcode < 0x40) return (opcode & 7) < 4;
  if (opcode >= 0x80 && opcode <= 0x8f) return true;
  if (opcode >= 0xd8 && opcode <= 0xdf) return true;
  if (opcode >= 0xd0 && opcode <= 0xd3) return true;
  if (opcode === 0x62 || opcode === 0xc4 || opcode === 0xc5) return mode !== MODE_64;
  return [0x63, 0x69, 0x6b, 0xc0, 0xc1, 0xc6, 0xc7, 0xf6, 0xf7, 0xfe, 0xff].includes(opcode);
}

function immediateBytes(shape: Shape): number {
  const { map, opcode, reg, operandSize, addressSize } = shape;
  const z = operandSize === 2 ? 2 : 4;
  if (map === 3) return 1;
  if (map === 2) return 0;
  if (map === 1) {
    if (opcode >= 0x80 && opcode <= 0x8f) return z;
    return [0x70, 0x71, 0x72, 0x73, 0xa4, 0xac, 0xba, 0xc2, 0xc4, 0xc5, 0xc6, 0x0f].includes(opcode) ? 1 : 0;
  }
  if (opcode < 0x40) return (opcode & 7) === 4 ? 1 : (opcode & 7) === 5 ? z : 0;
  if (opcode >= 0x70 && opcode <= 0x7f) return 1;
  if (opcode >= 0xb0 && opcode <= 0xb7) return 1;
  if (opcode >= 0xb8 && opcode <= 0xbf) return operandSize;
  if (opcode >= 0xe0 && opcode <= 0xe7) return 1;
  if (opcode >= 0xa0 && opcode <= 0xa3) return addressSize;
  if ([0x6a, 0x6b, 0x80, 0x82, 0x83, 0xa8, 0xc0, 0xc1, 0xc6, 0xcd, 0xd4, 0xd5, 0xeb].includes(opcode)) return 1;
  if ([0x68, 0x69, 0x81, 0xa9, 0xc7, 0xe8, 0xe9].includes(opcode)) return z;
  if (opcode === 0xf6) return reg < 2 ? 1 : 0;
  if (opcode === 0xf7) return reg < 2 ? z : 0;
  if (opcode === 0xc2 || opcode === 0xca) return 2;
  if (opcode === 0xc8) return 3;
  if (opcode === 0x9a || opcode === 0xea) return z + 2;
  return 0;
}

const SEGMENT_PREFIX = new Map([
  [0x26, 0],
  [0x2e, 1],
  [0x36, 2],
  [0x3e, 3],
  [0x64, 4],
  [0x65, 5],
]);

/** The override in force behind one for a segment: in 64-bit code those for ES, CS, SS and DS do nothing, and leave one
 * for FS or GS before them in force. */
function override(segment: number, { mode, segment: before }: Shape): number {
  return mode === MODE_64 && segment < 4 ? before : segment;
}

/** Takes one instruction apart; what lies beyond the end of `code` reads as zero. */
export function shapeOf(code: Uint8Array, mode: number): Shape {
  const shape: Shape = {
    mode,
    operandOverride: false,
    addressOverride: false,
    lock: false,
    repeat: 0,
    segment: -1,
    rex: 0,
    map: 0,
    vex: false,
    spoiled: false,
    vexL: 0,
    vexV: 0,
    opcode: 0,
    modrm: -1,
    mod: 3,
    reg: 0,
    rm: 0,
    memory: false,
    base: -1,
    index: -1,
    vectorIndex: -1,
    scale: 1,
    displacement: 0,
    displacementSize: 0,
    operandSize: 4,
    addressSize: 4,
    immediateSize: 0,
    immediate: 0,
    length: 0,
  };
  let at = 0;
  const next = (): number => code[at++] ?? 0;
  let byte = next();
  for (; ; byte = next()) {
    if (byte === 0x66) shape.operandOverride = true;
    else if (byte === 0x67) shape.addressOverride = true;
    else if (byte === 0xf0) shape.lock = true;
    else if (byte === 0xf2 || byte === 0xf3) shape.repeat = byte;
    else if (SEGMENT_PREFIX.has(byte)) shape.segment = override(SEGMENT_PREFIX.get(byte) as number, shape);
    else if (mode === MODE_64 && byte >= 0x40 && byte <= 0x4f) {
      shape.rex = byte;
      continue;
    } else break;
    shape.rex = 0;
    if (at > 15) break;
  }
  const wide = mode === MODE_16 ? 2 : 4;
  const isVex = (byte === 0xc4 || byte === 0xc5) && (mode === MODE_64 || (code[at] ?? 0) >= 0xc0);
  if (isVex) {
    shape.vex = true;
    shape.spoiled = shape.operandOverride || shape.repeat !== 0 || shape.rex !== 0;
    const first = next();
    let last = first;
    shape.map = 1;
    if (byte === 0xc4) {
      last = next();
      shape.map = first & 0x1f;
      shape.rex = 0x40 | (((~first >> 5) & 7) | ((last >> 4) & 8));
    } else shape.rex = 0x40 | ((~first >> 5) & 4);
    if (mode !== MODE_64) shape.rex &= 0x48;
    shape.vexL = (last >> 2) & 1;
    shape.vexV = (~last >> 3) & 15;
    shape.operandOverride = (last & 3) === 1;
    shape.repeat = (last & 3) === 2 ? 0xf3 : (last & 3) === 3 ? 0xf2 : 0;
    byte = next();
  } else if (byte === 0x0f) {
    byte = next();
    shape.map = 1;
    if (byte === 0x38 || byte === 0x3a) {
      shape.map = byte === 0x38 ? 2 : 3;
      byte = next();
    }
  }
  shape.opcode = byte;
  shape.operandSize = shape.operandOverride ? 6 - wide : wide;
  if (shape.rex & 8) shape.operandSize = 8;
  shape.addressSize = mode === MODE_64 ? (shape.addressOverride ? 4 : 8) : shape.addressOverride ? 6 - wide : wide;
  if (hasModrm(shape.map, byte, mode)) {
    shape.modrm = next();
    shape.mod = shape.modrm >> 6;
    shape.reg = (shape.modrm >> 3) & 7;
    shape.rm = shape.modrm & 7;
    shape.memory = shape.mod !== 3;
    if (shape.memory) addressing(shape, next);
  }
  shape.immediateSize = immediateBytes(shape);
  shape.length = at + shape.immediateSize;
  shape.immediate = shape.immediateSize ? (code[shape.length - 1] ?? 0) : 0;
  return shape;
}

function addressing(shape: Shape, next: () => number): void {
  const { mod, rm } = shape;
  if (shape.addressSize === 2) {
    shape.base = MODRM_16_BASE[rm]!;
    shape.index = MODRM_16_INDEX[rm]!;
    if (mod === 0 && rm === 6) shape.base = -1;
    shape.displacementSize = mod === 1 ? 1 : mod === 2 || shape.base < 0 ? 2 : 0;
  } else {
    shape.base = rm | ((shape.rex & 1) << 3);
    shape.displacementSize = mod === 1 ? 1 : mod === 2 ? 4 : 0;
    if (rm === 4) {
      const sib = next();
      shape.base = (sib & 7) | ((shape.rex & 1) << 3);
      shape.index = ((sib >> 3) & 7) | ((shape.rex & 2) << 2);
      if (isGather(shape)) {
        shape.vectorIndex = shape.index;
        shape.index = -1;
      } else if (shape.index === 4) shape.index = -1;
      shape.scale = 1 << (sib >> 6);
      if ((sib & 7) === 5 && mod === 0) {
        shape.base = -1;
        shape.displacementSize = 4;
      }
    } else if (rm === 5 && mod === 0) {
      shape.base = shape.mode === MODE_64 ? 16 : -1;
      shape.displacementSize = 4;
    }
  }
  let value = 0;
  for (let i = 0; i < shape.displacementSize; i++) value += next() * 2 ** (8 * i);
  const half = 2 ** (8 * shape.displacementSize - 1);
  shape.displacement = shape.displacementSize && value >= half ? value - 2 * half : value;
}

/** 0F opcodes of the general instructions: no prefix selects among them, but for POPCNT, TZCNT and LZCNT. */
export function isGeneral(map: number, opcode: number): boolean {
  if (map === 2) return opcode >= 0xf0;
  return (
    map === 0 ||
    (map === 1 &&
      (opcode < 0x10 ||
        (opcode >= 0x18 && opcode < 0x28) ||
        (opcode >= 0x30 && opcode < 0x50) ||
        opcode === 0x77 ||
        (opcode >= 0x80 && opcode < 0xc2) ||
        opcode === 0xc3 ||
        opcode >= 0xc7) &&
      !(opcode >= 0xd0))
  );
}

/** Whether the operand size changes what an instruction does. */
function isSized(shape: Shape): boolean {
  const { map, opcode, reg, memory } = shape;
  if (shape.vex) return true;
  if (map === 0) {
    if (opcode >= 0xd8 && opcode <= 0xdf)
      return memory && (opcode === 0xd9 || opcode === 0xdd) && reg >= 4 && reg !== 5 && reg !== 7;
    if (opcode < 0x40) return (opcode & 1) === 1 && (opcode & 7) < 6;
    if (
      [
        0x80, 0x82, 0x84, 0x86, 0x88, 0x8a, 0xa0, 0xa2, 0xa4, 0xa6, 0xa8, 0xaa, 0xac, 0xae, 0xc0, 0xc6, 0xd0, 0xd2,
        0xf6, 0xfe, 0x6c, 0x6e, 0xe4, 0xe6, 0xec, 0xee,
      ].includes(opcode)
    )
      return false;
    return !(
      (opcode >= 0xb0 && opcode <= 0xb7) ||
      (opcode >= 0x70 && opcode <= 0x7f) ||
      [
        0x9b, 0x9e, 0x9f, 0xcc, 0xcd, 0xce, 0xd4, 0xd5, 0xd6, 0xd7, 0xe0, 0xe1, 0xe2, 0xe3, 0xf1, 0xf4, 0xf5, 0xf8,
        0xf9, 0xfa, 0xfb, 0xfc, 0xfd,
      ].includes(opcode)
    );
  }
  if (!isGeneral(map, opcode)) {
    return (
      shape.operandSize === 8 &&
      ((map === 1 && [0x2a, 0x2c, 0x2d, 0x50, 0x6e, 0x7e, 0xc4, 0xc5, 0xd7].includes(opcode)) ||
        (map === 3 && [0x14, 0x15, 0x16, 0x17, 0x20, 0x22].includes(opcode)))
    );
  }
  return !(
    map === 1 &&
    ((opcode >= 0x90 && opcode <= 0x9f) ||
      (opcode >= 0x80 && opcode <= 0x8f) ||
      opcode === 0xb0 ||
      opcode === 0xc0 ||
      (opcode >= 0x06 && opcode <= 0x0f) ||
      (opcode >= 0x18 && opcode < 0x28) ||
      (opcode >= 0x30 && opcode < 0x40))
  );
}

const hex2 = (value: number): string => value.toString(16).padStart(2, "0");

/** A short name of the form: prefix, map, opcode, /digit of a group, operand kind and size, mode. */
export function formName(shape: Shape): string {
  const { map, opcode } = shape;
  let mandatory = "";
  const counts = map === 1 && (opcode === 0xb8 || opcode === 0xbc || opcode === 0xbd);
  if (shape.vex || !isGeneral(map, opcode) || counts || (map === 2 && opcode >= 0xf0)) {
    mandatory = shape.repeat ? `${hex2(shape.repeat)}.` : shape.operandOverride && !counts ? "66." : "";
  } else if ((isString(shape) || (map === 0 && opcode === 0x90)) && shape.repeat) mandatory = `${hex2(shape.repeat)}.`;
  let name = `${shape.vex ? "vex." : ""}${shape.lock ? "lock." : ""}${mandatory}${["", "0f", "0f38", "0f3a"][map] ?? map}`;
  name += hex2(opcode);
  if (isGroup(shape)) name += `/${shape.reg}`;
  if (map === 0 && opcode >= 0xd8 && opcode <= 0xdf && !shape.memory) name += `.${shape.rm}`;
  if (shape.vexL) name += ".256";
  if (shape.modrm >= 0) name += shape.memory ? ":m" : ":r";
  return `${name}${isSized(shape) ? shape.operandSize * 8 : ""}@${["64", "32", "16"][shape.mode]}`;
}

/** String instructions take REP. */
export function isString(shape: Shape): boolean {
  const { map, opcode } = shape;
  return (
    map === 0 &&
    ((opcode >= 0xa4 && opcode <= 0xa7) || (opcode >= 0xaa && opcode <= 0xaf) || (opcode >= 0x6c && opcode <= 0x6f))
  );
}

/** ModRM.reg extends the opcode. */
export function isGroup(shape: Shape): boolean {
  const { map, opcode } = shape;
  if (map === 0) {
    return (
      (opcode >= 0x80 && opcode <= 0x83) ||
      [0x8f, 0xc0, 0xc1, 0xc6, 0xc7, 0xf6, 0xf7, 0xfe, 0xff].includes(opcode) ||
      (opcode >= 0xd0 && opcode <= 0xd3) ||
      (opcode >= 0xd8 && opcode <= 0xdf)
    );
  }
  if (map === 1) {
    return [0x00, 0x01, 0x0d, 0x18, 0x71, 0x72, 0x73, 0xae, 0xba, 0xc7].includes(opcode);
  }
  return map === 2 && shape.vex && opcode === 0xf3;
}
