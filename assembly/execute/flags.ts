// Lazy status flags: the last operation's kind and operands are kept, the flags are computed when somebody looks.
//
// CC_OP is (kind << 2) | log2(width in bytes). With CC_CARRIED, CF and OF are its bits 8 and 9 whatever the operation was:
// rotates and bit tests leave the other flags as they were. Operands are left-aligned in 64 bits, so that sign, zero and carry
// do not depend on the width. CPU_EFLAGS holds all other flags. SDM volume 1, section 3.4.3.
import { cpu, FLAG_AF, FLAG_CF, FLAG_DF, FLAG_IF, FLAG_OF, FLAG_PF, FLAG_SF, FLAG_TF, FLAG_ZF, FLAGS_STATUS } from "../cpu";
import { CPU_CC_DST, CPU_CC_OP, CPU_CC_SRC, CPU_EFLAGS } from "../layout";
import { interruptsEnabled, requestSlice } from "./request";

// Kinds, in the order of FLAG_KINDS in isa/micro-op.ts; 0: CC_SRC holds the flags themselves.
const CC_FLAGS: u32 = 0;
const CC_ADD: u32 = 1;
const CC_ADC1: u32 = 2;
const CC_SUB: u32 = 3;
const CC_SBB1: u32 = 4;
const CC_LOGIC: u32 = 5;
const CC_INC: u32 = 6;
const CC_DEC: u32 = 7;
const CC_SHL: u32 = 8;
const CC_SHR: u32 = 9;
const CC_MUL: u32 = 10;

const CC_CARRIED: u32 = 0x40;
const CC_CARRY: u32 = 8;
const CC_OVERFLOW: u32 = 9;
/** What is left of CC_OP where CC_CARRIED does not count. */
const CC_OPERATION: u32 = 0x3f;

// @ts-ignore: decorator
@inline function op(): u32 { return load<u32>(cpu, CPU_CC_OP); }
/** Kind where CF and OF follow from it too; else no kind. */
// @ts-ignore: decorator
@inline function kind(): u32 { return op() >> 2; }
/** Kind that the other flags follow from. */
// @ts-ignore: decorator
@inline function baseKind(): u32 { return (op() & CC_OPERATION) >> 2; }
// @ts-ignore: decorator
@inline function dst(): u64 { return load<u64>(cpu, CPU_CC_DST); }
// @ts-ignore: decorator
@inline function src(): u64 { return load<u64>(cpu, CPU_CC_SRC); }
/** How far operands of the noted width are shifted left. */
// @ts-ignore: decorator
@inline function alignment(): u64 { return 64 - (8 << <u64>(load<u32>(cpu, CPU_CC_OP) & 3)); }

/** Result of the noted operation, left-aligned. */
function result(): u64 {
  const k = baseKind();
  if (k == CC_SUB) return dst() - src();
  if (k == CC_SBB1) return dst() - src() - ((<u64>1) << alignment());
  return dst();
}

function carrySlow(): u32 {
  if (op() & CC_CARRIED) return (op() >> CC_CARRY) & 1;
  switch (kind()) {
    case CC_FLAGS: return <u32>src() & 1;
    case CC_ADD: return u32(dst() < src());
    case CC_ADC1: return u32(dst() <= src());
    case CC_SUB: return u32(dst() < src());
    case CC_SBB1: return u32(dst() <= src());
    case CC_LOGIC: return 0;
    case CC_INC:
    case CC_DEC:
    case CC_MUL: return <u32>src();
    case CC_SHL: return <u32>(src() >> 63);
    default: return <u32>(src() >> alignment()) & 1;
  }
}

function overflowSlow(): u32 {
  if (op() & CC_CARRIED) return (op() >> CC_OVERFLOW) & 1;
  const d = dst();
  const s = src();
  switch (kind()) {
    case CC_FLAGS: return u32((<u32>s & FLAG_OF) != 0);
    case CC_ADD: return <u32>((((d - s) ^ d) & (s ^ d)) >> 63);
    case CC_ADC1: return <u32>((((d - s - ((<u64>1) << alignment())) ^ d) & (s ^ d)) >> 63);
    case CC_SUB: return <u32>(((d ^ s) & (d ^ (d - s))) >> 63);
    case CC_SBB1: return <u32>(((d ^ s) & (d ^ result())) >> 63);
    case CC_LOGIC: return 0;
    case CC_INC: return u32(d == 0x8000000000000000);
    case CC_DEC: return u32(d + ((<u64>1) << alignment()) == 0x8000000000000000);
    case CC_MUL: return <u32>s;
    default: return <u32>((s ^ d) >> 63);
  }
}

