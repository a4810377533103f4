// Floating-point arithmetic, comparisons and logic: SSE, SSE2, SSE3, and AVX's forms of them.
import { FEAT_AVX, FEAT_SSE, FEAT_SSE2, FEAT_SSE3 } from "../../features.ts";
import type { Builder, Operand } from "../builder.ts";
import { FLOAT_ADD, FLOAT_DIV, FLOAT_MAX, FLOAT_MIN, FLOAT_MUL, FLOAT_SQRT, FLOAT_SUB } from "../float-operations.ts";
import type { Value } from "../micro-op.ts";
import { row } from "../row.ts";
import { packed, simd } from "../vector.ts";
import { clearAbove, vex, vexScalar, vexUnary, writeParts } from "../vex.ts";

const group = "sse-float";
const avx = { group: "avx-float" } as const;
/** AVX has the bitwise operations on 256 bits, where for integers that is AVX2. */
const LOGIC = { vex: { wide: FEAT_AVX } } as const;

/** The scalar with VEX: the rest of the low 128 bits comes from the first source. */
function scalar(name: string, prefix: string, opcode: string, size: string, op: (b: Builder, x: Value, y: Value) => Value): void {
  vexScalar(name, `${prefix} 0F ${opcode}`, `Vx,Hx,W${size}`, avx, (b, d, h, s) => {
    const y = b.vread(s!);
    const x = b.vread(h!, 16);
    const shape = size === "q" ? "i64x2" : "i32x4";
    writeParts(b, d, [b.simd(`${shape}.replace_lane`, x, 0, op(b, b.simd(`${shape}.extract_lane`, x, 0), y))]);
  });
}

/** V, H, W with VEX by a helper that takes host addresses: destination, first and second source. */
function vector(name: string, opcode: string, call: (b: Builder, d: Value, x: Value, y: Value, bytes: number) => void): void {
  vex(name, opcode, "V,H,W", avx, (b, d, h, s) => {
    const y = b.pointer(s!);
    call(b, b.pointer(d), b.pointer(h!), y, d.bytes);
    clearAbove(b, d, d.bytes);
  });
}
/** The four forms of most opcodes: suffix, prefix, size of a lane's operand, bytes, feature. */
const SCALARS = [["s", "F3", "d", 4, FEAT_SSE], ["d", "F2", "q", 8, FEAT_SSE2]] as const;
const VECTORS = [["s", "NP", FEAT_SSE, 32], ["d", "66", FEAT_SSE2, 64]] as const;

// ---------------------------------------------------------------- arithmetic
for (const [name, opcode, operation] of [
  ["add", "58", FLOAT_ADD], ["mul", "59", FLOAT_MUL], ["sub", "5C", FLOAT_SUB], ["min", "5D", FLOAT_MIN], ["div", "5E", FLOAT_DIV], ["max", "5F", FLOAT_MAX], ["sqrt", "51", FLOAT_SQRT],
] as const) {
  for (const [suffix, prefix, size, bytes, feature] of SCALARS) {
    const op = (b: Builder, x: Value, y: Value): Value => b.call("execute/vector/scalar", `${name}S${suffix}`, [x, y], { type: bytes === 8 ? "i64" : "i32" });
    row(`${name}s${suffix}`, `${prefix} 0F ${opcode} V${size},W${size}`, { group, unit: "sse", feature }, (b, d, s) => {
      const y = b.vread(s);
      b.vwrite(d, op(b, b.vread(d), y));
    });
    scalar(`${name}s${suffix}`, prefix, opcode, size, op);
  }
  for (const [suffix, prefix, feature, bits] of VECTORS) {
    row(`${name}p${suffix}`, `${prefix} 0F ${opcode} Vx,Wx`, { group, unit: "sse", feature }, (b, d, s) => {
      const y = b.pointer(s, 16, true);
      b.call("execute/float/packed", `packedF${bits}`, [b.const(operation, 32), b.pointer(d, 16), y]);
    });
    const call = (b: Builder, d: Value, x: Value, y: Value, width: number): Value =>
      b.call("execute/float/packed", `vectorF${bits}`, [b.const(operation, 32), d, x, y, b.const(width, 32)]);
    if (name !== "sqrt") vector(`${name}p${suffix}`, `${prefix} 0F ${opcode}`, call);
    else {
      vex(`${name}p${suffix}`, `${prefix} 0F ${opcode}`, "V,W", avx, (b, d, s) => {
        const y = b.pointer(s!);
        call(b, b.pointer(d), y, y, d.bytes);
        clearAbove(b, d, d.bytes);
      });
    }
  }
}
// Approximations, without exceptions.
for (const [name, opcode, helper] of [["rsqrt", "52", "reciprocalSqrtF32"], ["rcp", "53", "reciprocalF32"]] as const) {
  const op = (b: Builder, y: Value): Value => b.call("execute/float/approximate", helper, [y], { type: "i32", faults: false });
  const lanes = (b: Builder, y: Value): Value => {
    let value = y;
    for (let lane = 0; lane < 4; lane++) value = b.simd("i32x4.replace_lane", value, lane, op(b, b.simd("i32x4.extract_lane", value, lane)));
    return value;
  };
  row(`${name}ss`, `F3 0F ${opcode} Vd,Wd`, { group, unit: "sse", feature: FEAT_SSE }, (b, d, s) => b.vwrite(d, op(b, b.vread(s))));
  row(`${name}ps`, `NP 0F ${opcode} Vx,Wx`, { group, unit: "sse", feature: FEAT_SSE }, (b, d, s) => b.vwrite(d, lanes(b, b.vread(s, 16))));
  scalar(`${name}ss`, "F3", opcode, "d", (b, _x, y) => op(b, y));
  vexUnary(`${name}ps`, `NP 0F ${opcode}`, avx, lanes);
}

