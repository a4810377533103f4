// Moves between vector registers, general registers and memory. SDM volume 2, MOVAPS to MOVUPS, MASKMOV, LDDQU.
import { FEAT_AVX, FEAT_AVX2, FEAT_SSE, FEAT_SSE2, FEAT_SSE3, FEAT_SSE41 } from "../../features.ts";
import type { Builder, Operand } from "../builder.ts";
import type { Value } from "../micro-op.ts";
import { row } from "../row.ts";
import { afterPending, beginMmx, lane64, lowLane, mmx, shuffle, sse, sse2, usedMmx, writeMmx } from "../vector.ts";
import { parts, vex, vexScalar, vexUnary, writeParts } from "../vex.ts";

const move = { group: "sse-move" } as const;
const avx = { group: "avx-move" } as const;
/** VEX-encoded forms of 128 bits only. */
const narrow = { ...avx, wide: -1 } as const;
const copy = (aligned: boolean) => (b: Builder, d: Operand, s?: Operand): void => writeParts(b, d, parts(b, s!, d.bytes, aligned), aligned);

// ---------------------------------------------------------------- 16 bytes
for (const [name, prefix, from, to, aligned, feature] of [
  ["movups", "NP", "10", "11", false, FEAT_SSE], ["movupd", "66", "10", "11", false, FEAT_SSE2], ["movdqu", "F3", "6F", "7F", false, FEAT_SSE2],
  ["movaps", "NP", "28", "29", true, FEAT_SSE], ["movapd", "66", "28", "29", true, FEAT_SSE2], ["movdqa", "66", "6F", "7F", true, FEAT_SSE2],
] as const) {
  row(name, [`${prefix} 0F ${from} Vx,Wx`, `${prefix} 0F ${to} Wx,Vx`], { ...move, unit: "sse", feature }, (b, d, s) => b.vwrite(d, b.vread(s, 16, aligned), 16, aligned));
  vex(name, `${prefix} 0F ${from}`, "V,W", avx, copy(aligned));
  vex(`${name}_store`, `${prefix} 0F ${to}`, "W,V", { ...avx, mnemonic: `v${name}` }, copy(aligned));
}
for (const [name, form, feature, aligned] of [
  ["movntps", "NP 0F 2B Mx,Vx", FEAT_SSE, true], ["movntpd", "66 0F 2B Mx,Vx", FEAT_SSE2, true], ["movntdq", "66 0F E7 Mx,Vx", FEAT_SSE2, true],
  ["movntdqa", "66 0F38 2A Vx,Mx", FEAT_SSE41, true], ["lddqu", "F2 0F F0 Vx,Mx", FEAT_SSE3, false],
] as const) {
  row(name, form, { ...move, unit: "sse", feature }, (b, d, s) => b.vwrite(d, b.vread(s, 16, aligned), 16, aligned));
  const [, opcode, operands] = /^(.*) (\S+)$/.exec(form)!;
  vex(name, opcode!, operands!.replaceAll("x", ""), { ...avx, ...(name === "movntdqa" ? { wide: FEAT_AVX2 } : {}) }, copy(aligned));
}

// ---------------------------------------------------------------- to and from general registers
row("movd", "66 0F 6E Vx,Ey", { ...move, ...sse2 }, (b, d, s) => b.vwrite(d, lowLane(b, b.read(s)), 16));
row("movd_store", "66 0F 7E Ey,Vx", { ...move, ...sse2, mnemonic: "movd" }, (b, d, s) => b.write(d, b.vread(s, d.bytes)));
vex("movd", "66 0F 6E", "Vx,Ey", narrow, (b, d, s) => writeParts(b, d, [lowLane(b, b.read(s!))]));
vex("movd_store", "66 0F 7E", "Ey,Vx", { ...narrow, mnemonic: "vmovd" }, (b, d, s) => b.write(d, b.vread(s!, d.bytes)));
row("movd_mm", "NP 0F 6E Pq,Ey", { ...mmx, mnemonic: "movd" }, afterPending((b, d, s) => writeMmx(b, d, b.zeroExtend(b.read(s), s.width, 64))));
row("movd_mm_store", "NP 0F 7E Ey,Pq", { ...mmx, mnemonic: "movd" }, afterPending((b, d, s) => {
  b.write(d, b.vread(s, d.bytes));
  usedMmx(b);
}));
row("movnti", "NP 0F C3 My,Gy", { ...move, feature: FEAT_SSE2 }, (b, d, s) => b.write(d, b.read(s)));

