// Sequences of Zstandard (RFC 8878, section 3.1.1.3.2): how many literals, then which match.
import { DecompressError } from "../error.ts";
import { BackwardBits, ForwardBits } from "./bit-readers.ts";
import { baseOf, bitsOf, buildFseTable, type FseTable, readDistribution, singleSymbolTable, symbolOf } from "./fse.ts";

/** A code's smallest value and the bits that are added to it. */
interface Codes {
  readonly bases: Uint32Array;
  readonly extraBits: Uint8Array;
}

/** Ranges that follow each other: `first` codes of one value each from `start` on, then one code a number of bits. */
function codes(start: number, first: number, extraBits: readonly number[]): Codes {
  const all = [...new Array<number>(first).fill(0), ...extraBits];
  const bases = new Uint32Array(all.length);
  let base = start;
  all.forEach((bits, code) => {
    bases[code] = base;
    base += 2 ** bits;
  });
  return { bases, extraBits: Uint8Array.from(all) };
}

const LITERAL_LENGTHS = codes(0, 16, [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const MATCH_LENGTHS = codes(3, 32, [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const MAX_OFFSET_CODE = 31;

/** What a table of one kind may be, and what it is when the block does not say. */
interface Kind {
  readonly maxAccuracyLog: number;
  readonly maxSymbol: number;
  readonly predefined: FseTable;
}

function repeated(...runs: readonly (readonly [number, number])[]): number[] {
  return runs.flatMap(([count, value]) => new Array<number>(count).fill(value));
}

/** The default distributions, as runs {count, probability}. */
const LITERAL_LENGTH_KIND: Kind = {
  maxAccuracyLog: 9,
  maxSymbol: 35,
  predefined: buildFseTable(6, repeated([1, 4], [1, 3], [11, 2], [3, 1], [9, 2], [1, 3], [1, 2], [5, 1], [4, -1])),
};
const OFFSET_KIND: Kind = {
  maxAccuracyLog: 8,
  maxSymbol: MAX_OFFSET_CODE,
  predefined: buildFseTable(5, repeated([6, 1], [3, 2], [15, 1], [5, -1])),
};
const MATCH_LENGTH_KIND: Kind = {
  maxAccuracyLog: 9,
  maxSymbol: 52,
  predefined: buildFseTable(6, repeated([1, 1], [1, 4], [1, 3], [6, 2], [37, 1], [7, -1])),
};

const MODE_PREDEFINED = 0;
const MODE_RLE = 1;
const MODE_COMPRESSED = 2;

/** What carries over from block to block of a frame. */
export class SequenceState {
  readonly offsets: [number, number, number] = [1, 4, 8];
  literalLengths: FseTable | null = null;
  offsetCodes: FseTable | null = null;
  matchLengths: FseTable | null = null;
}

/** Where the output goes; matches reach back to the start of the frame at most. */
export interface FrameOutput {
  readonly bytes: Uint8Array;
  frameStart: number;
  position: number;
}

/** Decodes the sequences section from `at` to `end` and carries it out with the given literals. */
export function decodeSequences(
  input: DataView,
  at: number,
  end: number,
  literals: Uint8Array,
  literalCount: number,
  state: SequenceState,
  output: FrameOutput,
): void {
  const { count, next } = readCount(input, at);
  let used = 0;
  if (count > 0) {
    const streamAt = readTables(input, next, state);
    used = execute(new BackwardBits(input, streamAt, end), count, literals, literalCount, state, output);
  }
  copyLiterals(literals, used, literalCount - used, output);
}

function readCount(input: DataView, at: number): { count: number; next: number } {
  const first = input.getUint8(at);
  if (first < 128) {
    return { count: first, next: at + 1 };
  }
  if (first < 255) {
    return { count: ((first - 128) << 8) + input.getUint8(at + 1), next: at + 2 };
  }
  return { count: input.getUint16(at + 1, true) + 0x7f00, next: at + 3 };
}

/** Takes the three tables; returns where the bit stream begins. */
function readTables(input: DataView, at: number, state: SequenceState): number {
  const modes = input.getUint8(at);
  let next = at + 1;
  const table = (mode: number, kind: Kind, previous: FseTable | null): FseTable => {
    if (mode === MODE_PREDEFINED) {
      return kind.predefined;
    }
    if (mode === MODE_RLE) {
      const symbol = input.getUint8(next++);
      if (symbol > kind.maxSymbol) {
        throw new DecompressError("the zstd data names a code that does not exist");
      }
      return singleSymbolTable(symbol);
    }
    if (mode === MODE_COMPRESSED) {
      const bits = new ForwardBits(input, next);
      const { accuracyLog, distribution } = readDistribution(bits, kind.maxAccuracyLog, kind.maxSymbol);
      next = bits.nextByte;
      return buildFseTable(accuracyLog, distribution);
    }
    if (previous === null) {
      throw new DecompressError("the zstd data repeats a table that it never gave");
    }
    return previous;
  };
  state.literalLengths = table((modes >> 6) & 3, LITERAL_LENGTH_KIND, state.literalLengths);
  state.offsetCodes = table((modes >> 4) & 3, OFFSET_KIND, state.offsetCodes);
  state.matchLengths = table((modes >> 2) & 3, MATCH_LENGTH_KIND, state.matchLengths);
  return next;
}

/** Returns how many literals were used. The state machines' fields are in locals: this loop is most of the work. */
function execute(
  bits: BackwardBits,
  count: number,
  literals: Uint8Array,
  literalCount: number,
  state: SequenceState,
  output: FrameOutput,
): number {
  const literalTable = state.literalLengths as FseTable;
  const offsetTable = state.offsetCodes as FseTable;
  const matchTable = state.matchLengths as FseTable;
  const { states: literalStates } = literalTable;
  const { states: offsetStates } = offsetTable;
  const { states: matchStates } = matchTable;
  let literalState = literalStates[bits.read(literalTable.accuracyLog)] as number;
  let offsetState = offsetStates[bits.read(offsetTable.accuracyLog)] as number;
  let matchState = matchStates[bits.read(matchTable.accuracyLog)] as number;
  let used = 0;
  for (let i = 0; i < count; i++) {
    const offsetCode = symbolOf(offsetState);
    const matchCode = symbolOf(matchState);
    const literalCode = symbolOf(literalState);
    const offsetValue = 2 ** offsetCode + bits.readLong(offsetCode);
    const matchBits = MATCH_LENGTHS.extraBits[matchCode] as number;
    const matchLength = (MATCH_LENGTHS.bases[matchCode] as number) + (matchBits === 0 ? 0 : bits.read(matchBits));
    const literalBits = LITERAL_LENGTHS.extraBits[literalCode] as number;
    const literalLength =
      (LITERAL_LENGTHS.bases[literalCode] as number) + (literalBits === 0 ? 0 : bits.read(literalBits));
    if (i + 1 < count) {
      literalState = literalStates[baseOf(literalState) + bits.read(bitsOf(literalState))] as number;
      matchState = matchStates[baseOf(matchState) + bits.read(bitsOf(matchState))] as number;
      offsetState = offsetStates[baseOf(offsetState) + bits.read(bitsOf(offsetState))] as number;
    }
    if (used + literalLength > literalCount || bits.left < 0) {
      throw new DecompressError("the sequences of the zstd data are damaged");
    }
    copyLiterals(literals, used, literalLength, output);
    used += literalLength;
    copyMatch(takeOffset(state.offsets, offsetValue, literalLength), matchLength, output);
  }
  if (bits.left !== 0) {
    throw new DecompressError("the sequences of the zstd data are damaged");
  }
  return used;
}

/** Small values name one of the last three offsets (section 3.1.1.5). */
function takeOffset(offsets: [number, number, number], value: number, literalLength: number): number {
  if (value > 3) {
    offsets[2] = offsets[1];
    offsets[1] = offsets[0];
    offsets[0] = value - 3;
    return offsets[0];
  }
  const index = literalLength === 0 ? value : value - 1;
  if (index === 0) {
    return offsets[0];
  }
  const offset = index === 3 ? offsets[0] - 1 : (offsets[index] as number);
  if (index !== 1) {
    offsets[2] = offsets[1];
  }
  offsets[1] = offsets[0];
  offsets[0] = offset;
  return offset;
}

/** Below this a loop is faster than a call. */
const SHORT = 24;

function copyLiterals(literals: Uint8Array, from: number, length: number, output: FrameOutput): void {
  const { bytes } = output;
  let to = output.position;
  if (to + length > bytes.length) {
    throw new DecompressError("the zstd data is longer than announced");
  }
  if (length < SHORT) {
    for (let i = 0; i < length; i++) {
      bytes[to++] = literals[from + i] as number;
    }
  } else {
    bytes.set(literals.subarray(from, from + length), to);
    to += length;
  }
  output.position = to;
}

function copyMatch(offset: number, length: number, output: FrameOutput): void {
  const { bytes, position } = output;
  const from = position - offset;
  const end = position + length;
  if (offset <= 0 || from < output.frameStart || end > bytes.length) {
    throw new DecompressError("the sequences of the zstd data are damaged");
  }
  if (length < SHORT || offset < length) {
    for (let i = from, to = position; to < end; ) {
      bytes[to++] = bytes[i++] as number;
    }
  } else {
    bytes.copyWithin(position, from, from + length);
  }
  output.position = end;
}
