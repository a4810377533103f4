// WebAssembly's instruction encodings, by the names that bodies use. WebAssembly core specification 2.0, section 5.4.
import type { BinaryOp, UnaryOp } from "./micro-op.ts";

const BINARY: Record<BinaryOp, readonly [number, number]> = {
  add: [0x6a, 0x7c],
  sub: [0x6b, 0x7d],
  mul: [0x6c, 0x7e],
  and: [0x71, 0x83],
  or: [0x72, 0x84],
  xor: [0x73, 0x85],
  shl: [0x74, 0x86],
  shr_u: [0x76, 0x88],
  shr_s: [0x75, 0x87],
  rotl: [0x77, 0x89],
  rotr: [0x78, 0x8a],
  eq: [0x46, 0x51],
  ne: [0x47, 0x52],
  lt_u: [0x49, 0x54],
  lt_s: [0x48, 0x53],
  le_u: [0x4d, 0x58],
  le_s: [0x4c, 0x57],
  div_u: [0x6e, 0x80],
  rem_u: [0x70, 0x82],
};
const UNARY: Record<UnaryOp, readonly [number, number]> = {
  eqz: [0x45, 0x50],
  clz: [0x67, 0x79],
  ctz: [0x68, 0x7a],
  popcnt: [0x69, 0x7b],
  extend8_s: [0xc0, 0xc2],
  extend16_s: [0xc1, 0xc3],
  extend32_s: [0x00, 0xc4],
  wrap: [0x00, 0xa7],
  extend_u: [0xad, 0x00],
  extend_s: [0xac, 0x00],
};

/** Opcode of a two-operand operation on values of `type`. */
export function binaryOpcode(name: BinaryOp, type: "i32" | "i64"): number {
  return BINARY[name][type === "i32" ? 0 : 1];
}

/** Opcode of a one-operand operation on values of `type`. Throws for a pair that WebAssembly does not have. */
export function unaryOpcode(name: UnaryOp, type: "i32" | "i64"): number {
  const code = UNARY[name][type === "i32" ? 0 : 1];
  if (code === 0) throw new Error(`${name}: no such operation on ${type}`);
  return code;
}

const SIMD = new Map<string, number>();

/** Notes consecutive opcodes; an empty name skips a number. */
function simd(from: number, names: string): void {
  names.split(" ").forEach((name, i) => {
    if (name !== "-") SIMD.set(name, from + i);
  });
}
simd(0x0d, "i8x16.shuffle i8x16.swizzle i8x16.splat i16x8.splat i32x4.splat i64x2.splat f32x4.splat f64x2.splat");
simd(
  0x15,
  "i8x16.extract_lane_s i8x16.extract_lane_u i8x16.replace_lane i16x8.extract_lane_s i16x8.extract_lane_u i16x8.replace_lane",
);
simd(
  0x1b,
  "i32x4.extract_lane i32x4.replace_lane i64x2.extract_lane i64x2.replace_lane f32x4.extract_lane f32x4.replace_lane f64x2.extract_lane f64x2.replace_lane",
);
for (const [at, shape] of [
  [0x23, "i8x16"],
  [0x2d, "i16x8"],
  [0x37, "i32x4"],
] as const) {
  simd(
    at,
    ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"].map((n) => `${shape}.${n}`).join(" "),
  );
}
for (const [at, shape] of [
  [0x41, "f32x4"],
  [0x47, "f64x2"],
] as const)
  simd(at, ["eq", "ne", "lt", "gt", "le", "ge"].map((n) => `${shape}.${n}`).join(" "));
