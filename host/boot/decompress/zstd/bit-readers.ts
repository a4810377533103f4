// Bit streams of Zstandard: tables are read forwards, everything else backwards from a final 1 bit.
import { DecompressError } from "../error.ts";

/** Reads from the lowest bit of the first byte on. */
export class ForwardBits {
  private readonly input: DataView;
  private bit: number;

  constructor(input: DataView, at: number) {
    this.input = input;
    this.bit = at * 8;
  }

  /** Up to 16 bits. */
  read(count: number): number {
    const value = (this.input.getUint32(this.bit >> 3, true) >>> (this.bit & 7)) & ((1 << count) - 1);
    this.bit += count;
    return value;
  }

  /** Gives one bit back. */
  unreadOne(): void {
    this.bit -= 1;
  }

  /** First byte that no bit has been taken from. */
  get nextByte(): number {
    return (this.bit + 7) >> 3;
  }
}

/** Number of bits below the final 1 bit of the stream `from` to `end`. */
export function backwardLength(input: DataView, from: number, end: number): number {
  const last = end > from ? input.getUint8(end - 1) : 0;
  if (last === 0) {
    throw new DecompressError("a bit stream of the zstd data has no end mark");
  }
  return (end - from) * 8 - Math.clz32(last) + 24 - 1;
}

/** Reads from the end mark down; bits below the start count as zeros, and `left` becomes negative. */
export class BackwardBits {
  /** Bits not read yet. */
  left: number;
  private readonly input: DataView;
  private readonly from: number;

  constructor(input: DataView, from: number, end: number) {
    this.input = input;
    this.from = from;
    this.left = backwardLength(input, from, end);
  }

  /** Up to 25 bits. */
  read(count: number): number {
    this.left -= count;
    const { left } = this;
    const mask = (1 << count) - 1;
    if (left >= 0) {
      return (this.input.getUint32(this.from + (left >> 3), true) >>> (left & 7)) & mask;
    }
    return left <= -count ? 0 : (this.input.getUint32(this.from, true) << -left) & mask;
  }

  /** Up to 31 bits. */
  readLong(count: number): number {
    if (count <= 16) {
      return this.read(count);
    }
    const high = this.read(count - 16);
    return high * 0x10000 + this.read(16);
  }
}
