// An assembler for 32-bit x86 code, as small as the project's own guest needs: one method an instruction form,
// encoded as the SDM's volume 2 has it. Labels may be used before they are defined.

/** Registers by their encoding. */
export const EAX = 0;
export const ECX = 1;
export const EDX = 2;
export const EBX = 3;
export const ESP = 4;
export const EBP = 5;
export const ESI = 6;
export const EDI = 7;
export type Register = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** Condition codes of Jcc. */
export const CONDITIONS = { b: 2, ae: 3, e: 4, ne: 5, be: 6, a: 7 } as const;
export type Condition = keyof typeof CONDITIONS;

/** Operations that share one encoding, by the /n of their immediate form. */
const ARITHMETIC = { add: 0, or: 1, adc: 2, and: 4, sub: 5, xor: 6, cmp: 7 } as const;
export type Arithmetic = keyof typeof ARITHMETIC;

/** A 32-bit number, or a label whose address is meant. */
export type Immediate = number | string;

interface Fixup {
  readonly at: number;
  readonly label: string;
  readonly relative: boolean;
}

/** Collects code and data for a fixed load address. */
export class Assembler {
  private readonly origin: number;
  private readonly bytes: number[] = [];
  private readonly labels = new Map<string, number>();
  private readonly fixups: Fixup[] = [];

  constructor(origin: number) {
    this.origin = origin;
  }

  /**
   * Everything assembled so far, with labels filled in.
   * @throws Error when a label is used but not defined.
   */
  link(): Uint8Array {
    const image = Uint8Array.from(this.bytes);
    const view = new DataView(image.buffer);
    for (const { at, label, relative } of this.fixups) {
      const target = this.addressOf(label);
      view.setUint32(at, relative ? target - (this.origin + at + 4) : target, true);
    }
    return image;
  }

  /** Address of a defined label. */
  addressOf(label: string): number {
    const offset = this.labels.get(label);
    if (offset === undefined) {
      throw new Error(`label ${label} is not defined`);
    }
    return this.origin + offset;
  }

  // ------------------------------------------------------------ data and labels

  label(name: string): void {
    if (this.labels.has(name)) {
      throw new Error(`label ${name} is defined twice`);
    }
    this.labels.set(name, this.bytes.length);
  }

  data8(...values: number[]): void {
    this.bytes.push(...values.map((value) => value & 0xff));
  }

  data32(value: Immediate): void {
    if (typeof value === "string") {
      this.fixups.push({ at: this.bytes.length, label: value, relative: false });
    }
    const number = typeof value === "string" ? 0 : value;
    this.data8(number, number >>> 8, number >>> 16, number >>> 24);
  }

  /** Text and a zero byte. */
  text(value: string): void {
    this.data8(...new TextEncoder().encode(value), 0);
  }

  align(multiple: number): void {
    while (this.bytes.length % multiple !== 0) {
      this.data8(0);
    }
  }

  reserve(size: number): void {
    this.data8(...new Array<number>(size).fill(0));
  }

  // ------------------------------------------------------------ moves

  mov(to: Register, from: Register): void {
    this.data8(0x89, 0xc0 | (from << 3) | to);
  }

  movImmediate(to: Register, value: Immediate): void {
    this.data8(0xb8 | to);
    this.data32(value);
  }

  /** `to = [base + offset]`; ESP is no base here. */
  load(to: Register, base: Register, offset = 0): void {
    this.data8(0x8b, 0x80 | (to << 3) | base);
    this.data32(offset);
  }

  /** `[base + offset] = from`. */
  store(base: Register, offset: number, from: Register): void {
    this.data8(0x89, 0x80 | (from << 3) | base);
    this.data32(offset);
  }

  /** Loads one byte, zero-extended. */
  loadByte(to: Register, base: Register, offset = 0): void {
    this.data8(0x0f, 0xb6, 0x80 | (to << 3) | base);
    this.data32(offset);
  }

  /** Stores the low byte of EAX, ECX, EDX or EBX. */
  storeByte(base: Register, offset: number, from: 0 | 1 | 2 | 3): void {
    this.data8(0x88, 0x80 | (from << 3) | base);
    this.data32(offset);
  }

