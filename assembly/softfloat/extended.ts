// The x87's 80-bit format: a significand with an explicit integer bit (u64) and a word of sign and exponent (u32).
// Results are left in resultLow and resultExp. SDM volume 1, 4.2.2, 4.8 and 8.2.
import {
  flag, floatFlags, floatMasks, floatRounding, ROUND_DOWN, ROUND_NEAREST, ROUND_UP, roundsUp, setRoundedUp, X_BEFORE,
  X_DENORMAL, X_INEXACT, X_INVALID, X_OVERFLOW, X_UNDERFLOW,
} from "./status";
import { shiftRightJam, wideLow } from "./wide";

export const INTEGER_BIT: u64 = 0x8000000000000000;
export const QUIET_BIT: u64 = 0x4000000000000000;
export const EXT_BIAS: i32 = 0x3fff;
export const EXT_INFINITE: u32 = 0x7fff;
export const EXT_SIGN: u32 = 0x8000;
const SMALLEST_EXP: i32 = -0x3ffe;
const LARGEST_EXP: i32 = 0x3fff;
/** What the exponent of an unmasked overflow or underflow is wrapped by (SDM volume 1, 4.9.1.4). */
const WRAP: i32 = 24576;

/** Significand of the last result. */
export let resultLow: u64 = 0;
/** Sign (bit 15) and biased exponent of the last result. */
export let resultExp: u32 = 0;
/** Bits of significand that add, subtract, multiply, divide and square root keep: 24, 53 or 64. */
export let precision: i32 = 64;

export function setPrecision(bits: i32): void {
  precision = bits;
}

export function setResult(significand: u64, signExp: u32): void {
  resultLow = significand;
  resultExp = signExp;
}

export const EXT_ZERO: i32 = 0;
/** Finite and not zero. */
export const EXT_NUMBER: i32 = 1;
export const EXT_INFINITY: i32 = 2;
export const EXT_QUIET: i32 = 3;
export const EXT_SIGNALING: i32 = 4;
/** Unnormals, pseudo-infinities, pseudo-NaNs: invalid operands since the 387. */
export const EXT_UNSUPPORTED: i32 = 5;

// What extUnpack found.
export let extClass: i32 = 0;
export let extExp: i32 = 0;
/** Normalised. */
export let extSig: u64 = 0;
/** 1: denormal or pseudo-denormal. */
export let extDenormal: u32 = 0;

/** Takes a number apart into the ext* globals. */
export function extUnpack(significand: u64, signExp: u32): void {
  const exponent = <i32>(signExp & EXT_INFINITE);
  extDenormal = 0;
  extSig = significand;
  extExp = exponent - EXT_BIAS;
  if (exponent == 0) {
    if (significand == 0) {
      extClass = EXT_ZERO;
      return;
    }
    const shift = <i32>clz(significand);
    extClass = EXT_NUMBER;
    extDenormal = 1;
    extSig = significand << shift;
    extExp = SMALLEST_EXP - shift;
  } else if (!(significand & INTEGER_BIT)) {
    extClass = EXT_UNSUPPORTED;
  } else if (exponent < 0x7fff) {
    extClass = EXT_NUMBER;
  } else if (significand == INTEGER_BIT) {
    extClass = EXT_INFINITY;
  } else {
    extClass = significand & QUIET_BIT ? EXT_QUIET : EXT_SIGNALING;
  }
}

/** Result: the real indefinite, and X_INVALID. */
export function extInvalid(): void {
  flag(X_INVALID);
  setResult(INTEGER_BIT | QUIET_BIT, EXT_SIGN | EXT_INFINITE);
}

export function extSetInfinity(sign: u32): void {
  setResult(INTEGER_BIT, sign << 15 | EXT_INFINITE);
}

export function extSetZero(sign: u32): void {
  setResult(0, sign << 15);
}

/** Result of an operation one operand of which is a NaN or unsupported (SDM volume 1, table 4-7): of two NaNs of a
 * kind the one with the larger significand, a quiet one before a signaling one, always made quiet. */
export function extPropagate(sigA: u64, expA: u32, classA: i32, sigB: u64, expB: u32, classB: i32): void {
  if (classA == EXT_UNSUPPORTED || classB == EXT_UNSUPPORTED) {
    extInvalid();
    return;
  }
  if (classA == EXT_SIGNALING || classB == EXT_SIGNALING) flag(X_INVALID);
  let first = classA >= EXT_QUIET;
  if (first && classB >= EXT_QUIET) {
    if (classA != classB) first = classA == EXT_QUIET;
    else if (sigA != sigB) first = sigA > sigB;
    else first = expA < expB;
  }
  if (first) setResult(sigA | QUIET_BIT, expA);
  else setResult(sigB | QUIET_BIT, expB);
}

