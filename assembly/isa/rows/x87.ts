// The x87 (opcodes D8..DF and 9B) and the instructions that save and restore its state with that of SSE and AVX.
// #NM by CR0.EM and CR0.TS is decided when decoding (unit); what is left for execution is a pending #MF.
import {
  FEAT_CMOV,
  FEAT_FPU,
  FEAT_FXSR,
  FEAT_SSE3,
  FEAT_XSAVE,
  FEAT_XSAVEC,
  FEAT_XSAVEOPT,
  FEAT_XSAVES,
} from "../../features.ts";
import type { Builder, Operand } from "../builder.ts";
import type { Value } from "../micro-op.ts";
import { row } from "../row.ts";

const x87 = { group: "x87", unit: "x87", feature: FEAT_FPU } as const;
/** The operand size (2, 4 bytes) chooses between two frame layouts. */
const sized = { ...x87, widths: [16, 32, 64] as const };

const MATH_FAULT = 16;
const quiet = { faults: false } as const;
type Step = (b: Builder, ...operands: Operand[]) => void;

/** A waiting control instruction: a pending unmasked exception comes first. */
const control =
  (step: Step): Step =>
  (b, ...operands) => {
    b.guard(b.call("execute/x87/check", "isPending", [], { type: "i32", ...quiet }), MATH_FAULT);
    step(b, ...operands);
  };
/** Any other waiting instruction: once nothing can fault any more it is the last one that FNSTENV shows. */
const waiting = (step: Step): Step =>
  control((b, ...operands) => {
    step(b, ...operands);
    // The decoder puts the opcode where others have an immediate.
    const memory = operands.find((o) => o.shape === "mem");
    if (memory) b.call("execute/x87/pointers", "noteOperand", [b.about(), b.address(memory)], quiet);
    else b.call("execute/x87/pointers", "noteInstruction", [b.about()], quiet);
  });
const small = (b: Builder, value: number): Value => b.const(value, 32);
/** A call without memory or faults; numbers become constants. */
const call = (b: Builder, file: string, name: string, ...args: (Value | number)[]): void => {
  b.call(
    `execute/x87/${file}`,
    name,
    args.map((a) => (typeof a === "number" ? small(b, a) : a)),
    quiet,
  );
};
/** A sign-extended integer operand as i32. */
const integer = (b: Builder, m: Operand): Value => b.signExtend(b.read(m), m.width, 32);
/** An 80-bit operand: the low 64 bits and the upper 16. */
const eighty = (b: Builder, m: Operand): [Value, Value] => {
  const address = b.address(m, false, 10);
  return [b.load(address, 64), b.load(b.add(address, b.const(8, 64)), 16)];
};

// ---------------------------------------------------------------- arithmetic
for (const [op, name] of ["fadd", "fmul", "", "", "fsub", "fsubr", "fdiv", "fdivr"].entries()) {
  if (!name) continue;
  // With ST(i) as the destination the manual's names of the two directions change places.
  const swapped = op < 4 ? name : name.endsWith("r") ? name.slice(0, -1) : `${name}r`;
  row(
    name,
    `D8/${op} ST(i)`,
    x87,
    waiting((b, i) => call(b, "arithmetic", "arithmeticSt", op, b.index(i), 0, 0)),
  );
  row(
    `${name}_sti`,
    `DC/${op} ST(i)`,
    { ...x87, mnemonic: swapped },
    waiting((b, i) => call(b, "arithmetic", "arithmeticSt", op, b.index(i), 1, 0)),
  );
  row(
    `${name}_pop`,
    `DE/${op} ST(i)`,
    { ...x87, mnemonic: `${swapped}p` },
    waiting((b, i) => call(b, "arithmetic", "arithmeticSt", op, b.index(i), 1, 1)),
  );
  row(
    `${name}_f32`,
    `D8/${op} Md`,
    { ...x87, mnemonic: name },
    waiting((b, m) => call(b, "arithmetic", "arithmeticF32", op, b.read(m))),
  );
  row(
    `${name}_f64`,
    `DC/${op} Mq`,
    { ...x87, mnemonic: name },
    waiting((b, m) => call(b, "arithmetic", "arithmeticF64", op, b.read(m))),
  );
  const forInteger = name.replace("f", "fi");
  row(
    `${forInteger}_32`,
    `DA/${op} Md`,
    { ...x87, mnemonic: forInteger },
    waiting((b, m) => call(b, "arithmetic", "arithmeticInteger", op, integer(b, m))),
  );
  row(
    `${forInteger}_16`,
    `DE/${op} Mw`,
    { ...x87, mnemonic: forInteger },
    waiting((b, m) => call(b, "arithmetic", "arithmeticInteger", op, integer(b, m))),
  );
}

