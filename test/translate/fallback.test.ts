// What the translator does not write as WebAssembly stands in a file that may only become shorter. It is asked itself:
// every instruction of the table is executed once, translated at its first entry, and it tells what it made of it.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CPU_CR4, CPU_LOG, CPU_STATS, CPU_XCR0, LOG_OP } from "../../assembly/layout.ts";
import { cpuidFor } from "../../host/kvm/cpuid.ts";
import { writeCpuid } from "../../host/kvm/cpuid-table.ts";
import { MODE_64 } from "../differential/case.ts";
import { Random } from "../differential/random.ts";
import { drawTableCode } from "../differential/table-code.ts";
import { TABLE_FORMS } from "../differential/table-forms.ts";
import { CODE, DATA, TierGuest } from "./tier-guest.ts";

const FILE = join(process.env["WKVM_ROOT"] ?? ".", "test", "translate", "fallback.txt");
const HEAD = `# 64-bit instructions that never become WebAssembly: rows of the instruction table, by mnemonic, encoding, and operand
# (r or m) and size. "left": the region ends before it; "called": the region calls the interpreter's case.
# test/translate/fallback.test.ts fails when a line is missing here; UPDATE_FALLBACK=1 writes the file anew.
`;
/** Draws of an instruction: what is translated with some operands is not listed. */
const DRAWS = 4;
const HLT = 0xf4;
const CR4 = 0x206a0n;
const CR4_OSXSAVE = 0x40000n;
const XCR0_AVX = 7n;
const SEED = 1;

/** What the translator makes of one instruction: "inline", "called" or "left"; undefined: it is not decoded. */
async function classify(): Promise<(bytes: Uint8Array) => "inline" | "called" | "left" | undefined> {
  const guest = await TierGuest.create(1);
  guest.state.setU32(CPU_LOG, LOG_OP);
  // Not what this machine's processor has: the file is the same everywhere.
  writeCpuid(guest.state, cpuidFor("max"));
  guest.state.setU64(CPU_CR4, CR4 | CR4_OSXSAVE);
  guest.state.setU64(CPU_XCR0, XCR0_AVX);
  guest.core.commitSregs();
  // An instruction may change whatever there is: it finds the registers and tables that all found.
  const vcpu = guest.memory.bytes.subarray(guest.state.base, guest.state.base + CPU_STATS);
  const tables = guest.bytes.subarray(0, CODE);
  const before = { vcpu: vcpu.slice(), tables: tables.slice() };
  let how: "inline" | "called" | "left" | undefined;
  guest.hooks.trace = (kind, a, b, c) => {
    if (kind !== LOG_OP || Number(a) !== CODE || how) return;
    how = (b >> 32n) & 1n ? "left" : (c >> 32n) & 1n ? "called" : "inline";
  };
  return (bytes) => {
    how = undefined;
    vcpu.set(before.vcpu);
    tables.set(before.tables);
    guest.core.commitSregs();
    guest.load(CODE, [...bytes, HLT]);
    for (let i = 0; i < 16; i++) guest.setRegister(i, DATA);
    guest.run(CODE);
    return how;
  };
}

test("no instruction falls back that did not before", async (t) => {
  const ask = await classify();
  const random = new Random(SEED);
  const best = new Map<string, "inline" | "called" | "left">();
  let asked = 0;
  for (const entry of TABLE_FORMS) {
    if (entry.mode !== MODE_64) continue;
    // An instruction's draws are its own, whatever stands before it in the table.
    random.reseed(
      SEED,
      [...entry.key].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) >>> 0, 0),
    );
    for (let draw = 0; draw < DRAWS && best.get(entry.key) !== "inline"; draw++) {
      const bytes = drawTableCode(entry, random);
      const how = bytes && ask(bytes);
      if (!how) continue;
      asked++;
      if (how !== "left" || !best.has(entry.key)) best.set(entry.key, how);
    }
  }
  const lines = [...best].filter(([, how]) => how !== "inline").map(([key, how]) => `${how.padEnd(6)} ${key}`);
  lines.sort();
  t.diagnostic(`${best.size} forms, ${asked} asked; ${lines.length} fall back`);
  assert.ok(best.size > 2500, `${best.size} forms`);
  if (process.env["UPDATE_FALLBACK"]) writeFileSync(FILE, `${HEAD}${lines.join("\n")}\n`);
  const known = new Set(readFileSync(FILE, "utf8").split("\n"));
  assert.deepEqual(
    lines.filter((line) => !known.has(line)),
    [],
    "these fall back now",
  );
  const gone = [...known].filter((line) => line && !line.startsWith("#") && !lines.includes(line));
  assert.deepEqual(gone, [], "these are translated now: UPDATE_FALLBACK=1 takes them out");
});
