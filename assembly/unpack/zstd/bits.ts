// Bit streams of Zstandard: tables are read forwards, everything else backwards from a final 1 bit.
import { FAIL_DAMAGED } from "../codes";
import { fail } from "../failure";

let from: usize = 0;
let forward: u32 = 0;

/** Begins to read from the lowest bit of the byte at `at` on. */
export function beginForward(at: usize): void {
  from = at;
  forward = 0;
}

/** Up to 16 bits. */
export function readForward(count: u32): u32 {
  const value = (load<u32>(from + (forward >>> 3)) >>> (forward & 7)) & ((1 << count) - 1);
  forward += count;
  return value;
}

/** Gives one bit back. */
export function unreadForward(): void {
  forward--;
}

/** First byte that no bit has been taken from. */
export function forwardEnd(): usize {
  return from + ((forward + 7) >>> 3);
}

/** Number of bits below the final 1 bit of the stream `start` to `end`. */
export function backwardLength(start: usize, end: usize): i32 {
  const last = end > start ? <u32>load<u8>(end - 1) : 0;
  if (!last) fail(FAIL_DAMAGED);
  return <i32>(end - start) * 8 - clz<i32>(last) + 23;
}

/** `count` bits, up to 31, of a stream that begins at `start`, with `left` of its bits below them. Behind its beginning
 * (`left` below 0) they are anything: whoever reads sees it by `left`. */
// @ts-ignore: decorator
@inline export function bitsAt(start: usize, left: i32, count: u32): u32 {
  return <u32>(load<u64>(start + (left >> 3)) >> (left & 7)) & ((1 << count) - 1);
}