// ---------------------------------------------------------------- comparisons
for (const [pops, name] of ["fcom", "fcomp"].entries()) {
  // DC D0, DC D8 and DE D0 are undocumented aliases that silicon executes.
  const aliases = pops ? ["D8/3 ST(i)", "DC/3 ST(i)", "DE/2 ST(i)"] : ["D8/2 ST(i)", "DC/2 ST(i)"];
  row(
    name,
    aliases,
    x87,
    waiting((b, i) => call(b, "compare", "fcomSt", b.index(i), 0, pops)),
  );
  row(
    `${name}_f32`,
    `D8/${2 + pops} Md`,
    { ...x87, mnemonic: name },
    waiting((b, m) => call(b, "compare", "fcomF32", b.read(m), pops)),
  );
  row(
    `${name}_f64`,
    `DC/${2 + pops} Mq`,
    { ...x87, mnemonic: name },
    waiting((b, m) => call(b, "compare", "fcomF64", b.read(m), pops)),
  );
  const forInteger = name.replace("f", "fi");
  row(
    forInteger,
    [`DA/${2 + pops} Md`, `DE/${2 + pops} Mw`],
    x87,
    waiting((b, m) => call(b, "compare", "fcomInteger", integer(b, m), pops)),
  );
  row(
    name.replace("f", "fu"),
    `DD/${4 + pops} ST(i)`,
    x87,
    waiting((b, i) => call(b, "compare", "fcomSt", b.index(i), 1, pops)),
  );
}
row(
  "fcompp",
  "DE/3 rm=1",
  x87,
  waiting((b) => call(b, "compare", "fcomSt", 1, 0, 2)),
);
row(
  "fucompp",
  "DA/5 rm=1",
  x87,
  waiting((b) => call(b, "compare", "fcomSt", 1, 1, 2)),
);
for (const [name, opcode, silent, pops] of [
  ["fcomi", "DB/6", 0, 0],
  ["fucomi", "DB/5", 1, 0],
  ["fcomip", "DF/6", 0, 1],
  ["fucomip", "DF/5", 1, 1],
] as const) {
  row(
    name,
    `${opcode} ST(i)`,
    { ...x87, feature: FEAT_CMOV },
    waiting((b, i) => call(b, "compare", "fcomiSt", b.index(i), silent, pops)),
  );
}
for (const [digit, [condition, code]] of (
  [
    ["b", 2],
    ["e", 4],
    ["be", 6],
    ["u", 10],
  ] as const
).entries()) {
  for (const negated of [0, 1]) {
    row(
      `fcmov${negated ? "n" : ""}${condition}`,
      `${negated ? "DB" : "DA"}/${digit} ST(i)`,
      { ...x87, feature: FEAT_CMOV },
      waiting((b, i) => {
        call(b, "compare", "fcmov", b.index(i), b.condition(code + negated));
      }),
    );
  }
}
row(
  "ftst",
  "D9/4 rm=4",
  x87,
  waiting((b) => call(b, "compare", "ftst")),
);
row(
  "fxam",
  "D9/4 rm=5",
  x87,
  waiting((b) => call(b, "compare", "fxam")),
);

// ---------------------------------------------------------------- loads
row(
  "fld",
  "D9/0 ST(i)",
  x87,
  waiting((b, i) => call(b, "load", "fldSt", b.index(i))),
);
row(
  "fld_f32",
  "D9/0 Md",
  { ...x87, mnemonic: "fld" },
  waiting((b, m) => call(b, "load", "fldF32", b.read(m))),
);
row(
  "fld_f64",
  "DD/0 Mq",
  { ...x87, mnemonic: "fld" },
  waiting((b, m) => call(b, "load", "fldF64", b.read(m))),
);
row(
  "fld_f80",
  "DB/5 Mt",
  { ...x87, mnemonic: "fld" },
  waiting((b, m) => call(b, "load", "fldF80", ...eighty(b, m))),
);
row(
  "fild",
  ["DF/0 Mw", "DB/0 Md", "DF/5 Mq"],
  x87,
  waiting((b, m) => call(b, "load", "fild", b.signExtend(b.read(m), m.width, 64))),
);
row(
  "fbld",
  "DF/4 Mt",
  x87,
  waiting((b, m) => call(b, "load", "fbld", ...eighty(b, m))),
);
for (const [which, name] of ["fld1", "fldl2t", "fldl2e", "fldpi", "fldlg2", "fldln2", "fldz"].entries()) {
  row(
    name,
    `D9/5 rm=${which}`,
    x87,
    waiting((b) => call(b, "load", "fldConstant", which)),
  );
}

