// Errors for the test of the tests: ways in which a recorded list of micro-operations can be wrong. The differential
// engine is given a core with some of them and has to find each (test/differential/mutants.ts). No shipped core has any.
//
// A mutation that cannot show is left out where it would be made, with the reason beside it.
import { ALL_FLAGS, undefinedAfter } from "./flag-bits.ts";
import { argumentsOf } from "./masks.ts";
import type { BinaryOp, FlagKind, MicroOp, UnaryOp, Value, Width } from "./micro-op.ts";
import { allVariants, type Variant } from "./variant.ts";
import { demandedBytes, hasEqualHalves } from "./vector-lanes.ts";

export const MUTATION_KINDS = [
  "flag",
  "width",
  "operand order",
  "missing fault",
  "wrong fault",
  "constant",
  "operation",
  "condition",
  "register",
  "missing effect",
  "helper",
] as const;
export type MutationKind = (typeof MUTATION_KINDS)[number];

export interface Mutation {
  readonly variant: Variant;
  readonly kind: MutationKind;
  /** What was changed: "flags kind add becomes logic". */
  readonly what: string;
  /** The variant's steps with the error. */
  steps(): readonly MicroOp[];
}

/** Fields of a step to be replaced; undefined: the step is dropped. */
type Change = Partial<Record<string, unknown>> | undefined;

/** The steps with one changed; values are copied, so that what uses the changed one uses the copy. */
function rebuild(steps: readonly MicroOp[], at: MicroOp, change: Change): MicroOp[] {
  const copies = new Map<Value, MicroOp>();
  const renew = (a: Value | number): Value | number => (typeof a === "number" ? a : (copies.get(a) ?? a));
  const copy = (list: readonly MicroOp[]): MicroOp[] =>
    list.flatMap((step) => {
      if (step === at && !change) return [];
      const fields: Record<string, unknown> = { ...step, ...(step === at ? change : {}) };
      if ("args" in fields) fields["args"] = (fields["args"] as (Value | number)[]).map(renew);
      if (step.op === "when") fields["body"] = copy(step.body);
      const made = fields as unknown as MicroOp;
      copies.set(step, made);
      return [made];
    });
  return copy(steps);
}

function flatten(steps: readonly MicroOp[]): MicroOp[] {
  return steps.flatMap((step) => (step.op === "when" ? [step, ...flatten(step.body)] : [step]));
}

// ---------------------------------------------------------------- what can show
const mask = (width: number): bigint => (1n << BigInt(width)) - 1n;

/** The bits of a value that anything depends on, or undefined where a helper takes it and that is not known. */
function demanded(value: Value, all: readonly MicroOp[]): bigint | undefined {
  let bits = 0n;
  for (const step of all) {
    if (!argumentsOf(step).includes(value)) continue;
    const used = demandedBy(step, value, all);
    if (used === undefined) return undefined;
    bits |= used;
  }
  return bits;
}

function demandedBy(step: MicroOp, value: Value, all: readonly MicroOp[]): bigint | undefined {
  switch (step.op) {
    case "call":
      return undefined;
    case "binary": {
      const other = step.args[0] === value ? step.args[1] : step.args[0];
      const constant = (other as MicroOp).op === "const" ? (other as MicroOp & { op: "const" }).value : undefined;
      if (step.name === "and" && constant !== undefined) return BigInt.asUintN(64, constant);
      if (["add", "sub", "and", "or", "xor", "mul"].includes(step.name)) {
        const wanted = demanded(step, all);
        // A carry goes up, never down.
        return wanted === undefined ? undefined : wanted === 0n ? 0n : mask(wanted.toString(2).length);
      }
      return mask(64);
    }
    case "unary":
      return step.name === "extend8_s" ? mask(8) : step.name === "extend16_s" ? mask(16) : mask(64);
    case "put":
    case "putFixed":
    case "store":
    case "flags":
      return mask(step.width);
    case "complete":
      return step.args[0] === value ? 0n : mask(step.width);
    case "simd":
      return step.name.startsWith("i8x16") ? mask(8) : step.name.startsWith("i16x8") ? mask(16) : mask(64);
    default:
      return mask(64);
  }
}

