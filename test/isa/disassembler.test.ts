// The disassembler against binutils: random encodings of every form in every mode, by length and mnemonic.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Bits, disassembleOne } from "../../host/disassembler/index.ts";
import { allEntries, type Entry } from "../../host/disassembler/table.ts";
import { Random } from "../differential/random.ts";

const objdump = spawnSync("objdump", ["--version"]).status === 0;
/** Encodings of a form in a mode. */
const EACH = process.env["WKVM_SOAK"] ? 100 : 4;
/** Each instruction has this many bytes to itself, the rest NOP: whatever objdump makes of one, it is back by the next. */
const STRIDE = 32;
const SHOWN = 40;

const PREFIX_BYTE: Record<string, number> = { "66": 0x66, F3: 0xf3, F2: 0xf2 };
const MAP_BYTES = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]];

/** Bytes of a random encoding of a form. */
function encode({ form, lockable }: Entry, bits: Bits, random: Random): number[] {
  let modrm = random.below(256);
  if (form.mod === "reg") modrm |= 0xc0;
  if (form.mod === "mem" && modrm >= 0xc0) modrm -= 0x40;
  if (form.digit >= 0) modrm = (modrm & 0xc7) | (form.digit << 3);
  if (form.rm >= 0) modrm = (modrm & 0xf8) | form.rm;
  if (form.operands.some((o) => o.kind === "S" || o.kind === "D" || o.kind === "C")) modrm &= ~0x28;
  const tail = Array.from({ length: 12 }, () => random.below(256));
  const register = form.plusR ? random.below(8) : 0;
  const code = [form.opcode + register, ...(form.modrm ? [modrm] : []), ...tail];
  const rex = bits === 64 ? random.below(16) : 0;
  const w = form.flags.has("w1") ? 8 : form.flags.has("w0") ? 0 : rex & 8;
  if (form.map >= 4) {
    const pp = ["NP", "66", "F3", "F2"].indexOf(form.prefix);
    const vvvv = form.operands.some((o) => o.kind === "B" || o.kind === "H") ? random.below(bits === 64 ? 16 : 8) : 0;
    const extension = bits === 64 ? (~rex & 7) << 5 : 0xe0;
    return [
      0xc4,
      extension | (form.map - 3),
      (w << 4) | ((vvvv ^ 15) << 3) | (form.flags.has("l1") ? 4 : 0) | pp,
      ...code,
    ];
  }
  const prefixes: number[] = [];
  if (form.prefix === "any" && random.oneIn(4)) prefixes.push(0x66);
  if (random.oneIn(8)) prefixes.push(0x67);
  if (random.oneIn(8)) prefixes.push(random.pick([0x64, 0x65]));
  const inMemory = form.modrm && modrm < 0xc0 && "EM".includes(form.operands[0]?.kind ?? "-");
  if (lockable && inMemory && random.oneIn(4)) prefixes.push(0xf0);
  const selecting = PREFIX_BYTE[form.prefix];
  if (selecting !== undefined) prefixes.push(selecting);
  const low = form.flags.has("b0") ? rex & 6 : rex & 7;
  const wantsRex = bits === 64 && (form.flags.has("w1") || random.oneIn(2));
  return [...prefixes, ...(wantsRex ? [0x40 | w | low] : []), ...MAP_BYTES[form.map]!, ...code];
}

interface Listed {
  length: number;
  text: string;
}

/** What objdump makes of the instructions at multiples of STRIDE. */
function listing(image: Uint8Array, bits: Bits): Map<number, Listed> {
  const folder = mkdtempSync(join(tmpdir(), "wkvm-objdump-"));
  try {
    const file = join(folder, "code");
    writeFileSync(file, image);
    const machine = { 64: "i386:x86-64", 32: "i386", 16: "i8086" }[bits];
    const flags = ["-D", "-b", "binary", "-m", machine, "-M", "intel,intel64", "--insn-width=16", "-z", file];
    const text = execFileSync("objdump", flags, { encoding: "utf8", maxBuffer: 1 << 28 });
    const found = new Map<number, Listed>();
    for (const line of text.split("\n")) {
      const match = /^\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t?(.*)$/.exec(line);
      if (!match) continue;
      found.set(Number.parseInt(match[1]!, 16), { length: match[2]!.trim().split(" ").length, text: match[3]!.trim() });
    }
    return found;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const NOISE =
  /^(?:(?:data16|data32|addr16|addr32|rex(?:\.[WRXB]+)?|lock|repz|repnz|rep|cs|ds|es|ss|fs|gs|bnd|notrack|xacquire|xrelease)\s+)+/;

/** binutils tells the operand size of these by a letter where no operand does. */
const SIZED =
  /^(sgdt|sidt|lgdt|lidt|fldenv|fnstenv|frstor|fnsave|jmp|call|ret|retf|push|pop|pushf|popf|enter|leave|v?pcmpestr[im])[wdq]$/;

/** The mnemonic alone, without prefixes, in one spelling. */
function mnemonic(text: string): string {
  const plain = text.replace(NOISE, "").replace(/\((8087|287) only\)$/, "");
  if (/^xchg\s+(\w+),\1$/.test(plain)) return "nop";
  // This processor's hints are NOPs, whatever later processors make of them.
  if (/^(nop|endbr|bnd|cldemote|prefetch)/.test(plain)) return "nop";
  return plain
    .split(/[ \t]/)[0]!
    .replace(SIZED, "$1")
    .replace(/^movabs$/, "mov")
    .replace(/^cmp(eq|lt|le|unord|neq|nlt|nle|ord)(ps|pd|ss|sd)$/, "cmp$2")
    .replace(/^vcmp(\w+?)(ps|pd|ss|sd)$/, "vcmp$2")
    .replace(/^(v?)pclmul[hl]q[hl]qdq$/, "$1pclmulqdq");
}

for (const bits of [64, 32, 16] as const) {
  test(`${bits}-bit code reads as binutils reads it`, { skip: objdump ? false : "needs objdump (binutils)" }, (t) => {
    const random = new Random(bits);
    const codes: number[][] = [];
    for (const entry of allEntries()) {
      // binutils takes FWAIT for a prefix of what follows.
      if (entry.mnemonic === "(bad)" || entry.mnemonic === "wait" || entry.form.flags.has(bits === 64 ? "i64" : "o64"))
        continue;
      for (let i = 0; i < EACH; i++) codes.push(encode(entry, bits, random));
    }
    const image = new Uint8Array(codes.length * STRIDE).fill(0x90);
    codes.forEach((code, i) => image.set(code, i * STRIDE));
    const listed = listing(image, bits);
    const wrong: string[] = [];
    let compared = 0;
    codes.forEach((_code, i) => {
      const at = i * STRIDE;
      const theirs = listed.get(at);
      if (!theirs || theirs.text.includes("(bad)")) return;
      const ours = disassembleOne(image, at, 0n, bits);
      compared++;
      if (ours.length === theirs.length && mnemonic(ours.text) === mnemonic(theirs.text)) return;
      const bytes = Buffer.from(image.subarray(at, at + Math.max(ours.length, theirs.length))).toString("hex");
      wrong.push(`${bytes}: ${ours.length} ${ours.text} | ${theirs.length} ${theirs.text}`);
    });
    t.diagnostic(`${compared} of ${codes.length} encodings that objdump knows`);
    assert.ok(compared > codes.length / 2);
    assert.equal(wrong.length, 0, `${wrong.length} differ:\n${wrong.slice(0, SHOWN).join("\n")}`);
  });
}
