// Integer arithmetic on values: 32-bit operations as JavaScript's own, 64-bit ones on two halves.
import type { Body } from "./body.ts";
import * as P from "./parts.ts";
import { BOOL, commonType, I32, isInteger, type Type, wrap } from "./types.ts";
import { integer, truth, type Value, value } from "./value.ts";

export type Arithmetic = "+" | "-" | "*" | "/" | "%" | "&" | "|" | "^";
export type Shift = "<<" | ">>" | ">>>";
export type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=";

/** A 32-bit result cut to a smaller type where it has one. */
export function cut(t: Type, text: string): Value {
  if (t.size === 32) return value(t, [text]);
  if (!t.signed) return value(t, [P.and(text, `${2 ** t.size - 1}`)]);
  const n = `${32 - t.size}`;
  return value(t, [P.shrS(P.shl(text, n), n)]);
}

export function arithmetic(body: Body, op: Arithmetic, left: Value, right: Value): Value {
  const joined = commonType(left.type, right.type);
  if (!joined) throw body.error(`${left.type.name} ${op} ${right.type.name}`);
  if (joined.kind === "float") return floats(op, body.convert(left, joined), body.convert(right, joined));
  const t = joined === BOOL ? I32 : joined;
  const [a, b] = [body.convert(left, t), body.convert(right, t)];
  if (a.constant !== undefined && b.constant !== undefined && !(b.constant === 0n && (op === "/" || op === "%")))
    return integer(t, fold(op, a.constant, b.constant));
  if (t.size === 64) return arithmetic64(body, op, t, a, b);
  const [x, y] = [a.parts[0]!, b.parts[0]!];
  const result = cut(t, arithmetic32(op, t, x, y));
  return { ...result, stable: a.stable && b.stable, align: aligned(op, a, b) };
}

function aligned(op: Arithmetic, a: Value, b: Value): number {
  if (op === "&")
    return Math.max(a.align, b.constant === undefined ? 1 : b.align, a.constant === undefined ? 1 : a.align);
  if (op === "*") return Math.min(4096, a.align * b.align);
  return op === "/" || op === "%" ? 1 : Math.min(a.align, b.align);
}

function fold(op: Arithmetic, x: bigint, y: bigint): bigint {
  switch (op) {
    case "+":
      return x + y;
    case "-":
      return x - y;
    case "*":
      return x * y;
    case "/":
      return x / y;
    case "%":
      return x % y;
    case "&":
      return x & y;
    case "|":
      return x | y;
    case "^":
      return x ^ y;
  }
}

function arithmetic32(op: Arithmetic, t: Type, x: string, y: string): string {
  switch (op) {
    case "+":
      return P.add(x, y);
    case "-":
      return P.sub(x, y);
    case "*":
      return P.mul(x, y);
    case "&":
      return P.and(x, y);
    case "|":
      return P.or(x, y);
    case "^":
      return P.xor(x, y);
    default:
      return t.signed ? `(${x} ${op} ${y} | 0)` : `(${P.unsigned(x)} ${op} ${P.unsigned(y)} | 0)`;
  }
}

function floats(op: Arithmetic, a: Value, b: Value): Value {
  const text = `(${a.parts[0]} ${op} ${b.parts[0]})`;
  return value(a.type, [a.type.size === 32 ? `Math.fround${text}` : text]);
}

function arithmetic64(body: Body, op: Arithmetic, t: Type, a: Value, b: Value): Value {
  switch (op) {
    case "&":
      return value(t, [P.and(a.parts[0]!, b.parts[0]!), P.and(a.parts[1]!, b.parts[1]!)]);
    case "|":
      return value(t, [P.or(a.parts[0]!, b.parts[0]!), P.or(a.parts[1]!, b.parts[1]!)]);
    case "^":
      return value(t, [P.xor(a.parts[0]!, b.parts[0]!), P.xor(a.parts[1]!, b.parts[1]!)]);
    case "+":
      return add64(body, t, a, b);
    case "-":
      return sub64(body, t, a, b);
    case "*":
      if (a.parts[1] === "0" && b.parts[1] === "0")
        return body.runtime64(t, "int64", "multiplyWords", [a.parts[0]!, b.parts[0]!]);
      return body.runtime64(t, "int64", "multiply", [...a.parts, ...b.parts]);
    default: {
      const name = `${op === "/" ? "divide" : "remainder"}${t.signed ? "Signed" : "Unsigned"}`;
      return body.runtime64(t, "int64", name, [...a.parts, ...b.parts]);
    }
  }
}

