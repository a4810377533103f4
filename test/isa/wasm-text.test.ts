// Translated code as text. Binaryen says what an instruction is called: each one that a region may hold is put into a
// function of its own, of operands that V8 accepts.
import assert from "node:assert/strict";
import { test } from "node:test";
// It comes with asc, which is built on it.
import binaryen from "binaryen";
import { type Opcode, PLAIN, PREFIXED } from "../../host/disassembler/wasm/opcodes.ts";
import { wasmFunctions } from "../../host/disassembler/wasm/text.ts";

const [I32, I64, F32, F64, V128] = [0x7f, 0x7e, 0x7d, 0x7c, 0x7b];
const TYPES = [I32, I64, F32, F64, V128];
const DROP = 0x1a;
const OFFSET = 24;

const NAMES = { import: (name: string) => name, local: (number: number) => `${number}`, offset: () => undefined };

/** Operands that instructions take: none, one or two of any type, three that are alike, or those of waiting and exchanging. */
const OPERANDS: readonly (readonly number[])[] = [
  [],
  ...TYPES.map((type) => [type]),
  ...TYPES.flatMap((first) => TYPES.map((second) => [first, second])),
  [V128, V128, V128],
  [I32, I32, I32],
  [I32, I32, I64],
  [I32, I64, I64],
];
/** log2 of the bytes that an access is aligned to: atomic ones ask for their own size. */
const ALIGNMENTS = [0, 1, 2, 3];

const section = (id: number, bytes: readonly number[]): number[] => [id, bytes.length, ...bytes];

function moduleOf(operands: readonly number[], code: readonly number[], dropped: boolean): Uint8Array<ArrayBuffer> {
  const gets = operands.flatMap((_, i) => [0x20, i]);
  const body = [0, ...gets, ...code, ...(dropped ? [DROP] : []), 0x0b];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, operands.length, ...operands, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [1, 1, 0x66, 0, 0]),
    ...section(10, [1, body.length, ...body]),
  ]);
}

/** Bytes that may follow an opcode; none: it is tested by control flow and calls below. */
function immediatesOf({ immediates }: Opcode): number[][] {
  switch (immediates) {
    case "":
      return [[]];
    case "m":
      return ALIGNMENTS.map((alignment) => [alignment, OFFSET]);
    case "ml":
      return [[0, OFFSET, 0]];
    case "l":
      return [[0]];
    case "lanes":
      return [new Array(16).fill(3)];
    default:
      return [];
  }
}

const CONTROL = new Set(["unreachable", "else", "end", "return"]);
const encoded: [number[], Opcode][] = [
  ...[...PLAIN].map(([number, opcode]): [number[], Opcode] => [[number], opcode]),
  ...[...PREFIXED].flatMap(([prefix, table]) =>
    [...table].map(([number, opcode]): [number[], Opcode] => {
      const leb = number < 128 ? [number] : [(number & 127) | 128, number >> 7];
      return [[prefix, ...leb], opcode];
    }),
  ),
];

test("instructions have the names that binaryen gives them", () => {
  const features = binaryen.Features.All;
  let compared = 0;
  for (const [code, opcode] of encoded) {
    const immediates = immediatesOf(opcode);
    if (immediates.length === 0 || CONTROL.has(opcode.name)) continue;
    const modules = OPERANDS.flatMap((operands) =>
      immediates.flatMap((bytes) => [true, false].map((dropped) => moduleOf(operands, [...code, ...bytes], dropped))),
    );
    const module = modules.find((each) => WebAssembly.validate(each));
    assert.ok(module, `${opcode.name} is no instruction that V8 knows`);
    const parsed = binaryen.readBinary(module);
    parsed.setFeatures(features);
    const expected = parsed.emitText();
    parsed.dispose();
    const lines = wasmFunctions(module, NAMES)[0] ?? [];
    assert.ok(
      lines.some((line) => line.trim().split(" ")[0] === opcode.name),
      `${opcode.name} in ${lines}`,
    );
    const known = new RegExp(`\\(${opcode.name.replaceAll(".", "\\.")}[\\s)]`);
    if (opcode.name !== "nop") assert.match(expected, known, `0x${code.map((byte) => byte.toString(16))}`);
    compared++;
  }
  assert.ok(compared > 440, `${compared} instructions`);
});

test("control flow, constants and shuffles", () => {
  const code = [
    DROP,
    ...[0x02, 0x40, 0x03, 0x40, 0x20, 0, 0x04, 0x7f, 0x41, 0x7e, 0x05, 0x41, 0xe4, 0, 0x0b], // block loop if else end
    ...[0x0e, 2, 0, 1, 0, 0x0b, 0x0b], // br_table
    ...[0x42, 0x80, 0x80, 0x80, 0x80, 0x78, DROP, 0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, DROP], // i64, f64
    ...[0xfd, 12, ...[...Array(16).keys()], DROP], // v128
  ];
  const module = moduleOf([I32], code, false);
  assert.ok(WebAssembly.validate(module));
  assert.deepEqual(wasmFunctions(module, NAMES)[0]?.slice(2), [
    ...[
      "block",
      " loop",
      "  local.get $0",
      "  if (result i32)",
      "   i32.const -2",
      "  else",
      "   i32.const 100",
      "  end",
    ],
    ...["  br_table 0 1 0", " end", "end", "i64.const -2147483648", "drop", "f64.const 1.5", "drop"],
    ...["v128.const i8x16 0x0f0e0d0c0b0a09080706050403020100", "drop"],
  ]);
});
