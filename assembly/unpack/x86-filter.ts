// The x86 branch filter of xz: before compression the 32-bit displacements of CALL and JMP were made absolute,
// so that calls of one function look alike; here they become relative again.
// The filter's own rules (which look-alikes it skips) are those of the .xz format's reference.

/** CALL is E8, JMP E9. */
const BRANCH: u32 = 0xe8;
/** By the pattern of opcode bytes just before, a bit each: may this one be a real branch. */
const ALLOWED: u32 = 0b00010111;
/** And which displacement byte tells, two bits each. */
const DISTANCE_BITS: u32 = 0b1111111110100100;

// @ts-ignore: decorator
@inline function distanceBits(mask: u32): u32 {
  return (DISTANCE_BITS >> (mask << 1)) & 3;
}

/** True for bytes a plausible near displacement ends with. */
// @ts-ignore: decorator
@inline function isSignByte(byte: u32): bool {
  return ((byte + 1) & 0xff) <= 1;
}

/** Undoes the filter in `length` bytes at `start`: a whole block, which the filter numbers from 0. */
export function undoX86Filter(start: usize, length: usize): void {
  if (length < 5) return;
  const limit = start + length - 4;
  let previous = start - 1;
  let mask: u32 = 0;
  for (let at = nextBranch(start, limit); at < limit; at = nextBranch(at + 1, limit)) {
    const gap = at - previous;
    previous = at;
    mask = gap > 3 ? 0 : (mask << (<u32>gap - 1)) & 7;
    if (mask) {
      const suspect = <u32>load<u8>(at + 4 - distanceBits(mask));
      if (!((ALLOWED >> mask) & 1) || isSignByte(suspect)) {
        mask = (mask << 1) | 1;
        continue;
      }
    }
    if (!isSignByte(load<u8>(at, 4))) {
      mask = (mask << 1) | 1;
      continue;
    }
    convert(at, <u32>(at + 5 - start), mask);
    // The displacement itself holds no opcodes; the next one is too far away for the mask to matter.
    at += 4;
  }
}

/** The first branch from `at` on, or somewhere behind `limit`. */
function nextBranch(at: usize, limit: usize): usize {
  for (; at < limit; at += 16) {
    const even = v128.and(v128.load(at), i8x16.splat(<i8>0xfe));
    const found = i8x16.bitmask(i8x16.eq(even, i8x16.splat(<i8>BRANCH)));
    if (found) return at + ctz<i32>(found);
  }
  return at;
}

/** `next`: number of the byte behind the branch. */
function convert(at: usize, next: u32, mask: u32): void {
  let value = load<u32>(at, 1) - next;
  if (mask) {
    const shift = distanceBits(mask) << 3;
    while (isSignByte(value >>> (24 - shift))) value = (value ^ ((1 << (32 - shift)) - 1)) - next;
  }
  // The top byte of the result is a sign: all copies of bit 24.
  store<u32>(at, (value & 0xffffff) | (value & 0x01000000 ? 0xff000000 : 0), 1);
}
