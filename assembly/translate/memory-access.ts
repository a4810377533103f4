// Guest memory in translated code: the TLB probe in line; what misses it leaves the region, for the interpreter to
// take the long way, or looks further where that happens often. Addresses are linear; host addresses are what the probes yield.
import { CPU_SPAN_MARK, CPU_SPAN_MISSED, CPU_TRACE_RIP, TLB_ADDEND, TLB_ENTRIES, TLB_READ, TLB_WRITE } from "../layout";
import { code64 } from "./code-mode";
import { ifUnlikely } from "./hints";
import { addParameter, beginType, helperFunction, RUNTIME_READS, RUNTIME_SPAN, RUNTIME_WRITES } from "./imports";
import { record } from "./instruction";
import { unmapped, unmappedIf } from "./leave";
import { L_BASE, L_ENTRY, L_TLB, temp } from "./locals";
import { I32_ADD, I32_AND, I32_EQZ, I32_LOAD, I32_SHR_U, I32_STORE, I32_WRAP, I64_ADD, I64_AND, I64_LOAD, I64_NE, I64_STORE, I64_SUB } from "./opcodes";
import { accessOf, isOpen, offsetInSpan, openSpan, spanBytes, spanLocal, spanWrites } from "./spans";
import { placeOf, pushSpanMark } from "./straddles";
import { field } from "./state";
import { isToLookFurther } from "./unmapped";
import { moveWindow, pushInWindow, pushOutside, windowOf } from "./windows";
import { byte, call, end, I32, I64, i32const, i64const, localGet, localSet, localTee, memory, scopes } from "./writer";

/** Opcode of a zero-extending load of 1 << w bytes: i32, or i64 where w is 3. */
export function loadOpcode(w: u32): u32 {
  return w == 0 ? 0x2d : w == 1 ? 0x2f : w == 2 ? 0x28 : 0x29;
}
/** Opcode of a store of 1 << w bytes. */
export function storeOpcode(w: u32, wide: bool): u32 {
  if (wide) return w == 0 ? 0x3c : w == 1 ? 0x3d : w == 2 ? 0x3e : 0x37;
  return w == 0 ? 0x3a : w == 1 ? 0x3b : 0x36;
}

/** Displacement of the trace that the running record belongs to: base of its rip-relative operands. */
export let traceDelta: i32 = 0;
export function inTrace(delta: i32): void {
  traceDelta = delta;
}

/** Pushes the address of the running trace. */
export function pushTraceRip(): void {
  localGet(L_BASE);
  i64const(traceDelta);
  byte(I64_ADD);
}

/** Puts the address of the running trace where helpers look for it. */
export function storeTraceRip(): void {
  i32const(0);
  pushTraceRip();
  field(I64_STORE, CPU_TRACE_RIP);
}

/** Takes the address on the stack into a local. */
export function addressLocal(): u32 {
  const address = temp(I64);
  localSet(address);
  return address;
}

/** Whether an access has its host address from one before it; if so, pushes that, to be gone on from by offsetInSpan(). */
export function pushOpened(access: usize): bool {
  if (!isOpen(access)) return false;
  localGet(spanLocal(access));
  return true;
}

/** The access of a step of the running record, for the functions here; 0: it stands alone. */
// @ts-ignore: decorator
@inline export function accessAt(step: usize): usize {
  return accessOf(record, step);
}

/** Some code of the function looks up a span where not all that follows comes by: it must not be used. */
export let isMisplaced: bool = false;
let blockScopes: u32 = 0;
export function beginFunction(): void {
  isMisplaced = false;
}
/** Begins a block: spans are looked up outside of scopes that are opened from here on. */
export function beginAccesses(): void {
  blockScopes = scopes;
}

/** Pushes the host address of the span of `access`, which is at linear address `address`. */
function pushSpan(address: u32, access: usize): void {
  const before = offsetInSpan(access);
  let from = address;
  if (before) {
    from = temp(I64);
    localGet(address);
    i64const(before);
    byte(I64_SUB);
    if (!code64) {
      i64const(0xffffffff);
      byte(I64_AND);
    }
    localSet(from);
  }
  if (scopes != blockScopes) isMisplaced = true;
  openSpan(access);
  const writes = spanWrites(access);
  const place = placeOf(record, traceDelta);
  probe(from, spanBytes(access), writes ? TLB_WRITE : TLB_READ);
  if (isToLookFurther()) {
    ifUnlikely();
    beginType();
    addParameter(I64);
    addParameter(I32);
    addParameter(I32);
    addParameter(I32);
    const find = helperFunction(RUNTIME_SPAN, I32);
    localGet(from);
    i32const(spanBytes(access));
    i32const(writes);
    pushSpanMark(place, spanBytes(access));
    leaveUnless(find);
  } else {
    ifUnlikely();
    i32const(0);
    localGet(from);
    field(I64_STORE, CPU_SPAN_MISSED);
    i32const(0);
    pushSpanMark(place, spanBytes(access));
    field(I32_STORE, CPU_SPAN_MARK);
    unmapped();
    end();
  }
  pushFound(from);
  localTee(spanLocal(access));
}

/**
 * Pushes the host address of `bytes` bytes at the linear address in `address`. `tag`: which tag of the TLB entry has
 * to be the page: that for reading or that for writing. Leaves the region where it is not.
 * `access`: what accessAt() gave, unless pushOpened() has pushed it; offsetInSpan() of it goes into the instruction.
 */
export function pushHost(address: u32, bytes: u32, tag: u32, access: usize = 0): void {
  if (access) return pushSpan(address, access);
  const w = windowOf(tag);
  if (w) {
    pushOutside(w, address, bytes);
    ifUnlikely();
    lookUp(address, bytes, tag);
    moveWindow(w, address);
    end();
    return pushInWindow(w, address);
  }
  lookUp(address, bytes, tag);
  pushFound(address);
}

/** Sees to it that L_ENTRY is the entry of an address; leaves the region where it cannot be. */
function lookUp(address: u32, bytes: u32, tag: u32): void {
  probe(address, bytes, tag);
  if (isToLookFurther()) {
    ifUnlikely();
    beginType();
    addParameter(I64);
    addParameter(I32);
    const find = helperFunction(tag == TLB_WRITE ? RUNTIME_WRITES : RUNTIME_READS, I32);
    localGet(address);
    i32const(bytes);
    leaveUnless(find);
  } else unmappedIf();
}

/** Pushes whether the TLB's entry for `address` lacks the page that `bytes` bytes there all lie in. */
function probe(address: u32, bytes: u32, tag: u32): void {
  localGet(address);
  byte(I32_WRAP);
  i32const(7);
  byte(I32_SHR_U);
  i32const((TLB_ENTRIES - 1) << 5);
  byte(I32_AND);
  localGet(L_TLB);
  byte(I32_ADD);
  localTee(L_ENTRY);
  memory(I64_LOAD, 3, tag);
  localGet(address);
  if (bytes > 1) {
    i64const(bytes - 1);
    byte(I64_ADD);
  }
  i64const(~0xfff);
  byte(I64_AND);
  byte(I64_NE);
}

/** Calls what puts the page into the entry; ends the `if`, and the region where it cannot be put there. */
function leaveUnless(found: u32): void {
  call(found);
  byte(I32_EQZ);
  unmappedIf();
  end();
}

/** Pushes the host address of `address`, of whose page the entry is. */
function pushFound(address: u32): void {
  localGet(address);
  byte(I32_WRAP);
  localGet(L_ENTRY);
  memory(I32_LOAD, 2, TLB_ADDEND);
  byte(I32_ADD);
}
