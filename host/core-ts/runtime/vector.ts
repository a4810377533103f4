// 128-bit vectors as four int32 values, for what the generated text does not write out. A function is named as the
// instruction of WebAssembly; it returns the lowest part and leaves the others in `second`, `third` and `fourth` until
// the next call.

export let second = 0;
export let third = 0;
export let fourth = 0;

type Numbers =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;
interface Register {
  readonly s8: Int8Array;
  readonly u8: Uint8Array;
  readonly s16: Int16Array;
  readonly u16: Uint16Array;
  readonly s32: Int32Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
}

function register(): Register {
  const b = new ArrayBuffer(16);
  return {
    s8: new Int8Array(b),
    u8: new Uint8Array(b),
    s16: new Int16Array(b),
    u16: new Uint16Array(b),
    s32: new Int32Array(b),
    u32: new Uint32Array(b),
    f32: new Float32Array(b),
    f64: new Float64Array(b),
  };
}

const A = register();
const B = register();
const R = register();

function setA(a0: number, a1: number, a2: number, a3: number): void {
  A.s32[0] = a0;
  A.s32[1] = a1;
  A.s32[2] = a2;
  A.s32[3] = a3;
}

function setB(b0: number, b1: number, b2: number, b3: number): void {
  B.s32[0] = b0;
  B.s32[1] = b1;
  B.s32[2] = b2;
  B.s32[3] = b3;
}

function result(): number {
  second = R.s32[1]!;
  third = R.s32[2]!;
  fourth = R.s32[3]!;
  return R.s32[0]!;
}

type Unary = (a0: number, a1: number, a2: number, a3: number) => number;
type Binary = (
  a0: number,
  a1: number,
  a2: number,
  a3: number,
  b0: number,
  b1: number,
  b2: number,
  b3: number,
) => number;
type Shift = (a0: number, a1: number, a2: number, a3: number, count: number) => number;
type Lane = keyof Register;

const LANES: Record<Lane, number> = { s8: 16, u8: 16, s16: 8, u16: 8, s32: 4, u32: 4, f32: 4, f64: 2 };

/** Each lane of the result from the lane of a and the lane of b. */
function binary(from: Lane, f: (x: number, y: number) => number, to: Lane = from): Binary {
  const [a, b, r]: Numbers[] = [A[from], B[from], R[to]];
  const n = LANES[from];
  return (a0, a1, a2, a3, b0, b1, b2, b3) => {
    setA(a0, a1, a2, a3);
    setB(b0, b1, b2, b3);
    for (let i = 0; i < n; i++) r![i] = f(a![i]!, b![i]!);
    return result();
  };
}

/** Lane i of the result from lane `first + i * step` of a. */
function unary(from: Lane, to: Lane, f: (x: number) => number, first = 0): Unary {
  const [a, r]: Numbers[] = [A[from], R[to]];
  const n = LANES[to];
  return (a0, a1, a2, a3) => {
    setA(a0, a1, a2, a3);
    for (let i = 0; i < n; i++) r![i] = f(a![first + i]!);
    return result();
  };
}

const add = (x: number, y: number): number => x + y;
const subtract = (x: number, y: number): number => x - y;
const clamp =
  (low: number, top: number) =>
  (x: number): number =>
    x < low ? low : x > top ? top : x;
const mask =
  (test: (x: number, y: number) => boolean) =>
  (x: number, y: number): number =>
    test(x, y) ? -1 : 0;
const equal = mask((x, y) => x === y);
const unequal = mask((x, y) => x !== y);
const less = mask((x, y) => x < y);
const greater = mask((x, y) => x > y);
const atMost = mask((x, y) => x <= y);
const atLeast = mask((x, y) => x >= y);
const average = (x: number, y: number): number => (x + y + 1) >> 1;
const same = (x: number): number => x;
const S8 = clamp(-0x80, 0x7f);
const U8 = clamp(0, 0xff);
const S16 = clamp(-0x8000, 0x7fff);
const U16 = clamp(0, 0xffff);

