// Scalar floating point in line.
import { ifUnlikely } from "../hints";
import { L_FLAG_OP, L_FLAG_SRC, temp, vectorLocal } from "../locals";
import { I32_AND, I32_OR, I32_SHL, I64_EXTEND_U } from "../opcodes";
import { push } from "../compute";
import { setKnownFlags } from "../state";
import { keptVector, undoable } from "../undo";
import { constOf } from "../values";
import { byte, end, F32, f32const, f64const, I32, i32const, localGet, localSet, simd } from "../writer";
import { abs, beginChecks, endChecks, equals, less, missUnless, needFast, needOrdinary, op, pushUnsafe, zero } from "./checks";
import { noteOperation } from "./group";
import { floatType, isOrdinaryValue, noteOrdinaryValue, operand, registerOf } from "./operand";
import { COMPARE, DIV, FROM_INTEGER32, FROM_INTEGER64, MAX, MIN, MUL, operationOf, setWide, SQRT, TO_INTEGER32, TO_INTEGER64, TO_OTHER, wide } from "./operations";

/** Pushes the result of a scalar helper, a float or an integer; a comparison sets flags. `values`: the numbers of its arguments. */
export function inlineFloat(helper: u32, values: usize): void {
  const operation = operationOf(helper);
  const first = <u32>load<u8>(values);
  if (operation == FROM_INTEGER32) {
    push(first);
    byte(0xb7);
    return;
  }
  if (undoable) return computeInGroup(operation, operation == SQRT ? <u32>load<u8>(values, 1) : first, load<u8>(values, 1));
  beginChecks();
  switch (operation) {
    case SQRT: return squareRoot(load<u8>(values, 1));
    case MIN:
    case MAX: return minMax(operation, first, load<u8>(values, 1));
    case COMPARE: return compare(first, load<u8>(values, 1));
    case FROM_INTEGER64:
      // A rounded result raises what is raised already.
      needFast();
      endChecks();
      push(first);
      byte(0xb9);
      return;
    case TO_INTEGER32:
    case TO_INTEGER64: return toInteger(operation, first, constOf(load<u8>(values, 1)) != 0);
    case TO_OTHER: return wide ? toSingle(first) : toDouble(first);
    default: return arithmetic(operation, first, load<u8>(values, 1));
  }
}

/** The result of two doubles, or the root of one, asked with the others of a group. */
function computeInGroup(operation: u32, first: u32, second: u32): void {
  const y = operand(second);
  const x = first == second ? y : operand(first);
  const asksX = !isOrdinaryValue(first);
  const asksY = first != second && !isOrdinaryValue(second);
  const keptX = keptLane(first, x);
  const keptY = first == second ? keptX : keptLane(second, y);
  noteOperation(operation, false, keptX, keptY, asksX, asksY);
  noteOrdinaryValue(first);
  noteOrdinaryValue(second);
  localGet(x);
  if (operation == SQRT) return byte(0x9f);
  localGet(y);
  byte(0xa0 + operation);
}
/** v128 local with a value in its lower lane, which stays as it is. */
function keptLane(number: u32, local: u32): u32 {
  const copy = keptVector();
  const register = registerOf(number);
  if (register >= 0) localGet(vectorLocal(register));
  else {
    localGet(local);
    simd(0x14);
  }
  localSet(copy);
  return copy;
}

function arithmetic(operation: u32, first: u32, second: u32): void {
  needFast();
  const y = operand(second);
  const x = operand(first);
  needOrdinary(first, x);
  needOrdinary(second, y);
  const r = temp(floatType());
  localGet(x);
  localGet(y);
  op(0xa0 + operation, 0x92 + operation);
  localSet(r);
  pushUnsafe(r);
  ifUnlikely();
  needExactZero(operation, x, y, r);
  end();
  endChecks();
  localGet(r);
}

/** Leaves but for a zero that is exact: of a sum, of a product with a factor 0, of a quotient of 0. */
function needExactZero(operation: u32, x: u32, y: u32, r: u32): void {
  localGet(r);
  zero();
  equals();
  if (operation == MUL || operation == DIV) {
    localGet(x);
    zero();
    equals();
    if (operation == MUL) {
      localGet(y);
      zero();
      equals();
      byte(I32_OR);
    }
    byte(I32_AND);
  }
  missUnless();
}

function squareRoot(value: u32): void {
  needFast();
  const y = operand(value);
  needOrdinary(value, y);
  const r = temp(floatType());
  localGet(y);
  op(0x9f, 0x91);
  localSet(r);
  // That of a negative number is a NaN; that of zero is exact.
  pushUnsafe(r);
  ifUnlikely();
  localGet(y);
  zero();
  equals();
  missUnless();
  end();
  endChecks();
  localGet(r);
}

/** Pushes two operands that are ordinary, twice. */
function pushPairs(first: u32, second: u32): void {
  const y = operand(second);
  const x = operand(first);
  needOrdinary(first, x);
  needOrdinary(second, y);
  endChecks();
  for (let i = 0; i < 2; i++) {
    localGet(x);
    localGet(y);
  }
}

/** The second operand unless the first is less, or greater. */
function minMax(operation: u32, first: u32, second: u32): void {
  pushPairs(first, second);
  if (operation == MIN) less();
  else op(0x64, 0x5e);
  byte(0x1b);
}

/** COMISx and UCOMISx of two values, neither of them a NaN: CF less, ZF equal. */
function compare(first: u32, second: u32): void {
  pushPairs(first, second);
  const equal = temp(I32);
  equals();
  localSet(equal);
  less();
  localGet(equal);
  i32const(6);
  byte(I32_SHL);
  byte(I32_OR);
  byte(I64_EXTEND_U);
  localSet(L_FLAG_SRC);
  i32const(0);
  localSet(L_FLAG_OP);
  setKnownFlags(0);
}

/** CVTx2SI, CVTTx2SI. Values that do not fit leave. */
function toInteger(operation: u32, value: u32, truncate: bool): void {
  needFast();
  const x = operand(value);
  needOrdinary(value, x);
  abs(x);
  if (operation == TO_INTEGER32) {
    if (wide) f64const(2147483647);
    else f32const(2147483520);
  } else if (wide) f64const(9223372036854774784);
  else f32const(9223371487098961920);
  op(0x65, 0x5f);
  missUnless();
  endChecks();
  localGet(x);
  if (!truncate) op(0x9e, 0x90);
  // The saturating conversions are those of a prefix, and truncate.
  byte(0xfc);
  byte(operation == TO_INTEGER32 ? (wide ? 2 : 0) : wide ? 6 : 4);
}

/** CVTSD2SS. */
function toSingle(value: u32): void {
  needFast();
  const x = operand(value);
  needOrdinary(value, x);
  const r = temp(F32);
  localGet(x);
  byte(0xb6);
  localSet(r);
  // The result is a single.
  setWide(false);
  pushUnsafe(r);
  setWide(true);
  ifUnlikely();
  localGet(x);
  zero();
  equals();
  missUnless();
  end();
  endChecks();
  localGet(r);
}

/** CVTSS2SD, which is exact. */
function toDouble(value: u32): void {
  const x = operand(value);
  needOrdinary(value, x);
  endChecks();
  localGet(x);
  byte(0xbb);
}
