// Translated code as text for people: with the guest's registers and the vCPU's fields by their names.
import {
  CPU_CC_DST,
  CPU_CC_OP,
  CPU_CC_SRC,
  CPU_EFLAGS,
  CPU_FUEL,
  CPU_GPR,
  CPU_RIP,
  CPU_SEG_BASE,
  CPU_SEG_LIMIT,
  CPU_SEG_READABLE,
  CPU_SEG_WRITABLE,
  CPU_SPAN_MARK,
  CPU_SPAN_MISSED,
  CPU_XMM,
  VCPU_BASE,
  VCPU_SIZE,
} from "../../assembly/layout.ts";
import { wasmFunctions } from "./wasm/text.ts";

const REGISTERS = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];
const SEGMENTS = ["es", "cs", "ss", "ds", "fs", "gs"];

/** Names of the vCPU's fields by their offset. */
const FIELDS = new Map<number, string>([
  [CPU_RIP, "rip"],
  [CPU_FUEL, "fuel"],
  [CPU_FUEL + 4, "requests"],
  [CPU_CC_OP, "flag_op"],
  [CPU_CC_DST, "flag_dst"],
  [CPU_CC_SRC, "flag_src"],
  [CPU_EFLAGS, "eflags"],
  [CPU_SPAN_MISSED, "span_missed"],
  [CPU_SPAN_MARK, "span_mark"],
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
const LOCALS = "entry base slot fuel tlb flag_op flag_dst flag_src tlb_entry".split(" ");
/** What every region imports (assembly/translate/imports.ts); helpers are h and a number. */
const IMPORTS = new Map([
  ["g0", "fault"],
  ["j0", "execute"],
  ["j1", "condition"],
  ["j2", "store_flags"],
  ["j3", "flags"],
  ["j4", "attach_x87"],
  ["j5", "detach_x87"],
  ["j6", "compute_x87"],
  ["j7", "compare_x87"],
  ["j8", "integer_of_x87"],
  ["j9", "copy_run"],
  ["j10", "fill_run"],
  ["j11", "find_to_read"],
  ["j12", "find_to_write"],
  ["j13", "find_span"],
  ["j14", "syscall"],
  ["j15", "sysret"],
]);

/** The ways out that each vCPU has (assembly/translate/ways.ts). */
const WAYS = ["leave", "miss", "leave_open", "leave_stored"];

/** Name of an import. */
function importName(name: string): string {
  const way = /^x(\d+)$/.exec(name)?.[1];
  return way ? WAYS[Number(way) % WAYS.length]! : (IMPORTS.get(name) ?? name);
}

/** The text of each region in a module of translated code. */
export function regionTexts(module: Uint8Array): string[] {
  const functions = wasmFunctions(module, {
    import: importName,
    local: (number) => LOCALS[number] ?? `${number}`,
    offset: (value) => {
      const field = value >= VCPU_BASE ? FIELDS.get((value - VCPU_BASE) % VCPU_SIZE) : undefined;
      return field && `cpu.${field}`;
    },
  });
  return functions.map((lines) => nameRegisters(lines).join("\n"));
}

/** Guest registers are loaded into their locals before anything else is done with them. */
function nameRegisters(lines: readonly string[]): string[] {
  const names = new Map<string, string>();
  for (const [i, line] of lines.entries()) {
    const field = /load offset=cpu\.(\w+)$/.exec(line)?.[1];
    const local = /local\.set (\$\d+)$/.exec(lines[i + 1] ?? "")?.[1];
    if (field && local && !names.has(local)) names.set(local, `$${field}`);
  }
  return lines.map((line) => line.replace(/\$\d+$/, (name) => names.get(name) ?? name));
}
