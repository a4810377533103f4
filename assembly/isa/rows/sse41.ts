// SSE4.1.
import { FEAT_AVX, FEAT_AVX2, FEAT_SSE41 } from "../../features.ts";
import type { Builder, Operand } from "../builder.ts";
import type { Size } from "../encoding.ts";
import type { Value } from "../micro-op.ts";
import { row } from "../row.ts";
import { lowLane, packed, pure, shuffle, simd, type VexForm } from "../vector.ts";
import { clearAbove, parts, vex, vexChoice, vexScalar, writeParts } from "../vex.ts";

const sse41 = { group: "sse41", unit: "sse", feature: FEAT_SSE41 } as const;
const avx = { group: "avx-sse41" } as const;
const narrow = { ...avx, wide: -1 } as const;
const lanes = (name: string, opcode: string, op: Parameters<typeof packed>[4], vexForm: VexForm = {}): void =>
  packed(name, opcode, FEAT_SSE41, "sse41", op, { vex: vexForm && { group: "avx-sse41", ...vexForm } });

// ---------------------------------------------------------------- lane by lane
for (const [name, opcode, operation] of [
  ["pcmpeqq", "29", "i64x2.eq"], ["packusdw", "2B", "i16x8.narrow_i32x4_u"], ["pmulld", "40", "i32x4.mul"],
  ["pminsb", "38", "i8x16.min_s"], ["pminsd", "39", "i32x4.min_s"], ["pminuw", "3A", "i16x8.min_u"], ["pminud", "3B", "i32x4.min_u"],
  ["pmaxsb", "3C", "i8x16.max_s"], ["pmaxsd", "3D", "i32x4.max_s"], ["pmaxuw", "3E", "i16x8.max_u"], ["pmaxud", "3F", "i32x4.max_u"],
] as const) {
  lanes(name, `66 0F38 ${opcode}`, simd(operation));
}
lanes("pmuldq", "66 0F38 28", (b, x, y) => b.simd("i64x2.extmul_low_i32x4_s", shuffle(b, 4, x, x, 0, 2, 0, 2), shuffle(b, 4, y, y, 0, 2, 0, 2)));
lanes("phminposuw", "66 0F38 41", (b, _x, y) => pure(b, "sums", "minimumPosition", "v128", y), { unary: true, wide: -1 });
/** ZF: no bit is set in both; CF: none in y alone. */
const test = (b: Builder, x: Value, y: Value): void => {
  const none = b.eqz(b.simd("v128.any_true", b.simd("v128.and", x, y)));
  const covered = b.eqz(b.simd("v128.any_true", b.simd("v128.andnot", y, x)));
  b.setStatusFlags(b.or(b.shl(none, b.const(6, 32)), covered));
};
row("ptest", "66 0F38 17 Vx,Wx", sse41, (b, d, s) => {
  const y = b.vread(s, 16);
  test(b, b.vread(d, 16), y);
});
vex("ptest", "66 0F38 17", "V,W", avx, (b, d, s) => {
  const y = parts(b, s!);
  const x = parts(b, d);
  if (y.length === 1) return test(b, x[0]!, y[0]!);
  const any = (of: Value[]): Value => b.eqz(b.simd("v128.any_true", b.simd("v128.or", of[0]!, of[1]!)));
  const none = any(y.map((value, i) => b.simd("v128.and", x[i]!, value)));
  const covered = any(y.map((value, i) => b.simd("v128.andnot", value, x[i]!)));
  b.setStatusFlags(b.or(b.shl(none, b.const(6, 32)), covered));
});

// ---------------------------------------------------------------- wider lanes
const SHAPES = { b: "i8x16", w: "i16x8", d: "i32x4", q: "i64x2" } as const;
const ORDER = ["b", "w", "d", "q"] as const;
for (const [sign, first] of [["s", 0x20], ["z", 0x30]] as const) {
  for (const [i, [from, to, size]] of ([["b", "w", "q"], ["b", "d", "d"], ["b", "q", "w"], ["w", "d", "q"], ["w", "q", "d"], ["d", "q", "q"]] as const).entries()) {
    const name = `pmov${sign}x${from}${to}`;
    const opcode = `66 0F38 ${(first + i).toString(16).toUpperCase()}`;
    const widen = (b: Builder, value: Value): Value => {
      for (let at = ORDER.indexOf(from); ORDER[at] !== to; at++) {
        value = b.simd(`${SHAPES[ORDER[at + 1]!]}.extend_low_${SHAPES[ORDER[at]!]}_${sign === "s" ? "s" : "u"}`, value);
      }
      return value;
    };
    row(name, `${opcode} Vx,W${size satisfies Size}`, sse41, (b, d, s) => b.vwrite(d, widen(b, lowLane(b, b.vread(s))), 16));
    vex(name, opcode, `V,W${size}`, narrow, (b, d, s) => writeParts(b, d, [widen(b, lowLane(b, b.vread(s!)))]));
    const wider = ({ q: "x", d: "q", w: "d" } as const)[size];
    vex(name, opcode, `V,W${wider}`, { ...avx, feature: -1, wide: FEAT_AVX2 }, (b, d, s) => {
      const all = wider === "x" ? parts(b, s!)[0]! : lowLane(b, b.vread(s!));
      // The second part of the source to the front: 8, 4 or 2 bytes.
      const bytes = { x: 8, q: 4, d: 2 }[wider];
      const second = shuffle(b, bytes, all, all, ...Array.from({ length: 16 / bytes }, () => 1));
      writeParts(b, d, [widen(b, all), widen(b, second)]);
    });
  }
}

