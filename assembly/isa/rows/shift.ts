// Shifts, rotates, bit tests, bit scans and counts, BMI.
import { FEAT_ABM, FEAT_BMI1, FEAT_BMI2, FEAT_POPCNT, FEAT_SSE42 } from "../../features.ts";
import type { Builder, Operand } from "../builder.ts";
import type { Value, Width } from "../micro-op.ts";
import { row } from "../row.ts";


const formsOf = (digit: number): string[] => [`C0/${digit} Eb,Ib`, `C1/${digit} Ev,Ib`, `D0/${digit} Eb,1`, `D1/${digit} Ev,1`, `D2/${digit} Eb,CL`, `D3/${digit} Ev,CL`];

/** The count as the processor takes it: five bits, six for 64-bit operands. */
function countOf(b: Builder, s: Operand): Value {
  const count = b.and(b.zeroExtend(b.read(s), 8, 32), b.const(b.width === 64 ? 63 : 31, 32));
  return b.zeroExtend(count, 32, b.width);
}

function isSet(b: Builder, value: Value): Value {
  return b.ne(value, b.const(0));
}

// SHL also answers to /6, as on every processor.
row("shl", [...formsOf(4), ...formsOf(6)], { group: "shift" }, (b, d, s) => {
  const x = b.modify(d);
  const count = countOf(b, s);
  const r = b.shl(x, count);
  b.write(d, r);
  b.when(isSet(b, count), () => b.flags("shl", r, b.shl(x, b.sub(count, b.const(1)))));
});
row("shr", formsOf(5), { group: "shift" }, (b, d, s) => {
  const x = b.modify(d);
  const count = countOf(b, s);
  const r = b.shrU(x, count);
  b.write(d, r);
  b.when(isSet(b, count), () => b.flags("shr", r, b.shrU(x, b.sub(count, b.const(1)))));
});
row("sar", formsOf(7), { group: "shift" }, (b, d, s) => {
  const x = b.signExtend(b.modify(d), b.width, b.width === 64 ? 64 : 32);
  const count = countOf(b, s);
  const r = b.shrS(x, count);
  b.write(d, r);
  b.when(isSet(b, count), () => b.flags("shr", r, b.shrS(x, b.sub(count, b.const(1)))));
});

for (const [name, digit] of [["rol", 0], ["ror", 1]] as const) {
  row(name, formsOf(digit), { group: "shift" }, (b, d, s) => {
    const x = b.modify(d);
    const count = countOf(b, s);
    const wide = b.width >= 32;
    const r = wide
      ? b.binary(name === "rol" ? "rotl" : "rotr", x, count)
      : b.call("execute/shift", `${name}${b.width}`, [x, count], { type: "i32", faults: false });
    b.write(d, r);
    b.when(isSet(b, count), () => rotateFlags(b, name, r));
  });
}
/** CF is the bit that came in last, at the bottom or at the top; OF is the top bit against CF, or the two top bits against
 * each other. The other flags stay. */
function rotateFlags(b: Builder, name: "rol" | "ror", r: Value): void {
  const top = (): Value => b.shrU(r, b.const(b.width - 1));
  const low = (): Value => b.and(r, b.const(1));
  const below = (): Value => b.and(b.shrU(r, b.const(b.width - 2)), b.const(1));
  setCarryOverflow(b, name === "rol" ? low() : top(), b.xor(top(), name === "rol" ? low() : below()));
}
/** CF and OF become these, 0 or 1; the other flags stay. */
function setCarryOverflow(b: Builder, carry: Value, overflow: Value): void {
  b.call("execute/flags", "setCarryOverflow", [b.zeroExtend(carry, b.width, 32), b.zeroExtend(overflow, b.width, 32)], { faults: false });
}
// Rotates through carry read CF before the helper changes it, and write the result before it does.
for (const [name, digit] of [["rcl", 2], ["rcr", 3]] as const) {
  row(name, formsOf(digit), { group: "shift" }, (b, d, s) => {
    const x = b.modify(d);
    const count = countOf(b, s);
    b.write(d, b.call("execute/shift", `${name}${b.width}`, [x, count], { type: b.typeOf(b.width), faults: false }));
    b.call("execute/shift", `${name}Flags${b.width}`, [x, count], { faults: false });
  });
}

