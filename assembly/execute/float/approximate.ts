// RCP and RSQRT: approximations within 1.5 * 2^-12 of the value (SDM volume 2), independent of the rounding mode,
// without exceptions. Each vendor's silicon gives other bits within that bound; here it is the exact value cut to
// 13 bits of fraction, so that powers of two come out exact.
const SIGN: u32 = 0x80000000;
const INFINITE: u32 = 0x7f800000;
const SMALLEST: u32 = 0x00800000;
/** 2^126. */
const LARGE: u32 = 0x7e800000;
const DEFAULT_NAN: u32 = 0xffc00000;
const QUIET: u32 = 0x00400000;
const KEPT: u32 = 0xfffffc00;

/** RCPSS of one lane: denormals count as zeros; results below the normal range become zeros. */
export function reciprocalF32(a: u32): u32 {
  const sign = a & SIGN;
  const size = a & ~SIGN;
  if (size > INFINITE) return a | QUIET;
  // The reciprocal of 2^126 would still be normal, but is flushed like the denormal ones.
  if (size >= LARGE) return sign;
  if (size < SMALLEST) return sign | INFINITE;
  const result = reinterpret<u32>(<f32>(1.0 / <f64>reinterpret<f32>(a)));
  return (result + (~KEPT >> 1) + 1) & KEPT;
}

/** RSQRTSS of one lane: denormals count as zeros; negative numbers give the default NaN. */
export function reciprocalSqrtF32(a: u32): u32 {
  const sign = a & SIGN;
  const size = a & ~SIGN;
  if (size > INFINITE) return a | QUIET;
  if (size < SMALLEST) return sign | INFINITE;
  if (sign) return DEFAULT_NAN;
  if (size == INFINITE) return 0;
  const result = reinterpret<u32>(<f32>(1.0 / Math.sqrt(<f64>reinterpret<f32>(a))));
  return (result + (~KEPT >> 1) + 1) & KEPT;
}
