// What the translator can do with a record, read off its micro-operations.
import { R_OP, RECORD_SIZE } from "../decode/record";
import { HELPER_DIRECT, HELPER_drop, HELPER_KIND, HELPER_probeStore, HELPER_rdtsc, HELPER_rdtscp, HELPER_storeTen, HELPER_swapgs } from "../generated/helpers";
import {
  ATTRIBUTE_ENDS, ATTRIBUTE_MAY_FAULT, ATTRIBUTE_MEMORY, ATTRIBUTE_WIDTH_SHIFT, FLAGS_SHADOW, FLAGS_STRAIGHT, MICRO_ADDRESS, MICRO_ADDRESS_ALIGNED, MICRO_ADDRESS_PLUS, MICRO_BRANCH, MICRO_BRANCH_IF, MICRO_CALL,
  MICRO_COMPLETE_LOCKED, MICRO_EFFECTIVE, MICRO_END, MICRO_JUMP, MICRO_LEAVE, MICRO_MODIFY_LOCKED, MICRO_OFFSET, MICRO_POINTER, MICRO_PUT_FIXED, MICRO_STORE,
} from "../generated/micro-ops";
import { OP_FIRST_GROUP, OP_FIRST_HOT } from "../generated/opcodes";
import { VM_JIT_VERIFY, VM_MAX_VCPUS } from "../layout";
import { isPlainAddress } from "./address";
import { code16, code64 } from "./code-mode";
import { isCovered } from "./spans";
import { isInlineStack, isPush } from "./stack";
import { attributesOf, flagsRead, leb, listOf, nextStep, opcodeOf, stepsOf } from "./steps";
import { isInlineString } from "./strings";
import { describe, RECORD_INLINE } from "./x87/records";

/** Emitted as WebAssembly. */
export const HOW_INLINE: u32 = 0;
/** Left to the interpreter's case by a call. */
export const HOW_CALL: u32 = 1;
/** The region is left before it: the interpreter executes it in a trace. */
export const HOW_LEAVE: u32 = 2;

/** How control leaves a record. */
export const KIND_NEXT: u32 = 0;
export const KIND_CONDITIONAL: u32 = 1;
export const KIND_ALWAYS: u32 = 2;
/** A direct call: pushes, then jumps by the immediate. */
export const KIND_CALL: u32 = 3;
/** A jump to a computed address; a call of one. */
export const KIND_INDIRECT: u32 = 4;
export const KIND_INDIRECT_CALL: u32 = 5;
/** The interpreter's case decides. */
export const KIND_OTHER: u32 = 6;
/** A return. */
export const KIND_RETURN: u32 = 7;

/** log2 of the bytes of an address: the width of near transfers. */
const WIDTH_16: u32 = 1;
const WIDTH_32: u32 = 2;
const WIDTH_64: u32 = 3;
/** Bits of MICRO_POINTER: an MMX register. */
const POINTER_MMX: u32 = 4;
const POINTER_MEMORY: u32 = 8;

/** Whether a near transfer of this width stays in its segment by its displacement alone: 16-bit code is looked at when it is entered. */
function transfersNearly(width: u32): bool {
  return code64 ? width == WIDTH_64 : width == WIDTH_32 || (code16 && width == WIDTH_16);
}

/** HOW_* of a record. */
export function howTo(rec: usize): u32 {
  const op = <u32>load<u16>(rec, R_OP);
  if (op < OP_FIRST_GROUP) return HOW_LEAVE;
  const list = listOf(rec);
  if (flagsRead(list) & FLAGS_SHADOW && !runsShadowed(rec + RECORD_SIZE)) return HOW_LEAVE;
  // Hot cases have no function of their own to call; what others do in the middle of a region could not be undone.
  const cold = op < OP_FIRST_HOT && !load<u32>(VM_JIT_VERIFY) ? HOW_CALL : HOW_LEAVE;
  const unnoticed = isUnnoticed(list);
  if (!unnoticed && attributesOf(list) & ATTRIBUTE_ENDS && !transfersNearly(attributesOf(list) >> ATTRIBUTE_WIDTH_SHIFT)) return cold;
  for (let at = stepsOf(list); load<u8>(at) != MICRO_END; at = nextStep(at)) {
    switch (opcodeOf(at)) {
      case MICRO_ADDRESS:
      case MICRO_ADDRESS_ALIGNED:
      case MICRO_ADDRESS_PLUS:
        if (!isPlainAddress(rec, (leb(at + 1) & 1) != 0)) return cold;
        break;
      case MICRO_EFFECTIVE:
        if (!isPlainAddress(rec, false)) return cold;
        break;
      case MICRO_POINTER:
        if (load<u8>(at, 1) & POINTER_MMX || (load<u8>(at, 1) & POINTER_MEMORY && !isPlainAddress(rec, false))) return cold;
        break;
      case MICRO_CALL: {
        const helper = leb(at + 1);
        if (!(load<u8>(HELPER_KIND + helper) & HELPER_DIRECT) && !isInlineStack(helper) && !isInlineString(helper, rec) && !isStored(helper, rec)) return cold;
        break;
      }
      // A VM for one processor has nobody to be atomic against: devices work on its own thread. In one for several the next may
      // begin on another thread at any time, while this one is in the region.
      case MICRO_MODIFY_LOCKED:
      case MICRO_COMPLETE_LOCKED:
        if (load<u32>(VM_MAX_VCPUS) > 1) return cold;
        break;
      case MICRO_LEAVE:
        if (!unnoticed) return cold;
        break;
      // Steps that this translator does not know.
      default:
        if (opcodeOf(at) > MICRO_OFFSET) return cold;
    }
  }
  return HOW_INLINE;
}

