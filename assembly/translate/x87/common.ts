// What regions ask the core for most often: quotients and roots of normal numbers, and products one operand of which is
// zero. Rounding is to nearest, with 64 bits or with 53.
import { cpu } from "../../cpu";
import { FPU_DIV, FPU_DIVR, FPU_MUL } from "../../execute/x87/arithmetic";
import { fcw, fsw, setFsw } from "../../execute/x87/state";
import { EXT_BIAS, EXT_INFINITE } from "../../softfloat/extended";
import { X_INEXACT } from "../../softfloat/status";
import { divWide, sqrtWide, wideLow } from "../../softfloat/wide";
import { TR_X87_RESULT } from "../layout";
import { MAGNITUDE, RESULT_UP, SIGN, SPECIAL, X87_SQRT } from "./word";

/** Exponents of normal numbers are below this, less 1. */
const LARGEST: u32 = 0x7ffe;
/** Rounding and precision control of the control word: to nearest with 64 bits, with 53. */
const MODE: u32 = 0xf00;
const NEAREST_64: u32 = 0x300;
const NEAREST_53: u32 = 0x200;

/** The significand that isCommon() has found. */
export let commonSig: u64 = 0;

/** Neither zero, denormal, infinite nor a NaN, by sign and exponent as regions have them. */
// @ts-ignore: decorator
@inline export function isNormal(exp: u32): bool {
  return (exp & MAGNITUDE) < SPECIAL;
}

// @ts-ignore: decorator
@inline export function isZero(sig: u64, exp: u32): bool {
  return sig == 0 && (exp & MAGNITUDE) == SPECIAL;
}

/** a op b (FPU_*, X87_SQRT) where it is a common case: commonSig and TR_X87_RESULT, as of computeX87(). False: it is
 * another case, and nothing has been done. */
// @ts-ignore: decorator
@inline export function isCommon(op: i32, sigA: u64, expA: u32, sigB: u64, expB: u32): bool {
  const mode = fcw() & MODE;
  if (mode != NEAREST_64 && mode != NEAREST_53) return false;
  switch (op) {
    case FPU_DIV:
    case FPU_DIVR: {
      const reversed = op == FPU_DIVR;
      return divide(reversed ? sigB : sigA, reversed ? expB : expA, reversed ? sigA : sigB, reversed ? expA : expB, mode);
    }
    case X87_SQRT: return squareRoot(sigA, expA, mode);
    case FPU_MUL: return multiplyByZero(sigA, expA, sigB, expB);
  }
  return false;
}

// @ts-ignore: decorator
@inline function found(sig: u64, exp: u32): bool {
  commonSig = sig;
  store<u32>(cpu, exp, TR_X87_RESULT);
  return true;
}

/** A significand with `rest` of less than a unit behind it, which is left-aligned and has bit 0 set where more follows,
 * rounded; `exp` of the result, with its sign. */
function rounded(sig: u64, rest: u64, exp: u32, mode: u32): bool {
  let up: u32;
  if (mode == NEAREST_53) {
    rest = sig << 53 | u64(rest != 0);
    up = u32((rest | (sig >> 11 & 1)) > 0x8000000000000000);
    sig = (sig & ~0x7ff) + (<u64>up << 11);
  } else {
    up = u32((rest | (sig & 1)) > 0x8000000000000000);
    sig += up;
  }
  if (!sig) return false;
  if (rest) setFsw(fsw() | X_INEXACT);
  return found(sig, exp | up << RESULT_UP);
}

/** a / b of normal numbers where the quotient is normal too. */
// @ts-ignore: decorator
@inline function divide(sigA: u64, expA: u32, sigB: u64, expB: u32, mode: u32): bool {
  if (!isNormal(expA) || !isNormal(expB)) return false;
  const whole = sigA >= sigB;
  const exp = <i32>(expA & EXT_INFINITE) - <i32>(expB & EXT_INFINITE) + EXT_BIAS - i32(!whole);
  if (<u32>(exp - 1) >= LARGEST) return false;
  const quotient = whole ? divWide(sigA >> 1, sigA << 63, sigB) : divWide(sigA, 0, sigB);
  // A quotient of two significands is never half a unit off.
  const rest: u64 = wideLow == 0 ? 0 : wideLow > sigB - wideLow ? <u64>3 << 62 : 1;
  return rounded(quotient, rest, ((expA ^ expB) & SIGN) | <u32>exp, mode);
}

/** The square root of a positive normal number. */
// @ts-ignore: decorator
@inline function squareRoot(sig: u64, exp: u32, mode: u32): bool {
  if (!isNormal(exp) || exp & SIGN) return false;
  // Odd exponents are even powers of two.
  const root = exp & 1 ? sqrtWide(sig >> 1, sig << 63) : sqrtWide(sig, 0);
  return rounded(root, wideLow, (exp + <u32>EXT_BIAS) >> 1, mode);
}

/** a * b where one is zero and the other zero or a normal number. */
function multiplyByZero(sigA: u64, expA: u32, sigB: u64, expB: u32): bool {
  const zeroA = isZero(sigA, expA);
  const zeroB = isZero(sigB, expB);
  if (!(zeroA && zeroB) && !(zeroA && isNormal(expB)) && !(zeroB && isNormal(expA))) return false;
  return found(0, ((expA ^ expB) & SIGN) | SPECIAL);
}
