// What a variant reads, writes and may raise, computed from its micro-operations. Nothing here is typed in by hand but
// the effects of helpers, which are no list of micro-operations (helper-effects.ts).
import { ALL_FLAGS, CF, conditionReads, keptBy, undefinedAfter } from "./flag-bits.ts";
import { effectsOf } from "./helper-effects.ts";
import type { MicroOp, Value, Width } from "./micro-op.ts";
import type { Variant } from "./variant.ts";

/** Flags as in RFLAGS; general registers by number and record slots by number, one bit each. */
export interface Masks {
  /** Record slots whose general register is read; written (8- and 16-bit writes keep the rest of the register). */
  readonly slotsRead: number;
  readonly slotsWritten: number;
  /** Record slots of which the number is used, or whose vector register is: XMM, MMX, x87, segment, control. */
  readonly slotsIndexed: number;
  /** Registers that the instruction names by itself, or that a helper may use. */
  readonly registersRead: number;
  readonly registersWritten: number;
  /** Slots and registers that are written in part or on a condition only: their old value still counts. */
  readonly slotsMerged: number;
  readonly registersMerged: number;
  /** Flags that decide something; flags set whatever happens; flags that may change; flags undefined afterwards. */
  readonly flagsRead: number;
  readonly flagsWritten: number;
  readonly flagsChanged: number;
  readonly flagsUndefined: number;
  readonly readsMemory: boolean;
  readonly writesMemory: boolean;
  /** Computes an address of its memory operand: base, index and segment base are read. */
  readonly usesAddress: boolean;
  /** May leave without effect: page faults, segment checks, guards, helpers. */
  readonly mayFault: boolean;
  /** Vectors that guards raise. */
  readonly vectors: readonly number[];
  /** Control goes elsewhere. */
  readonly transfers: boolean;
}

/** All steps, those of conditional bodies in place; `conditional`: inside such a body. */
function* flatten(steps: readonly MicroOp[], conditional = false): Generator<{ step: MicroOp; conditional: boolean }> {
  for (const step of steps) {
    yield { step, conditional };
    if (step.op === "when") yield* flatten(step.body, true);
  }
}

/** Values that a step takes. */
export function argumentsOf(step: MicroOp): readonly Value[] {
  if (!("args" in step)) return [];
  return (step.args as readonly (Value | number)[]).filter((a): a is Value => typeof a !== "number");
}

/** Reads of CF that only carry it past an INC or DEC: it is kept, not looked at. */
function keptCarries(steps: readonly { step: MicroOp }[]): Set<MicroOp> {
  const kept = new Set<MicroOp>();
  for (const { step } of steps) {
    if (step.op !== "condition" || step.code !== 2) continue;
    const carried = new Set<Value>([step]);
    let kindOnly = true;
    let noted = false;
    for (const { step: user } of steps) {
      if (!argumentsOf(user).some((a) => carried.has(a))) continue;
      if (user.op === "flags" && keptBy(user.kind) === CF && !carried.has(user.args[0]!)) noted = true;
      else if (user.op === "unary" && user.name === "extend_u") carried.add(user);
      else kindOnly = false;
    }
    if (kindOnly && noted) kept.add(step);
  }
  return kept;
}

const PARTIAL: ReadonlySet<Width> = new Set<Width>([8, 16]);

/** The masks of a variant. */
export function masksOf(variant: Variant): Masks {
  const m = {
    slotsRead: 0,
    slotsWritten: 0,
    slotsIndexed: 0,
    slotsMerged: 0,
    registersRead: 0,
    registersWritten: 0,
    registersMerged: 0,
    flagsRead: 0,
    flagsWritten: 0,
    flagsChanged: 0,
    flagsUndefined: 0,
    readsMemory: false,
    writesMemory: false,
    usesAddress: false,
    mayFault: false,
    transfers: false,
  };
  const vectors = new Set<number>();
  const steps = [...flatten(variant.steps)];
  const kept = keptCarries(steps);
  /** A flag written before it is read is the instruction's own. */
  const readFlags = (flags: number): void => {
    m.flagsRead |= flags & ~m.flagsWritten;
  };
  const setFlags = (flags: number, conditional: boolean, undefinedFlags = 0): void => {
    m.flagsChanged |= flags;
    if (conditional) m.flagsUndefined |= undefinedFlags;
    else {
      m.flagsWritten |= flags;
      m.flagsUndefined = (m.flagsUndefined & ~flags) | undefinedFlags;
    }
  };
  for (const { step, conditional } of steps) {
    switch (step.op) {
      case "get":
        m.slotsRead |= 1 << step.slot;
        break;
      case "put":
        m.slotsWritten |= 1 << step.slot;
        if (conditional || PARTIAL.has(step.width)) m.slotsMerged |= 1 << step.slot;
        break;
      case "getFixed":
        m.registersRead |= 1 << step.register;
        break;
      case "putFixed":
        m.registersWritten |= 1 << step.register;
        if (conditional || PARTIAL.has(step.width)) m.registersMerged |= 1 << step.register;
        break;
      case "index":
        m.slotsIndexed |= 1 << step.slot;
        break;
      case "address":
        m.usesAddress = m.mayFault = true;
        break;
      case "effective":
        m.usesAddress = true;
        break;
      case "load":
        m.readsMemory = m.mayFault = true;
        break;
      case "modify":
        m.readsMemory = m.writesMemory = m.mayFault = true;
        break;
      case "store":
      case "vwrite":
        m.writesMemory = m.mayFault = true;
        break;
      case "pointer":
        if (step.memory) m.usesAddress = m.readsMemory = m.mayFault = true;
        else m.slotsIndexed |= 1 << step.slot;
        break;
      case "condition":
        if (!kept.has(step)) readFlags(conditionReads(step.code));
        break;
      case "getFlags":
        readFlags(ALL_FLAGS);
        break;
      case "setFlags":
        setFlags(ALL_FLAGS, conditional);
        break;
      case "flags":
        setFlags(ALL_FLAGS & ~keptBy(step.kind), conditional, undefinedAfter(step.kind));
        break;
      case "call": {
        const effects = effectsOf(step.module, step.name);
        readFlags(effects.flagsRead);
        m.flagsChanged |= effects.flagsChanged;
        if (!conditional) m.flagsWritten |= effects.flagsWritten;
        m.registersRead |= effects.registersRead;
        m.registersWritten |= effects.registersWritten;
        m.registersMerged |= effects.registersWritten;
        if (effects.memory) m.readsMemory = m.writesMemory = true;
        if (step.faults) m.mayFault = true;
        break;
      }
      case "guard":
        m.mayFault = true;
        vectors.add(step.vector);
        break;
      case "branch":
      case "jump":
        m.transfers = true;
        break;
    }
  }
  // Outside 64-bit code every branch target is checked against the code segment.
  if (m.transfers && variant.width !== 64) m.mayFault = true;
  return { ...m, vectors: [...vectors].sort((a, b) => a - b) };
}
