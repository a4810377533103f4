// The section that tells engines which branches of a module are unlikely.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Reader } from "../../host/disassembler/wasm/reader.ts";
import { withBranchHints } from "../../tools/branch-hints.ts";

const root = process.env["WKVM_ROOT"] ?? "";
const NAME = "metadata.code.branch_hint";
const SECTION_CODE = 10;
const IF = 0x04;
const BR_IF = 0x0d;
const UNLIKELY = 0;
const LIKELY = 1;

/** Of a function: its number, and offset and value of each hint. */
interface Hinted {
  readonly number: number;
  readonly hints: readonly { readonly offset: number; readonly value: number }[];
}

function hintsOf(module: WebAssembly.Module): Hinted[] {
  const [section] = WebAssembly.Module.customSections(module, NAME);
  assert.ok(section, "the module has the section");
  const reader = new Reader(new Uint8Array(section));
  return Array.from({ length: reader.u32() }, () => {
    const number = reader.u32();
    const hints = Array.from({ length: reader.u32() }, () => {
      const offset = reader.u32();
      assert.equal(reader.u32(), 1, "a hint has one byte");
      return { offset, value: reader.byte() };
    });
    return { number, hints };
  });
}

test("an arm that calls what is cold is unlikely, and so is a branch that does not leap over it", async () => {
  // func 0: nothing. func 1 (param i32): block, if (0) call 0 end, br_if 0 (0), call 0, end.
  const body = [0, 0x02, 0x40, 0x20, 0, IF, 0x40, 0x10, 0, 0x0b, 0x20, 0, BR_IF, 0, 0x10, 0, 0x0b, 0x0b];
  const types = [2, 0x60, 0, 0, 0x60, 1, 0x7f, 0];
  const code = [2, 2, 0, 0x0b, body.length, ...body];
  const sections = [1, types.length, ...types, 3, 3, 2, 0, 1, 10, code.length, ...code];
  const plain = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections]);
  const hinted = await WebAssembly.compile(Uint8Array.from(withBranchHints(plain, new Set([0]), 0)));
  assert.deepEqual(hintsOf(hinted), [
    {
      number: 1,
      hints: [
        { offset: body.indexOf(IF), value: UNLIKELY },
        { offset: body.indexOf(BR_IF), value: LIKELY },
      ],
    },
  ]);
  const without = await WebAssembly.compile(Uint8Array.from(withBranchHints(plain, new Set(), 0)));
  assert.deepEqual(hintsOf(without), []);
});

test("core.wasm's hints are at branches, and the interpreter has hundreds of them", async () => {
  const bytes = readFileSync(process.env["WKVM_CORE"] ?? join(root, "dist", "core.wasm"));
  const module = await WebAssembly.compile(bytes);
  const bodies = bodiesOf(bytes);
  const imported = WebAssembly.Module.imports(module).filter(({ kind }) => kind === "function").length;
  const functions = hintsOf(module);
  for (const { number, hints } of functions) {
    const start = bodies[number - imported]!;
    for (const { offset } of hints) assert.ok([IF, BR_IF].includes(bytes[start + offset]!), `${number}: ${offset}`);
  }
  // The interpreter has the most of them, and the cold cases, in many functions, most.
  const counts = functions.map(({ hints }) => hints.length);
  assert.ok(Math.max(...counts) > 150);
  assert.ok(counts.reduce((a, b) => a + b) > 5000);
});

/** Where the bodies of a module's functions begin. */
function bodiesOf(module: Uint8Array): number[] {
  const reader = new Reader(module, 8);
  while (!reader.done) {
    const id = reader.byte();
    const section = reader.part(reader.u32());
    if (id === SECTION_CODE) return Array.from({ length: section.u32() }, () => section.part(section.u32()).at);
  }
  return [];
}
