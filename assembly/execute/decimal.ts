// Decimal adjustment, 16- and 32-bit code only. SDM volume 2, DAA DAS AAA AAS AAM AAD. Undefined flags are as on processors.
import { cpu, DE, FLAG_AF, FLAG_CF, FLAG_PF, FLAG_SF, FLAG_ZF, raise } from "../cpu";
import { setStatusFlags, statusFlags } from "./flags";

function signZeroParity(value: u32): u32 {
  return (value & 0x80 ? FLAG_SF : 0) | (value == 0 ? FLAG_ZF : 0) | (popcnt<u32>(value) & 1 ? 0 : FLAG_PF);
}

function adjustPacked(direction: i32): void {
  const al = <u32>load<u8>(cpu);
  const before = statusFlags();
  let value = al;
  let flags: u32 = 0;
  if ((al & 15) > 9 || before & FLAG_AF) {
    value += 6 * direction;
    flags |= FLAG_AF;
    // DAS keeps a borrow out of the low digit as CF.
    if (direction < 0 && al < 6) flags |= FLAG_CF;
  }
  if (before & FLAG_CF || al > 0x99) {
    value += 0x60 * direction;
    flags |= FLAG_CF;
  }
  value &= 0xff;
  store<u8>(cpu, <u8>value);
  setStatusFlags(flags | signZeroParity(value));
}
export function daa(): void { adjustPacked(1); }
export function das(): void { adjustPacked(-1); }

function adjustUnpacked(direction: i32): void {
  let ax = <u32>load<u16>(cpu);
  let flags: u32 = 0;
  if ((ax & 15) > 9 || statusFlags() & FLAG_AF) {
    ax += 0x106 * direction;
    flags = FLAG_AF | FLAG_CF;
  }
  ax &= 0xff0f;
  store<u16>(cpu, <u16>ax);
  setStatusFlags(flags | signZeroParity(ax & 0xff));
}
export function aaa(): void { adjustUnpacked(1); }
export function aas(): void { adjustUnpacked(-1); }

export function aam(base: u32): void {
  base &= 0xff;
  if (base == 0) return raise(DE);
  const al = <u32>load<u8>(cpu);
  store<u16>(cpu, <u16>(((al / base) << 8) | (al % base)));
  setStatusFlags(signZeroParity(al % base));
}
export function aad(base: u32): void {
  const ax = <u32>load<u16>(cpu);
  const value = ((ax & 0xff) + (ax >> 8) * (base & 0xff)) & 0xff;
  store<u16>(cpu, <u16>value);
  setStatusFlags(signZeroParity(value));
}
