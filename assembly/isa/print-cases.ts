// Prints the table for the TypeScript core (host/core-ts): a function a case, and the loop that calls them, in the
// language of assembly/, from which its compiler goes on. Modules that only the interpreter of core.wasm needs are
// replaced by these.
import { type Frame, Printer } from "./print-assemblyscript.ts";
import { printTables } from "./print-decoder.ts";
import { importLines, number, OP_FIRST_GROUP, prologue } from "./print-interpreter.ts";
import { rows } from "./table.ts";
import { allVariants, type Variant, variantsOf } from "./variant.ts";

/** Goes on with a trace that follows on the same page, or notes where its address is to be linked. */
const FOLLOW = `
let trace: usize = 0;
/** Where the trace just left would like to note its successor. */
let link: usize = 0;

/** Enters the trace linked in \`slot\`: its first record; 0: the loop has to look for the address \`target\`. */
function follow(target: u64, slot: usize): usize {
  const t = load<usize>(trace + slot);
  if (load<u32>(t, T_VALID)) {
    const f = load<i64>(cpu, CPU_FUEL) - load<u16>(t, T_COUNT);
    if (<u64>f < 0x80000000) {
      store<u32>(cpu, <u32>f, CPU_FUEL);
      trace = t;
      store<u64>(cpu, target, CPU_TRACE_RIP);
      return t + T_RECORDS;
    }
  }
  store<u64>(cpu, target, CPU_RIP);
  link = trace + slot;
  return 0;
}

export function case_leave(pc: usize): usize { return 0; }
export function case_next(pc: usize): usize { return follow(load<u64>(cpu, CPU_TRACE_RIP) + <u64>load<i32>(pc, R_BEHIND), T_FALL); }
export function case_abandon(pc: usize): usize { leaveTrace(trace, pc); return 0; }
export function case_shadow(pc: usize): usize { leaveTrace(trace, pc); castShadow(); return 0; }
export function case_fault(pc: usize): usize { raiseDecoded(pc); return 0; }
`;

const LOOP = `
/** Executes traces from CPU_RIP until the fuel is used up, a request is pending, or \`fault\` is set. */
export function interpret(): void {
  execute(0);
}

/** Executes the one instruction of a step trace: the fuel must be used up, so that no other trace is entered. */
export function executeStep(step: usize): void {
  execute(step);
}

function execute(first: usize): void {
  let step: usize = first;
  for (;;) {
    trace = step ? step : findTrace(link, 0);
    step = 0;
    link = 0;
    if (!trace) return;
    let pc: usize = trace + T_RECORDS;
    let next: usize = pc;
    while (next) {
      pc = next;
      next = $handler(load<u16>(pc, R_CASE), pc);
    }
    if (fault) {
      leaveTrace(trace, pc);
      link = 0;
      return;
    }
  }
}
`;

const HOT: Frame = {
  fail: "return 0;",
  retry: "return pc;",
  branch: (condition) => {
    const next = "load<u64>(c, CPU_TRACE_RIP) + <u64>load<i32>(pc, R_BEHIND)";
    const taken = `return follow(${next} + <u64>load<i32>(pc, R_IMM), T_TAKEN);`;
    return condition ? `if (${condition}) ${taken} return follow(${next}, T_FALL);` : taken;
  },
  jump: (target) => `store<u64>(c, ${target}, CPU_RIP); return 0;`,
};
const COLD: Frame = {
  fail: "return 0;",
  retry: "return pc;",
  branch: (condition, width) => `branchNear(pc, ${condition ?? 1}, ${width}); if (fault) return 0;`,
  jump: (target, width) => `jumpNear(<u64>${target}, ${width});`,
};

/** Texts by module path: the cases, and the decoder's tables with a number for each of them. */
export function printCases(): ReadonlyMap<string, string> {
  for (const row of rows) for (const form of row.forms) variantsOf(row, form);
  const numbering = number();
  const variants = allVariants();
  const isHot = new Set(numbering.hot);
  const printers = { hot: new Printer(HOT), cold: new Printer(COLD) };
  const body = (v: Variant): string => {
    const last = v.steps.at(-1)?.op;
    const transfers = last === "branch" || last === "jump";
    if (!isHot.has(v) || (transfers && v.width !== 64))
      return `setRecord(pc); ${prologue(v, "c")}${printers.cold.body(v)} return pc + RECORD_SIZE;`;
    const tail = transfers ? "" : " return pc + RECORD_SIZE;";
    return `${prologue(v, "c")}${printers.hot.body(v)}${tail}`;
  };
  const name = (v: Variant): string => `case_${v.key.replaceAll(/\W/g, "_")}`;
  const names = new Set(variants.map(name));
  if (names.size !== variants.length) throw new Error("two cases have one name");
  const functions = variants.map((v) => `export function ${name(v)}(pc: usize): usize { const c = cpu; ${body(v)} }`);
  const imports = importLines([printers.hot, printers.cold], {
    cpu: ["cpu", "fault"],
    "decode/record": [
      "RECORD_SIZE",
      "R_BEHIND",
      "R_CASE",
      "R_IMM",
      "setRecord",
      "nextRip",
      "ripBehind",
      "T_COUNT",
      "T_FALL",
      "T_RECORDS",
      "T_TAKEN",
      "T_VALID",
    ],
    "decode/dispatch": ["findTrace", "leaveTrace", "raiseDecoded"],
    "execute/push-pop": ["branchNear", "jumpNear"],
    "execute/interrupt-flag": ["castShadow"],
    layout: ["CPU_FUEL", "CPU_RIP", "CPU_TRACE_RIP"],
  });
  // The handlers' table has the special cases first, then the variants in this order.
  const opOf = new Map(variants.map((v, i) => [v.key, OP_FIRST_GROUP + i]));
  return new Map([
    ["generated/cases", `${imports}\n${FOLLOW}${LOOP}${functions.join("\n")}\n`],
    ["generated/interpret", 'export { executeStep, interpret } from "./cases";\n'],
    ["generated/opcodes", printTables(rows, { ...numbering, groups: [], opOf })],
  ]);
}
