// Region discovery: from a hot trace along direct edges to every trace that has been executed, over a few pages.
import { cpu } from "../cpu";
import { JUMPS_KEPT, R_CASE, R_IMM, T_JUMP, T_REGION } from "../decode/record";
import { ATTRIBUTE_WIDTH_SHIFT } from "../generated/micro-ops";
import { OP_FIRST_GROUP } from "../generated/opcodes";
import { CPU_RIP } from "../layout";
import {
  B_DELTA, B_END, B_FALL, B_FLAGS, B_KIND, B_SUCCESSORS, B_TAKEN, B_TRACE, beginBlocks, BLOCK_CALLED, BLOCK_RETURN, blockAt, blockCount, blockStarting, cut, dropFrom, firstRecord, instructionCount, lastRecord, pageCount, reach,
} from "./blocks";
import { isComputed, KIND_ALWAYS, KIND_CALL, KIND_CONDITIONAL, KIND_INDIRECT_CALL, KIND_NEXT, KIND_RETURN, kindOf } from "./cases";
import { code64 } from "./code-mode";
import { joinsRegion } from "./joining";
import { isMostlyInRegions } from "./parts";
import { followRecipe, lackingIn } from "./recipes";
import { isAlive } from "./slots";
import { attributesOf, listOf } from "./steps";

/** Instructions of a region from which on computed jumps are followed to their last target only: what dispatches an
 * interpreter's instructions would bring in all that there are. */
const FEW_INSTRUCTIONS: u32 = 150;

/** RIP at displacement 0. */
let ripBase: u64 = 0;
/** The least and the greatest displacement that direct transfers and falling through lead to. */
export let lowest: i32 = 0;
export let highest: i32 = 0;

/** The head will be in another region, which is made anew. */
export let isJoining: bool = false;

/** Finds the blocks of the region whose head is `trace`, now mapped at `linear`; `whole`: it is no part. False: it is not worth it. */
export function discover(trace: usize, linear: u64, whole: bool): bool {
  begin(linear);
  beginBlocks(trace, linear, false);
  follow();
  if (!whole && isMostlyInRegions()) {
    if (leadsToHead() && joinsRegion(trace)) {
      isJoining = true;
      return false;
    }
    findPart(trace, linear);
  }
  return finish();
}

/** Finds the blocks of the region as an earlier run made it (recipes.ts). False: not all of them are there. */
export function discoverAgain(recipe: u32, trace: usize, linear: u64): bool {
  begin(linear);
  lacking = lackingIn(recipe);
  return followRecipe(recipe, trace, linear) && finish();
}

function begin(linear: u64): void {
  ripBase = load<u64>(cpu, CPU_RIP) - (linear & 0xfff);
  isJoining = false;
}

/** Ends the blocks where others begin, and finds where they go on. False: the region is not worth it. */
function finish(): bool {
  for (let i = 0; i < blockCount; i++) cut(blockAt(i));
  for (let i = 0; i < blockCount; i++) link(blockAt(i));
  measure();
  return <u32>load<u16>(firstRecord(blockAt(0)), R_CASE) >= OP_FIRST_GROUP;
}

/** Instructions that a part lacks of the whole. */
export let lacking: u32 = 0;

/** Finds the blocks of a part instead, if that is much less. */
function findPart(trace: usize, linear: u64): void {
  const all = instructionCount;
  beginBlocks(trace, linear, true);
  follow();
  lacking = all - instructionCount;
  if (instructionCount <= all / 2) return;
  beginBlocks(trace, linear, false);
  follow();
}

/** Whether a block that has been found goes to the head within its function. */
function leadsToHead(): bool {
  const head = load<i32>(blockAt(0), B_DELTA);
  for (let i = 1; i < blockCount; i++) {
    const b = blockAt(i);
    const kind = load<u32>(b, B_KIND);
    if ((kind == KIND_CONDITIONAL || kind == KIND_ALWAYS) && directTarget(b) == head) return true;
    if ((kind == KIND_CONDITIONAL || kind == KIND_NEXT) && load<i32>(b, B_END) == head) return true;
  }
  return false;
}

function isDirect(kind: u32): bool {
  return kind == KIND_CONDITIONAL || kind == KIND_ALWAYS || kind == KIND_CALL;
}

/** Displacement that the direct transfer at the end of a block goes to. One of 16 bits wraps in its segment: it is the
 * displacement that is right as long as the region lies in the segment in one piece. */
export function directTarget(b: usize): i32 {
  const rec = lastRecord(b);
  const target = load<i32>(b, B_END) + load<i32>(rec, R_IMM);
  if (code64 || attributesOf(listOf(rec)) >> ATTRIBUTE_WIDTH_SHIFT != WIDTH_16) return target;
  return <i32>((ripBase + <i64>target) & 0xffff) - <i32>ripBase;
}

/** Notes how far the region and its direct transfers go. */
function measure(): void {
  lowest = load<i32>(blockAt(0), B_DELTA);
  highest = lowest;
  for (let i = 0; i < blockCount; i++) {
    const b = blockAt(i);
    include(load<i32>(b, B_DELTA));
    include(load<i32>(b, B_END));
    if (isDirect(load<u32>(b, B_KIND))) include(directTarget(b));
  }
}