// ---------------------------------------------------------------- bytes
export const i8x16_add = binary("u8", add);
export const i8x16_sub = binary("u8", subtract);
export const i8x16_add_sat_s = binary("s8", (x, y) => S8(x + y));
export const i8x16_add_sat_u = binary("u8", (x, y) => U8(x + y));
export const i8x16_sub_sat_s = binary("s8", (x, y) => S8(x - y));
export const i8x16_sub_sat_u = binary("u8", (x, y) => U8(x - y));
export const i8x16_min_s = binary("s8", Math.min);
export const i8x16_min_u = binary("u8", Math.min);
export const i8x16_max_s = binary("s8", Math.max);
export const i8x16_max_u = binary("u8", Math.max);
export const i8x16_avgr_u = binary("u8", average);
export const i8x16_eq = binary("s8", equal);
export const i8x16_ne = binary("s8", unequal);
export const i8x16_lt_s = binary("s8", less);
export const i8x16_lt_u = binary("u8", less, "s8");
export const i8x16_gt_s = binary("s8", greater);
export const i8x16_gt_u = binary("u8", greater, "s8");
export const i8x16_le_s = binary("s8", atMost);
export const i8x16_le_u = binary("u8", atMost, "s8");
export const i8x16_ge_s = binary("s8", atLeast);
export const i8x16_ge_u = binary("u8", atLeast, "s8");
export const i8x16_abs = unary("s8", "s8", Math.abs);
export const i8x16_neg = unary("s8", "s8", (x) => -x);
export const i8x16_popcnt = unary("u8", "u8", (x) => {
  let n = 0;
  for (let rest = x; rest; rest &= rest - 1) n++;
  return n;
});

/** Byte i of a where index byte i of b names one, else 0. */
export const i8x16_swizzle: Binary = (a0, a1, a2, a3, b0, b1, b2, b3) => {
  setA(a0, a1, a2, a3);
  setB(b0, b1, b2, b3);
  for (let i = 0; i < 16; i++) R.u8[i] = B.u8[i]! < 16 ? A.u8[B.u8[i]!]! : 0;
  return result();
};

/** Bytes of a, then b, by the sixteen numbers in m. */
export function i8x16_shuffle(
  a0: number,
  a1: number,
  a2: number,
  a3: number,
  b0: number,
  b1: number,
  b2: number,
  b3: number,
  m0: number,
  m1: number,
  m2: number,
  m3: number,
): number {
  setA(a0, a1, a2, a3);
  setB(b0, b1, b2, b3);
  for (let i = 0; i < 16; i++) {
    const word = i < 4 ? m0 : i < 8 ? m1 : i < 12 ? m2 : m3;
    const from = (word >>> ((i & 3) << 3)) & 31;
    R.u8[i] = from < 16 ? A.u8[from]! : B.u8[from - 16]!;
  }
  return result();
}

