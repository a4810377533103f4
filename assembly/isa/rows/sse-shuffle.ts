// Lanes moved about: unpack, pack, shuffle, align, insert and extract of words.
import { FEAT_AVX, FEAT_AVX2, FEAT_SSE, FEAT_SSE2, FEAT_SSSE3 } from "../../features.ts";
import { row } from "../row.ts";
import { beginMmx, lane64, lowLane, packed, pair, pure, shuffle, sse, sse2, usedMmx, writeMmx } from "../vector.ts";
import { vex, vexChoice, vexUnaryChoice, writeParts } from "../vex.ts";

const group = "sse-shuffle";
const avx = { group: "avx-shuffle" } as const;
const avx2 = { ...avx, wide: FEAT_AVX2 } as const;

// ---------------------------------------------------------------- unpack
for (const [name, bytes, low, high] of [["bw", 1, "60", "68"], ["wd", 2, "61", "69"], ["dq", 4, "62", "6A"]] as const) {
  const count = 16 / bytes;
  const lanes = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => [from + i, count + from + i]).flat();
  pair(`punpckl${name}`, `0F ${low}`, { group, mmxBytes: 4 }, (b, x, y) => shuffle(b, bytes, x, y, ...lanes(0, count / 2)));
  pair(`punpckh${name}`, `0F ${high}`, {
    group,
    mmx: (b, x, y) => shuffle(b, bytes, x, y, ...lanes(count / 4, count / 2), ...lanes(count / 4, count / 2)),
  }, (b, x, y) => shuffle(b, bytes, x, y, ...lanes(count / 2, count)));
}
for (const [name, opcode, feature, prefix, bytes, lanes] of [
  ["punpcklqdq", "6C", FEAT_SSE2, "66", 8, [0, 2]], ["punpckhqdq", "6D", FEAT_SSE2, "66", 8, [1, 3]],
  ["unpcklps", "14", FEAT_SSE, "NP", 4, [0, 4, 1, 5]], ["unpckhps", "15", FEAT_SSE, "NP", 4, [2, 6, 3, 7]],
  ["unpcklpd", "14", FEAT_SSE2, "66", 8, [0, 2]], ["unpckhpd", "15", FEAT_SSE2, "66", 8, [1, 3]],
] as const) {
  packed(name, `${prefix} 0F ${opcode}`, feature, group, (b, x, y) => shuffle(b, bytes, x, y, ...lanes), name.startsWith("p") ? {} : { vex: { wide: FEAT_AVX } });
}

// ---------------------------------------------------------------- pack
for (const [name, opcode, operation] of [["packsswb", "63", "i8x16.narrow_i16x8_s"], ["packuswb", "67", "i8x16.narrow_i16x8_u"], ["packssdw", "6B", "i16x8.narrow_i32x4_s"]] as const) {
  pair(name, `0F ${opcode}`, {
    group,
    mmx: (b, x, y) => {
      const both = shuffle(b, 8, x, y, 0, 2);
      return b.simd(operation, both, both);
    },
  }, (b, x, y) => b.simd(operation, x, y));
}

