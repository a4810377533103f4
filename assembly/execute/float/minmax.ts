// MIN and MAX: not the IEEE operations but `a < b ? a : b`: with a NaN, or two zeros, the second operand comes out.
import { CLASS_QUIET, CLASS_ZERO, partClass, partDenormal, signOf, withSign } from "../../softfloat/binary";
import { flag, X_DENORMAL, X_INVALID } from "../../softfloat/status";
import { FLOAT_MIN, unpackOperand } from "./soft";
import { laneBegin, laneEnd } from "./state";

/** FLOAT_MIN or FLOAT_MAX of a and b; u64: binary64, u32: binary32. */
export function minMax<T>(op: i32, a: u64, b: u64): u64 {
  laneBegin();
  unpackOperand<T>(a);
  const classA = partClass;
  let denormal = partDenormal;
  unpackOperand<T>(b);
  denormal |= partDenormal;
  // MXCSR.DAZ shows in the result too: a denormal operand comes out as zero.
  const valueB = partClass == CLASS_ZERO ? withSign<T>(signOf<T>(b), 0) : b;
  let result = valueB;
  if (classA >= CLASS_QUIET || partClass >= CLASS_QUIET) {
    flag(X_INVALID);
  } else {
    if (denormal) flag(X_DENORMAL);
    const signA = signOf<T>(a);
    const signB = signOf<T>(b);
    const valueA = classA == CLASS_ZERO ? withSign<T>(signA, 0) : a;
    let less: bool;
    if (classA == CLASS_ZERO && partClass == CLASS_ZERO) less = false;
    else if (signA != signB) less = (signA != 0) == (op == FLOAT_MIN);
    else if (valueA == valueB) less = false;
    else less = (valueA < valueB) == ((signA == 0) == (op == FLOAT_MIN));
    result = less ? valueA : valueB;
  }
  laneEnd();
  return result;
}