simd(0x4d, "v128.not v128.and v128.andnot v128.or v128.xor v128.bitselect v128.any_true");
simd(
  0x5e,
  "f32x4.demote_f64x2_zero f64x2.promote_low_f32x4 i8x16.abs i8x16.neg i8x16.popcnt i8x16.all_true i8x16.bitmask i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u",
);
simd(
  0x67,
  "f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest i8x16.shl i8x16.shr_s i8x16.shr_u i8x16.add i8x16.add_sat_s i8x16.add_sat_u i8x16.sub i8x16.sub_sat_s i8x16.sub_sat_u",
);
simd(0x74, "f64x2.ceil f64x2.floor i8x16.min_s i8x16.min_u i8x16.max_s i8x16.max_u f64x2.trunc i8x16.avgr_u");
simd(
  0x7c,
  "i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u i32x4.extadd_pairwise_i16x8_s i32x4.extadd_pairwise_i16x8_u",
);
simd(
  0x80,
  "i16x8.abs i16x8.neg i16x8.q15mulr_sat_s i16x8.all_true i16x8.bitmask i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u",
);
simd(
  0x87,
  "i16x8.extend_low_i8x16_s i16x8.extend_high_i8x16_s i16x8.extend_low_i8x16_u i16x8.extend_high_i8x16_u i16x8.shl i16x8.shr_s i16x8.shr_u",
);
simd(
  0x8e,
  "i16x8.add i16x8.add_sat_s i16x8.add_sat_u i16x8.sub i16x8.sub_sat_s i16x8.sub_sat_u f64x2.nearest i16x8.mul",
);
simd(0x96, "i16x8.min_s i16x8.min_u i16x8.max_s i16x8.max_u - i16x8.avgr_u");
simd(0x9c, "i16x8.extmul_low_i8x16_s i16x8.extmul_high_i8x16_s i16x8.extmul_low_i8x16_u i16x8.extmul_high_i8x16_u");
simd(
  0xa0,
  "i32x4.abs i32x4.neg - i32x4.all_true i32x4.bitmask - - i32x4.extend_low_i16x8_s i32x4.extend_high_i16x8_s i32x4.extend_low_i16x8_u i32x4.extend_high_i16x8_u",
);
simd(
  0xab,
  "i32x4.shl i32x4.shr_s i32x4.shr_u i32x4.add - - i32x4.sub - - - i32x4.mul i32x4.min_s i32x4.min_u i32x4.max_s i32x4.max_u i32x4.dot_i16x8_s",
);
simd(0xbc, "i32x4.extmul_low_i16x8_s i32x4.extmul_high_i16x8_s i32x4.extmul_low_i16x8_u i32x4.extmul_high_i16x8_u");
simd(
  0xc0,
  "i64x2.abs i64x2.neg - i64x2.all_true i64x2.bitmask - - i64x2.extend_low_i32x4_s i64x2.extend_high_i32x4_s i64x2.extend_low_i32x4_u i64x2.extend_high_i32x4_u",
);
simd(
  0xcb,
  "i64x2.shl i64x2.shr_s i64x2.shr_u i64x2.add - - i64x2.sub - - - i64x2.mul i64x2.eq i64x2.ne i64x2.lt_s i64x2.gt_s i64x2.le_s i64x2.ge_s",
);
simd(0xdc, "i64x2.extmul_low_i32x4_s i64x2.extmul_high_i32x4_s i64x2.extmul_low_i32x4_u i64x2.extmul_high_i32x4_u");
for (const [at, shape] of [
  [0xe0, "f32x4"],
  [0xec, "f64x2"],
] as const) {
  simd(
    at,
    ["abs", "neg", "", "sqrt", "add", "sub", "mul", "div", "min", "max", "pmin", "pmax"]
      .map((n) => (n ? `${shape}.${n}` : "-"))
      .join(" "),
  );
}
simd(0xf8, "i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u");
simd(
  0xfc,
  "i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u",
);

/** AssemblyScript writes the lane shape and sign as parts of a generic call where WebAssembly has a name of its own. */
const ALIASES: Record<string, string> = {
  "i32x4.trunc_sat_f64x2_zero_s": "i32x4.trunc_sat_f64x2_s_zero",
  "i32x4.trunc_sat_f64x2_zero_u": "i32x4.trunc_sat_f64x2_u_zero",
};

/** The bytes of a SIMD operation: opcode, then its lane immediates. Throws for a name that SIMD128 does not have. */
export function simdBytes(name: string, lanes: readonly number[]): number[] {
  const code = SIMD.get(ALIASES[name] ?? name);
  if (code === undefined) throw new Error(`simd: '${name}' is no SIMD128 operation`);
  return [0xfd, ...unsignedLeb(code), ...lanes];
}

/** LEB128 of an unsigned number below 2^53. */
export function unsignedLeb(value: number): number[] {
  const bytes: number[] = [];
  do {
    const low = value % 128;
    value = Math.floor(value / 128);
    bytes.push(value > 0 ? low | 0x80 : low);
  } while (value > 0);
  return bytes;
}

/** Signed LEB128, as WebAssembly writes the operand of i32.const and i64.const. */
export function signedLeb(value: bigint): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = Number(value & 0x7fn);
    value >>= 7n;
    const done = (value === 0n && !(low & 0x40)) || (value === -1n && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}
