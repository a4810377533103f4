// Fused multiply-add: one rounding of a product and a sum. SDM volume 2, VFMADD132PD to VFNMSUB231SS.
import { FEAT_FMA } from "../../features.ts";
import type { Builder, Operand } from "../builder.ts";
import type { Value } from "../micro-op.ts";
import { clearAbove, vex, vexScalar, writeParts } from "../vex.ts";

const MODULE = "execute/float/fused";
const options = { group: "fma", feature: FEAT_FMA } as const;
/** Which operands are the factors, and which is added: the digits of the name. */
const ORDERS = [["132", 0x90], ["213", 0xa0], ["231", 0xb0]] as const;

/** Bits: 1: the product is negated; 2 and 4: what is added to even and to odd lanes is. */
const PACKED = [
  ["fmaddsub", 6, 2], ["fmsubadd", 7, 4], ["fmadd", 8, 0], ["fmsub", 10, 6], ["fnmadd", 12, 1], ["fnmsub", 14, 7],
] as const;

/** The factors and what is added, of the destination, vvvv, and register or memory. Of several NaNs the first one in
 * this order comes out. */
function ordered(order: string, all: readonly Value[]): Value[] {
  return [...order].map((digit) => all[Number(digit) - 1]!);
}

for (const [order, base] of ORDERS) {
  for (const [name, opcode, signs] of PACKED) {
    for (const [suffix, w, bits] of [["ps", 0, 32], ["pd", 1, 64]] as const) {
      const code = (plus: number): string => `66 0F38 ${(base + opcode + plus).toString(16).toUpperCase()}`;
      vex(`${name}${order}${suffix}`, code(0), "V,H,W", { ...options, w }, (b, d, h, s) => {
        const third = b.pointer(s!);
        const first = b.pointer(d);
        const factors = ordered(order, [first, b.pointer(h!), third]);
        b.call(MODULE, `vectorFma${bits}`, [first, ...factors, b.const(signs, 32), b.const(d.bytes, 32)]);
        clearAbove(b, d, d.bytes);
      });
      if (opcode < 8) continue;
      const size = bits === 64 ? "q" : "d";
      const scalar = suffix === "ps" ? "ss" : "sd";
      vexScalar(`${name}${order}${scalar}`, code(1), `Vx,Hx,W${size}`, { ...options, w }, (b: Builder, d: Operand, h?: Operand, s?: Operand) => {
        const third = b.vread(s!);
        const old = b.vread(d, 16);
        const low = b.simd(bits === 64 ? "i64x2.extract_lane" : "i32x4.extract_lane", old, 0);
        const values = ordered(order, [low, b.vread(h!, bits / 8), third]);
        const result = b.call(MODULE, `scalarFma${bits}`, [...values, b.const(signs, 32)], { type: bits === 64 ? "i64" : "i32" });
        writeParts(b, d, [b.simd(bits === 64 ? "i64x2.replace_lane" : "i32x4.replace_lane", old, 0, result)]);
      });
    }
  }
}
