// From rows to variants: every (row, operand shapes, width, LOCK) is one case of the interpreter, recorded once.
import { Builder, type Operand } from "./builder.ts";
import { type Form, type OperandForm, shapesOf } from "./encoding.ts";
import type { MicroOp, Width } from "./micro-op.ts";
import type { Row } from "./row.ts";

export interface Variant {
  readonly row: Row;
  readonly key: string;
  readonly width: Width;
  readonly locked: boolean;
  readonly operands: readonly Operand[];
  readonly steps: readonly MicroOp[];
}

const FIXED_WIDTH: Record<string, Width> = { b: 8, w: 16, d: 32, q: 64 };
const REGISTER_KINDS: Record<string, Operand["shape"]> = {
  E: "gpr",
  G: "gpr",
  Z: "gpr",
  A: "gpr",
  C1: "gpr",
  B: "gpr",
  R: "gpr",
  DX: "gpr",
  S: "index",
  C: "index",
  D: "index",
  ST: "index",
  SO: "index",
  I2: "index",
  X: "index",
  V: "xmm",
  W: "xmm",
  H: "xmm",
  U: "xmm",
  P: "mmx",
  Q: "mmx",
  N: "mmx",
  I: "imm",
  J: "imm",
  One: "imm",
  Ap: "imm",
  M: "mem",
  O: "mem",
};

/** Width of one operand when the operation is `width` bits wide. */
function operandWidth({ kind, size }: OperandForm, width: Width): Width {
  if (kind === "One") return 8;
  if (size === "s" || size === "z") return width;
  return FIXED_WIDTH[size] ?? width;
}

const BYTES: Record<string, number> = { x: 16, qq: 32, t: 10, p: 6 };

/** The operands of a form in one variant; registers take the record's slots in order, immediates and memory none. */
function operandsOf(form: Form, width: Width, memory: boolean): Operand[] {
  let slot = 0;
  return form.operands.map((o) => {
    const isMemory = memory && ["E", "W", "Q", "M", "O"].includes(o.kind);
    const shape = isMemory ? "mem" : REGISTER_KINDS[o.kind]!;
    const w = operandWidth(o, width);
    const takesSlot = shape !== "mem" && shape !== "imm";
    return { shape, width: w, bytes: BYTES[o.size] ?? w / 8, slot: takesSlot ? slot++ : -1 };
  });
}

/** All variants of a form: what the decoder chooses between once it knows the operand size and ModRM.mod. */
export function variantsOf(
  row: Row,
  form: Form,
): { width: Width; memory: boolean; locked: boolean; variant: Variant }[] {
  const list = [];
  for (const width of row.widths ?? form.widths) {
    for (const shape of shapesOf(form)) {
      const memory = shape === "mem";
      const operands = operandsOf(form, width, memory);
      for (const locked of memory && row.lock && operands[0]?.shape === "mem" ? [false, true] : [false]) {
        list.push({
          width,
          memory,
          locked,
          variant: record(row, width, locked || (memory && row.alwaysLocked === true), operands),
        });
      }
    }
  }
  return list;
}

const recorded = new Map<string, Variant>();

function record(row: Row, width: Width, locked: boolean, operands: readonly Operand[]): Variant {
  const shapes = operands
    .map((o) => `${o.shape}${o.width}${o.shape === "mem" || o.bytes === 32 ? `m${o.bytes}` : ""}s${o.slot}`)
    .join(",");
  const key = `${row.name}.${width}${locked ? ".lock" : ""} ${shapes}`;
  let variant = recorded.get(key);
  if (!variant) {
    const builder = new Builder(width, locked);
    row.body(builder, ...operands);
    variant = { row, key, width, locked, operands, steps: builder.steps };
    recorded.set(key, variant);
  }
  return variant;
}

/** Every variant recorded so far, in order of first use. */
export function allVariants(): readonly Variant[] {
  return [...recorded.values()];
}
