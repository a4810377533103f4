// What the rows of AVX have in common: each instruction comes for 128 and for 256 bits, the latter as two halves of what
// the SSE row does, and a write of a register clears what lies above. SDM volume 2, 2.3; volume 1, 14.1.
import { FEAT_AVX } from "../features.ts";
import type { Builder, Operand } from "./builder.ts";
import type { Value } from "./micro-op.ts";
import { row } from "./row.ts";
import { zero } from "./vector.ts";

/** A 128-bit part of a result, of the corresponding parts of its sources; `half` counts from the low one. */
export type LaneOperation = (b: Builder, x: Value, y: Value, half: 0 | 1) => Value;

export interface VexOptions {
  group: string;
  /** Feature of the 128-bit form; AVX where absent, -1: there is no such form. */
  feature?: number;
  /** Feature of the 256-bit form; as that of the 128-bit form where absent, -1: there is no such form. */
  wide?: number;
  /** Value of VEX.W that the opcode needs; either where absent; "long": 1 is for 64-bit code only. */
  w?: 0 | 1 | "long";
  /** Where it is not "v" and the row's name. */
  mnemonic?: string;
}

/** The destination, and operands in the order of the form. */
export type VexBody = (b: Builder, d: Operand, ...operands: Operand[]) => void;

/**
 * The row of the instruction that SSE calls `name`: `opcode` as in "66 0F FC", operands as in "V,H,W,Ib", where V, H, W, U
 * and M without a size are as wide as VEX.L says. The body looks at d.bytes, or that of another operand.
 */
export function vex(name: string, opcode: string, operands: string, options: VexOptions, body: VexBody): void {
  const endings = endingsOf(options);
  const add = (suffix: string, size: string, length: number, feature: number): void => {
    if (feature < 0) return;
    const sized = operands.replaceAll(/\b([VHWUM])(?=,|$)/g, `$1${size}`);
    const { group, mnemonic = `v${name}` } = options;
    const forms = endings.map((ending) => `VEX ${opcode} ${sized} l${length}${ending}`);
    row(`v${name}${suffix}`, forms, { group, unit: "avx", feature, mnemonic }, body);
  };
  const feature = options.feature ?? FEAT_AVX;
  add("", "x", 0, feature);
  add("_256", "qq", 1, options.wide ?? feature);
}

function endingsOf({ w }: VexOptions): string[] {
  if (w === "long") return [" w0", " w1 o64"];
  return w === undefined ? [""] : [` w${w}`];
}

/** A row for any VEX.L: scalars. */
export function vexScalar(name: string, opcode: string, operands: string, options: VexOptions, body: VexBody): void {
  const feature = options.feature ?? FEAT_AVX;
  const { group, mnemonic = `v${name}` } = options;
  const forms = endingsOf(options).map((ending) => `VEX ${opcode} ${operands}${ending}`);
  row(`v${name}`, forms, { group, unit: "avx", feature, mnemonic }, body);
}

/** Reads a vector operand as one or two v128; memory needs no boundary unless `aligned`. */
export function parts(b: Builder, o: Operand, bytes = o.bytes, aligned = false): Value[] {
  const at = b.pointer(o, bytes, aligned);
  const low = b.vload(at, 16);
  return bytes === 32 ? [low, b.vload(b.offset(at, 16), 16)] : [low];
}

/** Writes one or two v128 to a register, the rest of which becomes 0, or to memory. */
export function writeParts(b: Builder, d: Operand, values: readonly Value[], aligned = false): void {
  const [low, high] = values as [Value, Value?];
  if (d.shape !== "mem") {
    const at = b.pointer(d, 32);
    b.vstore(at, low, 16);
    b.vstore(b.offset(at, 16), high ?? zero(b), 16);
  } else if (high) b.call("execute/vector/memory", "vectorWrite32", [b.vectorAddress(32, aligned), low, high]);
  else b.vwrite(d, low, 16, aligned);
}

/** After a helper has written the low 16 bytes of a register that `bytes` says is all there is of the result. */
export function clearAbove(b: Builder, d: Operand, bytes: number): void {
  if (bytes === 16) b.vstore(b.offset(b.pointer(d, 32), 16), zero(b), 16);
}

/** V, H, W: a register from another and from a register or memory, part by part. */
export function vexPacked(name: string, opcode: string, options: VexOptions, op: LaneOperation): void {
  vex(name, opcode, "V,H,W", options, (b, d, h, s) => {
    const y = parts(b, s!);
    const x = parts(b, h!);
    writeParts(
      b,
      d,
      y.map((value, i) => op(b, x[i]!, value, i as 0 | 1)),
    );
  });
}

/** V, W: a register from a register or memory, part by part; `op` gets the source twice. */
export function vexUnary(name: string, opcode: string, options: VexOptions, op: LaneOperation): void {
  vex(name, opcode, "V,W", options, (b, d, s) => {
    writeParts(
      b,
      d,
      parts(b, s!).map((value, i) => op(b, value, value, i as 0 | 1)),
    );
  });
}

/** A choice by an immediate: bits of it for the low part, then as many for the high one; 0: the same for both. */
export function choice(b: Builder, i: Operand, bits: number, half: 0 | 1): Value {
  const value = b.read(i);
  return half && bits ? b.shrU(value, b.const(bits, 32)) : value;
}

/** V, H, W, Ib: `helper` of execute/vector/`module` on parts and an immediate of `bits` a part. */
export function vexChoice(
  name: string,
  opcode: string,
  options: VexOptions & { bits: number },
  op: (b: Builder, x: Value, y: Value, choice: Value) => Value,
): void {
  vex(name, opcode, "V,H,W,Ib", options, (b, d, h, s, i) => {
    const y = parts(b, s!);
    const x = parts(b, h!);
    writeParts(
      b,
      d,
      y.map((value, n) => op(b, x[n]!, value, choice(b, i!, options.bits, n as 0 | 1))),
    );
  });
}

/** V, W, Ib likewise. */
export function vexUnaryChoice(
  name: string,
  opcode: string,
  options: VexOptions & { bits: number },
  op: (b: Builder, x: Value, choice: Value) => Value,
): void {
  vex(name, opcode, "V,W,Ib", options, (b, d, s, i) => {
    writeParts(
      b,
      d,
      parts(b, s!).map((value, n) => op(b, value, choice(b, i!, options.bits, n as 0 | 1))),
    );
  });
}
