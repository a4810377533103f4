// AssemblyScript's built-in functions: memory, atomics, bits, floats. Vectors are in vectors.ts.
import type ts from "typescript";
import type { Body } from "./body.ts";
import { compileExpression, condition } from "./expressions.ts";
import { compare, cut } from "./integers.ts";
import * as M from "./memory.ts";
import * as P from "./parts.ts";
import { BOOL, commonType, F32, F64, I32, type Type, typeNamed, U32, VOID } from "./types.ts";
import { i32, integer, type Value, VOID_VALUE, value } from "./value.ts";
import { isVectorBuiltin, vectorBuiltin } from "./vectors.ts";

export function compileBuiltin(
  body: Body,
  name: string,
  types: readonly Type[],
  args: readonly ts.Expression[],
  context: Type | undefined,
): Value {
  const cast = typeNamed(name);
  if (cast && args.length === 1) return body.convert(compileExpression(body, args[0]!, cast), cast);
  if (isVectorBuiltin(name)) return vectorBuiltin(body, name, args);
  const plain = context === VOID ? undefined : context;
  const given =
    (i: number, t: Type | undefined): (() => Value) =>
    () => {
      const v = compileExpression(body, args[i]!, t);
      return t ? body.convert(v, t) : v;
    };
  const offset = (i: number): number => {
    if (!args[i]) return 0;
    const v = compileExpression(body, args[i]!, U32);
    if (v.constant === undefined) throw body.error("an offset that is not constant");
    return Number(v.constant);
  };
  switch (name) {
    case "load": {
      const [at] = body.in(given(0, U32)) as [Value];
      return M.load(body, types[0]!, at, offset(1));
    }
    case "store": {
      const [at, v] = body.in(given(0, U32), given(1, types[0])) as [Value, Value];
      M.store(body, types[0]!, at, v, offset(2));
      return VOID_VALUE;
    }
    case "atomic.load": {
      const [at] = body.in(given(0, U32)) as [Value];
      return M.atomicLoad(body, types[0]!, at, offset(1));
    }
    case "atomic.store": {
      const [at, v] = body.in(given(0, U32), given(1, types[0])) as [Value, Value];
      M.atomicStore(body, types[0]!, at, v, offset(2));
      return VOID_VALUE;
    }
    case "atomic.or":
    case "atomic.and":
    case "atomic.xchg":
    case "atomic.add": {
      const [at, v] = body.in(given(0, U32), given(1, types[0])) as [Value, Value];
      return M.atomicChange(body, name.slice(7), types[0]!, at, v, offset(2));
    }
    case "atomic.cmpxchg": {
      const [at, expected, v] = body.in(given(0, U32), given(1, types[0]), given(2, types[0])) as [Value, Value, Value];
      return M.atomicReplace(body, types[0]!, at, expected, v, offset(3));
    }
    case "atomic.wait": {
      const i64 = typeNamed("i64")!;
      const [at, expected, timeout] = body.in(given(0, U32), given(1, types[0]), given(2, i64)) as [
        Value,
        Value,
        Value,
      ];
      return i32(
        body.temporary(
          `${body.unit.runtime("waiting", "wait")}($I32, ${M.index(at, 0, 2)}, ${expected.parts[0]}, ${timeout.parts.join(", ")})`,
        ),
      );
    }
    case "atomic.notify": {
      const [at, count] = body.in(given(0, U32), given(1, I32)) as [Value, Value];
      return i32(body.temporary(`Atomics.notify($I32, ${M.index(at, 0, 2)}, ${P.unsigned(count.parts[0]!)})`));
    }
    case "atomic.fence":
      return VOID_VALUE;
    case "memory.fill": {
      const [at, v, n] = body.in(given(0, U32), given(1, I32), given(2, U32)) as [Value, Value, Value];
      body.emit(`$fill(${at.parts[0]}, ${v.parts[0]}, ${n.parts[0]});`);
      return VOID_VALUE;
    }
    case "memory.copy": {
      const [to, from, n] = body.in(given(0, U32), given(1, U32), given(2, U32)) as [Value, Value, Value];
      body.emit(`$copy(${to.parts[0]}, ${from.parts[0]}, ${n.parts[0]});`);
      return VOID_VALUE;
    }
    case "memory.data":
      return integer(U32, BigInt(body.unit.data(body, types[0], args[0]!)));
    case "sizeof":
      return integer(U32, BigInt(Math.max(8, types[0]!.size) / 8));
    case "unreachable":
      body.emit('throw new Error("unreachable");');
      return body.zero(plain ?? VOID);
    case "select": {
      const [a, b] = body.in(given(0, types[0]), given(1, types[0])) as [Value, Value];
      const mark = body.lines.length;
      const test = condition(body, args[2]!);
      const [x, y] = body.lines.length === mark ? [a, b] : [lateBind(body, a, mark), lateBind(body, b, mark)];
      return choose(body, test, x, y);
    }
    case "reinterpret": {
      const t = types[0]!;
      const from = t === F64 ? typeNamed("u64") : t === F32 ? U32 : t.size === 64 ? F64 : F32;
      const [v] = body.in(given(0, from)) as [Value];
      if (t === F64 || t === F32)
        return body.runtimeFloat(t, "float", t === F64 ? "f64FromBits" : "f32FromBits", v.parts);
      if (t.size === 64) return body.runtime64(t, "float", "bitsOfF64", v.parts);
      return value(t, [`${body.unit.runtime("float", "bitsOfF32")}(${v.parts[0]})`]);
    }
    case "min":
    case "max":
      return extreme(body, name, types[0], given);
    case "clz":
    case "ctz":
    case "popcnt": {
      // Without a type argument the operand's own type counts, whatever is asked for.
      const [v] = body.in(given(0, types[0])) as [Value];
      return count(body, name, v);
    }
    case "rotl":
    case "rotr": {
      const [v, n] = body.in(given(0, types[0]), given(1, types[0])) as [Value, Value];
      return rotate(body, name, v, n);
    }
    case "bswap": {
      const [v] = body.in(given(0, types[0])) as [Value];
      if (v.type.size === 64) return body.runtime64(v.type, "int64", "swapBytes", v.parts);
      const swapped = `${body.unit.runtime("int64", "swapWord")}(${v.parts[0]})`;
      return v.type.size === 32 ? value(v.type, [swapped]) : cut(v.type, P.shrU(swapped, "16"));
    }
    case "Math.sqrt":
    case "Math.floor":
    case "floor":
    case "sqrt": {
      const [v] = body.in(given(0, F64)) as [Value];
      return value(F64, [`Math.${name.replace("Math.", "")}(${v.parts[0]})`], v.stable);
    }
    case "Mathf.sqrt": {
      const [v] = body.in(given(0, F32)) as [Value];
      return value(F32, [`Math.fround(Math.sqrt(${v.parts[0]}))`], v.stable);
    }
    case "abs": {
      const [v] = body.in(given(0, types[0])) as [Value];
      if (v.type.kind === "float") return value(v.type, [`Math.abs(${v.parts[0]})`], v.stable);
      const x = body.atoms(v);
      const zero = integer(v.type, 0n);
      if (v.type.size === 64) return body.runtime64(v.type, "int64", "absolute", x.parts);
      return choose(body, body.truthy(compare(body, "<", x, zero)), value(v.type, [P.sub("0", x.parts[0]!)]), x);
    }
    case "$handler": {
      const [number, record] = body.in(given(0, U32), given(1, U32)) as [Value, Value];
      return value(U32, [body.temporary(`$handlers[${number.parts[0]}]!(${record.parts[0]})`)], true, 8);
    }
  }
  throw body.error(`no rule for ${name}()`);
}

