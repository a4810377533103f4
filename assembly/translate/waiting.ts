// Where regions are forced: what a trace waits for until it has one. A module costs V8 a millisecond however small it is, so only the
// first of them have a single region each, by which a trace is executed in a region even the first time; a guest that
// goes on for longer has its regions gathered, as few as can be had for a hundredth of its instructions (docs/decisions/0029).
// Tests that execute instructions one by one are for JIT_AT_ONCE.
import { cpu } from "../cpu";
import { T_COUNT, T_FLAGS, T_REGION, T_VALID, TRACE_SEEN, TRACE_WAITS } from "../decode/record";
import { CPU_STATS, JIT_SPARING, STAT_REGION_MODULES, VM_JIT_PACE } from "../layout";
import { TR_BATCH_COUNT, TR_BATCH_INTERPRETED } from "./layout";
import { isAlive } from "./slots";
import { HOT, isForced } from "./heat";

/** As many modules have a single region each. */
const SINGLES: u64 = 1000;
/** Instructions of waiting traces that are interpreted until the batch becomes a module. */
const PATIENCE: u32 = 512;

/** Whether forced regions are gathered by now. */
export function isGathering(): bool {
  return isForced() && load<u32>(VM_JIT_PACE) == JIT_SPARING && load<u64>(cpu + CPU_STATS, STAT_REGION_MODULES << 3) >= SINGLES;
}

/** Whether a trace is met for the first time. It may be the last, and the second time there are traces that its region can take in. */
export function isNew(trace: usize): bool {
  const flags = load<u16>(trace, T_FLAGS);
  store<u16>(trace, <u16>(flags | TRACE_SEEN), T_FLAGS);
  return !(flags & TRACE_SEEN);
}

/** Whether regions of others leave a trace out, as it has one itself. All traces get one here, each with all that it reaches. */
export function isOnItsOwn(trace: usize): bool {
  const slot = load<u32>(trace, T_REGION);
  return slot != 0 && isGathering() && isAlive(slot);
}

/** Has a trace, whose region is in the batch, wait for the module: the dispatcher asks for its region each time. */
export function beginWaiting(trace: usize): void {
  store<u16>(trace, <u16>(load<u16>(trace, T_FLAGS) | TRACE_WAITS), T_FLAGS);
  store<u32>(trace, HOT, T_VALID);
}

/** The trace has a region by now, or begins anew. */
export function endWaiting(trace: usize): void {
  store<u16>(trace, <u16>(load<u16>(trace, T_FLAGS) & ~TRACE_WAITS), T_FLAGS);
}

export function isWaiting(trace: usize): bool {
  return (load<u16>(trace, T_FLAGS) & TRACE_WAITS) != 0;
}

/** Whether a waiting trace is interpreted once more. */
export function goesOnWaiting(trace: usize): bool {
  const interpreted = load<u32>(cpu, TR_BATCH_INTERPRETED) + load<u16>(trace, T_COUNT);
  store<u32>(cpu, interpreted, TR_BATCH_INTERPRETED);
  return load<u32>(cpu, TR_BATCH_COUNT) != 0 && interpreted < PATIENCE;
}
