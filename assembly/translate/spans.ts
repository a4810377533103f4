// Accesses of a block that lie close together: their addresses are the same registers and numbers that are known. The first
// of them looks all of them up in the TLB at once; the others have the host address from there, and cannot miss.
//
// A span is what the accesses off one root (symbols.ts) reach over; where it does not lie in one page, the interpreter
// executes the instructions.
import { cpu, RBP, RSP } from "../cpu";
import { RECORD_SIZE } from "../decode/record";
import { HELPER_drop, HELPER_leaveFrame, HELPER_push32, HELPER_REGISTERS, HELPER_top32 } from "../generated/helpers";
import {
  MICRO_ADDRESS, MICRO_ADDRESS_ALIGNED, MICRO_CALL, MICRO_EFFECTIVE, MICRO_END, MICRO_GET, MICRO_GET_FIXED, MICRO_GUARD, MICRO_JUMP, MICRO_LOAD, MICRO_MODIFY, MICRO_MODIFY_LOCKED,
  MICRO_OP32, MICRO_OP64, MICRO_POINTER, MICRO_PUT, MICRO_PUT_FIXED, MICRO_STORE, MICRO_VWRITE, MICRO_WHEN,
} from "../generated/micro-ops";
import { HOW_INLINE, howTo } from "./cases";
import { code16, code64, flat, stack32 } from "./code-mode";
import { B_COUNT, B_DELTA, blockAt, firstRecord } from "./blocks";
import { isInlineFloat, isPackedFloat } from "./float/operations";
import { defineConstant } from "./fold";
import { SPAN_ACCESSES_MAX, SPAN_GROUPS_MAX, SPAN_HASHES, TR_SPAN_ACCESSES, TR_SPAN_HASHES, TR_SPANS } from "./layout";
import { addLocal } from "./locals";
import { orderAt, ordered } from "./order";
import { isApart, placeOf } from "./straddles";
import { forgetSymbols, fresh, isFull, moveBy, put, putRegister, registerAt, staysInPlace, symbolOffset, symbolRoot, take, takeAddress, unknown, valueAt } from "./symbols";
import { after, definesValue, leb, listOf, nextStep, opcodeOf, slotOf, stepsOf } from "./steps";
import { beginValues, constOf, defineStep, isConst, nextValue } from "./values";
import { isInlineString } from "./strings";
import { isX87 } from "./x87/expand";
import { I32 } from "./writer";

/** Bytes that a span has at most: more would lie in two pages too often. */
const SPAN_MAX: i64 = 256;
/** Off other roots than the stack and known addresses, objects lie all over their pages, and a span that lies in two of them
 * costs as much as many probes: a span has to spare so many, for so many bytes each. */
const LEAST: u32 = 3;
const BYTES_EACH: i64 = 12;
/** Spans behind the last that an access may join. */
const JOINED_BACK: u32 = 12;
/** Spans of a block that are looked up at most. */
const LOCALS: u32 = 48;

const I32_ADD: u32 = 0x6a;
const I32_SUB: u32 = 0x6b;
const I64_ADD: u32 = 0x7c;
const I64_SUB: u32 = 0x7d;
const POINTER_MEMORY: u32 = 8;
const POINTER_ALIGNED: u32 = 16;
const MAY_FAULT: u32 = 8;

// A span: u32 root; u32 accesses; i64 lowest offset, i64 end; u32 bits; u16 number among the block's that are looked up.
const S_ROOT: usize = 0;
const S_COUNT: usize = 4;
const S_FROM: usize = 8;
const S_TO: usize = 16;
const S_BITS: usize = 24;
const S_NUMBER: usize = 26;
/** u32: record of the first access. */
const S_FIRST: usize = 28;
const SPAN_SIZE: usize = 32;
/** One of the accesses writes. */
const SPAN_WRITES: u32 = 1;
/** The code that looks it up has been emitted. */
const SPAN_OPEN: u32 = 2;
/** It lies on the stack, or at an address that is always the same. */
const SPAN_STAYS: u32 = 4;
/** Its accesses are looked up one by one. */
const SPAN_APART: u32 = 8;

// An access: u32 record, u32 step, u32 span, i32 offset from the root. The first one of a record has in bit 31 of its span
// that the record may leave the region otherwise.
const A_RECORD: usize = 0;
const A_STEP: usize = 4;
const A_SPAN: usize = 8;
const A_OFFSET: usize = 12;
const ACCESS_SIZE: usize = 16;

