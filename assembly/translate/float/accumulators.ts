// Sums and products that a loop of one block goes on with: XMM registers that its instructions write with nothing but results of
// doubles in which their old values are. In front of the loop it is asked once whether they are ordinary (ordinary.ts), as results are known
// to be. They mostly begin as 0, which within the loop would be looked at by code that is meant for what hardly ever happens.
import { RECORD_SIZE } from "../../decode/record";
import { MICRO_END, MICRO_WHEN } from "../../generated/micro-ops";
import { B_COUNT, B_DELTA, B_KNOWN_IN, firstRecord } from "../blocks";
import { HOW_INLINE, howTo } from "../cases";
import { writtenBy } from "../flow";
import { atInstruction } from "../leave";
import { freeTemps, vectorLocal } from "../locals";
import { FLAGS_DYNAMIC, setKnownFlags, usesFloats, VECTORS } from "../state";
import { listOf, nextStep, opcodeOf, stepsOf } from "../steps";
import { usedSlots } from "../x87/plan";
import { beginChecks, endChecks } from "./checks";
import { COMPUTES_PACKED, COMPUTES_SCALAR, kindOf, lanesOf } from "./group";
import { setWide } from "./operations";
import { DOUBLE_HIGH, DOUBLE_LOW, noteOrdinary } from "./ordinary";
import { needOrdinaryLanes } from "./packed";

/** The block whose loop has been asked for, and the registers whose lower lanes, and both of whose lanes, are ordinary in it. */
let asked: usize = 0;
let lower: u32 = 0;
let both: u32 = 0;

/** Begins a region. */
export function beginAccumulators(): void {
  asked = 0;
}

/** In front of the loop of block `b`, with all registers in the vCPU. */
export function askAccumulators(b: usize): void {
  asked = 0;
  if (!usesFloats || usedSlots) return;
  find(b);
  if (!lower) return;
  asked = b;
  freeTemps();
  setWide(true);
  const known = load<i32>(b, B_KNOWN_IN);
  setKnownFlags(known >= 0 ? known : FLAGS_DYNAMIC);
  atInstruction(load<i32>(b, B_DELTA), 0);
  beginChecks();
  for (let i: u32 = 0; i < 16; i++) {
    if ((lower >> i) & 1) needOrdinaryLanes(lanesOf(vectorLocal(i), ((both >> i) & 1) != 0));
  }
  endChecks();
}

/** Where block `b` begins: what has been asked for its loop is known. */
export function knowAccumulators(b: usize): void {
  if (b != asked) return;
  for (let i: u32 = 0; i < 16; i++) {
    if ((lower >> i) & 1) noteOrdinary(DOUBLE_LOW, i);
    if ((both >> i) & 1) noteOrdinary(DOUBLE_HIGH, i);
  }
}

function find(b: usize): void {
  let scalar: u32 = 0;
  let packed: u32 = 0;
  let other: u32 = 0;
  lower = 0;
  let rec = firstRecord(b);
  for (let n = load<u32>(b, B_COUNT); n > 0; n--, rec += RECORD_SIZE) {
    if (howTo(rec) != HOW_INLINE || isConditional(rec)) return;
    const writes = writtenBy(rec) >> VECTORS;
    const kind = kindOf(rec);
    if (kind == COMPUTES_SCALAR) scalar |= writes;
    else if (kind == COMPUTES_PACKED) packed |= writes;
    else other |= writes;
  }
  lower = (scalar | packed) & ~other;
  both = packed & ~scalar & ~other;
}

/** Whether some of an instruction may not be executed, behind which nothing is known. */
function isConditional(rec: usize): bool {
  for (let at = stepsOf(listOf(rec)); load<u8>(at) != MICRO_END; at = nextStep(at)) if (opcodeOf(at) == MICRO_WHEN) return true;
  return false;
}
