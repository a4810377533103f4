// Translated code as -d op,out_asm has it, a region at a time: the guest's instructions block by block in the
// order that the region has them, and the WebAssembly that they became.

import { hex } from "./hex.ts";
import { disassemble } from "./index.ts";
import { regionTexts } from "./region.ts";

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

  /** Takes a block of 64-bit code: a bit is set for each instruction before which the region ends, and for each that
   * the interpreter executes. */
  block(address: bigint, bytes: Uint8Array, left: number, interpreted: number): void {
    const lines = disassemble(bytes, address, 64).map(({ offset, text }, i) => {
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
