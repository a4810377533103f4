// Data movement: MOV and its extensions, XCHG, XADD, CMPXCHG, LEA, CMOVcc, SETcc, BSWAP, MOVBE, XLAT, sign extension of the accumulator.
import { FEAT_CMOV, FEAT_CX8, FEAT_CX16, FEAT_MOVBE } from "../../features.ts";
import { type Builder, RAX, RDX } from "../builder.ts";
import type { Value, Width } from "../micro-op.ts";
import { row } from "../row.ts";

export const CONDITIONS = ["o", "no", "b", "nb", "z", "nz", "be", "nbe", "s", "ns", "p", "np", "l", "nl", "le", "nle"] as const;

row(
  "mov",
  ["88 Eb,Gb", "89 Ev,Gv", "8A Gb,Eb", "8B Gv,Ev", "C6/0 Eb,Ib", "C7/0 Ev,Iz", "B0+r Zb,Ib", "B8+r Zv,Iv", "A0 AL,Ob", "A1 rAX,Ov", "A2 Ob,AL", "A3 Ov,rAX"],
  { group: "move" },
  (b, d, s) => b.write(d, b.read(s)),
);

for (const from of ["b", "w"] as const) {
  const width: Width = from === "b" ? 8 : 16;
  const opcode = from === "b" ? 0 : 1;
  row(`movzx${from}`, `0F B${6 + opcode} Gv,E${from}`, { group: "move", mnemonic: "movzx" }, (b, d, s) => b.write(d, b.zeroExtend(b.read(s), width, b.width)));
  row(`movsx${from}`, `0F B${opcode ? "F" : "E"} Gv,E${from}`, { group: "move", mnemonic: "movsx" }, (b, d, s) => b.write(d, b.signExtend(b.read(s), width, b.width)));
}
// Without REX.W the destination is 16 or 32 bits wide and the source with it.
row("movsxd", "63 Gv,Ed o64", { group: "move" }, (b, d, s) => b.write(d, b.signExtend(b.read(s), 32, b.width)));

row("lea", "8D Gv,M", { group: "move" }, (b, d) => b.write(d, b.width === 64 ? b.effectiveAddress() : b.unary("wrap", b.effectiveAddress())));

row("xchg", ["86 Eb,Gb", "87 Ev,Gv", "90+r rAX,Zv"], { lock: true, alwaysLocked: true, group: "move" }, (b, d, s) => {
  const x = b.modify(d);
  const y = b.read(s);
  b.write(d, y);
  b.write(s, x);
});

row("xadd", ["0F C0 Eb,Gb", "0F C1 Ev,Gv"], { lock: true, group: "move" }, (b, d, s) => {
  const x = b.modify(d);
  const y = b.read(s);
  const r = b.add(x, y);
  if (d.shape === "mem") {
    b.write(d, r);
    b.write(s, x);
  } else {
    // The sum wins where both operands are one register.
    b.write(s, x);
    b.write(d, r);
  }
  b.flags("add", r, y);
});

row("cmpxchg", ["0F B0 Eb,Gb", "0F B1 Ev,Gv"], { lock: true, group: "move" }, (b, d, s) => {
  const old = b.modify(d);
  const expected = b.get({ register: RAX, width: b.width });
  const equal = b.eq(old, expected);
  const replacement = b.read(s);
  // Memory is written in either case, a register only where the comparison holds: a 32-bit one then keeps its upper
  // half. The accumulator is written only where the comparison failed.
  if (d.shape === "mem") b.write(d, b.select(equal, replacement, old));
  else b.when(equal, () => b.write(d, replacement));
  b.when(b.eqz(equal), () => b.put({ register: RAX, width: b.width }, old));
  b.flags("sub", expected, old);
});
row("cmpxchg8b", "0F C7/1 Mq w0", { lock: true, group: "move", feature: FEAT_CX8, widths: [16, 32] }, (b, m) => void b.call("execute/integer", b.locked ? "cmpxchg8bLocked" : "cmpxchg8b", [b.address(m, true, 8)]));
row("cmpxchg16b", "0F C7/1 Mx w1", { lock: true, group: "move", feature: FEAT_CX16, widths: [64] }, (b, m) => void b.call("execute/integer", b.locked ? "cmpxchg16bLocked" : "cmpxchg16b", [b.address(m, true, 16)]));

CONDITIONS.forEach((cc, code) => {
  const hex = code.toString(16).toUpperCase();
  row(`cmov${cc}`, `0F 4${hex} Gv,Ev`, { group: "conditional", feature: FEAT_CMOV }, (b, d, s) => {
    // The source is read, and the upper half of a 32-bit destination cleared, whatever the condition.
    const value = b.read(s);
    b.write(d, b.select(b.condition(code), value, b.read(d)));
  });
  row(`set${cc}`, `0F 9${hex} Eb`, { group: "conditional" }, (b, d) => b.write(d, b.condition(code)));
});

row("bswap", "0F C8+r Zv", { group: "move" }, (b, d) => {
  // A 16-bit BSWAP is undefined; processors clear the register.
  if (b.width === 16) b.write(d, b.const(0));
  else b.write(d, byteSwap(b, b.read(d)));
});
function byteSwap(b: Builder, value: Value): Value {
  return b.call("execute/integer", `byteSwap${b.width}`, [value], { type: b.typeOf(b.width), faults: false });
}
row("movbe_load", ["NP 0F38 F0 Gv,Mv", "66 0F38 F0 Gv,Mv"], { group: "move", feature: FEAT_MOVBE, mnemonic: "movbe" }, (b, d, s) => b.write(d, byteSwap(b, b.read(s))));
row("movbe_store", ["NP 0F38 F1 Mv,Gv", "66 0F38 F1 Mv,Gv"], { group: "move", feature: FEAT_MOVBE, mnemonic: "movbe" }, (b, d, s) => b.write(d, byteSwap(b, b.read(s))));

row("cbw", "98 nomodrm", { group: "move", widths: [16, 32, 64] }, (b) => {
  const half = (b.width / 2) as Width;
  b.put({ register: RAX, width: b.width }, b.signExtend(b.get({ register: RAX, width: half }), half, b.width));
});
row("cwd", "99 nomodrm", { group: "move", widths: [16, 32, 64] }, (b) => {
  const x = b.signExtend(b.get({ register: RAX, width: b.width }), b.width, b.width === 16 ? 32 : b.width);
  b.put({ register: RDX, width: b.width }, b.shrS(x, b.const(b.width - 1)));
});

row("xlat", "D7 nomodrm", { group: "move" }, (b) => void b.call("execute/string", "xlat", []));
