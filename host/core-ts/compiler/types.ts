// The value types of the kernel side's sources, and how AssemblyScript converts between them.

export interface Type {
  readonly name: string;
  readonly kind: "int" | "bool" | "float" | "vector" | "void";
  /** Bits; a bool has one. */
  readonly size: number;
  readonly signed: boolean;
}

const type = (name: string, kind: Type["kind"], size: number, signed: boolean): Type => ({ name, kind, size, signed });

export const I8 = type("i8", "int", 8, true);
export const U8 = type("u8", "int", 8, false);
export const I16 = type("i16", "int", 16, true);
export const U16 = type("u16", "int", 16, false);
export const I32 = type("i32", "int", 32, true);
export const U32 = type("u32", "int", 32, false);
export const I64 = type("i64", "int", 64, true);
export const U64 = type("u64", "int", 64, false);
export const BOOL = type("bool", "bool", 1, false);
export const F32 = type("f32", "float", 32, true);
export const F64 = type("f64", "float", 64, true);
export const V128 = type("v128", "vector", 128, false);
export const VOID = type("void", "void", 0, false);

const BY_NAME = new Map([I8, U8, I16, U16, I32, U32, I64, U64, BOOL, F32, F64, V128, VOID].map((t) => [t.name, t]));
BY_NAME.set("usize", U32);
BY_NAME.set("isize", I32);
BY_NAME.set("boolean", BOOL);

/** The type of a name, or undefined. */
export function typeNamed(name: string): Type | undefined {
  return BY_NAME.get(name);
}

export const isInteger = (t: Type): boolean => t.kind === "int" || t.kind === "bool";

/** How many 32-bit JavaScript values stand for one of the type; floats are one number. */
export function partsOf(t: Type): number {
  if (t.kind === "void") return 0;
  if (t.kind === "vector") return 4;
  return t.kind === "int" && t.size === 64 ? 2 : 1;
}

/** Whether a value converts without a cast. */
function assignable(from: Type, to: Type): boolean {
  if (from === to) return true;
  if (isInteger(from) && isInteger(to)) return from.size <= to.size;
  if (isInteger(from) && to.kind === "float") return from.size <= (to.size === 64 ? 53 : 24);
  return from === F32 && to === F64;
}

/** The type in which a binary operation takes place; undefined where the operands have none in common. */
export function commonType(left: Type, right: Type): Type | undefined {
  if (assignable(right, left)) return left;
  return assignable(left, right) ? right : undefined;
}

/** `value` wrapped as the integer type keeps it. */
export function wrap(t: Type, value: bigint): bigint {
  if (t.kind === "bool") return value === 0n ? 0n : 1n;
  return t.signed ? BigInt.asIntN(t.size, value) : BigInt.asUintN(t.size, value);
}

/** The type of an integer literal where `context` is asked for. */
export function literalType(value: bigint, context: Type | undefined): Type {
  if (context && context.kind === "int" && (context.size === 64 || wrap(context, value) === value)) return context;
  if (context && context.kind === "float") return context;
  for (const t of [I32, U32, I64]) if (wrap(t, value) === value) return t;
  return U64;
}
