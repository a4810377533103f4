// The order in which a region's blocks are emitted, and the scopes that give its edges labels.
//
// Blocks are placed topologically, those of a loop (a strongly connected component) together and its header first. A
// loop that is entered at its header only becomes a WebAssembly loop. One that is entered elsewhere, by a return, a
// computed jump or an edge into its middle, is laid out flat: its back edges, like all such entries, go through the
// dispatcher, a br_table at the head of the function. Sets of blocks are u64 masks.
import { cpu } from "../cpu";
import { B_ENTRY, B_FLAGS, B_POSITION, B_PREDECESSORS, B_SUCCESSORS, BLOCK_ENTERED, blockAt, blockCount } from "./blocks";
import { mayPassHead } from "./heads";
import { SCOPES_MAX, TR_ORDER, TR_SCOPES } from "./layout";

export const SCOPE_LOOP: u32 = 1;
export const SCOPE_BLOCK: u32 = 2;
export const S_KIND: usize = 0;
export const S_START: usize = 4;
/** i32: position behind the last block inside. */
export const S_END: usize = 8;

/** Blocks placed. */
export let ordered: i32 = 0;
/** The blocks that are emitted, and those of them that the dispatcher goes to. */
export let emitted: u64 = 0;
export let dispatched: u64 = 0;
export let dispatchCount: i32 = 0;
export let scopeCount: i32 = 0;
let overflow: bool = false;
/** The head, as a set of blocks. */
const HEAD: u64 = 1;
/** Whether the region is entered at its head (heads.ts). */
export let enteredAtHead: bool = true;

// @ts-ignore: decorator
@inline export function scopeAt(index: i32): usize {
  return cpu + TR_SCOPES + <usize>index * 16;
}
// @ts-ignore: decorator
@inline export function orderAt(position: i32): i32 {
  return load<i32>(cpu + TR_ORDER + (<usize>position << 2));
}
// @ts-ignore: decorator
@inline export function positionOf(block: i32): i32 {
  return load<i32>(blockAt(block), B_POSITION);
}
// @ts-ignore: decorator
@inline function bit(index: i32): u64 {
  return (<u64>1) << index;
}

/** Successors of a block inside `set`, without the edges to `header` (-1: none left out). */
function successors(index: i32, set: u64, header: i32): u64 {
  let s = load<u64>(blockAt(index), B_SUCCESSORS) & set;
  if (header >= 0) s &= ~bit(header);
  return s;
}

/** Blocks reachable from `from` by one edge or more. */
function reachable(from: i32, set: u64, header: i32): u64 {
  let seen: u64 = 0;
  let todo = successors(from, set, header);
  while (todo) {
    const i = <i32>ctz<u64>(todo);
    seen |= bit(i);
    todo = (todo | successors(i, set, header)) & ~seen;
  }
  return seen;
}

function findPredecessors(): void {
  for (let i = 0; i < blockCount; i++) store<u64>(blockAt(i), 0, B_PREDECESSORS);
  for (let i = 0; i < blockCount; i++) {
    for (let todo = load<u64>(blockAt(i), B_SUCCESSORS); todo; todo &= todo - 1) {
      const to = blockAt(<i32>ctz<u64>(todo));
      store<u64>(to, load<u64>(to, B_PREDECESSORS) | bit(i), B_PREDECESSORS);
    }
  }
}

/** Orders the blocks of the region from its head, block 0. False: it has too many edges. */
export function orderBlocks(): bool {
  let entries: u64 = 0;
  for (let i = 0; i < blockCount; i++) if (load<u32>(blockAt(i), B_FLAGS) & BLOCK_ENTERED) entries |= bit(i);
  const roots = entries | HEAD;
  emitted = from(roots);
  findPredecessors();
  enteredAtHead = true;
  const others = entries & ~HEAD;
  if (others && mayPassHead() && from(others) == emitted) {
    arrange(others);
    enteredAtHead = !isInLoop(0);
  }
  if (enteredAtHead) arrange(roots);
  dispatchCount = 0;
  for (let position = 0; position < ordered; position++) {
    if (dispatched & bit(orderAt(position))) store<u32>(blockAt(orderAt(position)), dispatchCount++, B_ENTRY);
  }
  return !overflow && addBlockScopes();
}

