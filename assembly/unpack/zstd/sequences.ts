// Sequences of Zstandard (RFC 8878, section 3.1.1.3.2): how many literals, then which match.
import { FAIL_DAMAGED, FAIL_TOO_LONG } from "../codes";
import { copyLiterals, copyMatch } from "../copy";
import { fail } from "../failure";
import { backwardLength, beginForward, bitsAt, forwardEnd } from "./bits";
import { accuracyOf, baseOf, countOf, predefinedTable, readTable, singleSymbolTable, stateAt, symbolOf, TABLE_SIZE } from "./fse";
import { HUFFMAN_END } from "./huffman";

// A code's bits, which are added to the smallest value that the code stands for: the smallest of the codes before, and what
// their bits can say.
const LITERAL_BITS: usize = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
]);
const LITERAL_CODES: u32 = 36;
const MATCH_BITS: usize = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14,
  15, 16,
]);
const MATCH_CODES: u32 = 53;
const OFFSET_CODES: u32 = 32;
const SHORTEST_MATCH: u32 = 3;

// The default distributions, as runs: how many symbols, of which probability.
const LITERAL_RUNS: usize = memory.data<i8>([1, 4, 1, 3, 11, 2, 3, 1, 9, 2, 1, 3, 1, 2, 5, 1, 4, -1]);
const OFFSET_RUNS: usize = memory.data<i8>([6, 1, 3, 2, 15, 1, 5, -1]);
const MATCH_RUNS: usize = memory.data<i8>([1, 1, 1, 4, 1, 3, 6, 2, 37, 1, 7, -1]);

// u32 a code: the smallest value that it stands for.
const LITERAL_BASES: usize = HUFFMAN_END;
const MATCH_BASES: usize = LITERAL_BASES + 256;
/** Tables: the predefined one of each kind, then the one that the blocks of a frame bring. */
const LITERAL_TABLES: usize = MATCH_BASES + 256;
const OFFSET_TABLES: usize = LITERAL_TABLES + 2 * TABLE_SIZE;
const MATCH_TABLES: usize = OFFSET_TABLES + 2 * TABLE_SIZE;

const MODE_PREDEFINED: u32 = 0;
const MODE_RLE: u32 = 1;
const MODE_COMPRESSED: u32 = 2;

// What carries over from block to block of a frame: the last offsets, and the tables (0: none yet).
let offset1: u32 = 0;
let offset2: u32 = 0;
let offset3: u32 = 0;
let literalTable: usize = 0;
let offsetTable: usize = 0;
let matchTable: usize = 0;
let frameStart: usize = 0;

/** Where the next byte goes, and the end of the room. */
export let position: usize = 0;
let limit: usize = 0;

/** Begins to write at `output`, where there is room for `size` bytes. */
export function beginOutput(output: usize, size: usize): void {
  position = output;
  limit = output + size;
  makeBases(LITERAL_BASES, LITERAL_BITS, LITERAL_CODES, 0);
  makeBases(MATCH_BASES, MATCH_BITS, MATCH_CODES, SHORTEST_MATCH);
  predefinedTable(LITERAL_TABLES, 6, LITERAL_RUNS, 9);
  predefinedTable(OFFSET_TABLES, 5, OFFSET_RUNS, 4);
  predefinedTable(MATCH_TABLES, 6, MATCH_RUNS, 6);
}

function makeBases(bases: usize, bits: usize, codes: u32, smallest: u32): void {
  for (let code: u32 = 0; code < codes; code++) {
    store<u32>(bases + (code << 2), smallest);
    smallest += 1 << load<u8>(bits + code);
  }
}

/** Forgets what earlier frames had. */
export function beginFrame(): void {
  offset1 = 1;
  offset2 = 4;
  offset3 = 8;
  literalTable = offsetTable = matchTable = 0;
  frameStart = position;
}

/** Room for `length` bytes more. */
export function makeRoom(length: usize): void {
  if (length > limit - position) fail(FAIL_TOO_LONG);
}
export function advance(length: usize): void {
  position += length;
}

/** Decodes the sequences section from `at` to `end` and carries it out with the literals at `literals`. */
export function decodeSequences(at: usize, end: usize, literals: usize, literalCount: u32): void {
  let count = <u32>load<u8>(at++);
  if (count == 255) {
    count = <u32>load<u16>(at) + 0x7f00;
    at += 2;
  } else if (count >= 128) count = ((count - 128) << 8) + load<u8>(at++);
  let from = literals;
  if (count) from = execute(readTables(at), end, count, from, literals + literalCount);
  const rest = literals + literalCount - from;
  makeRoom(rest);
  memory.copy(position, from, rest);
  position += rest;
}

