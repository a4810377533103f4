// Comparison and classification of x87 numbers.
import {
  EXT_INFINITY, EXT_NUMBER, EXT_QUIET, EXT_SIGNALING, EXT_UNSUPPORTED, EXT_ZERO, extClass, extDenormal, extExp,
  extSig, extUnpack,
} from "./extended";
import { flag, X_DENORMAL, X_INVALID } from "./status";

export const EXT_LESS: i32 = -1;
export const EXT_EQUAL: i32 = 0;
export const EXT_GREATER: i32 = 1;
export const EXT_UNORDERED: i32 = 2;

/** The relation of a to b (EXT_LESS...); `quiet`: quiet NaNs are not invalid (FUCOM). */
export function extCompare(sigA: u64, expA: u32, sigB: u64, expB: u32, quiet: bool, denormal: u32): i32 {
  extUnpack(sigA, expA);
  const classA = extClass;
  const exponentA = extExp;
  const partA = extSig;
  denormal |= extDenormal;
  extUnpack(sigB, expB);
  if (classA >= EXT_QUIET || extClass >= EXT_QUIET) {
    if (!quiet || classA >= EXT_SIGNALING || extClass >= EXT_SIGNALING) flag(X_INVALID);
    return EXT_UNORDERED;
  }
  if (denormal | extDenormal) flag(X_DENORMAL);
  const negativeA = expA >> 15 != 0;
  if (classA == EXT_ZERO) {
    if (extClass == EXT_ZERO) return EXT_EQUAL;
    return expB >> 15 ? EXT_GREATER : EXT_LESS;
  }
  if (extClass == EXT_ZERO || negativeA != (expB >> 15 != 0)) return negativeA ? EXT_LESS : EXT_GREATER;
  // An infinity has the largest exponent.
  if (exponentA == extExp && partA == extSig) return EXT_EQUAL;
  const smaller = exponentA < extExp || (exponentA == extExp && partA < extSig);
  return smaller != negativeA ? EXT_LESS : EXT_GREATER;
}

/** The class that FXAM reports in C3 C2 C0 (SDM volume 2, table 3-37), as status word bits. */
export function extExamine(sig: u64, signExp: u32): u32 {
  extUnpack(sig, signExp);
  if (extClass == EXT_UNSUPPORTED) return 0;
  if (extClass == EXT_ZERO) return 0x4000;
  if (extClass == EXT_INFINITY) return 0x0500;
  if (extClass == EXT_NUMBER) return extDenormal ? 0x4400 : 0x0400;
  return 0x0100;
}
