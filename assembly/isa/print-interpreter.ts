// Prints the interpreter: one switch for the hot cases, one function with a switch of its own for each group of the others.
import { isHot, strayKeys } from "./hot.ts";
import { type Frame, Printer, ripOf } from "./print-assemblyscript.ts";
import { allVariants, type Variant } from "./variant.ts";

/** Records with these op numbers end a trace: leave for CPU_RIP; go on at the next address. */
export const OP_LEAVE = 0;
export const OP_NEXT = 1;
/** Code behind this point was overwritten, or a shadow begins: leave at this record's address. */
export const OP_ABANDON = 2;
/** As OP_ABANDON, and interrupts wait until the next instruction is done (STI, MOV SS). */
export const OP_SHADOW = 3;
/** The bytes are no instruction, or not one that may be executed now: R_IMM is the vector. */
export const OP_FAULT = 4;
/** Numbers from here on are groups, then hot cases. */
export const OP_FIRST_GROUP = 5;
/** Cases that a group has at most: R_CASE of a record has both numbers in 16 bits. */
export const CASE_GROUP = 512;

export interface Numbering {
  readonly groups: readonly string[];
  /** Variant key to its number: op in the low half, index in the group's switch in the high half. */
  readonly opOf: ReadonlyMap<string, number>;
  readonly hot: readonly Variant[];
  readonly cold: ReadonlyMap<string, readonly Variant[]>;
}

export function number(): Numbering {
  const variants = allVariants();
  const groups = [...new Set(variants.map((v) => v.row.group))].sort();
  const stray = strayKeys(variants);
  if (stray.length > 0) throw new Error(`hot.ts names what is not in the table: ${stray.join("; ")}`);
  const hot = variants.filter(isHot);
  const cold = new Map(groups.map((g) => [g, variants.filter((v) => v.row.group === g && !isHot(v))]));
  for (const [group, list] of cold) {
    if (list.length > CASE_GROUP) throw new Error(`group ${group}: ${list.length} cases are more than ${CASE_GROUP}`);
  }
  const opOf = new Map<string, number>();
  hot.forEach((v, i) => opOf.set(v.key, OP_FIRST_GROUP + groups.length + i));
  groups.forEach((g, gi) => cold.get(g)!.forEach((v, i) => opOf.set(v.key, (OP_FIRST_GROUP + gi) | (i << 16))));
  return { groups, opOf, hot, cold };
}

const HEADER = "// Printed from assembly/isa by tools/build-core.mjs. Not edited.\n";

export function importLines(printers: Printer[], more: Record<string, string[]>): string {
  const all = new Map<string, Set<string>>();
  const add = (module: string, names: Iterable<string>): void => {
    const set = all.get(module) ?? new Set();
    for (const n of names) set.add(n);
    all.set(module, set);
  };
  for (const p of printers) for (const [module, names] of p.imports) add(module, names);
  for (const [module, names] of Object.entries(more)) add(module, names);
  return [...all]
    .sort()
    .map(([module, names]) => `import { ${[...names].sort().join(", ")} } from "../${module}";`)
    .join("\n");
}

const groupFunction = (group: string): string =>
  `execute${group.replace(/(^|[^a-z0-9]+)([a-z0-9])/g, (_m, _s, c: string) => c.toUpperCase())}`;

/** A case body knows the address of the next instruction where its helpers ask for it. */
export function prologue(v: Variant, at: string): string {
  return v.row.needsRip ? `store<u64>(${at}, ${ripOf(v)}(pc), CPU_RIP); ` : "";
}

/** Prints the statements of a case. */
export type PrintBody = (printer: Printer, variant: Variant) => string;
const asRecorded: PrintBody = (printer, variant) => printer.body(variant);

/** Cases of a function: an engine compiles functions as a whole, and few of a group's cases are executed often (docs/decisions/0031). */
const PART = 8;

/** A function with a switch over a group's cases, which are in functions of their own, some each; it returns how far the record
 * pointer moves. */
