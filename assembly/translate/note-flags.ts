// The operands of the last flag operation, in locals.
import { CPU_CC_OP } from "../layout";
import { push } from "./compute";
import { flagsLive } from "./instruction";
import { L_FLAG_DST, L_FLAG_OP, L_FLAG_SRC, temp } from "./locals";
import { I32_AND, I32_GE_S, I32_LOAD, I32_OR, I32_SHL, I32_STORE, I64_AND, I64_EXTEND_U, I64_OR } from "./opcodes";
import { CARRY_SHIFT, field, FLAGS_CARRIED, FLAGS_DYNAMIC, knownFlags, loadField, OVERFLOW_SHIFT, setKnownFlags } from "./state";
import { typeOf } from "./values";
import { byte, elseBlock, end, I32, i32const, I64, i64const, ifBlock, localGet, localSet, VOID } from "./writer";

const STATUS_FLAGS: i64 = 0x8d5;
const KIND_LOGIC: u32 = 5;
const FLAG_CF: i64 = 1;
const FLAG_OF: i64 = 0x800;
const OF_SHIFT: i32 = 11;
/** What is left of CC_OP without FLAGS_CARRIED and its bits. */
const OPERATION: i32 = 0x3f;

/** Notes the operands of a flag operation, from which flags are computed when somebody asks. */
export function noteFlags(op: u32, dst: u32, src: u32): void {
  if (!flagsLive) return;
  // Both are computed before either is set: INC keeps a carry that follows from the old operands.
  pushWide(dst);
  if (op >> 2 != KIND_LOGIC) {
    pushWide(src);
    localSet(L_FLAG_SRC);
  }
  localSet(L_FLAG_DST);
  flagOp(op);
}

/** Makes CF and OF values `carry` and `overflow`, which are 0 or 1. The other flags stay. */
export function noteCarryOverflow(carry: u32, overflow: u32): void {
  if (!flagsLive) return;
  if (knownFlags == 0) {
    localGet(L_FLAG_SRC);
    i64const(~(FLAG_CF | FLAG_OF));
    byte(I64_AND);
    pushBits(carry, overflow, 0, OF_SHIFT);
    byte(I64_EXTEND_U);
    byte(I64_OR);
    localSet(L_FLAG_SRC);
    return;
  }
  const bits = temp(I32);
  pushBits(carry, overflow, CARRY_SHIFT, OVERFLOW_SHIFT);
  i32const(FLAGS_CARRIED);
  byte(I32_OR);
  localSet(bits);
  if (knownFlags > 0) {
    localGet(bits);
    i32const(knownFlags & OPERATION);
    byte(I32_OR);
    localSet(L_FLAG_OP);
    setKnownFlags(knownFlags | FLAGS_CARRIED);
    return;
  }
  if (knownFlags == FLAGS_DYNAMIC) {
    localGet(L_FLAG_OP);
    i32const(0);
    byte(I32_GE_S);
    ifBlock(VOID);
    localGet(L_FLAG_OP);
    i32const(OPERATION);
    byte(I32_AND);
    localGet(bits);
    byte(I32_OR);
    localSet(L_FLAG_OP);
    elseBlock();
  }
  i32const(0);
  loadField(I32_LOAD, CPU_CC_OP);
  i32const(OPERATION);
  byte(I32_AND);
  localGet(bits);
  byte(I32_OR);
  field(I32_STORE, CPU_CC_OP);
  if (knownFlags == FLAGS_DYNAMIC) end();
}

/** Pushes CF and OF as bits of an i32. */
function pushBits(carry: u32, overflow: u32, carryShift: i32, overflowShift: i32): void {
  push(carry);
  i32const(carryShift);
  byte(I32_SHL);
  push(overflow);
  i32const(overflowShift);
  byte(I32_SHL);
  byte(I32_OR);
}

/** Takes value `value`, RFLAGS, as the status flags. */
export function setFlags(value: u32): void {
  if (!flagsLive) return;
  push(value);
  byte(I64_EXTEND_U);
  i64const(STATUS_FLAGS);
  byte(I64_AND);
  localSet(L_FLAG_SRC);
  flagOp(0);
}

function flagOp(op: u32): void {
  i32const(op);
  localSet(L_FLAG_OP);
  setKnownFlags(op);
}

function pushWide(value: u32): void {
  push(value);
  if (typeOf(value) != I64) byte(I64_EXTEND_U);
}