/** A value that is 0 or 1, or too small for its sign to show. */
function isSmall(value: Value): boolean {
  const step = value as MicroOp;
  if (step.op === "condition") return true;
  if (step.op === "get" || step.op === "getFixed" || step.op === "load" || step.op === "imm" || step.op === "modify")
    return step.width < 32;
  if (step.op === "unary")
    return step.name === "eqz" || ((step.name === "wrap" || step.name === "extend_u") && isSmall(step.args[0]));
  if (step.op !== "binary") return false;
  if (/^(eq|ne|lt|le)/.test(step.name)) return true;
  return (
    step.name === "and" && step.args.some((a) => (a as MicroOp).op === "const" && isLow(a as MicroOp & { op: "const" }))
  );
}

const isLow = (step: MicroOp & { op: "const" }): boolean => step.value >= 0n && step.value < 0x80000000n;

/** Whether only a flags step takes the value, as what its last shifted bit is read from. */
function isShiftedOnly(value: Value, all: readonly MicroOp[]): boolean {
  const users = all.filter((step) => argumentsOf(step).includes(value));
  return users.every((step) => step.op === "flags" && step.args[1] === value);
}

// ---------------------------------------------------------------- replacements
const BINARY: Partial<Record<BinaryOp, BinaryOp>> = {
  add: "sub",
  sub: "add",
  mul: "add",
  and: "or",
  or: "and",
  xor: "and",
  shl: "shr_u",
  shr_u: "shl",
  shr_s: "shr_u",
  rotl: "rotr",
  rotr: "rotl",
  eq: "ne",
  ne: "eq",
  lt_u: "lt_s",
  lt_s: "lt_u",
};
const UNARY: Partial<Record<UnaryOp, UnaryOp>> = {
  extend_u: "extend_s",
  extend_s: "extend_u",
  extend8_s: "extend16_s",
  extend16_s: "extend8_s",
};
const FLAG: Partial<Record<FlagKind, FlagKind>> = {
  add: "sub",
  adc1: "add",
  sub: "add",
  sbb1: "sub",
  inc: "dec",
  dec: "inc",
  shl: "shr",
  shr: "shl",
};
/** Operations whose operands may change places. */
const COMMUTATIVE = /^(add|mul|and|or|xor|eq|ne)$|\.(add|mul|and|or|xor|eq|ne|min|max|avgr|q15mulr|extmul|dot)/;
const NARROWER: Partial<Record<Width, Width>> = { 64: 32, 32: 16, 16: 8 };
/** SIMD operations by pieces of their names. */
const SIMD: readonly (readonly [RegExp, string])[] = [
  [/\.add$/, ".sub"],
  [/\.sub$/, ".add"],
  [/\.(add|sub)_sat_s$/, ".$1_sat_u"],
  [/\.(add|sub)_sat_u$/, ".$1_sat_s"],
  [/\.min_/, ".max_"],
  [/\.max_/, ".min_"],
  [/\.gt_s$/, ".eq"],
  [/\.eq$/, ".ne"],
  [/\.mul$/, ".add"],
  [/(extend|extmul)_low_/, "$1_high_"],
  [/(extend|extmul)_high_/, "$1_low_"],
  [/^v128\.and$/, "v128.or"],
  [/^v128\.or$/, "v128.xor"],
  [/^v128\.xor$/, "v128.or"],
  [/^v128\.andnot$/, "v128.and"],
  [/narrow_(i\w+)_u$/, "narrow_$1_s"],
  [/narrow_(i\w+)_s$/, "narrow_$1_u"],
  [/avgr_u$/, "min_u"],
];

const signature = (step: MicroOp & { op: "call" }): string =>
  `${step.module} ${step.args.map((a) => a.type).join()} ${step.type} ${/\d*$/.exec(step.name)![0]}`;
let helpers: Map<string, Set<string>> | undefined;

/** Another helper of the module that is called in the same way. */
function sibling(step: MicroOp & { op: "call" }): string | undefined {
  if (!helpers) {
    helpers = new Map();
    for (const variant of allVariants()) {
      for (const s of flatten(variant.steps)) {
        if (s.op !== "call") continue;
        const key = signature(s);
        helpers.set(key, (helpers.get(key) ?? new Set()).add(s.name));
      }
    }
  }
  // With one processor, a locked access and the other are the same.
  const names = [...helpers.get(signature(step))!].filter(
    (name) => !/Locked$/.test(name) && !/Locked$/.test(step.name),
  );
  return names[(names.indexOf(step.name) + 1) % names.length];
}

