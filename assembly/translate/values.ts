// The values of the instruction being emitted: constants, locals, steps to be computed where they are used, and
// addresses of XMM registers, which have no address while they are locals.
import { cpu } from "../cpu";
import { temp } from "./locals";
import { TR_VALUES } from "./layout";
import { byte, F32, F64, I32, I64, i32const, i64const, localGet, localSet, simdLane, V128 } from "./writer";

// A value: 16 bytes {u16 kind, u16 local, u32 type, i64 constant | u32 step | i64 whether a float is known to be ordinary}.
const VALUE_LOCAL: u32 = 0;
const VALUE_CONST: u32 = 1;
const VALUE_STEP: u32 = 2;
const VALUE_XMM: u32 = 3;
/** The bits of a float in a local of its own type. */
const VALUE_FLOAT: u32 = 4;
/** The lowest lane of a v128 in a local, whose other lanes are 0. */
const VALUE_LANE: u32 = 5;

/** The number of the value that is defined next. */
export let nextValue: u32 = 0;
export function beginValues(): void {
  nextValue = 0;
}
export function skipValue(): void {
  nextValue++;
}

// @ts-ignore: decorator
@inline function valueAt(number: u32): usize {
  return cpu + TR_VALUES + (<usize>number << 4);
}

function define(kind: u32, local: u32, type: u32, value: i64): void {
  const v = valueAt(nextValue++);
  store<u16>(v, <u16>kind);
  store<u16>(v, <u16>local, 2);
  store<u32>(v, type, 4);
  store<i64>(v, value, 8);
}

export function defineConst(value: i64, type: u32): void {
  define(VALUE_CONST, 0, type, type == I64 ? value : <i64><i32>value);
}
/** The value is what the step at `at` computes, once it is asked for. */
export function defineStep(at: usize, type: u32): void {
  define(VALUE_STEP, 0, type, <i64>at);
}
/** The value is the place of XMM register `index`. */
export function defineXmm(index: u32): void {
  define(VALUE_XMM, 0, I32, <i64>index);
}
/** The value is what is on WebAssembly's stack. Returns its local. */
export function defineLocal(type: u32): u32 {
  const local = temp(type);
  localSet(local);
  define(VALUE_LOCAL, local, type, 0);
  return local;
}

/** The value is the bits of the float on WebAssembly's stack; `ordinary`: it is zero, normal or infinite. */
export function defineFloat(wide: bool, ordinary: bool): void {
  const local = temp(wide ? F64 : F32);
  localSet(local);
  define(VALUE_FLOAT, local, wide ? I64 : I32, i64(ordinary));
}
/** The value is the lowest lane, of 64 or 32 bits, of the v128 on WebAssembly's stack, whose other lanes are 0. */
export function defineLane(wide: bool): void {
  const local = temp(V128);
  localSet(local);
  define(VALUE_LANE, local, wide ? I64 : I32, 0);
}

export function isConst(number: u32): bool {
  return load<u16>(valueAt(number)) == VALUE_CONST;
}
export function constOf(number: u32): i64 {
  return load<i64>(valueAt(number), 8);
}
export function isXmm(number: u32): bool {
  return load<u16>(valueAt(number)) == VALUE_XMM;
}
/** Number of the XMM register, or address of the step. */
export function xmmOf(number: u32): u32 {
  return load<u32>(valueAt(number), 8);
}
export function isStep(number: u32): bool {
  return load<u16>(valueAt(number)) == VALUE_STEP;
}
export function stepOf(number: u32): usize {
  return load<u32>(valueAt(number), 8);
}
export function isFloat(number: u32): bool {
  return load<u16>(valueAt(number)) == VALUE_FLOAT;
}
export function isKnownOrdinary(number: u32): bool {
  return isFloat(number) && load<i64>(valueAt(number), 8) != 0;
}
export function isLane(number: u32): bool {
  return load<u16>(valueAt(number)) == VALUE_LANE;
}
/** Local of a value that is a float, or the lane of a v128. */
export function floatLocal(number: u32): u32 {
  return load<u16>(valueAt(number), 2);
}
/** Type of a value, that of the bits where it is a float. */
export function typeOf(number: u32): u32 {
  return load<u32>(valueAt(number), 4);
}
/** Puts a value that is a constant or in a local on WebAssembly's stack, a float as its bits. */
export function pushKnown(number: u32): void {
  const v = valueAt(number);
  const wide = load<u32>(v, 4) == I64;
  switch (<u32>load<u16>(v)) {
    case VALUE_LOCAL: return localGet(load<u16>(v, 2));
    case VALUE_FLOAT:
      localGet(load<u16>(v, 2));
      byte(wide ? 0xbd : 0xbc);
      return;
    case VALUE_LANE:
      localGet(load<u16>(v, 2));
      return simdLane(wide ? 0x1d : 0x1b, 0);
    default:
      if (wide) i64const(load<i64>(v, 8));
      else i32const(load<i32>(v, 8));
  }
}
