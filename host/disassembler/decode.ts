// Takes an instruction apart by the rules of the core's decoder (assembly/decode/decoder.ts): prefixes, VEX, ModRM, SIB,
// displacement, immediates. SDM volume 2, chapter 2.
import type { OperandForm } from "../../assembly/isa/encoding.ts";
import { type Entry, entriesOf } from "./table.ts";

/** Code size in bits. */
export type Bits = 16 | 32 | 64;

export interface Memory {
  readonly type: "memory";
  /** Bytes of the access, 0: none in particular. */
  readonly size: number;
  /** Register numbers, -1: none; the base is the next instruction's address where ripRelative. */
  readonly base: number;
  readonly index: number;
  /** Bytes of the vector register that the index is, 0: a general register. */
  readonly vectorIndex: number;
  readonly scale: number;
  readonly displacement: bigint;
  /** The displacement stands in the code. */
  readonly displaced: boolean;
  readonly ripRelative: boolean;
  /** Address size in bytes. */
  readonly addressSize: number;
  /** Segment number of an override that counts, or -1. */
  readonly segment: number;
}

export type Operand =
  /** A general register of `size` bytes; without REX, 8-bit numbers 4 to 7 are AH to BH. */
  | { readonly type: "general"; readonly number: number; readonly size: number; readonly high: boolean }
  | { readonly type: "segment" | "control" | "debug" | "xmm" | "ymm" | "mmx" | "x87"; readonly number: number }
  | { readonly type: "immediate"; readonly value: bigint; readonly size: number }
  /** A branch by `displacement` from the next instruction, at an operand size in bytes. */
  | { readonly type: "relative"; readonly displacement: bigint; readonly size: number }
  | { readonly type: "far"; readonly selector: number; readonly offset: bigint }
  | Memory;

export interface Instruction {
  readonly entry: Entry;
  readonly length: number;
  /** Operation width in bytes. */
  readonly width: number;
  /** Address size in bytes. */
  readonly addressSize: number;
  readonly lock: boolean;
  /** 0, 0xf2 or 0xf3, where it is not part of the opcode. */
  readonly repeat: number;
  readonly rexW: boolean;
  /** Segment number of an override that counts, or -1. */
  readonly segment: number;
  readonly operands: readonly Operand[];
}

const SEGMENTS = new Map([
  [0x26, 0],
  [0x2e, 1],
  [0x36, 2],
  [0x3e, 3],
  [0x64, 4],
  [0x65, 5],
]);
const MANDATORY = ["NP", "66", "F3", "F2"];
const SIZE_BYTES: Record<string, number> = { b: 1, w: 2, d: 4, q: 8, x: 16, qq: 32, t: 10, p: 6 };
const vector = (number: number, size: number): Operand => ({ type: size === 32 ? "ymm" : "xmm", number });
/** ModRM of 16-bit addresses: base and index register. */
const BASE_16 = [3, 3, 5, 5, 6, 7, 5, 3];
const INDEX_16 = [6, 7, 6, 7, -1, -1, -1, -1];
const MAX_LENGTH = 15;