function add64(body: Body, t: Type, left: Value, right: Value): Value {
  const [a, b] = left.constant === undefined ? [left, right] : [right, left];
  const highs = P.add(a.parts[1]!, b.parts[1]!);
  if (b.parts[0] === "0") return value(t, [a.parts[0]!, highs], false);
  // A sum that is below one of its terms has carried.
  const term = P.isAtom(b.parts[0]!) ? b.parts[0]! : body.temporary(b.parts[0]!);
  const low = body.temporary(P.add(a.parts[0]!, term));
  const carry = `(${P.unsigned(low)} < ${P.unsigned(term)} ? 1 : 0)`;
  return value(t, [low, highs === "0" ? carry : `(${highs.replace(/^\((.*) \| 0\)$/, "$1")} + ${carry} | 0)`]);
}

function sub64(body: Body, t: Type, a: Value, b: Value): Value {
  const highs = P.sub(a.parts[1]!, b.parts[1]!);
  if (b.parts[0] === "0") return value(t, [a.parts[0]!, highs]);
  const x = P.isAtom(a.parts[0]!) ? a.parts[0]! : body.temporary(a.parts[0]!);
  const y = P.isAtom(b.parts[0]!) ? b.parts[0]! : body.temporary(b.parts[0]!);
  const borrow = `(${P.unsigned(x)} < ${P.unsigned(y)} ? 1 : 0)`;
  return value(t, [P.sub(x, y), `(${highs} - ${borrow} | 0)`]);
}

/** a << b and its like: the count has the type of a, and only its low bits say something. */
export function shift(body: Body, op: Shift, left: Value, right: Value): Value {
  const t = left.type === BOOL ? I32 : left.type;
  const a = body.convert(left, t);
  const logical = op === ">>>" || !t.signed;
  const size = t.size;
  if (right.constant !== undefined) {
    const n = Number(right.constant & BigInt(size - 1));
    if (a.constant !== undefined) {
      const of =
        op === "<<" ? a.constant << BigInt(n) : (logical ? BigInt.asUintN(size, a.constant) : a.constant) >> BigInt(n);
      return integer(t, of);
    }
    if (size === 64) return shift64(body, t, op, logical, a, n);
    return {
      ...shift32(t, op, logical, a.parts[0]!, `${n}`),
      stable: a.stable,
      align: op === "<<" ? Math.min(4096, a.align * 2 ** n) : 1,
    };
  }
  const count = right.parts[0]!;
  if (size === 64) {
    const name = op === "<<" ? "shiftLeft" : logical ? "shiftRight" : "shiftRightSigned";
    return body.runtime64(t, "int64", name, [...a.parts, count]);
  }
  return shift32(t, op, logical, a.parts[0]!, size === 32 ? count : P.and(count, `${size - 1}`));
}

function shift32(t: Type, op: Shift, logical: boolean, x: string, n: string): Value {
  if (op === "<<") return cut(t, P.shl(x, n));
  if (!logical) return value(t, [P.shrS(x, n)]);
  // A small signed type is shifted as its own bits, not as those of its extension.
  const from = t.signed && t.size < 32 ? P.and(x, `${2 ** t.size - 1}`) : x;
  return t.signed && t.size < 32 ? cut(t, P.shrU(from, n)) : value(t, [P.shrU(from, n)]);
}

function shift64(body: Body, t: Type, op: Shift, logical: boolean, a: Value, n: number): Value {
  if (n === 0) return value(t, a.parts, a.stable);
  const [low, high] = a.parts as [string, string];
  const once = (text: string): string => (P.isAtom(text) ? text : body.temporary(text));
  if (op === "<<") {
    if (n >= 32) return value(t, ["0", P.shl(low, `${n - 32}`)], a.stable);
    const l = once(low);
    return value(t, [P.shl(l, `${n}`), P.or(P.shl(high, `${n}`), P.shrU(l, `${32 - n}`))], a.stable);
  }
  const down = logical ? P.shrU : P.shrS;
  if (n >= 32) {
    if (logical) return value(t, [P.shrU(high, `${n - 32}`), "0"], a.stable);
    const h = once(high);
    return value(t, [P.shrS(h, `${n - 32}`), P.shrS(h, "31")], a.stable);
  }
  const h = once(high);
  return value(t, [P.or(P.shrU(low, `${n}`), P.shl(h, `${32 - n}`)), down(h, `${n}`)], a.stable);
}

