// Text of a decoded instruction, in Intel syntax as `objdump -M intel` has it: destination first, sizes of memory
// operands spelled out, numbers in hexadecimal.
import type { Bits, Instruction, Memory, Operand } from "./decode.ts";
import { mnemonicOf } from "./mnemonic.ts";

const NAMES = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
const BYTES = ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"];
const HIGH = ["ah", "ch", "dh", "bh"];
const SEGMENTS = ["es", "cs", "ss", "ds", "fs", "gs"];
const SIZES: Record<number, string> = {
  1: "BYTE PTR ",
  2: "WORD PTR ",
  4: "DWORD PTR ",
  6: "FWORD PTR ",
  8: "QWORD PTR ",
  10: "TBYTE PTR ",
  16: "XMMWORD PTR ",
  32: "YMMWORD PTR ",
};
/** Instructions that name an address, or an area of no simple size. */
const ADDRESS_ONLY =
  /^(lea|invlpg|prefetchw|nop|[sl][gi]dt|f?xsave(opt|c|s)?|f?xrstors?|fldenv|fnstenv|frstor|fnsave|invpcid|bound)$/;
/** Instructions whose third operand is always XMM0. */
const WITH_XMM0 = new Set(["sha256rnds2", "pblendvb", "blendvps", "blendvpd"]);

const hex = (value: bigint): string => `0x${value.toString(16)}`;
const signedHex = (value: bigint): string => (value < 0n ? `-${hex(-value)}` : hex(value));

function register(number: number, size: number, high = false): string {
  if (high) return HIGH[number]!;
  if (number >= 8) return `r${number}${{ 1: "b", 2: "w", 4: "d" }[size] ?? ""}`;
  if (size === 1) return BYTES[number]!;
  return { 2: "", 4: "e" }[size] === undefined ? `r${NAMES[number]}` : `${size === 4 ? "e" : ""}${NAMES[number]}`;
}

function indexOf({ index, vectorIndex, addressSize }: Memory): string {
  if (vectorIndex) return `${vectorIndex === 32 ? "y" : "x"}mm${index}`;
  return register(index, addressSize);
}

function memory(m: Memory, plain: boolean): string {
  const parts: string[] = [];
  if (m.ripRelative) parts.push(m.addressSize === 8 ? "rip" : "eip");
  if (m.base >= 0) parts.push(register(m.base, m.addressSize));
  if (m.index >= 0) parts.push(m.addressSize === 2 ? register(m.index, 2) : `${indexOf(m)}*${m.scale}`);
  let text = parts.join("+");
  const prefix = plain ? "" : (SIZES[m.size] ?? "");
  const segment = m.segment >= 0 ? `${SEGMENTS[m.segment]}:` : "";
  if (parts.length === 0) {
    const address = hex(BigInt.asUintN(m.addressSize * 8, m.displacement));
    return `${prefix}${segment || "ds:"}${address}`;
  }
  if (m.displaced) text += m.displacement < 0n ? signedHex(m.displacement) : `+${hex(m.displacement)}`;
  return `${prefix}${segment}[${text}]`;
}

function operand(o: Operand, instruction: Instruction, next: bigint, bits: Bits): string {
  switch (o.type) {
    case "general":
      return register(o.number, o.size, o.high);
    case "segment":
      return SEGMENTS[o.number] ?? "?";
    case "control":
      return `cr${o.number}`;
    case "debug":
      return `dr${o.number}`;
    case "xmm":
    case "ymm":
      return `${o.type}${o.number}`;
    case "mmx":
      return `mm${o.number}`;
    case "x87":
      return `st(${o.number})`;
    case "immediate":
      // A fourth register stands in the immediate's upper half.
      if (/^vp?blendv/.test(instruction.entry.mnemonic)) {
        const [first] = instruction.operands;
        return `${first?.type}${Number(o.value >> 4n) & (bits === 64 ? 15 : 7)}`;
      }
      return hex(BigInt.asUintN(Math.max(o.size, 1) * 8, o.value));
    case "relative": {
      const size = o.size === 2 ? 16 : bits === 64 ? 64 : 32;
      return hex(BigInt.asUintN(size, next + o.displacement));
    }
    case "far":
      return `${hex(BigInt(o.selector))}:${hex(o.offset)}`;
    case "memory":
      return memory(o, ADDRESS_ONLY.test(instruction.entry.mnemonic));
  }
}

/** Operands of string instructions, which their encoding does not name: S at SI, D at DI, A the accumulator, P port DX. */
const IMPLIED: Record<string, string> = {
  movs: "DS",
  cmps: "SD",
  stos: "DA",
  lods: "AS",
  scas: "AD",
  ins: "DP",
  outs: "PS",
  xlat: "X",
};

function implied({ entry, width, addressSize, segment }: Instruction): string[] {
  const stem = entry.mnemonic.replace(/^(movs|cmps|stos|lods|scas|ins|outs)b$/, "$1");
  const kinds = IMPLIED[stem];
  // CMPSD and MOVSD are SSE2's too.
  if (!kinds || entry.form.map !== 0) return [];
  const size =
    stem === entry.mnemonic && stem !== "xlat" ? (/^(ins|outs)$/.test(stem) ? Math.min(width, 4) : width) : 1;
  const at = (name: string, index: number): string => `${SIZES[size]}${name}:[${register(index, addressSize)}]`;
  const source = SEGMENTS[segment >= 0 ? segment : 3]!;
  const text: Record<string, () => string> = {
    S: () => at(source, 6),
    D: () => at("es", 7),
    A: () => register(0, size),
    P: () => "dx",
    X: () => at(source, 3),
  };
  return [...kinds].map((kind) => text[kind]!());
}

/** String instructions repeat differently where they compare. */
function repeatPrefix({ repeat, entry }: Instruction): string {
  if (repeat === 0) return "";
  if (/^(cmps|scas)/.test(entry.mnemonic)) return repeat === 0xf3 ? "repz " : "repnz ";
  return /^(movs|stos|lods|ins|outs)b?$/.test(entry.mnemonic) ? (repeat === 0xf3 ? "rep " : "repnz ") : "";
}

/** The text of an instruction at `address`. */
export function format(instruction: Instruction, address: bigint, bits: Bits): string {
  const next = address + BigInt(instruction.length);
  const named = instruction.operands.map((o) => operand(o, instruction, next, bits));
  const operands = named.length ? named : implied(instruction);
  if (WITH_XMM0.has(instruction.entry.mnemonic)) operands.push("xmm0");
  const relative = instruction.operands.find((o) => o.type === "memory" && o.ripRelative) as Memory | undefined;
  const target = relative ? ` # ${hex(BigInt.asUintN(64, next + relative.displacement))}` : "";
  const mnemonic = `${instruction.lock ? "lock " : ""}${repeatPrefix(instruction)}${mnemonicOf(instruction, bits)}`;
  return operands.length ? `${mnemonic} ${operands.join(",")}${target}` : mnemonic;
}
