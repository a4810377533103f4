// Operands for the floating-point differential, and what counts as a difference. Record layouts are those of
// test/oracle/float-oracle.c.
import type { Random } from "./random.ts";

export const IN_BYTES = 64;
export const OUT_BYTES = 64;
export const IN_CONTROL = 4;
export const IN_A = 8;
export const IN_B = 24;
export const IN_EMPTY = 40;
export const OUT_RESULT = 0;
export const OUT_SECOND = 16;
export const OUT_MEMORY = 32;
export const OUT_STATUS = 48;
export const OUT_FLAGS = 52;
export const OUT_TRAPPED = 56;

type Format = { bytes: number; fraction: number; exponent: number };
const F32: Format = { bytes: 4, fraction: 23, exponent: 8 };
const F64: Format = { bytes: 8, fraction: 52, exponent: 11 };
const F16: Format = { bytes: 2, fraction: 10, exponent: 5 };

function bits(random: Random, count: number): bigint {
  const value = (BigInt(random.u32()) << 32n) | BigInt(random.u32());
  return value & ((1n << BigInt(count)) - 1n);
}

/** A fraction: random, sparse at the top, sparse at the bottom, all ones but a few. */
function fraction(random: Random, count: number): bigint {
  const mask = (1n << BigInt(count)) - 1n;
  switch (random.below(6)) {
    case 0:
      return 0n;
    case 1:
      return mask;
    case 2:
      return (bits(random, 4) << BigInt(count - 4)) & mask;
    case 3:
      return bits(random, 3);
    case 4:
      return mask ^ bits(random, 3);
    default:
      return bits(random, count);
  }
}

/** A number of an IEEE format; near another one half of the time, so that sums cancel and comparisons tie. */
function ieee(random: Random, format: Format, near?: bigint): bigint {
  const { fraction: width, exponent: exponentBits } = format;
  const top = (1 << exponentBits) - 1;
  const middle = top >> 1;
  const sign = BigInt(random.below(2)) << BigInt(width + exponentBits);
  if (near !== undefined && random.oneIn(4))
    return (near & ~(1n << BigInt(width + exponentBits)) & ~7n) | sign | bits(random, 3);
  const base = near === undefined ? middle : Number((near >> BigInt(width)) & BigInt(top));
  let exponent: number;
  switch (random.below(8)) {
    case 0:
      exponent = 0;
      break;
    case 1:
      exponent = top;
      break;
    case 2:
      exponent = random.below(top + 1);
      break;
    case 3:
      exponent = 1 + random.below(3);
      break;
    case 4:
      exponent = top - 1 - random.below(3);
      break;
    case 5:
      exponent = middle - 5 + random.below(width + 12);
      break;
    default:
      exponent = base - (width + 3) + random.below(2 * width + 6);
      break;
  }
  exponent = Math.max(0, Math.min(top, exponent));
  return sign | (BigInt(exponent) << BigInt(width)) | fraction(random, width);
}

function writeIeee(buffer: Buffer, at: number, format: Format, value: bigint): void {
  for (let i = 0; i < format.bytes; i++) buffer[at + i] = Number((value >> BigInt(8 * i)) & 255n);
}

function vector(buffer: Buffer, a: number, b: number, format: Format, random: Random): void {
  for (let i = 0; i < 16; i += format.bytes) {
    const first = ieee(random, format);
    writeIeee(buffer, a + i, format, first);
    writeIeee(buffer, b + i, format, ieee(random, format, first));
  }
}

/** An extended number: sign and exponent word, significand. */
function extended(random: Random, near?: number): [number, bigint] {
  let exponent: number;
  switch (random.below(9)) {
    case 0:
      exponent = 0;
      break;
    case 1:
      exponent = 0x7fff;
      break;
    case 2:
      exponent = random.below(0x8000);
      break;
    case 3:
      exponent = 1 + random.below(66);
      break;
    case 4:
      exponent = 0x7ffe - random.below(66);
      break;
    case 5:
      exponent = 0x3fff - 70 + random.below(150);
      break;
    case 6:
      exponent = 0x3fff - 1100 + random.below(2200);
      break;
    default:
      exponent = (near ?? 0x3fff) - 67 + random.below(134);
      break;
  }
  exponent = Math.max(0, Math.min(0x7fff, exponent));
  let significand = fraction(random, 63);
  if (random.oneIn(4)) significand = (significand >> 11n) << 11n;
  if (random.oneIn(8)) significand = (significand >> 40n) << 40n;
  if (random.oneIn(16)) significand = (significand & ~0x7ffn) | [0x3ffn, 0x400n, 0x401n, 0x7ffn][random.below(4)]!;
  // Denormals have no integer bit; now and then the wrong choice: pseudo-denormals, unnormals and their kin.
  if ((exponent !== 0) !== random.oneIn(24)) significand |= 1n << 63n;
  return [exponent | (random.below(2) << 15), significand];
}

function writeExtended(buffer: Buffer, at: number, [exponent, significand]: [number, bigint]): void {
  buffer.writeBigUInt64LE(significand, at);
  buffer.writeUInt16LE(exponent, at + 8);
}

function decimal(buffer: Buffer, at: number, random: Random): void {
  for (let i = 0; i < 9; i++) buffer[at + i] = random.below(10) | (random.below(10) << 4);
  buffer[at + 9] = random.below(256);
}

