// Of what a region was made: its blocks, where computed jumps had gone, and what was decided. The next run makes the same region of the same
// code as soon as its head is met a few times (profile.ts), without having executed what is in it, and gets the same WebAssembly, whose
// machine code the user side may have kept. A recipe is a hint: what is translated is what the guest's memory holds, and all of
// it has to be mapped for execution and to be the instructions that the recipe was written for.
import { cpu } from "../cpu";
import { JUMPS_KEPT, T_JUMP } from "../decode/record";
import { VM_RECIPES, VM_RECIPES_SIZE, VM_RECIPES_USED } from "../layout";
import { B_DELTA, B_FLAGS, B_KIND, B_TRACE, beginBlocks, BLOCK_ENTRY, blockAt, blockCount, isPart, lastRecord, roomForBlocks, takeIn } from "./blocks";
import { isComputed, kindOf } from "./cases";
import { bytesOf, decideAgain, decided } from "./decisions";
import { lacking } from "./discover";
import { DECISIONS_MAX, TR_DECISIONS } from "./layout";
import { keyOf } from "./profile";

// A recipe, at an offset from VM_RECIPES that is not 0: u32 bytes that it has room for, u32 RECIPE_* bits, u32 blocks, u32 decisions, u32 what a part lacks;
// blocks; decisions, a bit each.
const SIZE: usize = 0;
const BITS: usize = 4;
const BLOCKS: usize = 8;
const DECISIONS: usize = 12;
const LACKING: usize = 16;
const HEADER: usize = 20;
const RECIPE_PART: u32 = 1;
/** It was written in this run; the user side takes that away. */
const RECIPE_NEW: u32 = 2;
// A block: i32 displacement from the first one's page, u32 key of its trace, u32 BLOCK_ENTRY, u32[JUMPS_KEPT] T_JUMP.
const KEY: usize = 4;
const FLAGS: usize = 8;
const JUMPS: usize = 12;
const BLOCK: usize = JUMPS + <usize>JUMPS_KEPT * 4;

/** Finds the blocks of a region of `trace`, now mapped at `linear`, that the recipe at an offset says; what is decided will be as it says, too.
 * False: not all of them are there. */
export function followRecipe(recipe: u32, trace: usize, linear: u64): bool {
  const from = VM_RECIPES + <usize>recipe;
  const blocks = load<i32>(from, BLOCKS);
  if (!roomForBlocks(blocks)) return false;
  beginBlocks(trace, linear, (load<u32>(from, BITS) & RECIPE_PART) != 0);
  let at = from + HEADER;
  for (let i = 0; i < blocks; i++, at += BLOCK) {
    if (i > 0 && takeIn(load<i32>(at)) != i) return false;
    const b = blockAt(i);
    const t = <usize>load<u32>(b, B_TRACE);
    if (keyOf(t) != load<u32>(at, KEY) || load<i32>(b, B_DELTA) != load<i32>(at)) return false;
    const kind = kindOf(lastRecord(b));
    store<u32>(b, kind, B_KIND);
    store<u32>(b, load<u32>(at, FLAGS) & BLOCK_ENTRY, B_FLAGS);
    if (isComputed(kind)) memory.copy(t + T_JUMP, at + JUMPS, JUMPS_KEPT << 2);
  }
  decideAgain(at, load<u32>(from, DECISIONS));
  return true;
}

/** Whether a recipe is of this run. */
export function isNewRecipe(recipe: u32): bool {
  return (load<u32>(VM_RECIPES + <usize>recipe, BITS) & RECIPE_NEW) != 0;
}

/** What the part lacks that a recipe says. */
export function lackingIn(recipe: u32): u32 {
  return load<u32>(VM_RECIPES + <usize>recipe, LACKING);
}

/** Writes the recipe of the region that has been made; `earlier`: offset of the one before, 0: there is none. The offset; 0: there is no room. */
export function writeRecipe(earlier: u32): u32 {
  if (decided > <u32>DECISIONS_MAX) return 0;
  const size = <u32>HEADER + <u32>blockCount * <u32>BLOCK + bytesOf(decided);
  const recipe = earlier && load<u32>(VM_RECIPES + <usize>earlier, SIZE) >= size ? earlier : newRecipe(size);
  if (!recipe) return 0;
  const to = VM_RECIPES + <usize>recipe;
  store<u32>(to, RECIPE_NEW | (isPart ? RECIPE_PART : 0), BITS);
  store<i32>(to, blockCount, BLOCKS);
  store<u32>(to, decided, DECISIONS);
  store<u32>(to, isPart ? lacking : 0, LACKING);
  let at = to + HEADER;
  for (let i = 0; i < blockCount; i++, at += BLOCK) {
    const b = blockAt(i);
    const t = <usize>load<u32>(b, B_TRACE);
    store<i32>(at, load<i32>(b, B_DELTA));
    store<u32>(at, keyOf(t), KEY);
    store<u32>(at, load<u32>(b, B_FLAGS) & BLOCK_ENTRY, FLAGS);
    memory.copy(at + JUMPS, t + T_JUMP, JUMPS_KEPT << 2);
  }
  memory.copy(at, cpu + TR_DECISIONS, bytesOf(decided));
  return recipe;
}

/** Takes room for a recipe. Several vCPUs may do so. */
function newRecipe(size: u32): u32 {
  const recipe = atomic.add<u32>(VM_RECIPES_USED, size);
  if (recipe + size > <u32>VM_RECIPES_SIZE) {
    atomic.sub<u32>(VM_RECIPES_USED, size);
    return 0;
  }
  store<u32>(VM_RECIPES + <usize>recipe, size, SIZE);
  return recipe;
}
