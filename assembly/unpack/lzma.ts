// The LZMA decoder proper (LZMA specification by Igor Pavlov, public domain): symbols into a growing output, which is the
// dictionary too.
import { FAIL_DAMAGED } from "./codes";
import { copyMatch } from "./copy";
import { fail } from "./failure";
import { WORK } from "./memory";
import { bit, descend, direct, matchedLiteral, resetProbabilities, reverseTree } from "./range-decoder";

const STATES: usize = 12;
const POSITION_STATES: usize = 16;
const LENGTH_STATES: u32 = 4;
const FULL_DISTANCES: usize = 128;
const ALIGN_BITS: u32 = 4;
const MINIMUM_MATCH: u32 = 2;
/** Probabilities of a literal coder. */
const LITERAL_CODER: usize = 0x300;
/** From this state on the last symbol was a match. */
const FIRST_MATCH_STATE: u32 = 7;

// Probabilities, two bytes each. A coder of lengths: two choices, then short lengths by position state, long ones shared.
const LENGTH_LOW: usize = 2 * 2;
const LENGTH_MIDDLE: usize = LENGTH_LOW + POSITION_STATES * 16;
const LENGTH_HIGH: usize = LENGTH_MIDDLE + POSITION_STATES * 16;
const LENGTH_CODER: usize = LENGTH_HIGH + 512;

const IS_MATCH: usize = WORK;
const IS_REP: usize = IS_MATCH + STATES * POSITION_STATES * 2;
const IS_REP0: usize = IS_REP + STATES * 2;
const IS_REP1: usize = IS_REP0 + STATES * 2;
const IS_REP2: usize = IS_REP1 + STATES * 2;
const IS_REP0_LONG: usize = IS_REP2 + STATES * 2;
const SLOTS: usize = IS_REP0_LONG + STATES * POSITION_STATES * 2;
const DISTANCES: usize = SLOTS + <usize>LENGTH_STATES * 128;
const ALIGN: usize = DISTANCES + FULL_DISTANCES * 2;
const LENGTHS: usize = ALIGN + (2 << ALIGN_BITS);
const REP_LENGTHS: usize = LENGTHS + LENGTH_CODER;
/** 16 coders at most. */
const LITERAL: usize = REP_LENGTHS + LENGTH_CODER;

/** Where the next byte goes. */
export let position: usize = 0;
let dictionaryStart: usize = 0;
let literalContextBits: u32 = 0;
let literalPositionMask: u32 = 0;
let positionMask: u32 = 0;
let state: u32 = 0;
let rep0: u32 = 0;
let rep1: u32 = 0;
let rep2: u32 = 0;
let rep3: u32 = 0;

/** Begins a block at `output`. */
export function beginLzma(output: usize): void {
  position = output;
  resetDictionary();
  setProperties(0);
  resetState();
}

/** Copies bytes that are stored as they are. */
export function storeBytes(from: usize, length: usize): void {
  memory.copy(position, from, length);
  position += length;
}

/** Forgets the dictionary: distances reach back to here at most. */
export function resetDictionary(): void {
  dictionaryStart = position;
}

/** Takes the properties byte `(pb * 5 + lp) * 9 + lc`. */
export function setProperties(byte: u32): void {
  const lc = byte % 9;
  const rest = byte / 9;
  const lp = rest % 5;
  const pb = rest / 5;
  if (pb > 4 || lc + lp > 4) fail(FAIL_DAMAGED);
  literalContextBits = lc;
  literalPositionMask = (1 << lp) - 1;
  positionMask = (1 << pb) - 1;
}

export function resetState(): void {
  state = 0;
  rep0 = rep1 = rep2 = rep3 = 0;
  const coders = (literalPositionMask + 1) << literalContextBits;
  resetProbabilities(IS_MATCH, ((LITERAL - IS_MATCH) >> 1) + LITERAL_CODER * coders);
}

/** Decodes until the output reaches `end`. */
export function decodeLzma(end: usize): void {
  while (position < end) {
    const positionState = <u32>(position - dictionaryStart) & positionMask;
    if (!bit(IS_MATCH + ((state * 16 + positionState) << 1))) {
      decodeLiteral();
      continue;
    }
    const length = bit(IS_REP + (state << 1)) ? decodeRepeat(positionState) : decodeMatch(positionState);
    if (rep0 >= <u32>(position - dictionaryStart) || length > <u32>(end - position)) fail(FAIL_DAMAGED);
    copyMatch(position, rep0 + 1, length);
    position += length;
  }
}

function decodeLiteral(): void {
  const relative = <u32>(position - dictionaryStart);
  const previous = relative ? <u32>load<u8>(position - 1) : 0;
  const low = (relative & literalPositionMask) << literalContextBits;
  const coder = LITERAL + 2 * LITERAL_CODER * (low + (previous >>> (8 - literalContextBits)));
  if (state < FIRST_MATCH_STATE) store<u8>(position, <u8>descend(coder, 1, 0x100));
  else store<u8>(position, <u8>matchedLiteral(coder, load<u8>(position - rep0 - 1)));
  position++;
  state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
}

function decodeLength(coder: usize, positionState: u32): u32 {
  if (!bit(coder)) return descend(coder + LENGTH_LOW + (positionState << 4), 1, 8) - 8;
  if (!bit(coder + 2)) return descend(coder + LENGTH_MIDDLE + (positionState << 4), 1, 8);
  return 16 + descend(coder + LENGTH_HIGH, 1, 256) - 256;
}

function decodeMatch(positionState: u32): u32 {
  rep3 = rep2;
  rep2 = rep1;
  rep1 = rep0;
  const length = decodeLength(LENGTHS, positionState);
  state = state < FIRST_MATCH_STATE ? 7 : 10;
  rep0 = decodeDistance(descend(SLOTS + (min(length, LENGTH_STATES - 1) << 7), 1, 64) - 64);
  return length + MINIMUM_MATCH;
}

function decodeDistance(slot: u32): u32 {
  if (slot < 4) return slot;
  const extraBits = (slot >>> 1) - 1;
  const base = (2 | (slot & 1)) << extraBits;
  if (slot < 14) return base + reverseTree(DISTANCES + ((base - slot) << 1), extraBits);
  const high = direct(extraBits - ALIGN_BITS) << ALIGN_BITS;
  return base + high + reverseTree(ALIGN, ALIGN_BITS);
}

function decodeRepeat(positionState: u32): u32 {
  if (!bit(IS_REP0 + (state << 1))) {
    if (!bit(IS_REP0_LONG + ((state * 16 + positionState) << 1))) {
      state = state < FIRST_MATCH_STATE ? 9 : 11;
      return 1;
    }
  } else {
    const distance = takeOlderDistance();
    rep1 = rep0;
    rep0 = distance;
  }
  state = state < FIRST_MATCH_STATE ? 8 : 11;
  return decodeLength(REP_LENGTHS, positionState) + MINIMUM_MATCH;
}

/** Removes the second, third or fourth last distance from the history and returns it. */
function takeOlderDistance(): u32 {
  if (!bit(IS_REP1 + (state << 1))) return rep1;
  let distance = rep2;
  if (bit(IS_REP2 + (state << 1))) {
    distance = rep3;
    rep3 = rep2;
  }
  rep2 = rep1;
  return distance;
}
