// Prints the decoder's tables: opcode -> candidates -> leaf -> case numbers. The tables are read-only data.
import { type Form, KINDS, MAPS, PREFIXES, SIZES } from "./encoding.ts";
import {
  CASE_GROUP,
  type Numbering,
  OP_ABANDON,
  OP_FAULT,
  OP_FIRST_GROUP,
  OP_LEAVE,
  OP_NEXT,
  OP_SHADOW,
} from "./print-interpreter.ts";
import type { Row } from "./row.ts";
import { variantsOf } from "./variant.ts";

/** Leaf flags; decode/decoder.ts knows them by these names. */
export const LEAF_FLAGS = {
  ENDS: 1,
  PROTECTED: 2,
  LONG: 4,
  D64: 8,
  F64: 16,
  POP_RM: 32,
  STACK: 64,
  SSE: 128,
  X87: 256,
  MMX: 512,
  AVX: 1024,
  SHADOW: 2048,
  /** SIB.index is a vector register. */
  VSIB: 4096,
} as const;
/** Candidate flags. */
export const CANDIDATE_FLAGS = { NOT64: 1, ONLY64: 2, W0: 4, W1: 8, B0: 16, MODRM: 32, L0: 64, L1: 128 } as const;
const WIDTHS = [8, 16, 32, 64];

/** More specific candidates are tried first. */
export function specificity(f: Form): number {
  return (
    (f.prefix !== "any" ? 8 : 0) +
    (f.rm >= 0 ? 4 : 0) +
    (f.digit >= 0 ? 2 : 0) +
    (f.mod !== "any" ? 1 : 0) +
    (f.flags.has("b0") ? 16 : 0)
  );
}

export function printTables(rows: readonly Row[], numbering: Numbering): string {
  const slots: { form: Form; leaf: number }[][] = Array.from({ length: MAPS.length * 256 }, () => []);
  const leaves: number[][] = [];
  const variants: number[] = [];
  const mnemonics: string[] = [];
  for (const row of rows) {
    for (const form of row.forms) {
      const leaf = leaves.length;
      let flags = 0;
      if (row.ends) flags |= LEAF_FLAGS.ENDS;
      if (row.protectedOnly) flags |= LEAF_FLAGS.PROTECTED;
      if (row.longOnly) flags |= LEAF_FLAGS.LONG;
      if (form.flags.has("d64")) flags |= LEAF_FLAGS.D64;
      if (form.flags.has("f64")) flags |= LEAF_FLAGS.F64;
      if (row.name === "pop_rm") flags |= LEAF_FLAGS.POP_RM;
      if (row.group === "stack" || /^(call|ret)/.test(row.name)) flags |= LEAF_FLAGS.STACK;
      if (row.shadow) flags |= LEAF_FLAGS.SHADOW;
      if (form.operands.some((o) => o.kind === "X")) flags |= LEAF_FLAGS.VSIB;
      if (row.unit) flags |= LEAF_FLAGS[row.unit.toUpperCase() as "SSE"];
      const kinds: number[] = form.operands.flatMap((o) => [KINDS[o.kind], SIZES[o.size]]);
      while (kinds.length < 8) kinds.push(0);
      const cases = new Array<number>(16).fill(0xffffffff);
      let mask = 0;
      for (const v of variantsOf(row, form)) {
        const w = WIDTHS.indexOf(v.width);
        mask |= 1 << w;
        cases[(v.locked ? 8 : 0) + w * 2 + (v.memory ? 1 : 0)] = numbering.opOf.get(v.variant.key)!;
      }
      const feature = row.feature ?? 0xffff;
      leaves.push([...kinds, flags & 255, flags >> 8, feature & 255, feature >> 8, mask, 0, 0, 0]);
      variants.push(...cases);
      mnemonics.push(row.mnemonic ?? row.name);
      for (let r = 0; r < (form.plusR ? 8 : 1); r++) {
        if (form.flags.has("b0") && r > 0) continue;
        slots[form.map * 256 + form.opcode + r]!.push({ form, leaf });
      }
    }
  }
  const index: number[] = [];
  const candidates: number[] = [];
  for (const slot of slots) {
    if (slot.length === 0) {
      index.push(0xffff);
      continue;
    }
    index.push(candidates.length / 8);
    slot.sort((a, b) => specificity(b.form) - specificity(a.form));
    slot.forEach(({ form, leaf }, i) => {
      let flags = 0;
      for (const [flag, bit] of [
        ["i64", "NOT64"],
        ["o64", "ONLY64"],
        ["w0", "W0"],
        ["w1", "W1"],
        ["b0", "B0"],
        ["l0", "L0"],
        ["l1", "L1"],
      ] as const)
        if (form.flags.has(flag)) flags |= CANDIDATE_FLAGS[bit];
      if (form.modrm) flags |= CANDIDATE_FLAGS.MODRM;
      const last = i === slot.length - 1 ? 0x80 : 0;
      candidates.push(
        PREFIXES.indexOf(form.prefix) | last,
        ["any", "mem", "reg"].indexOf(form.mod),
        form.digit & 255,
        form.rm & 255,
        flags,
        0,
        leaf & 255,
        leaf >> 8,
      );
    });
  }
  const data = (name: string, type: string, values: readonly number[]): string =>
    `export const ${name}: usize = memory.data<${type}>([${values.join(",")}]);\n`;
  const constants = (prefix: string, table: Record<string, number>): string =>
    Object.entries(table)
      .map(([k, v]) => `export const ${prefix}${k}: u32 = ${v};\n`)
      .join("");
  return `// Printed from assembly/isa by tools/build-core.mjs. Not edited.
${constants("KIND_", KINDS)}${constants("SIZE_", SIZES)}${constants("LEAF_", LEAF_FLAGS)}${constants("CANDIDATE_", CANDIDATE_FLAGS)}
/** u16[maps x 256]: first candidate of an opcode, 0xffff: none. */
${data("OPCODES", "u16", index)}
/** 8 bytes a candidate: prefix (bit 7: last), mod, digit, rm, flags, 0, leaf. */
${data("CANDIDATES", "u8", candidates)}
/** 16 bytes a leaf: four operands of kind and size, flags, feature, widths, padding. */
${data("LEAVES", "u8", leaves.flat())}
/** u32[16] a leaf: case number by [locked][width][memory]; all ones: none. */
${data("CASES", "u32", variants)}
${constants("", { OP_LEAVE, OP_NEXT, OP_ABANDON, OP_SHADOW, OP_FAULT })}
/** The case numbers of groups start here, those of hot cases at OP_FIRST_HOT; a group has CASE_GROUP cases at most. */
${constants("", { CASE_GROUP, OP_FIRST_GROUP, OP_FIRST_HOT: OP_FIRST_GROUP + numbering.groups.length })}`;
}
