// Translated code as -d op,out_asm has it, a region at a time: the guest's instructions block by block in the
// order that the region has them, and the WebAssembly that they became.

import { LOG_OP_SIZE_SHIFT } from "../../assembly/layout.ts";
import { hex } from "./hex.ts";
import { type Bits, disassemble } from "./index.ts";
import { regionTexts } from "./region.ts";

/** A record of the core about a block: LOG_OP. */
export interface BlockRecord {
  readonly address: bigint;
  /** Where its bytes lie, and how many. */
  readonly host: number;
  readonly length: number;
  readonly bits: Bits;
  readonly left: number;
  readonly interpreted: number;
}

const LOW_HALF = 0xffffffffn;
/** MODE_CODE16, MODE_CODE32, MODE_CODE64. */
const CODE_BITS: readonly Bits[] = [16, 32, 64];

/** Takes the three values of a LOG_OP record apart. */
export function blockRecord(a: bigint, b: bigint, c: bigint): BlockRecord {
  const [low, high] = [
    (value: bigint) => Number(value & LOW_HALF),
    (value: bigint) => Number(BigInt.asUintN(64, value) >> 32n),
  ];
  return {
    address: BigInt.asUintN(64, a),
    host: low(b),
    left: high(b),
    length: low(c) & ((1 << LOG_OP_SIZE_SHIFT) - 1),
    bits: CODE_BITS[low(c) >> LOG_OP_SIZE_SHIFT] ?? 64,
    interpreted: high(c),
  };
}

export class RegionLog {
  private blocks: string[] = [];
  /** Text of the guest's side of regions that wait for their module, by slot. */
  private readonly waiting = new Map<number, string>();

  /** `write` takes finished lines. `guest`, `code`: which of the two sides are wanted. */
  constructor(
    private readonly write: (text: string) => void,
    private readonly guest: boolean,
    private readonly code: boolean,
  ) {}

  /** Takes a block: a bit is set for each instruction before which the region ends, and for each that the interpreter
   * executes. */
  block(address: bigint, bytes: Uint8Array, bits: Bits, left: number, interpreted: number): void {
    const lines = disassemble(bytes, address, bits).map(({ offset, text }, i) => {
      const how = (left >>> i) & 1 ? "left to the interpreter" : (interpreted >>> i) & 1 ? "interpreted" : "";
      return ` ${hex(address + BigInt(offset), 16)}  ${how ? `${text.padEnd(40)} ; ${how}` : text}`;
    });
    this.blocks.push(["", ...lines].join("\n"));
  }

  /** Takes the end of a region: all of its blocks are known. */
  region(slot: number, base: bigint, instructions: number): void {
    const head = `----------------\nregion ${slot}: ${instructions} instructions, base ${hex(base, 16)}`;
    const text = this.guest ? `${head}\nOP:${this.blocks.join("\n")}` : head;
    this.blocks = [];
    if (this.code) this.waiting.set(slot, text);
    else this.write(text);
  }

  /** Takes a module of regions, in `slots` of the function table. */
  module(bytes: Uint8Array, slots: Uint32Array): void {
    // A module without slots has the vCPU's ways out of regions.
    if (!this.code || slots.length === 0) return;
    for (const [i, text] of regionTexts(bytes).entries()) {
      const slot = slots[i] ?? 0;
      this.write(`${this.waiting.get(slot) ?? `----------------\nregion ${slot}`}\nOUT:\n${text}`);
      this.waiting.delete(slot);
    }
  }
}
