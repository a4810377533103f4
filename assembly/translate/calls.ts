// Calls of helpers: code in place of those that a region computes itself, and the core for the others.
import { HELPER_KIND, HELPER_REGISTERS, HELPER_SETS_FLAGS, HELPER_setCarryOverflow, HELPER_TOUCHES_FLAGS, HELPER_USES_TRACE } from "../generated/helpers";
import { push, typeOfResult } from "./compute";
import { isInlineFloat, isPackedFloat } from "./float/operations";
import { inlinePacked } from "./float/packed";
import { inlineFloat } from "./float/scalar";
import { addParameter, beginType, helperFunction } from "./imports";
import { flagsLive, record } from "./instruction";
import { leaveIfFault } from "./leave";
import { temp } from "./locals";
import { storeTraceRip } from "./memory-access";
import { noteCarryOverflow } from "./note-flags";
import { inlineShift } from "./shifts";
import { inlineStack, isInlineStack } from "./stack";
import { flagsStored, loadRegisters, loadVectors, storeFlags, storeRegisters, storeVectors } from "./state";
import { after, leb } from "./steps";
import { inlineString, isInlineString } from "./strings";
import { inlineSystem } from "./system";
import { constOf, isConst, isXmm, typeOf, xmmOf } from "./values";
import { byte, call, localGet, localSet } from "./writer";
import { defineX87, inlineX87, isX87 } from "./x87/expand";

/** Number of packed division: add, subtract and multiply come before it (execute/float/soft.ts). */
const FLOAT_DIV: u32 = 3;
// Results of MICRO_CALL.
const RESULT_DROPPED: u32 = 16;
const MAY_FAULT: u32 = 8;

/** Floating point that WebAssembly does as well, the stack of code that is not of 64 bits, strings, shifts, and flags of rotates. */
function inlined(helper: u32, count: u32, values: usize, at: usize): bool {
  if (isInlineFloat(helper)) {
    inlineFloat(helper, values);
    return true;
  }
  if (isInlineStack(helper)) {
    inlineStack(helper, load<u8>(values), record, at);
    return true;
  }
  if (isInlineString(helper, record)) {
    inlineString(helper, <u32>constOf(load<u8>(values)), record);
    return true;
  }
  if (helper == HELPER_setCarryOverflow) {
    noteCarryOverflow(load<u8>(values), load<u8>(values, 1));
    return true;
  }
  if (inlineSystem(helper)) return true;
  if (!isPackedFloat(helper)) return inlineShift(helper, values);
  // FLOAT_* number, the register that is the result and the first operand, or that alone, and the operands; AVX's have a width.
  const to = <u32>load<u8>(values, 1);
  const operation = <u32>constOf(load<u8>(values));
  if (operation > FLOAT_DIV || !isXmm(to)) return false;
  const second = <u32>load<u8>(values + count - (count > 3 ? 2 : 1));
  inlinePacked(helper, operation, to, load<u8>(values + (count > 3 ? 2 : 1)), second, count > 3 ? <u32>constOf(load<u8>(values, 4)) : 16);
  return true;
}

/** Pushes those of a call's values that are no constants. */
function pushVariables(count: u32, values: usize): void {
  for (let i: u32 = 0; i < count; i++) if (!isConst(load<u8>(values + i))) push(load<u8>(values + i));
}

/** Defines what a helper of the x87 yields where code is emitted in its place. */
export function definedX87(at: usize): bool {
  const helper = leb(at + 1);
  if (!isX87(helper)) return false;
  pushVariables(load<u8>(after, 1), after + 2);
  return defineX87(helper);
}

/** Calls a helper; its result, if it has one that counts, is left on the stack. */
export function callHelper(at: usize): void {
  const helper = leb(at + 1);
  const shape = <u32>load<u8>(after);
  const count = <u32>load<u8>(after, 1);
  const values = after + 2;
  if (isX87(helper)) {
    pushVariables(count, values);
    return inlineX87(helper, values);
  }
  if (inlined(helper, count, values, at)) return;
  if (!flagsLive && load<u8>(HELPER_KIND + helper) & HELPER_SETS_FLAGS) return;
  const touchesFlags = (load<u8>(HELPER_KIND + helper) & HELPER_TOUCHES_FLAGS) != 0;
  const registers = load<u32>(HELPER_REGISTERS + (helper << 2));
  if (load<u8>(HELPER_KIND + helper) & HELPER_USES_TRACE) storeTraceRip();
  if (touchesFlags) storeFlags();
  storeRegisters((registers & 0xffff) | (registers >> 16));
  let vectors: u32 = 0;
  const result = typeOfResult(shape & 7);
  beginType();
  for (let i: u32 = 0; i < count; i++) {
    const value = <u32>load<u8>(values + i);
    addParameter(typeOf(value));
    if (isXmm(value)) vectors |= (<u32>1) << xmmOf(value);
  }
  // Arguments may be calls themselves.
  const index = helperFunction(helper, result);
  storeVectors(vectors);
  for (let i: u32 = 0; i < count; i++) push(load<u8>(values + i));
  call(index);
  let kept: u32 = 0;
  if (shape & MAY_FAULT) {
    if (result) {
      kept = temp(result);
      localSet(kept);
    }
    leaveIfFault();
  }
  loadRegisters(registers >> 16);
  loadVectors(vectors);
  if (touchesFlags) flagsStored();
  if (!result) return;
  if (shape & RESULT_DROPPED) {
    if (!kept) byte(0x1a);
  } else if (kept) localGet(kept);
}
