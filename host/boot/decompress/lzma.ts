// The LZMA decoder proper (LZMA specification by Igor Pavlov, public domain): symbols into a growing output.
import { newProbabilities, type RangeDecoder } from "./range-decoder.ts";

const STATES = 12;
const POSITION_STATES = 16;
const LENGTH_STATES = 4;
const DISTANCE_SLOTS = 64;
const FULL_DISTANCES = 128;
const ALIGN_BITS = 4;
const MINIMUM_MATCH = 2;
const LITERAL_CODER = 0x300;
/** From this state on the last symbol was a match. */
const FIRST_MATCH_STATE = 7;

/** Length coder: short lengths by position state, long ones shared. */
class LengthDecoder {
  private readonly choice = newProbabilities(2);
  private readonly low = newProbabilities(POSITION_STATES * 8);
  private readonly middle = newProbabilities(POSITION_STATES * 8);
  private readonly high = newProbabilities(256);

  decode(range: RangeDecoder, positionState: number): number {
    if (range.bit(this.choice, 0) === 0) {
      return range.tree(this.low, positionState * 8, 3);
    }
    if (range.bit(this.choice, 1) === 0) {
      return 8 + range.tree(this.middle, positionState * 8, 3);
    }
    return 16 + range.tree(this.high, 0, 8);
  }
}

/** State of one LZMA stream; `output` is also the dictionary. */
export class LzmaDecoder {
  /** Bytes written so far. */
  position = 0;
  private readonly output: Uint8Array;
  private dictionaryStart = 0;
  private literalContextBits = 0;
  private literalPositionMask = 0;
  private positionMask = 0;
  private state = 0;
  private rep0 = 0;
  private rep1 = 0;
  private rep2 = 0;
  private rep3 = 0;
  private literal = newProbabilities(LITERAL_CODER);
  private isMatch = newProbabilities(STATES * POSITION_STATES);
  private isRep = newProbabilities(STATES);
  private isRep0 = newProbabilities(STATES);
  private isRep1 = newProbabilities(STATES);
  private isRep2 = newProbabilities(STATES);
  private isRep0Long = newProbabilities(STATES * POSITION_STATES);
  private slots = newProbabilities(LENGTH_STATES * DISTANCE_SLOTS);
  private distances = newProbabilities(FULL_DISTANCES);
  private align = newProbabilities(1 << ALIGN_BITS);
  private lengths = new LengthDecoder();
  private repLengths = new LengthDecoder();

  constructor(output: Uint8Array) {
    this.output = output;
  }

