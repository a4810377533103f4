// Cases that are kept for good: each is a file in test/differential/saved/ with the state it starts from and what the
// named processor made of it, so that it is replayed without an oracle.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { CASE_MODE, CASE_SIZE, type Case, codeOf, MODE_NAMES, type Result } from "./case.ts";
import type { Mismatch } from "./engine.ts";
import { disassemble } from "./report.ts";

/** A saved case. */
export interface SavedCase {
  /** The instruction, and what once went wrong. */
  what: string;
  processor: string;
  /** The case and the processor's result (case.ts), deflated, in base64. */
  case: string;
  result: string;
}

export const savedFolder = join(process.env["WKVM_ROOT"] ?? process.cwd(), "test/differential/saved");

const pack = (bytes: Uint8Array): string => Buffer.from(deflateRawSync(bytes)).toString("base64");

function unpack(text: string): Case & Result {
  const bytes = new Uint8Array(inflateRawSync(Buffer.from(text, "base64")));
  return { bytes, view: new DataView(bytes.buffer) };
}

/** Saves a mismatch under a name made of its form and the first field that differs; returns the file's name. */
export function save({ form, test, expected, differences }: Mismatch, processor: string): string {
  const mode = test.bytes[CASE_MODE]!;
  const field = differences[0]!.field;
  const name = `${form} ${field}`
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .toLowerCase();
  const saved: SavedCase = {
    what: `${disassemble(codeOf(test), mode)} (${MODE_NAMES[mode]} bit): ${field}`,
    processor,
    case: pack(test.bytes.subarray(0, CASE_SIZE)),
    result: pack(expected.bytes),
  };
  writeFileSync(join(savedFolder, `${name}.json`), `${JSON.stringify(saved, null, 2)}\n`);
  return `${name}.json`;
}

/** Every saved case, by the name of its file. */
export function savedCases(): { name: string; saved: SavedCase; test: Case; expected: Result }[] {
  return readdirSync(savedFolder)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => {
      const saved = JSON.parse(readFileSync(join(savedFolder, name), "utf8")) as SavedCase;
      return { name, saved, test: unpack(saved.case), expected: unpack(saved.result) };
    });
}
