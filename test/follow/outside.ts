// Instructions whose results are not the processor's to decide: time, identity, chance, model-specific registers.
import type { Shape } from "../differential/shape.ts";
import { isString } from "../differential/shape.ts";

const RCX = 1;
const TWO_BYTES: ReadonlySet<number> = new Set([
  0x31, // RDTSC
  0x32, // RDMSR
  0x33, // RDPMC
  0xa2, // CPUID
]);
const RDTSCP = 0xf9;

/** True for an instruction that may give another processor other registers. */
export function readsOutside({ map, opcode, modrm, reg, memory, repeat }: Shape): boolean {
  if (map !== 1) return false;
  if (TWO_BYTES.has(opcode)) return true;
  if (opcode === 0x01) return modrm === RDTSCP;
  // RDRAND, RDSEED, RDPID
  return opcode === 0xc7 && !memory && (reg === 6 || (reg === 7 && (repeat === 0xf3 || repeat === 0)));
}

/** A repeated string instruction whose counter is 0 in these registers (low and high halves). */
export function isRepeatedToZero(shape: Shape, gpr: Uint32Array): boolean {
  if (!isString(shape) || shape.repeat === 0) return false;
  const low = gpr[2 * RCX]!;
  if (shape.addressSize === 8) return low === 0 && gpr[2 * RCX + 1] === 0;
  return (shape.addressSize === 4 ? low : low & 0xffff) === 0;
}