class Decoder {
  private at: number;
  private readonly end: number;
  private operandPrefix = false;
  private addressPrefix = false;
  private lock = false;
  private repeat = 0;
  private segment = -1;
  private rex = 0;
  private vex = false;
  private vvvv = 0;
  private vexL = false;
  private map = 0;
  private opcode = 0;
  private modrm = 0;
  private sibIndex = 0;
  private width = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly start: number,
    private readonly bits: Bits,
  ) {
    this.at = start;
    this.end = Math.min(bytes.length, start + MAX_LENGTH);
  }

  private byte(): number {
    if (this.at >= this.end) throw new RangeError("the instruction is cut short");
    return this.bytes[this.at++]!;
  }

  private unsigned(size: number): bigint {
    let value = 0n;
    for (let i = 0; i < size; i++) value |= BigInt(this.byte()) << BigInt(8 * i);
    return value;
  }

  private signed(size: number): bigint {
    return BigInt.asIntN(size * 8, this.unsigned(size));
  }

  /** The register that VEX.vvvv names. */
  private get first(): number {
    return this.bits === 64 ? this.vvvv : this.vvvv & 7;
  }

  private get rexW(): boolean {
    return (this.rex & 8) !== 0;
  }

  decode(): Instruction | undefined {
    const mandatory = this.opcodeAndPrefixes();
    if (mandatory === undefined) return undefined;
    const candidates = entriesOf(this.map, this.opcode);
    if (candidates[0]?.form.modrm && this.at >= this.end) this.byte();
    this.modrm = this.at < this.end ? this.bytes[this.at]! : 0;
    if (this.map === 1 && (this.opcode & 0xfc) === 0x20) this.modrm |= 0xc0;
    const entry = candidates.find(({ form }) => this.fits(form, mandatory));
    if (!entry) return undefined;
    const { form } = entry;
    if (form.modrm) this.byte();
    if (form.operands.some((o) => o.kind === "X") && (this.addressSize() === 2 || (this.modrm & 7) !== 4))
      return undefined;
    this.width = this.operationWidth(entry);
    const addressSize = this.addressSize();
    const memory = form.modrm && this.modrm < 0xc0 ? this.memory(addressSize) : undefined;
    const operands = form.operands.map((o) => this.operand(o, memory, addressSize));
    if (this.lock && !(entry.lockable && operands[0]?.type === "memory")) return undefined;
    const usesVvvv = form.operands.some((o) => o.kind === "B" || o.kind === "H");
    if (this.vvvv && !usesVvvv) return undefined;
    const named = form.prefix === "F3" || form.prefix === "F2";
    const { lock, rexW, width, segment } = this;
    const repeat = named || this.vex ? 0 : this.repeat;
    return { entry, length: this.at - this.start, width, addressSize, lock, repeat, rexW, segment, operands };
  }

  /** Reads up to the opcode; the number in MANDATORY of the prefix that selects, or undefined: no instruction. */
  private opcodeAndPrefixes(): number | undefined {
    let opcode: number;
    for (;;) {
      opcode = this.byte();
      if (opcode === 0x66) this.operandPrefix = true;
      else if (opcode === 0x67) this.addressPrefix = true;
      else if (opcode === 0xf0) this.lock = true;
      else if (opcode === 0xf2 || opcode === 0xf3) this.repeat = opcode;
      else if (SEGMENTS.has(opcode)) {
        const segment = SEGMENTS.get(opcode)!;
        // ES, CS, SS, DS overrides do nothing in 64-bit code.
        if (this.bits !== 64 || segment >= 4) this.segment = segment;
      } else if (this.bits === 64 && (opcode & 0xf0) === 0x40) {
        this.rex = opcode;
        continue;
      } else break;
      // A REX prefix counts only right before the opcode.
      this.rex = 0;
    }
    if (opcode === 0x0f) {
      opcode = this.byte();
      this.map = 1;
      if (opcode === 0x38 || opcode === 0x3a) {
        this.map = opcode === 0x38 ? 2 : 3;
        opcode = this.byte();
      }
    } else if (this.isVex(opcode)) return this.vexPrefix(opcode);
    this.opcode = opcode;
    if (this.repeat) return this.repeat === 0xf3 ? 2 : 3;
    return this.operandPrefix ? 1 : 0;
  }

  private isVex(opcode: number): boolean {
    if (opcode !== 0xc4 && opcode !== 0xc5) return false;
    return this.at < this.end && (this.bits === 64 || (this.bytes[this.at]! & 0xc0) === 0xc0);
  }

  private vexPrefix(kind: number): number | undefined {
    if (this.rex || this.operandPrefix || this.lock || this.repeat) return undefined;
    this.vex = true;
    const first = this.byte();
    let last = first;
    this.map = 1;
    // The register extension bits are stored inverted.
    this.rex = 0x40 | (first & 0x80 ? 0 : 4);
    if (kind === 0xc4) {
      last = this.byte();
      this.rex |= (first & 0x40 ? 0 : 2) | (first & 0x20 ? 0 : 1) | (last & 0x80 ? 8 : 0);
      this.map = first & 31;
      if (this.map < 1 || this.map > 3) return undefined;
    }
    this.vvvv = ((last >> 3) & 15) ^ 15;
    if (this.bits !== 64) this.rex &= 0x48;
    this.vexL = (last & 4) !== 0;
    this.map += 3;
    this.opcode = this.byte();
    return last & 3;
  }

  private fits({ prefix, mod, digit, rm, flags }: Entry["form"], mandatory: number): boolean {
    const memory = this.modrm < 0xc0;
    const code64 = this.bits === 64;
    return (
      (prefix === "any" || prefix === MANDATORY[mandatory]) &&
      (mod === "any" || (mod === "mem") === memory) &&
      (digit < 0 || digit === ((this.modrm >> 3) & 7)) &&
      (rm < 0 || rm === (this.modrm & 7)) &&
      !(flags.has("i64") && code64) &&
      !(flags.has("o64") && !code64) &&
      !(flags.has("w0") && this.rexW) &&
      !(flags.has("w1") && !this.rexW) &&
      !(flags.has("b0") && this.rex & 1) &&
      !(flags.has("l0") && this.vexL) &&
      !(flags.has("l1") && !this.vexL)
    );
  }

  private operationWidth({ form, widths }: Entry): number {
    let width = this.bits === 16 ? 2 : 4;
    if (this.operandPrefix) width = 6 - width;
    if (this.bits === 64) {
      if (form.flags.has("f64") || this.rexW) width = 8;
      else if (form.flags.has("d64") && width === 4) width = 8;
      if (this.vex) width = this.rexW ? 8 : 4;
    } else if (this.vex) width = 4;
    if (widths & width) return width;
    const only = (widths & (widths - 1)) === 0;
    const lowest = widths & -widths;
    if (only) return lowest;
    if (width === 2) return 4;
    return widths & 4 ? 4 : lowest;
  }

  private addressSize(): number {
    const own = this.bits / 8;
    if (!this.addressPrefix) return own;
    return own === 8 ? 4 : 6 - own;
  }

  private memory(addressSize: number): Memory {
    const mod = this.modrm >> 6;
    const low = this.modrm & 7;
    const rexB = (this.rex & 1) << 3;
    const result = {
      base: -1,
      index: -1,
      vectorIndex: 0,
      scale: 1,
      displacement: 0n,
      displaced: false,
      ripRelative: false,
    };
    let none = false;
    if (addressSize === 2) {
      none = mod === 0 && low === 6;
      if (!none) {
        result.base = BASE_16[low]!;
        result.index = INDEX_16[low]!;
      }
    } else if (low === 4) {
      const sib = this.byte();
      const index = ((sib >> 3) & 7) | ((this.rex & 2) << 2);
      result.scale = 1 << (sib >> 6);
      this.sibIndex = index;
      if (index !== 4) result.index = index;
      none = (sib & 7) === 5 && mod === 0;
      if (!none) result.base = (sib & 7) | rexB;
    } else {
      none = low === 5 && mod === 0;
      if (!none) result.base = low | rexB;
      result.ripRelative = none && this.bits === 64;
    }
    const size = mod === 1 ? 1 : none || mod === 2 ? Math.min(addressSize, 4) : 0;
    if (size) {
      result.displacement = this.signed(size);
      result.displaced = true;
    }
    return { type: "memory", size: 0, ...result, addressSize, segment: this.segment };
  }

  private sizeOf({ kind, size }: OperandForm): number {
    if (kind === "One") return 1;
    if (size === "v" || size === "z" || size === "s") return this.width;
    if (size === "y") return this.width === 8 ? 8 : 4;
    return SIZE_BYTES[size] ?? 0;
  }

  private general(number: number, size: number): Operand {
    const high = size === 1 && !this.rex && number >= 4 && number < 8;
    return { type: "general", number: high ? number - 4 : number, size, high };
  }

  private operand(form: OperandForm, memory: Memory | undefined, addressSize: number): Operand {
    const size = this.sizeOf(form);
    const reg = ((this.modrm >> 3) & 7) | ((this.rex & 4) << 1);
    const rm = (this.modrm & 7) | ((this.rex & 1) << 3);
    switch (form.kind) {
      case "E":
      case "M":
        return memory ? { ...memory, size } : this.general(rm, size);
      case "R":
        return this.general(rm, size);
      case "G":
        return this.general(reg, size);
      case "Z":
        return this.general((this.opcode & 7) | ((this.rex & 1) << 3), size);
      case "A":
        return this.general(0, size);
      case "C1":
        return this.general(1, 1);
      case "DX":
        return this.general(2, 2);
      case "B":
        return this.general(this.first, size);
      case "V":
        return vector(reg, size);
      case "H":
        return vector(this.first, size);
      case "W":
      case "U":
        return memory ? { ...memory, size } : vector(rm, size);
      case "X":
        return { ...memory!, size: 0, vectorIndex: size, index: this.sibIndex };
      case "P":
        return { type: "mmx", number: reg & 7 };
      case "Q":
      case "N":
        return memory ? { ...memory, size } : { type: "mmx", number: rm & 7 };
      case "S":
        return { type: "segment", number: reg & 7 };
      case "SO":
        return { type: "segment", number: (this.opcode >> 3) & 7 };
      case "C":
        return { type: "control", number: reg };
      case "D":
        return { type: "debug", number: reg };
      case "ST":
        return { type: "x87", number: this.modrm & 7 };
      case "One":
        return { type: "immediate", value: 1n, size: 1 };
      case "O":
        return {
          ...{ type: "memory", size, base: -1, index: -1, vectorIndex: 0, scale: 1 },
          displacement: this.unsigned(addressSize),
          ...{ displaced: true, ripRelative: false, addressSize, segment: this.segment },
        };
      case "I2":
        return { type: "immediate", value: this.unsigned(1), size: 1 };
      case "Ap": {
        const offset = this.unsigned(this.width === 2 ? 2 : 4);
        return { type: "far", offset, selector: Number(this.unsigned(2)) };
      }
      case "J":
        return { type: "relative", displacement: this.immediate(form), size: this.width };
      case "I":
        return { type: "immediate", value: this.immediate(form), size };
    }
  }

  private immediate({ size }: OperandForm): bigint {
    if (size === "s") return this.signed(1);
    if (size === "z") return this.signed(this.width === 2 ? 2 : 4);
    return this.unsigned(size === "v" ? this.width : (SIZE_BYTES[size] ?? 1));
  }
}

/**
 * Decodes the instruction at `at`. Returns undefined where the table has none, or the bytes end before it does; the
 * features of the processor are not looked at.
 */
export function decode(bytes: Uint8Array, at: number, bits: Bits): Instruction | undefined {
  try {
    return new Decoder(bytes, at, bits).decode();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
