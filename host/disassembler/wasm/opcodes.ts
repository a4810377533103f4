// Names of WebAssembly's instructions by their numbers, and what follows the numbers. Core specification 2.0, 5.4.

/** What follows an opcode: nothing, or immediates in the order of the letters. */
export type Immediates =
  | ""
  /** A block's type. */
  | "b"
  /** One, two indices. */
  | "i"
  | "ii"
  /** A vector of labels and one more. */
  | "labels"
  /** Alignment and offset; with a lane. */
  | "m"
  | "ml"
  /** Constants. */
  | "i32"
  | "i64"
  | "f32"
  | "f64"
  | "v128"
  /** A lane; sixteen. */
  | "l"
  | "lanes"
  /** A vector of types. */
  | "types";

export interface Opcode {
  readonly name: string;
  readonly immediates: Immediates;
}

type Table = Map<number, Opcode>;

/** Enters names from a number on; "-" leaves a number out. */
function enter(table: Table, from: number, names: string, immediates: Immediates = ""): void {
  for (const [i, name] of names.trim().split(/\s+/).entries()) {
    if (name !== "-") table.set(from + i, { name, immediates });
  }
}

/** Each of the names with a prefix. */
const all = (prefix: string, names: string): string => names.trim().replaceAll(/\S+/g, `${prefix}.$&`);

const INT_COMPARE = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
const FLOAT_COMPARE = "eq ne lt gt le ge";
const INT_ARITHMETIC = "clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr";
const FLOAT_ARITHMETIC = "abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign";

function plain(): Table {
  const table: Table = new Map();
  enter(table, 0x00, "unreachable nop");
  enter(table, 0x02, "block loop if", "b");
  enter(table, 0x05, "else");
  enter(table, 0x0b, "end");
  enter(table, 0x0c, "br br_if", "i");
  enter(table, 0x0e, "br_table", "labels");
  enter(table, 0x0f, "return");
  enter(table, 0x10, "call", "i");
  enter(table, 0x11, "call_indirect", "ii");
  enter(table, 0x12, "return_call", "i");
  enter(table, 0x13, "return_call_indirect", "ii");
  enter(table, 0x1a, "drop select");
  enter(table, 0x1c, "select", "types");
  enter(table, 0x20, "local.get local.set local.tee global.get global.set table.get table.set", "i");
  enter(table, 0x28, "i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u", "m");
  enter(table, 0x30, all("i64", "load8_s load8_u load16_s load16_u load32_s load32_u"), "m");
  enter(table, 0x36, "i32.store i64.store f32.store f64.store i32.store8 i32.store16", "m");
  enter(table, 0x3c, "i64.store8 i64.store16 i64.store32", "m");
  enter(table, 0x3f, "memory.size memory.grow", "i");
  enter(table, 0x41, "i32.const", "i32");
  enter(table, 0x42, "i64.const", "i64");
  enter(table, 0x43, "f32.const", "f32");
  enter(table, 0x44, "f64.const", "f64");
  enter(table, 0x45, all("i32", `eqz ${INT_COMPARE}`));
  enter(table, 0x50, all("i64", `eqz ${INT_COMPARE}`));
  enter(table, 0x5b, all("f32", FLOAT_COMPARE));
  enter(table, 0x61, all("f64", FLOAT_COMPARE));
  enter(table, 0x67, all("i32", INT_ARITHMETIC));
  enter(table, 0x79, all("i64", INT_ARITHMETIC));
  enter(table, 0x8b, all("f32", FLOAT_ARITHMETIC));
  enter(table, 0x99, all("f64", FLOAT_ARITHMETIC));
  enter(table, 0xa7, all("i32", "wrap_i64 trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u"));
  enter(table, 0xac, all("i64", "extend_i32_s extend_i32_u trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u"));
  enter(table, 0xb2, all("f32", "convert_i32_s convert_i32_u convert_i64_s convert_i64_u demote_f64"));
  enter(table, 0xb7, all("f64", "convert_i32_s convert_i32_u convert_i64_s convert_i64_u promote_f32"));
  enter(table, 0xbc, "i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64");
  enter(table, 0xc0, "i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s");
  return table;
}

/** Behind 0xfc. */
function miscellaneous(): Table {
  const table: Table = new Map();
  const truncations = "trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u";
  enter(table, 0, `${all("i32", truncations)} ${all("i64", truncations)}`);
  enter(table, 10, "memory.copy", "ii");
  enter(table, 11, "memory.fill", "i");
  return table;
}

