// Puts errors into modules of translated code: each instruction of one kind becomes another that takes and gives the same
// types. What the translator would emit, had it the wrong opcode in one place.
import { readOpcode, skipImmediates, skipLocals } from "../../host/disassembler/wasm/instruction.ts";
import { PLAIN, PREFIXED } from "../../host/disassembler/wasm/opcodes.ts";
import { Reader } from "../../host/disassembler/wasm/reader.ts";

const SECTION_CODE = 10;
const ONE_BYTE = 0x80;

/** Replaces every instruction `from` in a module's code by `to`, both by name; returns how many there were. */
export function replaceInstructions(module: Uint8Array, from: string, to: string): number {
  const [prefix, number] = numberOf(to);
  const reader = new Reader(module, 8);
  let replaced = 0;
  while (!reader.done) {
    const id = reader.byte();
    const section = reader.part(reader.u32());
    if (id !== SECTION_CODE) continue;
    for (let left = section.u32(); left > 0; left--) {
      const body = section.part(section.u32());
      skipLocals(body);
      while (!body.done) {
        const at = body.at;
        const { name, immediates } = readOpcode(body);
        if (name === from) {
          writeOpcode(module, at, prefix, number);
          replaced++;
        }
        skipImmediates(body, immediates);
      }
    }
  }
  return replaced;
}

/** Prefix, 0 where there is none, and number of an instruction. */
function numberOf(name: string): [number, number] {
  for (const [prefix, table] of [[0, PLAIN] as const, ...PREFIXED]) {
    for (const [number, opcode] of table) if (opcode.name === name) return [prefix, number];
  }
  throw new RangeError(`no instruction ${name}`);
}

/** Writes an opcode over one of the same length. */
function writeOpcode(module: Uint8Array, at: number, prefix: number, number: number): void {
  if (!prefix) module[at] = number;
  else {
    module[at + 1] = number < ONE_BYTE ? number : (number & 0x7f) | ONE_BYTE;
    if (number >= ONE_BYTE) module[at + 2] = number >> 7;
  }
}
