// Multiplication and division beyond 64 bits, carries of ADX, wide compare-and-exchange. SDM volume 2, each instruction.
import { cpu, DE, FLAG_CF, FLAG_OF, GP, raise, raiseError, RAX, RBX, RCX, RDX, gpr, setGpr, fault } from "../cpu";
import { CPU_SCRATCH } from "../layout";
import { probeWrite } from "../mmu/tlb";
import { rmwReadSlow } from "../mmu/access";
import { writeBytes } from "../mmu/block";
import { alignedOrZero, enterExclusive, leaveExclusive } from "./atomic";
import { setStatusFlags, setZero, statusFlags } from "./flags";

/** Upper 64 bits of the unsigned 128-bit product. */
export function mulHighUnsigned(x: u64, y: u64): u64 {
  const xl = x & 0xffffffff;
  const xh = x >> 32;
  const yl = y & 0xffffffff;
  const yh = y >> 32;
  const middle = xh * yl + ((xl * yl) >> 32);
  const carry = (middle & 0xffffffff) + xl * yh;
  return xh * yh + (middle >> 32) + (carry >> 32);
}

/** Upper 64 bits of the signed 128-bit product. */
export function mulHighSigned(x: u64, y: u64): u64 {
  return mulHighUnsigned(x, y) - (<i64>x < 0 ? y : 0) - (<i64>y < 0 ? x : 0);
}

// ---------------------------------------------------------------- division: #DE for zero and for quotients that do not fit
export function divide8(divisor: u32): void {
  const dividend = <u32>gpr(RAX) & 0xffff;
  if (divisor == 0 || dividend / divisor > 0xff) return raise(DE);
  store<u16>(cpu, <u16>((dividend / divisor) | ((dividend % divisor) << 8)));
}
export function divide16(divisor: u32): void {
  const dividend = (<u32>gpr(RAX) & 0xffff) | (<u32>gpr(RDX) << 16);
  if (divisor == 0 || dividend / divisor > 0xffff) return raise(DE);
  store<u16>(cpu, <u16>(dividend / divisor));
  store<u16>(cpu, <u16>(dividend % divisor), 16);
}
export function divide32(divisor: u32): void {
  const dividend = (gpr(RAX) & 0xffffffff) | (gpr(RDX) << 32);
  if (divisor == 0) return raise(DE);
  const quotient = dividend / divisor;
  if (quotient > 0xffffffff) return raise(DE);
  setGpr(RAX, quotient);
  setGpr(RDX, dividend - quotient * divisor);
}

let remainder: u64 = 0;

/** Quotient of high:low by divisor, for high < divisor; the remainder is left in `remainder`. */
function divideWide(high: u64, low: u64, divisor: u64): u64 {
  if (high == 0) {
    const quotient = low / divisor;
    remainder = low - quotient * divisor;
    return quotient;
  }
  // Knuth's algorithm D on 32-bit digits with a normalised divisor.
  const shift = clz<u64>(divisor);
  const d = divisor << shift;
  const dh = d >> 32;
  const dl = d & 0xffffffff;
  const n32 = shift ? (high << shift) | (low >> (64 - shift)) : high;
  const n10 = low << shift;
  const n1 = n10 >> 32;
  const n0 = n10 & 0xffffffff;
  let q1 = n32 / dh;
  let r = n32 % dh;
  while (q1 > 0xffffffff || q1 * dl > ((r << 32) | n1)) {
    q1--;
    r += dh;
    if (r > 0xffffffff) break;
  }
  const n21 = ((n32 << 32) | n1) - q1 * d;
  let q0 = n21 / dh;
  r = n21 % dh;
  while (q0 > 0xffffffff || q0 * dl > ((r << 32) | n0)) {
    q0--;
    r += dh;
    if (r > 0xffffffff) break;
  }
  remainder = (((n21 << 32) | n0) - q0 * d) >> shift;
  return (q1 << 32) | q0;
}

export function divide64(divisor: u64): void {
  if (gpr(RDX) >= divisor) return raise(DE);
  const quotient = divideWide(gpr(RDX), gpr(RAX), divisor);
  setGpr(RAX, quotient);
  setGpr(RDX, remainder);
}

