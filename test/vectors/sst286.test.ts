// Real mode against 80286 silicon: ../shared/vectors/sst286-200.bin.gz, as its README describes it.
// Skipped by name where that file is absent.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { KVM_EXIT_HLT, KVM_EXIT_IO } from "../../assembly/exits.ts";
import { MODE_16 } from "../differential/case.ts";
import { shapeOf } from "../differential/shape.ts";
import { RealModeGuest } from "../oracle/real-mode-guest.ts";

const FILE = join(process.env["WKVM_ROOT"] ?? process.cwd(), "../shared/vectors/sst286-200.bin.gz");
const REGISTERS = ["ax", "bx", "cx", "dx", "cs", "ss", "ds", "es", "sp", "bp", "si", "di", "ip", "flags"];
const CX = 2;
const CS = 4;
const SS = 5;
const SP = 8;
const SI = 10;
const DI = 11;
const IP = 12;
const FLAGS = 13;
const POINTERS = [CX, SI, DI];
const SEGMENT_OVERRUN = 13;
const STACK_FAULT = 12;
/** INS OUTS MOVS CMPS STOS LODS SCAS. */
const STRINGS = /^(6[C-F]|A[4-7]|A[A-F])$/;
const FLAGS_MASK = 0x0fd5;
const NO_EXCEPTION = 255;
const LONGEST_286 = 10;
const CF = 1;
const PF = 4;
const AF = 0x10;
const ZF = 0x40;
const SF = 0x80;
const OF = 0x800;

interface Vector {
  initial: Uint16Array;
  final: Uint16Array;
  exception: number;
  name: string;
  before: Uint8Array;
  after: Uint8Array;
}

/** Every {file name, vectors}. */
function* files(bytes: Buffer): Generator<{ name: string; vectors: Vector[] }> {
  let at = 0;
  const u8 = (): number => bytes[at++]!;
  const u16 = (): number => bytes.readUInt16LE((at += 2) - 2);
  const words = (): Uint16Array => Uint16Array.from({ length: 14 }, u16);
  const take = (length: number): Buffer => bytes.subarray(at, (at += length));
  while (at < bytes.length) {
    assert.equal(take(4).toString(), "FILE");
    const name = take(u8()).toString();
    const vectors: Vector[] = [];
    for (let count = u16(); count > 0; count--) {
      const initial = words();
      const final = words();
      const exception = u8();
      // The address of the pushed FLAGS follows: it is rounded down where the stack is odd.
      at += 4;
      const nBefore = u16();
      const nAfter = u16();
      const text = take(u8()).toString();
      const before = take(nBefore * 5);
      vectors.push({ initial, final, exception, name: text, before, after: take(nAfter * 5) });
    }
    yield { name, vectors };
  }
}

/** Status flags that the opcode leaves undefined, on the 286 or since. */
function undefinedFlags(name: string, faulted: boolean): number {
  const [opcode = "", digit = ""] = name.split(".");
  const op = Number.parseInt(opcode, 16);
  if (["F6", "F7"].includes(opcode)) {
    if (digit === "4" || digit === "5") return SF | ZF | AF | PF;
    if (digit === "6" || digit === "7") return CF | PF | AF | ZF | SF | OF;
    return digit === "0" || digit === "1" ? AF : 0;
  }
  if (op === 0x69 || op === 0x6b) return SF | ZF | AF | PF;
  if (op === 0xd4 || op === 0xd5) return faulted ? CF | PF | AF | ZF | SF | OF : CF | AF | OF;
  if (["C0", "C1", "D0", "D1", "D2", "D3"].includes(opcode)) {
    const rotates = Number(digit) < 4;
    if (opcode === "D0" || opcode === "D1") return rotates ? 0 : AF;
    return rotates ? OF : OF | AF | CF;
  }
  if (op < 0x40 && (op & 7) < 6) return [1, 4, 6].includes(op >> 3) ? AF : 0;
  if (["80", "81", "82", "83"].includes(opcode)) return ["1", "4", "6"].includes(digit) ? AF : 0;
  if ([0x84, 0x85, 0xa8, 0xa9].includes(op)) return AF;
  if (op === 0x27 || op === 0x2f) return OF;
  if (op === 0x37 || op === 0x3f) return OF | SF | ZF | PF;
  return 0;
}

