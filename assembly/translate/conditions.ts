// The sixteen conditions in translated code: straight from the operands of the last flag operation where it is known,
// else by the core.
import { ifUnlikely } from "./hints";
import { flagsFunction, RUNTIME_CONDITION } from "./imports";
import { L_FLAG_DST, L_FLAG_OP, L_FLAG_SRC, temp } from "./locals";
import { I32_AND, I32_EQ, I32_EQZ, I32_NE, I32_OR, I32_SHL, I32_SHR_U, I32_SUB, I32_WRAP, I32_XOR, I64_EQZ, I64_LT_U, I64_SHR_U, I64_SUB } from "./opcodes";
import { CARRY_SHIFT, FLAGS_CARRIED, FLAGS_DYNAMIC, knownFlags, OVERFLOW_SHIFT, PLAIN_KINDS, setKnownFlags } from "./state";
import { byte, call, elseBlock, end, I32, i32const, i64const, ifBlock, localGet, localSet } from "./writer";

const KIND_ADD: u32 = 1;
const KIND_SUB: u32 = 3;
const KIND_SBB1: u32 = 4;
const KIND_LOGIC: u32 = 5;
const KIND_INC: u32 = 6;
const KIND_DEC: u32 = 7;
const KIND_SHL: u32 = 8;
const KIND_SHR: u32 = 9;
const KIND_MUL: u32 = 10;

// Comparisons, in the order in which WebAssembly numbers them.
const EQ: u32 = 0;
const NE: u32 = 1;
const LT_S: u32 = 2;
const LT_U: u32 = 3;
const GT_S: u32 = 4;
const GT_U: u32 = 5;
const LE_S: u32 = 6;
const LE_U: u32 = 7;
const GE_S: u32 = 8;
const GE_U: u32 = 9;

// Conditions without their lowest bit, which negates.
const OVERFLOW: u32 = 0;
const BELOW: u32 = 2;
const ZERO: u32 = 4;
const BELOW_EQUAL: u32 = 6;
const SIGN: u32 = 8;
const PARITY: u32 = 10;
const LESS: u32 = 12;
const LESS_EQUAL: u32 = 14;

/** Pushes an operand as a number whose top bit is its sign: i32 for widths to 32 bits, i64 for 64. */
function operand(local: u32, w: u32): void {
  localGet(local);
  if (w == 3) return;
  byte(I32_WRAP);
  if (w == 2) return;
  i32const(w == 0 ? 24 : 16);
  byte(I32_SHL);
}

/** Pushes an operand of a subtraction or the result of a logic operation as an unsigned number: those are zero-extended as they are. */
function unsigned(local: u32, w: u32): void {
  localGet(local);
  if (w < 3) byte(I32_WRAP);
}

function compare(which: u32, w: u32): void {
  byte((w == 3 ? 0x51 : 0x46) + which);
}

function isSigned(which: u32): bool {
  return which == LT_S || which == GT_S || which == LE_S || which == GE_S;
}

/** Compares the result, which is the first operand, with 0. */
function compareResult(which: u32, w: u32): void {
  operand(L_FLAG_DST, w);
  if (w == 3) i64const(0);
  else i32const(0);
  compare(which, w);
}

/** Pushes condition `code` as 0 or 1. */
export function pushCondition(code: u32): void {
  if (knownFlags > 0 && knownFlags & FLAGS_CARRIED) return carried(code);
  if (knownFlags == 0) return pushBits(code);
  if (knownFlags > 0 && direct(code, knownFlags >> 2, knownFlags & 3)) return;
  if (knownFlags == FLAGS_DYNAMIC && (code & ~1) == BELOW) return openCarry(code);
  askCore(code);
}

function askCore(code: u32): void {
  i32const(code);
  if (knownFlags >= 0) i32const(knownFlags);
  else localGet(L_FLAG_OP);
  localGet(L_FLAG_DST);
  localGet(L_FLAG_SRC);
  call(flagsFunction(RUNTIME_CONDITION));
}

/** CF or its opposite of an operation that only L_FLAG_OP knows: INC and DEC, which keep it, stand in loops whose first turn
 * begins with other flags than the following ones. Comparisons, logic operations, and what has CF as its second operand
 * are answered in line. */
function openCarry(code: u32): void {
  const kind = temp(I32);
  localGet(L_FLAG_OP);
  i32const(2);
  byte(I32_SHR_U);
  localSet(kind);
  localGet(kind);
  i32const(KIND_SUB);
  byte(I32_EQ);
  ifBlock(I32);
  localGet(L_FLAG_DST);
  localGet(L_FLAG_SRC);
  byte(I64_LT_U);
  if (code & 1) byte(I32_EQZ);
  elseBlock();
  // The shift takes the lowest five bits: kinds with CF and OF apart are 16 and more then, flags in the vCPU 31.
  i32const(PLAIN_KINDS | (1 << KIND_LOGIC));
  localGet(kind);
  byte(I32_SHR_U);
  i32const(1);
  byte(I32_AND);
  byte(I32_EQZ);
  ifUnlikely(I32);
  askCore(code);
  elseBlock();
  localGet(L_FLAG_SRC);
  byte(I32_WRAP);
  localGet(kind);
  i32const(KIND_LOGIC);
  byte(I32_NE);
  byte(I32_AND);
  if (code & 1) byte(I32_EQZ);
  end();
  end();
}