for (const [name, opcode] of [["shld", "A4"], ["shrd", "AC"]] as const) {
  const byCl = opcode === "A4" ? "A5" : "AD";
  row(name, [`0F ${opcode} Ev,Gv,Ib`, `0F ${byCl} Ev,Gv,CL`], { group: "shift" }, (b, d, s, c) => {
    const x = b.modify(d);
    const y = b.read(s);
    const count = countOf(b, c);
    b.write(d, b.call("execute/shift", `${name}${b.width}`, [x, y, count], { type: b.typeOf(b.width), faults: false }));
    b.when(isSet(b, count), () => b.call("execute/shift", `${name}Flags${b.width}`, [x, y, count], { faults: false }));
  });
}

// ---------------------------------------------------------------- bit tests
/** The carry becomes the bit, and OF, which is undefined, zero; ZF stays. change: what happens to the bit. */
function bitTest(name: string, opcode: string, digit: number, change?: (b: Builder, x: Value, mask: Value) => Value): void {
  const body = (b: Builder, d: Operand, s: Operand): void => {
    const bit = b.and(b.read(s), b.const(b.width - 1));
    const x = change ? b.modify(d) : b.read(d);
    if (change) b.write(d, change(b, x, b.shl(b.const(1), bit)));
    const carry = b.and(b.shrU(x, bit), b.const(1));
    setCarryOverflow(b, carry, b.const(0));
  };
  const lock = change !== undefined;
  row(`${name}i`, `0F BA/${digit} Ev,Ib`, { lock, group: "bit", mnemonic: name }, (b, d, s) => body(b, d, { ...s, width: b.width }));
  row(name, `0F ${opcode} Ev,Gv`, { lock, group: "bit" }, (b, d, s) => {
    if (d.shape === "mem") {
      // A register bit index reaches beyond the operand, in both directions.
      const index = b.signExtend(b.read(s), b.width, 64);
      const log = b.width === 64 ? 6 : b.width === 32 ? 5 : 4;
      const delta = b.mul(b.shrS(index, b.const(log, 64)), b.const(b.width / 8, 64));
      b.addressPlus(d, delta, lock);
    }
    body(b, d, s);
  });
}
bitTest("bt", "A3", 4);
bitTest("bts", "AB", 5, (b, x, mask) => b.or(x, mask));
bitTest("btr", "B3", 6, (b, x, mask) => b.and(x, b.xor(mask, b.const(-1))));
bitTest("btc", "BB", 7, (b, x, mask) => b.xor(x, mask));

// ---------------------------------------------------------------- scans and counts
for (const [name, opcode] of [["bsf", "BC"], ["bsr", "BD"]] as const) {
  row(name, `0F ${opcode} Gv,Ev`, { group: "bit" }, (b, d, s) => {
    const x = b.read(s);
    b.flags("scan", x);
    // All 64 bits of the destination stay as they are for a zero source.
    b.when(isSet(b, x), () => b.write(d, name === "bsf" ? b.unary("ctz", x) : b.sub(b.const(b.width === 64 ? 63 : 31), b.unary("clz", x))));
  });
}
for (const [name, opcode, feature] of [["tzcnt", "BC", FEAT_BMI1], ["lzcnt", "BD", FEAT_ABM]] as const) {
  row(name, `F3 0F ${opcode} Gv,Ev`, { group: "bit", feature }, (b, d, s) => {
    const x = b.read(s);
    // 16 bits are counted among 32: a bit above them ends the count from below.
    const r = b.width !== 16 ? b.unary(name === "tzcnt" ? "ctz" : "clz", x)
      : name === "tzcnt" ? b.unary("ctz", b.or(x, b.const(1 << 16, 32))) : b.sub(b.unary("clz", x), b.const(16));
    b.write(d, r);
    b.flags("count", r, b.zeroExtend(b.eqz(x), 32, b.width));
  });
}
row("popcnt", "F3 0F B8 Gv,Ev", { group: "bit", feature: FEAT_POPCNT }, (b, d, s) => {
  const x = b.read(s);
  b.write(d, b.unary("popcnt", x));
  // ZF as in RFLAGS; the others are cleared.
  b.setStatusFlags(b.shl(b.eqz(x), b.const(6, 32)));
});