let accesses: u32 = 0;
let spans: u32 = 0;
/** First span of the block, and the first that may still be joined. */
let firstSpan: u32 = 0;
/** The record may leave the region other than by an access of a span. */
let leaves: bool = false;
/** No step of the record is conditional. */
let whole: bool = false;
let record: usize = 0;
let blockDelta: i32 = 0;

// @ts-ignore: decorator
@inline function spanAt(index: u32): usize {
  return cpu + TR_SPANS + <usize>index * SPAN_SIZE;
}
// @ts-ignore: decorator
@inline function accessAt(index: u32): usize {
  return cpu + TR_SPAN_ACCESSES + <usize>index * ACCESS_SIZE;
}

// ---------------------------------------------------------------- finding them
/** Finds the spans of the ordered region; `wanted`: false: there are to be none. */
export function findSpans(wanted: bool): void {
  accesses = 0;
  spans = 0;
  memory.fill(cpu + TR_SPAN_HASHES, 0, SPAN_HASHES * 2);
  if (!wanted || code16 || (!code64 && (!flat || !stack32))) return;
  for (let i = 0; i < ordered; i++) findInBlock(blockAt(orderAt(i)));
}

function findInBlock(b: usize): void {
  const firstOfBlock = spans;
  blockDelta = load<i32>(b, B_DELTA);
  forget();
  let rec = firstRecord(b);
  for (let n = load<u32>(b, B_COUNT); n > 0; n--, rec += RECORD_SIZE) {
    if (howTo(rec) == HOW_INLINE) findInRecord(rec);
    else forget();
  }
  let number: u32 = 0;
  for (let i = firstOfBlock; i < spans; i++) {
    const s = spanAt(i);
    if (!isWorthIt(s) || number == LOCALS) store<u32>(s, 0, S_COUNT);
    else {
      store<u16>(s, <u16>number, S_NUMBER);
      number++;
    }
  }
}

function isWorthIt(s: usize): bool {
  const n = load<u32>(s, S_COUNT);
  if (load<u16>(s, S_BITS) & SPAN_APART) return false;
  if (load<u16>(s, S_BITS) & SPAN_STAYS) return n >= 2;
  return n >= LEAST && load<i64>(s, S_TO) - load<i64>(s, S_FROM) <= n * BYTES_EACH;
}

/** Nothing is known of any register, and no span may be joined. */
function forget(): void {
  firstSpan = spans;
  forgetSymbols();
}

function findInRecord(rec: usize): void {
  const steps = stepsOf(listOf(rec));
  record = rec;
  leaves = false;
  whole = true;
  const first = accesses;
  for (let at = steps; load<u8>(at) != MICRO_END; at = nextStep(at)) {
    if (opcodeOf(at) == MICRO_WHEN) whole = false;
  }
  beginValues();
  for (let at = steps; load<u8>(at) != MICRO_END; at = nextStep(at)) {
    const number = nextValue;
    if (!definesValue(at)) effect(at);
    else if (defineConstant(at, rec)) {
      unknown();
      put(valueAt(number));
    } else {
      unknown();
      evaluate(at);
      put(valueAt(number));
      defineStep(at, I32);
    }
  }
  if (accesses == first) return;
  if (leaves) store<u32>(accessAt(first), load<u32>(accessAt(first), A_SPAN) | LEAVES, A_SPAN);
  let hash = hashOf(rec);
  while (load<u16>(hashAt(hash))) hash = nextHash(hash);
  store<u16>(hashAt(hash), <u16>(first + 1));
}
const LEAVES: u32 = 0x80000000;

// @ts-ignore: decorator
@inline function hashOf(rec: usize): u32 {
  return <u32>((<u32>rec >> 3) * 0x9e3779b1) >> 16 & (SPAN_HASHES - 1);
}
// @ts-ignore: decorator
@inline function nextHash(hash: u32): u32 {
  return (hash + 1) & (SPAN_HASHES - 1);
}
// @ts-ignore: decorator
@inline function hashAt(hash: u32): usize {
  return cpu + TR_SPAN_HASHES + (<usize>hash << 1);
}