/** Behind 0xfd. */
function vector(): Table {
  const table: Table = new Map();
  const loads = "load load8x8_s load8x8_u load16x4_s load16x4_u load32x2_s load32x2_u";
  enter(table, 0, all("v128", `${loads} load8_splat load16_splat load32_splat load64_splat store`), "m");
  enter(table, 12, "v128.const", "v128");
  enter(table, 13, "i8x16.shuffle", "lanes");
  enter(table, 14, "i8x16.swizzle i8x16.splat i16x8.splat i32x4.splat i64x2.splat f32x4.splat f64x2.splat");
  enter(table, 21, "i8x16.extract_lane_s i8x16.extract_lane_u i8x16.replace_lane", "l");
  enter(table, 24, "i16x8.extract_lane_s i16x8.extract_lane_u i16x8.replace_lane", "l");
  enter(table, 27, "i32x4.extract_lane i32x4.replace_lane i64x2.extract_lane i64x2.replace_lane", "l");
  enter(table, 31, "f32x4.extract_lane f32x4.replace_lane f64x2.extract_lane f64x2.replace_lane", "l");
  enter(table, 35, all("i8x16", INT_COMPARE));
  enter(table, 45, all("i16x8", INT_COMPARE));
  enter(table, 55, all("i32x4", INT_COMPARE));
  enter(table, 65, all("f32x4", FLOAT_COMPARE));
  enter(table, 71, all("f64x2", FLOAT_COMPARE));
  enter(table, 77, all("v128", "not and andnot or xor bitselect any_true"));
  enter(table, 84, all("v128", "load8_lane load16_lane load32_lane load64_lane"), "ml");
  enter(table, 88, all("v128", "store8_lane store16_lane store32_lane store64_lane"), "ml");
  enter(table, 92, "v128.load32_zero v128.load64_zero", "m");
  enter(table, 94, "f32x4.demote_f64x2_zero f64x2.promote_low_f32x4");
  const saturating = "add add_sat_s add_sat_u sub sub_sat_s sub_sat_u";
  enter(table, 96, all("i8x16", "abs neg popcnt all_true bitmask narrow_i16x8_s narrow_i16x8_u"));
  enter(table, 103, all("f32x4", "ceil floor trunc nearest"));
  enter(table, 107, all("i8x16", `shl shr_s shr_u ${saturating}`));
  enter(table, 116, "f64x2.ceil f64x2.floor");
  enter(table, 118, all("i8x16", "min_s min_u max_s max_u"));
  enter(table, 122, "f64x2.trunc i8x16.avgr_u i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u");
  enter(table, 126, "i32x4.extadd_pairwise_i16x8_s i32x4.extadd_pairwise_i16x8_u");
  enter(table, 128, all("i16x8", "abs neg q15mulr_sat_s all_true bitmask narrow_i32x4_s narrow_i32x4_u"));
  const extend = (from: string): string =>
    `extend_low_${from}_s extend_high_${from}_s extend_low_${from}_u extend_high_${from}_u`;
  const extmul = (from: string): string => extend(from).replaceAll("extend", "extmul");
  enter(table, 135, all("i16x8", `${extend("i8x16")} shl shr_s shr_u ${saturating}`));
  enter(table, 148, "f64x2.nearest");
  enter(table, 149, all("i16x8", "mul min_s min_u max_s max_u"));
  enter(table, 155, "i16x8.avgr_u");
  enter(table, 156, all("i16x8", extmul("i8x16")));
  enter(table, 160, "i32x4.abs i32x4.neg - i32x4.all_true i32x4.bitmask");
  enter(table, 167, all("i32x4", `${extend("i16x8")} shl shr_s shr_u add`));
  enter(table, 177, "i32x4.sub");
  enter(table, 181, all("i32x4", "mul min_s min_u max_s max_u dot_i16x8_s"));
  enter(table, 188, all("i32x4", extmul("i16x8")));
  enter(table, 192, "i64x2.abs i64x2.neg - i64x2.all_true i64x2.bitmask");
  enter(table, 199, all("i64x2", `${extend("i32x4")} shl shr_s shr_u add`));
  enter(table, 209, "i64x2.sub");
  enter(table, 213, all("i64x2", `mul eq ne lt_s gt_s le_s ge_s ${extmul("i32x4")}`));
  const float = "abs neg - sqrt add sub mul div min max pmin pmax";
  enter(table, 224, all("f32x4", float).replace("f32x4.-", "-"));
  enter(table, 236, all("f64x2", float).replace("f64x2.-", "-"));
  enter(table, 248, "i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u");
  enter(table, 252, "i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero");
  enter(table, 254, "f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u");
  return table;
}

/** Behind 0xfe: the threads proposal. */
function atomic(): Table {
  const table: Table = new Map();
  const narrow = (name: string, suffix: string): string =>
    `i32.atomic.${name}8${suffix} i32.atomic.${name}16${suffix} ${all("i64.atomic", `${name}8${suffix} ${name}16${suffix} ${name}32${suffix}`)}`;
  enter(table, 0, "memory.atomic.notify memory.atomic.wait32 memory.atomic.wait64", "m");
  enter(table, 16, `i32.atomic.load i64.atomic.load ${narrow("load", "_u")}`, "m");
  enter(table, 23, `i32.atomic.store i64.atomic.store ${narrow("store", "")}`, "m");
  for (const [i, operation] of "add sub and or xor xchg cmpxchg".split(" ").entries()) {
    const wide = `i32.atomic.rmw.${operation} i64.atomic.rmw.${operation}`;
    enter(table, 30 + 7 * i, `${wide} ${narrow("rmw", `.${operation}_u`)}`, "m");
  }
  return table;
}

/** Opcodes of one byte, and those behind a prefix. */
export const PLAIN: ReadonlyMap<number, Opcode> = plain();
export const PREFIXED: ReadonlyMap<number, ReadonlyMap<number, Opcode>> = new Map([
  [0xfc, miscellaneous()],
  [0xfd, vector()],
  [0xfe, atomic()],
]);
