// Arithmetic on numbers with 128 bits of significand, high:low / 2^127 * 2^exp, for the transcendental functions:
// results in outExp, outHigh, outLow of arithmetic.ts, wrong by a few units of 2^-127 at most. Series in fixed point.
import { normalize, outExp, outHigh, outLow } from "./arithmetic";
import { mulHigh, mulWide, shiftRightJam, wideLow } from "./wide";

/** Low word of the last fixed-point result. */
export let fixedLow: u64 = 0;

/** (aHigh:aLow) * (bHigh:bLow) / 2^128: the high word; the low one is in fixedLow. */
export function mulFixed(aHigh: u64, aLow: u64, bHigh: u64, bLow: u64): u64 {
  let high = mulWide(aHigh, bHigh);
  const low = wideLow;
  const first = low + mulHigh(aHigh, bLow);
  high += u64(first < low);
  const second = first + mulHigh(aLow, bHigh);
  fixedLow = second;
  return high + u64(second < first);
}

/** a * b, normalised. */
export function multiplyWide(expA: i32, highA: u64, lowA: u64, expB: i32, highB: u64, lowB: u64): void {
  const high = mulFixed(highA, lowA, highB, lowB);
  normalize(expA + expB + 1, high, fixedLow);
}

/** a / b, normalised; bit by bit, since it is rare. */
export function divideWide(expA: i32, highA: u64, lowA: u64, expB: i32, highB: u64, lowB: u64): void {
  let high: u64 = 0;
  let low: u64 = 0;
  let carry = false;
  for (let i = 0; i < 128; i++) {
    const take = carry || highA > highB || (highA == highB && lowA >= lowB);
    high = (high << 1) | (low >> 63);
    low = (low << 1) | u64(take);
    if (take) {
      highA -= highB + u64(lowA < lowB);
      lowA -= lowB;
    }
    carry = highA >> 63 != 0;
    highA = (highA << 1) | (lowA >> 63);
    lowA <<= 1;
  }
  normalize(expA - expB, high, low);
}

/** A number below 1 in units of 2^-128: the high word; the low one is in fixedLow. */
export function toFixed(exp: i32, high: u64, low: u64): u64 {
  const result = shiftRightJam(high, low, -1 - exp);
  fixedLow = wideLow;
  return result;
}

/** c0 + c1 z + c2 z^2 + ... (`alternating`: c0 - c1 z + c2 z^2 - ...) in units of 2^-127 for 0 <= z < 1 in units of
 * 2^-128; `terms` coefficients of two words each at `table`. The high word; the low one is in fixedLow. */
export function series(table: usize, terms: i32, zHigh: u64, zLow: u64, alternating: bool): u64 {
  let at = table + (<usize>(terms - 1) << 4);
  let high = load<u64>(at);
  let low = load<u64>(at, 8);
  while (at > table) {
    at -= 16;
    const productHigh = mulFixed(high, low, zHigh, zLow);
    const productLow = fixedLow;
    const coefficient = load<u64>(at, 8);
    if (alternating) {
      low = coefficient - productLow;
      high = load<u64>(at) - productHigh - u64(coefficient < productLow);
    } else {
      low = coefficient + productLow;
      high = load<u64>(at) + productHigh + u64(low < productLow);
    }
  }
  fixedLow = low;
  return high;
}

/** x * (c0 -+ c1 z ...) for the x whose z is given: the odd functions near 0, with the precision of x. Where z is too
 * small to show, the result still lies on the right side of x, so that directed rounding comes out right. */
export function timesSeries(
  exp: i32, high: u64, low: u64, table: usize, terms: i32, zHigh: u64, zLow: u64, alternating: bool,
): void {
  let sumHigh = series(table, terms, zHigh, zLow, alternating);
  let sumLow = fixedLow;
  if (sumHigh == 0x8000000000000000 && sumLow == 0) {
    if (alternating) {
      sumHigh--;
      sumLow--;
    } else {
      sumLow++;
    }
  }
  normalize(0, sumHigh, sumLow);
  multiplyWide(exp, high, low, outExp, outHigh, outLow);
}