/** The symbol of what a step defines. */
function evaluate(at: usize): void {
  const a = <u32>load<u8>(at, 1);
  switch (opcodeOf(at)) {
    case MICRO_GET:
      if (isFull(a & 3)) take(registerAt(slotOf(record, a >> 2) >> 3));
      return;
    case MICRO_GET_FIXED:
      if (isFull(a >> 5)) take(registerAt(a & 15));
      return;
    case MICRO_ADDRESS: return takeAddress(record, blockDelta, true);
    case MICRO_ADDRESS_ALIGNED:
      leaves = true;
      return takeAddress(record, blockDelta, true);
    case MICRO_EFFECTIVE: return takeAddress(record, blockDelta, false);
    case MICRO_OP32:
      if (!code64 && (a == I32_ADD || a == I32_SUB)) sum(at, a == I32_SUB);
      return;
    case MICRO_OP64:
      if (code64 && (a == I64_ADD || a == I64_SUB)) sum(at, a == I64_SUB);
      return;
    case MICRO_LOAD:
      take(valueAt(load<u8>(at, 2)));
      access(at, 1 << a, false);
      return unknown();
    case MICRO_MODIFY:
    case MICRO_MODIFY_LOCKED:
      take(valueAt(load<u8>(at, 2)));
      access(at, 1 << a, true);
      return unknown();
    case MICRO_POINTER:
      if (!(a & POINTER_MEMORY)) return;
      if (a & POINTER_ALIGNED) leaves = true;
      takeAddress(record, blockDelta, true);
      access(at, leb(at + 2), false);
      return unknown();
    case MICRO_CALL: return call(at);
  }
}

function sum(at: usize, negative: bool): void {
  const y = <u32>load<u8>(at, 4);
  if (!isConst(y)) return;
  take(valueAt(load<u8>(at, 3)));
  moveBy(negative ? -constOf(y) : constOf(y));
}

function effect(at: usize): void {
  const a = <u32>load<u8>(at, 1);
  switch (opcodeOf(at)) {
    case MICRO_PUT: return write(slotOf(record, a >> 2) >> 3, a & 3, load<u8>(at, 2));
    case MICRO_PUT_FIXED: return write(a & 15, a >> 5, load<u8>(at, 2));
    case MICRO_STORE:
      take(valueAt(load<u8>(at, 2)));
      return access(at, 1 << a, true);
    case MICRO_VWRITE:
      take(valueAt(a));
      return access(at, 16, true);
    case MICRO_GUARD:
    case MICRO_JUMP:
      leaves = true;
      return;
    case MICRO_CALL: return call(at);
  }
}

function write(register: u32, w: u32, value: u32): void {
  if (isFull(w) && whole) take(valueAt(value));
  else unknown();
  putRegister(register);
}

function call(at: usize): void {
  const helper = leb(at + 1);
  const shape = <u32>load<u8>(after);
  const value = <u32>load<u8>(after, 2);
  if (!code64 && stackAccess(at, helper, value)) return unknown();
  if (shape & MAY_FAULT || isX87(helper) || isInlineFloat(helper) || isPackedFloat(helper) || isInlineString(helper, record)) leaves = true;
  const written = load<u32>(HELPER_REGISTERS + (helper << 2)) >> 16;
  for (let i: u32 = 0; i < 16; i++) {
    if (!(written >> i & 1)) continue;
    fresh();
    put(registerAt(i));
  }
  unknown();
}

/** The stack of 32-bit code, which helpers work on. */
function stackAccess(at: usize, helper: u32, value: u32): bool {
  take(registerAt(helper == HELPER_leaveFrame ? RBP : RSP));
  switch (helper) {
    case HELPER_push32:
      moveBy(-4);
      access(at, 4, true);
      put(registerAt(RSP));
      return true;
    case HELPER_top32:
      access(at, 4, false);
      return true;
    case HELPER_drop:
      if (isConst(value)) moveBy(constOf(value));
      else unknown();
      putRegister(RSP);
      return true;
    case HELPER_leaveFrame:
      if (!isConst(value) || constOf(value) != 4) return false;
      access(at, 4, false);
      moveBy(4);
      put(registerAt(RSP));
      fresh();
      put(registerAt(RBP));
      return true;
  }
  return false;
}

