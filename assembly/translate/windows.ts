// The page that accesses by one address last went to: in innermost loops most accesses go where the one before went, and to see that
// takes half of what the TLB's probe takes. What a region finds in the TLB stays true until it is left: only the
// interpreter's cases change translations, and regions that call those have no windows.
//
// A window is in memory: in locals of the region, V8 would move it from one place of its stack to another in each turn.
import { cpu } from "../cpu";
import { R_BASE, R_INDEX, RECORD_SIZE } from "../decode/record";
import { ATTRIBUTE_MEMORY } from "../generated/micro-ops";
import { TLB_ADDEND, TLB_WRITE } from "../layout";
import { B_COUNT, blockAt, firstRecord } from "./blocks";
import { callsCases } from "./flow";
import { record } from "./instruction";
import { TR_WINDOW_PAGES, TR_WINDOWS, WINDOWS_MAX } from "./layout";
import { L_ENTRY } from "./locals";
import { I32_ADD, I32_LOAD, I32_STORE, I32_WRAP, I64_AND, I64_GT_U, I64_LOAD, I64_STORE, I64_SUB } from "./opcodes";
import { orderAt, S_END, S_KIND, S_START, SCOPE_LOOP, scopeAt, scopeCount } from "./order";
import { field, loadField } from "./state";
import { attributesOf, listOf } from "./steps";
import { byte, i32const, i64const, localGet, memory } from "./writer";

/** No page: every address is 4 KiB or more above it or below. */
const NOWHERE: i64 = 1 << 62;

/** Windows of the outermost loop that code is being emitted in. */
let count: u32 = 0;
/** Code is being emitted in an innermost loop. */
let active: bool = false;

/** u32 a window: base and index registers as records have them. */
// @ts-ignore: decorator
@inline function keyAt(index: u32): usize {
  return cpu + TR_WINDOWS + (<usize>index << 2);
}
// A window in the core's memory, for reads and behind it for writes: u64 address of the page, u32 what is to be added to addresses in it.
const SIDE: usize = 16;
const ADDEND: usize = 8;
function placeAt(index: u32): usize {
  return TR_WINDOW_PAGES + <usize>index * 2 * SIDE;
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
  active = false;
}

/** In front of an outermost loop: the windows of all loops in it, which are nowhere yet. */
export function openWindows(loop: i32): void {
  count = 0;
  if (callsCases) return;
  const start = load<i32>(scopeAt(loop), S_START);
  const end = load<i32>(scopeAt(loop), S_END);
  for (let i = 0; i < scopeCount; i++) {
    const s = scopeAt(i);
    if (load<u32>(s, S_KIND) != SCOPE_LOOP || load<i32>(s, S_START) < start || load<i32>(s, S_START) >= end || !isInnermost(i)) continue;
    for (let at = load<i32>(s, S_START); at < load<i32>(s, S_END); at++) addWindows(blockAt(orderAt(at)));
  }
  for (let at = placeAt(0); at < placeAt(count); at += SIDE) {
    i32const(0);
    i64const(NOWHERE);
    field(I64_STORE, at);
  }
}

/** In front of a loop in which the windows may be used. */
export function useWindows(loop: i32): void {
  active = count > 0 && isInnermost(loop);
}

/** Behind a loop. */
export function leaveWindows(): void {
  active = false;
}

function isInnermost(loop: i32): bool {
  const start = load<i32>(scopeAt(loop), S_START);
  const end = load<i32>(scopeAt(loop), S_END);
  for (let i = 0; i < scopeCount; i++) {
    const s = scopeAt(i);
    if (load<u32>(s, S_KIND) == SCOPE_LOOP && i != loop && load<i32>(s, S_START) >= start && load<i32>(s, S_END) <= end) return false;
  }
  return true;
}

function addWindows(b: usize): void {
  let rec = firstRecord(b);
  for (let n = load<u32>(b, B_COUNT); n > 0; n--, rec += RECORD_SIZE) {
    if (!goesToMemory(rec) || count == WINDOWS_MAX || find(rec) >= 0) continue;
    store<u32>(keyAt(count), keyOf(rec));
    count++;
  }
}

function find(rec: usize): i32 {
  for (let i: u32 = 0; i < count; i++) if (load<u32>(keyAt(i)) == keyOf(rec)) return <i32>i;
  return -1;
}

/** Offset of the window for the running record's access, which has to find `tag` of the TLB; 0: it has none. */
export function windowOf(tag: u32): usize {
  const i = active ? find(record) : -1;
  return i < 0 ? 0 : placeAt(<u32>i) + (tag == TLB_WRITE ? SIDE : 0);
}

/** Pushes whether `bytes` bytes at the address in a local do not all lie in a window. */
export function pushOutside(w: usize, address: u32, bytes: u32): void {
  localGet(address);
  loadField(I64_LOAD, w);
  byte(I64_SUB);
  i64const(0x1000 - bytes);
  byte(I64_GT_U);
}

/** Moves a window to the page of an address, of which L_ENTRY is the TLB's entry. */
export function moveWindow(w: usize, address: u32): void {
  i32const(0);
  localGet(address);
  i64const(~0xfff);
  byte(I64_AND);
  field(I64_STORE, w);
  i32const(0);
  localGet(L_ENTRY);
  memory(I32_LOAD, 2, TLB_ADDEND);
  field(I32_STORE, w + ADDEND);
}

/** Pushes the host address of an address in a window. */
export function pushInWindow(w: usize, address: u32): void {
  localGet(address);
  byte(I32_WRAP);
  loadField(I32_LOAD, w + ADDEND);
  byte(I32_ADD);
}
