// 64-bit integers as two int32 halves, low first. A 64-bit result is returned by its low half; `high` has the other,
// until the next call.

/** High half of the last 64-bit result. */
export let high = 0;

/** Product of two unsigned words. */
export function multiplyWords(a: number, b: number): number {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const low = al * bl;
  const middle = ah * bl + (low >>> 16);
  const cross = al * bh + (middle & 0xffff);
  high = (ah * bh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) | 0;
  return Math.imul(a, b);
}

export function multiply(al: number, ah: number, bl: number, bh: number): number {
  const low = multiplyWords(al, bl);
  high = (high + Math.imul(al, bh) + Math.imul(ah, bl)) | 0;
  return low;
}

const TWO_32 = 4294967296;
/** Quotients of numbers below this are exact in doubles. */
const EXACT_HIGH = 0x200000;

const join = (low: number, upper: number): bigint => (BigInt(upper) << 32n) | BigInt(low >>> 0);

function split(x: bigint): number {
  high = Number(BigInt.asIntN(32, x >> 32n));
  return Number(BigInt.asIntN(32, x));
}

function wide(x: number): number {
  high = Math.floor(x / TWO_32) | 0;
  return x | 0;
}

export function divideUnsigned(al: number, ah: number, bl: number, bh: number): number {
  if (ah >>> 0 < EXACT_HIGH && bh >>> 0 < EXACT_HIGH) {
    return wide(Math.floor(((ah >>> 0) * TWO_32 + (al >>> 0)) / ((bh >>> 0) * TWO_32 + (bl >>> 0))));
  }
  return split(BigInt.asUintN(64, join(al, ah)) / BigInt.asUintN(64, join(bl, bh)));
}

export function remainderUnsigned(al: number, ah: number, bl: number, bh: number): number {
  if (ah >>> 0 < EXACT_HIGH && bh >>> 0 < EXACT_HIGH) {
    return wide(((ah >>> 0) * TWO_32 + (al >>> 0)) % ((bh >>> 0) * TWO_32 + (bl >>> 0)));
  }
  return split(BigInt.asUintN(64, join(al, ah)) % BigInt.asUintN(64, join(bl, bh)));
}

export function divideSigned(al: number, ah: number, bl: number, bh: number): number {
  return split(join(al, ah) / join(bl, bh));
}

export function remainderSigned(al: number, ah: number, bl: number, bh: number): number {
  return split(join(al, ah) % join(bl, bh));
}

/** Counts of shifts and rotations are taken modulo 64. */
export function shiftLeft(low: number, upper: number, count: number): number {
  const n = count & 63;
  if (n >= 32) {
    high = low << (n - 32);
    return 0;
  }
  high = n === 0 ? upper : (upper << n) | (low >>> (32 - n));
  return low << n;
}

export function shiftRight(low: number, upper: number, count: number): number {
  const n = count & 63;
  if (n >= 32) {
    high = 0;
    return (upper >>> (n - 32)) | 0;
  }
  high = (upper >>> n) | 0;
  return n === 0 ? low : (low >>> n) | (upper << (32 - n));
}

export function shiftRightSigned(low: number, upper: number, count: number): number {
  const n = count & 63;
  if (n >= 32) {
    high = upper >> 31;
    return upper >> (n - 32);
  }
  high = upper >> n;
  return n === 0 ? low : (low >>> n) | (upper << (32 - n));
}

export function rotateLeft(low: number, upper: number, count: number): number {
  const n = count & 31;
  const [l, h] = count & 32 ? [upper, low] : [low, upper];
  if (n === 0) {
    high = h;
    return l;
  }
  high = (h << n) | (l >>> (32 - n));
  return (l << n) | (h >>> (32 - n));
}

export function rotateRight(low: number, upper: number, count: number): number {
  return rotateLeft(low, upper, -count);
}

export function ctz32(x: number): number {
  return x === 0 ? 32 : 31 - Math.clz32(x & -x);
}

export function ctz64(low: number, upper: number): number {
  return low === 0 ? 32 + ctz32(upper) : ctz32(low);
}

export function clz64(low: number, upper: number): number {
  return upper === 0 ? 32 + Math.clz32(low) : Math.clz32(upper);
}

export function popcnt32(x: number): number {
  let n = x - ((x >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

export function popcnt64(low: number, upper: number): number {
  return popcnt32(low) + popcnt32(upper);
}

/** The bytes of a word in the other order. */
export function swapWord(x: number): number {
  return (x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);
}

export function swapBytes(low: number, upper: number): number {
  high = swapWord(low);
  return swapWord(upper);
}

export function absolute(low: number, upper: number): number {
  if (upper >= 0) {
    high = upper;
    return low;
  }
  high = (~upper + (low === 0 ? 1 : 0)) | 0;
  return -low | 0;
}
