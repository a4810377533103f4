// Puts errors into modules of translated code: each instruction of one kind becomes another that takes and gives the same
// types. What the translator would emit, had it the wrong opcode in one place.
import { type Opcode, PLAIN, PREFIXED } from "../../host/disassembler/wasm/opcodes.ts";
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
      for (let groups = body.u32(); groups > 0; groups--) {
        body.u32();
        body.byte();
      }
      while (!body.done) {
        const at = body.at;
        const { name, immediates } = read(body);
        if (name === from) {
          writeOpcode(module, at, prefix, number);
          replaced++;
        }
        skip(body, immediates);
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

function read(body: Reader): Opcode {
  const first = body.byte();
  const prefixed = PREFIXED.get(first);
  const found = (prefixed ?? PLAIN).get(prefixed ? body.u32() : first);
  if (!found) throw new RangeError(`no instruction has opcode ${first}`);
  return found;
}

function skip(body: Reader, immediates: Opcode["immediates"]): void {
  switch (immediates) {
    case "b":
    case "l":
      body.byte();
      break;
    case "i":
      body.u32();
      break;
    case "ii":
    case "m":
      body.u32();
      body.u32();
      break;
    case "ml":
      body.u32();
      body.u32();
      body.byte();
      break;
    case "labels":
      for (let left = body.u32(); left >= 0; left--) body.u32();
      break;
    case "types":
      body.take(body.u32());
      break;
    case "i32":
    case "i64":
      body.signed();
      break;
    case "f32":
      body.take(4);
      break;
    case "f64":
      body.take(8);
      break;
    case "v128":
    case "lanes":
      body.take(16);
      break;
    case "":
      break;
  }
}