export function compare(body: Body, op: Comparison, left: Value, right: Value): Value {
  const joined = commonType(left.type, right.type);
  if (!joined) throw body.error(`${left.type.name} ${op} ${right.type.name}`);
  const t = joined === BOOL ? I32 : joined;
  const [a, b] = [body.convert(left, t), body.convert(right, t)];
  if (a.constant !== undefined && b.constant !== undefined)
    return integer(BOOL, compareKnown(op, a.constant, b.constant) ? 1n : 0n);
  if (!isInteger(t)) return truth(`(${a.parts[0]} ${script(op)} ${b.parts[0]})`);
  const stable = a.stable && b.stable;
  const text = t.size === 64 ? compare64(body, op, t, a, b) : compare32(op, t, a.parts[0]!, b.parts[0]!);
  return { ...truth(text), stable };
}

const script = (op: Comparison): string => (op === "==" ? "===" : op === "!=" ? "!==" : op);

function compareKnown(op: Comparison, x: bigint, y: bigint): boolean {
  switch (op) {
    case "==":
      return x === y;
    case "!=":
      return x !== y;
    case "<":
      return x < y;
    case "<=":
      return x <= y;
    case ">":
      return x > y;
    case ">=":
      return x >= y;
  }
}

function compare32(op: Comparison, t: Type, x: string, y: string): string {
  // A small unsigned value is its own int32.
  if (op === "==" || op === "!=" || t.signed || t.size < 32) return `(${x} ${script(op)} ${y})`;
  return `(${P.unsigned(x)} ${op} ${P.unsigned(y)})`;
}

function compare64(body: Body, op: Comparison, t: Type, a: Value, b: Value): string {
  const [al, ah] = a.parts as [string, string];
  const [bl, bh] = b.parts as [string, string];
  if (op === "==" || op === "!=") {
    if (bl === "0" && bh === "0") return `(${P.or(al, ah)} ${script(op)} 0)`;
    if (ah === bh && P.isAtom(ah)) return `(${al} ${script(op)} ${bl})`;
    return op === "==" ? `(${al} === ${bl} && ${ah} === ${bh})` : `(${al} !== ${bl} || ${ah} !== ${bh})`;
  }
  // Below 0 and not below it: the sign says it.
  if (t.signed && bl === "0" && bh === "0" && (op === "<" || op === ">=")) return `(${ah} ${op} 0)`;
  const lows = `${P.unsigned(al)} ${op} ${P.unsigned(bl)}`;
  if (ah === "0" && bh === "0") return `(${lows})`;
  const x = P.isAtom(ah) ? ah : body.temporary(ah);
  const y = P.isAtom(bh) ? bh : body.temporary(bh);
  const strict = op[0]!;
  const highs = t.signed ? `${x} ${strict} ${y}` : `${P.unsigned(x)} ${strict} ${P.unsigned(y)}`;
  return `(${x} === ${y} ? ${lows} : ${highs})`;
}

/** An integer as another integer type. */
export function convertInteger(body: Body, v: Value, to: Type): Value {
  if (v.type === to) return v;
  if (v.constant !== undefined) return integer(to, to === BOOL ? (v.constant === 0n ? 0n : 1n) : wrap(to, v.constant));
  if (to === BOOL) return { ...truth(body.truthy(v)), stable: v.stable };
  const low = v.parts[0]!;
  if (to.size === 64) {
    if (v.type.size === 64) return { type: to, parts: v.parts, stable: v.stable, align: v.align };
    if (!v.type.signed) return value(to, [low, "0"], v.stable, v.align);
    const l = P.isAtom(low) ? low : body.temporary(low);
    return value(to, [l, P.shrS(l, "31")], v.stable, v.align);
  }
  const fits =
    to.size === 32 ||
    (v.type.size <= to.size && (v.type.signed === to.signed || (!v.type.signed && v.type.size < to.size)));
  if (fits) return value(to, [low], v.stable, v.align);
  return { ...cut(to, low), stable: v.stable, align: v.align };
}