// ---------------------------------------------------------------- 16 bits
export const i16x8_add = binary("u16", add);
export const i16x8_sub = binary("u16", subtract);
export const i16x8_mul = binary("s16", Math.imul);
export const i16x8_add_sat_s = binary("s16", (x, y) => S16(x + y));
export const i16x8_add_sat_u = binary("u16", (x, y) => U16(x + y));
export const i16x8_sub_sat_s = binary("s16", (x, y) => S16(x - y));
export const i16x8_sub_sat_u = binary("u16", (x, y) => U16(x - y));
export const i16x8_min_s = binary("s16", Math.min);
export const i16x8_min_u = binary("u16", Math.min);
export const i16x8_max_s = binary("s16", Math.max);
export const i16x8_max_u = binary("u16", Math.max);
export const i16x8_avgr_u = binary("u16", average);
export const i16x8_q15mulr_sat_s = binary("s16", (x, y) => S16((x * y + 0x4000) >> 15));
export const i16x8_eq = binary("s16", equal);
export const i16x8_ne = binary("s16", unequal);
export const i16x8_lt_s = binary("s16", less);
export const i16x8_lt_u = binary("u16", less, "s16");
export const i16x8_gt_s = binary("s16", greater);
export const i16x8_gt_u = binary("u16", greater, "s16");
export const i16x8_le_s = binary("s16", atMost);
export const i16x8_le_u = binary("u16", atMost, "s16");
export const i16x8_ge_s = binary("s16", atLeast);
export const i16x8_ge_u = binary("u16", atLeast, "s16");
export const i16x8_abs = unary("s16", "s16", Math.abs);
export const i16x8_neg = unary("s16", "s16", (x) => -x);
export const i16x8_extend_low_i8x16_s = unary("s8", "s16", same);
export const i16x8_extend_low_i8x16_u = unary("u8", "u16", same);
export const i16x8_extend_high_i8x16_s = unary("s8", "s16", same, 8);
export const i16x8_extend_high_i8x16_u = unary("u8", "u16", same, 8);
export const i8x16_narrow_i16x8_s = narrow("s16", "s8", S8);
export const i8x16_narrow_i16x8_u = narrow("s16", "u8", U8);
export const i16x8_extadd_pairwise_i8x16_s = pairwise("s8", "s16");
export const i16x8_extadd_pairwise_i8x16_u = pairwise("u8", "u16");
export const i16x8_extmul_low_i8x16_s = product("s8", "s16", 0);
export const i16x8_extmul_low_i8x16_u = product("u8", "u16", 0);
export const i16x8_extmul_high_i8x16_s = product("s8", "s16", 8);
export const i16x8_extmul_high_i8x16_u = product("u8", "u16", 8);

// ---------------------------------------------------------------- 32 bits
export const i32x4_min_s = binary("s32", Math.min);
export const i32x4_min_u = binary("u32", Math.min);
export const i32x4_max_s = binary("s32", Math.max);
export const i32x4_max_u = binary("u32", Math.max);
export const i32x4_lt_u = binary("u32", less, "s32");
export const i32x4_gt_u = binary("u32", greater, "s32");
export const i32x4_le_s = binary("s32", atMost);
export const i32x4_le_u = binary("u32", atMost, "s32");
export const i32x4_ge_s = binary("s32", atLeast);
export const i32x4_ge_u = binary("u32", atLeast, "s32");
export const i32x4_abs = unary("s32", "s32", Math.abs);
export const i32x4_neg = unary("s32", "s32", (x) => -x);
export const i32x4_extend_low_i16x8_s = unary("s16", "s32", same);
export const i32x4_extend_low_i16x8_u = unary("u16", "u32", same);
export const i32x4_extend_high_i16x8_s = unary("s16", "s32", same, 4);
export const i32x4_extend_high_i16x8_u = unary("u16", "u32", same, 4);
export const i16x8_narrow_i32x4_s = narrow("s32", "s16", S16);
export const i16x8_narrow_i32x4_u = narrow("s32", "u16", U16);
export const i32x4_extadd_pairwise_i16x8_s = pairwise("s16", "s32");
export const i32x4_extadd_pairwise_i16x8_u = pairwise("u16", "u32");
export const i32x4_extmul_low_i16x8_s = product("s16", "s32", 0);
export const i32x4_extmul_low_i16x8_u = product("u16", "u32", 0);
export const i32x4_extmul_high_i16x8_s = product("s16", "s32", 4);
export const i32x4_extmul_high_i16x8_u = product("u16", "u32", 4);
export const i32x4_dot_i16x8_s: Binary = (a0, a1, a2, a3, b0, b1, b2, b3) => {
  setA(a0, a1, a2, a3);
  setB(b0, b1, b2, b3);
  for (let i = 0; i < 4; i++) {
    R.s32[i] = A.s16[2 * i]! * B.s16[2 * i]! + A.s16[2 * i + 1]! * B.s16[2 * i + 1]!;
  }
  return result();
};

