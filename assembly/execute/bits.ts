// CRC32 and BMI. Results are returned; flags are set here. SDM volume 2, each instruction.
import { FLAG_CF, FLAG_SF, FLAG_ZF } from "../cpu";
import { setStatusFlags } from "./flags";

/** CRC32 with the Castagnoli polynomial 11EDC6F41, bit-reflected; one byte. */
function crcByte(crc: u32, byte: u32): u32 {
  crc ^= byte;
  for (let i = 0; i < 8; i++) crc = (crc >> 1) ^ (0x82f63b78 & (0 - (crc & 1)));
  return crc;
}
export function crc32_8(crc: u32, x: u32): u32 { return crcByte(crc, x); }
export function crc32_16(crc: u32, x: u32): u32 { return crcByte(crcByte(crc, x & 0xff), x >> 8); }
export function crc32_32(crc: u32, x: u32): u32 { return crc32_16(crc32_16(crc, x & 0xffff), x >> 16); }
export function crc32_64(crc: u32, x: u64): u32 { return crc32_32(crc32_32(crc, <u32>x), <u32>(x >> 32)); }

// ---------------------------------------------------------------- BMI1, BMI2
export function bextr32(x: u32, control: u32): u32 { return <u32>bextr64(x, control); }
export function bextr64(x: u64, control: u64): u64 {
  const start = control & 0xff;
  const length = (control >> 8) & 0xff;
  const shifted = start < 64 ? x >> start : 0;
  return length < 64 ? shifted & (((<u64>1) << length) - 1) : shifted;
}

/** CF, ZF and SF; OF is cleared. */
function isolateFlags(carry: bool, zero: bool, sign: u64): void {
  setStatusFlags((carry ? FLAG_CF : 0) | (zero ? FLAG_ZF : 0) | (sign ? FLAG_SF : 0));
}
export function blsr32(x: u32): u32 { const r = x & (x - 1); isolateFlags(x == 0, r == 0, r >> 31); return r; }
export function blsr64(x: u64): u64 { const r = x & (x - 1); isolateFlags(x == 0, r == 0, r >> 63); return r; }
export function blsmsk32(x: u32): u32 { const r = x ^ (x - 1); isolateFlags(x == 0, false, r >> 31); return r; }
export function blsmsk64(x: u64): u64 { const r = x ^ (x - 1); isolateFlags(x == 0, false, r >> 63); return r; }
export function blsi32(x: u32): u32 { const r = x & (0 - x); isolateFlags(x != 0, r == 0, r >> 31); return r; }
export function blsi64(x: u64): u64 { const r = x & (0 - x); isolateFlags(x != 0, r == 0, r >> 63); return r; }
export function bzhi32(x: u32, y: u32): u32 {
  const n = y & 0xff;
  const r = n < 32 ? x & ((1 << n) - 1) : x;
  isolateFlags(n > 31, r == 0, r >> 31);
  return r;
}
export function bzhi64(x: u64, y: u64): u64 {
  const n = y & 0xff;
  const r = n < 64 ? x & (((<u64>1) << n) - 1) : x;
  isolateFlags(n > 63, r == 0, r >> 63);
  return r;
}
export function pdep32(x: u32, mask: u32): u32 { return <u32>pdep64(x, mask); }
export function pdep64(x: u64, mask: u64): u64 {
  let r: u64 = 0;
  while (mask) {
    const low = mask & (0 - mask);
    if (x & 1) r |= low;
    x >>= 1;
    mask ^= low;
  }
  return r;
}
export function pext32(x: u32, mask: u32): u32 { return <u32>pext64(x, mask); }
export function pext64(x: u64, mask: u64): u64 {
  let r: u64 = 0;
  let bit: u64 = 1;
  while (mask) {
    const low = mask & (0 - mask);
    if (x & low) r |= bit;
    bit <<= 1;
    mask ^= low;
  }
  return r;
}
