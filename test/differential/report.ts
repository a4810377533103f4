// Shows a mismatch so that a person can reproduce it: bytes, disassembly, state before, and what
// either processor left.
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { disassemble as disassembleAll } from "../../host/disassembler/index.ts";
import {
  CASE_CODE_OFFSET,
  CASE_CS,
  CASE_EFLAGS,
  CASE_FCW,
  CASE_FSW,
  CASE_FTW,
  CASE_GPR,
  CASE_MODE,
  CASE_MXCSR,
  CASE_PATCH_COUNT,
  CASE_PATCHES,
  CASE_X87,
  CASE_YMM,
  type Case,
  codeOf,
  MODE_NAMES,
  PATCH_SIZE,
} from "./case.ts";
import { bytesHex, GPR_NAMES } from "./compare.ts";
import type { Mismatch } from "./engine.ts";
import { shapeOf } from "./shape.ts";

/** The instructions as objdump prints them, or as our own disassembler does where there is no objdump. */
export function disassemble(code: Uint8Array, mode: number): string {
  const file = join(tmpdir(), `wkvm-disassemble-${process.pid}`);
  try {
    writeFileSync(file, code);
    const machine = ["i386:x86-64", "i386", "i8086"][mode]!;
    const text = execFileSync("objdump", ["-D", "-b", "binary", "-m", machine, "-M", "intel", file], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const lines = text.split("\n").filter((line) => /^\s+[0-9a-f]+:/.test(line));
    return lines
      .map((line) => line.split("\t").slice(2).join(" ").trim())
      .filter(Boolean)
      .join("; ");
  } catch {
    const bits = ([64, 32, 16] as const)[mode]!;
    return disassembleAll(code, 0n, bits)
      .map((line) => line.text)
      .join("; ");
  } finally {
    rmSync(file, { force: true });
  }
}

const hex = (value: number | bigint): string => value.toString(16);

/** State before the case, without what is at rest. */
function before(test: Case): string[] {
  const { view, bytes } = test;
  const names = ["cs", "ss", "ds", "es", "fs", "gs"];
  const selectors = names.map((name, i) => `${name}=${hex(view.getUint16(CASE_CS + 2 * i, true))}`);
  const lines = [
    `  at ${hex(view.getUint16(CASE_CODE_OFFSET, true))} eflags=${hex(view.getUint32(CASE_EFLAGS, true))} ${selectors.join(" ")}`,
  ];
  const registers = GPR_NAMES.map((name, i) => [name, view.getBigUint64(CASE_GPR + i * 8, true)] as const);
  lines.push(
    `  ${registers
      .filter(([, value]) => value)
      .map(([name, value]) => `${name}=${hex(value)}`)
      .join(" ")}`,
  );
  const code = codeOf(test);
  const shape = shapeOf(code, bytes[CASE_MODE]!);
  const isX87 = shape.map === 0 && (shape.opcode & 0xf8) === 0xd8;
  if (isX87 || shape.map > 0) {
    lines.push(
      `  fcw=${hex(view.getUint16(CASE_FCW, true))} fsw=${hex(view.getUint16(CASE_FSW, true))} ` +
        `ftw=${hex(bytes[CASE_FTW]!)} mxcsr=${hex(view.getUint32(CASE_MXCSR, true))}`,
    );
    const rows: [string, number, number, number][] = [
      ["st", CASE_X87, 8, 16],
      ["ymm", CASE_YMM, 16, 32],
    ];
    for (const [name, at, count, stride] of rows) {
      if (isX87 && name === "ymm") continue;
      for (let i = 0; i < count; i++) {
        const value = bytesHex(bytes, at + i * stride, name === "st" ? 10 : 16);
        const used =
          name === "st"
            ? i < 2 || (!isX87 && (i === shape.reg || i === shape.rm)) || i === shape.rm
            : i === (shape.reg | ((shape.rex & 4) << 1)) || i === (shape.rm | ((shape.rex & 1) << 3)) || i === 0;
        if (used && /[^0]/.test(value)) lines.push(`  ${name}${i}=${value}`);
      }
    }
  }
  for (let n = 0; n < view.getUint16(CASE_PATCH_COUNT, true); n++) {
    const at = CASE_PATCHES + n * PATCH_SIZE;
    const length = Math.min(view.getUint32(at + 4, true), 32);
    lines.push(
      `  [${hex(view.getUint32(at, true))}] = ${Buffer.from(bytes.subarray(at + 8, at + 8 + length)).toString("hex")}`,
    );
  }
  return lines;
}

/** A mismatch as text. */
export function describe(mismatch: Mismatch): string {
  const { form, test, expected, differences } = mismatch;
  const code = codeOf(test);
  const mode = test.bytes[CASE_MODE]!;
  const lines = [
    `${form}: ${Buffer.from(code).toString("hex")}  ${disassemble(code, mode)}  (${MODE_NAMES[mode]} bit)`,
    ...before(test),
  ];
  const vector = expected.bytes[4]!;
  if (vector !== 1) lines.push(`  silicon raises vector ${vector} error ${hex(expected.view.getUint32(8, true))}`);
  for (const { field, expected: want, actual: got } of differences.slice(0, 12)) {
    lines.push(`  ${field}: silicon ${want}, wkvm ${got}`);
  }
  return lines.join("\n");
}