// ---------------------------------------------------------------- blends
for (const [name, opcode, shape, bits] of [["pblendvb", "10", "i8x16", 8], ["blendvps", "14", "i32x4", 32], ["blendvpd", "15", "i64x2", 64]] as const) {
  lanes(name, `66 0F38 ${opcode}`, (b, x, y) => {
    const mask = b.simd(`${shape}.shr_s`, pure(b, "lanes", "firstRegister", "v128"), b.const(bits - 1, 32));
    return b.simd("v128.bitselect", y, x, mask);
  }, false);
}
// With VEX the mask is a fourth register, named by the immediate's upper half.
for (const [name, opcode, shape, bits, wide] of [["pblendvb", "4C", "i8x16", 8, FEAT_AVX2], ["blendvps", "4A", "i32x4", 32, FEAT_AVX], ["blendvpd", "4B", "i64x2", 64, FEAT_AVX]] as const) {
  vex(name, `66 0F3A ${opcode}`, "V,H,W,Ib", { ...avx, wide, w: 0 }, (b, d, h, s, i) => {
    const y = parts(b, s!);
    const x = parts(b, h!);
    writeParts(b, d, y.map((value, half) => {
      const register = pure(b, "lanes", "registerByImmediate", "v128", b.read(i!), b.const(half, 32));
      return b.simd("v128.bitselect", value, x[half]!, b.simd(`${shape}.shr_s`, register, b.const(bits - 1, 32)));
    }));
  });
}
for (const [name, opcode, helper] of [["blendps", "0C", "blend32"], ["blendpd", "0D", "blend64"], ["pblendw", "0E", "blend16"], ["mpsadbw", "42", "sumsOfDistances"]] as const) {
  row(name, `66 0F3A ${opcode} Vx,Wx,Ib`, sse41, (b, d, s, i) => {
    const y = b.vread(s, 16);
    b.vwrite(d, pure(b, name === "mpsadbw" ? "sums" : "lanes", helper, "v128", b.vread(d, 16), y, b.read(i)));
  });
  const bits = { blendps: 4, blendpd: 2, pblendw: 0, mpsadbw: 3 }[name];
  const wide = name.startsWith("blend") ? FEAT_AVX : FEAT_AVX2;
  vexChoice(name, `66 0F3A ${opcode}`, { ...avx, wide, bits }, (b, x, y, by) => pure(b, name === "mpsadbw" ? "sums" : "lanes", helper, "v128", x, y, by));
}

