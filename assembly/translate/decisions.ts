// What the translator decides by how the guest has behaved until then, and not by the guest's code: whether an access looks further,
// whether it is looked up alone. All of it goes through decide(), which notes what was decided; a region that is made again by a recipe
// (recipes.ts) is decided the same way, and so becomes the same code.
import { cpu } from "../cpu";
import { DECISIONS_MAX, TR_DECISIONS } from "./layout";

/** Decisions of the region so far. More than DECISIONS_MAX are not noted. */
export let decided: u32 = 0;
/** Decisions that are taken as they are noted. */
let given: u32 = 0;

/** Begins a region of which nothing is known. */
export function decideAnew(): void {
  decided = 0;
  given = 0;
}

/** Begins one that is decided as the bits at `from` say, `count` of them. */
export function decideAgain(from: usize, count: u32): void {
  memory.copy(cpu + TR_DECISIONS, from, bytesOf(count));
  decided = 0;
  given = count;
}

/** What is decided, if the guest's behaviour says `now`. */
export function decide(now: bool): bool {
  const n = decided++;
  if (n >= <u32>DECISIONS_MAX) return now;
  const at = cpu + TR_DECISIONS + (n >> 3);
  const bit: u32 = 1 << (n & 7);
  if (n < given) return (load<u8>(at) & bit) != 0;
  store<u8>(at, <u8>(now ? load<u8>(at) | bit : load<u8>(at) & ~bit));
  return now;
}

/** Bytes that so many decisions take, in steps of four. */
export function bytesOf(count: u32): u32 {
  return ((count + 31) >> 5) << 2;
}
