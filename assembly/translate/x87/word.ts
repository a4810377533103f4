// How a region holds the x87 while it works with it: the registers as locals, numbered so that TOP is known wherever
// code is emitted, and one word that says whether that is so now.
//
// A region numbers the stack's registers as it likes and turns the physical ones to fit when it attaches: what is
// physical register (i + turn) & 7 is its slot i. So it is good for every TOP.

/** Bits 0-7: slot i is not empty. */
export const X_TAGS: u32 = 0xff;
/** Bits 8-10: the slot that is ST(0). */
export const X_TOP: u32 = 8;
/** The region has the registers; exceptions are all masked, so none is pending. */
export const X_ATTACHED: u32 = 1 << 12;
/** The control word rounds to nearest, and to 64 or to 53 bits. */
export const X_ROUNDS_64: u32 = 1 << 13;
export const X_ROUNDS_53: u32 = 1 << 14;

// A slot's sign and exponent are one i32 with the sign on top: doubling it leaves the exponent alone, adding two of them
// multiplies signs, and a constant added moves the exponent.
/** It is no normal number. It lies above all sums of two exponents, so that range checks of results find it too. */
export const SPECIAL: u32 = 1 << 20;
/** Sign and exponent without the sign. */
export const MAGNITUDE: u32 = 0x7fffffff;
export const SIGN: u32 = 0x80000000;
/** From the sign of the ten bytes in memory, which is bit 15, to SIGN. */
export const SIGN_UP: u32 = 16;
/** In TR_X87_RESULT: the rounding increased the magnitude. */
export const RESULT_UP: u32 = 24;
/** How far the exponents of the format are above those of binary64 and binary32. */
export const ABOVE_64: i32 = 0x3fff - 0x3ff;
export const ABOVE_32: i32 = 0x3fff - 0x7f;

/** Operations of computeX87() beside FPU_*. */
export const X87_SQRT: i32 = 8;
export const X87_ROUND: i32 = 9;