// ---------------------------------------------------------------- lanes in and out
row("pextrb", ["66 0F3A 14 Rd,Vx,Ib", "66 0F3A 14 Mb,Vx,Ib"], sse41, (b, d, s, i) => b.write(d, pure(b, "lanes", "extract8", "i32", b.vread(s, 16), b.read(i))));
row("pextrw_sse41", ["66 0F3A 15 Rd,Vx,Ib", "66 0F3A 15 Mw,Vx,Ib"], { ...sse41, mnemonic: "pextrw" }, (b, d, s, i) => b.write(d, pure(b, "lanes", "extract16", "i32", b.vread(s, 16), b.read(i))));
for (const [name, opcode, size, mnemonic] of [["pextrb", "14", "b", "vpextrb"], ["pextrw_sse41", "15", "w", "vpextrw"]] as const) {
  const body = (b: Builder, d: Operand, s?: Operand, i?: Operand): void => b.write(d, pure(b, "lanes", size === "b" ? "extract8" : "extract16", "i32", b.vread(s!, 16), b.read(i!)));
  vex(name, `66 0F3A ${opcode}`, "Rd,Vx,Ib", { ...narrow, mnemonic }, body);
  vex(`${name}_store`, `66 0F3A ${opcode}`, `M${size},Vx,Ib`, { ...narrow, mnemonic }, body);
}
const extract = (b: Builder, d: Operand, s?: Operand, i?: Operand): void => b.write(d, pure(b, "lanes", `extract${d.width}`, b.typeOf(d.width), b.vread(s!, 16), b.read(i!)));
row("pextrd", "66 0F3A 16 Ey,Vx,Ib", sse41, extract);
vex("pextrd", "66 0F3A 16", "Ey,Vx,Ib", { ...narrow, w: "long" }, extract);
vex("extractps", "66 0F3A 17", "Ed,Vx,Ib", narrow, extract);
row("extractps", "66 0F3A 17 Ed,Vx,Ib", sse41, (b, d, s, i) => b.write(d, pure(b, "lanes", "extract32", "i32", b.vread(s, 16), b.read(i))));
row("pinsrb", ["66 0F3A 20 Vx,Rd,Ib", "66 0F3A 20 Vx,Mb,Ib"], sse41, (b, d, s, i) => {
  const value = b.read(s);
  b.vwrite(d, pure(b, "lanes", "insert8", "v128", b.vread(d, 16), value, b.read(i)), 16);
});
const insertSingle = (b: Builder, x: Operand, s: Operand, i: Operand): Value => {
  const how = b.read(i);
  const value = s.shape === "mem" ? b.vread(s, 4) : pure(b, "lanes", "extract32", "i32", b.vread(s, 16), b.shrU(how, b.const(6, 32)));
  return pure(b, "lanes", "insertAndClear", "v128", b.vread(x, 16), value, how);
};
row("insertps", "66 0F3A 21 Vx,Wd,Ib", sse41, (b, d, s, i) => b.vwrite(d, insertSingle(b, d, s, i), 16));
vex("insertps", "66 0F3A 21", "Vx,Hx,Wd,Ib", narrow, (b, d, h, s, i) => writeParts(b, d, [insertSingle(b, h!, s!, i!)]));
const insert = (b: Builder, x: Operand, s: Operand, i: Operand, width: number): Value => {
  const value = b.read(s);
  return pure(b, "lanes", `insert${width}`, "v128", b.vread(x, 16), value, b.read(i));
};
row("pinsrd", "66 0F3A 22 Vx,Ey,Ib", sse41, (b, d, s, i) => b.vwrite(d, insert(b, d, s, i, s.width), 16));
vex("pinsrd", "66 0F3A 22", "Vx,Hx,Ey,Ib", { ...narrow, w: "long" }, (b, d, h, s, i) => writeParts(b, d, [insert(b, h!, s!, i!, s!.width)]));
vex("pinsrb", "66 0F3A 20", "Vx,Hx,Rd,Ib", narrow, (b, d, h, s, i) => writeParts(b, d, [insert(b, h!, s!, i!, 8)]));
vex("pinsrb_load", "66 0F3A 20", "Vx,Hx,Mb,Ib", { ...narrow, mnemonic: "vpinsrb" }, (b, d, h, s, i) => writeParts(b, d, [insert(b, h!, s!, i!, 8)]));

// ---------------------------------------------------------------- rounding, dot products
for (const [letter, opcode, vectorOpcode, size, bits] of [["s", "0A", "08", "d", 32], ["d", "0B", "09", "q", 64]] as const) {
  row(`rounds${letter}`, `66 0F3A ${opcode} V${size},W${size},Ib`, sse41, (b, d, s, i) => {
    b.vwrite(d, b.call("execute/vector/scalar", `roundS${letter}`, [b.vread(s), b.read(i)], { type: bits === 64 ? "i64" : "i32" }));
  });
  vexScalar(`rounds${letter}`, `66 0F3A ${opcode}`, `Vx,Hx,W${size},Ib`, avx, (b, d, h, s, i) => {
    const value = b.call("execute/vector/scalar", `roundS${letter}`, [b.vread(s!), b.read(i!)], { type: bits === 64 ? "i64" : "i32" });
    writeParts(b, d, [b.simd(`${bits === 64 ? "i64x2" : "i32x4"}.replace_lane`, b.vread(h!, 16), 0, value)]);
  });
  vex(`roundp${letter}`, `66 0F3A ${vectorOpcode}`, "V,W,Ib", avx, (b, d, s, i) => {
    const from = b.pointer(s!);
    b.call("execute/float/packed-convert", `vectorRoundF${bits}`, [b.pointer(d), from, b.read(i!), b.const(d.bytes, 32)]);
    clearAbove(b, d, d.bytes);
  });
  vex(`dpp${letter}`, `66 0F3A 4${bits === 32 ? 0 : 1}`, "V,H,W,Ib", bits === 32 ? avx : narrow, (b, d, h, s, i) => {
    const y = b.pointer(s!);
    b.call("execute/float/horizontal", `dotF${bits}`, [b.pointer(d), b.pointer(h!), y, b.read(i!), ...(bits === 32 ? [b.const(d.bytes, 32)] : [])]);
    clearAbove(b, d, d.bytes);
  });
  row(`roundp${letter}`, `66 0F3A ${vectorOpcode} Vx,Wx,Ib`, sse41, (b, d, s, i) => {
    const from = b.pointer(s, 16, true);
    b.call("execute/float/packed-convert", `vectorRoundF${bits}`, [b.pointer(d, 16), from, b.read(i), b.const(16, 32)]);
  });
  row(`dpp${letter}`, `66 0F3A 4${bits === 32 ? 0 : 1} Vx,Wx,Ib`, sse41, (b, d, s, i) => {
    const y = b.pointer(s, 16, true);
    const x = b.pointer(d, 16);
    b.call("execute/float/horizontal", `dotF${bits}`, [x, x, y, b.read(i), ...(bits === 32 ? [b.const(16, 32)] : [])]);
  });
}
