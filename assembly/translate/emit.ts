// Emits a region as one WebAssembly function.
//
//   loop           the dispatcher, where there is more than one entry or a flat loop
//     block...     br_table to the blocks that are dispatched to
//     the blocks, in loops and blocks of their own
//
// Whatever leaves the region returns from where it is, by one of the ways out (leave.ts, ways.ts).
import { cpu } from "../cpu";
import { SHADOW_STI } from "../execute/request";
import { RECORD_SIZE } from "../decode/record";
import { CPU_FUEL, CPU_SHADOW } from "../layout";
import { HOW_CALL, HOW_LEAVE, howTo, isComputed, isShadowing, KIND_ALWAYS, KIND_CALL, KIND_CONDITIONAL, KIND_OTHER } from "./cases";
import { B_COUNT, B_DELTA, B_DIRTY_IN, B_END, B_ENTRY, B_FALL, B_KIND, B_KNOWN_IN, B_TAKEN, blockAt, firstRecord, isPart, lengthOf } from "./blocks";
import { directTarget } from "./discover";
import { push } from "./compute";
import { emitComputedJump } from "./computed-jumps";
import { branchCondition, expand } from "./expand";
import { collectRegisters, dirtyBeforeLoop, findKnownFlags, findLiveFlags, liveAfter, liveInBlock, storesGeneral } from "./flow";
import { askAccumulators, beginAccumulators, knowAccumulators } from "./float/accumulators";
import { beginFloats, loadFast } from "./float/checks";
import { beginGroup, continueGroup, endGroup, loadGroupConstants, noteResult } from "./float/group";
import { executeFunction } from "./imports";
import { beginHints, ifUnlikely, settleHints } from "./hints";
import { TR_BODY, TR_BODY_SIZE, TR_OPEN } from "./layout";
import { atInstruction, beginWaysOut, endWaysOut, leaveAt, leaveAtRip, leaveWithFault, miss, missIf, redispatch } from "./leave";
import { beginLocals, declareLocals, freeTemps, L_BASE, L_NEXT, localsFull, temp } from "./locals";
import { beginAccesses, beginFunction, inTrace, isMisplaced } from "./memory-access";
import { I32_LOAD, I32_SHR_U, I32_STORE, I64_ADD, UNREACHABLE } from "./opcodes";
import { BEFORE_ALL, dispatchCount, dispatched, hasLabel, orderAt, ordered, positionOf, S_END, S_KIND, S_START, SCOPE_LOOP, scopeAt, scopeCount } from "./order";
import {
  field, FLAGS_DYNAMIC, flagsStored, loadField, loadRegisters, loadTlb, loadVectors, prologue, pushFuelReaches, setDirty, setKnownFlags, storeFlags, storeFuel, storeRegisters,
  storeVectors, takeFuel, usedRegisters, usedVectors, usesFloats,
} from "./state";
import { countEntries } from "./parts";
import { beginPool, pushRecord } from "./pools";
import { findSpans, takeSpanLocals } from "./spans";
import { emitSystemCall, systemCallOf } from "./system";
import { planX87, usedSlots } from "./x87/plan";
import { afterX87, attachAtEntry, attachX87Again, beginX87, beginX87Block, detachX87, endX87, prepareX87, settleWord } from "./x87/state";
import { beginUndos } from "./undo";
import { beginWindows, leaveWindows, openWindows, useWindows } from "./windows";
import { at, block, br, brIf, brTable, byte, call, end, I32, i32const, i64const, ifBlock, localGet, localSet, loop, scopes, u32leb, VOID, writeAt } from "./writer";

/** Bytes that one instruction, or the end of a block, may take. */
const ROOM: usize = 0x2000;
/** Room in front of the body for the declarations of locals. */
const DECLARATIONS: usize = 0x800;

/** Length of the function last emitted, and where it begins. */
export let functionStart: usize = 0;

/** Scopes that are open; whether there is a dispatcher. */
let open: i32 = 0;
export let dispatcher: bool = false;
/** The dispatcher's loop. */
export let dispatcherScope: u32 = 0;

/** Emits the ordered region; returns the length of its function, 0 where it does not fit. */
export function emitRegion(): usize {
  const length = emitWith(true);
  return length && isMisplaced ? emitWith(false) : length;
}

/** The same, with or without spans of accesses. */
function emitWith(looksUpSpans: bool): usize {
  findSpans(looksUpSpans);
  beginFunction();
  planX87();
  collectRegisters();
  beginWindows();
  findLiveFlags();
  findKnownFlags();
  beginLocals(usedRegisters, usedVectors);
  beginX87();
  takeSpanLocals();
  open = 0;
  const start = cpu + TR_BODY + DECLARATIONS;
  writeAt(start);
  beginHints();
  beginUndos();
  beginAccumulators();
  beginWaysOut();
  beginPool();
  if (isPart) countEntries();
  prologue();
  if (usesFloats) {
    loadFast();
    loadGroupConstants();
  }
  attachAtEntry();
  dispatcher = dispatchCount > 1;
  if (dispatcher) {
    loop(VOID);
    dispatcherScope = scopes;
    dispatch();
  }
  for (let position = 0; position < ordered; position++) {
    closeScopes(position);
    openScopes(position);
    if (!emitBlock(position)) return 0;
    if (at - start > TR_BODY_SIZE - DECLARATIONS - ROOM || localsFull()) return 0;
  }
  closeScopes(ordered);
  // The end of every block goes somewhere.
  byte(UNREACHABLE);
  if (dispatcher) {
    end();
    byte(UNREACHABLE);
  }
  end();
  endX87();
  endWaysOut();
  end();
  return finish(start, at - start);
}

