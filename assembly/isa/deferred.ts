// Which values of a body need no local of their own: MICRO_DEFERRED of serialize.ts.
import { effectsOf, PURE } from "./helper-effects.ts";
import { argumentsOf } from "./masks.ts";
import type { MicroOp, Value } from "./micro-op.ts";

/** What reading a value depends on, and what a step may change. */
const REGISTERS = 1;
const FLAGS = 2;
const BYTES = 4;

function dependsOn(step: MicroOp): number {
  switch (step.op) {
    case "get":
    case "getFixed":
    case "effective":
      return REGISTERS;
    case "condition":
    case "getFlags":
      return FLAGS;
    case "vload":
      return BYTES;
    default:
      return 0;
  }
}

function changes(step: MicroOp): number {
  switch (step.op) {
    case "put":
    case "putFixed":
      return REGISTERS;
    case "flags":
    case "setFlags":
      return FLAGS;
    case "vstore":
    case "vwrite":
    case "store":
    case "complete":
      return BYTES;
    case "call": {
      const { registersWritten, flagsChanged } = effectsOf(step.module, step.name);
      return BYTES | (registersWritten ? REGISTERS : 0) | (flagsChanged ? FLAGS : 0);
    }
    default:
      return 0;
  }
}

const MOVABLE = new Set<MicroOp["op"]>([
  "const",
  "imm",
  "get",
  "getFixed",
  "index",
  "effective",
  "vload",
  "simd",
  "binary",
  "unary",
  "select",
  "condition",
  "getFlags",
  "nextRip",
]);

/** Whether a step may be computed where its value is used, or left out where it is not. */
function isMovable(step: MicroOp): boolean {
  if (step.op === "call")
    return !step.faults && !step.args.some((a) => a.type === "ptr") && effectsOf(step.module, step.name) === PURE;
  return MOVABLE.has(step.op);
}

/** The values of a body that may be computed where they are used: once each, with nothing in between that changes what they read. */
export function deferredValues(steps: readonly MicroOp[]): Set<Value> {
  const order: MicroOp[] = [];
  const walk = (list: readonly MicroOp[]): void => {
    for (const step of list) {
      // The condition of a conditional body is computed before the body.
      order.push(step);
      if (step.op === "when") walk(step.body);
    }
  };
  walk(steps);
  const users = new Map<Value, number[]>();
  order.forEach((step, at) => {
    for (const a of argumentsOf(step)) users.set(a, [...(users.get(a) ?? []), at]);
  });
  const deferred = new Set<Value>();
  /** All that a value depends on where the values that it takes are computed with it. */
  const depends = new Map<Value, number>();
  order.forEach((step, at) => {
    if (step.type === "void") return;
    let needs = dependsOn(step);
    for (const a of argumentsOf(step)) if (deferred.has(a)) needs |= depends.get(a) ?? 0;
    depends.set(step, needs);
    const uses = users.get(step) ?? [];
    if (uses.length !== 1 || !isMovable(step)) return;
    // A division may trap where its guard has not been passed.
    if (step.op === "binary" && (step.name === "div_u" || step.name === "rem_u")) return;
    // A modify's address and value are looked at again by its completion.
    for (let i = at + 1; i < uses[0]!; i++) if (changes(order[i]!) & needs) return;
    deferred.add(step);
  });
  return deferred;
}
