// What the compiler of the TypeScript core makes of small sources, against the arithmetic of BigInt.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { core } from "../../host/core-ts/compiler/core.ts";

const root = process.env["WKVM_ROOT"] ?? process.cwd();
const INT = [0n, 1n, -1n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, -0x80000000n, 0x123456789abcdef0n];
const WIDE = [...INT, 0x7fffffffffffffffn, -0x8000000000000000n];

type Exports = Record<string, (...args: unknown[]) => unknown>;

/** Compiles a module and makes a core of it over 2 MiB of memory. */
async function make(source: string): Promise<Exports> {
  const cases = "export function case_none(pc: usize): usize { return pc; }";
  const text = core((path) => (path === "index" ? source : cases));
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    stdin: { contents: text, resolveDir: join(root, "host/core-ts/generated"), loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    target: "node20",
    logLevel: "error",
  });
  const url = `data:text/javascript;base64,${Buffer.from(outputFiles[0]!.contents).toString("base64")}`;
  const module = (await import(url)) as { makeCore(memory: ArrayBufferLike, host: object): Exports };
  return module.makeCore(new SharedArrayBuffer(0x200000), {});
}

test("64-bit operators, on all pairs of edges", async () => {
  const operators: [string, string, (a: bigint, b: bigint) => bigint][] = [
    ["add", "a + b", (a, b) => a + b],
    ["sub", "a - b", (a, b) => a - b],
    ["mul", "a * b", (a, b) => a * b],
    ["and", "a & b", (a, b) => a & b],
    ["orNot", "a | ~b", (a, b) => a | ~b],
    ["left", "a << b", (a, b) => a << (b & 63n)],
    ["arithmetic", "<u64>(<i64>a >> <i64>b)", (a, b) => BigInt.asIntN(64, a) >> (b & 63n)],
    ["logical", "a >> b", (a, b) => BigInt.asUintN(64, a) >> (b & 63n)],
    ["below", "u64(a < b)", (a, b) => (BigInt.asUintN(64, a) < BigInt.asUintN(64, b) ? 1n : 0n)],
    ["less", "u64(<i64>a <= <i64>b)", (a, b) => (BigInt.asIntN(64, a) <= BigInt.asIntN(64, b) ? 1n : 0n)],
    [
      "divide",
      "b ? a / b + a % b : 0",
      (a, b) => {
        const [x, y] = [BigInt.asUintN(64, a), BigInt.asUintN(64, b)];
        return y ? x / y + (x % y) : 0n;
      },
    ],
    ["chain", "(a ^ b) + (a << 13) - (b >> 7)", (a, b) => (a ^ b) + (a << 13n) - (BigInt.asUintN(64, b) >> 7n)],
  ];
  const exports = await make(
    operators.map(([name, text]) => `export function ${name}(a: u64, b: u64): u64 { return ${text}; }`).join("\n"),
  );
  for (const [name, , expected] of operators) {
    for (const a of WIDE) {
      for (const b of WIDE) {
        const result = exports[name]!(BigInt.asIntN(64, a), BigInt.asIntN(64, b));
        assert.equal(result, BigInt.asIntN(64, expected(a, b)), `${name}(${a}, ${b})`);
      }
    }
  }
});

test("narrow types wrap, and widen by their own sign", async () => {
  const exports = await make(`
    export function bytes(a: i32): i32 { const x = <u8>a; return <i32>(x + 1); }
    export function signs(a: i32): i64 { return <i64><i8>a; }
    export function words(a: i32): u64 { return <u64><u16>a << 4; }
    export function unsigned(a: u32, b: u32): f64 { return <f64>(a / b); }`);
  for (const x of INT.map((value) => Number(BigInt.asIntN(32, value)))) {
    assert.equal(exports["bytes"]!(x), ((x & 255) + 1) & 255);
    assert.equal(exports["signs"]!(x), BigInt((x << 24) >> 24));
    assert.equal(exports["words"]!(x), BigInt((x & 0xffff) << 4));
    assert.equal(exports["unsigned"]!(x, 3), Math.floor((x >>> 0) / 3));
  }
});

test("operands are read in their order, before what a later one changes", async () => {
  const exports = await make(`
    let global: u64 = 5;
    function change(): u64 { global = 100; store<u64>(0x150000, 7); return 1; }
    export function order(): u64 {
      global = 5;
      store<u64>(0x150000, 40);
      return global + load<u64>(0x150000) + change();
    }
    export function after(): u64 { let i: u32 = 3; const x = i++ + i++ * 10; return <u64>x + (<u64>i << 32); }`);
  assert.equal(exports["order"]!(), 46n);
  assert.equal(exports["after"]!(), (5n << 32n) + 43n);
});

test("loads and stores take any address, and agree with a DataView", async () => {
  const exports = await make(`
    export function copy(from: usize, to: usize): u64 { const x = load<u64>(from); store<u64>(to, x); store<u16>(to + 9, <u16>x); return x; }
    export function fetch(at: usize): u64 { return <u64>load<u32>(at, 1) | <u64>load<u16>(at) << 32; }`);
  for (let at = 0x150000; at < 0x150008; at++) {
    exports["copy"]!(at, at + 64);
    assert.equal(exports["fetch"]!(at + 64), exports["fetch"]!(at));
  }
});

test("what the compiler does not know is refused by file and line", async () => {
  await assert.rejects(make("export function bad(a: u64): u64 { return a ** 2; }"), /index\.ts:1: .*a \*\* 2/);
  await assert.rejects(make("export function bad(): u32 { return nowhere(1); }"), /no rule for nowhere\(\)/);
});