/** Puts the declarations of locals in front of the body. */
function finish(body: usize, length: usize): usize {
  functionStart = cpu + TR_BODY;
  writeAt(functionStart);
  declareLocals();
  settleHints(<u32>(body - (at - functionStart)));
  memory.copy(at, body, length);
  return at - functionStart + length;
}

// ---------------------------------------------------------------- the dispatcher
/** Goes to the block that L_NEXT names. */
function dispatch(): void {
  openScopes(BEFORE_ALL);
  localGet(L_NEXT);
  brTable(dispatchCount - 1);
  for (let position = 0; position < ordered; position++) {
    if ((dispatched >> orderAt(position)) & 1) u32leb(labelFor(BEFORE_ALL, position));
  }
}

// ---------------------------------------------------------------- scopes
// @ts-ignore: decorator
@inline function openAt(index: i32): usize {
  return cpu + TR_OPEN + (<usize>index << 2);
}

function closeScopes(position: i32): void {
  while (open > 0 && load<i32>(scopeAt(load<i32>(openAt(open - 1))), S_END) == position) {
    end();
    open--;
    if (load<u32>(scopeAt(load<i32>(openAt(open))), S_KIND) == SCOPE_LOOP) leaveWindows();
  }
}

/** Opens what begins at a position, the scope that ends last first; of equals the block goes outside the loop. */
function openScopes(position: i32): void {
  for (;;) {
    let best: i32 = -1;
    for (let i = 0; i < scopeCount; i++) {
      const s = scopeAt(i);
      if (load<i32>(s, S_START) != position || isOpen(i)) continue;
      if (best < 0) best = i;
      else {
        const ends = load<i32>(s, S_END) - load<i32>(scopeAt(best), S_END);
        if (ends > 0 || (ends == 0 && load<u32>(s, S_KIND) > load<u32>(scopeAt(best), S_KIND))) best = i;
      }
    }
    if (best < 0) return;
    if (load<u32>(scopeAt(best), S_KIND) == SCOPE_LOOP) {
      // Once in front of the loop instead of in each turn of it.
      if (!isLoopOpen(position)) {
        setDirty(dirtyBeforeLoop(position));
        storeRegisters(0xffff);
        storeVectors(0xffff);
      }
      if (!isInLoop()) openWindows(best);
      useWindows(best);
      if (load<i32>(scopeAt(best), S_END) == position + 1) askAccumulators(blockAt(orderAt(position)));
      loop(VOID);
    } else block(VOID);
    store<i32>(openAt(open++), best);
  }
}

/** Whether code is being emitted in a loop other than the dispatcher's. */
function isInLoop(): bool {
  for (let i = 0; i < open; i++) if (load<u32>(scopeAt(load<i32>(openAt(i))), S_KIND) == SCOPE_LOOP) return true;
  return false;
}

/** Whether a loop that begins at a position has been opened. */
function isLoopOpen(position: i32): bool {
  for (let i = 0; i < open; i++) {
    const s = scopeAt(load<i32>(openAt(i)));
    if (load<u32>(s, S_KIND) == SCOPE_LOOP && load<i32>(s, S_START) == position) return true;
  }
  return false;
}

function isOpen(scope: i32): bool {
  for (let i = 0; i < open; i++) if (load<i32>(openAt(i)) == scope) return true;
  return false;
}

/** Depth of the label for a structured edge to `position`; -1: there is none. */
function labelFor(from: i32, position: i32): i32 {
  if (!hasLabel(from, position)) return -1;
  const back = position <= from;
  for (let i = open - 1; i >= 0; i--) {
    const s = scopeAt(load<i32>(openAt(i)));
    const isLoop = load<u32>(s, S_KIND) == SCOPE_LOOP;
    if (back ? isLoop && load<i32>(s, S_START) == position : !isLoop && load<i32>(s, S_END) == position) return open - 1 - i;
  }
  return -1;
}

