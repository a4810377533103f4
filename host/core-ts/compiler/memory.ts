// Loads and stores: typed arrays where the address is known to be aligned, functions that look where it is not.
//
// $U8, $U16, $I32 and $F64 are views of a core's memory; $load16 and its like (prelude.ts) take any address.
import type { Body } from "./body.ts";
import * as P from "./parts.ts";
import { F32, F64, type Type, U32, V128 } from "./types.ts";
import { type Value, value } from "./value.ts";

/** The address as a text that may exceed 32 bits, for a shift to cut. */
function sum(at: Value, offset: number): string {
  const base = at.parts[0]!;
  const n = P.known(base);
  if (n !== undefined) return `${(n >>> 0) + offset}`;
  return offset === 0 ? base : `${base} + ${offset}`;
}

/** Index of the element of 2^log bytes at an aligned address. */
export function index(at: Value, offset: number, log: number): string {
  const text = sum(at, offset);
  const n = P.known(text);
  return n === undefined ? `${text} >>> ${log}` : `${n >>> log}`;
}

const alignedFor = (at: Value, offset: number, size: number): boolean => at.align >= size && offset % size === 0;

function word(at: Value, offset: number): string {
  if (alignedFor(at, offset, 4)) return `$I32[${index(at, offset, 2)}]!`;
  return `$load32(${sum(at, offset)})`;
}

export function load(body: Body, t: Type, at: Value, offset: number): Value {
  if (t.size === 8) {
    const byte = `$U8[${index(at, offset, 0)}]!`;
    return value(t, [t.signed ? P.shrS(P.shl(byte, "24"), "24") : byte]);
  }
  if (t.size === 16) {
    const half = alignedFor(at, offset, 2) ? `$U16[${index(at, offset, 1)}]!` : `$load16(${sum(at, offset)})`;
    return value(t, [t.signed ? P.shrS(P.shl(half, "16"), "16") : half]);
  }
  if (t === F64 && alignedFor(at, offset, 8)) return value(t, [`$F64[${index(at, offset, 3)}]!`]);
  if (t === F32) return body.runtimeFloat(F32, "float", "f32FromBits", [word(at, offset)]);
  if (t.kind === "int" && t.size === 32) return value(t, [word(at, offset)]);
  const base = body.atoms(at);
  const words = Array.from({ length: t.size / 32 }, (_, i) => word(base, offset + 4 * i));
  if (t === F64) return body.runtimeFloat(F64, "float", "f64FromBits", words);
  return value(t, words);
}

export function store(body: Body, t: Type, to: Value, v: Value, offset: number): void {
  const x = v.parts[0]!;
  if (t.size <= 8) {
    body.emit(`$U8[${index(to, offset, 0)}] = ${x};`);
    return;
  }
  if (t.size === 16) {
    if (alignedFor(to, offset, 2)) body.emit(`$U16[${index(to, offset, 1)}] = ${x};`);
    else body.emit(`$store16(${sum(to, offset)}, ${x});`);
    return;
  }
  if (t === F64 && alignedFor(to, offset, 8)) {
    body.emit(`$F64[${index(to, offset, 3)}] = ${x};`);
    return;
  }
  let words: readonly string[] = v.parts;
  if (t === F64) words = body.runtime64(U32, "float", "bitsOfF64", [x]).parts;
  if (t === F32) words = [`${body.unit.runtime("float", "bitsOfF32")}(${x})`];
  // All is read before the first word is written.
  if (words.length > 1) words = body.bind({ ...v, parts: words }).parts;
  const base = words.length > 1 ? body.atoms(to) : to;
  words.forEach((w, i) => {
    const at = offset + 4 * i;
    if (alignedFor(base, at, 4)) body.emit(`$I32[${index(base, at, 2)}] = ${w};`);
    else body.emit(`$store32(${sum(base, at)}, ${w});`);
  });
}

export const loadVector = (body: Body, at: Value, offset: number): Value => load(body, V128, at, offset);

// ---------------------------------------------------------------- atomics: addresses are aligned by their users
const VIEW: Record<number, [string, number]> = { 8: ["$U8", 0], 16: ["$U16", 1], 32: ["$I32", 2] };

function cell(t: Type, at: Value, offset: number): string {
  const [view, log] = VIEW[t.size]!;
  return `${view}, ${index(at, offset, log)}`;
}

export function atomicLoad(body: Body, t: Type, at: Value, offset: number): Value {
  if (t.size === 64) return wide(body, t, `$atomicLoad64(${sum(at, offset)})`);
  return value(t, [body.temporary(`Atomics.load(${cell(t, at, offset)})`)], true);
}

export function atomicStore(body: Body, t: Type, at: Value, v: Value, offset: number): void {
  if (t.size === 64) body.emit(`$atomicStore64(${sum(at, offset)}, ${v.parts.join(", ")});`);
  else body.emit(`Atomics.store(${cell(t, at, offset)}, ${v.parts[0]});`);
}

const CHANGES: Record<string, string> = { or: "or", and: "and", xchg: "exchange", add: "add" };

export function atomicChange(body: Body, name: string, t: Type, at: Value, v: Value, offset: number): Value {
  if (t.size === 64) throw body.error(`no rule for 64-bit atomic.${name}`);
  return value(t, [body.temporary(`Atomics.${CHANGES[name]}(${cell(t, at, offset)}, ${v.parts[0]})`)], true);
}

export function atomicReplace(body: Body, t: Type, at: Value, expected: Value, v: Value, offset: number): Value {
  if (t.size === 64) {
    return wide(body, t, `$atomicReplace64(${[sum(at, offset), ...expected.parts, ...v.parts].join(", ")})`);
  }
  return value(
    t,
    [body.temporary(`Atomics.compareExchange(${cell(t, at, offset)}, ${expected.parts[0]}, ${v.parts[0]})`)],
    true,
  );
}

function wide(body: Body, t: Type, call: string): Value {
  const low = body.temporary(call);
  return value(t, [low, body.temporary("$high")], true);
}