  /** Copies bytes that are stored as they are. */
  store(bytes: Uint8Array): void {
    this.output.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** Forgets the dictionary: distances reach back to here at most. */
  resetDictionary(): void {
    this.dictionaryStart = this.position;
  }

  /** Takes the properties byte `(pb * 5 + lp) * 9 + lc`; false when it is out of range. */
  setProperties(byte: number): boolean {
    const lc = byte % 9;
    const rest = Math.floor(byte / 9);
    const lp = rest % 5;
    const pb = Math.floor(rest / 5);
    if (pb > 4 || lc + lp > 4) {
      return false;
    }
    this.literalContextBits = lc;
    this.literalPositionMask = (1 << lp) - 1;
    this.positionMask = (1 << pb) - 1;
    this.literal = newProbabilities(LITERAL_CODER << (lc + lp));
    return true;
  }

  resetState(): void {
    this.state = 0;
    this.rep0 = this.rep1 = this.rep2 = this.rep3 = 0;
    this.literal.fill(1024);
    this.isMatch = newProbabilities(STATES * POSITION_STATES);
    this.isRep = newProbabilities(STATES);
    this.isRep0 = newProbabilities(STATES);
    this.isRep1 = newProbabilities(STATES);
    this.isRep2 = newProbabilities(STATES);
    this.isRep0Long = newProbabilities(STATES * POSITION_STATES);
    this.slots = newProbabilities(LENGTH_STATES * DISTANCE_SLOTS);
    this.distances = newProbabilities(FULL_DISTANCES);
    this.align = newProbabilities(1 << ALIGN_BITS);
    this.lengths = new LengthDecoder();
    this.repLengths = new LengthDecoder();
  }

  /** Decodes until `end` bytes are written; false when the stream makes no sense. */
  decode(range: RangeDecoder, end: number): boolean {
    while (this.position < end) {
      const positionState = (this.position - this.dictionaryStart) & this.positionMask;
      if (range.bit(this.isMatch, this.state * POSITION_STATES + positionState) === 0) {
        this.decodeLiteral(range);
        continue;
      }
      const length = range.bit(this.isRep, this.state)
        ? this.decodeRepeat(range, positionState)
        : this.decodeMatch(range, positionState);
      const from = this.position - this.rep0 - 1;
      if (from < this.dictionaryStart || this.position + length > end) {
        return false;
      }
      this.copy(from, length);
    }
    return true;
  }

  private copy(from: number, length: number): void {
    const { output } = this;
    let to = this.position;
    for (let i = 0; i < length; i++) {
      output[to++] = output[from + i] as number;
    }
    this.position = to;
  }

  private decodeLiteral(range: RangeDecoder): void {
    const { output, position } = this;
    const relative = position - this.dictionaryStart;
    const previous = relative > 0 ? (output[position - 1] as number) : 0;
    const low = (relative & this.literalPositionMask) << this.literalContextBits;
    const offset = LITERAL_CODER * (low + (previous >> (8 - this.literalContextBits)));
    const predicted = this.state >= FIRST_MATCH_STATE ? (output[position - this.rep0 - 1] as number) : -1;
    output[position] = range.literal(this.literal, offset, predicted);
    this.position = position + 1;
    this.state = this.state < 4 ? 0 : this.state < 10 ? this.state - 3 : this.state - 6;
  }

  private decodeMatch(range: RangeDecoder, positionState: number): number {
    this.rep3 = this.rep2;
    this.rep2 = this.rep1;
    this.rep1 = this.rep0;
    const length = this.lengths.decode(range, positionState);
    this.state = this.state < FIRST_MATCH_STATE ? 7 : 10;
    const slot = range.tree(this.slots, Math.min(length, LENGTH_STATES - 1) * DISTANCE_SLOTS, 6);
    this.rep0 = this.decodeDistance(range, slot);
    return length + MINIMUM_MATCH;
  }

  private decodeDistance(range: RangeDecoder, slot: number): number {
    if (slot < 4) {
      return slot;
    }
    const extraBits = (slot >> 1) - 1;
    const base = (2 | (slot & 1)) * 2 ** extraBits;
    if (slot < 14) {
      return base + range.reverseTree(this.distances, base - slot, extraBits);
    }
    const high = range.direct(extraBits - ALIGN_BITS) * 2 ** ALIGN_BITS;
    return base + high + range.reverseTree(this.align, 0, ALIGN_BITS);
  }

  private decodeRepeat(range: RangeDecoder, positionState: number): number {
    const { state } = this;
    if (range.bit(this.isRep0, state) === 0) {
      if (range.bit(this.isRep0Long, state * POSITION_STATES + positionState) === 0) {
        this.state = state < FIRST_MATCH_STATE ? 9 : 11;
        return 1;
      }
    } else {
      const distance = this.takeOlderDistance(range);
      this.rep1 = this.rep0;
      this.rep0 = distance;
    }
    this.state = state < FIRST_MATCH_STATE ? 8 : 11;
    return this.repLengths.decode(range, positionState) + MINIMUM_MATCH;
  }

  /** Removes the second, third or fourth last distance from the history and returns it. */
  private takeOlderDistance(range: RangeDecoder): number {
    if (range.bit(this.isRep1, this.state) === 0) {
      return this.rep1;
    }
    if (range.bit(this.isRep2, this.state) === 0) {
      const distance = this.rep2;
      this.rep2 = this.rep1;
      return distance;
    }
    const distance = this.rep3;
    this.rep3 = this.rep2;
    this.rep2 = this.rep1;
    return distance;
  }
}