/** Takes the three tables; returns where the bit stream begins. */
function readTables(at: usize): usize {
  const modes = <u32>load<u8>(at);
  tableEnd = at + 1;
  literalTable = takeTable((modes >>> 6) & 3, LITERAL_TABLES, 9, LITERAL_CODES, literalTable);
  offsetTable = takeTable((modes >>> 4) & 3, OFFSET_TABLES, 8, OFFSET_CODES, offsetTable);
  matchTable = takeTable((modes >>> 2) & 3, MATCH_TABLES, 9, MATCH_CODES, matchTable);
  return tableEnd;
}
let tableEnd: usize = 0;

function takeTable(mode: u32, tables: usize, accuracyMax: u32, codes: u32, previous: usize): usize {
  const own = tables + TABLE_SIZE;
  if (mode == MODE_PREDEFINED) return tables;
  if (mode == MODE_RLE) {
    const symbol = <u32>load<u8>(tableEnd++);
    if (symbol >= codes) fail(FAIL_DAMAGED);
    singleSymbolTable(own, symbol);
    return own;
  }
  if (mode == MODE_COMPRESSED) {
    beginForward(tableEnd);
    readTable(own, accuracyMax, codes - 1);
    tableEnd = forwardEnd();
    return own;
  }
  if (!previous) fail(FAIL_DAMAGED);
  return previous;
}

/** Returns behind the literals that were used. This loop is most of the work. */
function execute(stream: usize, end: usize, count: u32, literals: usize, literalsEnd: usize): usize {
  const forLiterals = literalTable;
  const forOffsets = offsetTable;
  const forMatches = matchTable;
  let to = position;
  let left = backwardLength(stream, end) - <i32>accuracyOf(forLiterals);
  let literalState = stateAt(forLiterals, bitsAt(stream, left, accuracyOf(forLiterals)));
  left -= accuracyOf(forOffsets);
  let offsetState = stateAt(forOffsets, bitsAt(stream, left, accuracyOf(forOffsets)));
  left -= accuracyOf(forMatches);
  let matchState = stateAt(forMatches, bitsAt(stream, left, accuracyOf(forMatches)));
  for (;;) {
    const offsetBits = symbolOf(offsetState);
    left -= offsetBits;
    const offsetValue = (<u32>1 << offsetBits) + bitsAt(stream, left, offsetBits);
    const matchCode = symbolOf(matchState);
    const matchBits = <u32>load<u8>(MATCH_BITS + matchCode);
    left -= matchBits;
    const matchLength = load<u32>(MATCH_BASES + (matchCode << 2)) + bitsAt(stream, left, matchBits);
    const literalCode = symbolOf(literalState);
    const literalBits = <u32>load<u8>(LITERAL_BITS + literalCode);
    left -= literalBits;
    const literalLength = load<u32>(LITERAL_BASES + (literalCode << 2)) + bitsAt(stream, left, literalBits);
    if (--count) {
      left -= countOf(literalState);
      literalState = stateAt(forLiterals, baseOf(literalState) + bitsAt(stream, left, countOf(literalState)));
      left -= countOf(matchState);
      matchState = stateAt(forMatches, baseOf(matchState) + bitsAt(stream, left, countOf(matchState)));
      left -= countOf(offsetState);
      offsetState = stateAt(forOffsets, baseOf(offsetState) + bitsAt(stream, left, countOf(offsetState)));
    }
    if (literalLength > <u32>(literalsEnd - literals) || left < 0) fail(FAIL_DAMAGED);
    if (literalLength + matchLength > <u32>(limit - to)) fail(FAIL_TOO_LONG);
    copyLiterals(to, literals, literalLength);
    literals += literalLength;
    to += literalLength;
    const distance = takeOffset(offsetValue, literalLength);
    if (!distance || distance > <u32>(to - frameStart)) fail(FAIL_DAMAGED);
    copyMatch(to, distance, matchLength);
    to += matchLength;
    if (!count) break;
  }
  if (left) fail(FAIL_DAMAGED);
  position = to;
  return literals;
}

/** Small values name one of the last three offsets (section 3.1.1.5). */
function takeOffset(value: u32, literalLength: u32): u32 {
  if (value > 3) {
    offset3 = offset2;
    offset2 = offset1;
    offset1 = value - 3;
    return offset1;
  }
  const index = literalLength ? value - 1 : value;
  if (index == 0) return offset1;
  const offset = index == 3 ? offset1 - 1 : index == 2 ? offset3 : offset2;
  if (index != 1) offset3 = offset2;
  offset2 = offset1;
  offset1 = offset;
  return offset;
}
