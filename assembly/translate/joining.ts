// Heads of loops that a region has already, most of them. A region lacks what was rare when it was made, and is left for that; what it is
// left for becomes a head, and reaches back into the loop. A region of its own would be the same once more, with something added and
// something else left out; it is entered where the first one is left and goes on in itself, and so does a third: the guest goes round
// through all of them, and each has its machine code. Instead the region is made anew, with what it lacked.
import { T_FLAGS, T_JOINED, T_REGION, T_TAKEN_IN, TRACE_BESIDE, TRACE_PASSED } from "../decode/record";
import { B_COUNT, B_TRACE, blockAt, blockCount, instructionCount } from "./blocks";
import { forgetHead, isProfiled, isSooner } from "./profile";
import { dropRegion } from "./regions";
import { clearUsed, IN_BATCH, isAlive, isUsed, markLacking, moduleOf } from "./slots";
import { isForced } from "./heat";
import { looksFurther } from "./unmapped";

/** How often a region is made anew for the same head. */
const TRIES: u32 = 2;

/** Whether `head`, which lies in a loop of the blocks that have been found, is to wait for the region that has most of them, made anew if
 * it lacks some. False: there is none, or it does not help: the head needs a region that is entered at it. */
export function joinsRegion(head: usize): bool {
  if (isForced() || looksFurther(head)) return false;
  const slot = commonRegion();
  if (!slot) return false;
  if (instructionsIn(slot) == instructionCount) {
    if (moduleOf(slot) == IN_BATCH) return true;
    // The head is executed where slices end, which is in the midst of the loop; or the region is not entered, as the loop goes on. Where regions
    // are made sooner, the second time is enough: a loop may go on for long behind each slice.
    const flags = load<u16>(head, T_FLAGS);
    if (isUsed(slot) && !(isSooner() && flags & TRACE_BESIDE)) {
      store<u16>(head, <u16>(flags | TRACE_BESIDE), T_FLAGS);
      clearUsed(slot);
      return true;
    }
    store<u16>(head, <u16>(flags | TRACE_PASSED), T_FLAGS);
    makeAnew(slot);
    return false;
  }
  const met = load<u32>(head, T_JOINED);
  // Where regions are made sooner, the first time does not count: a loop that has others in it, and is entered seldom itself, has their
  // region keep values for it that the host's registers have no room for (docs/decisions/0038).
  const patience: u32 = isSooner() ? 1 : 0;
  if (met == TRIES + patience) return false;
  store<u32>(head, met + 1, T_JOINED);
  if (met >= patience) makeAnew(slot);
  return true;
}

/** Has a region made anew when one of its entries is met. The next run is not to begin with what it was. */
function makeAnew(slot: u32): void {
  if (isProfiled()) {
    for (let i = 0; i < blockCount; i++) {
      const trace = <usize>load<u32>(blockAt(i), B_TRACE);
      // The head of another region may have been taken in, too.
      const own = load<u32>(trace, T_REGION);
      if (load<u32>(trace, T_TAKEN_IN) == slot && (own == slot || !own || !isAlive(own))) forgetHead(trace);
    }
  }
  markLacking(slot);
  dropRegion(slot);
}

/** Slot of the region that has more than half of the instructions that have been found; 0: none has. */
function commonRegion(): u32 {
  for (let i = 1; i < blockCount; i++) {
    const slot = load<u32>(load<u32>(blockAt(i), B_TRACE), T_TAKEN_IN);
    if (slot && isAlive(slot) && instructionsIn(slot) > instructionCount / 2) return slot;
  }
  return 0;
}

function instructionsIn(slot: u32): u32 {
  let there: u32 = 0;
  for (let i = 0; i < blockCount; i++) {
    const b = blockAt(i);
    if (load<u32>(load<u32>(b, B_TRACE), T_TAKEN_IN) == slot) there += load<u32>(b, B_COUNT);
  }
  return there;
}
