// 64-bit operations on halves that take more than a line. Results leave their upper half in machine.high.
import { join, split, wide } from "./machine.ts";

export function shl(low: number, upper: number, count: number): number {
  const n = count & 63;
  if (n === 0) return wide(low, upper);
  return n < 32 ? wide(low << n, (upper << n) | (low >>> (32 - n))) : wide(0, low << (n - 32));
}

export function shr_u(low: number, upper: number, count: number): number {
  const n = count & 63;
  if (n === 0) return wide(low, upper);
  return n < 32 ? wide((low >>> n) | (upper << (32 - n)), upper >>> n) : wide(upper >>> (n - 32), 0);
}

export function shr_s(low: number, upper: number, count: number): number {
  const n = count & 63;
  if (n === 0) return wide(low, upper);
  return n < 32 ? wide((low >>> n) | (upper << (32 - n)), upper >> n) : wide(upper >> (n - 32), upper >> 31);
}

/** The upper half of an unsigned 32-bit product. */
function mulHigh(a: number, b: number): number {
  const [al, ah, bl, bh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = ah * bl + Math.floor((al * bl) / 65536);
  return (ah * bh + Math.floor(middle / 65536) + Math.floor(((middle % 65536) + al * bh) / 65536)) | 0;
}

export function mul(a: number, ah: number, b: number, bh: number): number {
  return wide(Math.imul(a, b), mulHigh(a, b) + Math.imul(a, bh) + Math.imul(ah, b));
}

export function rotl(low: number, upper: number, count: number): number {
  const value = BigInt.asUintN(64, join(low, upper));
  const n = BigInt(count & 63);
  return split((value << n) | (value >> (64n - n)));
}
