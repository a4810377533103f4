// Shuffles by an immediate: the two-bit lane numbers in it are spread to the byte numbers that a swizzle takes. SDM
// volume 2, PSHUFD, PSHUFLW, PSHUFHW, SHUFPS, SHUFPD.

/** Byte numbers for four 32-bit lanes. */
// @ts-ignore: decorator
@inline function lanes32(choice: u32): v128 {
  // Each lane moves its own two bits to the same place.
  const moved = i32x4.shr_u(i32x4.mul(i32x4.splat(choice), i32x4(64, 16, 4, 1)), 6);
  return i32x4.add(i32x4.mul(v128.and(moved, i32x4.splat(3)), i32x4.splat(0x04040404)), i32x4.splat(0x03020100));
}

/** Byte numbers for four 16-bit lanes, the first of which is `first`, in both halves. */
// @ts-ignore: decorator
@inline function lanes16(choice: u32, first: i16): v128 {
  const moved = i16x8.shr_u(i16x8.mul(i16x8.splat(<i16>choice), i16x8(64, 16, 4, 1, 64, 16, 4, 1)), 6);
  const at = i16x8.add(i16x8.mul(v128.and(moved, i16x8.splat(3)), i16x8.splat(0x0202)), i16x8.splat(0x0100));
  return i16x8.add(at, i16x8.splat(first * 0x0202));
}

/** PSHUFD. */
export function shuffle32(x: v128, choice: u32): v128 {
  return i8x16.swizzle(x, lanes32(choice));
}

/** PSHUFLW, and PSHUFW in the low half. */
export function shuffleLow16(x: v128, choice: u32): v128 {
  return i64x2.shuffle(i8x16.swizzle(x, lanes16(choice, 0)), x, 0, 3);
}

/** PSHUFHW. */
export function shuffleHigh16(x: v128, choice: u32): v128 {
  return i64x2.shuffle(x, i8x16.swizzle(x, lanes16(choice, 4)), 0, 3);
}

/** SHUFPS: two lanes of x, then two of y. */
export function shufflePair32(x: v128, y: v128, choice: u32): v128 {
  const lanes = lanes32(choice);
  return i64x2.shuffle(i8x16.swizzle(x, lanes), i8x16.swizzle(y, lanes), 0, 3);
}

/** SHUFPD: one lane of x, then one of y. */
export function shufflePair64(x: v128, y: v128, choice: u32): v128 {
  const low = choice & 1 ? i64x2.extract_lane(x, 1) : i64x2.extract_lane(x, 0);
  const high = choice & 2 ? i64x2.extract_lane(y, 1) : i64x2.extract_lane(y, 0);
  return i64x2.replace_lane(i64x2.splat(low), 1, high);
}
