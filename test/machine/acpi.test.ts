import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eisaId, integer, packageOf, path } from "../../host/machine/acpi/aml.ts";
import { buildAcpiTables } from "../../host/machine/acpi/tables.ts";
import { layOutMemory } from "../../host/machine/memory-map.ts";
import { buildSmbios } from "../../host/machine/smbios.ts";

const BASE = 0xf0000;
const TABLES = buildAcpiTables(BASE, { cpus: 2, serialPorts: [0, 1], lowRamEnd: 0x10000000, fwCfg: true });

function sum(bytes: Uint8Array): number {
  return bytes.reduce((total, byte) => total + byte, 0) & 0xff;
}

/** Follows the pointers from the root, as a guest does. */
function tables(): Map<string, Uint8Array> {
  const { bytes } = TABLES;
  const view = new DataView(bytes.buffer);
  const found = new Map<string, Uint8Array>();
  const take = (gpa: number) => {
    const at = gpa - BASE;
    const data = bytes.subarray(at, at + view.getUint32(at + 4, true));
    found.set(String.fromCharCode(...data.subarray(0, 4)), data);
    return data;
  };
  take(view.getUint32(16, true));
  const xsdt = take(Number(view.getBigUint64(24, true)));
  for (let at = 36; at < xsdt.length; at += 8) {
    take(Number(new DataView(xsdt.buffer, xsdt.byteOffset).getBigUint64(at, true)));
  }
  const fadt = found.get("FACP") as Uint8Array;
  const fadtView = new DataView(fadt.buffer, fadt.byteOffset);
  take(fadtView.getUint32(36, true));
  take(fadtView.getUint32(40, true));
  return found;
}

test("every table is reachable from the root pointer and sums to zero", () => {
  assert.equal(String.fromCharCode(...TABLES.bytes.subarray(0, 8)), "RSD PTR ");
  assert.equal(sum(TABLES.bytes.subarray(0, 20)), 0);
  assert.equal(sum(TABLES.bytes.subarray(0, 36)), 0);
  const found = tables();
  assert.deepEqual([...found.keys()].sort(), ["APIC", "DSDT", "FACP", "FACS", "RSDT", "XSDT"]);
  for (const [name, data] of found) {
    if (name !== "FACS") {
      assert.equal(sum(data), 0, name);
    }
  }
});

test("the MADT overrides interrupt 0 to 2 and makes 9 level-triggered", () => {
  const madt = tables().get("APIC") as Uint8Array;
  const entries: number[][] = [];
  for (let at = 44; at < madt.length; at += madt[at + 1] as number) {
    entries.push([...madt.subarray(at, at + (madt[at + 1] as number))]);
  }
  assert.deepEqual(
    entries.map(([type]) => type),
    [0, 0, 1, 2, 2, 4],
  );
  assert.deepEqual(entries[3], [2, 10, 0, 0, 2, 0, 0, 0, 0, 0]);
  assert.deepEqual(entries[4], [2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0]);
  assert.deepEqual(entries[5], [4, 6, 0xff, 0, 0, 1]);
});

test("AML encodings of the specification's examples", () => {
  assert.deepEqual(eisaId("PNP0A03"), [0x0c, 0x41, 0xd0, 0x0a, 0x03]);
  assert.deepEqual(path("\\_SB.PCI0"), [0x5c, 0x2e, 0x5f, 0x53, 0x42, 0x5f, 0x50, 0x43, 0x49, 0x30]);
  assert.deepEqual(
    [0, 1, 2, 0x100, 0x10000].map((value) => integer(value).length),
    [1, 1, 2, 3, 5],
  );
  const long = packageOf(...Array.from({ length: 100 }, () => integer(0x1234)));
  assert.deepEqual(long.slice(0, 4), [0x12, 0x40 | (303 & 15), 303 >> 4, 100]);
});

test("iasl disassembles every table, and compiles the DSDT it read", (context) => {
  if (spawnSync("iasl", ["-v"]).error !== undefined) {
    context.skip("iasl (package acpica-tools) is not installed");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "wkvm-acpi-"));
  try {
    for (const [name, data] of tables()) {
      writeFileSync(join(folder, `${name}.dat`), data);
      const { status, stderr, stdout } = spawnSync("iasl", ["-d", `${name}.dat`], { cwd: folder, encoding: "utf8" });
      assert.equal(status, 0, `${name}: ${stderr}${stdout}`);
      assert.doesNotMatch(`${stderr}${stdout}`, /error|invalid|unknown/i, name);
    }
    const source = readFileSync(join(folder, "DSDT.dsl"), "utf8");
    for (const expected of [
      "Device (PCI0)",
      'EisaId ("PNP0501")',
      "Name (\\_S5",
      'EisaId ("PNP0B00")',
      "Device (C001)",
    ]) {
      assert.ok(source.includes(expected), expected);
    }
    const compiled = spawnSync("iasl", ["-tc", "DSDT.dsl"], { cwd: folder, encoding: "utf8" });
    assert.match(compiled.stdout, /0 Errors/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("SMBIOS carries the UUID in its mixed byte order", () => {
  const bytes = buildSmbios(0xf1000, { uuid: "00112233-4455-6677-8899-aabbccddeeff", version: "0.1" });
  assert.equal(String.fromCharCode(...bytes.subarray(0, 4)), "_SM_");
  assert.equal(sum(bytes.subarray(0, 31)), 0);
  assert.equal(sum(bytes.subarray(16, 31)), 0);
  const wanted = "33221100554477668899aabbccddeeff";
  assert.ok(Buffer.from(bytes).toString("hex").includes(wanted));
});

test("RAM is split at 3 GiB only when it reaches 3.5 GiB", () => {
  const gib = 2 ** 30;
  assert.equal(layOutMemory(3 * gib).lowEnd, 3 * gib);
  assert.equal(layOutMemory(3.25 * gib).highBytes, 0);
  const split = layOutMemory(3.5 * gib);
  assert.deepEqual([split.lowEnd, split.highBytes], [3 * gib, 0.5 * gib]);
  assert.deepEqual(split.slots.at(-1), { gpa: 4 * gib, size: 0.5 * gib, offset: 3 * gib });
  for (const bad of [0, 2 ** 20, 2 ** 21 + 1, 4 * gib, Number.NaN, -1]) {
    assert.throws(() => layOutMemory(bad), /MiB of RAM/);
  }
});
