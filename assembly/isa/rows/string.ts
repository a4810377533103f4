// String instructions, port I/O. The helpers take the record: prefixes and address size decide how they work.
import { row } from "../row.ts";

const strings: readonly (readonly [string, string, string])[] = [
  ["movs", "A4", "A5"], ["cmps", "A6", "A7"], ["stos", "AA", "AB"], ["lods", "AC", "AD"], ["scas", "AE", "AF"], ["ins", "6C", "6D"], ["outs", "6E", "6F"],
];
for (const [name, byte, word] of strings) {
  row(`${name}b`, `${byte} nomodrm`, { group: "string", widths: [8] }, (b) => void b.call("execute/string", name, [b.const(1, 32)]));
  row(name, `${word} nomodrm`, { group: "string", widths: [16, 32, 64], mnemonic: name }, (b) => {
    // There are no 64-bit ports: REX.W is ignored.
    const bytes = (name === "ins" || name === "outs") && b.width === 64 ? 4 : b.width / 8;
    b.call("execute/string", name, [b.const(bytes, 32)]);
  });
}

const port = { group: "string", widths: [8] as const };
const wide = { group: "string", widths: [16, 32, 64] as const };
const bytesOf = (width: number): number => (width === 64 ? 4 : width / 8);
row("in_imm8", "E4 Ib nomodrm", { ...port, mnemonic: "in" }, (b, i) => void b.call("execute/io", "portIn", [b.read({ ...i, width: 8 }), b.const(1, 32)]));
row("in_imm", "E5 Ib nomodrm", { ...wide, mnemonic: "in" }, (b, i) => void b.call("execute/io", "portIn", [b.read({ ...i, width: 8 }), b.const(bytesOf(b.width), 32)]));
row("out_imm8", "E6 Ib nomodrm", { ...port, mnemonic: "out" }, (b, i) => void b.call("execute/io", "portOut", [b.read({ ...i, width: 8 }), b.const(1, 32)]));
row("out_imm", "E7 Ib nomodrm", { ...wide, mnemonic: "out" }, (b, i) => void b.call("execute/io", "portOut", [b.read({ ...i, width: 8 }), b.const(bytesOf(b.width), 32)]));
row("in8", "EC nomodrm", { ...port, mnemonic: "in" }, (b) => void b.call("execute/io", "portIn", [b.get({ register: 2, width: 16 }), b.const(1, 32)]));
row("in", "ED nomodrm", wide, (b) => void b.call("execute/io", "portIn", [b.get({ register: 2, width: 16 }), b.const(bytesOf(b.width), 32)]));
row("out8", "EE nomodrm", { ...port, mnemonic: "out" }, (b) => void b.call("execute/io", "portOut", [b.get({ register: 2, width: 16 }), b.const(1, 32)]));
row("out", "EF nomodrm", wide, (b) => void b.call("execute/io", "portOut", [b.get({ register: 2, width: 16 }), b.const(bytesOf(b.width), 32)]));
