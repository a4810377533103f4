// The range decoder of LZMA (LZMA specification by Igor Pavlov, public domain). Adaptive bits have a probability each, a
// u16 whose address names it.

const TOP: u32 = 1 << 24;
const PROBABILITY_BITS: u32 = 11;
const PROBABILITY_ONE: u32 = 1 << PROBABILITY_BITS;
const MOVE_BITS: u32 = 5;

let range: u32 = 0;
let code: u32 = 0;
let next: usize = 0;

/** Makes `count` probabilities one half each. */
export function resetProbabilities(at: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) store<u16>(at + (i << 1), PROBABILITY_ONE / 2);
}

/** Starts on five bytes at `at`; the first is always zero. */
export function beginRange(at: usize): void {
  range = 0xffffffff;
  code = bswap<u32>(load<u32>(at, 1));
  next = at + 5;
}

/** First byte not consumed. */
export function rangePosition(): usize {
  return next;
}

/** One adaptive bit, for which one value is likely: a jump by it costs least. */
export function bit(probability: usize): u32 {
  const p = <u32>load<u16>(probability);
  const bound = (range >>> PROBABILITY_BITS) * p;
  let value: u32 = 0;
  if (code < bound) {
    range = bound;
    store<u16>(probability, p + ((PROBABILITY_ONE - p) >>> MOVE_BITS));
  } else {
    range -= bound;
    code -= bound;
    store<u16>(probability, p - (p >>> MOVE_BITS));
    value = 1;
  }
  if (range < TOP) {
    range <<= 8;
    code = (code << 8) | load<u8>(next++);
  }
  return value;
}

/** `count` equiprobable bits. */
export function direct(count: u32): u32 {
  let r = range;
  let c = code;
  let at = next;
  let result: u32 = 0;
  for (; count; count--) {
    r >>>= 1;
    const is = u32(c >= r);
    c -= r & (0 - is);
    result = (result << 1) | is;
    if (r < TOP) {
      r <<= 8;
      c = (c << 8) | load<u8>(at++);
    }
  }
  range = r;
  code = c;
  next = at;
  return result;
}

/** Walks down a tree of adaptive bits from `node` until the symbol reaches `limit`. The bits of literals are near to random:
 * what they choose is computed, as half of the jumps would be foreseen wrongly. */
export function descend(tree: usize, node: u32, limit: u32): u32 {
  let r = range;
  let c = code;
  let at = next;
  let symbol = node;
  do {
    const probability = tree + (symbol << 1);
    const p = <u32>load<u16>(probability);
    const bound = (r >>> PROBABILITY_BITS) * p;
    const is = u32(c >= bound);
    const mask = 0 - is;
    c -= bound & mask;
    r = bound + ((r - bound - bound) & mask);
    // Towards 2048 for a 0, towards 31 for a 1: rounded as the two cases of bit().
    store<u16>(probability, p + (((PROBABILITY_ONE & ~mask) + ((1 << MOVE_BITS) - 1 & mask) - p) as i32 >> MOVE_BITS));
    symbol = (symbol << 1) | is;
    if (r < TOP) {
      r <<= 8;
      c = (c << 8) | load<u8>(at++);
    }
  } while (symbol < limit);
  range = r;
  code = c;
  next = at;
  return symbol;
}

/** A tree of `bits` adaptive bits, lowest bit first. */
export function reverseTree(tree: usize, bits: u32): u32 {
  let symbol: u32 = 1;
  let result: u32 = 0;
  for (let i: u32 = 0; i < bits; i++) {
    const value = bit(tree + (symbol << 1));
    symbol = (symbol << 1) | value;
    result |= value << i;
  }
  return result;
}

/** A byte behind a match: `predicted`, the byte at the last distance, chooses the probabilities until a bit differs from it. */
export function matchedLiteral(tree: usize, predicted: u32): u32 {
  let symbol: u32 = 1;
  let match = predicted;
  while (symbol < 0x100) {
    const matchBit = (match >>> 7) & 1;
    match <<= 1;
    const value = bit(tree + ((((1 + matchBit) << 8) + symbol) << 1));
    symbol = (symbol << 1) | value;
    if (matchBit != value) break;
  }
  return symbol < 0x100 ? descend(tree, symbol, 0x100) : symbol;
}
