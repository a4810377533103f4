// From samples to functions and parts of wkvm.
import assert from "node:assert/strict";
import { test } from "node:test";
import { attribute } from "../../bench/profile.ts";
import { elfFunctions, SymbolTable } from "../../bench/symbols.ts";
import { tiersOf } from "../../bench/tiers.ts";

const TIERS = { core: 1, regions: 0, host: 0, garbageCollection: 0, otherThreads: 0 };

test("an address belongs to the last symbol at or below it", () => {
  const table = new SymbolTable([
    { address: 0x2000n, name: "second" },
    { address: 0x1000n, name: "first" },
  ]);
  assert.deepEqual(
    [0xfffn, 0x1000n, 0x1fffn, 0x2000n, 0x9000n].map((address) => table.nameOf(address)),
    [undefined, "first", "first", "second", "second"],
  );
  assert.equal(new SymbolTable([]).nameOf(1n), undefined);
});

test("samples are summed by name; what is rare is summed up", () => {
  const samples = Array.from({ length: 40 }, (_, index): [string, number] => [`0x${(index * 16).toString(16)}`, 1]);
  samples.push(["0x1", 60]);
  const { samples: total, functions } = attribute({ samples, tiers: TIERS }, (address) => `f${address >> 4n}`);
  assert.equal(total, 100);
  assert.deepEqual(functions[0], { name: "f0", share: 0.61 });
  assert.equal(functions.length, 26);
  assert.deepEqual(functions.at(-1), { name: "15 others", share: 0.15 });
});

/** The least ELF file with one symbol table: a function, a variable and an undefined symbol. */
function elf(is64Bit: boolean): Uint8Array {
  const bytes = Buffer.alloc(0x300);
  const [size, headers] = is64Bit ? [0x40, 0x200] : [0x28, 0x200];
  bytes.write("\x7fELF", "latin1");
  bytes[4] = is64Bit ? 2 : 1;
  const word = (value: number, at: number): void => {
    if (is64Bit) bytes.writeBigUInt64LE(BigInt(value), at);
    else bytes.writeUInt32LE(value, at);
  };
  word(headers, is64Bit ? 0x28 : 0x20);
  bytes.writeUInt16LE(size, is64Bit ? 0x3a : 0x2e);
  bytes.writeUInt16LE(2, is64Bit ? 0x3c : 0x30);
  const names = "\0work\0table\0outside\0";
  bytes.write(names, 0x180, "latin1");
  const section = (index: number, type: number, offset: number, length: number, link: number): void => {
    const at = headers + index * size;
    bytes.writeUInt32LE(type, at + 4);
    word(offset, at + (is64Bit ? 0x18 : 0x10));
    word(length, at + (is64Bit ? 0x20 : 0x14));
    bytes.writeUInt32LE(link, at + (is64Bit ? 0x28 : 0x18));
  };
  const entry = is64Bit ? 24 : 16;
  section(0, 2, 0x80, 3 * entry, 1);
  section(1, 3, 0x180, names.length, 0);
  for (const [index, [name, kind, value]] of (
    [
      [1, 2, 0x401000],
      [6, 1, 0x402000],
      [12, 2, 0],
    ] as const
  ).entries()) {
    const at = 0x80 + index * entry;
    bytes.writeUInt32LE(name, at);
    bytes[at + (is64Bit ? 4 : 12)] = 0x10 | kind;
    word(value, at + (is64Bit ? 8 : 4));
  }
  return bytes;
}

test("functions of ELF files of both classes", () => {
  for (const is64Bit of [true, false]) {
    assert.deepEqual(elfFunctions(elf(is64Bit)), [{ address: 0x401000n, name: "work" }]);
  }
});

test("the module that JavaScript calls is the core, those that it calls are regions", () => {
  const node = (id: number, functionName: string, url: string, ...children: number[]) => ({
    id,
    callFrame: { functionName, url },
    children,
  });
  const profile = {
    nodes: [
      node(1, "(root)", "", 2, 6, 7),
      node(2, "runOnce", "file:///wkvm.js", 3),
      node(3, "run", "wasm://wasm/core", 4),
      node(4, "region", "wasm://wasm/1234", 5),
      node(5, "walk", "wasm://wasm/core"),
      node(6, "(garbage collector)", ""),
      node(7, "(idle)", ""),
    ],
    samples: [2, 3, 4, 4, 5, 6, 7],
    timeDeltas: [1e6, 2e6, 3e6, 4e6, 5e6, 6e6, 100e6],
  };
  assert.deepEqual(tiersOf(profile, 30), { host: 1, core: 7, regions: 7, garbageCollection: 6, otherThreads: 9 });
});