function narrow(from: Lane, to: Lane, fit: (x: number) => number): Binary {
  const [a, b, r]: Numbers[] = [A[from], B[from], R[to]];
  const n = LANES[from];
  return (a0, a1, a2, a3, b0, b1, b2, b3) => {
    setA(a0, a1, a2, a3);
    setB(b0, b1, b2, b3);
    for (let i = 0; i < n; i++) {
      r![i] = fit(a![i]!);
      r![n + i] = fit(b![i]!);
    }
    return result();
  };
}

function pairwise(from: Lane, to: Lane): Unary {
  const [a, r]: Numbers[] = [A[from], R[to]];
  const n = LANES[to];
  return (a0, a1, a2, a3) => {
    setA(a0, a1, a2, a3);
    for (let i = 0; i < n; i++) r![i] = a![2 * i]! + a![2 * i + 1]!;
    return result();
  };
}

/** Products of half the lanes, in full width. */
function product(from: Lane, to: Lane, first: number): Binary {
  const [a, b, r]: Numbers[] = [A[from], B[from], R[to]];
  const n = LANES[to];
  return (a0, a1, a2, a3, b0, b1, b2, b3) => {
    setA(a0, a1, a2, a3);
    setB(b0, b1, b2, b3);
    for (let i = 0; i < n; i++) r![i] = a![first + i]! * b![first + i]!;
    return result();
  };
}

// ---------------------------------------------------------------- 64 bits
type Wide = (x: bigint, y: bigint) => bigint;
const A64 = new BigInt64Array(A.s32.buffer);
const B64 = new BigInt64Array(B.s32.buffer);
const R64 = new BigInt64Array(R.s32.buffer);

function wide(f: Wide): Binary {
  return (a0, a1, a2, a3, b0, b1, b2, b3) => {
    setA(a0, a1, a2, a3);
    setB(b0, b1, b2, b3);
    for (let i = 0; i < 2; i++) R64[i] = f(A64[i]!, B64[i]!);
    return result();
  };
}

export const i64x2_mul = wide((x, y) => x * y);
export const i64x2_eq = wide((x, y) => (x === y ? -1n : 0n));
export const i64x2_ne = wide((x, y) => (x !== y ? -1n : 0n));
export const i64x2_lt_s = wide((x, y) => (x < y ? -1n : 0n));
export const i64x2_gt_s = wide((x, y) => (x > y ? -1n : 0n));
export const i64x2_le_s = wide((x, y) => (x <= y ? -1n : 0n));
export const i64x2_ge_s = wide((x, y) => (x >= y ? -1n : 0n));
export const i64x2_extmul_low_i32x4_s = wideProduct(A.s32, B.s32, 0);
export const i64x2_extmul_low_i32x4_u = wideProduct(A.u32, B.u32, 0);
export const i64x2_extmul_high_i32x4_s = wideProduct(A.s32, B.s32, 2);
export const i64x2_extmul_high_i32x4_u = wideProduct(A.u32, B.u32, 2);

function wideProduct(a: Int32Array | Uint32Array, b: Int32Array | Uint32Array, first: number): Binary {
  return (a0, a1, a2, a3, b0, b1, b2, b3) => {
    setA(a0, a1, a2, a3);
    setB(b0, b1, b2, b3);
    for (let i = 0; i < 2; i++) R64[i] = BigInt(a[first + i]!) * BigInt(b[first + i]!);
    return result();
  };
}

function carrySum(sign: 1 | -1): Binary {
  return (a0, a1, a2, a3, b0, b1, b2, b3) => {
    const low = sign > 0 ? (a0 + b0) | 0 : (a0 - b0) | 0;
    const carry = sign > 0 ? low >>> 0 < a0 >>> 0 : a0 >>> 0 < b0 >>> 0;
    second = (a1 + sign * (b1 + (carry ? 1 : 0))) | 0;
    third = sign > 0 ? (a2 + b2) | 0 : (a2 - b2) | 0;
    const carry2 = sign > 0 ? third >>> 0 < a2 >>> 0 : a2 >>> 0 < b2 >>> 0;
    fourth = (a3 + sign * (b3 + (carry2 ? 1 : 0))) | 0;
    return low;
  };
}