/** The condition where CF and OF are bits of L_FLAG_OP. */
function carried(code: u32): void {
  const what = code & ~1;
  if (what == BELOW) bitOfOp(CARRY_SHIFT);
  else if (what == OVERFLOW) bitOfOp(OVERFLOW_SHIFT);
  else if (what == BELOW_EQUAL) {
    bitOfOp(CARRY_SHIFT);
    ofOperation(ZERO);
    byte(I32_OR);
  } else if (what == LESS || what == LESS_EQUAL) {
    ofOperation(SIGN);
    bitOfOp(OVERFLOW_SHIFT);
    byte(I32_XOR);
    if (what == LESS_EQUAL) {
      ofOperation(ZERO);
      byte(I32_OR);
    }
  } else return ofOperation(code);
  if (code & 1) byte(I32_EQZ);
}

function bitOfOp(shift: i32): void {
  localGet(L_FLAG_OP);
  i32const(shift);
  byte(I32_SHR_U);
  i32const(1);
  byte(I32_AND);
}

/** A condition that looks at neither CF nor OF. */
function ofOperation(code: u32): void {
  const known = knownFlags;
  setKnownFlags(known & ~FLAGS_CARRIED);
  pushCondition(code);
  setKnownFlags(known);
}

/** True: the condition follows from one comparison, which has been pushed. */
function direct(code: u32, kind: u32, w: u32): bool {
  const negated = code & 1;
  const what = code & ~1;
  if (kind == KIND_SUB) {
    let which: u32;
    if (what == BELOW) which = negated ? GE_U : LT_U;
    else if (what == ZERO) which = negated ? NE : EQ;
    else if (what == BELOW_EQUAL) which = negated ? GT_U : LE_U;
    else if (what == LESS) which = negated ? GE_S : LT_S;
    else if (what == LESS_EQUAL) which = negated ? GT_S : LE_S;
    else if (what == SIGN) {
      operand(L_FLAG_DST, w);
      operand(L_FLAG_SRC, w);
      byte(w == 3 ? I64_SUB : I32_SUB);
      if (w == 3) i64const(0);
      else i32const(0);
      compare(negated ? GE_S : LT_S, w);
      return true;
    } else return false;
    if (isSigned(which)) {
      operand(L_FLAG_DST, w);
      operand(L_FLAG_SRC, w);
    } else {
      unsigned(L_FLAG_DST, w);
      unsigned(L_FLAG_SRC, w);
    }
    compare(which, w);
    return true;
  }
  // The first operand of every other kind but a subtraction with borrow is the result.
  if (kind == KIND_SBB1) return false;
  if (what == ZERO) {
    if (kind == KIND_LOGIC) unsigned(L_FLAG_DST, w);
    else operand(L_FLAG_DST, w);
    byte(w == 3 ? I64_EQZ : I32_EQZ);
    if (negated) byte(I32_EQZ);
    return true;
  }
  if (what == SIGN) {
    compareResult(negated ? GE_S : LT_S, w);
    return true;
  }
  if (kind == KIND_LOGIC) {
    if (what == BELOW || what == OVERFLOW) i32const(negated);
    else if (what == BELOW_EQUAL) compareResult(negated ? NE : EQ, w);
    else if (what == LESS) compareResult(negated ? GE_S : LT_S, w);
    else if (what == LESS_EQUAL) compareResult(negated ? GT_S : LE_S, w);
    else return false;
    return true;
  }
  if (what == OVERFLOW && kind == KIND_MUL) return bitOfSource(0, negated);
  if (what != BELOW) return false;
  if (kind == KIND_SHL) return bitOfSource((8 << w) - 1, negated);
  if (kind == KIND_SHR || kind == KIND_MUL || kind == KIND_INC || kind == KIND_DEC) return bitOfSource(0, negated);
  if (kind == KIND_ADD) {
    operand(L_FLAG_DST, w);
    operand(L_FLAG_SRC, w);
    compare(negated ? GE_U : LT_U, w);
    return true;
  }
  return false;
}

/** Pushes a bit of the second operand. */
function bitOfSource(bit: u32, negated: u32): bool {
  localGet(L_FLAG_SRC);
  if (bit) {
    i64const(bit);
    byte(I64_SHR_U);
  }
  byte(I32_WRAP);
  i32const(1);
  byte(I32_AND);
  if (negated) byte(I32_EQZ);
  return true;
}

/** The condition from flags in RFLAGS layout in L_FLAG_SRC. */
function pushBits(code: u32): void {
  const what = code & ~1;
  let mask: i32;
  if (what == OVERFLOW) mask = 0x800;
  else if (what == BELOW) mask = 1;
  else if (what == ZERO) mask = 0x40;
  else if (what == BELOW_EQUAL) mask = 0x41;
  else if (what == SIGN) mask = 0x80;
  else if (what == PARITY) mask = 4;
  else mask = 0;
  if (mask) {
    flagBits(mask);
  } else {
    // SF differs from OF.
    flagBits(0x80);
    i32const(7);
    byte(I32_SHR_U);
    flagBits(0x800);
    i32const(11);
    byte(I32_SHR_U);
    byte(I32_XOR);
    if (what == LESS_EQUAL) {
      flagBits(0x40);
      byte(I32_OR);
    }
  }
  byte(I32_EQZ);
  if (!(code & 1)) byte(I32_EQZ);
}

function flagBits(mask: i32): void {
  localGet(L_FLAG_SRC);
  byte(I32_WRAP);
  i32const(mask);
  byte(I32_AND);
}
