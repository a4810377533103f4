// The "legacy frame" of LZ4 (LZ4 Frame Format, section "Legacy frame"; LZ4 Block Format), which kernels use.
import { DecompressError } from "./error.ts";

const MAGIC_BYTES = 4;
const MINIMUM_MATCH = 4;
/** A block unpacks to at most this much. */
const BLOCK_LIMIT = 8 * 1024 * 1024;

/**
 * Unpacks a legacy frame.
 * @param size length of the result in bytes, known from elsewhere
 * @throws DecompressError when the data is damaged.
 */
export function unpackLz4Legacy(input: Uint8Array, size: number): Uint8Array {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const output = new Uint8Array(size);
  let at = MAGIC_BYTES;
  let written = 0;
  while (at + 4 <= input.length && written < size) {
    const length = view.getUint32(at, true);
    at += 4;
    if (at + length > input.length) {
      throw new DecompressError("the LZ4 stream is truncated");
    }
    written = unpackBlock(input, at, at + length, output, written);
    at += length;
  }
  if (written !== size) {
    throw new DecompressError(`LZ4 gives ${written} bytes where ${size} are announced`);
  }
  return output;
}

/** Unpacks one block to `start` and returns the end of the output. Matches do not reach into earlier blocks. */
function unpackBlock(input: Uint8Array, from: number, end: number, output: Uint8Array, start: number): number {
  const damaged = () => new DecompressError("the LZ4 data is damaged");
  const limit = Math.min(output.length, start + BLOCK_LIMIT);
  let at = from;
  let to = start;
  while (at < end) {
    const token = input[at++] as number;
    let literals = token >> 4;
    if (literals === 15) {
      let more: number;
      do {
        more = input[at++] as number;
        literals += more;
      } while (more === 255 && at < end);
    }
    if (at + literals > end || to + literals > limit) {
      throw damaged();
    }
    if (literals > 32) {
      output.set(input.subarray(at, at + literals), to);
      to += literals;
      at += literals;
    } else {
      for (const stop = at + literals; at < stop; ) {
        output[to++] = input[at++] as number;
      }
    }
    if (at === end) {
      // The last sequence has no match.
      return to;
    }
    const distance = (input[at] as number) | ((input[at + 1] as number) << 8);
    at += 2;
    let length = (token & 15) + MINIMUM_MATCH;
    if ((token & 15) === 15) {
      let more: number;
      do {
        more = input[at++] as number;
        length += more;
      } while (more === 255 && at < end);
    }
    const matchAt = to - distance;
    if (distance === 0 || matchAt < start || to + length > limit || at > end) {
      throw damaged();
    }
    if (length > 32 && distance >= length) {
      output.copyWithin(to, matchAt, matchAt + length);
      to += length;
    } else {
      for (let i = matchAt, stop = matchAt + length; i < stop; i++) {
        output[to++] = output[i] as number;
      }
    }
  }
  return to;
}
