// Floating-point arithmetic, comparisons and logic: SSE, SSE2, SSE3.
import { FEAT_SSE, FEAT_SSE2, FEAT_SSE3 } from "../../features.ts";
import { FLOAT_ADD, FLOAT_DIV, FLOAT_MAX, FLOAT_MIN, FLOAT_MUL, FLOAT_SQRT, FLOAT_SUB } from "../float-operations.ts";
import { row } from "../row.ts";
import { packed, simd } from "../vector.ts";

const group = "sse-float";
/** The four forms of most opcodes: suffix, prefix, size of a lane's operand, bytes, feature. */
const SCALARS = [["s", "F3", "d", 4, FEAT_SSE], ["d", "F2", "q", 8, FEAT_SSE2]] as const;
const VECTORS = [["s", "NP", FEAT_SSE, 32], ["d", "66", FEAT_SSE2, 64]] as const;

// ---------------------------------------------------------------- arithmetic
for (const [name, opcode, operation] of [
  ["add", "58", FLOAT_ADD], ["mul", "59", FLOAT_MUL], ["sub", "5C", FLOAT_SUB], ["min", "5D", FLOAT_MIN], ["div", "5E", FLOAT_DIV], ["max", "5F", FLOAT_MAX], ["sqrt", "51", FLOAT_SQRT],
] as const) {
  for (const [suffix, prefix, size, bytes, feature] of SCALARS) {
    row(`${name}s${suffix}`, `${prefix} 0F ${opcode} V${size},W${size}`, { group, unit: "sse", feature }, (b, d, s) => {
      const y = b.vread(s);
      b.vwrite(d, b.call("execute/vector/scalar", `${name}S${suffix}`, [b.vread(d), y], { type: bytes === 8 ? "i64" : "i32" }));
    });
  }
  for (const [suffix, prefix, feature, bits] of VECTORS) {
    row(`${name}p${suffix}`, `${prefix} 0F ${opcode} Vx,Wx`, { group, unit: "sse", feature }, (b, d, s) => {
      const y = b.pointer(s, 16, true);
      b.call("execute/float/packed", `packedF${bits}`, [b.const(operation, 32), b.pointer(d, 16), y]);
    });
  }
}
// Approximations, without exceptions.
for (const [name, opcode, helper] of [["rsqrt", "52", "reciprocalSqrtF32"], ["rcp", "53", "reciprocalF32"]] as const) {
  row(`${name}ss`, `F3 0F ${opcode} Vd,Wd`, { group, unit: "sse", feature: FEAT_SSE }, (b, d, s) => {
    b.vwrite(d, b.call("execute/float/approximate", helper, [b.vread(s)], { type: "i32", faults: false }));
  });
  row(`${name}ps`, `NP 0F ${opcode} Vx,Wx`, { group, unit: "sse", feature: FEAT_SSE }, (b, d, s) => {
    let value = b.vread(s, 16);
    for (let lane = 0; lane < 4; lane++) {
      const result = b.call("execute/float/approximate", helper, [b.simd("i32x4.extract_lane", value, lane)], { type: "i32", faults: false });
      value = b.simd("i32x4.replace_lane", value, lane, result);
    }
    b.vwrite(d, value);
  });
}

// ---------------------------------------------------------------- comparisons
for (const [suffix, prefix, size, bytes, feature] of SCALARS) {
  row(`cmps${suffix}`, `${prefix} 0F C2 V${size},W${size},Ib`, { group, unit: "sse", feature }, (b, d, s, i) => {
    const y = b.vread(s);
    const predicate = b.and(b.read(i), b.const(7, 32));
    b.vwrite(d, b.call("execute/vector/scalar", `compareS${suffix}`, [b.vread(d), y, predicate], { type: bytes === 8 ? "i64" : "i32" }));
  });
}
for (const [suffix, prefix, feature, bits] of VECTORS) {
  row(`cmpp${suffix}`, `${prefix} 0F C2 Vx,Wx,Ib`, { group, unit: "sse", feature }, (b, d, s, i) => {
    const y = b.pointer(s, 16, true);
    const x = b.pointer(d, 16);
    b.call("execute/float/packed-convert", `vectorCompareF${bits}`, [x, x, y, b.and(b.read(i), b.const(7, 32)), b.const(16, 32)]);
  });
  const size = bits === 32 ? "d" : "q";
  for (const [name, opcode, signaling] of [["ucomi", "2E", 0], ["comi", "2F", 1]] as const) {
    row(`${name}s${suffix}`, `${prefix} 0F ${opcode} V${size},W${size}`, { group, unit: "sse", feature }, (b, d, s) => {
      const y = b.vread(s);
      b.call("execute/float/compare", `comiF${bits}`, [b.vread(d), y, b.const(signaling, 32)]);
    });
  }
}

// ---------------------------------------------------------------- logic
for (const [name, opcode, operation] of [["and", "54", "v128.and"], ["or", "56", "v128.or"], ["xor", "57", "v128.xor"]] as const) {
  for (const [suffix, prefix, feature] of VECTORS) packed(`${name}p${suffix}`, `${prefix} 0F ${opcode}`, feature, group, simd(operation));
}
for (const [suffix, prefix, feature] of VECTORS) packed(`andnp${suffix}`, `${prefix} 0F 55`, feature, group, (b, x, y) => b.simd("v128.andnot", y, x));

// ---------------------------------------------------------------- lanes with one another
for (const [suffix, prefix, bits] of [["s", "F2", 32], ["d", "66", 64]] as const) {
  for (const [name, opcode, subtract] of [["hadd", "7C", 0], ["hsub", "7D", 1], ["addsub", "D0", -1]] as const) {
    row(`${name}p${suffix}`, `${prefix} 0F ${opcode} Vx,Wx`, { group, unit: "sse", feature: FEAT_SSE3 }, (b, d, s) => {
      const y = b.pointer(s, 16, true);
      const x = b.pointer(d, 16);
      const all = [x, x, y, b.const(16, 32)];
      if (subtract < 0) b.call("execute/float/horizontal", `addSubF${bits}`, all);
      else b.call("execute/float/horizontal", `horizontalF${bits}`, [...all, b.const(subtract, 32)]);
    });
  }
}
