// Scalar SSE instructions on bit patterns: one lane computed and its exceptions put into MXCSR. A result counts only
// where no fault is set.
import { addF32, divF32, maxF32, minF32, mulF32, sqrtF32, subF32 } from "../float/arith32";
import { addF64, divF64, maxF64, minF64, mulF64, sqrtF64, subF64 } from "../float/arith64";
import { compareF32, compareF64 } from "../float/compare";
import { f32ToF64, f64ToF32 } from "../float/convert";
import {
  f32ToI32, f32ToI64, f64ToI32, f64ToI64, i32ToF32, i64ToF32, i64ToF64, roundF32, roundF64,
} from "../float/integer";
import { sseBegin, sseCommit } from "../float/state";

// @ts-ignore: decorator
@inline function done<T>(result: T): T {
  sseCommit();
  return result;
}

/** ADDSD. */
export function addSd(a: u64, b: u64): u64 { sseBegin(); return done(addF64(a, b)); }
/** SUBSD. */
export function subSd(a: u64, b: u64): u64 { sseBegin(); return done(subF64(a, b)); }
/** MULSD. */
export function mulSd(a: u64, b: u64): u64 { sseBegin(); return done(mulF64(a, b)); }
/** DIVSD. */
export function divSd(a: u64, b: u64): u64 { sseBegin(); return done(divF64(a, b)); }
/** MINSD. */
export function minSd(a: u64, b: u64): u64 { sseBegin(); return done(minF64(a, b)); }
/** MAXSD. */
export function maxSd(a: u64, b: u64): u64 { sseBegin(); return done(maxF64(a, b)); }
/** SQRTSD of b. */
export function sqrtSd(_a: u64, b: u64): u64 { sseBegin(); return done(sqrtF64(b)); }
/** CMPSD with predicate 0 to 7. */
export function compareSd(a: u64, b: u64, predicate: i32): u64 { sseBegin(); return done(compareF64(a, b, predicate)); }
/** ROUNDSD. */
export function roundSd(a: u64, mode: i32): u64 { sseBegin(); return done(roundF64(a, mode)); }
/** ADDSS. */
export function addSs(a: u32, b: u32): u32 { sseBegin(); return done(addF32(a, b)); }
/** SUBSS. */
export function subSs(a: u32, b: u32): u32 { sseBegin(); return done(subF32(a, b)); }
/** MULSS. */
export function mulSs(a: u32, b: u32): u32 { sseBegin(); return done(mulF32(a, b)); }
/** DIVSS. */
export function divSs(a: u32, b: u32): u32 { sseBegin(); return done(divF32(a, b)); }
/** MINSS. */
export function minSs(a: u32, b: u32): u32 { sseBegin(); return done(minF32(a, b)); }
/** MAXSS. */
export function maxSs(a: u32, b: u32): u32 { sseBegin(); return done(maxF32(a, b)); }
/** SQRTSS of b. */
export function sqrtSs(_a: u32, b: u32): u32 { sseBegin(); return done(sqrtF32(b)); }
/** CMPSS with predicate 0 to 7. */
export function compareSs(a: u32, b: u32, predicate: i32): u32 { sseBegin(); return done(compareF32(a, b, predicate)); }
/** ROUNDSS. */
export function roundSs(a: u32, mode: i32): u32 { sseBegin(); return done(roundF32(a, mode)); }

/** CVTSS2SD. */
export function ssToSd(a: u32): u64 { sseBegin(); return done(f32ToF64(a)); }
/** CVTSD2SS. */
export function sdToSs(a: u64): u32 { sseBegin(); return done(f64ToF32(a)); }
/** CVTSI2SS. */
export function integerToSs32(a: u32): u32 { sseBegin(); return done(i32ToF32(a)); }
export function integerToSs64(a: u64): u32 { sseBegin(); return done(i64ToF32(a)); }
/** CVTSI2SD from 64 bits; from 32 bits it is exact. */
export function integerToSd64(a: u64): u64 { sseBegin(); return done(i64ToF64(a)); }
/** CVTSS2SI and CVTSD2SI; with `truncate` 1 CVTTSS2SI and CVTTSD2SI. */
export function ssToInteger32(a: u32, truncate: i32): u32 { sseBegin(); return done(f32ToI32(a, truncate)); }
export function ssToInteger64(a: u32, truncate: i32): u64 { sseBegin(); return done(f32ToI64(a, truncate)); }
export function sdToInteger32(a: u64, truncate: i32): u32 { sseBegin(); return done(f64ToI32(a, truncate)); }
export function sdToInteger64(a: u64, truncate: i32): u64 { sseBegin(); return done(f64ToI64(a, truncate)); }
