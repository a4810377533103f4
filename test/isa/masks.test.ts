// Masks computed from micro-operations, against what the manual says of well-known instructions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AF, ALL_FLAGS, CF, OF, PF, SF, ZF } from "../../assembly/isa/flag-bits.ts";
import { type Masks, masksOf } from "../../assembly/isa/masks.ts";
import { rows } from "../../assembly/isa/table.ts";
import { type Variant, variantsOf } from "../../assembly/isa/variant.ts";

const variants: Variant[] = rows.flatMap((row) =>
  row.forms.flatMap((form) => variantsOf(row, form).map((v) => v.variant)),
);

/** The masks of a row's variant of a width whose operands have these shapes. */
function masks(name: string, width: number, ...shapes: string[]): Masks {
  const found = variants.find(
    (v) => v.row.name === name && v.width === width && shapes.every((s, i) => v.operands[i]?.shape === s),
  );
  assert.ok(found, `${name} at ${width} bits with operands ${shapes.join(", ")}`);
  return masksOf(found);
}

const RAX = 1;
const RDX = 4;
const RSP = 1 << 4;

test("arithmetic sets all six flags, and reads none but CF where it carries", () => {
  for (const name of ["add", "sub", "cmp", "neg"]) {
    const m = masks(name, 32, "gpr");
    assert.deepEqual([m.flagsRead, m.flagsWritten, m.flagsUndefined], [0, ALL_FLAGS, 0], name);
  }
  for (const name of ["adc", "sbb"]) {
    const m = masks(name, 64, "gpr", "gpr");
    assert.deepEqual([m.flagsRead, m.flagsWritten], [CF, ALL_FLAGS], name);
  }
});

test("INC and DEC keep CF", () => {
  for (const name of ["inc", "dec"]) {
    for (const width of [8, 16, 32, 64]) {
      const m = masks(name, width, "gpr");
      assert.deepEqual(
        [m.flagsRead, m.flagsWritten, m.flagsChanged],
        [0, ALL_FLAGS & ~CF, ALL_FLAGS & ~CF],
        `${name} ${width}`,
      );
    }
  }
});

test("moves, NOT and LEA leave the flags alone", () => {
  for (const [name, ...shapes] of [
    ["mov", "gpr", "gpr"],
    ["not", "gpr"],
    ["lea", "gpr", "mem"],
    ["movzxb", "gpr", "gpr"],
    ["xchg", "gpr", "gpr"],
  ]) {
    const m = masks(name as string, 32, ...shapes);
    assert.deepEqual([m.flagsRead, m.flagsChanged], [0, 0], name);
  }
});

test("logic leaves AF undefined, multiplication all but CF and OF", () => {
  for (const name of ["and", "or", "xor", "test"]) {
    const m = masks(name, 64, "gpr");
    assert.deepEqual([m.flagsWritten, m.flagsUndefined], [ALL_FLAGS, AF], name);
  }
  for (const name of ["mul", "imul1", "imul"]) {
    const m = masks(name, 32, "gpr");
    assert.deepEqual([m.flagsWritten, m.flagsUndefined], [ALL_FLAGS, SF | ZF | AF | PF], name);
  }
});

test("a shift may leave the flags as they were: its count may be zero", () => {
  const m = masks("shl", 32, "gpr", "gpr");
  assert.deepEqual([m.flagsRead, m.flagsWritten, m.flagsChanged], [0, 0, ALL_FLAGS]);
  const rotate = masks("rol", 32, "gpr", "gpr");
  assert.deepEqual([rotate.flagsRead, rotate.flagsWritten, rotate.flagsChanged], [0, 0, CF | OF]);
  assert.equal(masks("rcl", 32, "gpr", "gpr").flagsRead, CF);
});

test("conditions read what the manual's table says", () => {
  const reads: Record<string, number> = {
    jo: OF,
    jb: CF,
    jz: ZF,
    jbe: CF | ZF,
    js: SF,
    jp: PF,
    jl: SF | OF,
    jle: ZF | SF | OF,
  };
  for (const [name, flags] of Object.entries(reads)) {
    const m = masks(name, 64);
    assert.deepEqual([m.flagsRead, m.flagsChanged, m.transfers, m.mayFault], [flags, 0, true, false], name);
  }
  assert.equal(masks("cmovnle", 32, "gpr", "gpr").flagsRead, ZF | SF | OF);
  assert.equal(masks("setnz", 8, "gpr").flagsRead, ZF);
});

test("registers: record slots, those named by the instruction, and partial writes", () => {
  const add = masks("add", 64, "gpr", "gpr");
  assert.deepEqual([add.slotsRead, add.slotsWritten, add.slotsMerged], [3, 1, 0]);
  assert.deepEqual([add.registersRead, add.registersWritten], [0, 0]);
  assert.equal(masks("add", 16, "gpr", "gpr").slotsMerged, 1);
  const cmp = masks("cmp", 64, "gpr", "gpr");
  assert.deepEqual([cmp.slotsRead, cmp.slotsWritten], [3, 0]);
  const mul = masks("mul", 64, "gpr");
  assert.deepEqual([mul.registersRead, mul.registersWritten], [RAX, RAX | RDX]);
  const div = masks("div", 64, "gpr");
  assert.deepEqual([div.registersRead, div.registersWritten, div.mayFault], [RAX | RDX, RAX | RDX, true]);
  const push = masks("push", 64, "gpr");
  assert.deepEqual([push.registersRead, push.registersWritten, push.writesMemory], [RSP, RSP, true]);
});

test("CMPXCHG writes its destination and the accumulator on a condition", () => {
  const register = masks("cmpxchg", 32, "gpr", "gpr");
  assert.deepEqual([register.slotsRead, register.slotsWritten, register.slotsMerged], [3, 1, 1]);
  assert.deepEqual([register.registersRead, register.registersWritten, register.registersMerged], [RAX, RAX, RAX]);
  assert.equal(register.flagsWritten, ALL_FLAGS);
  assert.equal(register.mayFault, false);
  const memory = masks("cmpxchg", 32, "mem", "gpr");
  assert.deepEqual(
    [memory.readsMemory, memory.writesMemory, memory.usesAddress, memory.mayFault],
    [true, true, true, true],
  );
});

test("memory: LEA computes an address and touches nothing, a load cannot write", () => {
  const lea = masks("lea", 64, "gpr", "mem");
  assert.deepEqual([lea.usesAddress, lea.readsMemory, lea.writesMemory, lea.mayFault], [true, false, false, false]);
  const load = masks("mov", 64, "gpr", "mem");
  assert.deepEqual([load.readsMemory, load.writesMemory, load.mayFault], [true, false, true]);
  const store = masks("mov", 64, "mem", "gpr");
  assert.deepEqual([store.readsMemory, store.writesMemory, store.mayFault], [false, true, true]);
});

test("vectors that guards raise", () => {
  assert.deepEqual(masks("ud2", 32).vectors, [6]);
  assert.deepEqual(masks("bound", 32, "gpr", "mem").vectors, [5]);
  assert.deepEqual(masks("movaps", 32, "mem", "xmm").vectors, [13]);
  assert.deepEqual(masks("add", 32, "gpr").vectors, []);
});

test("vector registers are named by number", () => {
  const m = masks("paddb", 32, "xmm", "xmm");
  assert.deepEqual([m.slotsIndexed, m.slotsRead, m.mayFault, m.flagsChanged], [3, 0, false, 0]);
});
