// The range decoder of LZMA (LZMA specification by Igor Pavlov, public domain).

const TOP = 2 ** 24;
const PROBABILITY_BITS = 11;
const PROBABILITY_ONE = 1 << PROBABILITY_BITS;
const MOVE_BITS = 5;

/** A fresh set of adaptive bit probabilities, each one half. */
export function newProbabilities(count: number): Uint16Array {
  return new Uint16Array(count).fill(PROBABILITY_ONE / 2);
}

/**
 * Decodes bits from a window of an array. The loops keep range and code in locals, as unsigned numbers; in the
 * fields they are signed, so that the engine stores them as small integers.
 */
export class RangeDecoder {
  private input: Uint8Array = new Uint8Array(0);
  private at = 0;
  private range = 0;
  private code = 0;

  /** Starts on five bytes at `at`; the first is always zero. */
  start(input: Uint8Array, at: number): void {
    this.input = input;
    this.range = -1;
    this.code =
      ((input[at + 1] as number) << 24) |
      ((input[at + 2] as number) << 16) |
      ((input[at + 3] as number) << 8) |
      (input[at + 4] as number);
    this.at = at + 5;
  }

  /** First byte not consumed. */
  get position(): number {
    return this.at;
  }

  /** One adaptive bit. */
  bit(probabilities: Uint16Array, index: number): 0 | 1 {
    let range = this.range >>> 0;
    let code = this.code >>> 0;
    const probability = probabilities[index] as number;
    const bound = Math.imul(range >>> PROBABILITY_BITS, probability) >>> 0;
    let bit: 0 | 1;
    if (code < bound) {
      range = bound;
      probabilities[index] = probability + ((PROBABILITY_ONE - probability) >> MOVE_BITS);
      bit = 0;
    } else {
      range = (range - bound) >>> 0;
      code = (code - bound) >>> 0;
      probabilities[index] = probability - (probability >> MOVE_BITS);
      bit = 1;
    }
    if (range < TOP) {
      range <<= 8;
      code = (code << 8) | (this.input[this.at++] as number);
    }
    this.range = range | 0;
    this.code = code | 0;
    return bit;
  }

  /** `count` equiprobable bits. */
  direct(count: number): number {
    let range = this.range >>> 0;
    let code = this.code >>> 0;
    let result = 0;
    for (let i = 0; i < count; i++) {
      range >>>= 1;
      result <<= 1;
      if (code >= range) {
        code = (code - range) >>> 0;
        result |= 1;
      }
      if (range < TOP) {
        range = (range << 8) >>> 0;
        code = ((code << 8) | (this.input[this.at++] as number)) >>> 0;
      }
    }
    this.range = range | 0;
    this.code = code | 0;
    return result >>> 0;
  }

  /** A tree of `bits` adaptive bits, highest first, at `offset`. */
  tree(probabilities: Uint16Array, offset: number, bits: number): number {
    return this.descend(probabilities, offset, 1, 1 << bits) - (1 << bits);
  }

  /** The same, lowest bit first. */
  reverseTree(probabilities: Uint16Array, offset: number, bits: number): number {
    let symbol = 1;
    let result = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(probabilities, offset + symbol);
      symbol = (symbol << 1) | bit;
      result |= bit << i;
    }
    return result;
  }

  /**
   * A byte. After a match `predicted` is the byte at the last distance, which chooses the probabilities until a bit
   * differs from it; otherwise it is -1.
   */
  literal(probabilities: Uint16Array, offset: number, predicted: number): number {
    let symbol = 1;
    if (predicted >= 0) {
      let match = predicted;
      while (symbol < 0x100) {
        const matchBit = (match >> 7) & 1;
        match <<= 1;
        const bit = this.bit(probabilities, offset + ((1 + matchBit) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (matchBit !== bit) {
          break;
        }
      }
    }
    return this.descend(probabilities, offset, symbol, 0x100) & 0xff;
  }

  /** Walks down a tree from `node` until the symbol reaches `limit`. */
  private descend(probabilities: Uint16Array, offset: number, node: number, limit: number): number {
    const { input } = this;
    let range = this.range >>> 0;
    let code = this.code >>> 0;
    let at = this.at;
    let symbol = node;
    while (symbol < limit) {
      const probability = probabilities[offset + symbol] as number;
      const bound = Math.imul(range >>> PROBABILITY_BITS, probability) >>> 0;
      if (code < bound) {
        range = bound;
        probabilities[offset + symbol] = probability + ((PROBABILITY_ONE - probability) >> MOVE_BITS);
        symbol <<= 1;
      } else {
        range = (range - bound) >>> 0;
        code = (code - bound) >>> 0;
        probabilities[offset + symbol] = probability - (probability >> MOVE_BITS);
        symbol = (symbol << 1) | 1;
      }
      if (range < TOP) {
        range = (range << 8) >>> 0;
        code = ((code << 8) | (input[at++] as number)) >>> 0;
      }
    }
    this.range = range | 0;
    this.code = code | 0;
    this.at = at;
    return symbol;
  }
}