/** Why a vector says nothing about later processors, or undefined. */
function skipReason(name: string, vector: Vector): string | undefined {
  const [opcode = ""] = name.split(".");
  if (opcode === "63" || opcode.startsWith("0F")) return "protected-mode and 0F forms";
  if (/\block\b/i.test(vector.name)) return "LOCK";
  if (opcode === "9C") return "PUSHF: IOPL and NT";
  if ((opcode === "8C" || opcode === "8E") && /\b[fg]s\b/.test(vector.name)) return "FS and GS came with the 386";
  if (instructionLength(vector) > LONGEST_286) return "longer than 10 bytes";
  return undefined;
}

/** Bytes of the instruction, from the memory that the vector sets up at CS:IP. */
function instructionLength(vector: Vector): number {
  const start = vector.initial[CS]! * 16 + vector.initial[IP]!;
  const code = new Uint8Array(16);
  const view = Buffer.from(vector.before.buffer, vector.before.byteOffset, vector.before.length);
  for (let at = 0; at < view.length; at += 5) {
    const offset = view.readUInt32LE(at) - start;
    if (offset >= 0 && offset < code.length) code[offset] = view[at + 4]!;
  }
  return shapeOf(code, MODE_16).length;
}

test("80286 vectors in real mode", { skip: existsSync(FILE) ? false : `${FILE} is absent` }, async (t) => {
  const guest = await RealModeGuest.create();
  const failures = new Map<string, { count: number; first: string }>();
  let run = 0;
  const skipped = new Map<string, number>();
  for (const { name, vectors } of files(gunzipSync(readFileSync(FILE)))) {
    for (const vector of vectors) {
      const reason = skipReason(name, vector);
      if (reason) {
        skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
        continue;
      }
      run++;
      const found = play(guest, name, vector);
      if (!found) continue;
      const group = failures.get(name);
      if (group) group.count++;
      else failures.set(name, { count: 1, first: `${vector.name}: ${found}` });
    }
  }
  t.diagnostic(`${run} vectors; skipped: ${[...skipped].map(([why, count]) => `${count} (${why})`).join(", ")}`);
  const lines = [...failures].map(([name, { count, first }]) => `${name}: ${count}, first ${first}`);
  assert.equal(lines.length, 0, `${lines.length} opcode forms differ:\n${lines.slice(0, 40).join("\n")}`);
});

/** Why a vector fails, or undefined. */
function play(guest: RealModeGuest, name: string, vector: Vector): string | undefined {
  const { initial, final, before, after, exception } = vector;
  guest.poke(before);
  if (exception !== NO_EXCEPTION) guest.pokeHandler(exception);
  // What the 80286 reports as a segment overrun is a stack fault on later processors where it is about SS.
  if (exception === SEGMENT_OVERRUN) guest.copyHandler(SEGMENT_OVERRUN, STACK_FAULT);
  guest.setRegisters(initial);
  let reason = guest.run();
  for (let i = 0; reason === KVM_EXIT_IO && i < 64; i++) {
    guest.answerOnes();
    reason = guest.run();
  }
  if (reason !== KVM_EXIT_HLT) {
    guest.restore();
    return `exit ${reason}${guest.trap ? ` (${guest.trap.message})` : ""}`;
  }
  const got = guest.registers();
  const undefinedHere = undefinedFlags(name, exception !== NO_EXCEPTION);
  let found: string | undefined;
  for (let i = 0; i < 14 && !found; i++) {
    const mask = i === FLAGS ? FLAGS_MASK & ~undefinedHere : 0xffff;
    // The 80286 has moved the pointers of a string instruction before it finds that an element overruns.
    if (exception === SEGMENT_OVERRUN && STRINGS.test(name) && POINTERS.includes(i)) continue;
    if ((got[i]! & mask) !== (final[i]! & mask)) {
      found = `${REGISTERS[i]} is ${(got[i]! & mask).toString(16)}, silicon ${(final[i]! & mask).toString(16)}`;
    }
  }
  const view = Buffer.from(after.buffer, after.byteOffset, after.length);
  // FLAGS lies above the return address that the exception has pushed.
  const flagsAddress = final[SS]! * 16 + ((final[SP]! + 4) & 0xffff);
  for (let at = 0; at < after.length && !found; at += 5) {
    const address = view.readUInt32LE(at);
    if (exception !== NO_EXCEPTION && undefinedHere && (address === flagsAddress || address === flagsAddress + 1))
      continue;
    const value = guest.peek(address);
    if (value !== after[at + 4])
      found = `[${address.toString(16)}] is ${value.toString(16)}, silicon ${after[at + 4]!.toString(16)}`;
  }
  guest.restore();
  return found;
}
