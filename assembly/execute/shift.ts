// Rotates and double shifts that have no single WebAssembly operation, and the flags of rotates.
// SDM volume 2, RCL/RCR/ROL/ROR, SHLD, SHRD. Values come zero-extended, counts already cut to 5 or 6 bits.
import { condition2, setCarryOverflow, setStatusFlags } from "./flags";
import { FLAG_AF, FLAG_CF, FLAG_OF, FLAG_PF, FLAG_SF, FLAG_ZF } from "../cpu";

export function rol8(x: u32, count: u32): u32 { return <u32>rotl<u8>(<u8>x, <u8>(count & 7)); }
export function rol16(x: u32, count: u32): u32 { return <u32>rotl<u16>(<u16>x, <u16>(count & 15)); }
export function ror8(x: u32, count: u32): u32 { return <u32>rotr<u8>(<u8>x, <u8>(count & 7)); }
export function ror16(x: u32, count: u32): u32 { return <u32>rotr<u16>(<u16>x, <u16>(count & 15)); }

// Rotates through carry: the operand with CF on top is width + 1 bits wide. The count is taken modulo that width.
function rclNarrow(x: u32, count: u32, width: u32): u64 {
  const bits = <u64>(width + 1);
  const n = <u64>count % bits;
  const wide = <u64>x | (<u64>condition2() << <u64>width);
  const mask = ((<u64>1) << bits) - 1;
  return n == 0 ? wide : ((wide << n) | (wide >> (bits - n))) & mask;
}

export function rcl8(x: u32, count: u32): u32 { return <u32>rclNarrow(x, count, 8) & 0xff; }
export function rcl16(x: u32, count: u32): u32 { return <u32>rclNarrow(x, count, 16) & 0xffff; }
export function rcl32(x: u32, count: u32): u32 { return <u32>rclNarrow(x, count, 32); }
export function rcl64(x: u64, count: u64): u64 {
  if (count == 0) return x;
  const carry = <u64>condition2();
  return (x << count) | (carry << (count - 1)) | (count > 1 ? x >> (65 - count) : 0);
}
export function rcr8(x: u32, count: u32): u32 { return <u32>rclNarrow(x, 9 - (count % 9), 8) & 0xff; }
export function rcr16(x: u32, count: u32): u32 { return <u32>rclNarrow(x, 17 - (count % 17), 16) & 0xffff; }
export function rcr32(x: u32, count: u32): u32 { return <u32>rclNarrow(x, 33 - (count % 33), 32); }
export function rcr64(x: u64, count: u64): u64 {
  if (count == 0) return x;
  const carry = <u64>condition2();
  return (x >> count) | (carry << (64 - count)) | (count > 1 ? x << (65 - count) : 0);
}

// OF follows from the bits that moved, for any count; the manual defines it for 1 only.
function rclFlagsNarrow(x: u32, count: u32, width: u32): void {
  if (count == 0) return;
  const r = rclNarrow(x, count, width);
  const carry = <u32>(r >> <u64>width) & 1;
  setCarryOverflow(carry, carry ^ (<u32>(r >> <u64>(width - 1)) & 1));
}
function rcrFlagsNarrow(x: u32, count: u32, width: u32): void {
  if (count == 0) return;
  const r = rclNarrow(x, width + 1 - (count % (width + 1)), width);
  const top = <u32>(r >> <u64>(width - 1)) & 1;
  const below = <u32>(r >> <u64>(width - 2)) & 1;
  setCarryOverflow(<u32>(r >> <u64>width) & 1, top ^ below);
}
export function rclFlags8(x: u32, count: u32): void { rclFlagsNarrow(x, count, 8); }
export function rclFlags16(x: u32, count: u32): void { rclFlagsNarrow(x, count, 16); }
export function rclFlags32(x: u32, count: u32): void { rclFlagsNarrow(x, count, 32); }
export function rcrFlags8(x: u32, count: u32): void { rcrFlagsNarrow(x, count, 8); }
export function rcrFlags16(x: u32, count: u32): void { rcrFlagsNarrow(x, count, 16); }
export function rcrFlags32(x: u32, count: u32): void { rcrFlagsNarrow(x, count, 32); }
export function rclFlags64(x: u64, count: u64): void {
  if (count == 0) return;
  const top = <u32>(rcl64(x, count) >> 63);
  const carry = <u32>(x >> (64 - count)) & 1;
  setCarryOverflow(carry, carry ^ top);
}
export function rcrFlags64(x: u64, count: u64): void {
  if (count == 0) return;
  const r = rcr64(x, count);
  setCarryOverflow(<u32>(x >> (count - 1)) & 1, <u32>((r >> 63) ^ (r >> 62)) & 1);
}