function include(delta: i32): void {
  if (delta < lowest) lowest = delta;
  if (delta > highest) highest = delta;
}

/** How many targets of the jump at the end of a block are followed. Returns go back to callers, which other regions have. */
function targetCount(kind: u32): u32 {
  if (isDirect(kind) || kind == KIND_RETURN) return 1;
  return isComputed(kind) ? JUMPS_KEPT : 0;
}

/** Displacement of target `n` of the jump at the end of a block: NOWHERE if unknown. */
function targetOf(b: usize, kind: u32, n: u32): i32 {
  if (isDirect(kind)) return directTarget(b);
  const target = load<u32>(<usize>load<u32>(b, B_TRACE) + (n << 2), T_JUMP);
  return target ? load<i32>(b, B_DELTA) + <i32>~target : NOWHERE;
}
const NOWHERE: i32 = i32.MIN_VALUE;
const WIDTH_16: u32 = 1;

function isCall(kind: u32): bool {
  return kind == KIND_CALL || kind == KIND_INDIRECT_CALL;
}

/** Blocks that have been gone on from inside their function. */
let followed: i32 = 0;

/** Takes in what belongs to the head's function, then where it calls and returns to, then where else its jumps went, as far as
 * there is room. */
function follow(): void {
  followed = 0;
  followInside();
  for (let i = 0; i < blockCount; i++) followOutside(blockAt(i));
  for (let i = 0; i < blockCount; i++) followFurther(blockAt(i));
}

/** Goes on where blocks go within their function: calls come back behind themselves. */
function followInside(): void {
  while (followed < blockCount) {
    const b = blockAt(followed++);
    const kind = kindOf(lastRecord(b));
    store<u32>(b, kind, B_KIND);
    if (!leavesFunction(kind)) {
      for (let n: u32 = 0; n < targetCount(kind); n++) {
        const target = targetOf(b, kind, n);
        if (n > 0 && instructionCount >= FEW_INSTRUCTIONS) break;
        if (target != NOWHERE) reach(target);
      }
    }
    if (kind == KIND_NEXT || kind == KIND_CONDITIONAL || isCall(kind)) reach(load<i32>(b, B_END));
  }
}

function leavesFunction(kind: u32): bool {
  return isCall(kind) || kind == KIND_RETURN;
}

/** Takes in the functions that a block calls, or the one that it returns to, but for those with a region of their own that are
 * no small ones. */
function followOutside(b: usize): void {
  const kind = load<u32>(b, B_KIND);
  if (!leavesFunction(kind)) return;
  for (let n: u32 = 0; n < targetCount(kind); n++) {
    if (n > 0 && instructionCount >= FEW_INSTRUCTIONS) return;
    const target = targetOf(b, kind, n);
    const blocks = blockCount;
    const pages = pageCount;
    const instructions = instructionCount;
    if (target == NOWHERE || reach(target) < blocks) continue;
    followInside();
    if (instructionCount - instructions > SMALL && hasRegion(<usize>load<u32>(blockAt(blocks), B_TRACE))) {
      dropFrom(blocks, pages, instructions);
      followed = blocks;
    }
  }
}
/** Instructions that are cheaper to translate again than to leave a region and come back for. */
const SMALL: u32 = 40;

/** Takes in where the computed jump at the end of a block went before the last time. */
function followFurther(b: usize): void {
  const kind = load<u32>(b, B_KIND);
  if (leavesFunction(kind)) return;
  for (let n: u32 = 1; n < targetCount(kind); n++) {
    const target = targetOf(b, kind, n);
    if (target != NOWHERE && reach(target) >= 0) followInside();
  }
}

function hasRegion(trace: usize): bool {
  const slot = load<u32>(trace, T_REGION);
  return slot != 0 && isAlive(slot);
}

function link(b: usize): void {
  const kind = load<u32>(b, B_KIND);
  let taken: i32 = -1;
  let successors: u64 = 0;
  for (let n: u32 = 0; n < targetCount(kind); n++) {
    const target = targetOf(b, kind, n);
    const to = target == NOWHERE ? -1 : blockStarting(target);
    if (to < 0) continue;
    if (taken < 0) taken = to;
    successors |= (<u64>1) << to;
  }
  let fall: i32 = -1;
  if (kind == KIND_NEXT || kind == KIND_CONDITIONAL || isCall(kind)) fall = blockStarting(load<i32>(b, B_END));
  if (kind == KIND_CALL && taken >= 0) addFlag(taken, BLOCK_CALLED);
  store<i32>(b, taken, B_TAKEN);
  store<i32>(b, fall, B_FALL);
  if (fall >= 0) {
    if (isCall(kind)) addFlag(fall, BLOCK_RETURN);
    else successors |= (<u64>1) << fall;
  }
  store<u64>(b, successors, B_SUCCESSORS);
}

function addFlag(index: i32, flag: u32): void {
  store<u32>(blockAt(index), load<u32>(blockAt(index), B_FLAGS) | flag, B_FLAGS);
}
