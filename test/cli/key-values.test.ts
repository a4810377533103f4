import assert from "node:assert/strict";
import { test } from "node:test";
import { parseInteger, parseKeyValues, splitAtCommas } from "../../host/cli/key-values.ts";
import { parseSize } from "../../host/cli/size.ts";

const MIB = 2 ** 20;

test("a doubled comma is a comma", () => {
  assert.deepEqual(splitAtCommas("a,b"), ["a", "b"]);
  assert.deepEqual(splitAtCommas("path=a,,b,id=c"), ["path=a,b", "id=c"]);
  assert.deepEqual(splitAtCommas("a,,,b"), ["a,", "b"]);
  assert.deepEqual(splitAtCommas(""), [""]);
});

test("the first item may leave out its key, and flags are on", () => {
  const values = parseKeyValues("pc,acpi=off,usb", "type");
  assert.equal(values.get("type"), "pc");
  assert.equal(values.boolean("acpi", true), false);
  assert.equal(values.boolean("usb", false), true);
  assert.equal(values.boolean("graphics", true), true);
  values.finish();
});

test("a key given twice keeps its last value", () => {
  assert.equal(parseKeyValues("a=1,a=2").get("a"), "2");
});

test("a value may hold an equals sign", () => {
  assert.equal(parseKeyValues("guest=a=b", "guest").get("guest"), "a=b");
});

test("what nobody asked for is refused", () => {
  const values = parseKeyValues("shift=3,colour=red", "shift");
  values.get("shift");
  assert.throws(() => values.finish(), /Invalid parameter 'colour'/);
});

test("numbers are decimal, hexadecimal or octal", () => {
  assert.equal(parseInteger("0xf4"), 0xf4);
  assert.equal(parseInteger("010"), 8);
  assert.equal(parseInteger("0"), 0);
  for (const text of ["", "x", "0x", "1.5", "-1", "09"]) assert.equal(parseInteger(text), undefined, text);
});

test("sizes take QEMU's suffixes", () => {
  const sizes: [string, number][] = [
    ["256", 256 * MIB],
    ["256M", 256 * MIB],
    ["256m", 256 * MIB],
    ["1G", 1024 * MIB],
    ["1.5G", 1536 * MIB],
    ["0.5", 0.5 * MIB],
    ["64K", 65536],
    ["4096B", 4096],
    ["0x100", 256 * MIB],
    ["0", 0],
  ];
  for (const [text, bytes] of sizes) assert.equal(parseSize(text, "size", MIB), bytes, text);
  for (const text of ["", "x", "1x", "-1", "1 G", "G", "1.5B", "16E"]) {
    assert.throws(() => parseSize(text, "size", MIB), /Parameter 'size' expects/, text);
  }
});