/** Fills in one random case of operation `name`. */
export function randomCase(buffer: Buffer, at: number, index: number, name: string, random: Random): void {
  buffer.writeUInt32LE(index, at);
  const a = at + IN_A;
  const b = at + IN_B;
  if (/^f/.test(name)) {
    const first = extended(random);
    writeExtended(buffer, a, first);
    writeExtended(buffer, b, extended(random, first[0] & 0x7fff));
    if (/_f32$/.test(name)) writeIeee(buffer, b, F32, ieee(random, F32));
    else if (/_f64$/.test(name)) writeIeee(buffer, b, F64, ieee(random, F64));
    else if (/_i\d\d$/.test(name))
      buffer.writeBigUInt64LE(BigInt.asUintN(64, BigInt.asIntN(64, bits(random, 64)) >> BigInt(random.below(64))), b);
    else if (name === "fbld") decimal(buffer, b, random);
    // Half the time everything masked; reserved bits as they are after FNINIT.
    const masks = random.oneIn(2) ? 0x3f : random.below(64);
    const precision = random.oneIn(2) ? 3 : [0, 2, 3][random.below(3)]!;
    buffer.writeUInt32LE(0x40 | masks | (precision << 8) | (random.below(4) << 10), at + IN_CONTROL);
    if (random.oneIn(16)) buffer.writeUInt32LE(1 + random.below(2), at + IN_EMPTY);
    return;
  }
  const format = /cvtph/.test(name) ? F16 : /(ps|ss)(_|$)|ps2|ss2/.test(name) && !/2ps$|2ss$/.test(name) ? F32 : F64;
  vector(buffer, a, b, format, random);
  if (/^cvt(dq|si)2/.test(name)) {
    for (let i = 0; i < 16; i += 8)
      buffer.writeBigUInt64LE(
        BigInt.asUintN(64, BigInt.asIntN(64, bits(random, 64)) >> BigInt(random.below(64))),
        b + i,
      );
  }
  const masks = random.oneIn(2) ? 0x3f : random.below(64);
  const sticky = random.oneIn(2) ? 0x20 : random.below(64) & masks;
  const modes = random.oneIn(2) ? 0 : random.below(8);
  const control =
    (masks << 7) |
    (sticky & masks) |
    ((modes & 3) << 13) |
    (random.oneIn(4) ? 0x40 : 0) |
    (random.oneIn(4) ? 0x8000 : 0);
  buffer.writeUInt32LE(control, at + IN_CONTROL);
}

const hex = (bytes: Buffer) => Buffer.from(bytes).reverse().toString("hex");

function describe(record: Buffer, answer: Buffer, mine: Buffer): string {
  const side = (o: Buffer) =>
    `${hex(o.subarray(0, 16))} ${hex(o.subarray(16, 32))} mem ${hex(o.subarray(32, 48))} status ${o.readUInt32LE(48).toString(16)} flags ${o.readUInt32LE(52).toString(16)} trap ${o.readUInt32LE(56)}`;
  const control = record.readUInt32LE(IN_CONTROL).toString(16);
  return `  a ${hex(record.subarray(IN_A, IN_A + 16))} b ${hex(record.subarray(IN_B, IN_B + 16))} control ${control} empty ${record.readUInt32LE(IN_EMPTY)}\n  host ${side(answer)}\n  wkvm ${side(mine)}`;
}

/** Description of a difference, or undefined. RCP and RSQRT are compared by their documented error bound. */
export function compareSse(name: string, record: Buffer, answer: Buffer, mine: Buffer): string | undefined {
  if (/^r(cp|sqrt)/.test(name)) {
    for (let i = 0; i < 16; i += 4) {
      const exact = answer.readFloatLE(i);
      const value = mine.readFloatLE(i);
      const same = Object.is(exact, value) || (Number.isNaN(exact) && Number.isNaN(value));
      if (!same && !(Math.abs(exact - value) <= Math.abs(exact) * 3 * 2 ** -12)) return describe(record, answer, mine);
    }
    return undefined;
  }
  return answer.subarray(0, 60).equals(mine.subarray(0, 60)) ? undefined : describe(record, answer, mine);
}

/** Description of a difference, or undefined. What empty registers hold does not count. */
export function compareX87(name: string, record: Buffer, answer: Buffer, mine: Buffer): string | undefined {
  // Before its first use a register holds what the last case left, and FXAM reports its sign in C1.
  if (name === "fxam" && record.readUInt32LE(IN_EMPTY) === 2) answer[OUT_STATUS + 1]! &= ~2;
  const top = (answer.readUInt32LE(OUT_STATUS) >> 11) & 7;
  const tags = answer.readUInt32LE(OUT_FLAGS) >> 16;
  for (let i = 0; i < 2; i++) {
    if ((tags >> ((top + i) & 7)) & 1) continue;
    answer.fill(0, i * 16, i * 16 + 16);
    mine.fill(0, i * 16, i * 16 + 16);
  }
  if (answer.subarray(0, 60).equals(mine.subarray(0, 60))) return undefined;
  const difference = describe(record, answer, mine);
  if (TRANSCENDENTAL.test(name)) forgiveLastPlace(answer, mine);
  return answer.subarray(0, 60).equals(mine.subarray(0, 60)) ? undefined : difference;
}

const TRANSCENDENTAL = /^f(2xm1|yl2x|yl2xp1|sin|cos|sincos|ptan|patan)$/;

// Silicon's transcendental results may differ in the last place, and with them C1.
function forgiveLastPlace(answer: Buffer, mine: Buffer): void {
  for (const buffer of [answer, mine]) buffer[OUT_STATUS + 1]! &= ~2;
  for (const at of [OUT_RESULT, OUT_SECOND]) {
    const ordinal = (b: Buffer) =>
      (BigInt(b.readUInt16LE(at + 8) & 0x7fff) << 63n) | (b.readBigUInt64LE(at) & ((1n << 63n) - 1n));
    const distance = ordinal(answer) - ordinal(mine);
    const sameSign = ((answer[at + 9]! ^ mine[at + 9]!) & 0x80) === 0;
    if (sameSign && distance >= -1n && distance <= 1n) mine.copy(answer, at, at, at + 10);
  }
}
