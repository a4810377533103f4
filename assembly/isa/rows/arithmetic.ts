// Integer arithmetic and logic: SDM volume 2, ADD ADC SUB SBB AND OR XOR CMP TEST INC DEC NEG NOT MUL IMUL DIV IDIV, ADX, decimal.
import { FEAT_ADX } from "../../features.ts";
import { type Builder, type Operand, RAX, RDX } from "../builder.ts";
import type { Value } from "../micro-op.ts";
import { row } from "../row.ts";

type Compute = (b: Builder, x: Value, y: Value) => Value;

/** Writes the result, then notes the flags: a write that faults must leave them alone. */
function twoOperand(name: string, digit: number, compute: Compute, flags: (b: Builder, x: Value, y: Value, r: Value) => void): void {
  const hex = (n: number): string => (digit * 8 + n).toString(16).toUpperCase().padStart(2, "0");
  const writes = name !== "cmp";
  row(
    name,
    [
      `${hex(0)} Eb,Gb`, `${hex(1)} Ev,Gv`, `${hex(2)} Gb,Eb`, `${hex(3)} Gv,Ev`, `${hex(4)} AL,Ib`, `${hex(5)} rAX,Iz`,
      `80/${digit} Eb,Ib`, `81/${digit} Ev,Iz`, `83/${digit} Ev,Is`, `82/${digit} Eb,Ib i64`,
    ],
    { lock: writes, group: "alu" },
    (b, d, s) => {
      const x = writes ? b.modify(d) : b.read(d);
      const y = b.read(s);
      const r = compute(b, x, y);
      if (writes) b.write(d, r);
      flags(b, x, y, r);
    },
  );
}

const logicFlags = (b: Builder, _x: Value, _y: Value, r: Value): void => b.flags("logic", r);
const addCarry = (b: Builder, x: Value, y: Value): Value => b.add(b.add(x, y), widen(b, b.carry()));
const subBorrow = (b: Builder, x: Value, y: Value): Value => b.sub(b.sub(x, y), widen(b, b.carry()));

function widen(b: Builder, bit: Value): Value {
  return b.zeroExtend(bit, 32, b.width);
}

twoOperand("add", 0, (b, x, y) => b.add(x, y), (b, _x, y, r) => b.flags("add", r, y));
twoOperand("or", 1, (b, x, y) => b.or(x, y), logicFlags);
twoOperand("and", 4, (b, x, y) => b.and(x, y), logicFlags);
twoOperand("sub", 5, (b, x, y) => b.sub(x, y), (b, x, y) => b.flags("sub", x, y));
twoOperand("xor", 6, (b, x, y) => b.xor(x, y), logicFlags);
twoOperand("cmp", 7, (_b, x) => x, (b, x, y) => b.flags("sub", x, y));
// The carry is read before the flags are noted; adc1/sbb1 differ from add/sub only where it was set.
twoOperand("adc", 2, addCarry, (b, _x, y, r) => {
  const carry = b.carry();
  b.flags("add", r, y);
  b.when(carry, () => b.flags("adc1", r, y));
});
twoOperand("sbb", 3, subBorrow, (b, x, y) => {
  const borrow = b.carry();
  b.flags("sub", x, y);
  b.when(borrow, () => b.flags("sbb1", x, y));
});

row("test", ["84 Eb,Gb", "85 Ev,Gv", "A8 AL,Ib", "A9 rAX,Iz", "F6/0 Eb,Ib", "F7/0 Ev,Iz", "F6/1 Eb,Ib", "F7/1 Ev,Iz"], { group: "alu" }, (b, d, s) => {
  b.flags("logic", b.and(b.read(d), b.read(s)));
});

row("inc", ["40+r Zv i64", "FE/0 Eb", "FF/0 Ev"], { lock: true, group: "alu" }, (b, d) => {
  const carry = b.carry();
  const r = b.add(b.modify(d), b.const(1));
  b.write(d, r);
  b.flags("inc", r, widen(b, carry));
});

row("dec", ["48+r Zv i64", "FE/1 Eb", "FF/1 Ev"], { lock: true, group: "alu" }, (b, d) => {
  const carry = b.carry();
  const r = b.sub(b.modify(d), b.const(1));
  b.write(d, r);
  b.flags("dec", r, widen(b, carry));
});

row("not", ["F6/2 Eb", "F7/2 Ev"], { lock: true, group: "alu" }, (b, d) => {
  b.write(d, b.xor(b.modify(d), b.const(-1)));
});

row("neg", ["F6/3 Eb", "F7/3 Ev"], { lock: true, group: "alu" }, (b, d) => {
  const x = b.modify(d);
  const zero = b.const(0);
  b.write(d, b.sub(zero, x));
  b.flags("sub", zero, x);
});

// ---------------------------------------------------------------- multiply and divide
const accumulator = (b: Builder, register: number, high = false): { register: number; width: Builder["width"]; high: boolean } => ({ register, width: b.width, high });

