// The "legacy frame" of LZ4 (LZ4 Frame Format, section "Legacy frame"; LZ4 Block Format), which kernels use.
import { FAIL_DAMAGED, FAIL_TRUNCATED } from "./codes";
import { copyLiterals, copyMatch } from "./copy";
import { beginUnpacking, fail } from "./failure";

const MAGIC_BYTES: usize = 4;
const MINIMUM_MATCH: usize = 4;
/** A block unpacks to at most this much. */
const BLOCK_LIMIT: usize = 8 << 20;

/** Unpacks the frame of `length` bytes at `input` to `output`, where there is room for `size`; returns how many bytes it has. */
export function unpackLz4(input: usize, length: usize, output: usize, size: usize): usize {
  beginUnpacking();
  const end = input + length;
  let at = input + MAGIC_BYTES;
  let to = output;
  while (at + 4 <= end && to < output + size) {
    const packed = <usize>load<u32>(at);
    at += 4;
    if (packed > end - at) fail(FAIL_TRUNCATED);
    to = unpackBlock(at, at + packed, to, min(output + size, to + BLOCK_LIMIT));
    at += packed;
  }
  return to - output;
}

let next: usize = 0;

/** A length that goes on in bytes of 255, from `next` on. */
function longLength(end: usize): usize {
  let length: usize = 0;
  let more: usize;
  do {
    if (next >= end) fail(FAIL_DAMAGED);
    more = load<u8>(next++);
    length += more;
  } while (more == 255);
  return length;
}

/** Unpacks one block to `start` and returns the end of the output. Matches do not reach into earlier blocks. */
function unpackBlock(from: usize, end: usize, start: usize, limit: usize): usize {
  let at = from;
  let to = start;
  while (at < end) {
    const token = <usize>load<u8>(at++);
    let literals = token >> 4;
    if (literals == 15) {
      next = at;
      literals += longLength(end);
      at = next;
    }
    if (literals > end - at || literals > limit - to) fail(FAIL_DAMAGED);
    copyLiterals(to, at, literals);
    to += literals;
    at += literals;
    // The last sequence has no match.
    if (at == end) return to;
    const distance = <usize>load<u16>(at);
    at += 2;
    let length = token & 15;
    if (length == 15) {
      next = at;
      length += longLength(end);
      at = next;
    }
    length += MINIMUM_MATCH;
    if (distance == 0 || distance > to - start || length > limit - to || at > end) fail(FAIL_DAMAGED);
    copyMatch(to, distance, length);
    to += length;
  }
  return to;
}