/** Notes the access of a step at the symbol: in a span with others off its root, or one of its own. */
function access(at: usize, bytes: u32, writes: bool): void {
  if (!whole || !symbolRoot || accesses == SPAN_ACCESSES_MAX || spans == SPAN_GROUPS_MAX) {
    leaves = true;
    return;
  }
  const from = symbolOffset;
  const to = from + bytes;
  let joined: u32 = spans;
  for (let i = spans; i > firstSpan && i + JOINED_BACK > spans; i--) {
    const s = spanAt(i - 1);
    if (load<u32>(s, S_ROOT) != symbolRoot || max(to, load<i64>(s, S_TO)) - min(from, load<i64>(s, S_FROM)) > SPAN_MAX) continue;
    joined = i - 1;
    break;
  }
  const s = spanAt(joined);
  if (joined == spans) {
    spans++;
    store<u32>(s, symbolRoot, S_ROOT);
    store<u32>(s, 0, S_COUNT);
    store<i64>(s, from, S_FROM);
    store<i64>(s, to, S_TO);
    store<u32>(s, (staysInPlace() ? SPAN_STAYS : 0) | (isApart(placeOf(record, blockDelta)) ? SPAN_APART : 0), S_BITS);
    store<u32>(s, <u32>record, S_FIRST);
  }
  store<u32>(s, load<u32>(s, S_COUNT) + 1, S_COUNT);
  store<i64>(s, min(from, load<i64>(s, S_FROM)), S_FROM);
  store<i64>(s, max(to, load<i64>(s, S_TO)), S_TO);
  if (writes) store<u16>(s, <u16>(load<u16>(s, S_BITS) | SPAN_WRITES), S_BITS);
  const entry = accessAt(accesses);
  accesses++;
  store<u32>(entry, <u32>record, A_RECORD);
  store<u32>(entry, <u32>at, A_STEP);
  store<u32>(entry, joined, A_SPAN);
  store<i32>(entry, <i32>from, A_OFFSET);
}

// ---------------------------------------------------------------- using them
/** Index of a record's first access, or -1. */
function firstAccess(rec: usize): i32 {
  for (let hash = hashOf(rec); load<u16>(hashAt(hash)); hash = nextHash(hash)) {
    const index = <i32>load<u16>(hashAt(hash)) - 1;
    if (<usize>load<u32>(accessAt(index), A_RECORD) == rec) return index;
  }
  return -1;
}

/** Whether all that a record accesses was looked up before it, so that it cannot leave the region. */
export function isCovered(rec: usize): bool {
  const first = firstAccess(rec);
  if (first < 0 || load<u32>(accessAt(first), A_SPAN) & LEAVES) return false;
  for (let i = <u32>first; i < accesses && <usize>load<u32>(accessAt(i), A_RECORD) == rec; i++) {
    const s = spanAt(load<u32>(accessAt(i), A_SPAN));
    if (!load<u32>(s, S_COUNT) || <usize>load<u32>(s, S_FIRST) == rec) return false;
  }
  return true;
}

/** The access of a step of record `rec` if it lies in a span with others, else 0. */
export function accessOf(rec: usize, step: usize): usize {
  const first = firstAccess(rec);
  if (first < 0) return 0;
  for (let i = <u32>first; i < accesses && <usize>load<u32>(accessAt(i), A_RECORD) == rec; i++) {
    if (<usize>load<u32>(accessAt(i), A_STEP) == step) return load<u32>(spanOf(accessAt(i)), S_COUNT) ? accessAt(i) : 0;
  }
  return 0;
}

function spanOf(access: usize): usize {
  return spanAt(load<u32>(access, A_SPAN) & ~LEAVES);
}

/** Bytes of an access's span, and how far into it the access is. */
export function spanBytes(access: usize): u32 {
  const s = spanOf(access);
  return <u32>(load<i64>(s, S_TO) - load<i64>(s, S_FROM));
}
export function offsetInSpan(access: usize): u32 {
  return access ? <u32>(load<i32>(access, A_OFFSET) - <i32>load<i64>(spanOf(access), S_FROM)) : 0;
}
export function spanWrites(access: usize): bool {
  return (load<u16>(spanOf(access), S_BITS) & SPAN_WRITES) != 0;
}

/** Whether an access's span has been looked up. */
export function isOpen(access: usize): bool {
  return access != 0 && (load<u16>(spanOf(access), S_BITS) & SPAN_OPEN) != 0;
}
/** Notes that it is looked up here. */
export function openSpan(access: usize): void {
  const s = spanOf(access);
  store<u16>(s, <u16>(load<u16>(s, S_BITS) | SPAN_OPEN), S_BITS);
}

let locals: u32 = 0;
let firstLocal: u32 = 0;
/** Begins a function: takes the locals that its spans need. */
export function takeSpanLocals(): void {
  locals = 0;
  for (let i: u32 = 0; i < spans; i++) if (load<u32>(spanAt(i), S_COUNT)) locals = max(locals, <u32>load<u16>(spanAt(i), S_NUMBER) + 1);
  for (let i: u32 = 0; i < locals; i++) {
    const local = addLocal(I32);
    if (i == 0) firstLocal = local;
  }
}

/** Local with the host address of an access's span, from where it is looked up to the end of its block. */
export function spanLocal(access: usize): u32 {
  return firstLocal + load<u16>(spanOf(access), S_NUMBER);
}