// ---------------------------------------------------------------- 8 bytes
row("movq", "F3 0F 7E Vq,Wq", { ...move, ...sse2 }, (b, d, s) => b.vwrite(d, lowLane(b, b.vread(s, 8)), 16));
vex("movq", "F3 0F 7E", "Vq,Wq", narrow, (b, d, s) => writeParts(b, d, [lowLane(b, b.vread(s!, 8))]));
vex("movq_store", "66 0F D6", "Wq,Vq", { ...narrow, mnemonic: "vmovq" }, (b, d, s) => {
  const value = b.vread(s!, 8);
  if (d.shape === "mem") b.vwrite(d, value, 8);
  else writeParts(b, d, [lowLane(b, value)]);
});
row("movq_store", "66 0F D6 Wq,Vq", { ...move, ...sse2, mnemonic: "movq" }, (b, d, s) => {
  const value = b.vread(s, 8);
  if (d.shape === "mem") b.vwrite(d, value, 8);
  else b.vwrite(d, lowLane(b, value), 16);
});
row("movq_mm", "NP 0F 6F Pq,Qq", { ...mmx, mnemonic: "movq" }, afterPending((b, d, s) => writeMmx(b, d, b.vread(s, 8))));
row("movq_mm_store", "NP 0F 7F Qq,Pq", { ...mmx, mnemonic: "movq" }, afterPending((b, d, s) => {
  const value = b.vread(s, 8);
  if (d.shape === "mmx") return writeMmx(b, d, value);
  b.vwrite(d, value, 8);
  usedMmx(b);
}));
row("movntq", "NP 0F E7 Mq,Pq", { ...mmx, feature: FEAT_SSE }, afterPending((b, d, s) => {
  b.vwrite(d, b.vread(s, 8), 8);
  usedMmx(b);
}));
row("movdq2q", "F2 0F D6 Pq,Uq", { ...sse2, group: "mmx" }, afterPending((b, d, s) => writeMmx(b, d, b.vread(s, 8))));
row("movq2dq", "F3 0F D6 Vx,Nq", { ...sse2, group: "mmx" }, afterPending((b, d, s) => {
  b.vwrite(d, lowLane(b, b.vread(s, 8)), 16);
  usedMmx(b);
}));

// ---------------------------------------------------------------- scalars: a load clears what lies above, a move does not
for (const [name, prefix, size, feature] of [["movss", "F3", "d", FEAT_SSE], ["movsd", "F2", "q", FEAT_SSE2]] as const) {
  row(name, [`${prefix} 0F 10 V${size},W${size}`, `${prefix} 0F 11 W${size},V${size}`], { ...move, unit: "sse", feature }, (b, d, s) => {
    const value = b.vread(s);
    if (s.shape === "mem") b.vwrite(d, lowLane(b, value), 16);
    else b.vwrite(d, value);
  });
  // Between registers, the rest of the low 128 bits comes from the first source.
  const merge = (b: Builder, d: Operand, h?: Operand, s?: Operand): void => {
    const value = b.vread(s!, size === "q" ? 8 : 4);
    writeParts(b, d, [b.simd(`${size === "q" ? "i64x2" : "i32x4"}.replace_lane`, b.vread(h!, 16), 0, value)]);
  };
  const options = { ...avx, mnemonic: `v${name}` };
  vexScalar(name, `${prefix} 0F 10`, "Vx,Hx,Ux", avx, merge);
  vexScalar(`${name}_back`, `${prefix} 0F 11`, "Ux,Hx,Vx", options, merge);
  vexScalar(`${name}_load`, `${prefix} 0F 10`, `V${size},M${size}`, options, (b, d, s) => writeParts(b, d, [lowLane(b, b.load(b.address(s!), s!.width))]));
  vexScalar(`${name}_store`, `${prefix} 0F 11`, `M${size},V${size}`, options, (b, d, s) => b.write(d, b.vread(s!)));
}