export function printGroup(numbering: Numbering, group: string, print: PrintBody = asRecorded): string {
  const frame: Frame = {
    fail: "return 0;",
    retry: "return 0;",
    branch: (condition, width) =>
      (condition ? `branchNear(pc, ${condition}, ${width});` : `branchNear(pc, 1, ${width});`) +
      " if (fault) return 0;",
    jump: (target, width) => `jumpNear(<u64>${target}, ${width});`,
  };
  const printer = new Printer(frame);
  const cases = numbering.cold
    .get(group)!
    .map((v, i) => `    case ${i}: { // ${v.key}\n      ${prologue(v, "c")}${print(printer, v)} return RECORD_SIZE; }`);
  const body = cases.join("\n");
  const more: Record<string, string[]> = { cpu: ["cpu"], "decode/record": ["RECORD_SIZE"] };
  if (body.includes("branchNear(")) more["execute/push-pop"] = ["branchNear"];
  if (body.includes("jumpNear(")) (more["execute/push-pop"] ??= []).push("jumpNear");
  if (body.includes("branchNear(")) more.cpu!.push("fault");
  for (const rip of ["nextRip", "ripBehind"]) {
    if (!body.includes(`${rip}(pc), CPU_RIP`)) continue;
    more["decode/record"]!.push(rip);
    more.layout = ["CPU_RIP"];
  }
  const name = groupFunction(group);
  const parts: string[] = [];
  for (let i = 0; i < cases.length; i += PART) {
    parts.push(`function ${name}${i / PART}(sub: u32, pc: usize): usize {
  const c = cpu;
  switch (sub) {
${cases.slice(i, i + PART).join("\n")}
  }
  return unreachable();
}
`);
  }
  const calls = parts.map((_, i) => `    case ${i}: return ${name}${i}(sub, pc);`);
  return `${HEADER}${importLines([printer], more)}\n
${parts.join("\n")}
/** Executes case \`sub\` of group '${group}' on the record at pc; 0: fault is set, or the record is to be executed again. */
export function ${name}(sub: u32, pc: usize): usize {
  switch (sub / ${PART}) {
${calls.join("\n")}
  }
  return unreachable();
}
`;
}