// ---------------------------------------------------------------- the mutations of a variant
/** Everything that can be wrong about a variant, one error each. */
export function mutationsOf(variant: Variant): Mutation[] {
  const all = flatten(variant.steps);
  const found: Mutation[] = [];
  for (const step of all) {
    const note = (kind: MutationKind, what: string, change: Change): void => {
      found.push({ variant, kind, what, steps: () => rebuild(variant.steps, step, change) });
    };
    mutate(step, variant, all, note);
  }
  return found;
}

type Note = (kind: MutationKind, what: string, change: Change) => void;

function mutate(step: MicroOp, variant: Variant, all: readonly MicroOp[], note: Note): void {
  switch (step.op) {
    case "flags":
      flags(step, note);
      break;
    case "get":
    case "put":
      register(step, variant, note);
      narrow(step, all, note);
      if (step.op === "put") note("missing effect", `no write of operand ${step.slot}`, undefined);
      break;
    case "getFixed":
    case "putFixed":
      note("register", `register ${step.register} becomes ${step.register ^ 1}`, { register: step.register ^ 1 });
      if (step.op === "putFixed") note("missing effect", `no write of register ${step.register}`, undefined);
      break;
    case "imm":
    case "load":
    case "store":
      narrow(step, all, note);
      if (step.op === "store") note("missing effect", "no store", undefined);
      break;
    case "complete":
      // A locked access that is never completed keeps the lock, and what comes next waits for it.
      if (!step.locked) note("missing effect", "no complete", undefined);
      break;
    case "vstore":
    case "vwrite":
    case "setFlags":
      note("missing effect", `no ${step.op}`, undefined);
      break;
    case "address":
      // 64-bit code checks neither types nor limits of segments.
      if (variant.width === 64) break;
      if (step.write) note("missing fault", "the address is checked as for a read", { write: false });
      if (step.bytes > 1) note("width", `${step.bytes} bytes at the address become 1`, { bytes: 1 });
      break;
    case "pointer":
      if (step.aligned && step.memory) note("missing fault", "no alignment check", { aligned: false });
      if (!step.memory) swapSlot(step, variant, note);
      break;
    case "index":
      swapSlot(step, variant, note);
      break;
    case "guard": {
      const vector = step.vector === 5 ? 6 : 5;
      note("missing fault", `no check for vector ${step.vector}`, undefined);
      note("wrong fault", `vector ${step.vector} becomes ${vector}`, { vector, error: -1 });
      break;
    }
    case "condition":
      note("condition", `condition ${step.code} is negated`, { code: step.code ^ 1 });
      break;
    case "const":
      constant(step, variant, all, note);
      break;
    case "binary":
    case "unary":
    case "select":
    case "simd":
      operation(step, all, note);
      break;
    case "call":
      call(step, variant, note);
      break;
    default:
      break;
  }
}

function flags(step: MicroOp & { op: "flags" }, note: Note): void {
  const defined = ALL_FLAGS & ~undefinedAfter(step.kind);
  if (defined === 0) return;
  note("flag", `no flags of kind ${step.kind}`, undefined);
  const other = FLAG[step.kind];
  if (other) note("flag", `flags of kind ${step.kind} become ${other}`, { kind: other });
  // A product's flags that are defined do not follow from the result, and counts are small.
  const narrower = NARROWER[step.width];
  if (narrower && step.kind !== "mul" && step.kind !== "count")
    note("width", `flags of ${step.width} bits become ${narrower}`, { width: narrower });
}

type Sized = MicroOp & { op: "get" | "put" | "imm" | "load" | "store" };

function narrow(step: Sized, all: readonly MicroOp[], note: Note): void {
  const width = NARROWER[step.width];
  if (!width) return;
  if (step.type !== "void") {
    // Where no bit beyond the narrower width is looked at, nothing changes; a helper may not look at one either.
    const bits = demanded(step, all);
    if (bits === undefined || bits >> BigInt(width) === 0n) return;
  }
  note("width", `${step.op} of ${step.width} bits becomes ${width}`, { width });
}

/** Another operand of the same shape, by its slot. */
function otherSlot(variant: Variant, slot: number): number {
  const own = variant.operands.find((o) => o.slot === slot);
  return variant.operands.find((o) => o.slot >= 0 && o.slot !== slot && o.shape === own?.shape)?.slot ?? -1;
}