// ---------------------------------------------------------------- halves
for (const [name, prefix, options] of [["ps", "NP", sse], ["pd", "66", sse2]] as const) {
  for (const [half, load, store] of [["l", "12", "13"], ["h", "16", "17"]] as const) {
    const high = half === "h";
    row(`mov${half}${name}`, `${prefix} 0F ${load} Vx,Mq`, { ...move, ...options }, (b, d, s) => {
      const value = b.vread(s, 8);
      b.vwrite(d, b.simd("i64x2.replace_lane", b.vread(d, 16), high ? 1 : 0, value), 16);
    });
    row(`mov${half}${name}_store`, `${prefix} 0F ${store} Mq,Vx`, { ...move, ...options, mnemonic: `mov${half}${name}` }, (b, d, s) => {
      b.vwrite(d, lane64(b, b.vread(s, 16), high ? 1 : 0), 8);
    });
    vex(`mov${half}${name}`, `${prefix} 0F ${load}`, "Vx,Hx,Mq", narrow, (b, d, h, s) => {
      const value = b.vread(s!, 8);
      writeParts(b, d, [b.simd("i64x2.replace_lane", b.vread(h!, 16), high ? 1 : 0, value)]);
    });
    vex(`mov${half}${name}_store`, `${prefix} 0F ${store}`, "Mq,Vx", { ...narrow, mnemonic: `vmov${half}${name}` }, (b, d, s) => {
      b.vwrite(d, lane64(b, b.vread(s!, 16), high ? 1 : 0), 8);
    });
  }
}
row("movhlps", "NP 0F 12 Vx,Ux", { ...move, ...sse }, (b, d, s) => b.vwrite(d, shuffle(b, 8, b.vread(d, 16), b.vread(s, 16), 3, 1), 16));
row("movlhps", "NP 0F 16 Vx,Ux", { ...move, ...sse }, (b, d, s) => b.vwrite(d, shuffle(b, 8, b.vread(d, 16), b.vread(s, 16), 0, 2), 16));
for (const [name, opcode, lanes] of [["movhlps", "12", [3, 1]], ["movlhps", "16", [0, 2]]] as const) {
  vex(name, `NP 0F ${opcode}`, "Vx,Hx,Ux", narrow, (b, d, h, s) => writeParts(b, d, [shuffle(b, 8, b.vread(h!, 16), b.vread(s!, 16), ...lanes)]));
}
const double = (b: Builder, value: Value): Value => shuffle(b, 8, value, value, 0, 0);
vex("movddup", "F2 0F 12", "Vx,Wq", narrow, (b, d, s) => writeParts(b, d, [b.simd("i64x2.splat", b.vread(s!, 8))]));
vex("movddup", "F2 0F 12", "V,W", { ...avx, feature: -1, wide: FEAT_AVX }, (b, d, s) => writeParts(b, d, parts(b, s!).map((value) => double(b, value))));
row("movddup", "F2 0F 12 Vx,Wq", { ...move, unit: "sse", feature: FEAT_SSE3 }, (b, d, s) => b.vwrite(d, b.simd("i64x2.splat", b.vread(s, 8)), 16));
for (const [name, opcode, odd] of [["movsldup", "12", 0], ["movshdup", "16", 1]] as const) {
  const op = (b: Builder, value: Value): Value => shuffle(b, 4, value, value, odd, odd, odd + 2, odd + 2);
  row(name, `F3 0F ${opcode} Vx,Wx`, { ...move, unit: "sse", feature: FEAT_SSE3 }, (b, d, s) => b.vwrite(d, op(b, b.vread(s, 16)), 16));
  vexUnary(name, `F3 0F ${opcode}`, avx, op);
}

// ---------------------------------------------------------------- masks
row("movmskps", "NP 0F 50 Gd,Ux", { ...move, ...sse }, (b, d, s) => b.write(d, b.simd("i32x4.bitmask", b.vread(s, 16))));
row("movmskpd", "66 0F 50 Gd,Ux", { ...move, ...sse2 }, (b, d, s) => b.write(d, b.simd("i64x2.bitmask", b.vread(s, 16))));
row("pmovmskb", "66 0F D7 Gd,Ux", { ...move, ...sse2 }, (b, d, s) => b.write(d, b.simd("i8x16.bitmask", b.vread(s, 16))));
for (const [name, opcode, shape, wide] of [["movmskps", "NP 0F 50", "i32x4", FEAT_AVX], ["movmskpd", "66 0F 50", "i64x2", FEAT_AVX], ["pmovmskb", "66 0F D7", "i8x16", FEAT_AVX2]] as const) {
  const lanes = Number(shape.split("x")[1]);
  vex(name, opcode, "Gd,U", { ...avx, wide }, (b, d, s) => {
    const [low, high] = parts(b, s!).map((value) => b.simd(`${shape}.bitmask`, value));
    b.write(d, high ? b.or(low!, b.shl(high, b.const(lanes, 32))) : low!);
  });
}
row("pmovmskb_mm", "NP 0F D7 Gd,Nq", { ...mmx, feature: FEAT_SSE, mnemonic: "pmovmskb" }, afterPending((b, d, s) => {
  b.write(d, b.simd("i8x16.bitmask", lowLane(b, b.vread(s, 8))));
  usedMmx(b);
}));
row("maskmovdqu", "66 0F F7 Vx,Ux", { ...move, ...sse2 }, (b, d, s) => {
  b.call("execute/vector/memory", "maskedStore", [b.vread(d, 16), b.vread(s, 16), b.const(16, 32)]);
});
vex("maskmovdqu", "66 0F F7", "Vx,Ux", narrow, (b, d, s) => {
  b.call("execute/vector/memory", "maskedStore", [b.vread(d, 16), b.vread(s!, 16), b.const(16, 32)]);
});
row("maskmovq", "NP 0F F7 Pq,Nq", { ...mmx, feature: FEAT_SSE }, (b, d, s) => {
  beginMmx(b);
  // Silicon has changed to MMX before the store faults.
  usedMmx(b);
  b.call("execute/vector/memory", "maskedStore", [lowLane(b, b.vread(d, 8)), lowLane(b, b.vread(s, 8)), b.const(8, 32)]);
});
