// What x87 instructions that are computed in line do to the stack, read off their micro-operations.
import {
  HELPER_arithmeticF32, HELPER_arithmeticF64, HELPER_arithmeticInteger, HELPER_arithmeticSt, HELPER_fabs, HELPER_fchs, HELPER_fcomF32, HELPER_fcomF64, HELPER_fcomiSt, HELPER_fcomInteger,
  HELPER_fcomSt, HELPER_fcw, HELPER_ffree, HELPER_fild, HELPER_fldConstant, HELPER_fldcw, HELPER_fldF32, HELPER_fldF64, HELPER_fldF80, HELPER_fldSt, HELPER_frndint, HELPER_fsqrt, HELPER_fstSt,
  HELPER_ftst, HELPER_fxch, HELPER_isPending, HELPER_KIND, HELPER_moveTop, HELPER_noteInstruction, HELPER_noteOperand, HELPER_statusWord, HELPER_storeDone, HELPER_storedLow, HELPER_storeF32,
  HELPER_storeF64, HELPER_storeF80, HELPER_storeInteger, HELPER_checkWait, HELPER_X87,
} from "../../generated/helpers";
import { MICRO_CALL, MICRO_CONST32, MICRO_END, MICRO_INDEX } from "../../generated/micro-ops";
import { CPU_FCW } from "../../layout";
import { cpu } from "../../cpu";
import { X_ALL } from "../../softfloat/status";
import { after, definesValue, leb, listOf, nextStep, opcodeOf, signedLeb, slotOf, stepsOf } from "../steps";
import { beginValues, constOf, defineConst } from "../values";
import { I32 } from "../writer";

/** The instruction has nothing to do with the x87's registers. */
export const RECORD_OTHER: u32 = 0;
/** It is computed in line. */
export const RECORD_INLINE: u32 = 1;
/** A helper does it on the vCPU's state. */
export const RECORD_HELPER: u32 = 2;

const NONE: u32 = 0xffffffff;

// What describe() found.
/** The helper in whose stead code is emitted, NONE: there is nothing to compute; and its first arguments, where they are
 * constants. */
export let operation: u32 = NONE;
export let first: i32 = 0;
export let second: i32 = 0;
export let third: i32 = 0;
export let fourth: i32 = 0;
/** Bit i: ST(i) has to be there. */
export let needed: u32 = 0;
/** Bit i: ST(i) is filled, whatever it was. */
export let filled: u32 = 0;
/** A register is pushed, and has to be empty. */
export let pushes: bool = false;
/** Registers popped. */
export let pops: i32 = 0;
/** ST(i) is emptied; -1: none is. */
export let emptied: i32 = -1;
/** TOP moves by this while the tags stay. */
export let turned: i32 = 0;
/** The result depends on rounding control or precision control. */
export let rounds: bool = false;

/** Bits of significand that results are rounded to in the region being emitted; 0: it leaves the x87 to helpers. */
export let roundingBits: i32 = 0;

/** Begins a region: the control word as it is now is what it is made for. */
export function beginRecords(): void {
  const control = load<u32>(cpu, CPU_FCW);
  const field = (control >> 8) & 3;
  roundingBits = (control & X_ALL) != X_ALL || field < 2 ? 0 : field == 2 ? 53 : 64;
}

/** RECORD_* of an instruction; describes it in the variables above where it is RECORD_INLINE. */
export function describe(rec: usize): u32 {
  if (!roundingBits) return RECORD_OTHER;
  operation = NONE;
  needed = 0;
  filled = 0;
  pushes = false;
  pops = 0;
  emptied = -1;
  turned = 0;
  rounds = false;
  let kind = RECORD_OTHER;
  beginValues();
  for (let s = stepsOf(listOf(rec)); load<u8>(s) != MICRO_END; s = nextStep(s)) {
    const step = opcodeOf(s);
    if (step == MICRO_CALL) {
      const found = describeCall(s);
      if (found > kind) kind = found;
    }
    if (!definesValue(s)) continue;
    if (step == MICRO_CONST32) defineConst(signedLeb(s + 1), I32);
    else if (step == MICRO_INDEX) defineConst(slotOf(rec, load<u8>(s, 1)), I32);
    else defineConst(0, I32);
  }
  return kind;
}

function describeCall(s: usize): u32 {
  const helper = leb(s + 1);
  const count = <u32>load<u8>(after, 1);
  const values = after + 2;
  switch (helper) {
    case HELPER_isPending:
    case HELPER_noteInstruction:
    case HELPER_noteOperand:
    case HELPER_storedLow: return RECORD_INLINE;
    case HELPER_checkWait:
    case HELPER_fcw: return RECORD_OTHER;
    case HELPER_storeDone:
      pops = <i32>constOf(load<u8>(values));
      return RECORD_INLINE;
  }
  if (!(load<u8>(HELPER_KIND + helper) & HELPER_X87)) return RECORD_OTHER;
  operation = helper;
  first = count > 0 ? <i32>constOf(load<u8>(values)) : 0;
  second = count > 1 ? <i32>constOf(load<u8>(values, 1)) : 0;
  third = count > 2 ? <i32>constOf(load<u8>(values, 2)) : 0;
  fourth = count > 3 ? <i32>constOf(load<u8>(values, 3)) : 0;
  switch (helper) {
    case HELPER_arithmeticSt:
      needed = 1 | (1 << second);
      pops = fourth;
      rounds = true;
      return RECORD_INLINE;
    case HELPER_arithmeticF32:
    case HELPER_arithmeticF64:
    case HELPER_arithmeticInteger:
    case HELPER_fsqrt:
    case HELPER_frndint:
    case HELPER_storeF32:
    case HELPER_storeF64:
      needed = 1;
      rounds = true;
      return RECORD_INLINE;
    case HELPER_storeF80:
    case HELPER_storeInteger:
    case HELPER_fchs:
    case HELPER_fabs:
    case HELPER_ftst:
      needed = 1;
      return RECORD_INLINE;
    case HELPER_fcomSt:
    case HELPER_fcomiSt:
      needed = 1 | (1 << first);
      pops = third;
      return RECORD_INLINE;
    case HELPER_fcomF32:
    case HELPER_fcomF64:
    case HELPER_fcomInteger:
      needed = 1;
      pops = second;
      return RECORD_INLINE;
    case HELPER_fldSt:
      needed = 1 << first;
      pushes = true;
      return RECORD_INLINE;
    case HELPER_fldConstant:
      rounds = first != 0 && first != 6;
      pushes = true;
      return RECORD_INLINE;
    case HELPER_fldF32:
    case HELPER_fldF64:
    case HELPER_fldF80:
    case HELPER_fild:
      pushes = true;
      return RECORD_INLINE;
    case HELPER_fstSt:
      needed = 1;
      filled = 1 << first;
      pops = second;
      return RECORD_INLINE;
    case HELPER_fxch:
      needed = 1 | (1 << first);
      return RECORD_INLINE;
    case HELPER_ffree:
      // FFREEP pops what it has emptied.
      if (second) return RECORD_HELPER;
      emptied = first;
      return RECORD_INLINE;
    case HELPER_moveTop:
      turned = first;
      return RECORD_INLINE;
    case HELPER_fldcw:
    case HELPER_statusWord: return RECORD_INLINE;
  }
  return RECORD_HELPER;
}
