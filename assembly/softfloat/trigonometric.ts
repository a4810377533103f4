// Sine, cosine and tangent of x87 numbers below 2^63 in magnitude. The argument is reduced by the processor's own
// 66-bit pi (SDM volume 1, 8.3.8), so large arguments differ from the mathematical value exactly as silicon's do.
import { normalize, outExp, outHigh, outLow } from "./arithmetic";
import { COS_TABLE, SIN_TABLE, SIN_TERMS } from "./coefficients";
import { extExp, extRound, extSig } from "./extended";
import { divideWide, fixedLow, multiplyWide, series, timesSeries, toFixed } from "./wide-float";

/** pi / 2 of 66 bits in units of 2^-65. */
const HALF_PI_HIGH: u64 = 3;
const HALF_PI_LOW: u64 = 0x243f6a8885a308d3;

// The reduced argument: (-1)^flip * restHigh:restLow / 2^127 * 2^restExp, at most pi/4, and the quadrant it was in.
let restExp: i32 = 0;
let restHigh: u64 = 0;
let restLow: u64 = 0;
let flip: u32 = 0;
let quadrant: u32 = 0;

/** Reduces the magnitude of the number in the ext* globals. */
function reduce(): void {
  restExp = extExp;
  restHigh = extSig;
  restLow = 0;
  flip = 0;
  quadrant = 0;
  if (extExp < -1) return;
  const shift = extExp + 2;
  let high = shift == 64 ? extSig : extSig >> (64 - shift);
  let low = shift == 64 ? 0 : extSig << shift;
  for (let i = 62; i >= 0; i--) {
    const stepHigh = i ? (HALF_PI_HIGH << i) | (HALF_PI_LOW >> (64 - i)) : HALF_PI_HIGH;
    const stepLow = HALF_PI_LOW << i;
    if (high < stepHigh || (high == stepHigh && low < stepLow)) continue;
    high -= stepHigh + u64(low < stepLow);
    low -= stepLow;
    if (i < 2) quadrant |= 1 << i;
  }
  const twiceHigh = (high << 1) | (low >> 63);
  if (twiceHigh > HALF_PI_HIGH || (twiceHigh == HALF_PI_HIGH && low << 1 > HALF_PI_LOW)) {
    high = HALF_PI_HIGH - high - u64(HALF_PI_LOW < low);
    low = HALF_PI_LOW - low;
    flip = 1;
    quadrant = (quadrant + 1) & 3;
  }
  normalize(62, high, low);
  restExp = outExp;
  restHigh = outHigh;
  restLow = outLow;
}

// Sine of the reduced magnitude, to the out* globals.
function sineOfRest(): void {
  multiplyWide(restExp, restHigh, restLow, restExp, restHigh, restLow);
  const z = toFixed(outExp, outHigh, outLow);
  timesSeries(restExp, restHigh, restLow, SIN_TABLE, SIN_TERMS, z, fixedLow, true);
}

// Cosine of the reduced argument, to the out* globals.
function cosineOfRest(): void {
  multiplyWide(restExp, restHigh, restLow, restExp, restHigh, restLow);
  const z = toFixed(outExp, outHigh, outLow);
  let high = series(COS_TABLE, SIN_TERMS, z, fixedLow, true);
  let low = fixedLow;
  if (high >> 63) {
    // 1 - something too small to show.
    high = 0x7fffffffffffffff;
    low = u64.MAX_VALUE;
  }
  normalize(0, high, low);
}

// No result is exact, so the last bit of each stands for what lies below.

/** sin((-1)^sign * |x|) of the number in the ext* globals, rounded to the result globals. */
export function extSine(sign: u32): void {
  reduce();
  if (quadrant & 1) cosineOfRest();
  else sineOfRest();
  const negative = quadrant & 1 ? quadrant >> 1 : flip ^ (quadrant >> 1);
  extRound(sign ^ negative, outExp, outHigh, outLow | 1, 64);
}

/** cos(x) of the number in the ext* globals. */
export function extCosine(): void {
  reduce();
  let negative = quadrant >> 1;
  if (quadrant & 1) {
    sineOfRest();
    negative ^= 1 ^ flip;
  } else {
    cosineOfRest();
  }
  extRound(negative, outExp, outHigh, outLow | 1, 64);
}

/** tan((-1)^sign * |x|) of the number in the ext* globals. */
export function extTangent(sign: u32): void {
  reduce();
  sineOfRest();
  const sineExp = outExp;
  const sineHigh = outHigh;
  const sineLow = outLow;
  cosineOfRest();
  // In odd quadrants tan(r + pi/2) = -cos(r) / sin(r).
  if (quadrant & 1) divideWide(outExp, outHigh, outLow, sineExp, sineHigh, sineLow);
  else divideWide(sineExp, sineHigh, sineLow, outExp, outHigh, outLow);
  extRound(sign ^ flip ^ (quadrant & 1), outExp, outHigh, outLow | 1, 64);
}

