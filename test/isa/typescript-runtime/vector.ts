// 128-bit values: offsets of temporaries in a buffer of their own (negative, to tell them from host addresses).
import { CPU_X87, CPU_XMM, TLB_READ } from "../../../assembly/layout.ts";
import { addressOf, alignedAddressOf } from "./address.ts";
import { c, call, fault, high, join, U8, view, wide } from "./machine.ts";
import { probe } from "./memory.ts";
import { R_R0, R_R1, R_R2 } from "./record.ts";

const SLOTS = [R_R0, R_R1, R_R2];
const temporaries = new Uint8Array(64 * 16);
let next = 0;

/** A fresh temporary; they are handed out in turn, and no case holds sixty-four of them. */
function temporary(): number {
  next = (next + 1) & 63;
  return next * 16;
}

/** Host address of the bytes of a memory operand; may fault. */
export function memoryOperand(pc: number, _slot: number, bytes: number, aligned: boolean): number {
  const low = aligned ? alignedAddressOf(pc, bytes, false, 0, 0) : addressOf(pc, bytes, false, 0, 0);
  const upper = high;
  if (fault) return 0;
  if (aligned && !call("execute_vector_registers_aligned16", join(low, upper))) return 0;
  return (
    probe(low, upper, bytes, TLB_READ) ||
    (call("execute_vector_memory_vectorReadSlow", join(low, upper), bytes) as number)
  );
}

export const xmm = (pc: number, slot: number): number => c + CPU_XMM + U8[pc + SLOTS[slot]!]! * 32;
export const mmx = (pc: number, slot: number): number => c + CPU_X87 + U8[pc + SLOTS[slot]!]! * 16;

export const vload32 = (at: number): number => view.getInt32(at, true);
export const vload64 = (at: number): number => wide(view.getInt32(at, true), view.getInt32(at + 4, true));

export function vload128(at: number): number {
  const to = temporary();
  temporaries.set(U8.subarray(at, at + 16), to);
  return to;
}

export function vstore32(at: number, value: number): void {
  view.setInt32(at, value, true);
}

export function vstore64(at: number, value: number, upper: number): void {
  view.setInt32(at, value, true);
  view.setInt32(at + 4, upper, true);
}

export function vstore128(at: number, value: number): void {
  U8.set(temporaries.subarray(value, value + 16), at);
}

export function i8x16_splat(value: number): number {
  const to = temporary();
  temporaries.fill(value, to, to + 16);
  return to;
}

const halves = new DataView(temporaries.buffer);

export function i32x4_splat(value: number): number {
  const to = temporary();
  for (let i = 0; i < 16; i += 4) halves.setInt32(to + i, value, true);
  return to;
}

export function i64x2_extract_lane(a: number, lane: number): number {
  return wide(halves.getInt32(a + lane * 8, true), halves.getInt32(a + lane * 8 + 4, true));
}

export function i64x2_replace_lane(a: number, lane: number, low: number, upper: number): number {
  const to = temporary();
  temporaries.copyWithin(to, a, a + 16);
  halves.setInt32(to + lane * 8, low, true);
  halves.setInt32(to + lane * 8 + 4, upper, true);
  return to;
}

export function i8x16_swizzle(a: number, indices: number): number {
  const to = temporary();
  for (let i = 0; i < 16; i++) {
    const from = temporaries[indices + i]!;
    temporaries[to + i] = from < 16 ? temporaries[a + from]! : 0;
  }
  return to;
}

function bitwise(a: number, b: number, of: (x: number, y: number) => number): number {
  const to = temporary();
  for (let i = 0; i < 16; i++) temporaries[to + i] = of(temporaries[a + i]!, temporaries[b + i]!);
  return to;
}

export const v128_and = (a: number, b: number): number => bitwise(a, b, (x, y) => x & y);
export const v128_or = (a: number, b: number): number => bitwise(a, b, (x, y) => x | y);
export const v128_xor = (a: number, b: number): number => bitwise(a, b, (x, y) => x ^ y);
