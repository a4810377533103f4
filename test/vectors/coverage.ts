// How much of the instruction table the recorded vectors cover: cases by row, operand form and size, and the faults they
// end in. What is missing is listed in gaps.json with its reason; the list may only become shorter.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Case, Result } from "../differential/case.ts";
import { type Shape, shapeOf } from "../differential/shape.ts";
import { identify, TABLE_FORMS, type TableForm } from "../differential/table-forms.ts";
import { undefinedAfterFault } from "../differential/undefined.ts";
import { faultOf, possibleFaults } from "./faults.ts";
import { type Group, unpack, type Vectors } from "./format.ts";

/** What a form has to have. */
export const CASES_WANTED = 100;
/** What stands for too few cases in a list of what is missing. */
export const CASES = "cases";

export const vectorsFolder = join(process.env["WKVM_ROOT"] ?? process.cwd(), "test/vectors");
export const gapsFile = join(vectorsFolder, "gaps.json");

/** Keys of forms by what they lack ("cases", "#AC"), by the reason. */
export type Gaps = Record<string, Record<string, string[]>>;

/** The files of recorded vectors by name. */
export function readVectors(): Map<string, Vectors> {
  const names = readdirSync(vectorsFolder).filter((name) => name.endsWith(".bin.gz"));
  return new Map(names.sort().map((name) => [name, unpack(readFileSync(join(vectorsFolder, name)))]));
}

/** The shapes of a group's codes and the table's forms of them, in order. */
export function formsOf(group: Group): { shape: Shape; form: TableForm | undefined }[] {
  return group.codes.map((code) => {
    const shape = shapeOf(code, group.mode);
    return { shape, form: identify(shape) };
  });
}

export class Coverage {
  private readonly cases = new Map<string, number>();
  private readonly faults = new Map<string, Map<string, number>>();
  /** Forms of which two processors may raise different faults in one case. */
  private readonly unsure = new Set<string>();

  /** `sure`: how many cases of such a fault count as one, so that another processor meets it too. */
  constructor(private readonly sure = 1) {}

  add(test: Case, shape: Shape, form: TableForm, result: Result): void {
    const { key } = form;
    this.cases.set(key, (this.cases.get(key) ?? 0) + 1);
    const fault = faultOf(test, shape, form, result);
    if (!fault) return;
    if (undefinedAfterFault(shape).eitherFault) this.unsure.add(key);
    let faults = this.faults.get(key);
    if (!faults) this.faults.set(key, (faults = new Map()));
    faults.set(fault, (faults.get(fault) ?? 0) + 1);
  }

  casesOf(key: string): number {
    return this.cases.get(key) ?? 0;
  }

  /** Whether two processors may raise different faults in one case of the form. */
  isUnsure(key: string): boolean {
    return this.unsure.has(key);
  }

  hasFault(key: string, fault: string): boolean {
    return (this.faults.get(key)?.get(fault) ?? 0) >= (this.unsure.has(key) ? this.sure : 1);
  }

  /** What is missing, by key; forms that lack nothing are left out. */
  missing(): Map<string, string[]> {
    const all = new Map<string, string[]>();
    for (const [key, faults] of wanted()) {
      const missing = [...faults].filter((fault) => !this.hasFault(key, fault));
      if (this.casesOf(key) < CASES_WANTED) missing.unshift(CASES);
      if (missing.length) all.set(key, missing);
    }
    return all;
  }
}

let faultsByKey: Map<string, Set<string>> | undefined;

/** The faults that every form of the table has to have a case of, by key. */
export function wanted(): ReadonlyMap<string, ReadonlySet<string>> {
  if (!faultsByKey) {
    faultsByKey = new Map();
    for (const form of TABLE_FORMS) if (!faultsByKey.has(form.key)) faultsByKey.set(form.key, possibleFaults(form));
  }
  return faultsByKey;
}

/** gaps.json as lines "key: what is missing". */
export function linesOf(gaps: Gaps): string[] {
  return Object.values(gaps).flatMap((byLack) =>
    Object.entries(byLack).flatMap(([lack, keys]) => keys.map((key) => `${key}: ${lack}`)),
  );
}

export function readGaps(): Gaps {
  return JSON.parse(readFileSync(gapsFile, "utf8")) as Gaps;
}
