// One instruction after the other in the body of a function. Core specification 2.0, 5.4.
import { type Immediates, type Opcode, PLAIN, PREFIXED } from "./opcodes.ts";
import type { Reader } from "./reader.ts";

/** The next instruction, without what follows its number. Throws RangeError for one that is not known. */
export function readOpcode(body: Reader): Opcode {
  const first = body.byte();
  const prefixed = PREFIXED.get(first);
  const number = prefixed ? body.u32() : first;
  const found = (prefixed ?? PLAIN).get(number);
  if (!found) throw new RangeError(`no instruction has opcode ${first} ${number}`);
  return found;
}

/** Passes over what follows an instruction's number. */
export function skipImmediates(body: Reader, immediates: Immediates): void {
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

/** Passes over the declarations of locals in front of a function's code. */
export function skipLocals(body: Reader): void {
  for (let groups = body.u32(); groups > 0; groups--) {
    body.u32();
    body.byte();
  }
}
