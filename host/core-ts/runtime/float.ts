// Floating-point numbers as bit patterns, and conversions that saturate, as WebAssembly's do.

/** High half of the last 64-bit result. */
export let high = 0;

const F64 = new Float64Array(1);
const F32 = new Float32Array(F64.buffer);
const I32 = new Int32Array(F64.buffer);

export function f64FromBits(low: number, upper: number): number {
  I32[0] = low;
  I32[1] = upper;
  return F64[0]!;
}

export function bitsOfF64(x: number): number {
  F64[0] = x;
  high = I32[1]!;
  return I32[0]!;
}

export function f32FromBits(bits: number): number {
  I32[0] = bits;
  return F32[0]!;
}

export function bitsOfF32(x: number): number {
  F32[0] = x;
  return I32[0]!;
}

const clamp = (x: number, low: number, top: number): number =>
  x >= top ? top : x > low ? Math.trunc(x) : x <= low ? low : 0;

export const i32FromFloat = (x: number): number => clamp(x, -0x80000000, 0x7fffffff) | 0;
export const u32FromFloat = (x: number): number => clamp(x, 0, 0xffffffff) | 0;
export const i16FromFloat = (x: number): number => (i32FromFloat(x) << 16) >> 16;
export const u16FromFloat = (x: number): number => i32FromFloat(x) & 0xffff;
export const i8FromFloat = (x: number): number => (i32FromFloat(x) << 24) >> 24;
export const u8FromFloat = (x: number): number => i32FromFloat(x) & 0xff;

const TWO_63 = 2 ** 63;
const TWO_64 = 2 ** 64;

export function i64FromFloat(x: number): number {
  if (x >= TWO_63) {
    high = 0x7fffffff;
    return -1;
  }
  if (!(x > -TWO_63)) {
    // Not a number, or below all integers.
    high = x <= -TWO_63 ? -0x80000000 : 0;
    return 0;
  }
  const whole = Math.trunc(x);
  const upper = Math.floor(whole / 4294967296);
  high = upper | 0;
  return (whole - upper * 4294967296) | 0;
}

export function u64FromFloat(x: number): number {
  if (x >= TWO_64) {
    high = -1;
    return -1;
  }
  if (!(x > 0)) {
    high = 0;
    return 0;
  }
  const whole = Math.trunc(x);
  const upper = Math.floor(whole / 4294967296);
  high = upper | 0;
  return (whole - upper * 4294967296) | 0;
}

/** To single precision in one rounding: what a double cannot hold is kept as a sticky bit. */
function toSingle(x: bigint): number {
  const magnitude = x < 0n ? -x : x;
  const shift = BigInt(Math.max(0, magnitude.toString(2).length - 32));
  const sticky = (magnitude & ((1n << shift) - 1n)) !== 0n ? 1n : 0n;
  const rounded = Math.fround(Number(((magnitude >> shift) << 1n) | sticky)) * 2 ** (Number(shift) - 1);
  return x < 0n ? -rounded : rounded;
}

export function f32FromI64(low: number, upper: number): number {
  return toSingle((BigInt(upper) << 32n) | BigInt(low >>> 0));
}

export function f32FromU64(low: number, upper: number): number {
  return toSingle((BigInt(upper >>> 0) << 32n) | BigInt(low >>> 0));
}
