// Scalar floating point in line.
import { L_FLAG_OP, L_FLAG_SRC, temp } from "../locals";
import { I32_AND, I32_EQZ, I32_OR, I32_SHL, I64_EXTEND_U } from "../opcodes";
import { enterScope, leaveScope, missIf, setKnownFlags } from "../state";
import { byte, end, F32, f32const, f64const, I32, i32const, ifBlock, localGet, localSet, localTee, VOID } from "../writer";
import { abs, equals, floatType, greater, infinity, less, missUnless, needFast, notLess, op, operand, pushOrdinary, pushSafe, tiny, toBits, zero } from "./checks";
import { COMPARE, DIV, FROM_INTEGER32, FROM_INTEGER64, MAX, MIN, MUL, operationOf, setWide, SQRT, TO_INTEGER32, TO_INTEGER64, TO_OTHER, wide } from "./operations";

/** Replaces the arguments on the stack, bit patterns, by the result of a scalar helper. */
export function inlineFloat(helper: u32): void {
  const operation = operationOf(helper);
  switch (operation) {
    case SQRT: return squareRoot();
    case MIN:
    case MAX: return minMax(operation);
    case COMPARE: return compare();
    case FROM_INTEGER32:
      byte(0xb7);
      byte(0xbd);
      return;
    case FROM_INTEGER64:
      // A rounded result raises what is raised already.
      needFast();
      byte(0xb9);
      byte(0xbd);
      return;
    case TO_INTEGER32:
    case TO_INTEGER64: return toInteger(operation);
    case TO_OTHER: return wide ? toSingle() : toDouble();
    default: return arithmetic(operation);
  }
}

function arithmetic(operation: u32): void {
  needFast();
  const y = operand();
  const x = operand();
  const r = temp(floatType());
  localGet(x);
  localGet(y);
  op(0xa0 + operation, 0x92 + operation);
  localTee(r);
  op(0x99, 0x8b);
  tiny();
  greater();
  abs(r);
  infinity();
  less();
  byte(I32_AND);
  pushOrdinary(x);
  byte(I32_AND);
  pushOrdinary(y);
  byte(I32_AND);
  byte(I32_EQZ);
  ifBlock(VOID);
  enterScope();
  exactZero(operation, x, y, r);
  leaveScope();
  end();
  localGet(r);
  toBits();
}

/** Leaves but for a zero that is exact: of a sum, of a product with a factor 0, of a quotient of 0. Inside an `if`. */
function exactZero(operation: u32, x: u32, y: u32, r: u32): void {
  localGet(r);
  zero();
  equals();
  pushOrdinary(x);
  byte(I32_AND);
  pushOrdinary(y);
  byte(I32_AND);
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
  if (operation == DIV) {
    // x / infinity is 0 too.
    abs(y);
    infinity();
    less();
    byte(I32_AND);
  }
  byte(I32_EQZ);
  missIf();
}

function squareRoot(): void {
  needFast();
  const y = operand();
  byte(0x1a);
  // A normal positive operand has a normal root; that of zero is exact.
  localGet(y);
  tiny();
  notLess();
  localGet(y);
  infinity();
  less();
  byte(I32_AND);
  localGet(y);
  zero();
  equals();
  byte(I32_OR);
  missUnless();
  localGet(y);
  op(0x9f, 0x91);
  toBits();
}

/** The second operand unless the first is less, or greater. */
function minMax(operation: u32): void {
  const y = operand();
  const x = operand();
  pushOrdinary(x);
  pushOrdinary(y);
  byte(I32_AND);
  missUnless();
  localGet(x);
  localGet(y);
  localGet(x);
  localGet(y);
  if (operation == MIN) less();
  else greater();
  byte(0x1b);
  toBits();
}

/** COMISx and UCOMISx of two values and a flag that only matters for NaNs: CF less, ZF equal. */
function compare(): void {
  byte(0x1a);
  const y = operand();
  const x = operand();
  pushOrdinary(x);
  pushOrdinary(y);
  byte(I32_AND);
  missUnless();
  localGet(x);
  localGet(y);
  less();
  localGet(x);
  localGet(y);
  equals();
  i32const(6);
  byte(I32_SHL);
  byte(I32_OR);
  byte(I64_EXTEND_U);
  localSet(L_FLAG_SRC);
  i32const(0);
  localSet(L_FLAG_OP);
  setKnownFlags(0);
}

/** CVTx2SI, CVTTx2SI: value, and 1 to truncate. Values that do not fit leave. */
function toInteger(operation: u32): void {
  needFast();
  const truncate = temp(I32);
  localSet(truncate);
  const x = operand();
  pushOrdinary(x);
  abs(x);
  if (operation == TO_INTEGER32) {
    if (wide) f64const(2147483647);
    else f32const(2147483520);
  } else if (wide) f64const(9223372036854774784);
  else f32const(9223371487098961920);
  op(0x65, 0x5f);
  byte(I32_AND);
  missUnless();
  localGet(x);
  op(0x9d, 0x8f);
  localGet(x);
  op(0x9e, 0x90);
  localGet(truncate);
  byte(0x1b);
  // The saturating conversions are those of a prefix.
  byte(0xfc);
  byte(operation == TO_INTEGER32 ? (wide ? 2 : 0) : wide ? 6 : 4);
}

/** CVTSD2SS. */
function toSingle(): void {
  needFast();
  const x = operand();
  const r = temp(F32);
  localGet(x);
  byte(0xb6);
  localSet(r);
  // The result is a single.
  setWide(false);
  pushSafe(r);
  setWide(true);
  localGet(x);
  zero();
  equals();
  byte(I32_OR);
  missUnless();
  localGet(r);
  byte(0xbc);
}

/** CVTSS2SD, which is exact. */
function toDouble(): void {
  const x = operand();
  pushOrdinary(x);
  missUnless();
  localGet(x);
  byte(0xbb);
  byte(0xbd);
}
