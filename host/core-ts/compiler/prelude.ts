// What every generated core begins with: views of its memory, and accesses that look at the address.

export const PRELUDE = `
const $U8 = new Uint8Array($memory), $U16 = new Uint16Array($memory), $I32 = new Int32Array($memory);
const $F64 = new Float64Array($memory), $I64 = new BigInt64Array($memory);
let $high = 0, $second = 0, $third = 0, $fourth = 0;
function $load16(a: number): number {
  return a & 1 ? $U8[a >>> 0]! | $U8[a + 1 >>> 0]! << 8 : $U16[a >>> 1]!;
}
function $load32(a: number): number {
  return a & 3 ? $unaligned32(a) : $I32[a >>> 2]!;
}
function $unaligned32(a: number): number {
  if (a & 1) return $U8[a >>> 0]! | $U8[a + 1 >>> 0]! << 8 | $U8[a + 2 >>> 0]! << 16 | $U8[a + 3 >>> 0]! << 24;
  return $U16[a >>> 1]! | $U16[a + 2 >>> 1]! << 16;
}
function $store16(a: number, v: number): void {
  if (a & 1) { $U8[a >>> 0] = v; $U8[a + 1 >>> 0] = v >> 8; } else $U16[a >>> 1] = v;
}
function $store32(a: number, v: number): void {
  if (a & 3) $storeUnaligned32(a, v); else $I32[a >>> 2] = v;
}
function $storeUnaligned32(a: number, v: number): void {
  if (a & 1) { $U8[a >>> 0] = v; $U8[a + 1 >>> 0] = v >> 8; $U8[a + 2 >>> 0] = v >> 16; $U8[a + 3 >>> 0] = v >> 24; }
  else { $U16[a >>> 1] = v; $U16[a + 2 >>> 1] = v >> 16; }
}
// Filling and moving a few bytes costs less than the built-in's call.
function $fill(a: number, v: number, n: number): void {
  if (n >>> 0 > 32) { $U8.fill(v, a >>> 0, (a >>> 0) + (n >>> 0)); return; }
  for (let i = 0; i < n; i++) $U8[a + i >>> 0] = v;
}
function $copy(to: number, from: number, n: number): void {
  if (n >>> 0 > 32) { $U8.copyWithin(to >>> 0, from >>> 0, (from >>> 0) + (n >>> 0)); return; }
  if (to >>> 0 <= from >>> 0) for (let i = 0; i < n; i++) $U8[to + i >>> 0] = $U8[from + i >>> 0]!;
  else for (let i = n - 1; i >= 0; i--) $U8[to + i >>> 0] = $U8[from + i >>> 0]!;
}
function $low(x: bigint): number { return Number(BigInt.asIntN(32, x)); }
function $upper(x: bigint): number { return Number(BigInt.asIntN(32, x >> 32n)); }
function $join(low: number, high: number): bigint { return BigInt(high) << 32n | BigInt(low >>> 0); }
function $wide(x: bigint): number { $high = $upper(x); return $low(x); }
function $atomicLoad64(a: number): number { return $wide(Atomics.load($I64, a >>> 3)); }
function $atomicStore64(a: number, low: number, high: number): void { Atomics.store($I64, a >>> 3, $join(low, high)); }
function $atomicReplace64(a: number, low: number, high: number, newLow: number, newHigh: number): number {
  return $wide(Atomics.compareExchange($I64, a >>> 3, $join(low, high), $join(newLow, newHigh)));
}
`;
