// Conversions between floating-point formats and integers, on XMM, MMX and general registers.
import { FEAT_SSE, FEAT_SSE2 } from "../../features.ts";
import type { Builder, Operand } from "../builder.ts";
import type { Value } from "../micro-op.ts";
import { row } from "../row.ts";
import { beginMmx, lowLane, sse, sse2, usedMmx } from "../vector.ts";

const group = "sse-convert";
const MODULE = "execute/float/packed-convert";
const number = (b: Builder, value: number): Value => b.const(value, 32);
const scalar = (b: Builder, name: string, type: "i32" | "i64", ...args: Value[]): Value => b.call("execute/vector/scalar", name, args, { type });
/** The result is in the low half of the register: clears the upper one. */
const clearUpper = (b: Builder, d: Operand): void => b.vwrite(d, lowLane(b, b.vread(d, 8)), 16);

// ---------------------------------------------------------------- scalars
row("cvtss2sd", "F3 0F 5A Vq,Wd", { ...sse2, group }, (b, d, s) => b.vwrite(d, scalar(b, "ssToSd", "i64", b.vread(s))));
row("cvtsd2ss", "F2 0F 5A Vd,Wq", { ...sse2, group }, (b, d, s) => b.vwrite(d, scalar(b, "sdToSs", "i32", b.vread(s))));
row("cvtsi2ss", "F3 0F 2A Vd,Ey", { ...sse, group }, (b, d, s) => b.vwrite(d, scalar(b, `integerToSs${s.width}`, "i32", b.read(s))));
row("cvtsi2sd", "F2 0F 2A Vq,Ey", { ...sse2, group }, (b, d, s) => {
  const value = b.read(s);
  if (s.width === 64) b.vwrite(d, scalar(b, "integerToSd64", "i64", value));
  else b.vwrite(d, b.call("execute/float/integer", "i32ToF64", [value], { type: "i64", faults: false }));
});
for (const [letter, prefix, size, feature] of [["s", "F3", "d", FEAT_SSE], ["d", "F2", "q", FEAT_SSE2]] as const) {
  for (const [name, opcode, truncate] of [["cvtt", "2C", 1], ["cvt", "2D", 0]] as const) {
    row(`${name}s${letter}2si`, `${prefix} 0F ${opcode} Gy,W${size}`, { group, unit: "sse", feature }, (b, d, s) => {
      b.write(d, scalar(b, `s${letter}ToInteger${d.width}`, b.typeOf(d.width), b.vread(s), number(b, truncate)));
    });
  }
}

// ---------------------------------------------------------------- vectors
/** dst, src, further arguments, bytes of the wider side; `between` comes after the last page fault and before #XM. */
const convert = (b: Builder, helper: string, d: Operand, s: Operand, bytes: number, more: readonly number[] = [], between = (): void => {}): void => {
  const from = b.pointer(s, s.bytes, s.bytes === 16);
  between();
  b.call(MODULE, helper, [b.pointer(d, d.bytes), from, ...more.map((value) => number(b, value)), number(b, bytes)]);
};
row("cvtps2pd", "NP 0F 5A Vx,Wq", { ...sse2, group }, (b, d, s) => convert(b, "vectorF32ToF64", d, s, 16));
row("cvtpd2ps", "66 0F 5A Vx,Wx", { ...sse2, group }, (b, d, s) => {
  convert(b, "vectorF64ToF32", d, s, 16);
  clearUpper(b, d);
});
row("cvtdq2ps", "NP 0F 5B Vx,Wx", { ...sse2, group }, (b, d, s) => convert(b, "vectorI32ToF32", d, s, 16));
row("cvtps2dq", "66 0F 5B Vx,Wx", { ...sse2, group }, (b, d, s) => convert(b, "vectorF32ToI32", d, s, 16, [0]));
row("cvttps2dq", "F3 0F 5B Vx,Wx", { ...sse2, group }, (b, d, s) => convert(b, "vectorF32ToI32", d, s, 16, [1]));
row("cvtdq2pd", "F3 0F E6 Vx,Wq", { ...sse2, group }, (b, d, s) => convert(b, "vectorI32ToF64", d, s, 16));
for (const [name, prefix, truncate] of [["cvtpd2dq", "F2", 0], ["cvttpd2dq", "66", 1]] as const) {
  row(name, `${prefix} 0F E6 Vx,Wx`, { ...sse2, group }, (b, d, s) => {
    convert(b, "vectorF64ToI32", d, s, 16, [truncate]);
    clearUpper(b, d);
  });
}

// ---------------------------------------------------------------- MMX registers
// Silicon has changed to MMX before it raises #XM. Quirk: a memory operand leaves the x87 state alone in CVTPI2PS as it
// does in CVTPI2PD, and pending x87 exceptions wait, as on AMD's processors.
for (const [name, prefix, options, helper, bytes] of [["cvtpi2ps", "NP", sse, "vectorI32ToF32", 8], ["cvtpi2pd", "66", sse2, "vectorI32ToF64", 16]] as const) {
  row(name, `${prefix} 0F 2A Vx,Qq`, { ...options, group: "mmx" }, (b, d, s) => {
    const isMmx = s.shape === "mmx";
    if (isMmx) beginMmx(b);
    convert(b, helper, d, s, bytes, [], () => {
      if (isMmx) usedMmx(b);
    });
  });
}
for (const [name, prefix, opcode, source, helper, options, bytes, truncate] of [
  ["cvttps2pi", "NP", "2C", "Wq", "vectorF32ToI32", sse, 8, 1], ["cvtps2pi", "NP", "2D", "Wq", "vectorF32ToI32", sse, 8, 0],
  ["cvttpd2pi", "66", "2C", "Wx", "vectorF64ToI32", sse2, 16, 1], ["cvtpd2pi", "66", "2D", "Wx", "vectorF64ToI32", sse2, 16, 0],
] as const) {
  row(name, `${prefix} 0F ${opcode} Pq,${source}`, { ...options, group: "mmx" }, (b, d, s) => {
    beginMmx(b);
    convert(b, helper, d, s, bytes, [truncate], () => usedMmx(b));
    b.call("execute/vector/mmx", "mmxUsedFor", [b.index(d)], { faults: false });
  });
}
