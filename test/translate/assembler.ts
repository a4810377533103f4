// Machine code with labels: enough of an assembler for a test to say where its branches lead.

/** Condition codes as the low four bits of Jcc, SETcc and CMOVcc have them. */
export const CONDITION = { o: 0, b: 2, ae: 3, e: 4, ne: 5, be: 6, a: 7, s: 8, p: 10, l: 12, ge: 13, le: 14, g: 15 };

interface Fixup {
  /** Offset of the four bytes to fill in. */
  readonly at: number;
  readonly label: string;
  readonly absolute: boolean;
}

/** Collects 64-bit code that will lie at linear address `origin`. Labels may be used before they are placed. */
export class Assembler {
  private readonly bytes: number[] = [];
  private readonly labels = new Map<string, number>();
  private readonly fixups: Fixup[] = [];

  constructor(readonly origin: number) {}

  /** Address of what comes next. */
  get here(): number {
    return this.origin + this.bytes.length;
  }

  /** Appends instructions as bytes. */
  code(...bytes: number[]): this {
    this.bytes.push(...bytes);
    return this;
  }

  label(name: string): this {
    if (this.labels.has(name)) throw new Error(`label ${name} is placed twice`);
    this.labels.set(name, this.here);
    return this;
  }

  /** Fills up with NOPs to an address. */
  to(address: number): this {
    if (address < this.here) throw new Error(`0x${address.toString(16)} lies behind`);
    while (this.here < address) this.bytes.push(0x90);
    return this;
  }

  /** An instruction that ends in a 32-bit displacement to a label. */
  relative(opcode: readonly number[], label: string): this {
    this.bytes.push(...opcode);
    this.fixups.push({ at: this.bytes.length, label, absolute: false });
    return this.code(0, 0, 0, 0);
  }

  jump(label: string): this {
    return this.relative([0xe9], label);
  }

  call(label: string): this {
    return this.relative([0xe8], label);
  }

  /** Jcc. */
  when(condition: number, label: string): this {
    return this.relative([0x0f, 0x80 | condition], label);
  }

  /** MOV of a sign-extended 32-bit number to a 64-bit register. */
  set(register: number, value: number): this {
    return this.code(register & 8 ? 0x49 : 0x48, 0xc7, 0xc0 | (register & 7), ...int32(value));
  }

  /** MOV of a label's address to a 64-bit register. */
  setAddress(register: number, label: string): this {
    this.code(register & 8 ? 0x49 : 0x48, 0xc7, 0xc0 | (register & 7));
    this.fixups.push({ at: this.bytes.length, label, absolute: true });
    return this.code(0, 0, 0, 0);
  }

  /** Decrements a 64-bit register and goes to a label while it is not zero. */
  repeat(register: number, label: string): this {
    this.code(register & 8 ? 0x49 : 0x48, 0xff, 0xc8 | (register & 7));
    return this.when(CONDITION.ne, label);
  }

  halt(): this {
    return this.code(0xf4);
  }

  /** The code, its labels resolved. */
  finish(): Uint8Array {
    const done = Uint8Array.from(this.bytes);
    for (const { at, label, absolute } of this.fixups) {
      const target = this.labels.get(label);
      if (target === undefined) throw new Error(`label ${label} is not placed`);
      done.set(int32(absolute ? target : target - (this.origin + at + 4)), at);
    }
    return done;
  }
}

/** Four bytes, the lowest first. */
export function int32(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff];
}
