// The section that tells engines which branches of a module are unlikely.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = process.env["WKVM_ROOT"] ?? "";
const NAME = "metadata.code.branch_hint";
const IF = 0x04;
const BR_IF = 0x0d;
const UNLIKELY = 0;
const LIKELY = 1;

type AddHints = (module: Uint8Array, cold: ReadonlySet<number>, fault: number) => Uint8Array;
const { withBranchHints } = (await import(join(root, "tools", "branch-hints.mjs"))) as { withBranchHints: AddHints };

/** Of a function: its number, and offset and value of each hint. */
interface Hinted {
  readonly number: number;
  readonly hints: readonly { readonly offset: number; readonly value: number }[];
}

/** Numbers of a section, one after the other. */
function numbersOf(bytes: Uint8Array): () => number {
  let at = 0;
  return () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
}

function hintsOf(module: WebAssembly.Module): Hinted[] {
  const [section] = WebAssembly.Module.customSections(module, NAME);
  assert.ok(section, "the module has the section");
  const next = numbersOf(new Uint8Array(section));
  return Array.from({ length: next() }, () => {
    const number = next();
    const hints = Array.from({ length: next() }, () => {
      const offset = next();
      assert.equal(next(), 1, "a hint has one byte");
      return { offset, value: next() };
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
  assert.ok(Math.max(...functions.map(({ hints }) => hints.length)) > 300);
});

/** Where the bodies of a module's functions begin. */
function bodiesOf(bytes: Uint8Array): number[] {
  let at = 8;
  const u32 = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  for (;;) {
    const section = bytes[at++];
    const size = u32();
    if (section !== 10) {
      at += size;
      continue;
    }
    return Array.from({ length: u32() }, () => {
      const length = u32();
      at += length;
      return at - length;
    });
  }
}