export function divideSigned8(value: u32): void {
  const divisor = <i32><i8>value;
  const dividend = <i32><i16>load<u16>(cpu);
  if (divisor == 0) return raise(DE);
  const quotient = dividend / divisor;
  if (quotient != <i32><i8>quotient) return raise(DE);
  store<u16>(cpu, <u16>((quotient & 0xff) | ((dividend % divisor) << 8)));
}
export function divideSigned16(value: u32): void {
  const divisor = <i64><i16>value;
  const dividend = <i64><i32>((<u32>gpr(RAX) & 0xffff) | (<u32>gpr(RDX) << 16));
  if (divisor == 0) return raise(DE);
  const quotient = dividend / divisor;
  if (quotient != <i64><i16>quotient) return raise(DE);
  store<u16>(cpu, <u16>quotient);
  store<u16>(cpu, <u16>(dividend % divisor), 16);
}
export function divideSigned32(value: u32): void {
  const divisor = <i64><i32>value;
  const dividend = <i64>((gpr(RAX) & 0xffffffff) | (gpr(RDX) << 32));
  // The most negative dividend by -1 would overflow the division itself.
  if (divisor == 0 || (dividend == i64.MIN_VALUE && divisor == -1)) return raise(DE);
  const quotient = dividend / divisor;
  if (quotient != <i64><i32>quotient) return raise(DE);
  setGpr(RAX, <u32>quotient);
  setGpr(RDX, <u32>(dividend - quotient * divisor));
}
export function divideSigned64(value: u64): void {
  let low = gpr(RAX);
  let high = gpr(RDX);
  const negative = <i64>high < 0;
  if (negative) {
    low = 0 - low;
    high = ~high + u64(low == 0);
  }
  const negativeDivisor = <i64>value < 0;
  const divisor = negativeDivisor ? 0 - value : value;
  if (high >= divisor) return raise(DE);
  const quotient = divideWide(high, low, divisor);
  const negate = negative != negativeDivisor;
  if (quotient > (negate ? 0x8000000000000000 : 0x7fffffffffffffff)) return raise(DE);
  setGpr(RAX, negate ? 0 - quotient : quotient);
  setGpr(RDX, negative ? 0 - remainder : remainder);
}

// ---------------------------------------------------------------- ADX
function addWithBit(x: u64, y: u64, flag: u32, width: u64): u64 {
  const flags = statusFlags();
  const carry = u64((flags & flag) != 0);
  const sum = x + y + carry;
  const out = width == 64 ? u32(sum < x || (carry && sum == x)) : <u32>(sum >> 32);
  setStatusFlags(out ? flags | flag : flags & ~flag);
  return sum;
}
export function adcx32(x: u32, y: u32): u32 { return <u32>addWithBit(x, y, FLAG_CF, 32); }
export function adcx64(x: u64, y: u64): u64 { return addWithBit(x, y, FLAG_CF, 64); }
export function adox32(x: u32, y: u32): u32 { return <u32>addWithBit(x, y, FLAG_OF, 32); }
export function adox64(x: u64, y: u64): u64 { return addWithBit(x, y, FLAG_OF, 64); }

export function byteSwap32(x: u32): u32 { return bswap<u32>(x); }
export function byteSwap64(x: u64): u64 { return bswap<u64>(x); }
export function byteSwap16(x: u32): u32 { return <u32>bswap<u16>(<u16>x); }

// ---------------------------------------------------------------- CMPXCHG8B, CMPXCHG16B
function compareExchange8(address: u64): void {
  const expected = (gpr(RAX) & 0xffffffff) | (gpr(RDX) << 32);
  const replacement = (gpr(RBX) & 0xffffffff) | (gpr(RCX) << 32);
  const host = alignedOrZero(probeWrite(address, 8), 8);
  let old: u64;
  if (host) old = atomic.cmpxchg<u64>(host, expected, replacement);
  else {
    enterExclusive();
    old = rmwReadSlow(address, 8);
    if (!fault) {
      store<u64>(cpu, old == expected ? replacement : old, CPU_SCRATCH);
      writeBytes(address, cpu + CPU_SCRATCH, 8);
    }
    leaveExclusive();
    if (fault) return;
  }
  if (old != expected) {
    setGpr(RAX, old & 0xffffffff);
    setGpr(RDX, old >> 32);
  }
  setZero(u32(old == expected));
}

/** Without LOCK other processors may come between; doing it atomically all the same is allowed. */
export function cmpxchg8b(address: u64): void { compareExchange8(address); }
export function cmpxchg8bLocked(address: u64): void { compareExchange8(address); }

/** 16 bytes have no WebAssembly atomic: they exclude each other by the VM's lock. */
function compareExchange16(address: u64): void {
  if (address & 15) return raiseError(GP, 0);
  enterExclusive();
  const low = rmwReadSlow(address, 8);
  const high = fault ? 0 : rmwReadSlow(address + 8, 8);
  if (fault) {
    leaveExclusive();
    return;
  }
  const equal = low == gpr(RAX) && high == gpr(RDX);
  store<u64>(cpu, equal ? gpr(RBX) : low, CPU_SCRATCH);
  store<u64>(cpu, equal ? gpr(RCX) : high, CPU_SCRATCH + 8);
  writeBytes(address, cpu + CPU_SCRATCH, 16);
  leaveExclusive();
  if (fault) return;
  if (!equal) {
    setGpr(RAX, low);
    setGpr(RDX, high);
  }
  setZero(u32(equal));
}
export function cmpxchg16b(address: u64): void { compareExchange16(address); }
export function cmpxchg16bLocked(address: u64): void { compareExchange16(address); }
