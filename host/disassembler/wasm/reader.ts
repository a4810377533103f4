// Reads what there is in a module's bytes: numbers as LEB128, names, sections. Core specification 2.0, 5.2.

export class Reader {
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    public at = 0,
    public readonly end = bytes.length,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new RangeError("the module ends too early");
    return value;
  }

  /** An unsigned number of 32 bits. */
  u32(): number {
    return Number(BigInt.asUintN(32, this.leb(false)));
  }

  /** A signed number of up to 64 bits. */
  signed(): bigint {
    return this.leb(true);
  }

  f32(): number {
    this.at += 4;
    return this.view.getFloat32(this.at - 4, true);
  }

  f64(): number {
    this.at += 8;
    return this.view.getFloat64(this.at - 8, true);
  }

  /** The next `length` bytes. */
  take(length: number): Uint8Array {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  name(): string {
    return String.fromCharCode(...this.take(this.u32()));
  }

  /** What the next `length` bytes hold, which are passed over. */
  part(length: number): Reader {
    this.at += length;
    return new Reader(this.bytes, this.at - length, this.at);
  }

  private leb(isSigned: boolean): bigint {
    let value = 0n;
    let shift = 0n;
    for (;;) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte & 0x80) continue;
      return isSigned && byte & 0x40 ? value - (1n << shift) : value;
    }
  }
}
