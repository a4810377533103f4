// A processor's state as QEMU's log prints it: one row an instruction, before it is executed.

/** Registers of a row, in the order of the encoding, as halves: low, high, low, high. */
const GPR_HALVES = 32;
/** Where the log's general registers belong: it prints RAX RBX RCX RDX RSI RDI RBP RSP R8... */
const ENCODED = [0, 3, 1, 2, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15];
/** Behind the name and the equals sign of a register. */
const NAME = 4;
const LETTER_R = 0x52;
const NEWLINE = 10;
const EFER_LINE = "EFER=".length + 16;

const DIGITS = new Uint8Array(256);
for (let i = 0; i < 16; i++) DIGITS["0123456789abcdef".charCodeAt(i)] = i;

/** A state of the peer; the parser fills the same object again and again. */
export class Row {
  /** The 16 general registers; without `wide` only the low halves of the first eight count. */
  readonly gpr = new Uint32Array(GPR_HALVES);
  ripLow = 0;
  ripHigh = 0;
  flags = 0;
  /** The processor is in 64-bit mode. */
  wide = false;
  /** Segments, tables, control and debug registers as text. */
  system: Buffer = Buffer.alloc(0);
  efer = 0;
  /** The vector of the interrupt that was delivered between the last row and this one, or -1. */
  interrupt = -1;
  /** The last row's instruction was not executed: the peer turned to something else before it. */
  retried = false;

  /** Reads a state that starts at `at`; `end` is behind it. The system part is a view of `text`. */
  read(text: Buffer, at: number, end: number): void {
    this.wide = text[at] === LETTER_R;
    const digits = this.wide ? 16 : 8;
    const stride = NAME + digits + 1;
    const count = this.wide ? 16 : 8;
    for (let i = 0; i < count; i++) {
      const value = at + i * stride + NAME;
      const half = 2 * ENCODED[i]!;
      this.gpr[half] = word(text, value + digits - 8);
      this.gpr[half + 1] = this.wide ? word(text, value) : 0;
    }
    const rip = at + count * stride + NAME;
    this.ripLow = word(text, rip + digits - 8);
    this.ripHigh = this.wide ? word(text, rip) : 0;
    this.flags = word(text, rip + stride);
    const from = text.indexOf(NEWLINE, rip) + 1;
    // How the peer keeps its flags comes between; with the last line behind it.
    const until = text.indexOf("CCS=", from, "latin1");
    this.system = text.subarray(from, until < 0 || until > end ? end - EFER_LINE : until);
    this.efer = word(text, end - 8);
  }

  /** Takes over another row, with a copy of its text where that differs. */
  assign(other: Row): void {
    this.gpr.set(other.gpr);
    this.ripLow = other.ripLow;
    this.ripHigh = other.ripHigh;
    this.flags = other.flags;
    this.wide = other.wide;
    this.efer = other.efer;
    if (!this.system.equals(other.system)) this.system = Buffer.from(other.system);
  }

  /** Segments, tables, control and debug registers alike. */
  sameSystem(other: Row): boolean {
    return this.efer === other.efer && this.system.equals(other.system);
  }

  get systemText(): string {
    return `${this.system.toString("latin1")}EFER=${this.efer.toString(16)}`;
  }

  get rip(): bigint {
    return (BigInt(this.ripHigh) << 32n) | BigInt(this.ripLow);
  }
}

/** The number of 8 hexadecimal digits. */
function word(text: Buffer, at: number): number {
  let value = 0;
  for (let i = at; i < at + 8; i++) value = (value << 4) | DIGITS[text[i]!]!;
  return value >>> 0;
}
