// PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM. SDM volume 1, 4.1: an aggregation of comparisons of all elements of one
// string with those of another, here a bit mask over the elements of the second.
import { CPU_SCRATCH2 } from "../../layout";
import { cpu, FLAG_CF, FLAG_OF, FLAG_SF, FLAG_ZF } from "../../cpu";
import { setStatusFlags } from "../flags";
import { xmmAddress } from "../vector-registers";

// The immediate: elements, aggregation, polarity, output.
const WORDS: u32 = 1;
const SIGNED: u32 = 2;
const RANGES: u32 = 1;
const EQUAL_EACH: u32 = 2;
const EQUAL_ORDERED: u32 = 3;
const NEGATE: u32 = 0x10;
const VALID_ONLY: u32 = 0x20;
const LAST_OR_EXPAND: u32 = 0x40;

// @ts-ignore: decorator
@inline function elements(how: u32): u32 { return how & WORDS ? 8 : 16; }

/** One bit an element: the lanes of a comparison's result. */
// @ts-ignore: decorator
@inline function bits(lanes: v128, how: u32): u32 {
  return how & WORDS ? i16x8.bitmask(lanes) : i8x16.bitmask(lanes);
}

/** Element `i` of the first string in every lane. */
// @ts-ignore: decorator
@inline function everywhere(first: usize, i: u32, how: u32): v128 {
  return how & WORDS ? i16x8.splat(load<i16>(first + (i << 1))) : i8x16.splat(load<i8>(first + i));
}

// @ts-ignore: decorator
@inline function equal(x: v128, y: v128, how: u32): u32 {
  return bits(how & WORDS ? i16x8.eq(x, y) : i8x16.eq(x, y), how);
}

/** Lanes of x that are not below those of y. */
function notBelow(x: v128, y: v128, how: u32): u32 {
  switch (how & (WORDS | SIGNED)) {
    case 0: return bits(i8x16.ge_u(x, y), how);
    case WORDS: return bits(i16x8.ge_u(x, y), how);
    case SIGNED: return bits(i8x16.ge_s(x, y), how);
    default: return bits(i16x8.ge_s(x, y), how);
  }
}

/** Elements before the first that is 0. */
function lengthOf(x: v128, how: u32): u32 {
  const n = elements(how);
  return min<u32>(ctz<u32>(equal(x, i64x2.splat(0), how)), n);
}

/** A length in a register: its magnitude, at most the number of elements. */
function lengthIn(register: u64, how: u32): u32 {
  const size = <i64>register < 0 ? 0 - register : register;
  return <u32>min<u64>(size, elements(how));
}

/** PCMPISTRx: the mask; sets the flags. */
export function compareImplicit(a: v128, b: v128, how: u32): u32 {
  return compare(a, b, how, lengthOf(a, how), lengthOf(b, how));
}

/** PCMPESTRx: the mask; sets the flags. The lengths are sign-extended. */
export function compareExplicit(a: v128, b: v128, how: u32, lengthA: u64, lengthB: u64): u32 {
  return compare(a, b, how, lengthIn(lengthA, how), lengthIn(lengthB, how));
}

function compare(a: v128, b: v128, how: u32, lengthA: u32, lengthB: u32): u32 {
  const n = elements(how);
  const all: u32 = (1 << n) - 1;
  const validA: u32 = (1 << lengthA) - 1;
  const validB: u32 = (1 << lengthB) - 1;
  const first = cpu + CPU_SCRATCH2;
  const aggregation = (how >> 2) & 3;
  let found: u32 = 0;
  if (aggregation == EQUAL_EACH) {
    // Elements behind both ends are equal.
    found = (equal(a, b, how) & validA & validB) | (all & ~validA & ~validB);
  } else {
    v128.store(first, a);
    if (aggregation == RANGES) {
      for (let i: u32 = 0; i + 1 < lengthA; i += 2) {
        found |= notBelow(b, everywhere(first, i, how), how) & notBelow(everywhere(first, i + 1, how), b, how);
      }
      found &= validB;
    } else if (aggregation == EQUAL_ORDERED) {
      found = all;
      // What lies beyond the end of the second operand may still match.
      for (let i: u32 = 0; i < lengthA; i++) {
        const hits = equal(b, everywhere(first, i, how), how) & validB;
        found &= (hits >> i) | (all << (n - i));
      }
    } else {
      for (let i: u32 = 0; i < lengthA; i++) found |= equal(b, everywhere(first, i, how), how);
      found &= validB;
    }
  }
  if (how & NEGATE) found ^= how & VALID_ONLY ? validB : all;
  setStatusFlags(
    (found ? FLAG_CF : 0) | (lengthB < n ? FLAG_ZF : 0) | (lengthA < n ? FLAG_SF : 0) | (found & 1 ? FLAG_OF : 0),
  );
  return found;
}

/** What PCMPxSTRI leaves in ECX: the number of the first or last set bit, or the number of elements. */
export function indexOf(found: u32, how: u32): u32 {
  if (!found) return elements(how);
  return how & LAST_OR_EXPAND ? 31 - clz(found) : ctz(found);
}

/** What PCMPxSTRM leaves in XMM0: the bits, or an element of ones for each. */
export function writeMask(found: u32, how: u32): void {
  const to = xmmAddress(0);
  if (!(how & LAST_OR_EXPAND)) {
    v128.store(to, i32x4.replace_lane(i32x4.splat(0), 0, found));
    return;
  }
  if (how & WORDS) {
    for (let i: usize = 0; i < 8; i++) store<u16>(to + (i << 1), found >> <u32>i & 1 ? 0xffff : 0);
  } else {
    for (let i: usize = 0; i < 16; i++) store<u8>(to + i, found >> <u32>i & 1 ? 0xff : 0);
  }
}