// ---------------------------------------------------------------- by an immediate or a register
for (const [name, prefix, helper] of [["pshufd", "66", "shuffle32"], ["pshuflw", "F2", "shuffleLow16"], ["pshufhw", "F3", "shuffleHigh16"]] as const) {
  row(name, `${prefix} 0F 70 Vx,Wx,Ib`, { ...sse2, group }, (b, d, s, i) => b.vwrite(d, pure(b, "shuffle", helper, "v128", b.vread(s, 16), b.read(i))));
  vexUnaryChoice(name, `${prefix} 0F 70`, { ...avx2, bits: 0 }, (b, x, by) => pure(b, "shuffle", helper, "v128", x, by));
}
row("pshufw", "NP 0F 70 Pq,Qq,Ib", { group: "mmx", unit: "mmx", feature: FEAT_SSE }, (b, d, s, i) => {
  beginMmx(b);
  const value = lowLane(b, b.vread(s, 8));
  writeMmx(b, d, lane64(b, pure(b, "shuffle", "shuffleLow16", "v128", value, b.read(i)), 0));
});
row("shufps", "NP 0F C6 Vx,Wx,Ib", { ...sse, group }, (b, d, s, i) => {
  const value = b.vread(s, 16);
  b.vwrite(d, pure(b, "shuffle", "shufflePair32", "v128", b.vread(d, 16), value, b.read(i)));
});
row("shufpd", "66 0F C6 Vx,Wx,Ib", { ...sse2, group }, (b, d, s, i) => {
  const value = b.vread(s, 16);
  b.vwrite(d, pure(b, "shuffle", "shufflePair64", "v128", b.vread(d, 16), value, b.read(i)));
});
vexChoice("shufps", "NP 0F C6", { ...avx, bits: 0 }, (b, x, y, by) => pure(b, "shuffle", "shufflePair32", "v128", x, y, by));
vexChoice("shufpd", "66 0F C6", { ...avx, bits: 2 }, (b, x, y, by) => pure(b, "shuffle", "shufflePair64", "v128", x, y, by));
// A set top bit gives zero, as a lane number of 16 and more does in WebAssembly.
pair("pshufb", "0F38 00", {
  group,
  feature: FEAT_SSSE3,
  mmx: (b, x, y) => b.simd("i8x16.swizzle", x, b.simd("v128.and", y, b.simd("i8x16.splat", b.const(0x87, 32)))),
}, (b, x, y) => b.simd("i8x16.swizzle", x, b.simd("v128.and", y, b.simd("i8x16.splat", b.const(0x8f, 32)))));
row("palignr", "66 0F3A 0F Vx,Wx,Ib", { group, unit: "sse", feature: FEAT_SSSE3 }, (b, d, s, i) => {
  const low = b.vread(s, 16);
  b.vwrite(d, pure(b, "shift", "alignRight", "v128", b.vread(d, 16), low, b.read(i)));
});
vexChoice("palignr", "66 0F3A 0F", { ...avx2, bits: 0 }, (b, x, y, by) => pure(b, "shift", "alignRight", "v128", x, y, by));
row("palignr_mm", "NP 0F3A 0F Pq,Qq,Ib", { group: "mmx", unit: "mmx", feature: FEAT_SSSE3, mnemonic: "palignr" }, (b, d, s, i) => {
  beginMmx(b);
  const low = lowLane(b, b.vread(s, 8));
  const both = shuffle(b, 8, low, lowLane(b, b.vread(d, 8)), 0, 2);
  writeMmx(b, d, lane64(b, pure(b, "shift", "bytesRight", "v128", both, b.read(i)), 0));
});

// ---------------------------------------------------------------- words in and out
row("pinsrw", "66 0F C4 Vx,Ew,Ib", { ...sse2, group }, (b, d, s, i) => {
  const value = b.read(s);
  b.vwrite(d, pure(b, "lanes", "insert16", "v128", b.vread(d, 16), value, b.read(i)));
});
vex("pinsrw", "66 0F C4", "Vx,Hx,Ew,Ib", { ...avx, wide: -1 }, (b, d, h, s, i) => {
  const value = b.read(s!);
  writeParts(b, d, [pure(b, "lanes", "insert16", "v128", b.vread(h!, 16), value, b.read(i!))]);
});
row("pinsrw_mm", "NP 0F C4 Pq,Ew,Ib", { group: "mmx", unit: "mmx", feature: FEAT_SSE, mnemonic: "pinsrw" }, (b, d, s, i) => {
  beginMmx(b);
  const value = b.read(s);
  const lane = b.and(b.read(i), b.const(3, 32));
  writeMmx(b, d, lane64(b, pure(b, "lanes", "insert16", "v128", lowLane(b, b.vread(d, 8)), value, lane), 0));
});
row("pextrw", "66 0F C5 Gd,Ux,Ib", { ...sse2, group }, (b, d, s, i) => b.write(d, pure(b, "lanes", "extract16", "i32", b.vread(s, 16), b.read(i))));
vex("pextrw", "66 0F C5", "Gd,Ux,Ib", { ...avx, wide: -1 }, (b, d, s, i) => b.write(d, pure(b, "lanes", "extract16", "i32", b.vread(s!, 16), b.read(i!))));
row("pextrw_mm", "NP 0F C5 Gd,Nq,Ib", { group: "mmx", unit: "mmx", feature: FEAT_SSE, mnemonic: "pextrw" }, (b, d, s, i) => {
  beginMmx(b);
  const lane = b.and(b.read(i), b.const(3, 32));
  b.write(d, pure(b, "lanes", "extract16", "i32", lowLane(b, b.vread(s, 8)), lane));
  usedMmx(b);
});
