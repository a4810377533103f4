// What AVX and AVX2 have and SSE has not: broadcasts, moves and shuffles across the halves, shifts by lanes, masked moves
// and gathers. SDM volume 2, VBROADCAST to VZEROUPPER.
import { FEAT_AVX, FEAT_AVX2 } from "../../features.ts";
import type { Builder, Operand } from "../builder.ts";
import type { Value } from "../micro-op.ts";
import { row } from "../row.ts";
import { pure } from "../vector.ts";
import { choice, parts, type VexOptions, vex, vexPacked, vexUnaryChoice, writeParts } from "../vex.ts";

const group = "avx";
const avx2 = { group, feature: FEAT_AVX2 } as const;
/** Features of forms that exist for 256 bits only. */
const only256 = (feature: number): VexOptions => ({ group, feature: -1, wide: feature });
const across = (b: Builder, name: string, ...args: Value[]): Value => pure(b, "across", name, "v128", ...args);
const number = (b: Builder, value: number): Value => b.const(value, 32);

// ---------------------------------------------------------------- broadcasts
for (const [name, opcode, size, shape, registerFeature, memoryFeature] of [
  ["broadcastss", "18", "d", "i32x4", FEAT_AVX2, FEAT_AVX], ["broadcastsd", "19", "q", "i64x2", FEAT_AVX2, FEAT_AVX],
  ["pbroadcastb", "78", "b", "i8x16", FEAT_AVX2, FEAT_AVX2], ["pbroadcastw", "79", "w", "i16x8", FEAT_AVX2, FEAT_AVX2],
  ["pbroadcastd", "58", "d", "i32x4", FEAT_AVX2, FEAT_AVX2], ["pbroadcastq", "59", "q", "i64x2", FEAT_AVX2, FEAT_AVX2],
] as const) {
  const bytes = { b: 1, w: 2, d: 4, q: 8 }[size];
  const narrow = name === "broadcastsd" ? -1 : undefined;
  for (const [suffix, kind, feature] of [["", "U", registerFeature], ["_load", "M", memoryFeature]] as const) {
    const options = { group, feature: narrow ?? feature, wide: feature, w: 0, mnemonic: `v${name}` } as const;
    vex(`${name}${suffix}`, `66 0F38 ${opcode}`, `V,${kind}${size}`, options, (b, d, s) => {
      const value = b.simd(`${shape}.splat`, kind === "U" ? b.vread(s!, bytes) : b.load(b.address(s!), s!.width));
      writeParts(b, d, d.bytes === 32 ? [value, value] : [value]);
    });
  }
}
for (const [name, opcode, feature] of [["broadcastf128", "1A", FEAT_AVX], ["broadcasti128", "5A", FEAT_AVX2]] as const) {
  vex(name, `66 0F38 ${opcode}`, "V,Mx", { ...only256(feature), w: 0 }, (b, d, s) => {
    const [value] = parts(b, s!);
    writeParts(b, d, [value!, value!]);
  });
}

// ---------------------------------------------------------------- halves
for (const [letter, extract, insert, swap, feature] of [["f", "19", "18", "06", FEAT_AVX], ["i", "39", "38", "46", FEAT_AVX2]] as const) {
  const options = { ...only256(feature), w: 0 } as const;
  const upper = (b: Builder, i: Operand): Value => b.and(b.read(i), number(b, 1));
  vex(`extract${letter}128`, `66 0F3A ${extract}`, "Wx,V,Ib", options, (b, d, s, i) => {
    const [low, high] = parts(b, s!);
    writeParts(b, d, [b.select(upper(b, i!), high!, low!)]);
  });
  vex(`insert${letter}128`, `66 0F3A ${insert}`, "V,H,Wx,Ib", options, (b, d, h, s, i) => {
    const [value] = parts(b, s!);
    const [low, high] = parts(b, h!);
    const which = upper(b, i!);
    writeParts(b, d, [b.select(which, low!, value!), b.select(which, value!, high!)]);
  });
  vex(`perm2${letter}128`, `66 0F3A ${swap}`, "V,H,W,Ib", options, (b, d, h, s, i) => {
    const y = parts(b, s!);
    const x = parts(b, h!);
    writeParts(b, d, [0, 1].map((half) => across(b, "choose128", ...x, ...y, choice(b, i!, 4, half as 0 | 1))));
  });
}
// Quirk: VEX.W is ignored, as on AMD's processors (SDM volume 2 wants 1).
for (const [name, opcode] of [["permq", "00"], ["permpd", "01"]] as const) {
  vex(name, `66 0F3A ${opcode}`, "V,W,Ib", only256(FEAT_AVX2), (b, d, s, i) => {
    const x = parts(b, s!);
    writeParts(b, d, [0, 1].map((half) => across(b, "choose64", ...x, choice(b, i!, 4, half as 0 | 1))));
  });
}
for (const [name, opcode] of [["permd", "36"], ["permps", "16"]] as const) {
  vex(name, `66 0F38 ${opcode}`, "V,H,W", { ...only256(FEAT_AVX2), w: 0 }, (b, d, h, s) => {
    const x = parts(b, s!);
    writeParts(b, d, parts(b, h!).map((lanes) => across(b, "choose32", ...x, lanes)));
  });
}

