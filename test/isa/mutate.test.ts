// The errors that the differential engine is tested with: there are some of every kind, each changes the list and leaves
// one that can be printed, and those that could not show are not among them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MUTATION_KINDS, type Mutation, mutationsOf } from "../../assembly/isa/mutate.ts";
import { Printer } from "../../assembly/isa/print-assemblyscript.ts";
import { rows } from "../../assembly/isa/table.ts";
import { type Variant, variantsOf } from "../../assembly/isa/variant.ts";

const variants: Variant[] = rows.flatMap((row) =>
  row.forms.flatMap((form) => variantsOf(row, form).map(({ variant }) => variant)),
);
const unique = [...new Set(variants)];

function variantsNamed(name: string): Variant[] {
  return unique.filter(({ row }) => row.name === name);
}

const print = (variant: Variant, steps: Variant["steps"]): string =>
  new Printer({ fail: "FAIL;", retry: "RETRY;", branch: () => "BRANCH;", jump: () => "JUMP;" }).body({
    ...variant,
    steps,
  });

test("every mutation of the table prints, and prints something else than what was recorded", () => {
  const kinds = new Map<string, number>();
  for (const variant of unique) {
    const recorded = print(variant, variant.steps);
    for (const mutation of mutationsOf(variant)) {
      kinds.set(mutation.kind, (kinds.get(mutation.kind) ?? 0) + 1);
      assert.notEqual(print(variant, mutation.steps()), recorded, `${variant.key}: ${mutation.what}`);
    }
  }
  for (const kind of MUTATION_KINDS) assert.ok((kinds.get(kind) ?? 0) >= 20, `${kind}: ${kinds.get(kind) ?? 0}`);
});

const what = (list: readonly Mutation[]): string[] => list.map((mutation) => mutation.what);

test("what cannot show is left out", () => {
  // The bit that SAR shifts out last is the same of SHR.
  const sar = variantsNamed("sar").find(({ key }) => key === "sar.32 gpr32s0,imm8s-1")!;
  assert.equal(what(mutationsOf(sar)).filter((text) => text === "shr_s becomes shr_u").length, 1);
  // 64-bit code has no read-only data segments.
  const store = variantsNamed("mov").find(({ key }) => key.startsWith("mov.64 mem64"))!;
  assert.ok(!what(mutationsOf(store)).some((text) => text.includes("checked as for a read")));
  // On one processor a locked exchange is an exchange.
  const exchange = variantsNamed("cmpxchg8b").flatMap(mutationsOf);
  assert.ok(!what(exchange).some((text) => /Locked becomes|becomes .*Locked/.test(text)));
  // The carry that INC keeps is no sign.
  const inc = variantsNamed("inc").flatMap(mutationsOf);
  assert.ok(!what(inc).some((text) => text.startsWith("extend_u")));
  // PMADDUBSW multiplies sixteen bytes, and keeps the lower eight of MMX registers.
  const products = (name: string, kept: string): number =>
    what(mutationsOf(variantsNamed(name).find(({ key }) => key.includes(kept))!)).filter((text) =>
      text.startsWith("i16x8.mul"),
    ).length;
  assert.equal(products("pmaddubsw_mm", "mmx"), 1);
  assert.equal(products("pmaddubsw", "xmm"), 2);
  // PUNPCKHWD of MMX registers makes its result in both halves of a vector.
  const halves = variantsNamed("punpckhwd_mm").flatMap(mutationsOf);
  assert.ok(!what(halves).some((text) => text.startsWith("i64x2.extract_lane: lane")));
  assert.ok(
    what(variantsNamed("paddb_mm").flatMap(mutationsOf)).some((text) => text.startsWith("i64x2.extract_lane: lane")),
  );
});
