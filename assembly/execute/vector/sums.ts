// PHMINPOSUW and MPSADBW. SDM volume 2.

/** The smallest word of x in the low word of the result, its number in the next, zeros above. */
export function minimumPosition(x: v128): v128 {
  // Each word and its number as one lane, so that the smallest lane is the first of the smallest words.
  const low = v128.or(i32x4.shl(i32x4.extend_low_i16x8_u(x), 3), i32x4(0, 1, 2, 3));
  const high = v128.or(i32x4.shl(i32x4.extend_high_i16x8_u(x), 3), i32x4(4, 5, 6, 7));
  let least = i32x4.min_u(low, high);
  least = i32x4.min_u(least, i32x4.shuffle(least, least, 2, 3, 0, 1));
  least = i32x4.min_u(least, i32x4.shuffle(least, least, 1, 0, 3, 2));
  const found = <u32>i32x4.extract_lane(least, 0);
  return i32x4.replace_lane(i32x4.splat(0), 0, (found >> 3) | (found & 7) << 16);
}

/** Eight sums of distances: of the four bytes of y at 4 * choice[1:0] to those of x from 4 * choice[2] + 0 to 7. */
export function sumsOfDistances(x: v128, y: v128, choice: u32): v128 {
  const at = <i8>(choice & 4);
  const numbers = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const from = i8x16.swizzle(x, i8x16.add(numbers, i8x16.splat(at)));
  let sums = i16x8.splat(0);
  for (let i = 0; i < 4; i++) {
    const one = i8x16.swizzle(y, i8x16.splat(<i8>((choice & 3) * 4 + i)));
    const run = i8x16.swizzle(from, i8x16.add(numbers, i8x16.splat(<i8>i)));
    const distance = v128.or(i8x16.sub_sat_u(run, one), i8x16.sub_sat_u(one, run));
    sums = i16x8.add(sums, i16x8.extend_low_i8x16_u(distance));
  }
  return sums;
}
