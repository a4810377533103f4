// Near control transfer and the stack: JMP, Jcc, CALL, RET, LOOP, PUSH, POP, ENTER, LEAVE, PUSHF, POPF.
import { type Builder, RBP, RSP } from "../builder.ts";
import type { Value } from "../micro-op.ts";
import { row } from "../row.ts";
import { CONDITIONS } from "./move.ts";

const ends = { ends: true, group: "branch" };

const cut = (b: Builder, value: Value): Value => (b.width === 64 ? value : b.unary("wrap", value));

CONDITIONS.forEach((cc, code) => {
  const hex = code.toString(16).toUpperCase();
  row(`j${cc}`, [`7${hex} Js f64`, `0F 8${hex} Jz f64`], ends, (b) => b.branch(b.condition(code)));
});
row("jmp", ["EB Js f64", "E9 Jz f64"], ends, (b) => b.branch());
row("call", "E8 Jz f64", { ...ends, needsRip: true }, (b, displacement) => {
  const next = b.nextRip();
  if (b.width !== 64) {
    const target = b.add(cut(b, next), b.read(displacement));
    b.checkTarget(b.width === 16 ? b.and(target, b.const(0xffff)) : target);
  }
  b.push(cut(b, next));
  b.branch();
});
row("jmp_indirect", "FF/4 Ev f64", { ...ends, mnemonic: "jmp" }, (b, s) => {
  const target = b.read(s);
  b.checkTarget(target);
  b.jump(target);
});
row("call_indirect", "FF/2 Ev f64", { ...ends, needsRip: true, mnemonic: "call" }, (b, s) => {
  const target = b.read(s);
  b.checkTarget(target);
  b.push(cut(b, b.nextRip()));
  b.jump(target);
});
row("ret", "C3 f64", ends, (b) => {
  const target = b.top();
  b.checkTarget(target);
  b.drop();
  b.jump(target);
});
row("ret_imm", "C2 Iw f64", { ...ends, mnemonic: "ret" }, (b, i) => {
  const target = b.top();
  b.checkTarget(target);
  b.drop(b.zeroExtend(b.read(i), 16, 64));
  b.jump(target);
});

// LOOP and JrCXZ count in the address size: the helper looks at it and decrements.
for (const [name, opcode] of [["loopne", "E0"], ["loope", "E1"], ["loop", "E2"], ["jrcxz", "E3"]] as const) {
  row(name, `${opcode} Js f64`, ends, (b) => {
    const flags = name === "loopne" ? b.condition(5) : name === "loope" ? b.condition(4) : undefined;
    const counted = b.call("execute/push-pop", name === "jrcxz" ? "counterIsZero" : "counterStays", [], { type: "i32", faults: false });
    const taken = flags ? b.and(counted, flags) : counted;
    if (name !== "jrcxz") {
      // A target beyond the segment's limit leaves the counter as it is.
      if (b.width !== 64) b.when(taken, () => b.call("execute/push-pop", "checkBranch", [b.const(b.width, 32)]));
      b.call("execute/push-pop", "countDown", [], { faults: false });
    }
    b.branch(taken);
  });
}

// ---------------------------------------------------------------- the stack
const stack = { group: "stack" };

row("push", ["50+r Zv d64", "FF/6 Ev d64"], stack, (b, s) => b.push(b.read(s)));
row("push_imm", ["68 Iz d64", "6A Is d64"], { ...stack, widths: [16, 32, 64], mnemonic: "push" }, (b, s) => b.push(b.read({ ...s, width: b.width })));
row("pop", "58+r Zv d64", stack, (b, d) => {
  const value = b.top();
  b.drop();
  b.write(d, value);
});
// The address of a memory operand is computed with RSP already raised: the decoder adds it to the displacement.
row("pop_rm", "8F/0 Ev d64", { ...stack, mnemonic: "pop" }, (b, d) => {
  const value = b.top();
  if (d.shape === "mem") {
    b.write(d, value);
    b.drop();
  } else {
    b.drop();
    b.write(d, value);
  }
});
row("leave", "C9 d64", stack, (b) => {
  if (b.width !== 64) {
    b.call("execute/push-pop", "leaveFrame", [b.const(b.width / 8, 32)]);
    return;
  }
  const frame = b.get({ register: RBP, width: 64 });
  const value = b.load(frame, 64);
  b.put({ register: RSP, width: 64 }, b.add(frame, b.const(8)));
  b.put({ register: RBP, width: 64 }, value);
});
row("enter", "C8 Iw,I2 d64", { ...stack, widths: [16, 32, 64] }, (b, size, level) => {
  b.call("execute/push-pop", "enterFrame", [b.const(b.width / 8, 32), b.zeroExtend(b.read(size), 16, 32), b.read({ ...level, shape: "index" })]);
});
row("pusha", "60 i64 nomodrm", { ...stack, widths: [16, 32] }, (b) => void b.call("execute/push-pop", "pushAll", [b.const(b.width / 8, 32)]));
row("popa", "61 i64 nomodrm", { ...stack, widths: [16, 32] }, (b) => void b.call("execute/push-pop", "popAll", [b.const(b.width / 8, 32)]));
row("pushf", "9C d64", stack, (b) => {
  const value = b.call("execute/flags-register", "pushedFlags", [b.const(b.width / 8, 32)], { type: "i32" });
  b.push(b.zeroExtend(value, 32, b.width));
});
row("popf", "9D d64", { ...stack, ends: true, needsRip: true, straight: true }, (b) => {
  const value = b.top();
  b.call("execute/flags-register", "popFlags", [b.const(b.width / 8, 32), b.zeroExtend(value, b.width, 32)]);
  b.drop();
  b.end();
});
row("push_seg", ["06 SO i64 d64", "0E SO i64 d64", "16 SO i64 d64", "1E SO i64 d64", "0F A0 SO d64", "0F A8 SO d64"], { ...stack, mnemonic: "push" }, (b, s) => {
  b.push(b.zeroExtend(b.call("execute/push-pop", "segmentOperand", [b.index(s)], { type: "i32", faults: false }), 32, b.width));
});
row("pop_seg", ["07 SO i64 d64", "17 SO i64 d64", "1F SO i64 d64", "0F A1 SO d64", "0F A9 SO d64"], { ...stack, ends: true, needsRip: true, straight: true, mnemonic: "pop" }, (b, s) => {
  const value = b.top();
  b.call("execute/push-pop", "popSegment", [b.index(s), b.zeroExtend(value, b.width, 32), b.const(b.width / 8, 32)]);
  b.end();
});
