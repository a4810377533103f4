// How a region is left: for the interpreter, which is to execute the running instruction, or for where the guest goes on. What it
// hands over goes to one of the ways out (ways.ts).
import { CPU_FUEL, CPU_RIP } from "../layout";
import { F_LEAVE, F_LEAVE_OPEN, F_LEAVE_STORED, F_MISS, G_FAULT } from "./imports";
import { ifUnlikely } from "./hints";
import { addLocal, L_BASE, L_FLAG_DST, L_FLAG_OP, L_FLAG_SRC, L_FUEL } from "./locals";
import { I32_ADD, I32_EQZ, I32_LOAD, I32_STORE, I64_ADD, I64_AND, I64_EQZ, I64_EXTEND_U, I64_LOAD, I64_OR, I64_SHL, I64_SHR_S, I64_XOR, RETURN, UNREACHABLE } from "./opcodes";
import { dirty, field, FLAGS_STORED, isLogic, isOpOpen, knownFlags, loadField, pushAligned, pushGoOn, setDirty, storeRegisters, storeVectors } from "./state";
import { PLACE_FLAGS, PLACE_UNCOUNTED, PLACE_UNMAPPED, pushAddressOf, pushFuelOf } from "./ways";
import { beginUndo, dirtyBefore, restore, undoable, undoScope, written } from "./undo";
import { usedSlots } from "./x87/plan";
import { writeWord } from "./x87/state";
import { beginScopes, block, br, byte, end, globalGet, I32, I64, i32const, i64const, ifBlock, labelOf, localGet, localSet, returnCall, scopes, VOID } from "./writer";

let here: i32 = 0;
let left: i32 = 0;

/** Begins an instruction: its displacement, and how many of its block are not executed where it is not. */
export function atInstruction(delta: i32, remaining: i32): void {
  if (undoable) return;
  here = delta;
  left = remaining;
}

/** Pushes the fuel with `uncounted` instructions gone back into it. */
function pushFuel(uncounted: i32): void {
  localGet(L_FUEL);
  if (!uncounted) return;
  i32const(uncounted);
  byte(I32_ADD);
}

/** Pushes the address `delta` behind what local `base` has, and the fuel. */
function pushWhere(base: u32, delta: i32, uncounted: i32): void {
  localGet(base);
  if (delta) {
    i64const(delta);
    byte(I64_ADD);
  }
  pushFuel(uncounted);
}

/** Goes to what comes next by the way that suits what is known of the flags. */
function goOn(base: u32, delta: i32, uncounted: i32): void {
  if (knownFlags == FLAGS_STORED) {
    i64const(0);
    pushWhere(base, delta, uncounted);
    i64const(0);
    i64const(0);
    return returnCall(F_LEAVE_STORED);
  }
  if (isOpOpen()) {
    localGet(L_FLAG_OP);
    byte(I64_EXTEND_U);
  } else i64const(knownFlags & 0xffff);
  pushWhere(base, delta, uncounted);
  if (isOpOpen()) {
    localGet(L_FLAG_DST);
    localGet(L_FLAG_SRC);
    return returnCall(F_LEAVE_OPEN);
  }
  pushAligned(L_FLAG_DST);
  if (isLogic()) i64const(0);
  else pushAligned(L_FLAG_SRC);
  returnCall(F_LEAVE);
}

/** Leaves by way `way` (F_LEAVE or F_MISS): the guest goes on `delta` behind what local `base` has, with `uncounted`
 * instructions to go back into the fuel. What the vCPU does not have yet is stored on the way. */
function wayOut(way: u32, base: u32, delta: i32, uncounted: i32): void {
  if (undoable) return leaveToUndo((uncounted & UNMAPPED_HERE) != 0);
  const was = dirty;
  storeRegisters(0xffff);
  storeVectors(0xffff);
  setDirty(was);
  writeWord();
  if (!usedSlots && way != F_MISS) return goOn(base, delta, uncounted);
  i64const(placeOf(delta, uncounted));
  localSet(placeLocal);
  if (usedSlots) {
    if (base != L_BASE) {
      localGet(base);
      localSet(fromLocal);
    }
    if (way == F_LEAVE) {
      i32const(1);
      localSet(goesOnLocal);
    }
  }
  usesExit = true;
  br(labelOf(exitScope));
}

/** A place, with what is known of the flags. */
function placeOf(delta: i32, uncounted: i32): i64 {
  const place = (<i64>delta & 0xffffffff) | (<i64>uncounted << PLACE_UNCOUNTED);
  if (!isOpOpen()) return place | (<i64>(knownFlags & 0xffff) << PLACE_FLAGS);
  leavesOpen = true;
  return place | ((<i64>1) << PLACE_OPEN);
}

// ---------------------------------------------------------------- what can be undone
let undoPlace: i64 = 0;

/** Begins what is undone wherever it leaves for the interpreter (undo.ts), with the running instruction; `writes`: the registers that
 * it writes. */
export function beginUndoHere(writes: u32): void {
  block(VOID);
  beginUndo(dirty, writes);
  undoPlace = placeOf(here, left);
  i64const(undoPlace);
  localSet(placeLocal);
}
/** Leaves from within. */
function leaveToUndo(isUnmapped: bool): void {
  if (isUnmapped) {
    i64const(undoPlace | (<i64>UNMAPPED_HERE << PLACE_UNCOUNTED));
    localSet(placeLocal);
  }
  br(labelOf(undoScope));
}
/** Behind it, where all that leaves from within comes to. */
export function undo(): void {
  const was = dirty;
  restore();
  setDirty(dirtyBefore | written);
  storeRegisters(0xffff);
  storeVectors(0xffff);
  setDirty(was);
  writeWord();
  usesExit = true;
  br(labelOf(exitScope));
}

