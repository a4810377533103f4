// The four operations and the square root on finite non-zero magnitudes, common to all formats. A number is
// high:low / 2^127 * 2^exp with bit 63 of high set; operands of the formats fit in `high`. Results are exact but
// for bit 0 of outLow, which also stands for everything below: rounding to 64 bits or less is then exact.
import { divWide, mulWide, shiftRightJam, sqrtWide, wideLow } from "./wide";

export let outExp: i32 = 0;
/** Significand of the last result; outHigh is 0 where a difference cancelled out. */
export let outHigh: u64 = 0;
export let outLow: u64 = 0;
/** 1: the difference was taken the other way round, so the result has the opposite sign. */
export let outSwapped: u32 = 0;

/** |a| + |b|. */
export function addMagnitudes(expA: i32, highA: u64, lowA: u64, expB: i32, highB: u64, lowB: u64): void {
  if (expA < expB) {
    addMagnitudes(expB, highB, lowB, expA, highA, lowA);
    return;
  }
  const high = shiftRightJam(highB, lowB, expA - expB);
  const low = lowA + wideLow;
  const carryLow = u64(low < lowA);
  const sum = highA + high;
  const total = sum + carryLow;
  outExp = expA;
  outHigh = total;
  outLow = low;
  if (sum < highA || total < sum) {
    outLow = (total << 63) | (low >> 1) | (low & 1);
    outHigh = (total >> 1) | 0x8000000000000000;
    outExp = expA + 1;
  }
}

/** |a| - |b|; outSwapped says that it is |b| - |a| instead because b is larger. */
export function subMagnitudes(expA: i32, highA: u64, lowA: u64, expB: i32, highB: u64, lowB: u64): void {
  outSwapped = 0;
  if (expA < expB || (expA == expB && (highA < highB || (highA == highB && lowA < lowB)))) {
    subMagnitudes(expB, highB, lowB, expA, highA, lowA);
    outSwapped = 1;
    return;
  }
  const shifted = shiftRightJam(highB, lowB, expA - expB);
  const low = lowA - wideLow;
  normalize(expA, highA - shifted - u64(lowA < wideLow), low);
}

/** Shifts the significand up until bit 63 of outHigh is set; zero stays zero. */
export function normalize(exp: i32, high: u64, low: u64): void {
  if (high == 0) {
    high = low;
    low = 0;
    exp -= 64;
  }
  const shift = <i32>clz(high) & 63;
  outHigh = shift ? (high << shift) | (low >> (64 - shift)) : high;
  outLow = low << shift;
  outExp = exp - shift;
}

/** a * b: all 128 bits of the product. */
export function multiply(expA: i32, sigA: u64, expB: i32, sigB: u64): void {
  const high = mulWide(sigA, sigB);
  const low = wideLow;
  if (high >> 63) {
    outHigh = high;
    outLow = low;
    outExp = expA + expB + 1;
  } else {
    outHigh = (high << 1) | (low >> 63);
    outLow = low << 1;
    outExp = expA + expB;
  }
}

/** a / b: 64 bits of quotient, a correct half bit and a sticky bit below. */
export function divide(expA: i32, sigA: u64, expB: i32, sigB: u64): void {
  if (sigA >= sigB) {
    outHigh = divWide(sigA >> 1, sigA << 63, sigB);
    outExp = expA - expB;
  } else {
    outHigh = divWide(sigA, 0, sigB);
    outExp = expA - expB - 1;
  }
  const rest = wideLow;
  const half = rest >= sigB - rest;
  const below = half ? rest - (sigB - rest) : rest;
  outLow = (u64(half) << 63) | u64(below != 0);
}

/** The square root of a. */
export function squareRoot(exp: i32, sig: u64): void {
  if (exp & 1) {
    outHigh = sqrtWide(sig, 0);
  } else {
    outHigh = sqrtWide(sig >> 1, sig << 63);
  }
  outLow = wideLow;
  outExp = exp >> 1;
}
