// SSE4.1.
import { FEAT_SSE41 } from "../../features.ts";
import type { Size } from "../encoding.ts";
import { row } from "../row.ts";
import { lowLane, packed, pure, shuffle, simd } from "../vector.ts";

const sse41 = { group: "sse41", unit: "sse", feature: FEAT_SSE41 } as const;
const lanes = (name: string, opcode: string, op: Parameters<typeof packed>[4]): void => packed(name, opcode, FEAT_SSE41, "sse41", op);

// ---------------------------------------------------------------- lane by lane
for (const [name, opcode, operation] of [
  ["pcmpeqq", "29", "i64x2.eq"], ["packusdw", "2B", "i16x8.narrow_i32x4_u"], ["pmulld", "40", "i32x4.mul"],
  ["pminsb", "38", "i8x16.min_s"], ["pminsd", "39", "i32x4.min_s"], ["pminuw", "3A", "i16x8.min_u"], ["pminud", "3B", "i32x4.min_u"],
  ["pmaxsb", "3C", "i8x16.max_s"], ["pmaxsd", "3D", "i32x4.max_s"], ["pmaxuw", "3E", "i16x8.max_u"], ["pmaxud", "3F", "i32x4.max_u"],
] as const) {
  lanes(name, `66 0F38 ${opcode}`, simd(operation));
}
lanes("pmuldq", "66 0F38 28", (b, x, y) => b.simd("i64x2.extmul_low_i32x4_s", shuffle(b, 4, x, x, 0, 2, 0, 2), shuffle(b, 4, y, y, 0, 2, 0, 2)));
lanes("phminposuw", "66 0F38 41", (b, _x, y) => pure(b, "sums", "minimumPosition", "v128", y));
row("ptest", "66 0F38 17 Vx,Wx", sse41, (b, d, s) => {
  const y = b.vread(s, 16);
  const x = b.vread(d, 16);
  const none = b.eqz(b.simd("v128.any_true", b.simd("v128.and", x, y)));
  const covered = b.eqz(b.simd("v128.any_true", b.simd("v128.andnot", y, x)));
  b.setStatusFlags(b.or(b.shl(none, b.const(6, 32)), covered));
});

// ---------------------------------------------------------------- wider lanes
const SHAPES = { b: "i8x16", w: "i16x8", d: "i32x4", q: "i64x2" } as const;
const ORDER = ["b", "w", "d", "q"] as const;
for (const [sign, first] of [["s", 0x20], ["z", 0x30]] as const) {
  for (const [i, [from, to, size]] of ([["b", "w", "q"], ["b", "d", "d"], ["b", "q", "w"], ["w", "d", "q"], ["w", "q", "d"], ["d", "q", "q"]] as const).entries()) {
    row(`pmov${sign}x${from}${to}`, `66 0F38 ${(first + i).toString(16).toUpperCase()} Vx,W${size satisfies Size}`, sse41, (b, d, s) => {
      let value = lowLane(b, b.vread(s));
      for (let at = ORDER.indexOf(from); ORDER[at] !== to; at++) {
        value = b.simd(`${SHAPES[ORDER[at + 1]!]}.extend_low_${SHAPES[ORDER[at]!]}_${sign === "s" ? "s" : "u"}`, value);
      }
      b.vwrite(d, value, 16);
    });
  }
}

// ---------------------------------------------------------------- blends
for (const [name, opcode, shape, bits] of [["pblendvb", "10", "i8x16", 8], ["blendvps", "14", "i32x4", 32], ["blendvpd", "15", "i64x2", 64]] as const) {
  lanes(name, `66 0F38 ${opcode}`, (b, x, y) => {
    const mask = b.simd(`${shape}.shr_s`, pure(b, "lanes", "firstRegister", "v128"), b.const(bits - 1, 32));
    return b.simd("v128.bitselect", y, x, mask);
  });
}
for (const [name, opcode, helper] of [["blendps", "0C", "blend32"], ["blendpd", "0D", "blend64"], ["pblendw", "0E", "blend16"], ["mpsadbw", "42", "sumsOfDistances"]] as const) {
  row(name, `66 0F3A ${opcode} Vx,Wx,Ib`, sse41, (b, d, s, i) => {
    const y = b.vread(s, 16);
    b.vwrite(d, pure(b, name === "mpsadbw" ? "sums" : "lanes", helper, "v128", b.vread(d, 16), y, b.read(i)));
  });
}

// ---------------------------------------------------------------- lanes in and out
row("pextrb", ["66 0F3A 14 Rd,Vx,Ib", "66 0F3A 14 Mb,Vx,Ib"], sse41, (b, d, s, i) => b.write(d, pure(b, "lanes", "extract8", "i32", b.vread(s, 16), b.read(i))));
row("pextrw_sse41", ["66 0F3A 15 Rd,Vx,Ib", "66 0F3A 15 Mw,Vx,Ib"], { ...sse41, mnemonic: "pextrw" }, (b, d, s, i) => b.write(d, pure(b, "lanes", "extract16", "i32", b.vread(s, 16), b.read(i))));
row("pextrd", "66 0F3A 16 Ey,Vx,Ib", sse41, (b, d, s, i) => b.write(d, pure(b, "lanes", `extract${d.width}`, b.typeOf(d.width), b.vread(s, 16), b.read(i))));
row("extractps", "66 0F3A 17 Ed,Vx,Ib", sse41, (b, d, s, i) => b.write(d, pure(b, "lanes", "extract32", "i32", b.vread(s, 16), b.read(i))));
row("pinsrb", ["66 0F3A 20 Vx,Rd,Ib", "66 0F3A 20 Vx,Mb,Ib"], sse41, (b, d, s, i) => {
  const value = b.read(s);
  b.vwrite(d, pure(b, "lanes", "insert8", "v128", b.vread(d, 16), value, b.read(i)), 16);
});
row("insertps", "66 0F3A 21 Vx,Wd,Ib", sse41, (b, d, s, i) => {
  const choice = b.read(i);
  const value = s.shape === "mem" ? b.vread(s, 4) : pure(b, "lanes", "extract32", "i32", b.vread(s, 16), b.shrU(choice, b.const(6, 32)));
  b.vwrite(d, pure(b, "lanes", "insertAndClear", "v128", b.vread(d, 16), value, choice), 16);
});
row("pinsrd", "66 0F3A 22 Vx,Ey,Ib", sse41, (b, d, s, i) => {
  const value = b.read(s);
  b.vwrite(d, pure(b, "lanes", `insert${s.width}`, "v128", b.vread(d, 16), value, b.read(i)), 16);
});

// ---------------------------------------------------------------- rounding, dot products
for (const [letter, opcode, vectorOpcode, size, bits] of [["s", "0A", "08", "d", 32], ["d", "0B", "09", "q", 64]] as const) {
  row(`rounds${letter}`, `66 0F3A ${opcode} V${size},W${size},Ib`, sse41, (b, d, s, i) => {
    b.vwrite(d, b.call("execute/vector/scalar", `roundS${letter}`, [b.vread(s), b.read(i)], { type: bits === 64 ? "i64" : "i32" }));
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
