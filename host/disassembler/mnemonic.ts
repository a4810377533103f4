// Mnemonics as binutils spells them in Intel syntax: the table names a row once, its spelling may depend on widths.
import type { Instruction } from "./decode.ts";

/** Conditions where the table's name is not the usual one. */
const CONDITIONS: Record<string, string> = {
  nb: "ae",
  z: "e",
  nz: "ne",
  nbe: "a",
  nl: "ge",
  nle: "g",
};
const FIXED: Record<string, string> = { imul1: "imul", call_far: "call", jmp_far: "jmp", wait: "fwait" };
/** The byte forms of string instructions: their operands tell the size. */
const BYTE_STRING = /^(movs|cmps|stos|lods|scas|ins|outs)b$/;
/** Names by operand size in bytes. */
const BY_WIDTH: Record<string, Record<number, string>> = {
  cbw: { 2: "cbw", 4: "cwde", 8: "cdqe" },
  cwd: { 2: "cwd", 4: "cdq", 8: "cqo" },
};
/** Names that tell the operand size where it is not that of the code segment. */
const UNUSUAL = new Set(["iret", "pusha", "popa", "retf"]);
const SUFFIX: Record<number, string> = { 2: "w", 4: "d", 8: "q" };
/** Names that tell the operand size in 64-bit code. */
const SIZED_64 = new Set(["sysret", "sysexit"]);
/** Names by address size in bytes. */
const BY_ADDRESS: Record<string, Record<number, string>> = { jrcxz: { 2: "jcxz", 4: "jecxz", 8: "jrcxz" } };
/** With REX.W these move or name 64 bits. */
const WITH_REX_W: Record<string, string> = {
  movd: "movq",
  pextrd: "pextrq",
  pinsrd: "pinsrq",
  vmovd: "vmovq",
  vpextrd: "vpextrq",
  vpinsrd: "vpinsrq",
  fxsave: "fxsave64",
  fxrstor: "fxrstor64",
  xsave: "xsave64",
  xrstor: "xrstor64",
  xsaveopt: "xsaveopt64",
  xsavec: "xsavec64",
  xsaves: "xsaves64",
  xrstors: "xrstors64",
};

/** The mnemonic of a decoded instruction in code of `bits`. */
export function mnemonicOf({ entry, width, addressSize, rexW }: Instruction, bits: number): string {
  const name = entry.mnemonic;
  const { digit, rm } = entry.form;
  if (name === "vmcall" && digit === 3) return "vmmcall";
  if (name === "fneni") return { 0: "fneni", 1: "fndisi", 4: "fnsetpm" }[rm] ?? name;
  if (name in FIXED) return FIXED[name]!;
  if (UNUSUAL.has(name)) return width === (bits === 16 ? 2 : 4) ? name : `${name}${SUFFIX[width]}`;
  if (SIZED_64.has(name) && bits === 64) return `${name}${SUFFIX[width]}`;
  const string = BYTE_STRING.exec(name);
  if (string) return string[1]!;
  const byWidth = BY_WIDTH[name]?.[width] ?? BY_ADDRESS[name]?.[addressSize];
  if (byWidth) return byWidth;
  if (rexW && name in WITH_REX_W) return WITH_REX_W[name]!;
  const conditional = /^(j|set|cmov)(nb|z|nz|nbe|nl|nle)$/.exec(name);
  return conditional ? conditional[1]! + CONDITIONS[conditional[2]!]! : name;
}
