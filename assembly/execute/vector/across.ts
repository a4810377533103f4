// Shuffles of a 256-bit register, given as its halves, and permutations by the lanes of another register. SDM volume 2,
// VPERM2F128, VPERMQ, VPERMD, VPERMILPS, VPERMILPD.

/** VPERM2F128: half number choice[1:0] of a, then b; 0 where choice[3] is set. */
export function choose128(aLow: v128, aHigh: v128, bLow: v128, bHigh: v128, choice: u32): v128 {
  if (choice & 8) return i64x2.splat(0);
  if (choice & 2) return choice & 1 ? bHigh : bLow;
  return choice & 1 ? aHigh : aLow;
}

// @ts-ignore: decorator
@inline function quadword(low: v128, high: v128, number: u32): u64 {
  const half = number & 2 ? high : low;
  return number & 1 ? i64x2.extract_lane(half, 1) : i64x2.extract_lane(half, 0);
}

/** VPERMQ, one half of the result: the quadwords numbered choice[1:0] and choice[3:2]. */
export function choose64(low: v128, high: v128, choice: u32): v128 {
  return i64x2.replace_lane(i64x2.splat(quadword(low, high, choice & 3)), 1, quadword(low, high, choice >> 2 & 3));
}

/** Byte numbers 0 to 15 for the 32-bit lanes numbered by the low two bits of each lane. */
// @ts-ignore: decorator
@inline function bytes32(numbers: v128): v128 {
  return i32x4.add(i32x4.mul(v128.and(numbers, i32x4.splat(3)), i32x4.splat(0x04040404)), i32x4.splat(0x03020100));
}

/** VPERMD, one half of the result: the doublewords numbered by the low three bits of each lane. */
export function choose32(low: v128, high: v128, numbers: v128): v128 {
  const bytes = bytes32(numbers);
  const upper = i32x4.shr_s(i32x4.shl(numbers, 29), 31);
  return v128.bitselect(i8x16.swizzle(high, bytes), i8x16.swizzle(low, bytes), upper);
}

/** VPERMILPS by a register. */
export function permute32(x: v128, numbers: v128): v128 {
  return i8x16.swizzle(x, bytes32(numbers));
}

/** VPERMILPD by a register: bit 1 of each quadword chooses. */
export function permute64(x: v128, numbers: v128): v128 {
  const upper = i64x2.shr_s(i64x2.shl(numbers, 62), 63);
  return v128.bitselect(i64x2.shuffle(x, x, 1, 1), i64x2.shuffle(x, x, 0, 0), upper);
}