/** Blocks on ways from those of a set, and those. */
function from(roots: u64): u64 {
  const all: u64 = blockCount == 64 ? 0xffffffffffffffff : bit(blockCount) - 1;
  let found = roots;
  for (let todo = roots; todo; todo &= todo - 1) found |= reachable(<i32>ctz<u64>(todo), all, -1);
  return found;
}

/** Orders the blocks of a region that is entered at `roots`. */
function arrange(roots: u64): void {
  dispatched = roots;
  let before: u64;
  // A loop that turns out to need the dispatcher can make one around it need it too.
  do {
    before = dispatched;
    ordered = 0;
    scopeCount = 0;
    overflow = false;
    for (let i = 0; i < blockCount; i++) store<i32>(blockAt(i), -1, B_POSITION);
    order(emitted, <i32>ctz<u64>(roots), -1);
  } while (dispatched != before);
}

/** Whether a block lies in a WebAssembly loop, of which it is not the header. */
function isInLoop(block: i32): bool {
  const position = positionOf(block);
  for (let i = 0; i < scopeCount; i++) {
    const s = scopeAt(i);
    if (load<u32>(s, S_KIND) == SCOPE_LOOP && load<i32>(s, S_START) < position && position < load<i32>(s, S_END)) return true;
  }
  return false;
}

/** Places the components of `set`; edges to `header`, the loop that is being taken apart, do not count. */
function order(set: u64, entry: i32, header: i32): void {
  let rest = set;
  while (rest) {
    const first = nextReady(rest, entry, header);
    const cycle = component(first, rest, header);
    if (cycle == 0) {
      place(first);
      rest &= ~bit(first);
      continue;
    }
    rest &= ~cycle;
    const entered = entriesOf(cycle, set & ~cycle);
    const head = cycle & bit(entry) && entry >= 0 ? entry : entered ? <i32>ctz<u64>(entered) : first;
    const inside = cycle & ~bit(head);
    if ((dispatched | entered) & inside) {
      dispatched |= entered | bit(head);
      place(head);
      order(inside, -1, head);
      continue;
    }
    const start = ordered;
    const scope = addScope(SCOPE_LOOP, start);
    // A block that goes to itself is a loop of its own, whose turns keep what only the loop around it changes where it is.
    const own = inside && load<u64>(blockAt(head), B_SUCCESSORS) & bit(head) ? addScope(SCOPE_LOOP, start) : 0;
    place(head);
    if (own) store<i32>(own, ordered, S_END);
    order(inside, -1, head);
    if (scope) store<i32>(scope, ordered, S_END);
  }
}

function place(index: i32): void {
  store<i32>(cpu + TR_ORDER + (<usize>ordered << 2), index);
  store<i32>(blockAt(index), ordered, B_POSITION);
  ordered++;
}

/** The blocks on a cycle with `index`, or 0 where it is on none. */
function component(index: i32, set: u64, header: i32): u64 {
  const down = reachable(index, set, header);
  if (!(down & bit(index))) return 0;
  // Those of them that it is reached from, found backwards.
  let cycle = bit(index);
  let todo = cycle;
  while (todo) {
    const i = <i32>ctz<u64>(todo);
    todo &= todo - 1;
    if (i == header) continue;
    const before = load<u64>(blockAt(i), B_PREDECESSORS) & down & ~cycle;
    cycle |= before;
    todo |= before;
  }
  return cycle;
}

/** A block whose predecessors in `rest` all lie in its own component: the entry if it can be, else the first found. */
function nextReady(rest: u64, entry: i32, header: i32): i32 {
  if (entry >= 0 && rest & bit(entry) && ready(entry, rest, header)) return entry;
  for (let todo = rest; todo; todo &= todo - 1) {
    const i = <i32>ctz<u64>(todo);
    if (ready(i, rest, header)) return i;
  }
  return <i32>ctz<u64>(rest);
}

