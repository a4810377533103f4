// Writes WebAssembly binary into linear memory. WebAssembly core specification 2.0, chapter 5.

/** Where the next byte goes. */
export let at: usize = 0;

export function writeAt(address: usize): void {
  at = address;
}

// @ts-ignore: decorator
@inline export function byte(value: u32): void {
  store<u8>(at++, <u8>value);
}

/** Unsigned LEB128. */
export function u32leb(value: u32): void {
  while (value > 0x7f) {
    byte((value & 0x7f) | 0x80);
    value >>= 7;
  }
  byte(value);
}

/** Signed LEB128. */
export function s64leb(value: i64): void {
  for (;;) {
    const low = <u32>value & 0x7f;
    value >>= 7;
    if ((value == 0 && !(low & 0x40)) || (value == -1 && (low & 0x40) != 0)) {
      byte(low);
      return;
    }
    byte(low | 0x80);
  }
}

/** Unsigned LEB128 of always five bytes, for sizes filled in later. */
export function u32leb5(address: usize, value: u32): void {
  for (let i = 0; i < 4; i++) {
    store<u8>(address + i, <u8>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  store<u8>(address + 4, <u8>value);
}

// ---------------------------------------------------------------- types and instructions
export const I32: u32 = 0x7f;
export const I64: u32 = 0x7e;
export const F64: u32 = 0x7c;
export const F32: u32 = 0x7d;
export const V128: u32 = 0x7b;
export const VOID: u32 = 0x40;

export function i32const(value: i32): void {
  byte(0x41);
  s64leb(value);
}
export function i64const(value: i64): void {
  byte(0x42);
  s64leb(value);
}
export function f64const(value: f64): void {
  byte(0x44);
  store<f64>(at, value);
  at += 8;
}
export function f32const(value: f32): void {
  byte(0x43);
  store<f32>(at, value);
  at += 4;
}
export function localGet(index: u32): void {
  byte(0x20);
  u32leb(index);
}
export function localSet(index: u32): void {
  byte(0x21);
  u32leb(index);
}
export function localTee(index: u32): void {
  byte(0x22);
  u32leb(index);
}
/** A load or store with its alignment hint (log2) and offset; the address is on the stack. */
export function memory(opcode: u32, align: u32, offset: u32): void {
  byte(opcode);
  u32leb(align);
  u32leb(offset);
}
export function call(index: u32): void {
  byte(0x10);
  u32leb(index);
}
/** Calls in place of the running function: WebAssembly's tail calls. */
export function returnCall(index: u32): void {
  byte(0x12);
  u32leb(index);
}
export function returnCallIndirect(type: u32): void {
  byte(0x13);
  u32leb(type);
  byte(0);
}

/** Blocks, loops and ifs of the function that are open: what opens and closes them keeps count, so that whatever
 * branches from inside them, ways out above all, finds its label. */
export let scopes: u32 = 0;
/** Begins a function, in which no scope is open. */
export function beginScopes(): void {
  scopes = 0;
}
function open(opcode: u32, type: u32): void {
  scopes++;
  byte(opcode);
  byte(type);
}
export function block(type: u32): void {
  open(0x02, type);
}
export function loop(type: u32): void {
  open(0x03, type);
}
export function ifBlock(type: u32): void {
  open(0x04, type);
}
export function elseBlock(): void {
  byte(0x05);
}
export function end(): void {
  scopes--;
  byte(0x0b);
}
/** Label of the scope that made `scopes` what it is given. */
// @ts-ignore: decorator
@inline export function labelOf(scope: u32): u32 {
  return scopes - scope;
}
export function br(depth: u32): void {
  byte(0x0c);
  u32leb(depth);
}
export function brIf(depth: u32): void {
  byte(0x0d);
  u32leb(depth);
}

export function brTable(count: u32): void {
  byte(0x0e);
  u32leb(count);
}
export function globalGet(index: u32): void {
  byte(0x23);
  u32leb(index);
}
/** A SIMD operation without immediates. */
export function simd(opcode: u32): void {
  byte(0xfd);
  u32leb(opcode);
}
/** A SIMD operation with a lane number. */
export function simdLane(opcode: u32, lane: u32): void {
  byte(0xfd);
  u32leb(opcode);
  byte(lane);
}
