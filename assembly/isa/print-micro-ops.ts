// Prints the serialised lists of all cases with an index by case number: what the run-time translator reads.

import { ANYTHING, effectsOf } from "./helper-effects.ts";
import { type ReadSource, Signatures } from "./helper-signatures.ts";
import type { Numbering } from "./print-interpreter.ts";
import { ATTRIBUTES, FLAGS_SHADOW, FLAGS_STRAIGHT, Helpers, MICRO, serialize } from "./serialize.ts";

/** The table and the helpers it names. */
export interface MicroOpTable {
  readonly text: string;
  /** The module that knows the helpers' functions: a translated call goes through the core's table. */
  readonly helperText: string;
  /** "module.name" by number. */
  readonly helpers: readonly string[];
  readonly bytes: number;
  /** Lists that differ. */
  readonly lists: number;
}

/** Throws where a body is not what the format can say, or calls a helper otherwise than it is declared. */
export function printMicroOps(numbering: Numbering, read: ReadSource): MicroOpTable {
  const helpers = new Helpers(new Signatures(read));
  const data: number[] = [];
  const known = new Map<string, number>();
  const place = (bytes: Uint8Array): number => {
    const key = bytes.join();
    let at = known.get(key);
    if (at === undefined) {
      known.set(key, (at = data.length));
      data.push(...bytes);
    }
    return at;
  };
  const index = numbering.hot.map((v) => place(serialize(v, helpers)));
  const groups = numbering.groups.map((g) => {
    const first = index.length;
    index.push(...numbering.cold.get(g)!.map((v) => place(serialize(v, helpers))));
    return first;
  });
  const constants = (prefix: string, table: Record<string, number>): string =>
    Object.entries(table)
      .map(([k, v]) => `export const ${prefix}${k}: u32 = ${v};\n`)
      .join("");
  const array = (name: string, type: string, values: readonly number[]): string =>
    `export const ${name}: usize = memory.data<${type}>([${values.join(",")}]);\n`;
  const text = `// Printed from assembly/isa by tools/build-core.mjs. Not edited. The format is told in isa/serialize.ts.
import { OP_FIRST_GROUP, OP_FIRST_HOT } from "./opcodes";

${constants("MICRO_", MICRO)}${constants("ATTRIBUTE_", ATTRIBUTES)}export const FLAGS_SHADOW: u32 = ${FLAGS_SHADOW};
export const FLAGS_STRAIGHT: u32 = ${FLAGS_STRAIGHT};

/** u8: lists, one after the other; cases with the same steps share one. */
${array("MICRO_OPS", "u8", data)}
/** u32: offsets of lists: the hot cases, then the cases of each group. */
${array("MICRO_OPS_INDEX", "u32", index)}
/** u16 a group: where its cases start in MICRO_OPS_INDEX. */
${array("MICRO_OPS_GROUPS", "u16", groups)}
/** The list of a record's case: R_OP and R_SUB as decoded. */
export function microOps(op: u32, sub: u32): usize {
  const number = op < OP_FIRST_HOT ? <u32>load<u16>(MICRO_OPS_GROUPS + ((op - OP_FIRST_GROUP) << 1)) + sub : op - OP_FIRST_HOT;
  return MICRO_OPS + load<u32>(MICRO_OPS_INDEX + (number << 2));
}
`;
  return {
    text,
    helperText: printHelpers(helpers.names, read),
    helpers: helpers.names,
    bytes: data.length,
    lists: known.size,
  };
}

/** What a helper touches besides its arguments, for code that calls it from outside the interpreter. */
const DIRECT = 1;
const TOUCHES_FLAGS = 2;
const SETS_FLAGS = 4;
const USES_TRACE = 8;
const X87 = 16;

/** Whether a helper reads or writes vector registers that it is not given the address of: translated code has them in
 * locals. The upper halves of YMM registers are never there. */
function namesVectors(module: string, name: string, read: ReadSource): boolean {
  if (name === "clearUpper" || name === "zeroUpper") return false;
  const body = new RegExp(`export function ${name}\\([^]*?\n}`).exec(read(module))?.[0] ?? "";
  return /xmmAddress\(|CPU_XMM/.test(body);
}

/** Bits of HELPER_KIND: whether the helper gets by with registers and flags in their places in the vCPU. One that looks
 * at the running record, or whose effects are not known, is left to the interpreter's case. */
function kindOf(module: string, name: string, read: ReadSource): number {
  const effects = effectsOf(module, name);
  if (effects === ANYTHING || effects.memory || read(module).includes("decode/record")) return 0;
  if (namesVectors(module, name, read)) return 0;
  if (module.startsWith("execute/x87/")) {
    const flags = effects.flagsRead || effects.flagsChanged ? TOUCHES_FLAGS : 0;
    return DIRECT | X87 | flags | (module.endsWith("/pointers") ? USES_TRACE : 0);
  }
  if (!effects.flagsRead && !effects.flagsChanged) return DIRECT;
  // Flags alone are what shldFlags32 and its like are called for.
  return (
    DIRECT | TOUCHES_FLAGS | (/Flags\d+$|^setCarryOverflow$/.test(name) && !effects.registersWritten ? SETS_FLAGS : 0)
  );
}

function printHelpers(names: readonly string[], read: ReadSource): string {
  const parts = names.map((name) => name.split(".") as [string, string]);
  const kinds = parts.map(([module, name]) => kindOf(module, name, read));
  const registers = parts.map(([module, name]) => {
    const { registersRead, registersWritten } = effectsOf(module, name);
    return registersRead + registersWritten * 0x10000;
  });
  const exports = parts
    .map(([module, name], i) => (kinds[i] ? `export { ${name} as h${i} } from "../${module}";\n` : ""))
    .join("");
  return `// Printed from assembly/isa by tools/build-core.mjs. Not edited.
//
// The helpers that translated code calls by itself are exported as h and their number in MICRO_CALL.
${exports}
export const HELPER_DIRECT: u32 = ${DIRECT};
export const HELPER_TOUCHES_FLAGS: u32 = ${TOUCHES_FLAGS};
/** Does nothing but set flags. */
export const HELPER_SETS_FLAGS: u32 = ${SETS_FLAGS};
/** Looks at CPU_TRACE_RIP. */
export const HELPER_USES_TRACE: u32 = ${USES_TRACE};
/** Works on the x87's state. */
export const HELPER_X87: u32 = ${X87};
/** u8 by number: HELPER_* bits; 0: not to be called by translated code. */
export const HELPER_KIND: usize = memory.data<u8>([${kinds.join(",")}]);
/** u32 by number: general registers that it reads, and from bit 16 those that it writes. */
export const HELPER_REGISTERS: usize = memory.data<u32>([${registers.join(",")}]);
/** Numbers of helpers by name, for those that are more than called. */
${parts.map(([module, name], i) => (/execute\/(flags|string|shift|syscall|time-stamp)$|vector\/(scalar|shift)|float\/(compare|packed|integer)$|push-pop$|x87\//.test(module) ? `export const HELPER_${name}: u32 = ${i};\n` : "")).join("")}`;
}
