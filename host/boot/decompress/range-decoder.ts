// The range decoder of LZMA (LZMA specification by Igor Pavlov, public domain).

const TOP = 2 ** 24;
const PROBABILITY_BITS = 11;
const PROBABILITY_ONE = 1 << PROBABILITY_BITS;
const MOVE_BITS = 5;

/** A fresh set of adaptive bit probabilities, each one half. */
export function newProbabilities(count: number): Uint16Array {
  return new Uint16Array(count).fill(PROBABILITY_ONE / 2);
}

/** Decodes bits from a window of an array. */
export class RangeDecoder {
  private input: Uint8Array = new Uint8Array(0);
  private at = 0;
  private range = 0;
  private code = 0;

  /** Starts on five bytes at `at`; the first is always zero. */
  start(input: Uint8Array, at: number): void {
    this.input = input;
    this.range = 0xffffffff;
    this.code =
      (((input[at + 1] as number) << 24) |
        ((input[at + 2] as number) << 16) |
        ((input[at + 3] as number) << 8) |
        (input[at + 4] as number)) >>>
      0;
    this.at = at + 5;
  }

  /** First byte not consumed. */
  get position(): number {
    return this.at;
  }

  /** One adaptive bit. */
  bit(probabilities: Uint16Array, index: number): 0 | 1 {
    const probability = probabilities[index] as number;
    const bound = (this.range >>> PROBABILITY_BITS) * probability;
    let bit: 0 | 1;
    if (this.code < bound) {
      this.range = bound;
      probabilities[index] = probability + ((PROBABILITY_ONE - probability) >> MOVE_BITS);
      bit = 0;
    } else {
      this.range -= bound;
      this.code -= bound;
      probabilities[index] = probability - (probability >> MOVE_BITS);
      bit = 1;
    }
    if (this.range < TOP) {
      this.range = (this.range << 8) >>> 0;
      this.code = ((this.code << 8) | (this.input[this.at++] as number)) >>> 0;
    }
    return bit;
  }

  /** `count` equiprobable bits. */
  direct(count: number): number {
    let result = 0;
    for (let i = 0; i < count; i++) {
      this.range >>>= 1;
      const bit = this.code >= this.range ? 1 : 0;
      if (bit) {
        this.code -= this.range;
      }
      result = result * 2 + bit;
      if (this.range < TOP) {
        this.range = (this.range << 8) >>> 0;
        this.code = ((this.code << 8) | (this.input[this.at++] as number)) >>> 0;
      }
    }
    return result;
  }

  /** A tree of `bits` adaptive bits, highest first, at `offset`. */
  tree(probabilities: Uint16Array, offset: number, bits: number): number {
    let symbol = 1;
    for (let i = 0; i < bits; i++) {
      symbol = (symbol << 1) | this.bit(probabilities, offset + symbol);
    }
    return symbol - (1 << bits);
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
}
