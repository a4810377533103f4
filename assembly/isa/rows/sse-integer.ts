// Integer arithmetic, logic, comparisons and shifts on packed lanes: MMX, SSE2, and what SSE and SSSE3 added.
import { FEAT_AVX2, FEAT_MMX, FEAT_SSE, FEAT_SSE2, FEAT_SSSE3 } from "../../features.ts";
import type { Builder } from "../builder.ts";
import type { Value } from "../micro-op.ts";
import { row } from "../row.ts";
import { beginMmx, lane64, lowLane, pair, pure, shuffle, simd, sse2, writeMmx, zero } from "../vector.ts";
import { parts, vex, writeParts } from "../vex.ts";

const avx = { group: "avx-int", wide: FEAT_AVX2 } as const;

// ---------------------------------------------------------------- lane by lane
for (const [name, opcode, operation, mmxFeature] of [
  ["paddb", "FC", "i8x16.add", FEAT_MMX], ["paddw", "FD", "i16x8.add", FEAT_MMX], ["paddd", "FE", "i32x4.add", FEAT_MMX], ["paddq", "D4", "i64x2.add", FEAT_SSE2],
  ["psubb", "F8", "i8x16.sub", FEAT_MMX], ["psubw", "F9", "i16x8.sub", FEAT_MMX], ["psubd", "FA", "i32x4.sub", FEAT_MMX], ["psubq", "FB", "i64x2.sub", FEAT_SSE2],
  ["paddsb", "EC", "i8x16.add_sat_s", FEAT_MMX], ["paddsw", "ED", "i16x8.add_sat_s", FEAT_MMX],
  ["paddusb", "DC", "i8x16.add_sat_u", FEAT_MMX], ["paddusw", "DD", "i16x8.add_sat_u", FEAT_MMX],
  ["psubsb", "E8", "i8x16.sub_sat_s", FEAT_MMX], ["psubsw", "E9", "i16x8.sub_sat_s", FEAT_MMX],
  ["psubusb", "D8", "i8x16.sub_sat_u", FEAT_MMX], ["psubusw", "D9", "i16x8.sub_sat_u", FEAT_MMX],
  ["pcmpeqb", "74", "i8x16.eq", FEAT_MMX], ["pcmpeqw", "75", "i16x8.eq", FEAT_MMX], ["pcmpeqd", "76", "i32x4.eq", FEAT_MMX],
  ["pcmpgtb", "64", "i8x16.gt_s", FEAT_MMX], ["pcmpgtw", "65", "i16x8.gt_s", FEAT_MMX], ["pcmpgtd", "66", "i32x4.gt_s", FEAT_MMX],
  ["pminub", "DA", "i8x16.min_u", FEAT_SSE], ["pmaxub", "DE", "i8x16.max_u", FEAT_SSE], ["pminsw", "EA", "i16x8.min_s", FEAT_SSE], ["pmaxsw", "EE", "i16x8.max_s", FEAT_SSE],
  ["pavgb", "E0", "i8x16.avgr_u", FEAT_SSE], ["pavgw", "E3", "i16x8.avgr_u", FEAT_SSE],
  ["pand", "DB", "v128.and", FEAT_MMX], ["por", "EB", "v128.or", FEAT_MMX], ["pxor", "EF", "v128.xor", FEAT_MMX],
  ["pmullw", "D5", "i16x8.mul", FEAT_MMX], ["pmaddwd", "F5", "i32x4.dot_i16x8_s", FEAT_MMX],
] as const) {
  pair(name, `0F ${opcode}`, { mmxFeature }, simd(operation));
}
pair("pandn", "0F DF", {}, (b, x, y) => b.simd("v128.andnot", y, x));

// ---------------------------------------------------------------- products
/** The upper words of the products of words. */
const highWords = (sign: "s" | "u") => (b: Builder, x: Value, y: Value): Value => {
  const low = b.simd(`i32x4.extmul_low_i16x8_${sign}`, x, y);
  const high = b.simd(`i32x4.extmul_high_i16x8_${sign}`, x, y);
  return shuffle(b, 2, low, high, 1, 3, 5, 7, 9, 11, 13, 15);
};
pair("pmulhw", "0F E5", {}, highWords("s"));
pair("pmulhuw", "0F E4", { mmxFeature: FEAT_SSE }, highWords("u"));
pair("pmuludq", "0F F4", { mmxFeature: FEAT_SSE2 }, (b, x, y) => b.simd("i64x2.extmul_low_i32x4_u", shuffle(b, 4, x, x, 0, 2, 0, 2), shuffle(b, 4, y, y, 0, 2, 0, 2)));
pair("psadbw", "0F F6", { mmxFeature: FEAT_SSE }, (b, x, y) => {
  const distance = b.simd("v128.or", b.simd("i8x16.sub_sat_u", x, y), b.simd("i8x16.sub_sat_u", y, x));
  const sums = b.simd("i32x4.extadd_pairwise_i16x8_u", b.simd("i16x8.extadd_pairwise_i8x16_u", distance));
  const both = b.simd("i32x4.add", sums, shuffle(b, 4, sums, sums, 1, 0, 3, 2));
  return b.simd("v128.and", both, b.simd("i64x2.splat", b.const(0xffffffff, 64)));
});
pair("pmaddubsw", "0F38 04", { feature: FEAT_SSSE3 }, (b, x, y) => {
  const low = b.simd("i16x8.mul", b.simd("i16x8.extend_low_i8x16_u", x), b.simd("i16x8.extend_low_i8x16_s", y));
  const high = b.simd("i16x8.mul", b.simd("i16x8.extend_high_i8x16_u", x), b.simd("i16x8.extend_high_i8x16_s", y));
  return b.simd("i16x8.add_sat_s", shuffle(b, 2, low, high, 0, 2, 4, 6, 8, 10, 12, 14), shuffle(b, 2, low, high, 1, 3, 5, 7, 9, 11, 13, 15));
});
pair("pmulhrsw", "0F38 0B", { feature: FEAT_SSSE3 }, (b, x, y) => {
  // -1 times -1 saturates in WebAssembly and wraps here.
  const least = b.simd("i16x8.splat", b.const(0x8000, 32));
  const wraps = b.simd("v128.and", b.simd("i16x8.eq", x, least), b.simd("i16x8.eq", y, least));
  return b.simd("v128.xor", b.simd("i16x8.q15mulr_sat_s", x, y), wraps);
});

