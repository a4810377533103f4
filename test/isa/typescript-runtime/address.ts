// Memory operands: the sum of flat 64-bit code on halves, everything else by the core.

import { c, call, high, I32, join, split, U8, wide } from "./machine.ts";
import { R_BASE, R_DISP, R_EA, R_INDEX, R_SCALE, R_SEGMENT } from "./record.ts";

function plus(low: number, upper: number, at: number, scale: number): number {
  const a = (c + at) >> 2;
  const x = I32[a]! << scale;
  const xh = scale ? (I32[a + 1]! << scale) | (I32[a]! >>> (32 - scale)) : I32[a + 1]!;
  const sum = (low + x) | 0;
  return wide(sum, upper + xh + (sum >>> 0 < x >>> 0 ? 1 : 0));
}

function checked(helper: string, pc: number, bytes: number, write: boolean, delta: bigint): number {
  return split(call(helper, pc, bytes, write ? 1 : 0, delta) as bigint);
}

/** Linear address of the record's memory operand, displaced; may fault. */
export function addressOf(pc: number, bytes: number, write: boolean, deltaLow: number, deltaHigh: number): number {
  if (U8[pc + R_EA]) return checked("execute_address_addressChecked", pc, bytes, write, join(deltaLow, deltaHigh));
  const offset = offsetOf(pc);
  const linear = plus(offset, high, U8[pc + R_SEGMENT]!, 0);
  const sum = (linear + deltaLow) | 0;
  return wide(sum, high + deltaHigh + (sum >>> 0 < deltaLow >>> 0 ? 1 : 0));
}

/** As addressOf(), where an address off a 16-byte boundary faults before its segment is looked at. */
export function alignedAddressOf(pc: number, bytes: number, write: boolean, low: number, upper: number): number {
  if (U8[pc + R_EA]) return checked("execute_vector_memory_alignedChecked", pc, bytes, write, join(low, upper));
  return addressOf(pc, bytes, write, low, upper);
}

/** Offset of the record's memory operand in its segment. */
export function offsetOf(pc: number): number {
  if (U8[pc + R_EA]) return split(call("execute_address_offsetChecked", pc) as bigint);
  const displacement = I32[(pc + R_DISP) >> 2]!;
  const withBase = plus(displacement, displacement >> 31, U8[pc + R_BASE]!, 0);
  return plus(withBase, high, U8[pc + R_INDEX]!, U8[pc + R_SCALE]!);
}