/** The main loop's switch. */
export function printHot(numbering: Numbering, print: PrintBody = asRecorded): string {
  // The translator looks at a trace before it is entered once its heat is used up.
  const enter =
    "{ store<u32>(t, heat - 1, T_VALID); const f = load<i64>(c, CPU_FUEL) - load<u16>(t, T_COUNT); if (<u64>f < 0x80000000) { store<u32>(c, <u32>f, CPU_FUEL); trace = t; store<u64>(c, target, CPU_TRACE_RIP); pc = t + T_RECORDS; continue; } }";
  const frame: Frame = {
    fail: "break;",
    retry: "continue;",
    flat32: true,
    branch: (condition, width) => {
      const wrap = (address: string): string => (width === 64 ? address : `(${address}) & 0xffffffff`);
      const next = "load<u64>(c, CPU_TRACE_RIP) + <u64>load<i32>(pc, R_BEHIND)";
      const go = (slot: string, target: string): string =>
        `const target = ${target}; const t = load<usize>(trace, ${slot}); const heat = load<u32>(t, T_VALID); if (heat > 1) ${enter} store<u64>(c, target, CPU_RIP); link = trace + ${slot}; break;`;
      const taken = `{ ${go("T_TAKEN", wrap(`${next} + <u64>load<i32>(pc, R_IMM)`))} }`;
      const all = condition ? `if (${condition}) ${taken} ${go("T_FALL", wrap(next))}` : taken;
      if (width === 64) return all;
      return `if ((load<u32>(c, CPU_MODE) & (MODE_CODE_MASK | MODE_FLAT)) != (MODE_CODE32 | MODE_FLAT)) { record = pc; branchNear(pc, ${condition ?? 1}, ${width}); if (fault) break; pc += RECORD_SIZE; continue; } ${all}`;
    },
    jump: (target) => `store<u64>(c, <u64>${target}, CPU_RIP); link = trace + T_JUMP + JUMPED; break;`,
  };
  const printer = new Printer(frame);
  const first = OP_FIRST_GROUP + numbering.groups.length;
  const groups = numbering.groups.map((g, i) => `        case ${i + 1}: moved = ${groupFunction(g)}(sub, pc); break;`);
  const hot = numbering.hot.map((v, i) => {
    const last = v.steps.at(-1)?.op;
    const tail = last === "branch" || last === "jump" ? "" : " pc += RECORD_SIZE; continue;";
    return `      case ${first + i}: { // ${v.key}\n        ${prologue(v, "c")}${print(printer, v)}${tail} }`;
  });
  const imports = importLines([printer], {
    cpu: ["cpu", "fault"],
    "decode/record": [
      "record",
      "RECORD_SIZE",
      "R_BEHIND",
      "R_CASE",
      "R_IMM",
      "nextRip",
      "ripBehind",
      "T_RECORDS",
      "T_COUNT",
      "T_VALID",
      "T_TAKEN",
      "T_FALL",
      "T_JUMP",
      "JUMPED",
    ],
    "decode/dispatch": ["findTrace", "leaveTrace", "raiseDecoded"],
    "decode/far-links": ["farTrace"],
    "execute/push-pop": ["branchNear", "takeSuccessor"],
    "execute/interrupt-flag": ["castShadow"],
    layout: ["CPU_FUEL", "CPU_MODE", "CPU_RIP", "CPU_TRACE_RIP", "MODE_CODE32", "MODE_CODE_MASK", "MODE_FLAT"],
    ...Object.fromEntries(numbering.groups.map((g) => [`generated/group-${g}`, [groupFunction(g)]])),
  });
  return `${HEADER}${imports}\n
/** Executes traces from CPU_RIP until the fuel is used up, a request is pending, or \`fault\` is set. */
export function interpret(): void {
  execute(0);
}

/** Executes the one instruction of a step trace: the fuel must be used up, so that no other trace is entered. */
export function executeStep(step: usize): void {
  execute(step);
}

/** Executes a record of a group outside any trace; 0: fault is set, or it is to be executed again. */
export function executeGroup(op: u32, sub: u32, pc: usize): usize {
  switch (op) {
${numbering.groups.map((g, i) => `    case ${OP_FIRST_GROUP + i}: return ${groupFunction(g)}(sub, pc);`).join("\n")}
  }
  return unreachable();
}

function execute(step: usize): void {
  const c = cpu;
  let trace: usize = 0;
  let pc: usize = 0;
  // Where the trace just left would like to note its successor.
  let link: usize = 0;
  for (;;) {
    // CPU_RIP says where to go on.
    if (link) {
      const t = farTrace(trace);
      const heat = load<u32>(t, T_VALID);
      const f = load<i64>(c, CPU_FUEL) - load<u16>(t, T_COUNT);
      if (heat > 1 && <u64>f < 0x80000000) {
        store<u32>(t, heat - 1, T_VALID);
        store<u32>(c, <u32>f, CPU_FUEL);
        store<u64>(c, load<u64>(c, CPU_RIP), CPU_TRACE_RIP);
        trace = t;
      } else trace = findTrace(link, trace);
    } else trace = step ? step : findTrace(0, 0);
    if (!trace) return;
    step = 0;
    link = 0;
    pc = trace + T_RECORDS;
    for (;;) {
    switch (load<u16>(pc, R_CASE)) {
      case ${OP_LEAVE}: {
        const slot = takeSuccessor(pc); if (!slot) break; if (!(slot & JUMPED)) { const target = load<u64>(c, CPU_RIP); const t = load<usize>(trace + slot); const heat = load<u32>(t, T_VALID); if (heat > 1) ${enter} } link = trace + slot; break;
      }
      case ${OP_NEXT}: {
        const target = load<u64>(c, CPU_TRACE_RIP) + <u64>load<i32>(pc, R_BEHIND); const t = load<usize>(trace, T_FALL); const heat = load<u32>(t, T_VALID); if (heat > 1) ${enter} store<u64>(c, target, CPU_RIP); link = trace + T_FALL; break;
      }
      case ${OP_ABANDON}: leaveTrace(trace, pc); break;
      case ${OP_SHADOW}: leaveTrace(trace, pc); castShadow(); break;
      case ${OP_FAULT}: raiseDecoded(pc); break;
${hot.join("\n")}
      default: {
        record = pc;
        const number = <u32>load<u16>(pc, R_CASE);
        const sub = number & ${CASE_GROUP - 1};
        let moved: usize = 0;
        switch (number / ${CASE_GROUP}) {
${groups.join("\n")}
          default: unreachable();
        }
        // Were the sum needed on both ways, V8 would pass it through the stack, which the next dispatch waits for.
        if (fault) { pc = record + moved; break; }
        pc += moved;
        continue;
      }
    }
    break;
    }
    if (fault) { leaveTrace(trace, pc); return; }
  }
}
`;
}
