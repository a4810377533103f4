// Instructions in a row that can be undone: whatever any of them leaves the region for, the region is left before the first of
// them, and the interpreter executes them. Until then what they write has its old value in other locals, which costs
// nothing but registers of the host. They read memory and write registers and flags, and nothing else.
import { cpu } from "../cpu";
import { TR_UNDO } from "./layout";
import { addLocal, L_FLAG_DST, L_FLAG_OP, L_FLAG_SRC, registerLocal, vectorLocal } from "./locals";
import { registerType } from "./registers";
import { VECTORS } from "./state";
import { I32, I64, localGet, localSet, scopes, V128 } from "./writer";

/** u16 each: locals with the old values of general registers and of XMM registers, of flags, and those for values. */
const KEPT: usize = TR_UNDO;
const VALUES: usize = TR_UNDO + 2 * 36;
const FLAGS: u32 = 32;

/** Code is being emitted that can be undone. */
export let undoable: bool = false;
/** The scope behind which it is. */
export let undoScope: u32 = 0;
/** Registers that it writes. */
export let written: u32 = 0;
/** What was dirty where it begins. */
export let dirtyBefore: u32 = 0;

/** Registers and values that the function has such locals for. */
let have: u32 = 0;
let haveFlags: bool = false;
let valueCount: u32 = 0;
let valuesTaken: u32 = 0;

// @ts-ignore: decorator
@inline function keptAt(index: u32): usize {
  return cpu + KEPT + (<usize>index << 1);
}

/** Begins a function. */
export function beginUndos(): void {
  undoable = false;
  have = 0;
  haveFlags = false;
  valueCount = 0;
}

/** Begins what can be undone, in the scope that has just been opened; `dirty`: registers that the vCPU does not have yet; `writes`:
 * registers that will be written: general ones from bit 0, XMM from bit VECTORS. */
export function beginUndo(dirty: u32, writes: u32): void {
  dirtyBefore = dirty;
  written = writes;
  for (let bit: u32 = 0; bit < 32; bit++) if ((writes >> bit) & 1) keep(bit);
  if (!haveFlags) {
    store<u16>(keptAt(FLAGS), <u16>addLocal(I32));
    store<u16>(keptAt(FLAGS + 1), <u16>addLocal(I64));
    store<u16>(keptAt(FLAGS + 2), <u16>addLocal(I64));
    haveFlags = true;
  }
  for (let i: u32 = 0; i < 3; i++) copy(flagLocal(i), load<u16>(keptAt(FLAGS + i)));
  undoScope = scopes;
  undoable = true;
  valuesTaken = 0;
}

/** Ends it: what comes next cannot be undone. */
export function endUndo(): void {
  undoable = false;
}

function flagLocal(i: u32): u32 {
  return i == 0 ? L_FLAG_OP : i == 1 ? L_FLAG_DST : L_FLAG_SRC;
}
function copy(from: u32, to: u32): void {
  localGet(from);
  localSet(to);
}
/** Register `bit` as `written` counts them. */
function localOf(bit: u32): u32 {
  return bit < VECTORS ? registerLocal(bit) : vectorLocal(bit - VECTORS);
}

function keep(bit: u32): void {
  if (!((have >> bit) & 1)) {
    store<u16>(keptAt(bit), <u16>addLocal(bit < VECTORS ? registerType() : V128));
    have |= 1 << bit;
  }
  copy(localOf(bit), load<u16>(keptAt(bit)));
}

/** Gives registers and flags their old values. */
export function restore(): void {
  for (let bit: u32 = 0; bit < 32; bit++) if ((written >> bit) & 1) copy(load<u16>(keptAt(bit)), localOf(bit));
  for (let i: u32 = 0; i < 3; i++) copy(load<u16>(keptAt(FLAGS + i)), flagLocal(i));
}

/** A v128 local until what can be undone ends. */
export function keptVector(): u32 {
  const at = cpu + VALUES + (<usize>valuesTaken << 1);
  if (valuesTaken == valueCount) {
    store<u16>(at, <u16>addLocal(V128));
    valueCount++;
  }
  valuesTaken++;
  return load<u16>(at);
}
