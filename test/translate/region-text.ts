// A region's WebAssembly as text for people: the functions of a module, with the guest's registers and the vCPU's
// fields by their names, and without what depends on where something happens to lie.
// binaryen is what asc compiles with: it comes with it.
import binaryen from "binaryen";
import {
  CPU_CC_DST,
  CPU_CC_OP,
  CPU_CC_SRC,
  CPU_FUEL,
  CPU_GPR,
  CPU_RIP,
  CPU_SEG_BASE,
  CPU_SEG_LIMIT,
  CPU_SEG_READABLE,
  CPU_SEG_WRITABLE,
  CPU_TRACES,
  CPU_TRANSLATE,
  CPU_XMM,
  VCPU_BASE,
} from "../../assembly/layout.ts";

const REGISTERS = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];
const SEGMENTS = ["es", "cs", "ss", "ds", "fs", "gs"];

/** Names of the vCPU's fields by their address. */
const FIELDS = new Map<number, string>([
  [CPU_RIP, "rip"],
  [CPU_FUEL, "fuel"],
  [CPU_FUEL + 4, "requests"],
  [CPU_CC_OP, "flag_op"],
  [CPU_CC_DST, "flag_dst"],
  [CPU_CC_SRC, "flag_src"],
]);
for (let i = 0; i < 16; i++) {
  FIELDS.set(CPU_GPR + 8 * i, REGISTERS[i] ?? `r${i}`);
  FIELDS.set(CPU_XMM + 32 * i, `xmm${i}`);
}
SEGMENTS.forEach((name, i) => {
  FIELDS.set(CPU_SEG_BASE + 8 * i, `${name}_base`);
  FIELDS.set(CPU_SEG_LIMIT + 4 * i, `${name}_limit`);
  FIELDS.set(CPU_SEG_READABLE + 8 * i, `${name}_readable`);
  FIELDS.set(CPU_SEG_WRITABLE + 8 * i, `${name}_writable`);
});

/** The locals that every region has (assembly/translate/locals.ts). */
const LOCALS = "entry base fuel tlb flag_op flag_dst flag_src tlb_entry".split(" ");
/** What every region may import (assembly/translate/imports.ts). */
const IMPORTS = new Map([
  ["g0", "fault"],
  ["g1", "tlb"],
  ["j0", "execute"],
  ["j1", "condition"],
  ["j2", "store_flags"],
  ["j3", "flags"],
  ["x0", "leave"],
  ["x1", "miss"],
  ["j4", "attach_x87"],
  ["j5", "detach_x87"],
  ["j6", "compute_x87"],
  ["j7", "compare_x87"],
  ["j8", "integer_of_x87"],
  ["j9", "copy_run"],
  ["j10", "fill_run"],
  ["j11", "find_to_read"],
  ["j12", "find_to_write"],
]);

/** The text of each region of a module; a vCPU's ways out are none. */
export function regionTexts(module: Uint8Array): string[] {
  const parsed = binaryen.readBinary(module);
  const text = parsed.emitStackIR();
  parsed.dispose();
  const imports = new Map<string, string>();
  for (const [, name, id] of text.matchAll(/\(import "c" "(\w+)" \((?:func|global) (\$[\w$]+)/g)) {
    imports.set(id!, `$${IMPORTS.get(name!) ?? "helper"}`);
  }
  if (![...imports.values()].includes("$leave")) return [];
  const functions = text.split(/\n(?= \(func )/).slice(1);
  return functions.map((each) => nameAll(each.replace(/\n\)\s*$/, ""), imports));
}

function nameAll(text: string, imports: ReadonlyMap<string, string>): string {
  const locals = new Map(LOCALS.map((name, i) => [`$${i}`, `$${name}`]));
  const fields = text.replaceAll(/offset=(\d+)/g, (all, at: string) => {
    const name = FIELDS.get(Number(at) - VCPU_BASE);
    return name ? `offset=cpu.${name}` : all;
  });
  // Guest registers are loaded into their locals before anything else is done with them.
  for (const [, field, local] of fields.matchAll(/load offset=cpu\.(\w+)\n\s+local\.set (\$\d+)/g)) {
    if (!locals.has(local!)) locals.set(local!, `$${field}`);
  }
  return fields
    .split("\n")
    .filter((line) => !line.includes("(local ") && !line.includes("(func "))
    .map((line) => line.replaceAll(/\$[\w$]+/g, (name) => imports.get(name) ?? locals.get(name) ?? name))
    .map((line) =>
      line.replace(/i32\.const (\d+)$/, (all, value: string) => (isRecord(Number(value)) ? "i32.const record" : all)),
    )
    .map((line) => line.slice(2))
    .join("\n")
    .replace(/\n?\)\s*$/, "\n");
}

/** Whether a number is the address of a decoded instruction. */
function isRecord(value: number): boolean {
  return value >= VCPU_BASE + CPU_TRACES && value < VCPU_BASE + CPU_TRANSLATE;
}
