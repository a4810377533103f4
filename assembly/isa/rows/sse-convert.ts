// Conversions between floating-point formats and integers, on XMM, MMX and general registers.
import { FEAT_F16C, FEAT_SSE, FEAT_SSE2 } from "../../features.ts";
import type { Builder, Operand } from "../builder.ts";
import type { Value } from "../micro-op.ts";
import { row } from "../row.ts";
import { beginMmx, lane64, lowLane, sse, sse2, usedMmx } from "../vector.ts";
import { clearAbove, vexScalar, writeParts } from "../vex.ts";

const group = "sse-convert";
const avx = { group: "avx-convert" } as const;
const MODULE = "execute/float/packed-convert";
const number = (b: Builder, value: number): Value => b.const(value, 32);
const scalar = (b: Builder, name: string, type: "i32" | "i64", ...args: Value[]): Value => b.call("execute/vector/scalar", name, args, { type });
/** With VEX a scalar's neighbours come from the first source. */
const writeScalar = (b: Builder, d: Operand, h: Operand, value: Value): void =>
  writeParts(b, d, [b.simd(`${value.type === "i64" ? "i64x2" : "i32x4"}.replace_lane`, b.vread(h, 16), 0, value)]);
/** The result is in the low half of the register: clears the upper one. */
const clearUpper = (b: Builder, d: Operand): void => b.vwrite(d, lowLane(b, b.vread(d, 8)), 16);

