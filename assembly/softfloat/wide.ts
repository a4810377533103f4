// 128-bit integers in pieces: WebAssembly has 64-bit multiplication and division only. A second result word is
// left in a global, since a function returns one value and nothing here may allocate.

/** The low word of the last 128-bit result, or the remainder of the last division. */
export let wideLow: u64 = 0;

const LOW32: u64 = 0xffffffff;

/** a * b: the high word; the low one is in wideLow. */
export function mulWide(a: u64, b: u64): u64 {
  const a0 = a & LOW32;
  const a1 = a >> 32;
  const b0 = b & LOW32;
  const b1 = b >> 32;
  const middle = a1 * b0 + ((a0 * b0) >> 32);
  const other = a0 * b1 + (middle & LOW32);
  wideLow = a * b;
  return a1 * b1 + (middle >> 32) + (other >> 32);
}

/** The high word of a * b. */
// @ts-ignore: decorator
@inline export function mulHigh(a: u64, b: u64): u64 {
  const a0 = a & LOW32;
  const a1 = a >> 32;
  const b0 = b & LOW32;
  const b1 = b >> 32;
  const middle = a1 * b0 + ((a0 * b0) >> 32);
  const other = a0 * b1 + (middle & LOW32);
  return a1 * b1 + (middle >> 32) + (other >> 32);
}

/** (rest:digit) / divisor for rest < divisor and a divisor with bit 63 set: a digit of 32 bits. Knuth's algorithm D takes it
 * from the divisor's upper half, which yields one or two too much; one is so likely that no processor foresees it. */
// @ts-ignore: decorator
@inline function quotientDigit(rest: u64, digit: u64, divisor: u64): u64 {
  const d1 = divisor >> 32;
  const d0 = divisor & LOW32;
  let quotient = rest / d1;
  let left = rest - quotient * d1;
  const more = u64((quotient > LOW32) | (quotient * d0 > ((left << 32) | digit)));
  quotient -= more;
  left += d1 & (0 - more);
  if (left <= LOW32 && (quotient > LOW32 || quotient * d0 > ((left << 32) | digit))) quotient--;
  return quotient;
}

/** (high:low) / divisor for high < divisor and a divisor with bit 63 set: the quotient; the remainder is in wideLow. */
export function divWide(high: u64, low: u64, divisor: u64): u64 {
  const upper = low >> 32;
  const lower = low & LOW32;
  const q1 = quotientDigit(high, upper, divisor);
  const middle = ((high << 32) | upper) - q1 * divisor;
  const q0 = quotientDigit(middle, lower, divisor);
  wideLow = ((middle << 32) | lower) - q0 * divisor;
  return (q1 << 32) + q0;
}

/** (high:low) >> count for count >= 0, with bit 0 set where any lost bit was: the high word; low in wideLow. */
export function shiftRightJam(high: u64, low: u64, count: i32): u64 {
  if (count == 0) {
    wideLow = low;
    return high;
  }
  if (count < 64) {
    wideLow = (high << (64 - count)) | (low >> count) | u64((low << (64 - count)) != 0);
    return high >> count;
  }
  if (count == 64) {
    wideLow = high | u64(low != 0);
    return 0;
  }
  if (count < 128) {
    wideLow = (high >> (count - 64)) | u64((high << (128 - count)) != 0 || low != 0);
    return 0;
  }
  wideLow = u64((high | low) != 0);
  return 0;
}

/** The integer square root of (high:low) with high >= 2^62: 64 bits; the remainder, which may have 65 bits, is
 * reported as wideLow: 0 where exact, 1 where below half a unit, 3 << 62 where above. Two digits of 32 bits: the first is
 * what a double knows of the root of `high`, the second the remainder divided by twice the first (Zimmermann, "Karatsuba
 * Square Root"). */
export function sqrtWide(high: u64, low: u64): u64 {
  // Conversions of signed integers are what processors have.
  let first = <u64><i64>Math.sqrt(<f64><i64>(high >> 1) * 2.0);
  let rest = <i64>(high - first * first);
  while (rest < 0) {
    first--;
    rest += <i64>(first << 1) + 1;
  }
  while (rest > <i64>(first << 1)) {
    rest -= <i64>(first << 1) + 1;
    first++;
  }
  // (rest:digit) / (2 * first), halved on both sides to fit.
  const half = (<u64>rest << 31) | (low >> 33);
  let second = half / first;
  if (second > LOW32) second = LOW32;
  const left = ((half - second * first) << 1) | ((low >> 32) & 1);
  const square = second * second;
  const lower = (left << 32) | (low & LOW32);
  let root = (first << 32) | second;
  let restLow = lower - square;
  let restHigh = <i64>(left >> 32) - i64(lower < square);
  // One too much is nothing that a processor foresees: (r - 1)^2 = r^2 - 2r + 1.
  const more = restHigh >> 63;
  root += more;
  const add = ((root << 1) | 1) & more;
  restLow += add;
  restHigh += <i64>((root >> 63) & -more) + i64(restLow < add);
  if (restHigh == 0 && restLow == 0) wideLow = 0;
  else wideLow = restHigh > 0 || restLow > root ? <u64>3 << 62 : 1;
  return root;
}