function ready(index: i32, rest: u64, header: i32): bool {
  const own = component(index, rest, header) | bit(index);
  for (let todo = own; todo; todo &= todo - 1) {
    const i = <i32>ctz<u64>(todo);
    if (i != header && load<u64>(blockAt(i), B_PREDECESSORS) & rest & ~own) return false;
  }
  return true;
}

/** The blocks of a cycle that edges from outside it lead to. */
function entriesOf(cycle: u64, outside: u64): u64 {
  let entered: u64 = 0;
  for (let position = 0; position < ordered; position++) {
    const i = orderAt(position);
    if (!(cycle & bit(i))) entered |= load<u64>(blockAt(i), B_SUCCESSORS);
  }
  for (let todo = outside; todo; todo &= todo - 1) entered |= load<u64>(blockAt(<i32>ctz<u64>(todo)), B_SUCCESSORS);
  return entered & cycle;
}

// ---------------------------------------------------------------- scopes
function addScope(kind: u32, start: i32): usize {
  if (scopeCount >= SCOPES_MAX) {
    overflow = true;
    return 0;
  }
  const s = scopeAt(scopeCount++);
  store<u32>(s, kind, S_KIND);
  store<i32>(s, start, S_START);
  return s;
}

/** Whether the block at a position is the header of a WebAssembly loop. */
export function isLoopAt(position: i32): bool {
  for (let i = 0; i < scopeCount; i++) {
    if (load<u32>(scopeAt(i), S_KIND) == SCOPE_LOOP && load<i32>(scopeAt(i), S_START) == position) return true;
  }
  return false;
}

/** Whether a structured edge from one position to another can have a label: it enters no loop but at its header. */
export function hasLabel(from: i32, to: i32): bool {
  for (let i = 0; i < scopeCount; i++) {
    const s = scopeAt(i);
    if (load<u32>(s, S_KIND) != SCOPE_LOOP) continue;
    const start = load<i32>(s, S_START);
    const end = load<i32>(s, S_END);
    const inside = from >= start && from < end;
    if (to > start && to < end && !inside) return false;
    if (to <= from && to == start && inside) return true;
  }
  return to > from;
}

/** Position of scopes that begin before the dispatcher's br_table. */
export const BEFORE_ALL: i32 = -1;

/** Adds a block scope for every position that a forward edge or the dispatcher goes to, then nests them all properly. */
function addBlockScopes(): bool {
  for (let to = 0; to < ordered; to++) {
    if (dispatchCount > 1 && dispatched & bit(orderAt(to))) {
      const s = addScope(SCOPE_BLOCK, BEFORE_ALL);
      if (s) store<i32>(s, to, S_END);
      continue;
    }
    for (let from = 0; from < to; from++) {
      if (!(load<u64>(blockAt(orderAt(from)), B_SUCCESSORS) & bit(orderAt(to))) || !hasLabel(from, to)) continue;
      const s = addScope(SCOPE_BLOCK, from);
      if (s) store<i32>(s, to, S_END);
      break;
    }
  }
  nest();
  return !overflow;
}

/** Moves the start of a block scope forward to that of any scope that it would overlap. */
function nest(): void {
  let changed = true;
  while (changed) {
    changed = false;
    for (let i = 0; i < scopeCount; i++) {
      const a = scopeAt(i);
      if (load<u32>(a, S_KIND) != SCOPE_BLOCK) continue;
      for (let j = 0; j < scopeCount; j++) {
        const b = scopeAt(j);
        // b begins before a and ends inside it.
        if (i == j || load<i32>(b, S_START) >= load<i32>(a, S_START)) continue;
        if (load<i32>(b, S_END) <= load<i32>(a, S_START) || load<i32>(b, S_END) > load<i32>(a, S_END)) continue;
        if (load<i32>(b, S_END) == load<i32>(a, S_END) && load<u32>(b, S_KIND) == SCOPE_BLOCK) continue;
        store<i32>(a, load<i32>(b, S_START), S_START);
        changed = true;
      }
    }
  }
}