function wideMultiply(name: string, digit: number, signed: boolean): void {
  row(name, [`F6/${digit} Eb`, `F7/${digit} Ev`], { group: "integer" }, (b, s) => {
    const x = b.get(accumulator(b, RAX));
    const y = b.read(s);
    if (b.width === 64) {
      const low = b.mul(x, y);
      const high = b.call("execute/integer", signed ? "mulHighSigned" : "mulHighUnsigned", [x, y], { type: "i64", faults: false });
      b.put(accumulator(b, RAX), low);
      b.put(accumulator(b, RDX), high);
      const overflow = signed ? b.ne(high, b.shrS(low, b.const(63))) : b.ne(high, b.const(0));
      b.flags("mul", low, widen(b, overflow));
      return;
    }
    const extend = (v: Value): Value => (signed ? b.signExtend(v, b.width, 64) : b.zeroExtend(v, b.width, 64));
    const product = b.mul(extend(x), extend(y));
    const low = b.unary("wrap", product);
    if (b.width === 8) b.put({ register: RAX, width: 16 }, low);
    else {
      b.put(accumulator(b, RAX), low);
      b.put(accumulator(b, RDX), b.unary("wrap", b.shrU(product, b.const(b.width, 64))));
    }
    b.flags("mul", low, b.ne(extend(low), product));
  });
}
wideMultiply("mul", 4, false);
wideMultiply("imul1", 5, true);

/** d = x * y, CF and OF where the product does not fit. */
function shortMultiply(b: Builder, d: Operand, x: Value, y: Value): void {
  if (b.width === 64) {
    const low = b.mul(x, y);
    const high = b.call("execute/integer", "mulHighSigned", [x, y], { type: "i64", faults: false });
    b.write(d, low);
    b.flags("mul", low, widen(b, b.ne(high, b.shrS(low, b.const(63)))));
    return;
  }
  const product = b.mul(b.signExtend(x, b.width, 64), b.signExtend(y, b.width, 64));
  const low = b.unary("wrap", product);
  b.write(d, low);
  b.flags("mul", low, b.ne(b.signExtend(low, b.width, 64), product));
}
row("imul", "0F AF Gv,Ev", { group: "integer" }, (b, d, s) => shortMultiply(b, d, b.read(d), b.read(s)));
row("imul3", ["69 Gv,Ev,Iz", "6B Gv,Ev,Is"], { group: "integer", mnemonic: "imul" }, (b, d, s, i) => shortMultiply(b, d, b.read(s), b.read(i)));

/** What is as wide as the quotient and not by zero is divided in place; the helper does the rest, and raises #DE. */
row("div", ["F6/6 Eb", "F7/6 Ev"], { group: "integer" }, (b, s) => {
  const divisor = b.read(s);
  const helper = (): void => void b.call("execute/integer", `divide${b.width}`, [divisor]);
  if (b.width < 32) return helper();
  const low = b.get(accumulator(b, RAX));
  const high = b.get(accumulator(b, RDX));
  const wide = b.width === 64;
  const plain = wide ? b.and(b.eqz(high), b.ne(divisor, b.const(0))) : b.binary("lt_u", high, divisor);
  b.when(plain, () => {
    const by = b.zeroExtend(divisor, b.width, 64);
    const dividend = wide ? low : b.or(b.zeroExtend(low, 32, 64), b.shl(b.zeroExtend(high, 32, 64), b.const(32, 64)));
    const quotient = b.binary("div_u", dividend, by);
    const remainder = b.sub(dividend, b.mul(quotient, by));
    b.put(accumulator(b, RAX), b.zeroExtend(quotient, 64, b.width));
    b.put(accumulator(b, RDX), b.zeroExtend(remainder, 64, b.width));
  });
  b.when(b.eqz(plain), helper);
});
row("idiv", ["F6/7 Eb", "F7/7 Ev"], { group: "integer" }, (b, s) => void b.call("execute/integer", `divideSigned${b.width}`, [b.read(s)]));

// ---------------------------------------------------------------- ADX: one carry chain in CF, one in OF
row("adcx", "66 0F38 F6 Gy,Ey", { group: "integer", feature: FEAT_ADX }, (b, d, s) => {
  const r = b.call("execute/integer", `adcx${b.width}`, [b.read(d), b.read(s)], { type: b.typeOf(b.width), faults: false });
  b.write(d, r);
});
row("adox", "F3 0F38 F6 Gy,Ey", { group: "integer", feature: FEAT_ADX }, (b, d, s) => {
  const r = b.call("execute/integer", `adox${b.width}`, [b.read(d), b.read(s)], { type: b.typeOf(b.width), faults: false });
  b.write(d, r);
});

// ---------------------------------------------------------------- decimal adjustment, absent from 64-bit code
for (const [name, form] of [["daa", "27 i64"], ["das", "2F i64"], ["aaa", "37 i64"], ["aas", "3F i64"]] as const) {
  row(name, form, { group: "integer" }, (b) => void b.call("execute/decimal", name, [], { faults: false }));
}
row("aam", "D4 Ib i64", { group: "integer" }, (b, i) => void b.call("execute/decimal", "aam", [b.read(i)]));
row("aad", "D5 Ib i64", { group: "integer" }, (b, i) => void b.call("execute/decimal", "aad", [b.read(i)], { faults: false }));