// ---------------------------------------------------------------- signs, sums of neighbours
for (const [letter, shape, sign, abs] of [["b", "i8x16", "08", "1C"], ["w", "i16x8", "09", "1D"], ["d", "i32x4", "0A", "1E"]] as const) {
  pair(`psign${letter}`, `0F38 ${sign}`, { feature: FEAT_SSSE3 }, (b, x, y) => {
    const none = zero(b);
    const negative = b.simd(`${shape}.lt_s`, y, none);
    return b.simd("v128.andnot", b.simd(`${shape}.sub`, b.simd("v128.xor", x, negative), negative), b.simd(`${shape}.eq`, y, none));
  });
  pair(`pabs${letter}`, `0F38 ${abs}`, { feature: FEAT_SSSE3, vex: { unary: true } }, (b, _x, y) => b.simd(`${shape}.abs`, y));
}
/** Neighbours of x, then of y, put together. */
const neighbours = (bytes: 2 | 4, operation: string) => (b: Builder, x: Value, y: Value): Value => {
  const count = 32 / bytes;
  const even = Array.from({ length: count / 2 }, (_, i) => 2 * i);
  return b.simd(operation, shuffle(b, bytes, x, y, ...even), shuffle(b, bytes, x, y, ...even.map((i) => i + 1)));
};
for (const [name, opcode, bytes, operation] of [
  ["phaddw", "01", 2, "i16x8.add"], ["phaddd", "02", 4, "i32x4.add"], ["phaddsw", "03", 2, "i16x8.add_sat_s"],
  ["phsubw", "05", 2, "i16x8.sub"], ["phsubd", "06", 4, "i32x4.sub"], ["phsubsw", "07", 2, "i16x8.sub_sat_s"],
] as const) {
  const op = neighbours(bytes, operation);
  pair(name, `0F38 ${opcode}`, {
    feature: FEAT_SSSE3,
    mmx: (b, x, y) => {
      const both = shuffle(b, 8, x, y, 0, 2);
      return op(b, both, both);
    },
  }, op);
}

// ---------------------------------------------------------------- shifts
for (const [name, opcode, group, digit, helper] of [
  ["psrlw", "D1", "71", 2, "shiftRight16"], ["psrld", "D2", "72", 2, "shiftRight32"], ["psrlq", "D3", "73", 2, "shiftRight64"],
  ["psraw", "E1", "71", 4, "shiftSigned16"], ["psrad", "E2", "72", 4, "shiftSigned32"],
  ["psllw", "F1", "71", 6, "shiftLeft16"], ["pslld", "F2", "72", 6, "shiftLeft32"], ["psllq", "F3", "73", 6, "shiftLeft64"],
] as const) {
  const shift = (b: Builder, x: Value, count: Value): Value => pure(b, "shift", helper, "v128", x, count);
  pair(name, `0F ${opcode}`, { vex: false }, (b, x, y) => shift(b, x, lane64(b, y, 0)));
  vex(name, `66 0F ${opcode}`, "V,H,Wx", avx, (b, d, h, s) => {
    const count = lane64(b, parts(b, s!)[0]!, 0);
    writeParts(b, d, parts(b, h!, d.bytes).map((x) => shift(b, x, count)));
  });
  vex(`${name}_imm`, `66 0F ${group}/${digit}`, "H,U,Ib", { ...avx, mnemonic: `v${name}` }, (b, d, s, i) => {
    const count = b.zeroExtend(b.read(i!), 8, 64);
    writeParts(b, d, parts(b, s!).map((x) => shift(b, x, count)));
  });
  row(`${name}_imm`, `66 0F ${group}/${digit} Ux,Ib`, { ...sse2, group: "sse-int", mnemonic: name }, (b, d, i) => {
    b.vwrite(d, shift(b, b.vread(d, 16), b.zeroExtend(b.read(i), 8, 64)));
  });
  row(`${name}_imm_mm`, `NP 0F ${group}/${digit} Nq,Ib`, { group: "mmx", unit: "mmx", feature: FEAT_MMX, mnemonic: name }, (b, d, i) => {
    beginMmx(b);
    writeMmx(b, d, lane64(b, shift(b, lowLane(b, b.vread(d, 8)), b.zeroExtend(b.read(i), 8, 64)), 0));
  });
}
for (const [name, digit, helper] of [["psrldq", 3, "bytesRight"], ["pslldq", 7, "bytesLeft"]] as const) {
  row(name, `66 0F 73/${digit} Ux,Ib`, { ...sse2, group: "sse-int" }, (b, d, i) => b.vwrite(d, pure(b, "shift", helper, "v128", b.vread(d, 16), b.read(i))));
  vex(name, `66 0F 73/${digit}`, "H,U,Ib", avx, (b, d, s, i) => writeParts(b, d, parts(b, s!).map((x) => pure(b, "shift", helper, "v128", x, b.read(i!)))));
}
