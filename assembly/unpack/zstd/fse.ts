// Finite state entropy tables of Zstandard (RFC 8878, section 4.1).
//
// A table is a u32 with its accuracy, then for each state a u32: the symbol that it stands for, how many bits are read for
// the next state, and what they are added to.
import { FAIL_DAMAGED } from "../codes";
import { fail } from "../failure";
import { WORK } from "../memory";
import { readForward, unreadForward } from "./bits";

export const STATES: usize = 4;
/** Accuracy of a table at most. */
const ACCURACY_MAX: u32 = 9;
export const TABLE_SIZE: usize = STATES + (4 << ACCURACY_MAX);
/** i16 a symbol: its share of the states; the next of them to be given out. */
const SHARES: usize = WORK;
const NEXT: usize = SHARES + 1024;
/** u8 a state: its symbol. */
const SYMBOLS: usize = NEXT + 1024;
/** Behind it are tables. */
export const TABLES_AT: usize = SYMBOLS + (1 << ACCURACY_MAX);

/** Probability of a symbol that occurs less than once: one cell, all bits anew. */
const LESS_THAN_ONE: i32 = -1;

// @ts-ignore: decorator
@inline export function symbolOf(state: u32): u32 {
  return state & 0xff;
}
/** How many bits to read for the next state. */
// @ts-ignore: decorator
@inline export function countOf(state: u32): u32 {
  return (state >>> 8) & 0xff;
}
/** What they are added to. */
// @ts-ignore: decorator
@inline export function baseOf(state: u32): u32 {
  return state >>> 16;
}
// @ts-ignore: decorator
@inline export function stateAt(table: usize, number: u32): u32 {
  return load<u32>(table + (number << 2), STATES);
}
// @ts-ignore: decorator
@inline export function accuracyOf(table: usize): u32 {
  return load<u32>(table);
}

let symbols: u32 = 0;

function addShare(share: i32, symbolMax: u32): void {
  if (symbols > symbolMax) fail(FAIL_DAMAGED);
  store<i16>(SHARES + (symbols++ << 1), <i16>share);
}

/** Reads normalised probabilities forwards and makes a table of them. */
export function readTable(table: usize, accuracyMax: u32, symbolMax: u32): void {
  const accuracy = readForward(4) + 5;
  if (accuracy > accuracyMax) fail(FAIL_DAMAGED);
  symbols = 0;
  let remaining = 1 << <i32>accuracy;
  while (remaining > 0) {
    // Values up to remaining + 1 fit into this many bits; small ones take one less.
    const count = 32 - clz<i32>(remaining + 1);
    let value = <i32>readForward(count);
    const lowMask = (1 << (count - 1)) - 1;
    const threshold = (1 << count) - 1 - (remaining + 1);
    if ((value & lowMask) < threshold) {
      unreadForward();
      value &= lowMask;
    } else if (value > lowMask) value -= threshold;
    const share = value - 1;
    remaining -= abs<i32>(share);
    addShare(share, symbolMax);
    if (share) continue;
    let zeros: u32;
    do {
      zeros = readForward(2);
      for (let i: u32 = 0; i < zeros; i++) addShare(0, symbolMax);
    } while (zeros == 3);
  }
  if (remaining < 0) fail(FAIL_DAMAGED);
  spread(table, accuracy);
}

/** Makes a predefined table: `runs` pairs of i8 at `distribution`, how many symbols have which probability. */
export function predefinedTable(table: usize, accuracy: u32, distribution: usize, runs: u32): void {
  symbols = 0;
  for (let run: u32 = 0; run < runs; run++, distribution += 2) {
    for (let n: u32 = load<u8>(distribution); n; n--) addShare(load<i8>(distribution, 1), 255);
  }
  spread(table, accuracy);
}

/** Makes a table of one symbol that needs no bits. */
export function singleSymbolTable(table: usize, symbol: u32): void {
  store<u32>(table, 0);
  store<u32>(table, symbol, STATES);
}

/** Spreads the symbols over the states. */
function spread(table: usize, accuracy: u32): void {
  const size: u32 = 1 << accuracy;
  let high = size;
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const share = <i32>load<i16>(SHARES + (symbol << 1));
    if (share == LESS_THAN_ONE) store<u8>(SYMBOLS + --high, <u8>symbol);
    store<u16>(NEXT + (symbol << 1), <u16>(share == LESS_THAN_ONE ? 1 : share));
  }
  const step = (size >>> 1) + (size >>> 3) + 3;
  let at: u32 = 0;
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    for (let i = <i32>load<i16>(SHARES + (symbol << 1)); i > 0; i--) {
      store<u8>(SYMBOLS + at, <u8>symbol);
      do at = (at + step) & (size - 1);
      while (at >= high);
    }
  }
  store<u32>(table, accuracy);
  for (let state: u32 = 0; state < size; state++) {
    const symbol = <u32>load<u8>(SYMBOLS + state);
    const value = <u32>load<u16>(NEXT + (symbol << 1));
    store<u16>(NEXT + (symbol << 1), <u16>(value + 1));
    const count = accuracy - (31 - clz<u32>(value));
    store<u32>(table + (state << 2), (((value << count) - size) << 16) | (count << 8) | symbol, STATES);
  }
}
