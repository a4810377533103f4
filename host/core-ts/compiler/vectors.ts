// 128-bit vectors: four int32 texts. Lane-wise logic and 32-bit arithmetic are written out; all else is a function of
// runtime/vector.ts, named as the instruction of WebAssembly.
import type ts from "typescript";
import type { Body } from "./body.ts";
import { compileExpression } from "./expressions.ts";
import * as M from "./memory.ts";
import * as P from "./parts.ts";
import { F32, F64, I8, I16, I32, type Type, U32, U64, V128 } from "./types.ts";
import { truth, type Value, VOID_VALUE, value } from "./value.ts";

const SHAPES: Record<string, { readonly lane: Type; readonly lanes: number }> = {
  i8x16: { lane: I8, lanes: 16 },
  i16x8: { lane: I16, lanes: 8 },
  i32x4: { lane: U32, lanes: 4 },
  i64x2: { lane: U64, lanes: 2 },
  f32x4: { lane: F32, lanes: 4 },
  f64x2: { lane: F64, lanes: 2 },
};

export function isVectorBuiltin(name: string): boolean {
  const [shape] = name.split(".");
  return shape === "v128" || shape! in SHAPES;
}

type Quarter = (x: string, y: string, z: string) => string;
/** Operations that treat each 32-bit part alike, by operands. */
const QUARTERS: Record<string, Quarter> = {
  "v128.and": (x, y) => P.and(x, y),
  "v128.or": (x, y) => P.or(x, y),
  "v128.xor": (x, y) => P.xor(x, y),
  "v128.andnot": (x, y) => P.and(x, P.xor(y, "-1")),
  "v128.not": (x) => P.xor(x, "-1"),
  "v128.bitselect": (x, y, z) => `(${x} & ${z} | ${y} & ~${z})`,
  "i32x4.add": (x, y) => P.add(x, y),
  "i32x4.sub": (x, y) => P.sub(x, y),
  "i32x4.mul": (x, y) => P.mul(x, y),
  "i32x4.eq": (x, y) => `(${x} === ${y} ? -1 : 0)`,
  "i32x4.ne": (x, y) => `(${x} !== ${y} ? -1 : 0)`,
  "i32x4.gt_s": (x, y) => `(${x} > ${y} ? -1 : 0)`,
  "i32x4.lt_s": (x, y) => `(${x} < ${y} ? -1 : 0)`,
};

export function vectorBuiltin(body: Body, name: string, args: readonly ts.Expression[]): Value {
  const [shapeName, operation] = name.split(".") as [string, string | undefined];
  const shape = SHAPES[shapeName];
  if (operation === undefined) return literal(body, shape!, args);
  const vector = (i: number) => (): Value => compileExpression(body, args[i]!, V128);
  const scalar = (i: number, t: Type) => (): Value => body.convert(compileExpression(body, args[i]!, t), t);
  const constant = (i: number): number => {
    const v = compileExpression(body, args[i]!, I32);
    if (v.constant === undefined) throw body.error("a lane that is not constant");
    return Number(v.constant);
  };
  switch (operation) {
    case "load": {
      const [at] = body.in(scalar(0, U32)) as [Value];
      return M.loadVector(body, at, args[1] ? constant(1) : 0);
    }
    case "store": {
      const [at, v] = body.in(scalar(0, U32), vector(1)) as [Value, Value];
      M.store(body, V128, at, v, args[2] ? constant(2) : 0);
      return VOID_VALUE;
    }
    case "splat": {
      const [v] = body.in(scalar(0, shape!.lane)) as [Value];
      return splat(body, shape!, v);
    }
    case "shuffle": {
      const [a, b] = body.in(vector(0), vector(1)) as [Value, Value];
      return shuffle(
        body,
        a,
        b,
        args.slice(2).map((_, i) => constant(i + 2)),
      );
    }
    case "extract_lane":
    case "extract_lane_s":
    case "extract_lane_u": {
      const [v] = body.in(vector(0)) as [Value];
      return extract(body, shape!, v, constant(1), operation === "extract_lane_u");
    }
    case "replace_lane": {
      const [v, x] = body.in(vector(0), scalar(2, shape!.lane)) as [Value, Value];
      return replace(body, shape!, v, constant(1), x);
    }
    case "shl":
    case "shr_s":
    case "shr_u": {
      const [v, n] = body.in(vector(0), scalar(1, I32)) as [Value, Value];
      return body.runtimeVector(`${shapeName}_${operation}`, [...v.parts, ...n.parts]);
    }
    case "any_true": {
      const [v] = body.in(vector(0)) as [Value];
      return truth(`(${v.parts.reduce(P.or)} !== 0)`);
    }
    case "all_true":
    case "bitmask": {
      const [v] = body.in(vector(0)) as [Value];
      const text = body.temporary(`${body.unit.runtime("vector", `${shapeName}_${operation}`)}(${v.parts.join(", ")})`);
      return operation === "bitmask" ? value(I32, [text], true) : { ...truth(`(${text} !== 0)`), stable: true };
    }
  }
  const operands = body.in(...args.map((_, i) => vector(i)));
  const quarter = QUARTERS[name];
  if (quarter) {
    const [a, b, c] = operands.map((v) => (quarter.length > 2 ? body.atoms(v) : v));
    return value(
      V128,
      a!.parts.map((x, i) => quarter(x, b?.parts[i] ?? "", c?.parts[i] ?? "")),
      operands.every((v) => v.stable),
    );
  }
  return body.runtimeVector(
    `${shapeName}_${operation}`,
    operands.flatMap((v) => v.parts),
  );
}

