// The computed jumps, calls and returns at the ends of blocks.
import { cpu } from "../cpu";
import { KIND_INDIRECT_CALL } from "./cases";
import { B_DELTA, B_ENTRY, B_FLAGS, B_KIND, B_SUCCESSORS, B_TAKEN, BLOCK_ENTRY, BLOCK_RETURN, blockAt } from "./blocks";
import { dispatcher, dispatcherScope, edge } from "./emit";
import { jumpTarget } from "./expand";
import { TR_SORTED } from "./layout";
import { leaveTo, redispatch } from "./leave";
import { L_BASE, L_NEXT, temp } from "./locals";
import { I64_EQ, I64_LT_S, I64_SUB } from "./opcodes";
import { dispatched, orderAt, ordered } from "./order";
import { block, br, byte, elseBlock, end, I64, i32const, i64const, ifBlock, labelOf, localGet, localSet, scopes, VOID } from "./writer";

/** Entries that a computed jump is compared with one by one. */
const COMPARED: i32 = 3;

/** A computed jump: to where it went before, or to entries of the region where it meets one, else out. */
export function emitComputedJump(b: usize, position: i32): void {
  const distance = temp(I64);
  localGet(jumpTarget);
  localGet(L_BASE);
  byte(I64_SUB);
  localSet(distance);
  const known = load<u64>(b, B_SUCCESSORS);
  const last = load<i32>(b, B_TAKEN);
  if (last >= 0) toKnown(distance, last, position);
  for (let todo = known; todo; todo &= todo - 1) {
    const index = <i32>ctz<u64>(todo);
    if (index != last) toKnown(distance, index, position);
  }
  // Calls mostly go to what they went to before; jumps and returns to one of several places.
  if (dispatcher && load<u32>(b, B_KIND) != KIND_INDIRECT_CALL) toEntries(distance, known);
  leaveTo(jumpTarget);
}

/** Goes on at a block if the computed target is its displacement. */
function toKnown(distance: u32, index: i32, position: i32): void {
  const delta = load<i32>(blockAt(index), B_DELTA);
  localGet(distance);
  i64const(delta);
  byte(I64_EQ);
  ifBlock(VOID);
  edge(index, delta, position, 1);
  end();
}

// The entries of the region in the order of their displacements, among which a computed target is searched.
// @ts-ignore: decorator
@inline function sortedAt(index: i32): usize {
  return cpu + TR_SORTED + (<usize>index << 2);
}

/** Goes to the entry of the region, but for those in `except`, that the computed target is; else goes on. */
function toEntries(distance: u32, except: u64): void {
  const count = sortEntries(except);
  if (!count) return;
  block(VOID);
  block(VOID);
  const found = scopes;
  search(distance, 0, count, found);
  br(1);
  end();
  redispatch(jumpTarget, 0, dispatcherScope);
  end();
}

/** Puts the entries into order; returns their number. */
function sortEntries(except: u64): i32 {
  let count = 0;
  for (let position = 0; position < ordered; position++) {
    const index = orderAt(position);
    const b = blockAt(index);
    if (!((dispatched & ~except) >> index & 1) || !(load<u32>(b, B_FLAGS) & (BLOCK_ENTRY | BLOCK_RETURN))) continue;
    let i = count++;
    for (; i > 0 && load<i32>(blockAt(load<i32>(sortedAt(i - 1))), B_DELTA) > load<i32>(b, B_DELTA); i--) store<i32>(sortedAt(i), load<i32>(sortedAt(i - 1)));
    store<i32>(sortedAt(i), index);
  }
  return count;
}

/** Emits the search among entries `from` to `to`: out of scope `found` with L_NEXT set, or behind it. */
function search(distance: u32, from: i32, to: i32, found: u32): void {
  if (to - from > COMPARED) {
    const middle = (from + to) >> 1;
    localGet(distance);
    i64const(load<i32>(blockAt(load<i32>(sortedAt(middle))), B_DELTA));
    byte(I64_LT_S);
    ifBlock(VOID);
    search(distance, from, middle, found);
    elseBlock();
    search(distance, middle, to, found);
    end();
    return;
  }
  for (let i = from; i < to; i++) {
    const b = blockAt(load<i32>(sortedAt(i)));
    localGet(distance);
    i64const(load<i32>(b, B_DELTA));
    byte(I64_EQ);
    ifBlock(VOID);
    i32const(load<i32>(b, B_ENTRY));
    localSet(L_NEXT);
    br(labelOf(found));
    end();
  }
}