/** Whether a trace ends behind an instruction for what no region has in locals or takes for granted: the time, and bases of
 * segments. Time passes between a region and what verifies it. */
function isUnnoticed(list: usize): bool {
  const first = stepsOf(list);
  if (opcodeOf(first) != MICRO_CALL) return false;
  const helper = leb(first + 1);
  return helper == HELPER_swapgs || ((helper == HELPER_rdtsc || helper == HELPER_rdtscp) && !load<u32>(VM_JIT_VERIFY));
}

/** Whether the record behind STI can be executed where STI is. */
function runsShadowed(rec: usize): bool {
  return <u32>load<u16>(rec, R_OP) >= OP_FIRST_GROUP && !isShadowing(rec) && howTo(rec) != HOW_LEAVE;
}

/** Whether interrupts wait until the instruction behind a record is done: STI. */
export function isShadowing(rec: usize): bool {
  return <u32>load<u16>(rec, R_OP) >= OP_FIRST_GROUP && (flagsRead(listOf(rec)) & FLAGS_SHADOW) != 0;
}

/** Whether a helper is one of those that finish a store of the x87 that is done in line. */
function isStored(helper: u32, rec: usize): bool {
  return (helper == HELPER_probeStore || helper == HELPER_storeTen) && describe(rec) == RECORD_INLINE;
}

/** KIND_* of a record. */
export function kindOf(rec: usize): u32 {
  if (<u32>load<u16>(rec, R_OP) < OP_FIRST_GROUP) return KIND_OTHER;
  const list = listOf(rec);
  const attributes = attributesOf(list);
  if (!(attributes & ATTRIBUTE_ENDS)) return KIND_NEXT;
  if (howTo(rec) != HOW_INLINE) return howTo(rec) == HOW_CALL && flagsRead(list) & FLAGS_STRAIGHT ? KIND_NEXT : KIND_OTHER;
  let pushes = false;
  let pops = false;
  for (let at = stepsOf(list); load<u8>(at) != MICRO_END; at = nextStep(at)) {
    const step = opcodeOf(at);
    if (step == MICRO_STORE || (step == MICRO_CALL && isPush(leb(at + 1)))) pushes = true;
    if (step == MICRO_PUT_FIXED || (step == MICRO_CALL && leb(at + 1) == HELPER_drop)) pops = true;
    if (step == MICRO_BRANCH) return pushes ? KIND_CALL : KIND_ALWAYS;
    if (step == MICRO_BRANCH_IF) return KIND_CONDITIONAL;
    if (step == MICRO_JUMP) return pushes ? KIND_INDIRECT_CALL : pops ? KIND_RETURN : KIND_INDIRECT;
  }
  return flagsRead(list) & FLAGS_STRAIGHT ? KIND_NEXT : KIND_OTHER;
}

/** Whether a record of a kind goes to a computed address. */
export function isComputed(kind: u32): bool {
  return kind == KIND_INDIRECT || kind == KIND_INDIRECT_CALL || kind == KIND_RETURN;
}

/** Whether a record that is emitted may find that it is for the interpreter, and leave with the flags as they are. */
export function mayLeave(rec: usize, list: usize): bool {
  const attributes = attributesOf(list);
  // Code for the x87 looks at the stack first, whatever the instruction.
  if (!(attributes & ATTRIBUTE_MAY_FAULT)) return describe(rec) == RECORD_INLINE;
  if (isCovered(rec)) return false;
  if (!(attributes & ATTRIBUTE_ENDS) || attributes & ATTRIBUTE_MEMORY) return true;
  // Direct targets are known to lie in the segment.
  const kind = kindOf(rec);
  return kind != KIND_CONDITIONAL && kind != KIND_ALWAYS;
}