function zeroSlow(): u32 {
  return baseKind() == CC_FLAGS ? u32((<u32>src() & FLAG_ZF) != 0) : u32(result() == 0);
}

function signSlow(): u32 {
  return baseKind() == CC_FLAGS ? u32((<u32>src() & FLAG_SF) != 0) : <u32>(result() >> 63);
}

function parity(): u32 {
  if (baseKind() == CC_FLAGS) return u32((<u32>src() & FLAG_PF) != 0);
  return 1 ^ (popcnt<u32>(<u32>(result() >> alignment()) & 0xff) & 1);
}

function adjust(): u32 {
  const shift = alignment();
  const d = <u32>(dst() >> shift);
  const s = <u32>(src() >> shift);
  switch (baseKind()) {
    case CC_FLAGS: return u32((<u32>src() & FLAG_AF) != 0);
    case CC_ADD: return (((d - s) ^ s ^ d) >> 4) & 1;
    case CC_ADC1: return (((d - s - 1) ^ s ^ d) >> 4) & 1;
    case CC_SUB: return ((d ^ s ^ (d - s)) >> 4) & 1;
    case CC_SBB1: return ((d ^ s ^ (d - s - 1)) >> 4) & 1;
    case CC_INC: return u32((d & 15) == 0);
    case CC_DEC: return u32((d & 15) == 15);
    default: return 0;
  }
}

// ---------------------------------------------------------------- the sixteen conditions
// Comparisons and logic operations are answered in line; they are nearly all that is asked for.
// @ts-ignore: decorator
@inline export function condition0(): u32 { return overflowSlow(); }
// @ts-ignore: decorator
@inline export function condition2(): u32 { return kind() == CC_SUB ? u32(dst() < src()) : carrySlow(); }
// @ts-ignore: decorator
@inline export function condition4(): u32 { const k = kind(); return k == CC_SUB ? u32(dst() == src()) : k == CC_LOGIC ? u32(dst() == 0) : zeroSlow(); }
// @ts-ignore: decorator
@inline export function condition6(): u32 { return kind() == CC_SUB ? u32(dst() <= src()) : carrySlow() | zeroSlow(); }
// @ts-ignore: decorator
@inline export function condition8(): u32 { return kind() == CC_LOGIC ? <u32>(dst() >> 63) : signSlow(); }
// @ts-ignore: decorator
@inline export function condition10(): u32 { return parity(); }
// @ts-ignore: decorator
@inline export function condition12(): u32 { const k = kind(); return k == CC_SUB ? u32(<i64>dst() < <i64>src()) : k == CC_LOGIC ? <u32>(dst() >> 63) : signSlow() ^ overflowSlow(); }
// @ts-ignore: decorator
@inline export function condition14(): u32 { const k = kind(); return k == CC_SUB ? u32(<i64>dst() <= <i64>src()) : k == CC_LOGIC ? u32(<i64>dst() <= 0) : zeroSlow() | (signSlow() ^ overflowSlow()); }
// @ts-ignore: decorator
@inline export function condition1(): u32 { return condition0() ^ 1; }
// @ts-ignore: decorator
@inline export function condition3(): u32 { return condition2() ^ 1; }
// @ts-ignore: decorator
@inline export function condition5(): u32 { return condition4() ^ 1; }
// @ts-ignore: decorator
@inline export function condition7(): u32 { return condition6() ^ 1; }
// @ts-ignore: decorator
@inline export function condition9(): u32 { return condition8() ^ 1; }
// @ts-ignore: decorator
@inline export function condition11(): u32 { return condition10() ^ 1; }
// @ts-ignore: decorator
@inline export function condition13(): u32 { return condition12() ^ 1; }
// @ts-ignore: decorator
@inline export function condition15(): u32 { return condition14() ^ 1; }

