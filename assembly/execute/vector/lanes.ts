// Lanes that an immediate names. SDM volume 2, PINSRx, PEXTRx, INSERTPS, BLENDPx.
import { code64 } from "../privilege";
import { xmmAddress } from "../vector-registers";

/** The numbers of the 8-, 16-, 32- or 64-bit lanes. */
// @ts-ignore: decorator
@inline function numbers8(): v128 { return i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15); }
// @ts-ignore: decorator
@inline function numbers16(): v128 { return i16x8(0, 1, 2, 3, 4, 5, 6, 7); }
// @ts-ignore: decorator
@inline function numbers32(): v128 { return i32x4(0, 1, 2, 3); }

/** x with `value` in lane `lane` (modulo the number of lanes, as in all that follow). */
export function insert8(x: v128, value: u32, lane: u32): v128 {
  return v128.bitselect(i8x16.splat(<i8>value), x, i8x16.eq(numbers8(), i8x16.splat(<i8>(lane & 15))));
}

export function insert16(x: v128, value: u32, lane: u32): v128 {
  return v128.bitselect(i16x8.splat(<i16>value), x, i16x8.eq(numbers16(), i16x8.splat(<i16>(lane & 7))));
}

export function insert32(x: v128, value: u32, lane: u32): v128 {
  return v128.bitselect(i32x4.splat(value), x, i32x4.eq(numbers32(), i32x4.splat(lane & 3)));
}

export function insert64(x: v128, value: u64, lane: u32): v128 {
  return lane & 1 ? i64x2.replace_lane(x, 1, value) : i64x2.replace_lane(x, 0, value);
}

/** Lane `lane` of x, zero-extended. */
export function extract8(x: v128, lane: u32): u32 {
  return i8x16.extract_lane_u(i8x16.swizzle(x, i8x16.splat(<i8>(lane & 15))), 0);
}

export function extract16(x: v128, lane: u32): u32 {
  return i16x8.extract_lane_u(i8x16.swizzle(x, i16x8.splat(<i16>(((lane & 7) << 1) * 0x0101 + 0x0100))), 0);
}

export function extract32(x: v128, lane: u32): u32 {
  return i32x4.extract_lane(i8x16.swizzle(x, i32x4.splat(((lane & 3) << 2) * 0x01010101 + 0x03020100)), 0);
}

export function extract64(x: v128, lane: u32): u64 {
  return lane & 1 ? i64x2.extract_lane(x, 1) : i64x2.extract_lane(x, 0);
}

/** BLENDPS: the lanes whose bit of `choice` is set come from y. */
export function blend32(x: v128, y: v128, choice: u32): v128 {
  return v128.bitselect(y, x, i32x4.ne(v128.and(i32x4.splat(choice), i32x4(1, 2, 4, 8)), i32x4.splat(0)));
}

/** BLENDPD. */
export function blend64(x: v128, y: v128, choice: u32): v128 {
  return v128.bitselect(y, x, i64x2.ne(v128.and(i64x2.splat(choice), i64x2(1, 2)), i64x2.splat(0)));
}

/** PBLENDW. */
export function blend16(x: v128, y: v128, choice: u32): v128 {
  const chosen = v128.and(i16x8.splat(<i16>choice), i16x8(1, 2, 4, 8, 16, 32, 64, 128));
  return v128.bitselect(y, x, i16x8.ne(chosen, i16x8.splat(0)));
}

/** INSERTPS: `value` into lane imm[5:4], then zeros into the lanes of imm[3:0]. */
export function insertAndClear(x: v128, value: u32, choice: u32): v128 {
  const filled = insert32(x, value, choice >> 4);
  return v128.and(filled, i32x4.eq(v128.and(i32x4.splat(choice), i32x4(1, 2, 4, 8)), i32x4.splat(0)));
}

/** XMM0, the implied mask of the variable blends. */
export function firstRegister(): v128 {
  return v128.load(xmmAddress(0));
}

/** The low (`half` 0) or high part of the register that bits 4-7 of an immediate name; only bits 4-6 outside 64-bit
 * code. */
export function registerByImmediate(immediate: u32, half: u32): v128 {
  const number = (immediate >> 4) & (code64() ? 15 : 7);
  return v128.load(xmmAddress(number) + (half << 4));
}
