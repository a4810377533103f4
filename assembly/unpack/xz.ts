// The .xz container (The .xz File Format, version 1.1.0) with the two filters that kernels use: LZMA2, alone or
// behind the x86 branch filter.
import { FAIL_CHECKSUM, FAIL_DAMAGED, FAIL_FILTERS, FAIL_TRUNCATED } from "./codes";
import { crc32 } from "./crc32";
import { beginUnpacking, fail } from "./failure";
import { beginLzma, decodeLzma, position, resetDictionary, resetState, setProperties, storeBytes } from "./lzma";
import { beginRange, rangePosition } from "./range-decoder";
import { undoX86Filter } from "./x86-filter";

const STREAM_HEADER_BYTES: usize = 12;
const CHECK_CRC32: u32 = 1;
const FILTER_X86: u64 = 0x04;
const FILTER_LZMA2: u64 = 0x21;

// LZMA2 control bytes.
const CONTROL_END: u32 = 0x00;
const CONTROL_STORED_RESET: u32 = 0x01;
const CONTROL_STORED: u32 = 0x02;
const CONTROL_LZMA: u32 = 0x80;

let at: usize = 0;
let end: usize = 0;

/** Unpacks the first stream of the `length` bytes at `input` to `output`, where there is room for `size`; returns how many
 * bytes it has. Of the checksums only CRC-32 is looked at, as by the kernel's own unpacker. */
export function unpackXz(input: usize, length: usize, output: usize, size: usize): usize {
  beginUnpacking();
  end = input + length;
  if (length < STREAM_HEADER_BYTES + 4) fail(FAIL_TRUNCATED);
  if (crc32(input + 6, 2) != load<u32>(input, 8)) fail(FAIL_DAMAGED);
  const check = <u32>load<u8>(input, 7) & 0x0f;
  at = input + STREAM_HEADER_BYTES;
  let to = output;
  // A block header starts with its size; the index that follows the blocks starts with a zero.
  while (load<u8>(at)) {
    const filtered = readBlockHeader();
    const start = at;
    beginLzma(to);
    decodeLzma2(output + size);
    if (filtered) undoX86Filter(to, position - to);
    at += (start - at) & 3;
    if (check == CHECK_CRC32 && (at + 4 > end || load<u32>(at) != crc32(to, position - to))) fail(FAIL_CHECKSUM);
    to = position;
    at += checkBytes(check);
    if (at >= end) fail(FAIL_TRUNCATED);
  }
  return to - output;
}

function checkBytes(check: u32): usize {
  return check ? 4 << ((check - 1) / 3) : 0;
}

function readNumber(): u64 {
  let value: u64 = 0;
  for (let shift: u64 = 0; shift < 63; shift += 7) {
    const byte = <u64>load<u8>(at++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return value;
}

/** Reads the header and leaves `at` behind it. Returns whether the block has the x86 filter. */
function readBlockHeader(): bool {
  const next = at + ((<usize>load<u8>(at) + 1) << 2);
  if (next > end) fail(FAIL_TRUNCATED);
  const flags = <u32>load<u8>(at, 1);
  at += 2;
  // Compressed and uncompressed size, where present; the data says both itself.
  if (flags & 0x40) readNumber();
  if (flags & 0x80) readNumber();
  const filters = (flags & 3) + 1;
  let x86 = false;
  let id: u64 = 0;
  for (let i: u32 = 0; i < filters; i++) {
    if (i) x86 = id == FILTER_X86;
    id = readNumber();
    const properties = readNumber();
    // Of the x86 filter: where the block begins, which is 0 if nothing is said.
    if (id == FILTER_X86 && properties) id = 0;
    at += <usize>min<u64>(properties, 1 << 20);
  }
  if (id != FILTER_LZMA2 || filters > 2 || (filters == 2 && !x86)) fail(FAIL_FILTERS);
  at = next;
  return x86;
}

function bigEndian(from: usize): u32 {
  return (<u32>load<u8>(from) << 8) | load<u8>(from, 1);
}

/** Decodes LZMA2 chunks from `at` on, and leaves it behind them. */
function decodeLzma2(limit: usize): void {
  for (;;) {
    if (at >= end) fail(FAIL_TRUNCATED);
    const control = <u32>load<u8>(at++);
    if (control == CONTROL_END) return;
    if (control < CONTROL_LZMA) decodeStored(control, limit);
    else decodeChunk(control, limit);
  }
}

function decodeStored(control: u32, limit: usize): void {
  const length = bigEndian(at) + 1;
  at += 2;
  if (control > CONTROL_STORED || length > <u32>(limit - position) || at + length > end) fail(FAIL_DAMAGED);
  if (control == CONTROL_STORED_RESET) resetDictionary();
  storeBytes(at, length);
  at += length;
}

function decodeChunk(control: u32, limit: usize): void {
  const unpacked = ((control & 0x1f) << 16) + bigEndian(at) + 1;
  const packed = bigEndian(at + 2) + 1;
  at += 4;
  // Bits 5-6: 0 nothing, 1 reset state, 2 and new properties, 3 and a new dictionary.
  const reset = (control >>> 5) & 3;
  if (reset == 3) resetDictionary();
  if (reset >= 2) setProperties(load<u8>(at++));
  if (reset >= 1) resetState();
  if (at + packed > end || unpacked > <u32>(limit - position)) fail(FAIL_DAMAGED);
  beginRange(at);
  decodeLzma(position + unpacked);
  at += packed;
  if (rangePosition() > at) fail(FAIL_DAMAGED);
}
