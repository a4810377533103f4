// Warm starts: what was hot in an earlier run (docs/decisions/0022). The traces that regions are made of are noted in a table that
// the user side keeps from one run to the next. One that is noted there begins warm, so that its region is made earlier. All of it is
// hints: a wrong one costs a region that was not worth it.
import { PROFILE_SOONER, VM_JIT_PROFILE, VM_JIT_THRESHOLD, VM_PROFILE, VM_PROFILE_ENTRIES, VM_PROFILE_ENTRY_SIZE, VM_PROFILE_MAX, VM_PROFILE_USED } from "../layout";
import { R_BASE, R_INDEX, R_LENGTH, R_OP, R_R0, R_R1, R_SUB, RECORD_SIZE, T_COUNT, T_GPA, T_MODE, T_RECORDS } from "../decode/record";
import { writeRecipe } from "./recipes";
import { isForced } from "./heat";

// An entry: u32 key (0: free), u16 what the trace was, u16 how often it was met in this run, u32 the recipe of its region (0: none).
const KEY: usize = 0;
const KIND: usize = 4;
const MET: usize = 6;
const RECIPE: usize = 8;

/** Code that was written over: no region of it lasts. */
const WRITTEN: u32 = 0;
/** Part of a region. */
const PART: u32 = 1;
/** The head of a region. */
const HEAD: u32 = 2;

/** A head waits for this part of the threshold until its region is made as an earlier run made it. */
const AT_ONCE: u32 = 60;
/** For this one where that cannot be: the paths of its loop are to have been taken, so that they are in its region. */
const EARLY: u32 = 12;
/** This part of the threshold has the others taken in (blocks.ts leaves out what has less than half of it), and none of them begin a region. */
const WARM: u32 = 8;
/** How often in a run the traces of an entry are expected to become hot: code that is made again and again is not. */
const MET_MAX: u32 = 8;

/** Whether traces are looked up and noted: not where everything is translated that is executed. */
export function isProfiled(): bool {
  return load<u32>(VM_JIT_PROFILE) != 0 && !isForced();
}

/** Whether regions are made sooner than they would be without a profile. */
export function isSooner(): bool {
  return load<u32>(VM_JIT_PROFILE) == PROFILE_SOONER;
}

/** Names a trace by what a later run finds again wherever the code was loaded to: its place in the page, its mode, and its
 * instructions without immediates and displacements, which relocation changes. */
export function keyOf(trace: usize): u32 {
  let key = (load<u32>(trace, T_GPA) & 0xfff) | (<u32>load<u16>(trace, T_MODE) << 12);
  const end = trace + T_RECORDS + <usize>load<u16>(trace, T_COUNT) * RECORD_SIZE;
  for (let rec = trace + T_RECORDS; rec < end; rec += RECORD_SIZE) {
    key = mixed(key, <u32>load<u16>(rec, R_OP) | (<u32>load<u16>(rec, R_SUB) << 16));
    key = mixed(key, <u32>load<u8>(rec, R_R0) | (<u32>load<u8>(rec, R_R1) << 8) | (<u32>load<u8>(rec, R_BASE) << 16) | (<u32>load<u8>(rec, R_INDEX) << 24));
    key = mixed(key, load<u8>(rec, R_LENGTH));
  }
  return key ? key : 1;
}

// @ts-ignore: decorator
@inline function mixed(key: u32, value: u32): u32 {
  return rotl<u32>((key ^ value) * 0x9e3779b1, 15);
}

// @ts-ignore: decorator
@inline function entryAt(index: u32): usize {
  return VM_PROFILE + <usize>((index & (VM_PROFILE_ENTRIES - 1)) * VM_PROFILE_ENTRY_SIZE);
}

/** The entry of a key, or the free one where it goes: there is always one (VM_PROFILE_MAX). */
function entryOf(key: u32): usize {
  let index = key;
  let entry = entryAt(index);
  while (load<u32>(entry, KEY) != key && load<u32>(entry, KEY)) entry = entryAt(++index);
  return entry;
}

/** Heat that a new trace begins with: how often it is to be entered before it is translated. */
export function expectedHeat(trace: usize): u32 {
  const threshold = load<u32>(VM_JIT_THRESHOLD);
  const entry = entryOf(keyOf(trace));
  const met = <u32>load<u16>(entry, MET);
  if (!load<u32>(entry, KEY) || met >= MET_MAX) return threshold;
  store<u16>(entry, <u16>(met + 1), MET);
  const kind = <u32>load<u16>(entry, KIND);
  if (kind == HEAD) return load<u32>(entry, RECIPE) ? max(threshold / AT_ONCE, 2) : heatOfHead();
  return kind == PART ? threshold - threshold / WARM : threshold;
}

/** Heat of a head whose region is not to be made as an earlier run made it. */
export function heatOfHead(): u32 {
  return max(load<u32>(VM_JIT_THRESHOLD) / EARLY, 2);
}

/** What the region was made of that began with a trace in an earlier run, as an offset in VM_RECIPES; 0: it is not known. */
export function recipeOf(trace: usize): u32 {
  return load<u32>(entryOf(keyOf(trace)), RECIPE);
}

/** Notes what the region that begins with a trace has been made of. */
export function noteRecipe(trace: usize): void {
  const entry = entryOf(keyOf(trace));
  if (load<u32>(entry, KEY)) store<u32>(entry, writeRecipe(load<u32>(entry, RECIPE)), RECIPE);
}

/** Notes a trace that becomes part of a region. */
export function noteHot(trace: usize, isHead: bool): void {
  const key = keyOf(trace);
  const entry = entryOf(key);
  if (!load<u32>(entry, KEY)) {
    const used = load<u32>(VM_PROFILE_USED);
    if (used >= <u32>VM_PROFILE_MAX) return;
    store<u32>(VM_PROFILE_USED, used + 1);
    store<u32>(entry, key, KEY);
    store<u16>(entry, <u16>PART, KIND);
    store<u16>(entry, 1, MET);
  }
  if (isHead && <u32>load<u16>(entry, KIND) == PART) store<u16>(entry, <u16>HEAD, KIND);
}

/** The region that begins with a trace was not the right one: another begins elsewhere. */
export function forgetHead(trace: usize): void {
  const entry = entryOf(keyOf(trace));
  if (!load<u32>(entry, KEY) || <u32>load<u16>(entry, KIND) != HEAD) return;
  store<u16>(entry, <u16>PART, KIND);
  store<u32>(entry, 0, RECIPE);
}

/** Notes that the code of a trace is written over. */
export function noteWritten(trace: usize): void {
  const entry = entryOf(keyOf(trace));
  if (load<u32>(entry, KEY)) store<u16>(entry, <u16>WRITTEN, KIND);
}
