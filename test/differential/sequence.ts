// Draws short straight-line programs: what single instructions cannot show, such as flags that are
// computed late, fused pairs, and traces that end in a fault halfway.
//
// Every instruction here leaves all flags but AF defined, or none; nothing reads AF.
import { MODE_16, MODE_32, MODE_64 } from "./case.ts";
import type { Random } from "./random.ts";
import { isGeneral, type Shape } from "./shape.ts";

/** RSP, RBP, RSI, RDI and RBX point into memory: programs leave them alone. */
const FREE = [0, 1, 2];
const FREE_64 = [0, 1, 2, 8, 9, 10, 11, 12, 13, 14, 15];
const CONDITIONS = 16;

/**
 * An instruction sequence that ends in INT3. `other` draws an instruction of the other register files for a mode, where
 * it happens to find one that fits.
 */
export function drawSequence(
  random: Random,
  other: (mode: number) => Uint8Array | undefined,
): { mode: number; code: Uint8Array } {
  const mode = random.pick([MODE_64, MODE_64, MODE_32, MODE_16]);
  const bytes: number[] = [];
  const count = 2 + random.below(7);
  const vectors = random.oneIn(2);
  for (let i = 0; i < count && bytes.length < 44; i++) {
    const code = vectors && !random.oneIn(4) ? other(mode) : undefined;
    if (code) bytes.push(...code);
    else instruction(bytes, mode, random);
  }
  bytes.push(0xcc);
  return { mode, code: Uint8Array.from(bytes) };
}

/** Whether an instruction can stand anywhere in a sequence: x87, MMX or SSE, on registers, with a defined result. */
export function fitsSequence(shape: Shape): boolean {
  const { map, opcode, reg, memory, lock, modrm } = shape;
  if (memory || lock || shape.vex || shape.length > 8) return false;
  if (map === 0) {
    // Transcendentals are approximate, and FNSTSW AX shows condition codes that are undefined.
    return (
      (opcode & 0xf8) === 0xd8 &&
      !(opcode === 0xdf && reg === 4) &&
      !(opcode === 0xd9 && modrm >= 0xf0 && !EXACT.includes(modrm))
    );
  }
  return !isGeneral(map, opcode) && opcode !== 0x52 && opcode !== 0x53;
}

/** FXTRACT FPREM1 FDECSTP FINCSTP, FPREM FSQRT FRNDINT FSCALE: ModRM after D9. */
const EXACT = [0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xfa, 0xfc, 0xfd];

function instruction(bytes: number[], mode: number, random: Random): void {
  const is64 = mode === MODE_64;
  const reg = random.pick(is64 ? FREE_64 : FREE);
  const other = random.pick(is64 ? FREE_64 : FREE);
  const kind = random.below(20);
  const byte = random.oneIn(4);
  // Prefixes, opcode, then ModRM for (reg, rm) or (reg, memory).
  const emit = (opcode: number[], r: number, m: number, memory: boolean): void => {
    if (random.oneIn(5)) bytes.push(0x66);
    let rex = (r & 8 ? 4 : 0) | (!memory && m & 8 ? 1 : 0) | (random.oneIn(2) ? 8 : 0);
    if (is64 && (rex || byte)) {
      rex |= 0x40;
      bytes.push(rex);
    }
    bytes.push(...opcode);
    if (memory) operand(bytes, mode, r & 7, random);
    else bytes.push(0xc0 | ((r & 7) << 3) | (m & 7));
  };
  const memory = random.oneIn(3);
  const wide = byte ? 0 : 1;
  if (kind < 6) {
    // ADD ADC SBB SUB CMP XOR AND OR in both directions.
    emit([random.below(8) * 8 + (random.oneIn(2) ? 2 : 0) + wide], reg, other, memory);
  } else if (kind < 8) {
    emit([0x83], random.below(8), other, memory);
    bytes.push(random.below(256));
  } else if (kind === 8) emit([0xfe + wide], random.below(2), other, memory);
  else if (kind === 9) emit([0xf6 + wide], 2 + random.below(2), other, memory);
  else if (kind === 10) emit([0xd0 + wide], random.pick([0, 1, 2, 3, 4, 5, 7]), other, memory);
  else if (kind === 11) emit([0x84 + wide], reg, other, memory);
  else if (kind === 12) emit([0x0f, 0x90 + random.below(CONDITIONS)], 0, other, memory);
  else if (kind === 13) emit([0x0f, 0x40 + random.below(CONDITIONS)], reg, other, memory);
  else if (kind === 14) emit([random.pick([0x88, 0x89, 0x8a, 0x8b])], reg, other, memory);
  else if (kind === 15) emit([0x0f, random.pick([0xb6, 0xb7, 0xbe, 0xbf])], reg, other, memory);
  else if (kind === 16) bytes.push(random.pick([0xf5, 0xf8, 0xf9]));
  else if (kind === 17) {
    // A forward branch over one instruction: CMP or TEST before it is what the core fuses.
    if (random.oneIn(2)) emit([random.pick([0x38, 0x39, 0x3a, 0x3b, 0x84, 0x85])], reg, other, random.oneIn(4));
    const at = bytes.length;
    bytes.push(0x70 + random.below(CONDITIONS), 0);
    simple(bytes, mode, random);
    bytes[at + 1] = bytes.length - at - 2;
  } else if (kind === 18) bytes.push(0x50 + random.pick(FREE), 0x58 + random.pick(FREE));
  else emit([0x8d], reg, other, true);
}

/** INC or MOV of a free register. */
function simple(bytes: number[], mode: number, random: Random): void {
  if (random.oneIn(2)) bytes.push(0x89, 0xc0 | (random.pick(FREE) << 3) | random.pick(FREE));
  else if (mode === MODE_64) bytes.push(0xff, 0xc0 | random.pick(FREE));
  else bytes.push(0x40 | random.pick(FREE));
}

function operand(bytes: number[], mode: number, reg: number, random: Random): void {
  // [rsi+d], [rdi+d], [rbx+d] in the numbering of the address size.
  const rm = mode === MODE_16 ? random.pick([4, 5, 7]) : random.pick([6, 7, 3]);
  bytes.push(0x40 | (reg << 3) | rm, (random.below(64) - 32) & 0xff);
}
