// Shifts of packed lanes: a count beyond the lane's width gives zeros or signs, where WebAssembly would take it modulo
// the width. SDM volume 2, PSLLW to PSRLQ, PSLLDQ, PSRLDQ, PALIGNR.

// @ts-ignore: decorator
@inline function nothing(): v128 { return i64x2.splat(0); }

/** PSLLW. */
export function shiftLeft16(x: v128, count: u64): v128 { return count > 15 ? nothing() : i16x8.shl(x, <i32>count); }
/** PSLLD. */
export function shiftLeft32(x: v128, count: u64): v128 { return count > 31 ? nothing() : i32x4.shl(x, <i32>count); }
/** PSLLQ. */
export function shiftLeft64(x: v128, count: u64): v128 { return count > 63 ? nothing() : i64x2.shl(x, <i32>count); }
/** PSRLW. */
export function shiftRight16(x: v128, count: u64): v128 { return count > 15 ? nothing() : i16x8.shr_u(x, <i32>count); }
/** PSRLD. */
export function shiftRight32(x: v128, count: u64): v128 { return count > 31 ? nothing() : i32x4.shr_u(x, <i32>count); }
/** PSRLQ. */
export function shiftRight64(x: v128, count: u64): v128 { return count > 63 ? nothing() : i64x2.shr_u(x, <i32>count); }
/** PSRAW. */
export function shiftSigned16(x: v128, count: u64): v128 { return i16x8.shr_s(x, count > 15 ? 15 : <i32>count); }
/** PSRAD. */
export function shiftSigned32(x: v128, count: u64): v128 { return i32x4.shr_s(x, count > 31 ? 31 : <i32>count); }

/** 0 to 15: the lane numbers that swizzle takes; those from 16 to 255 give zero. */
// @ts-ignore: decorator
@inline function identity(): v128 { return i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15); }

/** PSRLDQ by `count` bytes. */
export function bytesRight(x: v128, count: u32): v128 {
  return i8x16.swizzle(x, i8x16.add(identity(), i8x16.splat(<i8>min<u32>(count, 16))));
}

/** PSLLDQ by `count` bytes. */
export function bytesLeft(x: v128, count: u32): v128 {
  return i8x16.swizzle(x, i8x16.sub(identity(), i8x16.splat(<i8>min<u32>(count, 16))));
}

/** PALIGNR: the low 16 of the bytes of high:low, shifted right by `count` bytes. */
export function alignRight(high: v128, low: v128, count: u32): v128 {
  const from = i8x16.add(identity(), i8x16.splat(<i8>min<u32>(count, 32)));
  return v128.or(i8x16.swizzle(low, from), i8x16.swizzle(high, i8x16.sub(from, i8x16.splat(16))));
}
