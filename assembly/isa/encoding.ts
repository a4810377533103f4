// Encodings and operand kinds, written as the manual writes them: "66 0F 6F Vx,Wx", "80/0 Eb,Ib", "50+r Zv d64".
import type { Width } from "./micro-op.ts";

/** Opcode maps: one-byte, 0F, 0F38, 0F3A, and the VEX-encoded three. */
export const MAPS = ["", "0F", "0F38", "0F3A", "V0F", "V0F38", "V0F3A"] as const;
export type Prefix = "any" | "NP" | "66" | "F3" | "F2";
export const PREFIXES: readonly Prefix[] = ["any", "NP", "66", "F3", "F2"];

/** Operand kinds; the number is what the decoder switches on. */
export const KINDS = {
  E: 1, // general register or memory by ModRM.rm
  G: 2, // general register by ModRM.reg
  Z: 3, // general register by the low three bits of the opcode
  A: 4, // AL, AX, EAX, RAX
  C1: 5, // CL
  I: 6, // immediate
  J: 7, // displacement of a branch
  M: 8, // memory by ModRM.rm, no register form
  O: 9, // memory at an immediate offset
  S: 10, // segment register by ModRM.reg
  C: 11, // control register by ModRM.reg
  D: 12, // debug register by ModRM.reg
  V: 13, // XMM register by ModRM.reg
  W: 14, // XMM register or memory by ModRM.rm
  P: 15, // MMX register by ModRM.reg
  Q: 16, // MMX register or memory by ModRM.rm
  One: 17, // the constant 1
  H: 18, // XMM register by VEX.vvvv
  ST: 19, // x87 register by ModRM.rm
  DX: 20, // the DX register
  B: 21, // general register by VEX.vvvv
  R: 22, // general register by ModRM.rm, no memory form
  U: 23, // XMM register by ModRM.rm, no memory form
  N: 24, // MMX register by ModRM.rm, no memory form
  Ap: 25, // far pointer: offset, then selector in bits 32-47 of the immediate
  SO: 27, // segment register by bits 3-5 of the opcode
  I2: 26, // a second, 8-bit immediate: bits 16-23 of the immediate (ENTER)
  X: 28, // memory by a SIB byte whose index is an XMM register: the slot has the index's number
} as const;
export type Kind = keyof typeof KINDS;

/** Operand sizes; the number is what the decoder switches on. v: by operand size; y: 32 or 64; z: 16 or 32 bits, sign-extended;
 * s: 8 bits, sign-extended to the operand size; p: far pointer; x: 128 bits, qq: 256 bits. */
export const SIZES = { b: 1, w: 2, d: 3, q: 4, x: 5, v: 6, y: 7, z: 8, s: 9, p: 10, t: 11, qq: 12 } as const;
export type Size = keyof typeof SIZES;

export interface OperandForm {
  readonly kind: Kind;
  readonly size: Size;
}

export interface Form {
  readonly text: string;
  readonly map: number;
  readonly prefix: Prefix;
  readonly opcode: number;
  /** The low three bits of the opcode are a register. */
  readonly plusR: boolean;
  /** ModRM follows the opcode. */
  readonly modrm: boolean;
  /** ModRM.reg must be this, or -1. */
  readonly digit: number;
  /** ModRM.rm must be this, or -1. */
  readonly rm: number;
  readonly mod: "any" | "mem" | "reg";
  readonly operands: readonly OperandForm[];
  /** Operation widths this form comes in. */
  readonly widths: readonly Width[];
  /** d64: 64-bit operand size by default in 64-bit code; f64: always; i64: #UD in 64-bit code; o64: #UD elsewhere; w1, w0: REX.W or VEX.W; b0: REX.B clear; l0, l1: VEX.L. */
  readonly flags: ReadonlySet<string>;
}

const FIXED: Record<string, OperandForm> = {
  AL: { kind: "A", size: "b" },
  AX: { kind: "A", size: "w" },
  EAX: { kind: "A", size: "d" },
  rAX: { kind: "A", size: "v" },
  CL: { kind: "C1", size: "b" },
  DX: { kind: "DX", size: "w" },
  "1": { kind: "One", size: "b" },
  "ST(i)": { kind: "ST", size: "b" },
  Ap: { kind: "Ap", size: "p" },
  I2: { kind: "I2", size: "b" },
  SO: { kind: "SO", size: "b" },
  Is: { kind: "I", size: "s" },
};

