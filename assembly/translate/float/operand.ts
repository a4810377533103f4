// Operands of floating point in line. A value that floating point uses or yields is a float, not its bit pattern: moving
// between the two kinds of registers of a host takes longer than an addition.
import { HELPER_comiF32, HELPER_comiF64 } from "../../generated/helpers";
import { MICRO_CALL, MICRO_CONST32, MICRO_END, MICRO_SIMD, MICRO_VLOAD } from "../../generated/micro-ops";
import { push } from "../compute";
import { temp, vectorLocal } from "../locals";
import { after, definesValue, leb, nextStep, opcodeOf } from "../steps";
import { floatLocal, isFloat, isKnownOrdinary, isStep, isXmm, stepOf, xmmOf } from "../values";
import { byte, F32, F64, localGet, localSet, simdLane } from "../writer";
import { DOUBLE_LOW, isOrdinary, noteOrdinary, SINGLE_LOW } from "./ordinary";
import { FROM_INTEGER32, FROM_INTEGER64, isInlineFloat, operationOf, setWide, TO_INTEGER32, TO_INTEGER64, wide } from "./operations";

export function floatType(): u32 {
  return wide ? F64 : F32;
}
/** The lane that scalars are in. */
export function lowLane(): u32 {
  return wide ? DOUBLE_LOW : SINGLE_LOW;
}

/** Number of the XMM register whose lowest lane a value is; -1: it is none. */
export function registerOf(number: u32): i32 {
  if (!isStep(number)) return -1;
  const at = stepOf(number);
  if (opcodeOf(at) == MICRO_SIMD) return isLowLane(at) ? wholeRegister(load<u8>(at, 2)) : -1;
  if (opcodeOf(at) != MICRO_VLOAD || load<u8>(at, 1) != <u8>(wide ? 8 : 4) || !isXmm(load<u8>(at, 2))) return -1;
  return <i32>xmmOf(load<u8>(at, 2));
}

/** Number of the XMM register all of which a value is; -1: it is none. */
export function wholeRegister(number: u32): i32 {
  if (!isStep(number)) return -1;
  const at = stepOf(number);
  return opcodeOf(at) == MICRO_VLOAD && load<u8>(at, 1) == 16 && isXmm(load<u8>(at, 2)) ? <i32>xmmOf(load<u8>(at, 2)) : -1;
}

/** Whether a MICRO_SIMD step takes the lowest lane, of the size that is computed with. */
function isLowLane(at: usize): bool {
  return (load<u8>(at, 1) & 15) == 1 && load<u8>(at, 3) == 3 && load<u8>(at, 5) == (wide ? 0x1d : 0x1b) && load<u8>(at, 6) == 0;
}

/** Pushes a value as a float, of the size that is computed with. */
export function pushFloat(number: u32): void {
  if (isFloat(number)) return localGet(floatLocal(number));
  const register = registerOf(number);
  if (register >= 0) {
    localGet(vectorLocal(register));
    simdLane(wide ? 0x21 : 0x1f, 0);
    return;
  }
  push(number);
  byte(wide ? 0xbf : 0xbe);
}

/** Whether a value of 1 << w bytes is in one of the host's registers for floats, whatever it is, to be moved by pushFloat(). */
export function inFloatRegister(w: u32, number: u32): bool {
  if (w < 2) return false;
  setWide(w == 3);
  return isFloat(number) || registerOf(number) >= 0;
}

/** Local with a value as a float. */
export function operand(number: u32): u32 {
  if (isFloat(number)) return floatLocal(number);
  pushFloat(number);
  const local = temp(floatType());
  localSet(local);
  return local;
}

/** Whether a value is known to be zero, normal or infinite. */
export function isOrdinaryValue(number: u32): bool {
  if (isKnownOrdinary(number)) return true;
  const register = registerOf(number);
  return register >= 0 && isOrdinary(lowLane(), register);
}

/** It is, from here on. */
export function noteOrdinaryValue(number: u32): void {
  const register = registerOf(number);
  if (register >= 0) noteOrdinary(lowLane(), register);
}

/** Whether what the step at `at` loads, value `number`, is an operand of floating point in line. */
export function feedsFloat(at: usize, number: u32): bool {
  for (let s = nextStep(at); load<u8>(s) != MICRO_END; s = nextStep(s)) {
    if (opcodeOf(s) != MICRO_CALL) continue;
    const helper = leb(s + 1);
    if (!isInlineFloat(helper)) continue;
    const count = <u32>load<u8>(after, 1);
    const values = after + 2;
    const operation = operationOf(helper);
    if (operation == FROM_INTEGER32 || operation == FROM_INTEGER64) continue;
    for (let i: u32 = 0; i < count; i++) if (load<u8>(values + i) == number) return true;
  }
  return false;
}

/** Whether code in place of a helper yields a float. */
export function yieldsFloat(helper: u32): bool {
  if (!isInlineFloat(helper) || helper == HELPER_comiF64 || helper == HELPER_comiF32) return false;
  const operation = operationOf(helper);
  return operation != TO_INTEGER32 && operation != TO_INTEGER64;
}

/** Whether a MICRO_SIMD step puts a value into the lowest lane of 1 << w bytes of another. */
export function replacesLow(at: usize, w: u32): bool {
  return (load<u8>(at, 1) & 15) == 2 && load<u8>(at, 4) == 3 && load<u8>(at, 6) == (w == 3 ? 0x1e : 0x1c) && load<u8>(at, 7) == 0;
}

/** Whether what the step at `at` loads, value `number` of 1 << w bytes, becomes the lowest lane of a vector of zeros. */
export function feedsLane(at: usize, number: u32, w: u32): bool {
  const NONE: u32 = 256;
  let zero = NONE;
  let zeros = NONE;
  let defined = number + 1;
  for (let s = nextStep(at); load<u8>(s) != MICRO_END; s = nextStep(s)) {
    if (opcodeOf(s) == MICRO_CONST32 && load<u8>(s, 1) == 0) zero = defined;
    else if (opcodeOf(s) == MICRO_SIMD) {
      if (replacesLow(s, w) && load<u8>(s, 3) == number && load<u8>(s, 2) == zeros) return true;
      // A splat.
      if ((load<u8>(s, 1) & 15) == 1 && load<u8>(s, 2) == zero && load<u8>(s, 5) == 0x11) zeros = defined;
    }
    if (definesValue(s)) defined++;
  }
  return false;
}