// ---------------------------------------------------------------- scalars
const integerToDouble = (b: Builder, s: Operand): Value => {
  const value = b.read(s);
  if (s.width === 64) return scalar(b, "integerToSd64", "i64", value);
  return b.call("execute/float/integer", "i32ToF64", [value], { type: "i64", faults: false });
};
row("cvtss2sd", "F3 0F 5A Vq,Wd", { ...sse2, group }, (b, d, s) => b.vwrite(d, scalar(b, "ssToSd", "i64", b.vread(s))));
row("cvtsd2ss", "F2 0F 5A Vd,Wq", { ...sse2, group }, (b, d, s) => b.vwrite(d, scalar(b, "sdToSs", "i32", b.vread(s))));
row("cvtsi2ss", "F3 0F 2A Vd,Ey", { ...sse, group }, (b, d, s) => b.vwrite(d, scalar(b, `integerToSs${s.width}`, "i32", b.read(s))));
row("cvtsi2sd", "F2 0F 2A Vq,Ey", { ...sse2, group }, (b, d, s) => b.vwrite(d, integerToDouble(b, s)));
vexScalar("cvtss2sd", "F3 0F 5A", "Vx,Hx,Wd", avx, (b, d, h, s) => writeScalar(b, d, h!, scalar(b, "ssToSd", "i64", b.vread(s!))));
vexScalar("cvtsd2ss", "F2 0F 5A", "Vx,Hx,Wq", avx, (b, d, h, s) => writeScalar(b, d, h!, scalar(b, "sdToSs", "i32", b.vread(s!))));
vexScalar("cvtsi2ss", "F3 0F 2A", "Vx,Hx,Ey", avx, (b, d, h, s) => writeScalar(b, d, h!, scalar(b, `integerToSs${s!.width}`, "i32", b.read(s!))));
vexScalar("cvtsi2sd", "F2 0F 2A", "Vx,Hx,Ey", avx, (b, d, h, s) => writeScalar(b, d, h!, integerToDouble(b, s!)));
for (const [letter, prefix, size, feature] of [["s", "F3", "d", FEAT_SSE], ["d", "F2", "q", FEAT_SSE2]] as const) {
  for (const [name, opcode, truncate] of [["cvtt", "2C", 1], ["cvt", "2D", 0]] as const) {
    const body = (b: Builder, d: Operand, s?: Operand): void => {
      b.write(d, scalar(b, `s${letter}ToInteger${d.width}`, b.typeOf(d.width), b.vread(s!), number(b, truncate)));
    };
    row(`${name}s${letter}2si`, `${prefix} 0F ${opcode} Gy,W${size}`, { group, unit: "sse", feature }, body);
    vexScalar(`${name}s${letter}2si`, `${prefix} 0F ${opcode}`, `Gy,W${size}`, avx, body);
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

/** With VEX, as wide as the wider side; `narrow`: sources of 128 and 256 bits give half as much. */
const vexConvert = (name: string, opcode: string, helper: string, shape: "same" | "widens" | "narrows", more: readonly number[] = []): void => {
  const add = (form: string, bytes: number): void =>
    vexScalar(name + (bytes === 32 ? "_256" : ""), opcode, `${form} l${bytes === 32 ? 1 : 0}`, { ...avx, mnemonic: `v${name}` }, (b, d, s) => {
      const from = b.pointer(s!);
      b.call(MODULE, helper, [b.pointer(d), from, ...more.map((value) => number(b, value)), number(b, bytes)]);
      if (shape !== "narrows") clearAbove(b, d, bytes);
      else if (bytes === 32) clearAbove(b, d, 16);
      else writeParts(b, d, [lowLane(b, b.vread(d, 8))]);
    });
  add({ same: "Vx,Wx", widens: "Vx,Wq", narrows: "Vx,Wx" }[shape], 16);
  add({ same: "Vqq,Wqq", widens: "Vqq,Wx", narrows: "Vx,Wqq" }[shape], 32);
};
vexConvert("cvtps2pd", "NP 0F 5A", "vectorF32ToF64", "widens");
vexConvert("cvtpd2ps", "66 0F 5A", "vectorF64ToF32", "narrows");
vexConvert("cvtdq2ps", "NP 0F 5B", "vectorI32ToF32", "same");
vexConvert("cvtps2dq", "66 0F 5B", "vectorF32ToI32", "same", [0]);
vexConvert("cvttps2dq", "F3 0F 5B", "vectorF32ToI32", "same", [1]);
vexConvert("cvtdq2pd", "F3 0F E6", "vectorI32ToF64", "widens");
vexConvert("cvtpd2dq", "F2 0F E6", "vectorF64ToI32", "narrows", [0]);
vexConvert("cvttpd2dq", "66 0F E6", "vectorF64ToI32", "narrows", [1]);

// ---------------------------------------------------------------- half precision (F16C)
const halves = { group: "avx-convert", feature: FEAT_F16C, w: 0 } as const;
for (const [suffix, form, bytes] of [["", "Vx,Wq l0", 16], ["_256", "Vqq,Wx l1", 32]] as const) {
  vexScalar(`cvtph2ps${suffix}`, "66 0F38 13", form, { ...halves, mnemonic: "vcvtph2ps" }, (b, d, s) => {
    const from = b.pointer(s!);
    b.call(MODULE, "vectorF16ToF32", [b.pointer(d), from, number(b, bytes)]);
    clearAbove(b, d, bytes);
  });
}
for (const [suffix, form, bytes] of [["", "Wq,Vx,Ib l0", 16], ["_256", "Wx,Vqq,Ib l1", 32]] as const) {
  vexScalar(`cvtps2ph${suffix}`, "66 0F3A 1D", form, { ...halves, mnemonic: "vcvtps2ph" }, (b, d, s, i) => {
    // The store's page fault comes before what the conversion raises.
    const address = d.shape === "mem" ? b.address(d, true) : undefined;
    if (address) b.call("execute/vector/memory", "requireWritable", [address, number(b, d.bytes)]);
    const value = b.call(MODULE, "packHalves", [b.pointer(s!), b.read(i!), number(b, bytes)], { type: "v128" });
    if (!address) writeParts(b, d, [value]);
    else if (d.bytes === 16) b.vwrite(d, value, 16, false);
    else b.store(address, lane64(b, value, 0), 64);
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
