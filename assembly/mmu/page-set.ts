// Sets of pages that cost little to ask: a page is three bits of a field, and one of which all three are set may be in the set. With a
// single bit, INVLPG of one page in thirty met that of another: of a page of data all that the jump cache knew was dropped.

/** What a page's number is multiplied with, so that its upper 48 bits are three numbers that have nothing to do with each other. */
const SPREAD: u64 = 0x9e3779b97f4a7c15;

/** Whether bit `n` of the field at `set` is set. */
// @ts-ignore: decorator
@inline function isSet(set: usize, n: u32): bool {
  return (load<u8>(set + (n >> 3)) >> (n & 7) & 1) != 0;
}

// @ts-ignore: decorator
@inline function setBit(set: usize, n: u32): void {
  const at = set + (n >> 3);
  store<u8>(at, load<u8>(at) | <u8>((<u32>1) << (n & 7)));
}

/** Whether page number `page` may be in the set of `bits` bits, a power of two up to 65536, at `set`. */
export function mayContain(set: usize, bits: u32, page: u64): bool {
  const hash = page * SPREAD;
  return isSet(set, <u32>(hash >> 48) & (bits - 1)) && isSet(set, <u32>(hash >> 32) & (bits - 1)) && isSet(set, <u32>(hash >> 16) & (bits - 1));
}

/** Takes page number `page` into the set. */
export function addPage(set: usize, bits: u32, page: u64): void {
  const hash = page * SPREAD;
  setBit(set, <u32>(hash >> 48) & (bits - 1));
  setBit(set, <u32>(hash >> 32) & (bits - 1));
  setBit(set, <u32>(hash >> 16) & (bits - 1));
}
