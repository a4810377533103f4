// What an expression of the sources becomes: JavaScript texts for its 32-bit parts, and what is known of them.
import { isAtom } from "./parts.ts";
import { BOOL, F32, F64, I32, partsOf, type Type, U32, wrap } from "./types.ts";

export interface Value {
  readonly type: Type;
  /** Low part first. */
  readonly parts: readonly string[];
  /** The same as a JavaScript boolean, for values of type bool. */
  readonly condition?: string;
  /** The value, where it is known. */
  readonly constant?: bigint;
  /** May be evaluated later, or twice, and gives the same. */
  readonly stable: boolean;
  /** An address that is a multiple of this power of two. */
  readonly align: number;
}

export function value(type: Type, parts: readonly string[], stable = false, align = 1): Value {
  return { type, parts, stable, align };
}

/** A known integer. */
export function integer(type: Type, of: bigint): Value {
  const constant = wrap(type, of);
  const low = `${BigInt.asIntN(32, constant)}`;
  const parts = partsOf(type) === 2 ? [low, `${BigInt.asIntN(32, constant >> 32n)}`] : [low];
  const base: Value = { type, parts, constant, stable: true, align: lowBit(constant) };
  return type === BOOL ? { ...base, condition: constant ? "true" : "false" } : base;
}

/** A known float. */
export function float(type: Type, of: number): Value {
  const x = type === F32 ? Math.fround(of) : of;
  return value(type === F32 ? F32 : F64, [Object.is(x, -0) ? "-0" : `${x}`], true);
}

export const VOID_VALUE: Value = {
  type: { name: "void", kind: "void", size: 0, signed: false },
  parts: [],
  stable: true,
  align: 1,
};

/** A bool from a JavaScript boolean. */
export function truth(condition: string): Value {
  return { type: BOOL, parts: [`(${condition} ? 1 : 0)`], condition, stable: false, align: 1 };
}

/** An int32 text as a value. */
export const i32 = (text: string, align = 1): Value => value(I32, [text], false, align);
export const u32 = (text: string, align = 1): Value => value(U32, [text], false, align);

/** True where every part is a name or a literal. */
export function atomic(v: Value): boolean {
  return v.parts.every(isAtom);
}

export function lowBit(x: bigint): number {
  return x === 0n ? 4096 : Number(BigInt.asUintN(64, x & -x) > 4096n ? 4096n : BigInt.asUintN(64, x & -x));
}
