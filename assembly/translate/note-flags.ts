// The operands of the last flag operation, in locals.
import { push } from "./compute";
import { flagsLive } from "./instruction";
import { L_FLAG_DST, L_FLAG_OP, L_FLAG_SRC } from "./locals";
import { I64_AND, I64_EXTEND_U } from "./opcodes";
import { setKnownFlags } from "./state";
import { typeOf } from "./values";
import { byte, i32const, I64, i64const, localSet } from "./writer";

const STATUS_FLAGS: i64 = 0x8d5;
const KIND_LOGIC: u32 = 5;

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

/** Takes RFLAGS, i32, off the stack as the status flags. */
export function setFlags(): void {
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