// ---------------------------------------------------------------- stores
/** Computes, writes `width` bits to memory where an exception does not forbid it, then reports and pops. */
const store = (prepare: string, args: readonly number[], width: 16 | 32 | 64, pops: number): Step =>
  waiting((b, m) => {
    const address = b.address(m, true);
    const ready = b.call(
      "execute/x87/store",
      prepare,
      args.map((a) => small(b, a)),
      { type: "i32", ...quiet },
    );
    b.when(ready, () => {
      const value = b.call("execute/x87/store", "storedLow", [], { type: "i64", ...quiet });
      b.store(address, width === 64 ? value : b.unary("wrap", value), width);
    });
    b.when(b.eqz(ready), () => void b.call("execute/x87/store-memory", "probeStore", [address, small(b, width / 8)]));
    call(b, "store", "storeDone", pops);
  });
/** The same for ten bytes, which may lie in two pages. */
const storeTen = (prepare: string): Step =>
  waiting((b, m) => {
    const address = b.address(m, true, 10);
    const ready = b.call("execute/x87/store", prepare, [], { type: "i32", ...quiet });
    b.when(ready, () => void b.call("execute/x87/store-memory", "storeTen", [address]));
    b.when(b.eqz(ready), () => void b.call("execute/x87/store-memory", "probeStore", [address, small(b, 10)]));
    call(b, "store", "storeDone", 1);
  });
for (const [pops, suffix] of ["", "p"].entries()) {
  row(`fst${suffix}_f32`, `D9/${2 + pops} Md`, { ...x87, mnemonic: `fst${suffix}` }, store("storeF32", [], 32, pops));
  row(`fst${suffix}_f64`, `DD/${2 + pops} Mq`, { ...x87, mnemonic: `fst${suffix}` }, store("storeF64", [], 64, pops));
  row(
    `fist${suffix}_16`,
    `DF/${2 + pops} Mw`,
    { ...x87, mnemonic: `fist${suffix}` },
    store("storeInteger", [16, 0], 16, pops),
  );
  row(
    `fist${suffix}_32`,
    `DB/${2 + pops} Md`,
    { ...x87, mnemonic: `fist${suffix}` },
    store("storeInteger", [32, 0], 32, pops),
  );
}
row("fistp_64", "DF/7 Mq", { ...x87, mnemonic: "fistp" }, store("storeInteger", [64, 0], 64, 1));
for (const [width, form] of [
  [16, "DF/1 Mw"],
  [32, "DB/1 Md"],
  [64, "DD/1 Mq"],
] as const) {
  row(
    `fisttp_${width}`,
    form,
    { ...x87, feature: FEAT_SSE3, mnemonic: "fisttp" },
    store("storeInteger", [width, 1], width, 1),
  );
}
row("fstp_f80", "DB/7 Mt", { ...x87, mnemonic: "fstp" }, storeTen("storeF80"));
row("fbstp", "DF/6 Mt", x87, storeTen("storeDecimal"));
row(
  "fst",
  "DD/2 ST(i)",
  x87,
  waiting((b, i) => call(b, "store", "fstSt", b.index(i), 0)),
);
// D9 D8, DF D0 and DF D8 are undocumented aliases, as are DD C8 and DF C8 of FXCH.
row(
  "fstpnce",
  "D9/3 ST(i)",
  x87,
  waiting((b, i) => call(b, "store", "fstpnce", b.index(i))),
);
row(
  "fstp",
  ["DD/3 ST(i)", "DF/2 ST(i)", "DF/3 ST(i)"],
  x87,
  waiting((b, i) => call(b, "store", "fstSt", b.index(i), 1)),
);
row(
  "ffree",
  "DD/0 ST(i)",
  x87,
  waiting((b, i) => call(b, "store", "ffree", b.index(i), 0)),
);
row(
  "ffreep",
  "DF/0 ST(i)",
  x87,
  waiting((b, i) => call(b, "store", "ffree", b.index(i), 1)),
);
row(
  "fxch",
  ["D9/1 ST(i)", "DD/1 ST(i)", "DF/1 ST(i)"],
  x87,
  waiting((b, i) => call(b, "stack", "fxch", b.index(i))),
);

// ---------------------------------------------------------------- ST0 and ST1
for (const [name, digit, rm] of [
  ["fchs", 4, 0],
  ["fabs", 4, 1],
  ["fxtract", 6, 4],
  ["fsqrt", 7, 2],
  ["frndint", 7, 4],
  ["fscale", 7, 5],
] as const) {
  row(
    name,
    `D9/${digit} rm=${rm}`,
    x87,
    waiting((b) => call(b, "unary", name)),
  );
}
row(
  "fprem",
  "D9/7 rm=0",
  x87,
  waiting((b) => call(b, "unary", "fprem", 0)),
);
row(
  "fprem1",
  "D9/6 rm=5",
  x87,
  waiting((b) => call(b, "unary", "fprem", 1)),
);
for (const [name, digit, rm] of [
  ["f2xm1", 6, 0],
  ["fyl2x", 6, 1],
  ["fptan", 6, 2],
  ["fpatan", 6, 3],
  ["fyl2xp1", 7, 1],
  ["fsincos", 7, 3],
  ["fsin", 7, 6],
  ["fcos", 7, 7],
] as const) {
  row(
    name,
    `D9/${digit} rm=${rm}`,
    x87,
    waiting((b) => call(b, "transcendental", name)),
  );
}