/** Condition `code` of Jcc. */
export function conditionOf(code: u32): u32 {
  let met: u32;
  switch (code >> 1) {
    case 0: met = condition0(); break;
    case 1: met = condition2(); break;
    case 2: met = condition4(); break;
    case 3: met = condition6(); break;
    case 4: met = condition8(); break;
    case 5: met = condition10(); break;
    case 6: met = condition12(); break;
    default: met = condition14(); break;
  }
  return met ^ (code & 1);
}

// ---------------------------------------------------------------- RFLAGS as a whole
/** PF, ZF and SF of a left-aligned result. */
// @ts-ignore: decorator
@inline function flagsOfResult(value: u64): u32 {
  const odd = popcnt<u32>(<u32>(value >> alignment()) & 0xff) & 1;
  return ((odd ^ 1) << 2) | (u32(value == 0) << 6) | (<u32>(value >> 63) << 7);
}

/** CF, PF, AF, ZF, SF and OF in RFLAGS layout. Comparisons and logic operations are most of what a system call meets. */
export function statusFlags(): u32 {
  const k = kind();
  if (k == CC_FLAGS) return <u32>src();
  if (k == CC_LOGIC) return flagsOfResult(dst());
  if (k == CC_SUB) {
    const d = dst();
    const s = src();
    const r = d - s;
    const half = <u32>((d ^ s ^ r) >> alignment()) & FLAG_AF;
    return flagsOfResult(r) | u32(d < s) | half | (<u32>(((d ^ s) & (d ^ r)) >> 63) << 11);
  }
  return carrySlow() | (parity() << 2) | (adjust() << 4) | (zeroSlow() << 6) | (signSlow() << 7) | (overflowSlow() << 11);
}

/** Sets the six status flags from a value in RFLAGS layout. */
export function setStatusFlags(value: u32): void {
  store<u32>(cpu, CC_FLAGS << 2, CPU_CC_OP);
  store<u64>(cpu, value & FLAGS_STATUS, CPU_CC_SRC);
}

/** RFLAGS, bits 0 to 31. */
export function getFlags(): u32 {
  return load<u32>(cpu, CPU_EFLAGS) | statusFlags();
}

/** Sets RFLAGS as given; bit 1 is always set, bits 3, 5, 15 and those above 21 never. No privilege is looked at. */
export function setFlags(value: u32): void {
  setStatusFlags(value);
  store<u32>(cpu, (value & 0x3f7fd5 & ~FLAGS_STATUS) | 2, CPU_EFLAGS);
  if (value & FLAG_TF) requestSlice();
  else if (value & FLAG_IF) interruptsEnabled();
}

function setCarry(bit: u32): void {
  setCarryOverflow(bit, overflowSlow());
}

export function setZero(bit: u32): void {
  setStatusFlags((statusFlags() & ~FLAG_ZF) | (bit << 6));
}

/** CF and OF become these, 0 or 1; the other flags stay. */
export function setCarryOverflow(carry: u32, overflow: u32): void {
  store<u32>(cpu, (op() & CC_OPERATION) | CC_CARRIED | (carry << CC_CARRY) | (overflow << CC_OVERFLOW), CPU_CC_OP);
}

export function clc(): void { setCarry(0); }
export function stc(): void { setCarry(1); }
export function cmc(): void { setCarry(carrySlow() ^ 1); }
export function cld(): void { store<u32>(cpu, load<u32>(cpu, CPU_EFLAGS) & ~FLAG_DF, CPU_EFLAGS); }
export function std(): void { store<u32>(cpu, load<u32>(cpu, CPU_EFLAGS) | FLAG_DF, CPU_EFLAGS); }

/** LAHF: AH = SF ZF 0 AF 0 PF 1 CF. */
export function lahf(): void {
  store<u8>(cpu, <u8>(statusFlags() & 0xff) | 2, 1);
}

/** SAHF: SF, ZF, AF, PF and CF from AH; OF stays. */
export function sahf(): void {
  setStatusFlags((statusFlags() & FLAG_OF) | (load<u8>(cpu, 1) & 0xd5));
}

/** SALC, undocumented: AL becomes 0xff if CF is set, else 0. */
export function salc(): void {
  store<u8>(cpu, <u8>(0 - carrySlow()));
}

