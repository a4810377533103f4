// Zstandard frames and blocks (RFC 8878, section 3). Dictionaries are not supported; content checksums are passed over.
import { FAIL_DAMAGED, FAIL_DICTIONARY, FAIL_TRUNCATED } from "../codes";
import { beginUnpacking, fail } from "../failure";
import { LITERALS } from "../memory";
import { decodeHuffman, forgetHuffman, huffmanBits, readHuffman } from "./huffman";
import { advance, beginFrame, beginOutput, decodeSequences, makeRoom, position } from "./sequences";

const MAGIC: u32 = 0xfd2fb528;
/** Sixteen magic numbers begin a frame that is to be skipped. */
const SKIPPABLE_MAGIC: u32 = 0x184d2a50;
const BLOCK_LIMIT: u32 = 128 * 1024;

const BLOCK_RAW: u32 = 0;
const BLOCK_RLE: u32 = 1;
const BLOCK_COMPRESSED: u32 = 2;

const LITERALS_RAW: u32 = 0;
const LITERALS_RLE: u32 = 1;
const LITERALS_COMPRESSED: u32 = 2;

/** Unpacks all frames of the `length` bytes at `input` to `output`, where there is room for `size`; returns how many bytes
 * they have. */
export function unpackZstd(input: usize, length: usize, output: usize, size: usize): usize {
  beginUnpacking();
  beginOutput(output, size);
  const end = input + length;
  let at = input;
  while (at + 4 <= end) {
    const magic = load<u32>(at);
    if (magic == MAGIC) at = decodeFrame(at + 4, end);
    else if ((magic & ~15) == SKIPPABLE_MAGIC) {
      const skipped = load<u32>(at, 4);
      if (skipped > end - at) fail(FAIL_TRUNCATED);
      at += 8 + skipped;
    } else fail(FAIL_DAMAGED);
  }
  return position - output;
}

/** Decodes from behind the magic number; returns the position behind the frame. */
function decodeFrame(start: usize, end: usize): usize {
  beginFrame();
  forgetHuffman();
  const descriptor = <u32>load<u8>(start);
  if (descriptor & 3) fail(FAIL_DICTIONARY);
  let at = start + headerBytes(descriptor);
  for (;;) {
    const header = <u32>load<u16>(at) | (<u32>load<u8>(at, 2) << 16);
    at += 3;
    const length = header >>> 3;
    const type = (header >>> 1) & 3;
    const next = at + (type == BLOCK_RLE ? 1 : length);
    if (next > end) fail(FAIL_TRUNCATED);
    decodeBlock(type, at, length);
    at = next;
    if (header & 1) break;
  }
  // The optional checksum.
  return at + (descriptor & 4);
}

/** Bytes of the frame header, descriptor included: window and content size. */
function headerBytes(descriptor: u32): u32 {
  const singleSegment = (descriptor >>> 5) & 1;
  const sizeFlag = descriptor >>> 6;
  return 1 + (1 - singleSegment) + (sizeFlag ? 1 << sizeFlag : singleSegment);
}

function decodeBlock(type: u32, at: usize, length: u32): void {
  if (type > BLOCK_COMPRESSED || length > BLOCK_LIMIT) fail(FAIL_DAMAGED);
  if (type == BLOCK_COMPRESSED) {
    const end = at + length;
    const next = decodeLiterals(at, end);
    decodeSequences(next, end, LITERALS, literalCount);
    return;
  }
  makeRoom(length);
  if (type == BLOCK_RAW) memory.copy(position, at, length);
  else memory.fill(position, load<u8>(at), length);
  advance(length);
}

let literalCount: u32 = 0;

/** Puts a block's literals into their place (section 3.1.1.3.1). Returns the position behind them. */
function decodeLiterals(at: usize, end: usize): usize {
  const first = <u32>load<u8>(at);
  const type = first & 3;
  const format = (first >>> 2) & 3;
  if (type >= LITERALS_COMPRESSED) return decodePackedLiterals(at, end, type, format);
  const bytes: u32 = format == 1 ? 2 : format == 3 ? 3 : 1;
  literalCount = (load<u32>(at) & ((1 << (bytes << 3)) - 1)) >>> (bytes == 1 ? 3 : 4);
  const from = at + bytes;
  const stored: u32 = type == LITERALS_RAW ? literalCount : 1;
  if (literalCount > BLOCK_LIMIT || from + stored > end) fail(FAIL_DAMAGED);
  if (type == LITERALS_RLE) memory.fill(LITERALS, load<u8>(from), literalCount);
  else memory.copy(LITERALS, from, literalCount);
  return from + stored;
}

function decodePackedLiterals(at: usize, end: usize, type: u32, format: u32): usize {
  const headerSize: u32 = format < 2 ? 3 : format + 2;
  const sizeBits: u64 = format < 2 ? 10 : format == 2 ? 14 : 18;
  const header = load<u64>(at) >> 4;
  const sizeMask = (<u64>1 << sizeBits) - 1;
  literalCount = <u32>(header & sizeMask);
  const packed = <u32>(header >> sizeBits & sizeMask);
  let from = at + headerSize;
  const next = from + packed;
  if (next > end || literalCount > BLOCK_LIMIT) fail(FAIL_DAMAGED);
  if (type == LITERALS_COMPRESSED) from = readHuffman(from);
  if (!huffmanBits || from > next) fail(FAIL_DAMAGED);
  if (format == 0) decodeHuffman(from, next, LITERALS, LITERALS + literalCount);
  else decodeFourStreams(from, next);
  return next;
}

/** A jump table gives the sizes of the first three. */
function decodeFourStreams(at: usize, end: usize): void {
  const quarter = (literalCount + 3) >>> 2;
  let from = at + 6;
  for (let stream: u32 = 0; stream < 4; stream++) {
    const stop = stream < 3 ? from + load<u16>(at + (stream << 1)) : end;
    const start = quarter * stream;
    if (stop > end || start > literalCount) fail(FAIL_DAMAGED);
    decodeHuffman(from, stop, LITERALS + start, LITERALS + (stream < 3 ? min(start + quarter, literalCount) : literalCount));
    from = stop;
  }
}
