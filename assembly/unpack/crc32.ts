// CRC-32 as Ethernet, gzip and xz have it (polynomial 0x04c11db7, reflected), eight bytes at a time.
import { WORK } from "./memory";

/** u32[8][256]: what a byte does to the checksum, with 0 to 7 bytes behind it. In the upper half of WORK. */
const TABLE: usize = WORK + 0x10000;
const STEP: usize = 1024;

function makeTable(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    store<u32>(TABLE + (byte << 2), value);
  }
  for (let behind: usize = 1; behind < 8; behind++) {
    for (let byte: usize = 0; byte < 256; byte++) {
      const before = load<u32>(TABLE + (behind - 1) * STEP + (byte << 2));
      store<u32>(TABLE + behind * STEP + (byte << 2), (before >>> 8) ^ entry(0, before));
    }
  }
}

// @ts-ignore: decorator
@inline function entry(behind: usize, byte: u32): u32 {
  return load<u32>(TABLE + behind * STEP + ((byte & 0xff) << 2));
}

/** The checksum of `length` bytes at `from`. */
export function crc32(from: usize, length: usize): u32 {
  if (!load<u32>(TABLE + 4)) makeTable();
  let crc: u32 = 0xffffffff;
  let at = from;
  const end = from + length;
  for (; at + 8 <= end; at += 8) {
    const low = load<u32>(at) ^ crc;
    const high = load<u32>(at, 4);
    crc =
      entry(7, low) ^ entry(6, low >>> 8) ^ entry(5, low >>> 16) ^ entry(4, low >>> 24) ^
      entry(3, high) ^ entry(2, high >>> 8) ^ entry(1, high >>> 16) ^ entry(0, high >>> 24);
  }
  for (; at < end; at++) crc = entry(0, crc ^ load<u8>(at)) ^ (crc >>> 8);
  return ~crc;
}
