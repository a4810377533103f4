// Deterministic pseudo-random numbers (sfc32): the same seed gives the same cases everywhere.

export class Random {
  private a = 0;
  private b = 0;
  private c = 0;
  private counter = 1;

  constructor(seed: number) {
    this.reseed(seed, 0);
  }

  /** Starts the stream named by two 32-bit numbers. */
  reseed(seed: number, stream: number): void {
    this.a = seed | 0;
    this.b = stream | 0;
    this.c = 0x9e3779b9 | 0;
    this.counter = 1;
    for (let i = 0; i < 8; i++) this.u32();
  }

  /** 0..2^32-1. */
  u32(): number {
    const t = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + t;
    this.c |= 0;
    return t >>> 0;
  }

  /** 0..n-1, n <= 65536. */
  below(n: number): number {
    return (((this.u32() >>> 16) * n) / 65536) | 0;
  }

  /** True once in n. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(from: ArrayLike<T>): T {
    return from[this.below(from.length)]!;
  }

  fill(bytes: Uint8Array, from: number, to: number): void {
    for (let i = from; i < to; i++) bytes[i] = this.u32() >>> 24;
  }
}
