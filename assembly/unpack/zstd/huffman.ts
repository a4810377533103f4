// Huffman coded literals of Zstandard (RFC 8878, section 4.2).
import { FAIL_DAMAGED } from "../codes";
import { fail } from "../failure";
import { backwardLength, beginForward, bitsAt, forwardEnd } from "./bits";
import { accuracyOf, baseOf, countOf, readTable, stateAt, symbolOf, TABLE_SIZE, TABLES_AT } from "./fse";

const MAX_BITS: u32 = 11;
const MAX_WEIGHTS: u32 = 255;
const WEIGHT_ACCURACY: u32 = 6;
const MAX_WEIGHT: u32 = 12;

/** The table that packed weights have; u8 a symbol: its weight. */
const WEIGHT_TABLE: usize = TABLES_AT;
const WEIGHTS: usize = WEIGHT_TABLE + TABLE_SIZE;
/** For each value of the next bits a u16: the symbol, and how many bits it takes (times 256). */
const ENTRIES: usize = WEIGHTS + 256;
/** Behind it are the tables of sequences. */
export const HUFFMAN_END: usize = ENTRIES + (2 << MAX_BITS);

/** Bits of the longest symbol; 0: there is no table yet. */
export let huffmanBits: u32 = 0;

/** The first block of a frame brings its own. */
export function forgetHuffman(): void {
  huffmanBits = 0;
}

/** Reads a tree description at `at`; returns the position behind it. */
export function readHuffman(at: usize): usize {
  const header = <u32>load<u8>(at);
  if (header < 128) {
    const end = at + 1 + header;
    build(readPackedWeights(at + 1, end));
    return end;
  }
  const count = header - 127;
  for (let i: u32 = 0; i < count; i++) {
    const byte = <u32>load<u8>(at + 1 + (i >>> 1));
    store<u8>(WEIGHTS + i, <u8>(i & 1 ? byte & 15 : byte >>> 4));
  }
  build(count);
  return at + 1 + ((count + 1) >>> 1);
}

/** Two interleaved state machines take turns until the bits are used up. Returns how many weights there are. */
function readPackedWeights(at: usize, end: usize): u32 {
  beginForward(at);
  readTable(WEIGHT_TABLE, WEIGHT_ACCURACY, MAX_WEIGHT);
  const accuracy = accuracyOf(WEIGHT_TABLE);
  const start = forwardEnd();
  let left = backwardLength(start, end) - <i32>accuracy;
  let state = stateAt(WEIGHT_TABLE, bitsAt(start, left, accuracy));
  left -= accuracy;
  let other = stateAt(WEIGHT_TABLE, bitsAt(start, left, accuracy));
  let count: u32 = 0;
  while (count < MAX_WEIGHTS) {
    store<u8>(WEIGHTS + count++, <u8>symbolOf(state));
    left -= countOf(state);
    if (left < 0) {
      store<u8>(WEIGHTS + count, <u8>symbolOf(other));
      return count + 1;
    }
    const next = stateAt(WEIGHT_TABLE, baseOf(state) + bitsAt(start, left, countOf(state)));
    state = other;
    other = next;
  }
  fail(FAIL_DAMAGED);
  return 0;
}

/** The last weight is what completes the code. Symbols of one weight lie together, lower weights first. */
function build(count: u32): void {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const weight = <u32>load<u8>(WEIGHTS + i);
    if (weight > MAX_WEIGHT) fail(FAIL_DAMAGED);
    sum += (1 << weight) >>> 1;
  }
  if (!sum || count > MAX_WEIGHTS) fail(FAIL_DAMAGED);
  const bits: u32 = 32 - clz<u32>(sum);
  const rest = (1 << bits) - sum;
  if (bits > MAX_BITS || rest & (rest - 1)) fail(FAIL_DAMAGED);
  store<u8>(WEIGHTS + count, <u8>(32 - clz<u32>(rest)));
  let at = ENTRIES;
  for (let weight: u32 = 1; weight <= bits; weight++) {
    const length = (bits + 1 - weight) << 8;
    for (let symbol: u32 = 0; symbol <= count; symbol++) {
      if (<u32>load<u8>(WEIGHTS + symbol) != weight) continue;
      for (let n: u32 = 1 << (weight - 1); n; n--, at += 2) store<u16>(at, <u16>(length | symbol));
    }
  }
  huffmanBits = bits;
}

// @ts-ignore: decorator
@inline function entryAt(window: u64, shift: u64, mask: u64): u32 {
  return load<u16>(ENTRIES + ((<usize>(window >> shift & mask)) << 1));
}

/** Decodes the stream `from` to `end` to `to` up to `stop`; all of it has to be used up. */
export function decodeHuffman(from: usize, end: usize, to: usize, stop: usize): void {
  const bits = <u64>huffmanBits;
  const mask = (<u64>1 << bits) - 1;
  let left = backwardLength(from, end);
  // 64 bits, of which up to 7 lie below the wanted ones, hold five symbols of 11 bits; four are enough.
  while (left >= 56 && to + 4 <= stop) {
    const below = left - 56;
    const window = load<u64>(from + (below >> 3)) >> (below & 7);
    let shift = 56 - bits;
    const first = entryAt(window, shift, mask);
    shift -= first >>> 8;
    const second = entryAt(window, shift, mask);
    shift -= second >>> 8;
    const third = entryAt(window, shift, mask);
    shift -= third >>> 8;
    const fourth = entryAt(window, shift, mask);
    store<u32>(to, (first & 0xff) | (second & 0xff) << 8 | (third & 0xff) << 16 | fourth << 24);
    to += 4;
    left -= <i32>(56 - bits - shift) + (fourth >>> 8);
  }
  while (to < stop) {
    // Behind the beginning zeros are read.
    const below = left - <i32>bits;
    const window = below >= 0 ? <u64>bitsAt(from, below, <u32>bits) : load<u64>(from) << -below;
    const entry = entryAt(window, 0, mask);
    store<u8>(to++, <u8>entry);
    left -= entry >>> 8;
  }
  if (left) fail(FAIL_DAMAGED);
}
