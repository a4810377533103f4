// The helpers of execute/float that are computed in line.
import {
  HELPER_addSd, HELPER_addSs, HELPER_comiF32, HELPER_comiF64, HELPER_divSd, HELPER_divSs, HELPER_i32ToF64, HELPER_integerToSd64, HELPER_maxSd, HELPER_maxSs,
  HELPER_minSd, HELPER_minSs, HELPER_mulSd, HELPER_mulSs, HELPER_packedF32, HELPER_packedF64, HELPER_sdToInteger32, HELPER_sdToInteger64, HELPER_sdToSs, HELPER_sqrtSd,
  HELPER_sqrtSs, HELPER_ssToInteger32, HELPER_ssToInteger64, HELPER_ssToSd, HELPER_subSd, HELPER_subSs, HELPER_vectorF32, HELPER_vectorF64,
} from "../../generated/helpers";

// Operations in the order of WebAssembly's opcodes for f64 and f32: add sub mul div min max.
const ADD: u32 = 0;
const SUB: u32 = 1;
export const MUL: u32 = 2;
export const DIV: u32 = 3;
export const MIN: u32 = 4;
export const MAX: u32 = 5;
export const SQRT: u32 = 6;
export const COMPARE: u32 = 7;
export const FROM_INTEGER32: u32 = 8;
export const FROM_INTEGER64: u32 = 9;
export const TO_INTEGER32: u32 = 10;
export const TO_INTEGER64: u32 = 11;
export const TO_OTHER: u32 = 12;
const PACKED: u32 = 13;
const NONE: u32 = 255;

/** Doubles, not singles, are what is computed with. */
export let wide: bool = false;
export function setWide(doubles: bool): void {
  wide = doubles;
}

/** What a helper is; `wide` tells doubles from singles. */
export function operationOf(helper: u32): u32 {
  wide = true;
  switch (helper) {
    case HELPER_addSd: return ADD;
    case HELPER_subSd: return SUB;
    case HELPER_mulSd: return MUL;
    case HELPER_divSd: return DIV;
    case HELPER_minSd: return MIN;
    case HELPER_maxSd: return MAX;
    case HELPER_sqrtSd: return SQRT;
    case HELPER_comiF64: return COMPARE;
    case HELPER_i32ToF64: return FROM_INTEGER32;
    case HELPER_integerToSd64: return FROM_INTEGER64;
    case HELPER_sdToInteger32: return TO_INTEGER32;
    case HELPER_sdToInteger64: return TO_INTEGER64;
    case HELPER_sdToSs: return TO_OTHER;
    case HELPER_packedF64:
    case HELPER_vectorF64: return PACKED;
  }
  wide = false;
  switch (helper) {
    case HELPER_addSs: return ADD;
    case HELPER_subSs: return SUB;
    case HELPER_mulSs: return MUL;
    case HELPER_divSs: return DIV;
    case HELPER_minSs: return MIN;
    case HELPER_maxSs: return MAX;
    case HELPER_sqrtSs: return SQRT;
    case HELPER_comiF32: return COMPARE;
    case HELPER_ssToInteger32: return TO_INTEGER32;
    case HELPER_ssToInteger64: return TO_INTEGER64;
    case HELPER_ssToSd: return TO_OTHER;
    case HELPER_packedF32:
    case HELPER_vectorF32: return PACKED;
  }
  return NONE;
}

/** Whether a helper is computed in line; its arguments are to be on the stack for inlineFloat(), but for packed ones. */
export function isInlineFloat(helper: u32): bool {
  const operation = operationOf(helper);
  return operation != NONE && operation != PACKED;
}
export function isPackedFloat(helper: u32): bool {
  return operationOf(helper) == PACKED;
}
