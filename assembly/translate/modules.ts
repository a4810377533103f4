// Which modules of regions exist, and which make room for others. A module goes as a whole: the engine frees its code
// when the last of its functions has left the table. Called between traces only, when no region is running.
import { count, cpu } from "../cpu";
import { initialHeat } from "./heat";
import { forgetRegionsOfJumps } from "../decode/jumps";
import { arenaEnd, arenaStart, traceAfter } from "../decode/arena";
import { T_FLAGS, T_REGION, T_VALID, TRACE_PAGES } from "../decode/record";
import { discard } from "../host";
import { CPU_STATS, STAT_MODULES_EVICTED, STAT_MODULES_LIVE, STAT_REGIONS_EVICTED, VM_JIT_MODULES } from "../layout";
import { MODULES_MAX, SLOTS_MAX, TR_BODY, TR_MODULES } from "./layout";
import { compactPools } from "./pools";
import { compactPages } from "./regions";
import { clearUsed, FIRST_SLOT, IN_BATCH, isAlive, moduleOf, releaseSlot, setModule, SLOT_ALIVE, SLOT_USED, stateOf } from "./slots";

// Working space, while no region is being built: u8 a module, the states of its slots together; u16 a module, its new
// number; u32 each, the slots that become free.
const STATES = TR_BODY;
const NUMBERS = STATES + <usize>MODULES_MAX;
const FREED = NUMBERS + <usize>MODULES_MAX * 2;
/** In place of a number: the module goes. */
const GONE: u32 = 0xffff;
/** As large a part of the modules goes at once: it takes a walk through all slots and traces. */
const PART_SHIFT: u32 = 3;

function moduleCount(): u32 {
  return load<u32>(cpu, TR_MODULES);
}

function setModuleCount(modules: u32): void {
  store<u32>(cpu, modules, TR_MODULES);
  store<u64>(cpu + CPU_STATS, modules, STAT_MODULES_LIVE << 3);
}

/** Makes room for one module more than there are. */
export function makeRoomForModule(): void {
  const asked = load<u32>(VM_JIT_MODULES);
  const most = asked ? min(asked, MODULES_MAX) : MODULES_MAX;
  while (moduleCount() >= most) evict();
}

/** Notes a new module of the regions in `slots` slots, which the u32 at `list` name. */
export function addModule(list: usize, slots: u32): void {
  const number = moduleCount();
  for (let i: u32 = 0; i < slots; i++) setModule(load<u32>(list + (i << 2)), number);
  setModuleCount(number + 1);
}

/** Empties all slots: what waits in the batch goes as well. */
export function forgetModules(): void {
  discardSlots(true);
  setModuleCount(0);
}

/**
 * Evicts an eighth of the modules, at least one: those without a usable region, then the oldest that were not entered
 * since the last eviction, then the oldest.
 */
export function evict(): void {
  const modules = moduleCount();
  gatherStates(modules);
  let wanted = max<u32>(1, modules >> PART_SHIFT);
  wanted -= min(wanted, choose(modules, 0, modules));
  wanted -= choose(modules, SLOT_ALIVE, wanted);
  choose(modules, SLOT_ALIVE | SLOT_USED, wanted);
  let kept: u32 = 0;
  for (let m: u32 = 0; m < modules; m++) {
    if (numberOf(m) == GONE) count(STAT_MODULES_EVICTED);
    else setNumber(m, kept++);
  }
  discardSlots(false);
  setModuleCount(kept);
  compactPages();
  compactPools();
  leaveTraces();
}

function gatherStates(modules: u32): void {
  memory.fill(cpu + STATES, 0, MODULES_MAX);
  for (let m: u32 = 0; m < modules; m++) setNumber(m, 0);
  for (let slot: u32 = FIRST_SLOT; slot < SLOTS_MAX; slot++) {
    const state = stateOf(slot);
    const m = moduleOf(slot);
    if (!state || m == IN_BATCH) continue;
    const all = cpu + STATES + m;
    // A region that is not usable any more may have been used.
    if (state & SLOT_ALIVE) store<u8>(all, load<u8>(all) | <u8>(state & (SLOT_ALIVE | SLOT_USED)));
    clearUsed(slot);
  }
}

/** Marks up to `most` modules whose usable regions have these bits; returns how many. */
function choose(modules: u32, bits: u32, most: u32): u32 {
  let chosen: u32 = 0;
  for (let m: u32 = 0; m < modules && chosen < most; m++) {
    if (<u32>load<u8>(cpu + STATES + m) != bits || numberOf(m) == GONE) continue;
    setNumber(m, GONE);
    chosen++;
  }
  return chosen;
}

function numberOf(module: u32): u32 {
  return load<u16>(cpu + NUMBERS + (module << 1));
}
function setNumber(module: u32, number: u32): void {
  store<u16>(cpu + NUMBERS + (module << 1), <u16>number);
}

/** Frees the slots of modules that go, `all`: all slots, and gives the others the new numbers of their modules. */
function discardSlots(all: bool): void {
  const list = cpu + FREED;
  let freed: u32 = 0;
  for (let slot: u32 = FIRST_SLOT; slot < SLOTS_MAX; slot++) {
    if (!stateOf(slot)) continue;
    if (!all) {
      const m = moduleOf(slot);
      if (m == IN_BATCH) continue;
      if (numberOf(m) != GONE) {
        setModule(slot, numberOf(m));
        continue;
      }
      if (isAlive(slot)) count(STAT_REGIONS_EVICTED);
    }
    releaseSlot(slot);
    store<u32>(list + (freed++ << 2), slot);
  }
  if (!freed) return;
  forgetRegionsOfJumps();
  discard(<u32>list, freed);
}

/** Traces that entered regions which are gone are watched anew: the slots will have others. */
function leaveTraces(): void {
  const end = arenaEnd();
  for (let t = arenaStart(); t < end; t = traceAfter(t)) {
    const slot = load<u32>(t, T_REGION);
    if (!slot || isAlive(slot)) continue;
    store<u32>(t, 0, T_REGION);
    store<u16>(t, <u16>(load<u16>(t, T_FLAGS) & ~TRACE_PAGES), T_FLAGS);
    if (load<u32>(t, T_VALID)) store<u32>(t, initialHeat(), T_VALID);
  }
}

