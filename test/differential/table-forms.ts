// Every instruction of the table as the generator sees it: one entry for each row, operand form, operand size, register
// or memory operand, LOCK and mode; and from code bytes back to the entry. A row that is added is here without more.
import { type Form, MAPS, type Prefix } from "../../assembly/isa/encoding.ts";
import type { Width } from "../../assembly/isa/micro-op.ts";
import { specificity } from "../../assembly/isa/print-decoder.ts";
import type { Row } from "../../assembly/isa/row.ts";
import { rows } from "../../assembly/isa/table.ts";
import { type Variant, variantsOf } from "../../assembly/isa/variant.ts";
import { MODE_16, MODE_32, MODE_64 } from "./case.ts";
import type { Shape } from "./shape.ts";

export interface TableForm {
  readonly row: Row;
  readonly form: Form;
  readonly variant: Variant;
  readonly mode: number;
  readonly width: Width;
  /** The ModRM operand (or the one at an immediate offset) is in memory. */
  readonly memory: boolean;
  readonly locked: boolean;
  /** "lock add 01 Ev,Gv m32": what coverage is counted by; the modes share it. */
  readonly key: string;
}

/** The forms of one encoding, chosen between by what ModRM, prefixes and mode say. */
interface Candidate {
  readonly form: Form;
  readonly widths: readonly Width[];
  readonly fixedWidth: boolean;
  /** By mode, width, memory and LOCK, as indexOf() numbers them. */
  readonly forms: (TableForm | undefined)[];
}

const MODES = [MODE_64, MODE_32, MODE_16];
const WIDTHS: readonly Width[] = [8, 16, 32, 64];

function indexOf(mode: number, width: Width, memory: boolean, locked: boolean): number {
  return ((mode * WIDTHS.length + WIDTHS.indexOf(width)) * 2 + (memory ? 1 : 0)) * 2 + (locked ? 1 : 0);
}

/** Whether code of a mode can ask for an operand size of a form. */
function reaches(row: Row, form: Form, mode: number, width: Width): boolean {
  const { flags } = form;
  const widths = row.widths ?? form.widths;
  const sized = widths.length > 1;
  const is64 = mode === MODE_64;
  if (is64 ? flags.has("i64") : flags.has("o64") || flags.has("w1") || row.longOnly) return false;
  if (sized && ((flags.has("w0") && width === 64) || (flags.has("w1") && width !== 64))) return false;
  // NP and 66 decide about the operand-size prefix.
  const plain = mode === MODE_16 ? 16 : 32;
  if (widths.includes(16) && width !== 64 && sized) {
    if (form.prefix === "NP" && width !== plain) return false;
    if (form.prefix === "66" && width === plain) return false;
  }
  if (!is64) return !(width === 64 && sized);
  if (flags.has("f64")) return width === 64 || !sized;
  return !(flags.has("d64") && width === 32 && sized);
}

function keyOf(row: Row, form: Form, width: Width, memory: boolean, locked: boolean): string {
  return `${locked ? "lock " : ""}${row.name} ${form.text} ${memory ? "m" : "r"}${width}`;
}

const index: Candidate[][] = Array.from({ length: MAPS.length * 256 }, () => []);

function enumerate(): TableForm[] {
  const all: TableForm[] = [];
  for (const row of rows) {
    for (const form of row.forms) {
      const widths = row.widths ?? form.widths;
      const candidate: Candidate = { form, widths, fixedWidth: widths.length === 1, forms: [] };
      for (const { variant, width, memory, locked } of variantsOf(row, form)) {
        const key = keyOf(row, form, width, memory, locked);
        for (const mode of MODES) {
          if (!reaches(row, form, mode, width)) continue;
          const entry: TableForm = { row, form, variant, mode, width, memory, locked, key };
          candidate.forms[indexOf(mode, width, memory, locked)] = entry;
          all.push(entry);
        }
      }
      const spread = form.plusR && !form.flags.has("b0") ? 8 : 1;
      for (let r = 0; r < spread; r++) index[form.map * 256 + form.opcode + r]!.push(candidate);
    }
  }
  for (const candidates of index) candidates.sort((a, b) => specificity(b.form) - specificity(a.form));
  return all;
}

/** Every form in every mode it exists in. */
export const TABLE_FORMS: readonly TableForm[] = enumerate();

function mandatoryOf(shape: Shape): Prefix {
  if (shape.repeat) return shape.repeat === 0xf3 ? "F3" : "F2";
  return shape.operandOverride ? "66" : "NP";
}

function fits({ form }: Candidate, shape: Shape, mandatory: Prefix): boolean {
  const { flags } = form;
  const is64 = shape.mode === MODE_64;
  const w = (shape.rex & 8) !== 0;
  return (
    (form.prefix === "any" || form.prefix === mandatory) &&
    (form.mod === "any" || (form.mod === "mem") === shape.memory) &&
    (form.digit < 0 || form.digit === shape.reg) &&
    (form.rm < 0 || form.rm === shape.rm) &&
    !(flags.has("i64") && is64) &&
    !(flags.has("o64") && !is64) &&
    !(flags.has("w0") && w) &&
    !(flags.has("w1") && !w) &&
    !(flags.has("b0") && shape.rex & 1) &&
    !(flags.has("l0") && shape.vexL) &&
    !(flags.has("l1") && !shape.vexL)
  );
}

/** The operand size that the decoder comes to. */
function widthOf({ form, widths, fixedWidth }: Candidate, shape: Shape): Width {
  if (fixedWidth) return widths[0]!;
  const is64 = shape.mode === MODE_64;
  let width: Width = shape.mode === MODE_16 ? 16 : 32;
  if (shape.vex) width = 32;
  else if (shape.operandOverride) width = width === 16 ? 32 : 16;
  if (is64 && (form.flags.has("f64") || shape.rex & 8 || (form.flags.has("d64") && width === 32))) width = 64;
  if (widths.includes(width)) return width;
  return widths.includes(32) ? 32 : widths[0]!;
}

/** The table's form of an instruction taken apart, or undefined where the table has none. */
export function identify(shape: Shape): TableForm | undefined {
  if (shape.map > 3) return undefined;
  const candidates = index[(shape.map + (shape.vex ? 3 : 0)) * 256 + shape.opcode]!;
  if (candidates.length === 0) return undefined;
  const mandatory = mandatoryOf(shape);
  for (const candidate of candidates) {
    if (!fits(candidate, shape, mandatory)) continue;
    const width = widthOf(candidate, shape);
    const memory = shape.memory || candidate.form.operands.some((o) => o.kind === "O");
    const { forms } = candidate;
    return forms[indexOf(shape.mode, width, memory, shape.lock)] ?? forms[indexOf(shape.mode, width, memory, false)];
  }
  return undefined;
}