  loadAbsolute(to: Register, address: Immediate): void {
    this.data8(0x8b, 0x05 | (to << 3));
    this.data32(address);
  }

  storeAbsolute(address: Immediate, from: Register): void {
    this.data8(0x89, 0x05 | (from << 3));
    this.data32(address);
  }

  push(register: Register): void {
    this.data8(0x50 | register);
  }

  pop(register: Register): void {
    this.data8(0x58 | register);
  }

  pushAll(): void {
    this.data8(0x60);
  }

  popAll(): void {
    this.data8(0x61);
  }

  // ------------------------------------------------------------ arithmetic

  arithmetic(operation: Arithmetic, to: Register, value: Immediate): void {
    this.data8(0x81, 0xc0 | (ARITHMETIC[operation] << 3) | to);
    this.data32(value);
  }

  arithmeticRegister(operation: Arithmetic, to: Register, from: Register): void {
    this.data8((ARITHMETIC[operation] << 3) | 1, 0xc0 | (from << 3) | to);
  }

  increment(register: Register): void {
    this.data8(0x40 | register);
  }

  decrement(register: Register): void {
    this.data8(0x48 | register);
  }

  shiftRight(register: Register, count: number): void {
    this.data8(0xc1, 0xe8 | register, count);
  }

  rotateLeft(register: Register, count: number): void {
    this.data8(0xc1, 0xc0 | register, count);
  }

  /** `high:low >>= count` by SHRD: shifts bits of `high` into `low`. */
  shiftRightDouble(low: Register, high: Register, count: number): void {
    this.data8(0x0f, 0xac, 0xc0 | (high << 3) | low, count);
  }

  /** EDX:EAX divided by `register`: quotient in EAX, remainder in EDX. */
  divide(register: Register): void {
    this.data8(0xf7, 0xf0 | register);
  }

  // ------------------------------------------------------------ control flow

  jump(label: string): void {
    this.data8(0xe9);
    this.relative(label);
  }

  jumpIf(condition: Condition, label: string): void {
    this.data8(0x0f, 0x80 | CONDITIONS[condition]);
    this.relative(label);
  }

  call(label: string): void {
    this.data8(0xe8);
    this.relative(label);
  }

  callRegister(register: Register): void {
    this.data8(0xff, 0xd0 | register);
  }

  return(): void {
    this.data8(0xc3);
  }

  jumpFar(selector: number, label: string): void {
    this.data8(0xea);
    this.data32(label);
    this.data8(selector, selector >> 8);
  }

  interruptReturn(): void {
    this.data8(0xcf);
  }

  // ------------------------------------------------------------ system

  loadGdt(label: string): void {
    this.data8(0x0f, 0x01, 0x15);
    this.data32(label);
  }

  loadIdt(label: string): void {
    this.data8(0x0f, 0x01, 0x1d);
    this.data32(label);
  }

  /** Segment registers by their encoding: ES 0, SS 2, DS 3, FS 4, GS 5. */
  loadSegment(segment: number, from: Register): void {
    this.data8(0x8e, 0xc0 | (segment << 3) | from);
  }

  /** AL to a port below 256. */
  outPort(port: number): void {
    this.data8(0xe6, port);
  }

  /** AL to the port in DX. */
  outByte(): void {
    this.data8(0xee);
  }

  /** AX to the port in DX. */
  outWord(): void {
    this.data8(0x66, 0xef);
  }

  /** AL from the port in DX. */
  inByte(): void {
    this.data8(0xec);
  }

  cpuid(): void {
    this.data8(0x0f, 0xa2);
  }

  halt(): void {
    this.data8(0xf4);
  }

  enableInterrupts(): void {
    this.data8(0xfb);
  }

  disableInterrupts(): void {
    this.data8(0xfa);
  }

  private relative(label: string): void {
    this.fixups.push({ at: this.bytes.length, label, relative: true });
    this.data8(0, 0, 0, 0);
  }
}
