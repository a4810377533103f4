// Finite state entropy tables of Zstandard (RFC 8878, section 4.1).
import { DecompressError } from "../error.ts";
import type { ForwardBits } from "./bit-readers.ts";

/** For each state: the symbol it stands for, and how the next state is made; one word, so that it is one load. */
export interface FseTable {
  readonly accuracyLog: number;
  readonly states: Uint32Array;
}

function stateWord(symbol: number, bits: number, base: number): number {
  return ((base << 16) | (bits << 8) | symbol) >>> 0;
}

export function symbolOf(state: number): number {
  return state & 0xff;
}

/** How many bits to read for the next state. */
export function bitsOf(state: number): number {
  return (state >>> 8) & 0xff;
}

/** What they are added to. */
export function baseOf(state: number): number {
  return state >>> 16;
}

/** Probability of a symbol that occurs less than once: one cell, all bits anew. */
const LESS_THAN_ONE = -1;

/** Reads normalised probabilities. */
export function readDistribution(
  input: ForwardBits,
  maxAccuracyLog: number,
  maxSymbol: number,
): { accuracyLog: number; distribution: number[] } {
  const accuracyLog = input.read(4) + 5;
  if (accuracyLog > maxAccuracyLog) {
    throw new DecompressError("a table of the zstd data is too large");
  }
  const distribution: number[] = [];
  let remaining = 1 << accuracyLog;
  while (remaining > 0) {
    if (distribution.length > maxSymbol) {
      throw new DecompressError("a table of the zstd data has too many symbols");
    }
    // Values up to remaining + 1 fit into this many bits; small ones take one less.
    const count = 32 - Math.clz32(remaining + 1);
    let value = input.read(count);
    const lowMask = (1 << (count - 1)) - 1;
    const threshold = (1 << count) - 1 - (remaining + 1);
    if ((value & lowMask) < threshold) {
      input.unreadOne();
      value &= lowMask;
    } else if (value > lowMask) {
      value -= threshold;
    }
    const probability = value - 1;
    remaining -= Math.abs(probability);
    distribution.push(probability);
    if (probability === 0) {
      let repeat: number;
      do {
        repeat = input.read(2);
        for (let i = 0; i < repeat; i++) {
          distribution.push(0);
        }
      } while (repeat === 3);
    }
  }
  if (remaining < 0 || distribution.length > maxSymbol + 1) {
    throw new DecompressError("a table of the zstd data does not add up");
  }
  return { accuracyLog, distribution };
}

/** Spreads the symbols over the states. */
export function buildFseTable(accuracyLog: number, distribution: readonly number[]): FseTable {
  const size = 1 << accuracyLog;
  const symbols = new Uint8Array(size);
  const states = new Uint32Array(size);
  const next = new Uint16Array(distribution.length);
  let high = size;
  distribution.forEach((probability, symbol) => {
    if (probability === LESS_THAN_ONE) {
      high -= 1;
      symbols[high] = symbol;
      next[symbol] = 1;
    } else {
      next[symbol] = probability;
    }
  });
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  distribution.forEach((probability, symbol) => {
    for (let i = 0; i < probability; i++) {
      symbols[at] = symbol;
      do {
        at = (at + step) & (size - 1);
      } while (at >= high);
    }
  });
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state] as number;
    const value = next[symbol] as number;
    next[symbol] = value + 1;
    const count = accuracyLog - (31 - Math.clz32(value));
    states[state] = stateWord(symbol, count, (value << count) - size);
  }
  return { accuracyLog, states };
}

/** A table of one symbol that needs no bits. */
export function singleSymbolTable(symbol: number): FseTable {
  return { accuracyLog: 0, states: Uint32Array.of(stateWord(symbol, 0, 0)) };
}
