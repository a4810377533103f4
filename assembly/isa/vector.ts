// What the rows of MMX and SSE have in common: operands as v128, the MMX prologue, and instructions that come both for
// MMX and for XMM registers.
import { FEAT_AVX2, FEAT_MMX, FEAT_SSE, FEAT_SSE2 } from "../features.ts";
import type { Builder, Operand } from "./builder.ts";
import type { Type, Value } from "./micro-op.ts";
import { type Body, type RowOptions, row } from "./row.ts";
import { type VexOptions, vexPacked, vexUnary } from "./vex.ts";

export type Options = Omit<RowOptions, "group"> & { group?: string };

export const PENDING = "execute/x87/check";

/** A call without faults. */
export function pure(b: Builder, module: string, name: string, type: Type, ...args: Value[]): Value {
  return b.call(`execute/vector/${module}`, name, args, { type, faults: false });
}

/** A lane value of 0. */
export function zero(b: Builder): Value {
  return b.simd("i32x4.splat", b.const(0, 32));
}

/** The vector with `value` (i32 or i64) in its low lane and 0 above. */
export function lowLane(b: Builder, value: Value): Value {
  return b.simd(`${value.type === "i64" ? "i64x2" : "i32x4"}.replace_lane`, zero(b), 0, value);
}

/** Lanes of `bytes` bytes chosen from x, then y, by number. */
export function shuffle(b: Builder, bytes: number, x: Value, y: Value, ...lanes: number[]): Value {
  return b.simd(
    "i8x16.shuffle",
    x,
    y,
    ...lanes.flatMap((lane) => Array.from({ length: bytes }, (_, i) => lane * bytes + i)),
  );
}

/** Two 64-bit values as one vector. */
export function halves(b: Builder, low: Value, high: Value): Value {
  return b.simd("i64x2.replace_lane", b.simd("i64x2.splat", low), 1, high);
}

export function lane64(b: Builder, vector: Value, lane: 0 | 1): Value {
  return b.simd("i64x2.extract_lane", vector, lane);
}

/** Before an MMX instruction touches anything: a pending x87 exception. */
export function beginMmx(b: Builder): void {
  b.call(PENDING, "checkPending", []);
}

/** Writes an MMX register, once nothing can fault any more. */
export function writeMmx(b: Builder, register: Operand, value: Value): void {
  b.call("execute/vector/mmx", "mmxUsedFor", [b.index(register)], { faults: false });
  b.vstore(b.pointer(register, 8), value, 8);
}

/** An instruction used MMX registers but writes none. */
export function usedMmx(b: Builder): void {
  b.call("execute/vector/mmx", "mmxUsed", [], { faults: false });
}

type Lanes = (b: Builder, x: Value, y: Value) => Value;

/** Where an instruction on both register files stands: its features, and what differs for MMX. */
export interface PairOptions {
  /** Feature of the XMM form; SSE2 where absent. */
  feature?: number;
  /** Feature of the MMX form; as the XMM form's, or MMX where that is SSE2. */
  mmxFeature?: number;
  group?: string;
  /** The operation on MMX registers, both operands in the low halves and 0 above, where it is another one. */
  mmx?: Lanes;
  /** Bytes of an MMX memory operand. */
  mmxBytes?: number;
  vex?: VexForm;
}

/** How the VEX-encoded form differs: false: there is none that looks like this; `unary`: it has one source; features
 * other than AVX for 128 and AVX2 for 256 bits. */
export type VexForm = false | (Partial<VexOptions> & { unary?: boolean });

/** mm, mm/m64 and xmm, xmm/m128 of one operation, and what packed() adds: `opcode` as in "0F FC". The low half of the
 * result is the MMX form's. */
export function pair(name: string, opcode: string, options: PairOptions, op: Lanes): void {
  const feature = options.feature ?? FEAT_SSE2;
  const mmxFeature = options.mmxFeature ?? (feature === FEAT_SSE2 ? FEAT_MMX : feature);
  row(
    `${name}_mm`,
    `NP ${opcode} Pq,Qq`,
    { group: "mmx", unit: "mmx", feature: mmxFeature, mnemonic: name },
    (b, d, s) => {
      beginMmx(b);
      const y = b.vread(s, s.shape === "mem" ? (options.mmxBytes ?? 8) : 8);
      const wide = lowLane(b, y.type === "i64" ? y : b.unary("extend_u", y));
      const result = (options.mmx ?? op)(b, lowLane(b, b.vread(d, 8)), wide);
      writeMmx(b, d, lane64(b, result, 0));
    },
  );
  packed(name, `66 ${opcode}`, feature, options.group ?? "sse-int", op, options);
}

/** xmm, xmm/m128, the memory operand on a 16-byte boundary unless `aligned` is false; and the same with VEX, on 128 and
 * 256 bits, unless `vex` says otherwise. */
export function packed(
  name: string,
  opcode: string,
  feature: number,
  group: string,
  op: Lanes,
  { aligned = true, vex = {} }: { aligned?: boolean; vex?: VexForm } = {},
): void {
  row(name, `${opcode} Vx,Wx`, { group, unit: "sse", feature }, (b, d, s) => {
    const y = b.vread(s, 16, aligned);
    b.vwrite(d, op(b, b.vread(d, 16), y));
  });
  if (!vex) return;
  const { unary, ...options } = { group: `avx-${group.replace(/^sse-?/, "")}`, wide: FEAT_AVX2, ...vex };
  (unary ? vexUnary : vexPacked)(name, opcode, options, op);
}

/** The binary SIMD operation of that name. */
export const simd =
  (name: string): Lanes =>
  (b, x, y) =>
    b.simd(name, x, y);

export const sse = { unit: "sse", feature: FEAT_SSE } as const;
export const sse2 = { unit: "sse", feature: FEAT_SSE2 } as const;
export const mmx = { unit: "mmx", feature: FEAT_MMX, group: "mmx" } as const;

/** A body that checks for a pending x87 exception first. */
export const afterPending =
  (body: Body): Body =>
  (b, ...operands) => {
    beginMmx(b);
    body(b, ...operands);
  };