// ---------------------------------------------------------------- comparisons
for (const [suffix, prefix, size, bytes, feature] of SCALARS) {
  row(`cmps${suffix}`, `${prefix} 0F C2 V${size},W${size},Ib`, { group, unit: "sse", feature }, (b, d, s, i) => {
    const y = b.vread(s);
    const predicate = b.and(b.read(i), b.const(7, 32));
    b.vwrite(d, b.call("execute/vector/scalar", `compareS${suffix}`, [b.vread(d), y, predicate], { type: bytes === 8 ? "i64" : "i32" }));
  });
  // VEX has 32 predicates.
  vexScalar(`cmps${suffix}`, `${prefix} 0F C2`, `Vx,Hx,W${size},Ib`, avx, (b, d, h, s, i) => {
    const y = b.vread(s!);
    const predicate = b.and(b.read(i!), b.const(31, 32));
    const result = b.call("execute/vector/scalar", `compareS${suffix}`, [b.vread(h!, bytes), y, predicate], { type: bytes === 8 ? "i64" : "i32" });
    writeParts(b, d, [b.simd(`${bytes === 8 ? "i64x2" : "i32x4"}.replace_lane`, b.vread(h!, 16), 0, result)]);
  });
}
for (const [suffix, prefix, feature, bits] of VECTORS) {
  row(`cmpp${suffix}`, `${prefix} 0F C2 Vx,Wx,Ib`, { group, unit: "sse", feature }, (b, d, s, i) => {
    const y = b.pointer(s, 16, true);
    const x = b.pointer(d, 16);
    b.call("execute/float/packed-convert", `vectorCompareF${bits}`, [x, x, y, b.and(b.read(i), b.const(7, 32)), b.const(16, 32)]);
  });
  vex(`cmpp${suffix}`, `${prefix} 0F C2`, "V,H,W,Ib", avx, (b, d, h, s, i) => {
    const y = b.pointer(s!);
    const predicate = b.and(b.read(i!), b.const(31, 32));
    b.call("execute/float/packed-convert", `vectorCompareF${bits}`, [b.pointer(d), b.pointer(h!), y, predicate, b.const(d.bytes, 32)]);
    clearAbove(b, d, d.bytes);
  });
  const size = bits === 32 ? "d" : "q";
  for (const [name, opcode, signaling] of [["ucomi", "2E", 0], ["comi", "2F", 1]] as const) {
    const body = (b: Builder, d: Operand, s?: Operand): void => {
      const y = b.vread(s!);
      b.call("execute/float/compare", `comiF${bits}`, [b.vread(d), y, b.const(signaling, 32)]);
    };
    row(`${name}s${suffix}`, `${prefix} 0F ${opcode} V${size},W${size}`, { group, unit: "sse", feature }, body);
    vexScalar(`${name}s${suffix}`, `${prefix} 0F ${opcode}`, `V${size},W${size}`, avx, body);
  }
}

// ---------------------------------------------------------------- logic
for (const [name, opcode, operation] of [["and", "54", "v128.and"], ["or", "56", "v128.or"], ["xor", "57", "v128.xor"]] as const) {
  for (const [suffix, prefix, feature] of VECTORS) packed(`${name}p${suffix}`, `${prefix} 0F ${opcode}`, feature, group, simd(operation), LOGIC);
}
for (const [suffix, prefix, feature] of VECTORS) packed(`andnp${suffix}`, `${prefix} 0F 55`, feature, group, (b, x, y) => b.simd("v128.andnot", y, x), LOGIC);

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
    vector(`${name}p${suffix}`, `${prefix} 0F ${opcode}`, (b, d, x, y, bytes) => {
      const all = [d, x, y, b.const(bytes, 32)];
      if (subtract < 0) b.call("execute/float/horizontal", `addSubF${bits}`, all);
      else b.call("execute/float/horizontal", `horizontalF${bits}`, [...all, b.const(subtract, 32)]);
    });
  }
}
