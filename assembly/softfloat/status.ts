// What every floating-point operation reads and reports: rounding, masks and exception flags. Bits 0..5 have
// the same meaning and order in the x87 status and control words and in MXCSR (SDM volume 1, 4.9 and 11.5.2).

/** Invalid operation. */
export const X_INVALID: u32 = 1;
/** Denormal operand. */
export const X_DENORMAL: u32 = 2;
/** Division of a finite number by zero. */
export const X_ZERO_DIVIDE: u32 = 4;
export const X_OVERFLOW: u32 = 8;
export const X_UNDERFLOW: u32 = 16;
/** Inexact result (precision). */
export const X_INEXACT: u32 = 32;
/** What is found before computing: with one of these unmasked there is no result at all. */
export const X_BEFORE: u32 = X_INVALID | X_DENORMAL | X_ZERO_DIVIDE;
export const X_ALL: u32 = 63;

// Rounding modes as the RC fields encode them.
export const ROUND_NEAREST: i32 = 0;
export const ROUND_DOWN: i32 = 1;
export const ROUND_UP: i32 = 2;
export const ROUND_CHOP: i32 = 3;

/** X_* found since the caller last cleared it. */
export let floatFlags: u32 = 0;
/** X_* whose exceptions are masked. */
export let floatMasks: u32 = X_ALL;
/** ROUND_*. */
export let floatRounding: i32 = ROUND_NEAREST;
/** 1: the last rounding increased the magnitude (x87 reports it in C1). */
export let roundedUp: i32 = 0;

/** Adds X_* flags. */
// @ts-ignore: decorator
@inline export function flag(bits: u32): void { floatFlags |= bits; }

/** Takes X_* flags back. */
export function unflag(bits: u32): void {
  floatFlags &= ~bits;
}

export function setRoundedUp(up: i32): void {
  roundedUp = up;
}

/** Starts an operation: no flags yet, with the given ROUND_* and X_* masks. */
export function beginFloat(rounding: i32, masks: u32): void {
  floatFlags = 0;
  floatRounding = rounding;
  floatMasks = masks;
  roundedUp = 0;
}

/** Whether a magnitude is to be increased, given its sign, its lowest kept bit and what lies below that bit,
 * left-aligned in 64 bits (so that 1 << 63 is half a unit; bit 0 may stand for anything lower). */
// @ts-ignore: decorator
@inline export function roundsUp(sign: u32, odd: u64, tail: u64): bool {
  if (floatRounding == ROUND_NEAREST) return tail > 0x8000000000000000 || (tail == 0x8000000000000000 && odd != 0);
  if (floatRounding == ROUND_CHOP || tail == 0) return false;
  return sign ? floatRounding == ROUND_DOWN : floatRounding == ROUND_UP;
}