row("crc32b", "F2 0F38 F0 Gy,Eb", { group: "bit", feature: FEAT_SSE42, mnemonic: "crc32", widths: [16, 32, 64] }, (b, d, s) => crc(b, d, s, 8));
row("crc32", "F2 0F38 F1 Gy,Ev", { group: "bit", feature: FEAT_SSE42, widths: [16, 32, 64] }, (b, d, s) => crc(b, d, s, b.width));
function crc(b: Builder, d: Operand, s: Operand, width: Width): void {
  // The destination is 32 bits wide, or 64 with REX.W; an operand-size prefix narrows only the source.
  const target: Operand = { ...d, width: 32 };
  const r = b.call("execute/bits", `crc32_${width}`, [b.read(target), b.read(s)], { type: "i32", faults: false });
  if (b.width === 64) b.write({ ...d, width: 64 }, b.zeroExtend(r, 32, 64));
  else b.write(target, r);
}

// ---------------------------------------------------------------- BMI1, BMI2
const bmi = (name: string, form: string, feature: number, body: (b: Builder, d: Operand, x: Operand, y: Operand) => void): void => row(name, form, { group: "bit", feature }, body);
const helper = (b: Builder, name: string, ...args: Value[]): Value => b.call("execute/bits", `${name}${b.width}`, args, { type: b.typeOf(b.width), faults: false });

bmi("andn", "VEX NP 0F38 F2 Gy,By,Ey l0", FEAT_BMI1, (b, d, x, y) => {
  const r = b.and(b.xor(b.read(x), b.const(-1)), b.read(y));
  b.write(d, r);
  b.flags("logic", r);
});
bmi("bextr", "VEX NP 0F38 F7 Gy,Ey,By l0", FEAT_BMI1, (b, d, x, y) => {
  const r = helper(b, "bextr", b.read(x), b.read(y));
  b.write(d, r);
  b.flags("logic", r);
});
for (const [name, digit] of [["blsr", 1], ["blsmsk", 2], ["blsi", 3]] as const) {
  bmi(name, `VEX NP 0F38 F3/${digit} By,Ey l0`, FEAT_BMI1, (b, d, s) => b.write(d, helper(b, name, b.read(s))));
}
bmi("bzhi", "VEX NP 0F38 F5 Gy,Ey,By l0", FEAT_BMI2, (b, d, x, y) => b.write(d, helper(b, "bzhi", b.read(x), b.read(y))));
bmi("pdep", "VEX F2 0F38 F5 Gy,By,Ey l0", FEAT_BMI2, (b, d, x, y) => b.write(d, helper(b, "pdep", b.read(x), b.read(y))));
bmi("pext", "VEX F3 0F38 F5 Gy,By,Ey l0", FEAT_BMI2, (b, d, x, y) => b.write(d, helper(b, "pext", b.read(x), b.read(y))));
bmi("mulx", "VEX F2 0F38 F6 Gy,By,Ey l0", FEAT_BMI2, (b, d, low, s) => {
  const x = b.get({ register: 2, width: b.width });
  const y = b.read(s);
  const high = b.width === 64
    ? b.call("execute/integer", "mulHighUnsigned", [x, y], { type: "i64", faults: false })
    : b.unary("wrap", b.shrU(b.mul(b.zeroExtend(x, 32, 64), b.zeroExtend(y, 32, 64)), b.const(32, 64)));
  // The high half wins where both destinations are one register.
  b.write(low, b.mul(x, y));
  b.write(d, high);
});
bmi("rorx", "VEX F2 0F3A F0 Gy,Ey,Ib l0", FEAT_BMI2, (b, d, s, i) => {
  const count = b.and(b.zeroExtend(b.read({ ...i, width: 8 }), 8, b.width), b.const(b.width - 1));
  b.write(d, b.binary("rotr", b.read(s), count));
});
for (const [name, prefix, op] of [["shlx", "66", "shl"], ["sarx", "F3", "shr_s"], ["shrx", "F2", "shr_u"]] as const) {
  bmi(name, `VEX ${prefix} 0F38 F7 Gy,Ey,By l0`, FEAT_BMI2, (b, d, s, c) => b.write(d, b.binary(op, b.read(s), b.and(b.read(c), b.const(b.width - 1)))));
}