// ---------------------------------------------------------------- within the halves
vexPacked("permilps", "66 0F38 0C", { group, w: 0 }, (b, x, y) => across(b, "permute32", x, y));
vexPacked("permilpd", "66 0F38 0D", { group, w: 0 }, (b, x, y) => across(b, "permute64", x, y));
vexUnaryChoice("permilps_imm", "66 0F3A 04", { group, w: 0, bits: 0, mnemonic: "vpermilps" }, (b, x, by) => pure(b, "shuffle", "shuffle32", "v128", x, by));
vexUnaryChoice("permilpd_imm", "66 0F3A 05", { group, w: 0, bits: 2, mnemonic: "vpermilpd" }, (b, x, by) => pure(b, "shuffle", "shufflePair64", "v128", x, x, by));
vex("pblendd", "66 0F3A 02", "V,H,W,Ib", { ...avx2, w: 0 }, (b, d, h, s, i) => {
  const y = parts(b, s!);
  const x = parts(b, h!);
  writeParts(b, d, y.map((value, half) => pure(b, "lanes", "blend32", "v128", x[half]!, value, choice(b, i!, 4, half as 0 | 1))));
});
for (const [name, opcode, helper, w] of [
  ["psrlvd", "45", "shiftRightEach32", 0], ["psrlvq", "45", "shiftRightEach64", 1], ["psravd", "46", "shiftSignedEach32", 0],
  ["psllvd", "47", "shiftLeftEach32", 0], ["psllvq", "47", "shiftLeftEach64", 1],
] as const) {
  vexPacked(name, `66 0F38 ${opcode}`, { ...avx2, w }, (b, x, y) => pure(b, "shift", helper, "v128", x, y));
}
// ZF: no sign is set in both; CF: none in the second alone.
for (const [name, opcode, shape, lanes] of [["testps", "0E", "i32x4", 4], ["testpd", "0F", "i64x2", 2]] as const) {
  vex(name, `66 0F38 ${opcode}`, "V,W", { group, w: 0 }, (b, d, s) => {
    const y = parts(b, s!);
    const x = parts(b, d);
    const signs = (of: Value[]): Value => of.map((value) => b.simd(`${shape}.bitmask`, value)).reduce((low, high) => b.or(low, b.shl(high, number(b, lanes))));
    const none = b.eqz(signs(y.map((value, i) => b.simd("v128.and", x[i]!, value))));
    const covered = b.eqz(signs(y.map((value, i) => b.simd("v128.andnot", value, x[i]!))));
    b.setStatusFlags(b.or(b.shl(none, number(b, 6)), covered));
  });
}

// ---------------------------------------------------------------- memory by masks
const MASKED = "execute/vector/masked";
for (const [name, load, store, bytes, feature, w] of [
  ["maskmovps", "2C", "2E", 4, FEAT_AVX, 0], ["maskmovpd", "2D", "2F", 8, FEAT_AVX, 0], ["pmaskmovd", "8C", "8E", 4, FEAT_AVX2, 0], ["pmaskmovq", "8C", "8E", 8, FEAT_AVX2, 1],
] as const) {
  const options = { group, feature, w } as const;
  vex(name, `66 0F38 ${load}`, "V,H,M", options, (b, d, h) => void b.call(MASKED, "maskedLoad", [b.index(d), b.index(h!), number(b, bytes), number(b, d.bytes)]));
  vex(`${name}_store`, `66 0F38 ${store}`, "M,H,V", { ...options, mnemonic: `v${name}` }, (b, _m, h, s) => {
    b.call(MASKED, "maskedStoreLanes", [b.index(s!), b.index(h!), number(b, bytes), number(b, s!.bytes)]);
  });
}
// The index register is as wide as VEX.L says, and so is the destination, unless the other's elements are wider.
for (const [name, opcode, indexBytes, bytes] of [
  ["pgatherdd", "90", 4, 4], ["pgatherdq", "90", 4, 8], ["pgatherqd", "91", 8, 4], ["pgatherqq", "91", 8, 8],
  ["gatherdps", "92", 4, 4], ["gatherdpd", "92", 4, 8], ["gatherqps", "93", 8, 4], ["gatherqpd", "93", 8, 8],
] as const) {
  for (const [suffix, l] of [["", 0], ["_256", 1]] as const) {
    const count = (l ? 32 : 16) / Math.max(indexBytes, bytes);
    const size = (each: number): string => (count * each > 16 ? "qq" : "x");
    row(`v${name}${suffix}`, `VEX 66 0F38 ${opcode} V${size(bytes)},X${size(indexBytes)},H${size(bytes)} l${l} w${bytes === 8 ? 1 : 0}`, { group, unit: "avx", feature: FEAT_AVX2, mnemonic: `v${name}` }, (b, d, index, mask) => {
      b.call("execute/vector/gather", "gather", [b.index(d), b.index(index), b.index(mask), number(b, bytes), number(b, indexBytes), number(b, count)]);
    });
  }
}
