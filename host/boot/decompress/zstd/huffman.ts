// Huffman coded literals of Zstandard (RFC 8878, section 4.2).
import { DecompressError } from "../error.ts";
import { BackwardBits, backwardLength, ForwardBits } from "./bit-readers.ts";
import { baseOf, bitsOf, buildFseTable, readDistribution, symbolOf } from "./fse.ts";

const MAX_BITS = 11;
const MAX_WEIGHTS = 255;
const WEIGHT_ACCURACY_LOG = 6;
const MAX_WEIGHT = 12;

/** For each value of the next `bits` bits: the symbol, and how many bits it takes (times 256). */
export interface HuffmanTable {
  readonly bits: number;
  readonly entries: Uint16Array;
}

/** Reads a tree description at `at`; returns the table and the position behind it. */
export function readHuffmanTable(input: DataView, at: number): { table: HuffmanTable; next: number } {
  const header = input.getUint8(at);
  if (header < 128) {
    const end = at + 1 + header;
    return { table: buildTable(readPackedWeights(input, at + 1, end)), next: end };
  }
  const count = header - 127;
  const weights = Array.from({ length: count }, (_, i) => {
    const byte = input.getUint8(at + 1 + (i >> 1));
    return i & 1 ? byte & 15 : byte >> 4;
  });
  return { table: buildTable(weights), next: at + 1 + ((count + 1) >> 1) };
}

/** Two interleaved state machines take turns until the bits are used up. */
function readPackedWeights(input: DataView, at: number, end: number): number[] {
  const forward = new ForwardBits(input, at);
  const { accuracyLog, distribution } = readDistribution(forward, WEIGHT_ACCURACY_LOG, MAX_WEIGHT);
  const table = buildFseTable(accuracyLog, distribution);
  const bits = new BackwardBits(input, forward.nextByte, end);
  const next = (index: number) => table.states[index] as number;
  const states = [next(bits.read(accuracyLog)), next(bits.read(accuracyLog))];
  const weights: number[] = [];
  for (let turn = 0; weights.length <= MAX_WEIGHTS; turn ^= 1) {
    const state = states[turn] as number;
    weights.push(symbolOf(state));
    if (bits.left < bitsOf(state)) {
      weights.push(symbolOf(states[turn ^ 1] as number));
      return weights;
    }
    states[turn] = next(baseOf(state) + bits.read(bitsOf(state)));
  }
  throw new DecompressError("the zstd data has too many Huffman weights");
}

/** The last weight is what completes the code. Symbols of one weight lie together, lower weights first. */
function buildTable(weights: number[]): HuffmanTable {
  const damaged = () => new DecompressError("a Huffman table of the zstd data is damaged");
  const sum = weights.reduce((total, weight) => total + (weight > 0 ? 2 ** (weight - 1) : 0), 0);
  if (sum === 0 || weights.length > MAX_WEIGHTS) {
    throw damaged();
  }
  const bits = 32 - Math.clz32(sum);
  const rest = (1 << bits) - sum;
  if (bits > MAX_BITS || (rest & (rest - 1)) !== 0) {
    throw damaged();
  }
  const all = [...weights, 32 - Math.clz32(rest)];
  const entries = new Uint16Array(1 << bits);
  let at = 0;
  for (let weight = 1; weight <= bits; weight++) {
    const entryBits = (bits + 1 - weight) << 8;
    all.forEach((other, symbol) => {
      if (other === weight) {
        entries.fill(entryBits | symbol, at, at + (1 << (weight - 1)));
        at += 1 << (weight - 1);
      }
    });
  }
  return { bits, entries };
}

/** Decodes the stream `from` to `end` into `output` from `start` to `stop`; all of it has to be used up. */
export function decodeHuffman(
  input: DataView,
  from: number,
  end: number,
  table: HuffmanTable,
  output: Uint8Array,
  start: number,
  stop: number,
): void {
  const { entries, bits } = table;
  const mask = (1 << bits) - 1;
  let left = backwardLength(input, from, end);
  let to = start;
  // 32 bits, of which up to 7 lie below the wanted ones, hold two symbols of 11 bits.
  while (left >= 25 && to + 1 < stop) {
    const below = left - 25;
    const window = input.getUint32(from + (below >> 3), true) >>> (below & 7);
    const first = entries[(window >>> (25 - bits)) & mask] as number;
    const used = first >> 8;
    const second = entries[(window >>> (25 - bits - used)) & mask] as number;
    output[to] = first & 0xff;
    output[to + 1] = second & 0xff;
    to += 2;
    left -= used + (second >> 8);
  }
  while (to < stop) {
    const below = left - bits;
    const window =
      below >= 0 ? input.getUint32(from + (below >> 3), true) >>> (below & 7) : input.getUint32(from, true) << -below;
    const entry = entries[window & mask] as number;
    output[to++] = entry & 0xff;
    left -= entry >> 8;
  }
  if (left !== 0) {
    throw new DecompressError("a Huffman stream of the zstd data is damaged");
  }
}
