// The kernel's own symbol table, in the three layouts that there are, laid out here as scripts/kallsyms.c does.
import assert from "node:assert/strict";
import { test } from "node:test";
import { kernelSymbols } from "../../bench/kallsyms.ts";

const COUNT = 700;
type Layout = "before 6.4" | "stable 6.1" | "since 6.4";

/** Printable characters stand for themselves, the other tokens for text that names have. */
const TOKENS = Array.from({ length: 256 }, (_, token) =>
  token > 0x20 && token < 0x7f ? String.fromCharCode(token) : `_tok${token}_`,
);

function nameOf(index: number): string {
  // One name is longer than 127 tokens, which takes two bytes for its length.
  if (index === 300) return `T${"x".repeat(200)}`;
  return `${index % 3 === 0 ? "D" : "t"}function_${index}`;
}

function encode(name: string): number[] {
  const tokens = [...name].map((letter) => letter.charCodeAt(0));
  // As a compressed name has it: a token for several letters.
  if (name.endsWith("_5")) tokens.push(0x80);
  return tokens.length < 128
    ? [tokens.length, ...tokens]
    : [(tokens.length & 0x7f) | 0x80, tokens.length >> 7, ...tokens];
}

function image(layout: Layout, is64Bit: boolean): Uint8Array {
  const alignment = is64Bit ? 8 : 4;
  const bytes: number[] = [];
  const align = (): void => {
    while (bytes.length % alignment !== 0) bytes.push(0);
  };
  const u32 = (value: number): void =>
    void bytes.push(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);
  const addresses = (): void => {
    align();
    // Relative to the base from below, as 64-bit kernels with per-processor symbols have it.
    for (let i = 0; i < COUNT; i++) u32(is64Bit ? -1 - 16 * i : 16 * i);
    align();
    u32(is64Bit ? 0x8100_0000 : 0xc100_0000);
    if (is64Bit) u32(0xffff_ffff);
  };
  const order = (): void => {
    align();
    for (let i = 0; i < COUNT; i++) bytes.push(0, (i * 7) & 255, (i * 13) & 255);
  };
  // Something in front that resembles the tokens and is none.
  for (let i = 0; i < 256; i++) bytes.push(i, 0);
  for (let i = 0; i < 1000; i++) bytes.push(0xcc);
  if (layout !== "since 6.4") addresses();
  align();
  u32(COUNT);
  align();
  const first = bytes.length;
  const markers: number[] = [];
  for (let i = 0; i < COUNT; i++) {
    if (i % 256 === 0) markers.push(bytes.length - first);
    bytes.push(...encode(nameOf(i)));
  }
  align();
  for (const marker of markers) u32(marker);
  if (layout === "stable 6.1") order();
  align();
  const offsets: number[] = [];
  const tokens = bytes.length;
  for (const token of TOKENS) {
    offsets.push(bytes.length - tokens);
    bytes.push(...Buffer.from(`${token}\0`));
  }
  align();
  for (const offset of offsets) bytes.push(offset & 255, offset >> 8);
  if (layout === "since 6.4") {
    addresses();
    order();
  }
  return Uint8Array.from([...bytes, ...new Array(64).fill(0)]);
}

for (const layout of ["before 6.4", "stable 6.1", "since 6.4"] as const) {
  for (const is64Bit of [true, false]) {
    test(`names and addresses, ${layout}, ${is64Bit ? 64 : 32} bits`, () => {
      const symbols = kernelSymbols(image(layout, is64Bit), is64Bit);
      const base = is64Bit ? 0xffff_ffff_8100_0000n : 0xc100_0000n;
      // Every third is data.
      assert.equal(symbols.length, COUNT - Math.ceil(COUNT / 3) + 1);
      assert.deepEqual(symbols[0], { address: base + 16n, name: "function_1" });
      assert.equal(symbols.find(({ address }) => address === base + 5n * 16n)?.name, "function_5_tok128_");
      assert.equal(symbols.find(({ address }) => address === base + 300n * 16n)?.name, "x".repeat(200));
      assert.deepEqual(symbols.at(-1), { address: base + 16n * BigInt(COUNT - 2), name: `function_${COUNT - 2}` });
    });
  }
}

test("an image without the tables has no symbols", () => {
  assert.deepEqual(kernelSymbols(new Uint8Array(4096), true), []);
  const cut = image("since 6.4", true);
  assert.deepEqual(kernelSymbols(cut.subarray(0, cut.length - COUNT * 7 - 200), true), []);
});