/** Binds a value that was compiled before the line `mark`. */
function lateBind(body: Body, v: Value, mark: number): Value {
  if (v.stable) return v;
  const tail = body.lines.splice(mark);
  const bound = body.bind(v);
  body.lines.push(...tail);
  return bound;
}

function choose(body: Body, test: string, a: Value, b: Value): Value {
  if (test === "true") return a;
  if (test === "false") return b;
  const chosen = a.parts.length > 1 && !P.isAtom(test) ? body.temporary(test) : test;
  const v = value(
    a.type,
    a.parts.map((p, i) => `(${chosen} ? ${p} : ${b.parts[i]})`),
  );
  return a.type === BOOL ? { ...v, condition: `(${v.parts[0]} !== 0)` } : v;
}

function extreme(
  body: Body,
  name: string,
  t: Type | undefined,
  given: (i: number, t: Type | undefined) => () => Value,
): Value {
  let [a, b] = body.in(given(0, t), given(1, t)) as [Value, Value];
  const joined = t ?? commonType(a.type, b.type) ?? a.type;
  [a, b] = [body.convert(a, joined), body.convert(b, joined)];
  if (joined.kind === "float") return value(joined, [`Math.${name}(${a.parts[0]}, ${b.parts[0]})`]);
  const [x, y] = [body.atoms(a), body.atoms(b)];
  return choose(body, body.truthy(compare(body, name === "min" ? "<" : ">", x, y)), x, y);
}

function count(body: Body, name: string, v: Value): Value {
  const t = v.type === BOOL ? I32 : v.type;
  const x = body.convert(v, t);
  if (t.size === 64) {
    const text = `${body.unit.runtime("int64", `${name}64`)}(${x.parts.join(", ")})`;
    return value(t, [text, "0"]);
  }
  if (name === "clz" && t.size === 32) return value(t, [`Math.clz32(${x.parts[0]})`]);
  if (t.size < 32) throw body.error(`no rule for ${name} of ${t.name}`);
  return value(t, [`${body.unit.runtime("int64", `${name}32`)}(${x.parts[0]})`]);
}

function rotate(body: Body, name: string, v: Value, n: Value): Value {
  const left = name === "rotl";
  if (v.type.size === 64)
    return body.runtime64(v.type, "int64", left ? "rotateLeft" : "rotateRight", [...v.parts, n.parts[0]!]);
  const x = body.atoms(v).parts[0]!;
  const c = body.atoms(n).parts[0]!;
  if (v.type.size === 32) {
    const [up, down] = left ? [c, P.sub("32", c)] : [P.sub("32", c), c];
    // Counts are taken modulo 32, so a rotation by 0 is the value twice.
    return value(v.type, [`(${x} << ${up} | ${x} >>> ${down})`]);
  }
  const size = v.type.size;
  const k = P.and(c, `${size - 1}`);
  const up = left ? k : P.and(P.sub(`${size}`, c), `${size - 1}`);
  const down = left ? P.and(P.sub(`${size}`, c), `${size - 1}`) : k;
  return cut(v.type, `(${x} << ${up} | ${x} >>> ${down})`);
}
