// The faults that each form of the table can raise, from its micro-operations, and which of them a case has ended in.
import type { MicroOp } from "../../assembly/isa/micro-op.ts";
import { CASE_MODE, type Case, MODE_64, RESULT_ERROR, RESULT_VECTOR, type Result } from "../differential/case.ts";
import { operandAddress } from "../differential/compare.ts";
import type { Shape } from "../differential/shape.ts";
import type { TableForm } from "../differential/table-forms.ts";
import { helperFaults } from "./helper-faults.ts";

const NAMES: Readonly<Record<number, string>> = {
  0: "#DE",
  4: "#OF",
  5: "#BR",
  6: "#UD",
  12: "#SS",
  13: "#GP",
  16: "#MF",
  17: "#AC",
  19: "#XM",
};
/** What takes ring 0 to come about: CR0.TS, gates and task states, control bits that make an instruction undefined. */
const NOT_A_PROCESS = new Set(["#NM", "#NP", "#TS", "#DF", "#DB", "#MC", "#BP", "#PF"]);
/** "#GP" for an operand off its 16-byte boundary. */
const ALIGNMENT = "#GP alignment";

function flatten(steps: readonly MicroOp[]): MicroOp[] {
  return steps.flatMap((step) => (step.op === "when" ? [step, ...flatten(step.body)] : [step]));
}

function isAligned(steps: readonly MicroOp[]): boolean {
  return steps.some((s) => (s.op === "pointer" && s.memory && s.aligned) || (s.op === "address" && s.aligned));
}

/** What one step can raise in an ordinary process. */
function faultsOfStep(step: MicroOp, memory: boolean, aligned: boolean): string[] {
  const address = memory ? ["#GP", "#SS"] : [];
  switch (step.op) {
    case "load":
      return ["#PF read", ...address, ...(step.width > 8 && !aligned ? ["#AC"] : [])];
    case "modify":
    case "store":
      return ["#PF write", ...address, ...(step.width > 8 && !aligned ? ["#AC"] : [])];
    case "vwrite":
      return ["#PF write", ...address];
    case "pointer":
      return step.memory ? ["#PF read", ...address] : [];
    case "guard":
      return step.vector === 13 && aligned ? [] : [NAMES[step.vector] ?? ""];
    case "call":
      return step.faults ? [...helperFaults(step.module, step.name)] : [];
    default:
      return [];
  }
}

/** The faults that a form can raise in an ordinary process. */
export function possibleFaults(form: TableForm): Set<string> {
  const steps = flatten(form.variant.steps);
  const aligned = isAligned(steps);
  const faults = new Set(steps.flatMap((step) => faultsOfStep(step, form.memory, aligned)));
  if (aligned) faults.add(ALIGNMENT);
  for (const fault of faults) if (fault === "" || NOT_A_PROCESS.has(fault)) faults.delete(fault);
  if (faults.size > 1) faults.delete("#UD");
  return faults;
}

/** The fault that a case ended in, or undefined: none that is a form's own. */
export function faultOf(test: Case, shape: Shape, form: TableForm, result: Result): string | undefined {
  const vector = result.bytes[RESULT_VECTOR]!;
  if (vector === 14) {
    const error = result.view.getUint32(RESULT_ERROR, true);
    return error & 16 ? undefined : error & 2 ? "#PF write" : "#PF read";
  }
  // Without segments, a canonical address can only be off its boundary.
  if (vector === 13 && test.bytes[CASE_MODE] === MODE_64 && form.memory) {
    const address = operandAddress(test, shape);
    if (address >= 0 && address & 15 && isAligned(flatten(form.variant.steps))) return ALIGNMENT;
  }
  return NAMES[vector];
}