type Shape = (typeof SHAPES)[string];

function literal(body: Body, shape: Shape, args: readonly ts.Expression[]): Value {
  const bytes = new DataView(new ArrayBuffer(16));
  args.forEach((a, i) => {
    const v = body.convert(compileExpression(body, a, shape.lane), shape.lane);
    if (v.constant === undefined) throw body.error("a vector that is not constant");
    const lane = BigInt.asUintN(shape.lane.size, v.constant);
    for (let k = 0; k < shape.lane.size / 8; k++)
      bytes.setUint8((i * shape.lane.size) / 8 + k, Number((lane >> BigInt(8 * k)) & 255n));
  });
  return value(
    V128,
    [0, 4, 8, 12].map((at) => `${bytes.getInt32(at, true)}`),
    true,
  );
}

function splat(body: Body, shape: Shape, v: Value): Value {
  if (shape.lane.kind === "float")
    return body.runtimeVector(shape.lanes === 4 ? "f32x4_splat" : "f64x2_splat", v.parts);
  if (shape.lanes === 2) {
    const { parts, stable } = body.atoms(v);
    return value(V128, [parts[0]!, parts[1]!, parts[0]!, parts[1]!], stable);
  }
  const narrow = shape.lane.size === 32 ? v.parts[0]! : P.and(v.parts[0]!, shape.lane.size === 8 ? "255" : "65535");
  const lane = shape.lane.size === 32 ? narrow : P.mul(narrow, shape.lane.size === 8 ? "16843009" : "65537");
  const one = P.isAtom(lane) ? lane : body.temporary(lane);
  return value(V128, [one, one, one, one], v.stable || !P.isAtom(lane));
}

function extract(body: Body, shape: Shape, v: Value, lane: number, unsigned: boolean): Value {
  const { size } = shape.lane;
  if (size === 64 && shape.lane.kind === "int") return value(U64, v.parts.slice(lane * 2, lane * 2 + 2), v.stable);
  if (shape.lane === F64) return body.runtimeFloat(F64, "float", "f64FromBits", v.parts.slice(lane * 2, lane * 2 + 2));
  const part = v.parts[(lane * size) >> 5]!;
  if (shape.lane === F32) return body.runtimeFloat(F32, "float", "f32FromBits", [part]);
  if (size === 32) return value(I32, [part], v.stable);
  const at = (lane * size) & 31;
  const lifted = P.shl(part, `${32 - size - at}`);
  return value(I32, [unsigned ? P.shrU(lifted, `${32 - size}`) : P.shrS(lifted, `${32 - size}`)], v.stable);
}

function replace(body: Body, shape: Shape, v: Value, lane: number, x: Value): Value {
  const { size } = shape.lane;
  let given: readonly string[] = x.parts;
  if (shape.lane === F64) given = body.runtime64(U64, "float", "bitsOfF64", x.parts).parts;
  if (shape.lane === F32) given = [body.temporary(`${body.unit.runtime("float", "bitsOfF32")}(${x.parts[0]})`)];
  const parts = [...v.parts];
  if (size >= 32) given.forEach((g, i) => (parts[((lane * size) >> 5) + i] = g));
  else {
    const at = (lane * size) & 31;
    const mask = 2 ** size - 1;
    const kept = P.and(parts[(lane * size) >> 5]!, `${~(mask << at)}`);
    parts[(lane * size) >> 5] = P.or(kept, P.shl(P.and(given[0]!, `${mask}`), `${at}`));
  }
  return value(V128, parts, v.stable && x.stable);
}

/** Byte lanes of a then b; whole 32-bit parts that only move cost nothing. */
function shuffle(body: Body, a: Value, b: Value, lanes: readonly number[]): Value {
  const scale = 16 / lanes.length;
  const bytes = lanes.flatMap((l) => Array.from({ length: scale }, (_, k) => l * scale + k));
  const all = [...a.parts, ...b.parts];
  const parts: (string | undefined)[] = [0, 4, 8, 12].map((at) => {
    const from = bytes[at]!;
    return from % 4 === 0 && [1, 2, 3].every((k) => bytes[at + k] === from + k) ? all[from / 4] : undefined;
  });
  if (parts.every((p) => p !== undefined)) {
    const used = body.atoms(value(V128, parts, a.stable && b.stable));
    return used;
  }
  const packed = [0, 4, 8, 12].map(
    (at) => `${bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)}`,
  );
  return body.runtimeVector("i8x16_shuffle", [...all, ...packed]);
}
