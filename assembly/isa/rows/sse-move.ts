// Moves between vector registers, general registers and memory. SDM volume 2, MOVAPS to MOVUPS, MASKMOV, LDDQU.
import { FEAT_SSE, FEAT_SSE2, FEAT_SSE3, FEAT_SSE41 } from "../../features.ts";
import { row } from "../row.ts";
import { afterPending, beginMmx, lane64, lowLane, mmx, shuffle, sse, sse2, usedMmx, writeMmx } from "../vector.ts";

const move = { group: "sse-move" } as const;
const HOT = [32, 64] as const;

// ---------------------------------------------------------------- 16 bytes
for (const [name, prefix, from, to, aligned, feature] of [
  ["movups", "NP", "10", "11", false, FEAT_SSE], ["movupd", "66", "10", "11", false, FEAT_SSE2], ["movdqu", "F3", "6F", "7F", false, FEAT_SSE2],
  ["movaps", "NP", "28", "29", true, FEAT_SSE], ["movapd", "66", "28", "29", true, FEAT_SSE2], ["movdqa", "66", "6F", "7F", true, FEAT_SSE2],
] as const) {
  row(name, [`${prefix} 0F ${from} Vx,Wx`, `${prefix} 0F ${to} Wx,Vx`], { ...move, hot: HOT, unit: "sse", feature }, (b, d, s) => b.vwrite(d, b.vread(s, 16, aligned), 16, aligned));
}
for (const [name, form, feature, aligned] of [
  ["movntps", "NP 0F 2B Mx,Vx", FEAT_SSE, true], ["movntpd", "66 0F 2B Mx,Vx", FEAT_SSE2, true], ["movntdq", "66 0F E7 Mx,Vx", FEAT_SSE2, true],
  ["movntdqa", "66 0F38 2A Vx,Mx", FEAT_SSE41, true], ["lddqu", "F2 0F F0 Vx,Mx", FEAT_SSE3, false],
] as const) {
  row(name, form, { ...move, unit: "sse", feature }, (b, d, s) => b.vwrite(d, b.vread(s, 16, aligned), 16, aligned));
}

// ---------------------------------------------------------------- to and from general registers
row("movd", "66 0F 6E Vx,Ey", { ...move, ...sse2 }, (b, d, s) => b.vwrite(d, lowLane(b, b.read(s)), 16));
row("movd_store", "66 0F 7E Ey,Vx", { ...move, ...sse2, mnemonic: "movd" }, (b, d, s) => b.write(d, b.vread(s, d.bytes)));
row("movd_mm", "NP 0F 6E Pq,Ey", { ...mmx, mnemonic: "movd" }, afterPending((b, d, s) => writeMmx(b, d, b.zeroExtend(b.read(s), s.width, 64))));
row("movd_mm_store", "NP 0F 7E Ey,Pq", { ...mmx, mnemonic: "movd" }, afterPending((b, d, s) => {
  b.write(d, b.vread(s, d.bytes));
  usedMmx(b);
}));
row("movnti", "NP 0F C3 My,Gy", { ...move, feature: FEAT_SSE2 }, (b, d, s) => b.write(d, b.read(s)));

// ---------------------------------------------------------------- 8 bytes
row("movq", "F3 0F 7E Vq,Wq", { ...move, ...sse2 }, (b, d, s) => b.vwrite(d, lowLane(b, b.vread(s, 8)), 16));
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
  row(name, [`${prefix} 0F 10 V${size},W${size}`, `${prefix} 0F 11 W${size},V${size}`], { ...move, hot: HOT, unit: "sse", feature }, (b, d, s) => {
    const value = b.vread(s);
    if (s.shape === "mem") b.vwrite(d, lowLane(b, value), 16);
    else b.vwrite(d, value);
  });
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
  }
}
row("movhlps", "NP 0F 12 Vx,Ux", { ...move, ...sse }, (b, d, s) => b.vwrite(d, shuffle(b, 8, b.vread(d, 16), b.vread(s, 16), 3, 1), 16));
row("movlhps", "NP 0F 16 Vx,Ux", { ...move, ...sse }, (b, d, s) => b.vwrite(d, shuffle(b, 8, b.vread(d, 16), b.vread(s, 16), 0, 2), 16));
row("movddup", "F2 0F 12 Vx,Wq", { ...move, unit: "sse", feature: FEAT_SSE3 }, (b, d, s) => b.vwrite(d, b.simd("i64x2.splat", b.vread(s, 8)), 16));
for (const [name, opcode, odd] of [["movsldup", "12", 0], ["movshdup", "16", 1]] as const) {
  row(name, `F3 0F ${opcode} Vx,Wx`, { ...move, unit: "sse", feature: FEAT_SSE3 }, (b, d, s) => {
    const value = b.vread(s, 16);
    b.vwrite(d, shuffle(b, 4, value, value, odd, odd, odd + 2, odd + 2), 16);
  });
}

// ---------------------------------------------------------------- masks
row("movmskps", "NP 0F 50 Gd,Ux", { ...move, ...sse }, (b, d, s) => b.write(d, b.simd("i32x4.bitmask", b.vread(s, 16))));
row("movmskpd", "66 0F 50 Gd,Ux", { ...move, ...sse2 }, (b, d, s) => b.write(d, b.simd("i64x2.bitmask", b.vread(s, 16))));
row("pmovmskb", "66 0F D7 Gd,Ux", { ...move, ...sse2 }, (b, d, s) => b.write(d, b.simd("i8x16.bitmask", b.vread(s, 16))));
row("pmovmskb_mm", "NP 0F D7 Gd,Nq", { ...mmx, feature: FEAT_SSE, mnemonic: "pmovmskb" }, afterPending((b, d, s) => {
  b.write(d, b.simd("i8x16.bitmask", lowLane(b, b.vread(s, 8))));
  usedMmx(b);
}));
row("maskmovdqu", "66 0F F7 Vx,Ux", { ...move, ...sse2 }, (b, d, s) => {
  b.call("execute/vector/memory", "maskedStore", [b.vread(d, 16), b.vread(s, 16), b.const(16, 32)]);
});
row("maskmovq", "NP 0F F7 Pq,Nq", { ...mmx, feature: FEAT_SSE }, (b, d, s) => {
  beginMmx(b);
  // Silicon has changed to MMX before the store faults.
  usedMmx(b);
  b.call("execute/vector/memory", "maskedStore", [lowLane(b, b.vread(d, 8)), lowLane(b, b.vread(s, 8)), b.const(8, 32)]);
});