function register(step: MicroOp & { op: "get" | "put" }, variant: Variant, note: Note): void {
  const slot = otherSlot(variant, step.slot);
  if (slot >= 0) note("operand order", `${step.op} of operand ${step.slot} becomes ${slot}`, { slot });
}

function swapSlot(step: MicroOp & { op: "pointer" | "index" }, variant: Variant, note: Note): void {
  const slot = otherSlot(variant, step.slot);
  if (slot >= 0) note("operand order", `register of operand ${step.slot} becomes that of ${slot}`, { slot });
}

function constant(step: MicroOp & { op: "const" }, variant: Variant, all: readonly MicroOp[], note: Note): void {
  const users = all.filter((s) => argumentsOf(s).includes(step));
  // A helper may treat numbers alike; 0 and 1 are choices. The x87's pointers are not compared.
  if (users.some((s) => s.op === "call" && s.module === "execute/x87/pointers")) return;
  if (users.some((s) => s.op === "call") && step.value !== 0n && step.value !== 1n) return;
  // The zeros above an MMX operand never reach a register.
  if (variant.row.group === "mmx" && users.some((s) => s.op === "simd")) return;
  const value = step.value ^ 1n;
  note("constant", `${step.value} becomes ${value}`, { value });
}

function operation(
  step: MicroOp & { op: "binary" | "unary" | "select" | "simd" },
  all: readonly MicroOp[],
  note: Note,
): void {
  if (step.op === "select") {
    const [condition, a, b] = step.args;
    note("operand order", "the choices of a select change places", { args: [condition, b, a] });
    return;
  }
  const values = argumentsOf(step);
  // Products of the upper half of an MMX operand never reach a register.
  if (step.op === "simd" && step.type === "v128" && demandedBytes(step, all) === 0) return;
  if (step.op !== "unary" && values.length === 2 && step.args.length === 2 && values[0] !== values[1]) {
    if (values[0]!.type === values[1]!.type && !COMMUTATIVE.test(step.name))
      note("operand order", `operands of ${step.name} change places`, { args: [values[1], values[0]] });
  }
  if (step.op === "simd") simd(step, note);
  else if (step.op === "unary") {
    const name = UNARY[step.name];
    // Signs of numbers that have none do not show.
    if (name && !(step.name.startsWith("extend_") && isSmall(step.args[0])) && demanded(step, all) !== undefined)
      note("operation", `${step.name} becomes ${name}`, { name });
  } else {
    const name = BINARY[step.name];
    // The last bit shifted out is the same of either shift.
    if (name && !(step.name === "shr_s" && isShiftedOnly(step, all)))
      note("operation", `${step.name} becomes ${name}`, { name });
  }
}

function simd(step: MicroOp & { op: "simd" }, note: Note): void {
  const rule = SIMD.find(([from]) => from.test(step.name));
  const name = rule && step.name.replace(rule[0], rule[1]);
  if (name) note("operation", `${step.name} becomes ${name}`, { name });
  const lanes = step.args.filter((a) => typeof a === "number");
  if (lanes.length === 0) return;
  // MMX results are often made twice, one in either half.
  if (step.name === "i64x2.extract_lane" && hasEqualHalves(step.args[0] as Value)) return;
  const first = step.args.findIndex((a) => typeof a === "number");
  const args = step.args.map((a, i) => (i === first ? (a as number) ^ 1 : a));
  note("constant", `${step.name}: lane ${lanes[0]} becomes ${(lanes[0] as number) ^ 1}`, { args });
}

function call(step: MicroOp & { op: "call" }, variant: Variant, note: Note): void {
  // Vendors keep the x87's pointers differently: they are not compared (test/differential/undefined.ts).
  if (step.module === "execute/x87/pointers") return;
  if (step.type === "void") note(step.args.length ? "missing effect" : "missing fault", `no ${step.name}`, undefined);
  const name = sibling(step);
  // Between registers, an MMX instruction marks all of them as used right behind what EMMS would empty.
  if (name === "emms" && !variant.operands.some(({ shape }) => shape === "mem")) return;
  if (name && name !== step.name) note("helper", `${step.name} becomes ${name}`, { name });
}