/** Whether an unmasked exception found before computing leaves no result. */
// @ts-ignore: decorator
@inline export function stoppedBefore(): bool { return (floatFlags & ~floatMasks & X_BEFORE) != 0; }

/** Reports a denormal operand; true: that is unmasked and there is no result. */
export function extDenormalStops(denormal: u32): bool {
  if (!denormal) return false;
  flag(X_DENORMAL);
  return (floatMasks & X_DENORMAL) == 0;
}

/** Rounds (high:low) / 2^127 * 2^exp to `bits` (24, 53 or 64) of significand in the range of the format. Unmasked
 * overflow and underflow deliver the result with its exponent wrapped. */
export function extRound(sign: u32, exp: i32, high: u64, low: u64, bits: i32): void {
  const drop = 64 - bits;
  let up = roundsUp(sign, (high >> drop) & 1, extTail(high, low, bits));
  if (exp < SMALLEST_EXP) {
    // Tiny unless rounding carries into the smallest normal number.
    const carries = exp == SMALLEST_EXP - 1 && up && (high >> drop) == u64.MAX_VALUE >> drop;
    if (!carries && !(floatMasks & X_UNDERFLOW)) {
      flag(X_UNDERFLOW);
      exp += WRAP;
      if (exp < SMALLEST_EXP) {
        // Only FSCALE gets below the wrapped range.
        flag(X_INEXACT);
        extSetZero(sign);
        return;
      }
    } else {
      high = shiftRightJam(high, low, SMALLEST_EXP - exp);
      low = wideLow;
      const tail = extTail(high, low, bits);
      up = roundsUp(sign, (high >> drop) & 1, tail);
      setRoundedUp(<i32>up);
      if (tail) flag(carries ? X_INEXACT : X_UNDERFLOW | X_INEXACT);
      high = ((high >> drop) + u64(up)) << drop;
      setResult(high, sign << 15 | <u32>(high >> 63));
      return;
    }
  }
  const tail = extTail(high, low, bits);
  setRoundedUp(<i32>up);
  high = ((high >> drop) + u64(up)) << drop;
  if (high == 0) {
    high = INTEGER_BIT;
    exp++;
  }
  if (exp > LARGEST_EXP) {
    flag(X_OVERFLOW);
    if (floatMasks & X_OVERFLOW) {
      flag(X_INEXACT);
      extOverflow(sign, drop);
      return;
    }
    if (exp - WRAP > LARGEST_EXP) {
      // Only FSCALE gets here.
      flag(X_INEXACT);
      setRoundedUp(1);
      extSetInfinity(sign);
      return;
    }
    exp -= WRAP;
  }
  if (tail) flag(X_INEXACT);
  setResult(high, sign << 15 | (<u32>(exp + EXT_BIAS) & EXT_INFINITE));
}

// What lies below the kept bits, left-aligned.
// @ts-ignore: decorator
@inline function extTail(high: u64, low: u64, bits: i32): u64 {
  return bits == 64 ? low : (high << bits) | u64(low != 0);
}

function extOverflow(sign: u32, drop: i32): void {
  const away = floatRounding == ROUND_NEAREST || floatRounding == (sign ? ROUND_DOWN : ROUND_UP);
  setRoundedUp(<i32>away);
  if (away) extSetInfinity(sign);
  else setResult((u64.MAX_VALUE >> drop) << drop, sign << 15 | 0x7ffe);
}

/** What extMagnitude cut off, left-aligned; 0: nothing. */
export let integerRest: u64 = 0;

/** The number in the ext* globals, whose exponent is below 64, rounded to an integer magnitude. */
export function extMagnitude(sign: u32, chop: bool): u64 {
  const shift = 63 - extExp;
  const kept = shift < 64 ? extSig >> shift : 0;
  integerRest = shift == 0 ? 0 : shift < 64 ? extSig << (64 - shift) : shift == 64 ? extSig : 1;
  const up = !chop && roundsUp(sign, kept & 1, integerRest);
  setRoundedUp(<i32>up);
  return kept + u64(up);
}
