// The disassembler: x86 code to Intel syntax, from the table that the processor itself is made of. What it cannot read
// the processor cannot execute.
import { type Bits, decode } from "./decode.ts";
import { format } from "./format.ts";

export type { Bits } from "./decode.ts";

export interface Line {
  /** Offset into the bytes, and length: 1 where there is no instruction. */
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}

/** The instruction at `offset` of `bytes`, which lie at `address`. Never throws: what is no instruction is "(bad)". */
export function disassembleOne(bytes: Uint8Array, offset: number, address: bigint, bits: Bits): Line {
  const instruction = decode(bytes, offset, bits);
  if (!instruction) return { offset, length: 1, text: "(bad)" };
  return { offset, length: instruction.length, text: format(instruction, address + BigInt(offset), bits) };
}

/** All instructions of `bytes`, one after the other. */
export function disassemble(bytes: Uint8Array, address: bigint, bits: Bits): Line[] {
  const lines: Line[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const line = disassembleOne(bytes, offset, address, bits);
    lines.push(line);
    offset += line.length;
  }
  return lines;
}
