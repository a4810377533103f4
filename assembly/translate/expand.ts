// Expands the micro-operations of one decoded instruction to WebAssembly. isa/serialize.ts tells the format.
import {
  MICRO_BRANCH_IF, MICRO_CALL, MICRO_COMPLETE, MICRO_COMPLETE_LOCKED, MICRO_END, MICRO_FLAGS, MICRO_GUARD, MICRO_JUMP, MICRO_PUT, MICRO_PUT_FIXED, MICRO_SET_FLAGS,
  MICRO_STORE, MICRO_VSTORE, MICRO_VWRITE, MICRO_WHEN,
} from "../generated/micro-ops";
import { TLB_WRITE } from "../layout";
import { callHelper } from "./calls";
import { code64 } from "./code-mode";
import { define, push } from "./compute";
import { beginFloats } from "./float/checks";
import { inFloatRegister, pushFloat } from "./float/operand";
import { beginInstruction, modifyHost, modifyOffset, record } from "./instruction";
import { missIf } from "./leave";
import { freeTemps, temp } from "./locals";
import { accessAt, addressLocal, pushHost, pushOpened, storeOpcode } from "./memory-access";
import { noteFlags, setFlags } from "./note-flags";
import { F32_STORE, F64_STORE, I64_EXTEND_U, V128_STORE } from "./opcodes";
import { putRegister, vectorStore } from "./operands";
import { offsetInSpan } from "./spans";
import { dirty, FLAGS_DYNAMIC, knownFlags, setDirty, setKnownFlags } from "./state";
import { after, definesValue, leb, listOf, nextStep, opcodeOf, slotOf, stepsOf } from "./steps";
import { beginValues, constOf, isConst, skipValue, typeOf } from "./values";
import { byte, end, I64, ifBlock, localGet, localSet, memory, VOID } from "./writer";

/** The value that decides the branch at the end; -1: there is none. */
export let branchCondition: i32 = -1;
/** Local with the target of the computed jump at the end; 0: there is none. */
export let jumpTarget: u32 = 0;

/** Emits the instruction in `rec`; `next`: displacement behind it; `live`: its flags may be looked at. */
export function expand(rec: usize, next: i32, live: bool): void {
  freeTemps();
  beginValues();
  beginInstruction(rec, next, live);
  branchCondition = -1;
  jumpTarget = 0;
  expandSteps(stepsOf(listOf(rec)), 0);
}

/** Expands until MICRO_END, or until `stop` if it is not 0. */
function expandSteps(from: usize, stop: usize): void {
  let at = from;
  while (stop ? at < stop : load<u8>(at) != MICRO_END) {
    if (opcodeOf(at) == MICRO_WHEN) at = expandWhen(at);
    else {
      if (definesValue(at)) define(at);
      else effect(at);
      at = nextStep(at);
    }
  }
}

/** A conditional body. Returns the address behind it. */
function expandWhen(at: usize): usize {
  const condition = <u32>load<u8>(at, 1);
  const length = leb(at + 2);
  const body = after;
  const behind = body + length;
  if (isConst(condition)) {
    if (constOf(condition) != 0) expandSteps(body, behind);
    else skipBody(body, behind);
    return behind;
  }
  const before = knownFlags;
  const wereDirty = dirty;
  push(condition);
  ifBlock(VOID);
  expandSteps(body, behind);
  end();
  beginFloats();
  if (knownFlags != before) setKnownFlags(FLAGS_DYNAMIC);
  setDirty(dirty | wereDirty);
  return behind;
}

/** Values keep their numbers where a body is left out. */
function skipBody(from: usize, to: usize): void {
  for (let at = from; at < to; at = nextStep(at)) if (definesValue(at)) skipValue();
}

function effect(at: usize): void {
  const a = <u32>load<u8>(at, 1);
  switch (opcodeOf(at)) {
    case MICRO_PUT: return putRegister(slotOf(record, a >> 2), a & 3, load<u8>(at, 2));
    case MICRO_PUT_FIXED: return putRegister(((a & 15) << 3) + ((a >> 4) & 1), a >> 5, load<u8>(at, 2));
    case MICRO_STORE: {
      const value = <u32>load<u8>(at, 3);
      const access = accessAt(at);
      if (!pushOpened(access)) {
        push(load<u8>(at, 2));
        pushHost(addressLocal(), 1 << a, TLB_WRITE, access);
      }
      const float = inFloatRegister(a, value);
      if (float) pushFloat(value);
      else push(value);
      memory(float ? (a == 3 ? F64_STORE : F32_STORE) : storeOpcode(a, typeOf(value) == I64), 0, offsetInSpan(access));
      return;
    }
    case MICRO_COMPLETE:
    case MICRO_COMPLETE_LOCKED: {
      const value = <u32>load<u8>(at, 3);
      localGet(modifyHost);
      push(value);
      memory(storeOpcode(a, typeOf(value) == I64), 0, modifyOffset);
      return;
    }
    case MICRO_VSTORE: return vectorStore(a, load<u8>(at, 2), load<u8>(at, 3));
    case MICRO_VWRITE: {
      const access = accessAt(at);
      if (!pushOpened(access)) {
        push(a);
        pushHost(addressLocal(), 16, TLB_WRITE, access);
      }
      push(load<u8>(at, 2));
      byte(0xfd);
      memory(V128_STORE, 0, offsetInSpan(access));
      return;
    }
    case MICRO_FLAGS: return noteFlags(a, load<u8>(at, 2), load<u8>(at, 3));
    case MICRO_SET_FLAGS: return setFlags(a);
    case MICRO_CALL: return callHelper(at);
    case MICRO_GUARD:
      // The interpreter raises what is to be raised.
      if (isConst(load<u8>(nextStep(at) - 1)) && constOf(load<u8>(nextStep(at) - 1)) == 0) return;
      push(load<u8>(nextStep(at) - 1));
      missIf();
      return;
    case MICRO_BRANCH_IF:
      branchCondition = load<u8>(at, 2);
      return;
    case MICRO_JUMP:
      push(load<u8>(at, 2));
      if (!code64) byte(I64_EXTEND_U);
      jumpTarget = temp(I64);
      localSet(jumpTarget);
      return;
  }
}