// ---------------------------------------------------------------- SHLD, SHRD
export function shld16(x: u32, y: u32, count: u32): u32 {
  // Counts of 17 to 31 are undefined; processors shift x:y:x.
  const wide = ((<u64>x) << 32) | ((<u64>y) << 16) | x;
  return <u32>((wide << <u64>count) >> 32) & 0xffff;
}
export function shld32(x: u32, y: u32, count: u32): u32 { return count ? (x << count) | (y >> (32 - count)) : x; }
export function shld64(x: u64, y: u64, count: u64): u64 { return count ? (x << count) | (y >> (64 - count)) : x; }
export function shrd16(x: u32, y: u32, count: u32): u32 {
  const wide = ((<u64>x) << 32) | ((<u64>y) << 16) | x;
  return <u32>(wide >> <u64>count) & 0xffff;
}
export function shrd32(x: u32, y: u32, count: u32): u32 { return count ? (x >> count) | (y << (32 - count)) : x; }
export function shrd64(x: u64, y: u64, count: u64): u64 { return count ? (x >> count) | (y << (64 - count)) : x; }

/** Flags of a double shift: of the result (left-aligned), with the bit shifted out last; OF where the sign changed. */
function doubleShiftFlags(r: u64, low: u32, carry: u32, signBefore: u32): void {
  const sign = <u32>(r >> 63);
  let flags = carry ? FLAG_CF : 0;
  if (!(popcnt<u32>(low & 0xff) & 1)) flags |= FLAG_PF;
  if (r == 0) flags |= FLAG_ZF;
  if (sign) flags |= FLAG_SF;
  if (sign != signBefore) flags |= FLAG_OF;
  setStatusFlags(flags & ~FLAG_AF);
}
export function shldFlags16(x: u32, y: u32, count: u32): void {
  const wide = ((<u64>x) << 32) | ((<u64>y) << 16) | x;
  const r = shld16(x, y, count);
  doubleShiftFlags(<u64>r << 48, r, <u32>(wide >> (48 - <u64>count)) & 1, x >> 15);
}
export function shldFlags32(x: u32, y: u32, count: u32): void {
  const r = shld32(x, y, count);
  doubleShiftFlags(<u64>r << 32, r, (x >> (32 - count)) & 1, x >> 31);
}
export function shldFlags64(x: u64, y: u64, count: u64): void {
  const r = shld64(x, y, count);
  doubleShiftFlags(r, <u32>r, <u32>(x >> (64 - count)) & 1, <u32>(x >> 63));
}
export function shrdFlags16(x: u32, y: u32, count: u32): void {
  const wide = ((<u64>x) << 32) | ((<u64>y) << 16) | x;
  const r = shrd16(x, y, count);
  doubleShiftFlags(<u64>r << 48, r, <u32>(wide >> (<u64>count - 1)) & 1, x >> 15);
}
export function shrdFlags32(x: u32, y: u32, count: u32): void {
  const r = shrd32(x, y, count);
  doubleShiftFlags(<u64>r << 32, r, (x >> (count - 1)) & 1, x >> 31);
}
export function shrdFlags64(x: u64, y: u64, count: u64): void {
  const r = shrd64(x, y, count);
  doubleShiftFlags(r, <u32>r, <u32>(x >> (count - 1)) & 1, <u32>(x >> 63));
}
