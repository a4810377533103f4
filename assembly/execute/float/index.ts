// SSE floating point, as the instruction table uses it. Lane functions take and return bit patterns and add their
// exceptions to sseExceptions: call sseBegin() before the first lane and sseCommit() before the destination is written.
export { mxcsr, MXCSR_RESET, MXCSR_VALID, sseBegin, sseCommit } from "./state";
export { addF64, divF64, maxF64, minF64, mulF64, sqrtF64, subF64 } from "./arith64";
export { addF32, divF32, maxF32, minF32, mulF32, sqrtF32, subF32 } from "./arith32";
export { comiF32, comiF64, compareF32, compareF64 } from "./compare";
export {
  f32ToI32, f32ToI64, f64ToI32, f64ToI64, i32ToF32, i32ToF64, i64ToF32, i64ToF64, roundF32, roundF64,
} from "./integer";
export { f16ToF32, f32ToF16, f32ToF64, f64ToF32 } from "./convert";
export { reciprocalF32, reciprocalSqrtF32 } from "./approximate";
export { FLOAT_ADD, FLOAT_DIV, FLOAT_MAX, FLOAT_MIN, FLOAT_MUL, FLOAT_SQRT, FLOAT_SUB } from "./soft";
export { packedF32, packedF64, scalarF32, scalarF64, vectorF32, vectorF64 } from "./packed";
export { addSubF32, addSubF64, dotF32, dotF64, horizontalF32, horizontalF64 } from "./horizontal";
export {
  vectorCompareF32, vectorCompareF64, vectorF16ToF32, vectorF32ToF64, vectorF32ToI32, vectorF64ToF32,
  vectorF64ToI32, vectorI32ToF32, vectorI32ToF64, vectorRoundF32, vectorRoundF64,
} from "./packed-convert";
export { fmaF32, fmaF64 } from "./fma";