export const i64x2_add = carrySum(1);
export const i64x2_sub = carrySum(-1);

const widen =
  (first: number, signed: boolean): Unary =>
  (a0, a1, a2, a3) => {
    const x = first ? a2 : a0;
    third = first ? a3 : a1;
    second = signed ? x >> 31 : 0;
    fourth = signed ? third >> 31 : 0;
    return x;
  };
export const i64x2_extend_low_i32x4_s = widen(0, true);
export const i64x2_extend_low_i32x4_u = widen(0, false);
export const i64x2_extend_high_i32x4_s = widen(2, true);
export const i64x2_extend_high_i32x4_u = widen(2, false);
export const i64x2_abs: Unary = (a0, a1, a2, a3) => {
  setA(a0, a1, a2, a3);
  for (let i = 0; i < 2; i++) R64[i] = A64[i]! < 0n ? -A64[i]! : A64[i]!;
  return result();
};
export const i64x2_neg: Unary = (a0, a1, a2, a3) => i64x2_sub(0, 0, 0, 0, a0, a1, a2, a3);

// ---------------------------------------------------------------- shifts: the count is taken modulo the lane's width
function shift(lane: Lane, f: (x: number, n: number) => number): Shift {
  const [a, r]: Numbers[] = [A[lane], R[lane]];
  const n = LANES[lane];
  const bits = 128 / n - 1;
  return (a0, a1, a2, a3, count) => {
    setA(a0, a1, a2, a3);
    for (let i = 0; i < n; i++) r![i] = f(a![i]!, count & bits);
    return result();
  };
}

const left = (x: number, n: number): number => x << n;
const right = (x: number, n: number): number => x >>> n;
const rightSigned = (x: number, n: number): number => x >> n;
export const i8x16_shl = shift("s8", left);
export const i8x16_shr_u = shift("u8", right);
export const i8x16_shr_s = shift("s8", rightSigned);
export const i16x8_shl = shift("s16", left);
export const i16x8_shr_u = shift("u16", right);
export const i16x8_shr_s = shift("s16", rightSigned);
export const i32x4_shl = shift("s32", left);
export const i32x4_shr_u = shift("u32", right);
export const i32x4_shr_s = shift("s32", rightSigned);

function wideShift(f: (x: bigint, n: bigint) => bigint): Shift {
  return (a0, a1, a2, a3, count) => {
    setA(a0, a1, a2, a3);
    for (let i = 0; i < 2; i++) R64[i] = f(A64[i]!, BigInt(count & 63));
    return result();
  };
}
export const i64x2_shl = wideShift((x, n) => x << n);
export const i64x2_shr_u = wideShift((x, n) => BigInt.asUintN(64, x) >> n);
export const i64x2_shr_s = wideShift((x, n) => x >> n);

// ---------------------------------------------------------------- to a scalar
function bits(lane: Lane): Unary {
  const a: Numbers = A[lane];
  const n = LANES[lane];
  return (a0, a1, a2, a3) => {
    setA(a0, a1, a2, a3);
    let r = 0;
    for (let i = 0; i < n; i++) if (a[i]! < 0) r |= 1 << i;
    return r;
  };
}
export const i8x16_bitmask = bits("s8");
export const i16x8_bitmask = bits("s16");
export const i32x4_bitmask = bits("s32");
export const i64x2_bitmask: Unary = (_a0, a1, _a2, a3) => (a1 >>> 31) | ((a3 >>> 31) << 1);

function all(lane: Lane): Unary {
  const a: Numbers = A[lane];
  const n = LANES[lane];
  return (a0, a1, a2, a3) => {
    setA(a0, a1, a2, a3);
    for (let i = 0; i < n; i++) if (a[i] === 0) return 0;
    return 1;
  };
}
export const i8x16_all_true = all("u8");
export const i16x8_all_true = all("u16");
export const i32x4_all_true = all("u32");
export const i64x2_all_true: Unary = (a0, a1, a2, a3) => ((a0 | a1) !== 0 && (a2 | a3) !== 0 ? 1 : 0);
