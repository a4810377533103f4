// The page that accesses by one address last went to, in two locals of the region: in small loops most accesses go where
// the one before went, and to see that takes half of what the TLB's probe takes. What a region finds in the TLB stays true
// until it is left: only the interpreter's cases change translations, and regions that call those have no windows. Nor
// have loops whose guest registers fill the host's: there the locals cost more than they save.
import { cpu } from "../cpu";
import { R_BASE, R_INDEX, RECORD_SIZE } from "../decode/record";
import { ATTRIBUTE_MEMORY } from "../generated/micro-ops";
import { TLB_ADDEND, TLB_WRITE } from "../layout";
import { B_COUNT, blockAt, firstRecord } from "./blocks";
import { callsCases, registersOf } from "./flow";
import { record } from "./instruction";
import { TR_WINDOWS, WINDOWS_MAX } from "./layout";
import { addLocal, L_ENTRY } from "./locals";
import { I32_ADD, I32_LOAD, I32_WRAP, I64_AND, I64_GT_U, I64_SUB } from "./opcodes";
import { dispatchCount, orderAt, S_END, S_KIND, S_START, SCOPE_LOOP, scopeAt, scopeCount } from "./order";
import { attributesOf, listOf } from "./steps";
import { byte, I32, I64, i64const, localGet, localSet, memory } from "./writer";

/** u32: base and index registers as records have them; then, for reads and for writes, u16: i64 local with the address
 * of the page, u16: i32 local with what is to be added to addresses in it. */
const WINDOW_SIZE: usize = 12;
const W_READ: usize = 4;
const W_WRITE: usize = 8;
const W_PAGE: usize = 0;
const W_ADDEND: usize = 2;

/** General registers that a loop with windows uses at most, and instructions that it goes to memory with. */
const REGISTERS: i32 = 7;
const ACCESSES: i32 = 8;

/** No page: every address is 4 KiB or more above it or below. */
const NOWHERE: i64 = 1 << 62;

/** Windows of the outermost loop that code is being emitted in, and those that the region has locals for. */
let count: u32 = 0;
let made: u32 = 0;
/** Code is being emitted in an innermost loop that has windows. */
let active: bool = false;

// @ts-ignore: decorator
@inline function windowAt(index: u32): usize {
  return cpu + TR_WINDOWS + <usize>index * WINDOW_SIZE;
}

function keyOf(rec: usize): u32 {
  return load<u8>(rec, R_BASE) | (<u32>load<u8>(rec, R_INDEX) << 8);
}

function goesToMemory(rec: usize): bool {
  return (attributesOf(listOf(rec)) & ATTRIBUTE_MEMORY) != 0;
}

/** Begins a region. */
export function beginWindows(): void {
  count = 0;
  made = 0;
  active = false;
}

/** In front of an outermost loop: the windows of all loops in it, which are nowhere yet. */
export function openWindows(loop: i32): void {
  count = 0;
  // What other entries lead to would have to keep the locals, too.
  if (callsCases || dispatchCount > 1) return;
  const start = load<i32>(scopeAt(loop), S_START);
  const end = load<i32>(scopeAt(loop), S_END);
  for (let i = 0; i < scopeCount; i++) {
    const s = scopeAt(i);
    if (load<u32>(s, S_KIND) != SCOPE_LOOP || load<i32>(s, S_START) < start || load<i32>(s, S_START) >= end || !suits(i)) continue;
    for (let at = load<i32>(s, S_START); at < load<i32>(s, S_END); at++) addWindows(blockAt(orderAt(at)));
  }
  for (; made < count; made++) {
    for (let side = W_READ; side <= W_WRITE; side += W_WRITE - W_READ) {
      store<u16>(windowAt(made) + side, <u16>addLocal(I64), W_PAGE);
      store<u16>(windowAt(made) + side, <u16>addLocal(I32), W_ADDEND);
    }
  }
  for (let i: u32 = 0; i < count; i++) {
    for (let side = W_READ; side <= W_WRITE; side += W_WRITE - W_READ) {
      i64const(NOWHERE);
      localSet(load<u16>(windowAt(i) + side, W_PAGE));
    }
  }
}

/** In front of a loop in which the windows may be used. */
export function useWindows(loop: i32): void {
  active = count > 0 && suits(loop);
}

/** Behind a loop. */
export function leaveWindows(): void {
  active = false;
}

/** Whether a loop is one that windows pay in. */
function suits(loop: i32): bool {
  const start = load<i32>(scopeAt(loop), S_START);
  const end = load<i32>(scopeAt(loop), S_END);
  for (let i = 0; i < scopeCount; i++) {
    const s = scopeAt(i);
    if (load<u32>(s, S_KIND) == SCOPE_LOOP && i != loop && load<i32>(s, S_START) >= start && load<i32>(s, S_END) <= end) return false;
  }
  let registers: u32 = 0;
  let accesses = 0;
  for (let i = start; i < end; i++) {
    const b = blockAt(orderAt(i));
    registers |= registersOf(b);
    let rec = firstRecord(b);
    for (let n = load<u32>(b, B_COUNT); n > 0; n--, rec += RECORD_SIZE) accesses += i32(goesToMemory(rec));
  }
  return <i32>popcnt<u32>(registers) <= REGISTERS && accesses <= ACCESSES;
}

function addWindows(b: usize): void {
  let rec = firstRecord(b);
  for (let n = load<u32>(b, B_COUNT); n > 0; n--, rec += RECORD_SIZE) {
    if (goesToMemory(rec) && count < WINDOWS_MAX && !find(rec)) store<u32>(windowAt(count++), keyOf(rec));
  }
}

function find(rec: usize): usize {
  for (let i: u32 = 0; i < count; i++) if (load<u32>(windowAt(i)) == keyOf(rec)) return windowAt(i);
  return 0;
}

/** The window for the running record's access, which has to find `tag` of the TLB; 0: it has none. */
export function windowOf(tag: u32): usize {
  const w = active ? find(record) : 0;
  return w ? w + (tag == TLB_WRITE ? W_WRITE : W_READ) : 0;
}

/** Pushes whether `bytes` bytes at the address in a local do not all lie in a window. */
export function pushOutside(w: usize, address: u32, bytes: u32): void {
  localGet(address);
  localGet(load<u16>(w, W_PAGE));
  byte(I64_SUB);
  i64const(0x1000 - bytes);
  byte(I64_GT_U);
}

/** Moves a window to the page of an address, of which L_ENTRY is the TLB's entry. */
export function moveWindow(w: usize, address: u32): void {
  localGet(address);
  i64const(~0xfff);
  byte(I64_AND);
  localSet(load<u16>(w, W_PAGE));
  localGet(L_ENTRY);
  memory(I32_LOAD, 2, TLB_ADDEND);
  localSet(load<u16>(w, W_ADDEND));
}

/** Pushes the host address of an address in a window. */
export function pushInWindow(w: usize, address: u32): void {
  localGet(address);
  byte(I32_WRAP);
  localGet(load<u16>(w, W_ADDEND));
  byte(I32_ADD);
}
