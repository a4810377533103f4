// PCLMULQDQ: a product of polynomials over GF(2). SDM volume 2.

const HOLES: u64 = 0x1111111111111111;

/** The low 64 bits of the product. Integer products of numbers with three zeros between their bits: the sums that
 * carries would spoil stay below 16, but for those that leave at the top. */
function low(a: u64, b: u64): u64 {
  let result: u64 = 0;
  for (let i: u64 = 0; i < 4; i++) {
    let sum: u64 = 0;
    for (let j: u64 = 0; j < 4; j++) sum ^= (a & (HOLES << j)) * (b & (HOLES << ((i - j) & 3)));
    result |= sum & (HOLES << i);
  }
  return result;
}

/** The bits in reverse order. */
function reverse(x: u64): u64 {
  x = ((x >> 1) & 0x5555555555555555) | ((x & 0x5555555555555555) << 1);
  x = ((x >> 2) & 0x3333333333333333) | ((x & 0x3333333333333333) << 2);
  x = ((x >> 4) & 0x0f0f0f0f0f0f0f0f) | ((x & 0x0f0f0f0f0f0f0f0f) << 4);
  return bswap<u64>(x);
}

/** The 127-bit product of the halves of x and y that bits 0 and 4 of `choice` name. */
export function multiply(x: v128, y: v128, choice: u32): v128 {
  const a = choice & 1 ? i64x2.extract_lane(x, 1) : i64x2.extract_lane(x, 0);
  const b = choice & 16 ? i64x2.extract_lane(y, 1) : i64x2.extract_lane(y, 0);
  // Of the reversed product the low half is the high half, one place up.
  const high = reverse(low(reverse(a), reverse(b))) >> 1;
  return i64x2.replace_lane(i64x2.splat(low(a, b)), 1, high);
}