// ---------------------------------------------------------------- blocks
function emitBlock(position: i32): bool {
  const b = blockAt(orderAt(position));
  const total = load<i32>(b, B_COUNT);
  let delta = load<i32>(b, B_DELTA);
  let rec = firstRecord(b);
  const known = load<i32>(b, B_KNOWN_IN);
  setKnownFlags(known >= 0 ? known : FLAGS_DYNAMIC);
  liveInBlock(b, true);
  inTrace(delta);
  setDirty(load<u32>(b, B_DIRTY_IN));
  beginFloats();
  knowAccumulators(b);
  beginX87Block(orderAt(position));
  beginAccesses();
  takeFuel(total);
  for (let n = 0; n < total; n++, rec += RECORD_SIZE) {
    const next = delta + <i32>lengthOf(rec);
    continueGroup(rec);
    atInstruction(delta, total - n);
    const how = howTo(rec);
    const shadowed = n > 0 && isShadowing(rec - RECORD_SIZE);
    if (how == HOW_LEAVE || !prepareX87(rec, total - n - 1) || (isShadowing(rec) && n + 1 == total)) {
      miss();
      return true;
    }
    if (how == HOW_CALL) {
      // It is executed here in any case.
      if (shadowed) storeShadow(0);
      const systemCall = n + 1 == total ? systemCallOf(rec) : 0;
      if (systemCall && !usedSlots) {
        emitSystemCall(systemCall, next);
        return true;
      }
      if (callCase(rec, load<i32>(b, B_DELTA), total - n, n + 1 == total && load<u32>(b, B_KIND) == KIND_OTHER)) return true;
    } else {
      if (storesGeneral(rec)) storeRegisters(0xffff);
      beginGroup(rec, total - n);
      expand(rec, next, liveAfter(n));
      noteResult();
      afterX87();
      if (shadowed) {
        // A group is left for in front of this instruction, still in the shadow.
        endGroup();
        storeShadow(0);
      }
    }
    delta = next;
    if (isShadowing(rec)) {
      // Interrupts wait for one more instruction. Where one is to be taken behind that, the interpreter executes it, as where the
      // region cannot.
      atInstruction(delta, total - n - 1);
      storeShadow(SHADOW_STI);
      loadField(I32_LOAD, CPU_FUEL + 4);
      missIf();
    }
  }
  endGroup();
  settleWord();
  endBlock(b, position);
  return true;
}

function storeShadow(kind: u32): void {
  i32const(0);
  i32const(<i32>kind);
  field(I32_STORE, CPU_SHADOW);
}

/** Has the interpreter's case execute a record. True: it ends the region. */
function callCase(rec: usize, traceDelta: i32, remaining: i32, ends: bool): bool {
  freeTemps();
  const result = temp(I32);
  detachX87();
  storeFlags();
  storeRegisters(0xffff);
  storeVectors(0xffff);
  storeFuel();
  pushRecord(rec);
  localGet(L_BASE);
  i64const(traceDelta);
  byte(I64_ADD);
  call(executeFunction());
  localSet(result);
  flagsStored();
  // 0 and 1: it is done, 2: it is not.
  localGet(result);
  i32const(1);
  byte(I32_SHR_U);
  ifUnlikely();
  leaveWithFault(remaining);
  end();
  if (ends) {
    leaveAtRip(0);
    return true;
  }
  localGet(result);
  ifUnlikely();
  leaveAtRip(remaining - 1);
  end();
  loadRegisters(0xffff);
  loadVectors(0xffff);
  loadTlb();
  if (usesFloats) loadFast();
  beginFloats();
  attachX87Again();
  return false;
}

/** The edges at the end of a block. */
function endBlock(b: usize, position: i32): void {
  const kind = load<u32>(b, B_KIND);
  const behind = load<i32>(b, B_END);
  if (isComputed(kind)) return emitComputedJump(b, position);
  if (kind == KIND_CONDITIONAL) {
    push(branchCondition);
    const taken = load<i32>(b, B_TAKEN);
    const to = taken >= 0 ? positionOf(taken) : -1;
    const label = to > position ? labelFor(position, to) : -1;
    if (label >= 0) brIf(label);
    else {
      ifBlock(VOID);
      edge(taken, directTarget(b), position, 1);
      end();
    }
  } else if (kind == KIND_ALWAYS || kind == KIND_CALL) {
    return edge(load<i32>(b, B_TAKEN), directTarget(b), position, 0);
  }
  const fall = load<i32>(b, B_FALL);
  if (fall >= 0 && positionOf(fall) == position + 1 && fallsThrough(position)) return;
  edge(fall, behind, position, 0);
}

/** Whether code placed behind a position is reached by just going on: no loop ends or is entered amiss in between. */
function fallsThrough(position: i32): bool {
  return hasLabel(position, position + 1);
}

/** Goes to block `index` (-1: outside the region) at displacement `target`; `inner`: scopes opened since the block began. */
export function edge(index: i32, target: i32, position: i32, inner: u32): void {
  const to = index >= 0 ? positionOf(index) : -1;
  if (to >= 0) {
    const label = labelFor(position, to);
    if (label >= 0 && to > position) return br(label + inner);
    if (label >= 0) {
      pushFuelReaches();
      brIf(label + inner);
      return leaveAt(target);
    }
    if (dispatcher && (dispatched >> index) & 1) {
      i32const(load<i32>(blockAt(index), B_ENTRY));
      localSet(L_NEXT);
      return redispatch(L_BASE, target, dispatcherScope);
    }
  }
  leaveAt(target);
}