// ---------------------------------------------------------------- control
row(
  "fnop",
  "D9/2 rm=0",
  x87,
  waiting(() => {}),
);
row(
  "fdecstp",
  "D9/6 rm=6",
  x87,
  waiting((b) => call(b, "stack", "moveTop", -1)),
);
row(
  "fincstp",
  "D9/6 rm=7",
  x87,
  waiting((b) => call(b, "stack", "moveTop", 1)),
);
row("fninit", "DB/4 rm=3", x87, (b) => call(b, "stack", "fninit"));
row("fnclex", "DB/4 rm=2", x87, (b) => call(b, "stack", "fnclex"));
// FNENI, FNDISI and FNSETPM of the 8087 and 80287 do nothing since the 387.
row("fneni", ["DB/4 rm=0", "DB/4 rm=1", "DB/4 rm=4"], x87, () => {});
row(
  "fldcw",
  "D9/5 Mw",
  x87,
  control((b, m) => call(b, "stack", "fldcw", b.zeroExtend(b.read(m), 16, 32))),
);
row("fnstcw", "D9/7 Mw", x87, (b, m) => b.write(m, b.call("execute/x87/state", "fcw", [], { type: "i32", ...quiet })));
row("fnstsw", "DD/7 Mw", x87, (b, m) =>
  b.write(m, b.call("execute/x87/state", "statusWord", [], { type: "i32", ...quiet })),
);
row("fnstsw_ax", "DF/4 rm=0", { ...x87, mnemonic: "fnstsw" }, (b) =>
  b.put({ register: 0, width: 16 }, b.call("execute/x87/state", "statusWord", [], { type: "i32", ...quiet })),
);
row(
  "wait",
  "9B nomodrm",
  { group: "x87", feature: FEAT_FPU },
  (b) => void b.call("execute/x87/check", "checkWait", []),
);
for (const [name, form, waits, store80, bytes] of [
  ["fldenv", "D9/4 M", true, false, 28],
  ["fnstenv", "D9/6 M", false, true, 28],
  ["frstor", "DD/4 M", true, false, 108],
  ["fnsave", "DD/6 M", false, true, 108],
] as const) {
  const step: Step = (b, m) => {
    const size = b.width === 16 ? 2 : 4;
    b.call("execute/x87/environment", name, [b.address(m, store80, size === 2 ? bytes - 14 : bytes), small(b, size)]);
  };
  row(name, form, sized, waits ? control(step) : step);
}

// ---------------------------------------------------------------- whole state
for (const [name, form, feature, write] of [
  ["fxsave", "NP 0F AE/0 M", FEAT_FXSR, true],
  ["fxrstor", "NP 0F AE/1 M", FEAT_FXSR, false],
  ["xsave", "NP 0F AE/4 M", FEAT_XSAVE, true],
  ["xrstor", "NP 0F AE/5 M", FEAT_XSAVE, false],
  ["xsaveopt", "NP 0F AE/6 M", FEAT_XSAVEOPT, true],
  ["xrstors", "NP 0F C7/3 M", FEAT_XSAVES, false],
  ["xsavec", "NP 0F C7/4 M", FEAT_XSAVEC, true],
  ["xsaves", "NP 0F C7/5 M", FEAT_XSAVES, true],
] as const) {
  row(name, form, { group: "x87", feature, widths: [16, 32, 64] }, (b, m) => {
    const address = b.address(m, write, name.startsWith("fx") ? 512 : 576);
    const wide = small(b, b.width === 64 ? 1 : 0);
    if (name.startsWith("fx")) b.call("execute/fxsave", name, [address, wide]);
    else if (name.startsWith("xsave") && name !== "xsavec" && name !== "xsaves")
      b.call("execute/xsave", "xsave", [address, wide, small(b, name === "xsaveopt" ? 1 : 0)]);
    else b.call("execute/xsave", name, [address, wide]);
  });
}

// Encodings without a meaning are #UD only once the whole instruction has been fetched.
row("x87_reserved", ["D9/1 M", "DB/4 M", "DB/6 M", "DD/5 M"], { group: "x87", mnemonic: "(bad)" }, (b) =>
  b.guard(small(b, 1), 6),
);
