// Prints the serialised lists of all cases with an index by case number: what the run-time translator reads.
import { type ReadSource, Signatures } from "./helper-signatures.ts";
import { type Numbering, OP_FIRST_GROUP } from "./print-interpreter.ts";
import { ATTRIBUTES, Helpers, MICRO, serialize } from "./serialize.ts";

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
${constants("MICRO_", MICRO)}${constants("ATTRIBUTE_", ATTRIBUTES)}
/** The case numbers of groups start here, those of hot cases at OP_FIRST_HOT. */
export const OP_FIRST_GROUP: u32 = ${OP_FIRST_GROUP};
export const OP_FIRST_HOT: u32 = ${OP_FIRST_GROUP + numbering.groups.length};
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
    helperText: printHelpers(helpers.names),
    helpers: helpers.names,
    bytes: data.length,
    lists: known.size,
  };
}

function printHelpers(names: readonly string[]): string {
  const parts = names.map((name) => name.split("."));
  const imports = parts.map(([module, name], i) => `import { ${name} as h${i} } from "../${module}";\n`).join("");
  const cases = parts.map((_p, i) => `    case ${i}: return h${i}.index;\n`).join("");
  return `// Printed from assembly/isa by tools/build-core.mjs. Not edited.
${imports}
/** How many helpers micro-operations may call. */
export const HELPERS: u32 = ${names.length};

/** Index of a helper's function in the core's table. */
export function helperIndex(number: u32): u32 {
  switch (number) {
${cases}  }
  return unreachable();
}
`;
}
