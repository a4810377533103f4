// Draws what follows ModRM where it addresses memory (SDM volume 2, tables 2-1 to 2-3).
import type { Random } from "./random.ts";

/** Appends a SIB byte where ModRM has one, and the displacement. `mod`: 0 to 2; `addressSize`: in bytes. */
export function drawAddress(bytes: number[], mod: number, rm: number, addressSize: number, random: Random): void {
  let size = mod === 1 ? 1 : mod === 2 ? (addressSize === 2 ? 2 : 4) : 0;
  if (addressSize === 2) {
    if (mod === 0 && rm === 6) size = 2;
  } else if (rm === 4) {
    const sib = random.below(256);
    bytes.push(sib);
    if (mod === 0 && (sib & 7) === 5) size = 4;
  } else if (mod === 0 && rm === 5) size = 4;
  // Displacements stay small, so that a base register alone can bring the operand into its page.
  const value = size === 1 ? random.below(256) - 128 : size === 0 ? 0 : random.below(4096) - 2048;
  for (let i = 0; i < size; i++) bytes.push((value >> (8 * i)) & 0xff);
}