// Most ways out lead to the interpreter, hardly any of them is ever taken, and what each does is compiled all the same. They
// say where they come from and go to one place behind the region. Those on to another region, which are taken, do so from
// where they are, but for regions that have the x87 in locals, which give it back in that place.
/** i64: where the region is left; i64, with the x87 in locals: from what that counts, L_BASE where
 * nothing else is said; i32: whether the guest goes on there, which it does not where nothing is said. */
let placeLocal: u32 = 0;
let fromLocal: u32 = 0;
let goesOnLocal: u32 = 0;
/** The scope behind which that place is, and whether anything leads there. */
let exitScope: u32 = 0;
let usesExit: bool = false;
/** Some of them leave it to that place to say what flags there are. */
let leavesOpen: bool = false;
/** The bit by which they do so. */
const PLACE_OPEN: i64 = PLACE_UNMAPPED - 1;

/** Begins a region: opens what its ways out lead to. */
export function beginWaysOut(): void {
  beginScopes();
  placeLocal = addLocal(I64);
  fromLocal = L_BASE;
  if (usedSlots) {
    goesOnLocal = addLocal(I32);
    fromLocal = addLocal(I64);
    localGet(L_BASE);
    localSet(fromLocal);
  }
  block(VOID);
  exitScope = scopes;
  usesExit = false;
  leavesOpen = false;
}

/** Adds L_FLAG_OP to a place where that is open, which it is where bit PLACE_OPEN is set. */
function addOpenFlags(): void {
  localGet(placeLocal);
  i64const((<i64>1) << PLACE_OPEN);
  byte(I64_AND);
  byte(I64_EQZ);
  byte(I32_EQZ);
  ifBlock(VOID);
  localGet(placeLocal);
  i64const((<i64>1) << PLACE_OPEN);
  byte(I64_XOR);
  localGet(L_FLAG_OP);
  byte(I64_EXTEND_U);
  i64const(PLACE_FLAGS);
  byte(I64_SHL);
  byte(I64_OR);
  localSet(placeLocal);
  end();
}

/** Goes to what comes next, from where all ways out meet. */
function goOnFromPlace(): void {
  localGet(placeLocal);
  i64const(PLACE_FLAGS);
  byte(I64_SHR_S);
  pushAddressOf(placeLocal, fromLocal);
  pushFuelOf(placeLocal, L_FUEL);
  localGet(L_FLAG_DST);
  localGet(L_FLAG_SRC);
  returnCall(F_LEAVE_OPEN);
}

/** Ends a region, with what its ways out lead to. */
export function endWaysOut(): void {
  if (usesExit) {
    if (leavesOpen) addOpenFlags();
    if (usedSlots) {
      localGet(goesOnLocal);
      ifBlock(VOID);
      goOnFromPlace();
      end();
    }
    localGet(placeLocal);
    localGet(fromLocal);
    localGet(L_FUEL);
    localGet(L_FLAG_DST);
    localGet(L_FLAG_SRC);
    returnCall(F_MISS);
  } else byte(UNREACHABLE);
}

/** Leaves before the running instruction, for the interpreter to execute it, if the i32 on the stack is not 0. */
export function missIf(): void {
  ifUnlikely();
  miss();
  end();
}

/** Leaves before the running instruction, for the interpreter to execute it. */
export function miss(): void {
  wayOut(F_MISS, L_BASE, here, left);
}

/** The same, as the TLB does not have what the instruction accesses. */
export function unmapped(): void {
  wayOut(F_MISS, L_BASE, here, left | UNMAPPED_HERE);
}

/** The same, if the i32 on the stack says so. */
export function unmappedIf(): void {
  ifUnlikely();
  unmapped();
  end();
}
const UNMAPPED_HERE: i32 = 1 << <i32>(PLACE_UNMAPPED - PLACE_UNCOUNTED);

/** Displacement of the running instruction. */
export function displacementHere(): i32 {
  return here;
}

/** Leaves at a displacement. */
export function leaveAt(delta: i32): void {
  wayOut(F_LEAVE, L_BASE, delta, 0);
}

/** Leaves at the address in an i64 local. */
export function leaveTo(local: u32): void {
  wayOut(F_LEAVE, local, 0, 0);
}

/** Goes to the entry that L_NEXT names, which is `delta` behind what local `base` has, through the dispatcher in scope
 * `dispatcher`, which is clean; or leaves for it. */
export function redispatch(base: u32, delta: i32, dispatcher: u32): void {
  const was = dirty;
  storeRegisters(0xffff);
  storeVectors(0xffff);
  pushGoOn();
  byte(I32_EQZ);
  ifBlock(VOID);
  wayOut(F_LEAVE, base, delta, 0);
  end();
  setDirty(was);
  br(labelOf(dispatcher));
}

/** Leaves for CPU_RIP, with everything but the fuel in the vCPU; `uncounted` instructions of the block were not executed. */
export function leaveAtRip(uncounted: i32): void {
  i64const(0);
  loadField(I64_LOAD, CPU_RIP);
  pushFuel(uncounted);
  i64const(0);
  i64const(0);
  returnCall(F_LEAVE_STORED);
}

/** Leaves with a fault that a called case has raised, and with everything but the fuel in the vCPU. */
export function leaveWithFault(uncounted: i32): void {
  i32const(0);
  pushFuel(uncounted);
  field(I32_STORE, CPU_FUEL);
  i32const(0);
  byte(RETURN);
}

/** After a call that may have raised a fault: leaves with it, the instruction not executed. */
export function leaveIfFault(): void {
  globalGet(G_FAULT);
  missIf();
}
