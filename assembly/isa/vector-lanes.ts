// What errors in a vector can show: which of its bytes anything depends on, as an MMX instruction works on sixteen and keeps
// eight, and whether its halves are alike.
import { argumentsOf } from "./masks.ts";
import type { MicroOp, Value } from "./micro-op.ts";

/** A bit for each byte of a vector. */
type Bytes = number;
const ALL: Bytes = 0xffff;

/** Each lane of the result comes from the operands' lanes in the same place. */
const LANE_BY_LANE =
  /^(i8x16|i16x8|i32x4|i64x2)\.(add|sub|mul|eq|ne|[lg][te]_[su]|min_[su]|max_[su]|(add|sub)_sat_[su]|avgr_u|abs|neg|q15mulr_sat_s)$/;
/** Each lane comes from lanes half as wide, of the lower or the upper half. */
const WIDENING = /^(i16x8|i32x4|i64x2)\.ext(?:end|mul)_(low|high)_/;
const EXTRACTION = /^(i8x16|i16x8|i32x4|i64x2)\.extract_lane/;
const LANE_BYTES: Readonly<Record<string, number>> = { i8x16: 1, i16x8: 2, i32x4: 4, i64x2: 8 };

/** The bytes of a vector that a variant's effects depend on; `all`: its steps, with those inside others. */
export function demandedBytes(vector: Value, all: readonly MicroOp[]): Bytes {
  let bytes = 0;
  for (const step of all) if (argumentsOf(step).includes(vector)) bytes |= demandedBy(step, vector, all);
  return bytes;
}

function demandedBy(step: MicroOp, vector: Value, all: readonly MicroOp[]): Bytes {
  if (step.op !== "simd") return ALL;
  const { name, args } = step;
  const extraction = EXTRACTION.exec(name);
  if (extraction) {
    const size = LANE_BYTES[extraction[1]!]!;
    return laneMask(size) << (size * (args[1] as number));
  }
  if (name === "i8x16.shuffle") {
    const wanted = demandedBytes(step, all);
    let bytes = 0;
    args.slice(2).forEach((from, to) => {
      if (((wanted >> to) & 1) === 0) return;
      if (args[(from as number) >> 4] === vector) bytes |= 1 << ((from as number) & 15);
    });
    return bytes;
  }
  if (/^v128\.(and|or|xor|andnot|not)$/.test(name)) return demandedBytes(step, all);
  const same = LANE_BY_LANE.exec(name);
  if (same) return wholeLanes(demandedBytes(step, all), LANE_BYTES[same[1]!]!);
  const widening = WIDENING.exec(name);
  if (widening) return halfLanes(demandedBytes(step, all), LANE_BYTES[widening[1]!]!, widening[2] === "high");
  return ALL;
}

const laneMask = (size: number): Bytes => (1 << size) - 1;

function wholeLanes(bytes: Bytes, size: number): Bytes {
  let whole = 0;
  for (let at = 0; at < 16; at += size) {
    const lane = laneMask(size) << at;
    if (bytes & lane) whole |= lane;
  }
  return whole;
}

/** Lanes of half of `size` that lanes of `size` are made of. */
function halfLanes(bytes: Bytes, size: number, upper: boolean): Bytes {
  let halves = 0;
  for (let at = 0; at < 16; at += size) {
    if (bytes & (laneMask(size) << at)) halves |= laneMask(size / 2) << (at / 2 + (upper ? 8 : 0));
  }
  return halves;
}

/** True for a vector whose upper half is its lower half again, as far as that can be seen from how it was made. */
export function hasEqualHalves(vector: Value): boolean {
  const step = vector as MicroOp;
  if (step.op !== "simd") return false;
  const { name, args } = step;
  if (name === "i8x16.shuffle") return args.slice(2, 10).every((lane, i) => lane === args[10 + i]);
  return name.endsWith(".splat") || (name.includes(".narrow_") && args[0] === args[1]);
}