function parseOperand(text: string): OperandForm {
  const fixed = FIXED[text];
  if (fixed) return fixed;
  const kind = text[0] as Kind;
  const size = (text.slice(1) || "x") as Size;
  if (!(kind in KINDS) || !(size in SIZES)) throw new Error(`operand '${text}'`);
  return { kind, size };
}

const MODRM_KINDS = new Set<Kind>(["E", "G", "M", "S", "C", "D", "V", "W", "P", "Q", "ST", "R", "U", "N", "X"]);
const MEMORY_KINDS = new Set<Kind>(["E", "W", "Q"]);
const FLAGS = new Set(["d64", "f64", "i64", "o64", "w0", "w1", "l0", "l1", "b0", "nomodrm"]);
const WIDTH_OF: Partial<Record<Size, Width>> = { b: 8, w: 16, d: 32, q: 64 };

/** Parses one form. Throws on anything it does not know, so that a typing error stops the build. */
export function parseForm(text: string): Form {
  let prefix: Prefix = "any";
  let map = 0;
  let vex = false;
  let opcode = -1;
  let plusR = false;
  let digit = -1;
  let rm = -1;
  let mod: Form["mod"] = "any";
  let operands: OperandForm[] = [];
  const flags = new Set<string>();
  for (const word of text.trim().split(/\s+/)) {
    const code = /^([0-9A-F]{2})(\+r)?(?:\/([0-7]))?$/.exec(word);
    if (
      opcode < 0 &&
      (word === "NP" ||
        ((word === "66" || word === "F3" || word === "F2") &&
          map === 0 &&
          /^(NP|66|F3|F2|VEX)\s/.test(text.trim()) &&
          prefix === "any"))
    )
      prefix = word as Prefix;
    else if (word === "VEX") vex = true;
    else if (opcode < 0 && word === "0F" && map === 0) map = 1;
    else if (opcode < 0 && word === "0F38") map = 2;
    else if (opcode < 0 && word === "0F3A") map = 3;
    else if (opcode < 0 && code) {
      opcode = Number.parseInt(code[1]!, 16);
      plusR = code[2] !== undefined;
      if (code[3] !== undefined) digit = Number(code[3]);
    } else if (word === "reg" || word === "mem") mod = word;
    else if (word.startsWith("rm=")) rm = Number(word.slice(3));
    else if (FLAGS.has(word)) flags.add(word);
    else operands = word.split(",").map(parseOperand);
  }
  if (opcode < 0) throw new Error(`no opcode in '${text}'`);
  if (rm >= 0) mod = "reg";
  for (const { kind } of operands) {
    if (kind === "M" || kind === "X") mod = "mem";
    if (kind === "R" || kind === "U" || kind === "N" || kind === "ST") mod = "reg";
  }
  const modrm =
    !flags.has("nomodrm") && (digit >= 0 || rm >= 0 || mod !== "any" || operands.some((o) => MODRM_KINDS.has(o.kind)));
  const sizes = new Set(operands.map((o) => o.size));
  let widths: Width[];
  if (sizes.has("v") || flags.has("v")) widths = [16, 32, 64];
  else if (sizes.has("y")) widths = [32, 64];
  else if (sizes.has("z") || sizes.has("p") || flags.has("d64") || flags.has("f64")) widths = [16, 32, 64];
  else {
    const first = operands[0];
    widths = [(first && WIDTH_OF[first.size]) || 32];
  }
  if (vex) map += 3;
  return { text, map, prefix, opcode, plusR, modrm, digit, rm, mod, operands, widths, flags };
}

/** Whether the form's ModRM operand can be memory, a register, or either. */
export function shapesOf(form: Form): readonly ("reg" | "mem")[] {
  if (form.mod === "mem" || form.operands.some((o) => o.kind === "O")) return ["mem"];
  if (form.mod === "any" && form.operands.some((o) => MEMORY_KINDS.has(o.kind))) return ["reg", "mem"];
  return ["reg"];
}
