// Values worth trying: the edges of every width and format, and random ones between them.
import type { Random } from "./random.ts";

const EDGES_32 = [
  0, 1, 2, 3, 7, 8, 0xf, 0x10, 0x1f, 0x20, 0x3f, 0x40, 0x7e, 0x7f, 0x80, 0x81, 0x99, 0x9a, 0xfe, 0xff, 0x100, 0x7ffe,
  0x7fff, 0x8000, 0x8001, 0xff7f, 0xff80, 0xfffe, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe,
  0xffffffff, 0xffff8000, 0xffffff80, 0xffffff7f, 0x55555555, 0xaaaaaaaa, 0x01010101,
];

/** A 64-bit integer as [low, high]. */
export function integer(random: Random, out: Uint32Array): void {
  const kind = random.below(8);
  let low = random.u32();
  let high = random.u32();
  if (kind === 0) {
    low = random.pick(EDGES_32);
    high = low & 0x80000000 && random.oneIn(2) ? 0xffffffff : 0;
  } else if (kind === 1) {
    low = random.pick(EDGES_32);
    high = random.pick(EDGES_32);
  } else if (kind === 2) {
    const bit = random.below(64);
    low = bit < 32 ? (1 << bit) >>> 0 : 0;
    high = bit < 32 ? 0 : (1 << (bit - 32)) >>> 0;
    if (random.oneIn(3)) {
      low = ~low >>> 0;
      high = ~high >>> 0;
    }
  } else if (kind === 3) {
    low >>>= random.below(32);
    high = 0;
  } else if (kind === 4) {
    low = (low & 0xff) - 128;
    high = low < 0 ? 0xffffffff : 0;
    low >>>= 0;
  } else if (kind === 5) {
    high = 0;
  }
  out[0] = low;
  out[1] = high;
}

const EDGES_F16 = [
  0, 0x8000, 0x3c00, 0xbc00, 1, 0x8001, 0x03ff, 0x0400, 0x8400, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7e00, 0xfe00, 0x7d01,
  0xfd55, 0x7dff, 0x7fff,
];

/** The bits of a half-precision number. */
export function float16(random: Random): number {
  return random.oneIn(3) ? random.pick(EDGES_F16) : random.u32() >>> 16;
}

const EDGES_F32 = [
  0, 0x80000000, 0x3f800000, 0xbf800000, 0x3f000000, 0x40000000, 0x40490fdb, 1, 0x80000001, 0x007fffff, 0x00800000,
  0x80800000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7fc12345, 0x7f800001,
  0xffa00000, 0x7fbfffff, 0x4effffff, 0x4f000000, 0xcf000000, 0xcf000001, 0x5effffff, 0x5f000000, 0xdf000000,
  0x46fffe00, 0x47000000, 0xc7000000, 0x3effffff, 0x3f000001, 0x3fc00000, 0x4b000000, 0x4b800001, 0x33800000,
  0x33ffffff, 0x34000000, 0x00ffffff, 0x01000000, 0x20000000, 0x5f800000,
];

/** The bits of a single-precision number. */
export function float32(random: Random): number {
  const kind = random.below(8);
  if (kind < 3) return random.pick(EDGES_F32);
  const bits = random.u32();
  if (kind === 3) return bits;
  if (kind === 4) return (bits & 0x80ffffff) | (random.below(3) << 23);
  // Exponents near one, so that sums cancel and products stay finite.
  return ((bits & 0x807fffff) | ((118 + random.below(20)) << 23)) & (kind === 5 ? 0xfffff000 : 0xffffffff);
}

const EDGES_F64_HIGH = [
  0, 0x80000000, 0x3ff00000, 0xbff00000, 0x3fe00000, 0x40000000, 0x400921fb, 0x000fffff, 0x00100000, 0x80100000,
  0x7fefffff, 0xffefffff, 0x7ff00000, 0xfff00000, 0x7ff80000, 0xfff80000, 0x7ff81234, 0x7ff40000, 0x41dfffff,
  0x41e00000, 0xc1e00000, 0x43dfffff, 0x43e00000, 0xc3e00000, 0x47efffff, 0x47f00000, 0x380fffff, 0x38100000,
  0x36a00000, 0x369fffff, 0x38000000, 0x40dfffc0, 0x40e00000, 0x3ff80000, 0x43300000, 0x3ca00000, 0x3cb00000,
];
const EDGES_F64_LOW = [0, 0, 0, 1, 0xffffffff, 0xfffffffe, 0x80000000, 0xe0000000, 0xf0000000, 0x10000000, 0x54442d18];

/** The bits of a double-precision number as [low, high]. */
export function float64(random: Random, out: Uint32Array): void {
  const kind = random.below(8);
  let low = random.u32();
  let high = random.u32();
  if (kind < 3) {
    high = random.pick(EDGES_F64_HIGH);
    low = random.pick(EDGES_F64_LOW);
  } else if (kind === 4) {
    high = (high & 0x801fffff) >>> 0;
  } else if (kind > 4) {
    high = ((high & 0x800fffff) | ((1013 + random.below(20)) << 20)) >>> 0;
    if (kind === 5) low = 0;
  }
  out[0] = low;
  out[1] = high;
}

const EXPONENTS_80 = [
  0, 0, 1, 2, 0x3fff, 0x3ffe, 0x4000, 0x4001, 0x7ffe, 0x7fff, 0x7fff, 0x400d, 0x400e, 0x400f, 0x401d, 0x401e, 0x401f,
  0x403d, 0x403e, 0x403f, 0x3fc0, 0x3fbf, 0x3f80, 0x3f81, 0x3f6a, 0x3c00, 0x3c01, 0x3bcd, 0x407e, 0x407f, 0x43fe,
  0x43ff, 0x4400,
];

/** An 80-bit number: ten bytes at `at`. */
export function float80(random: Random, view: DataView, at: number): void {
  const kind = random.below(8);
  let low = random.u32();
  let high = (random.u32() | 0x80000000) >>> 0;
  let exponent = 0x3ff0 + random.below(32);
  if (kind < 3) {
    exponent = random.pick(EXPONENTS_80);
    const significand = random.below(6);
    if (significand < 2) {
      high = 0x80000000;
      low = 0;
    } else if (significand === 2) {
      high = 0xffffffff;
      low = 0xffffffff;
    } else if (significand === 3) {
      high = random.pick([0, 0, 0x40000000, 0xc0000000, 0x7fffffff, 0x80000000]);
      low = random.pick([0, 0, 1, 0x400, 0x800]);
    } else if (significand === 4) {
      low &= 0xfffff800;
    }
    // Zero, unless the denormal or unnormal was meant.
    if (exponent === 0 && random.oneIn(2)) high = low = 0;
  } else if (kind === 3) {
    exponent = random.below(0x8000);
  } else if (kind === 4) {
    // Small integers.
    const shift = random.below(16);
    exponent = 0x3fff + shift;
    high = (0x80000000 | (high & (0xffffffff << (31 - shift)))) >>> 0;
    low = 0;
  }
  view.setUint32(at, low, true);
  view.setUint32(at + 4, high, true);
  view.setUint16(at + 8, exponent | (random.oneIn(2) ? 0x8000 : 0), true);
}
