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

// @ts-ignore: decorator
@inline function left32(x: u32, count: u32): u32 { return count > 31 ? 0 : x << count; }
// @ts-ignore: decorator
@inline function right32(x: u32, count: u32): u32 { return count > 31 ? 0 : x >>> count; }
// @ts-ignore: decorator
@inline function signed32(x: i32, count: u32): i32 { return x >> <i32>min<u32>(count, 31); }
// @ts-ignore: decorator
@inline function left64(x: u64, count: u64): u64 { return count > 63 ? 0 : x << count; }
// @ts-ignore: decorator
@inline function right64(x: u64, count: u64): u64 { return count > 63 ? 0 : x >>> count; }

/** VPSLLVD: each lane by the count in its own lane of `counts`. */
export function shiftLeftEach32(x: v128, counts: v128): v128 {
  return i32x4.replace_lane(
    i32x4.replace_lane(
      i32x4.replace_lane(
        i32x4.splat(left32(i32x4.extract_lane(x, 0), i32x4.extract_lane(counts, 0))),
        1, left32(i32x4.extract_lane(x, 1), i32x4.extract_lane(counts, 1)),
      ), 2, left32(i32x4.extract_lane(x, 2), i32x4.extract_lane(counts, 2)),
    ), 3, left32(i32x4.extract_lane(x, 3), i32x4.extract_lane(counts, 3)),
  );
}

/** VPSRLVD. */
export function shiftRightEach32(x: v128, counts: v128): v128 {
  return i32x4.replace_lane(
    i32x4.replace_lane(
      i32x4.replace_lane(
        i32x4.splat(right32(i32x4.extract_lane(x, 0), i32x4.extract_lane(counts, 0))),
        1, right32(i32x4.extract_lane(x, 1), i32x4.extract_lane(counts, 1)),
      ), 2, right32(i32x4.extract_lane(x, 2), i32x4.extract_lane(counts, 2)),
    ), 3, right32(i32x4.extract_lane(x, 3), i32x4.extract_lane(counts, 3)),
  );
}

/** VPSRAVD. */
export function shiftSignedEach32(x: v128, counts: v128): v128 {
  return i32x4.replace_lane(
    i32x4.replace_lane(
      i32x4.replace_lane(
        i32x4.splat(signed32(i32x4.extract_lane(x, 0), i32x4.extract_lane(counts, 0))),
        1, signed32(i32x4.extract_lane(x, 1), i32x4.extract_lane(counts, 1)),
      ), 2, signed32(i32x4.extract_lane(x, 2), i32x4.extract_lane(counts, 2)),
    ), 3, signed32(i32x4.extract_lane(x, 3), i32x4.extract_lane(counts, 3)),
  );
}

/** VPSLLVQ. */
export function shiftLeftEach64(x: v128, counts: v128): v128 {
  const low = left64(i64x2.extract_lane(x, 0), i64x2.extract_lane(counts, 0));
  return i64x2.replace_lane(i64x2.splat(low), 1, left64(i64x2.extract_lane(x, 1), i64x2.extract_lane(counts, 1)));
}

/** VPSRLVQ. */
export function shiftRightEach64(x: v128, counts: v128): v128 {
  const low = right64(i64x2.extract_lane(x, 0), i64x2.extract_lane(counts, 0));
  return i64x2.replace_lane(i64x2.splat(low), 1, right64(i64x2.extract_lane(x, 1), i64x2.extract_lane(counts, 1)));
}
