// Draws short straight-line programs: what single instructions cannot show, such as flags that are
// computed late, fused pairs, and traces that end in a fault halfway.
//
// Every instruction here leaves all flags but AF defined, or none; nothing reads AF.
import { masksOf } from "../../assembly/isa/masks.ts";
import { Batch, MODE_16, MODE_32, MODE_64 } from "./case.ts";
import type { Random } from "./random.ts";
import type { Shape } from "./shape.ts";
import type { Limits } from "./table-code.ts";
import type { TableForm } from "./table-forms.ts";
import { undefinedAfter } from "./undefined.ts";

/** RSP, RBP, RSI, RDI and RBX point into memory: programs leave them alone. */
const FREE = [0, 1, 2];
const FREE_64 = [0, 1, 2, 8, 9, 10, 11, 12, 13, 14, 15];
const CONDITIONS = 16;

/**
 * An instruction sequence that ends in INT3. `other` draws any instruction of the table that may stand in one, where it
 * happens to find one.
 */
export function drawSequence(
  random: Random,
  other: (mode: number) => Uint8Array | undefined,
): { mode: number; code: Uint8Array } {
  const mode = random.pick([MODE_64, MODE_64, MODE_32, MODE_16]);
  const bytes: number[] = [];
  const count = 2 + random.below(7);
  const mixed = !random.oneIn(3);
  for (let i = 0; i < count && bytes.length < 42; i++) {
    const code = mixed && !random.oneIn(3) ? other(mode) : undefined;
    if (code) bytes.push(...code);
    else instruction(bytes, mode, random);
  }
  bytes.push(0xcc);
  return { mode, code: Uint8Array.from(bytes) };
}

/** What instructions of a sequence may name: free registers, and [RSI+d] [RDI+d] [RBX+d] in the mode's own address size. */
export const SEQUENCE_LIMITS: readonly Limits[] = [
  { registers: FREE, bases: [6, 7, 3] },
  { registers: FREE, bases: [6, 7, 3] },
  { registers: FREE, bases: [4, 5, 7] },
];
const FREE_MASK = 0xff07;
const AF = 0x10;

/** Whether a form can stand in a sequence: it leads nowhere else, leaves the registers that address memory alone, and
 * does not show AF, which other instructions leave undefined. */
export function fitsSequence({ row, form, variant }: TableForm): boolean {
  if (row.ends || row.shadow || row.group === "string" || row.group === "stack") return false;
  const masks = masksOf(variant);
  if (masks.transfers || (masks.registersRead | masks.registersWritten) & ~FREE_MASK || masks.flagsRead & AF)
    return false;
  // Shifts by CL leave flags undefined for some counts, and a store of the status word shows condition codes that are.
  if (form.operands.some((o) => o.kind === "C1" || o.kind === "O" || o.kind === "S")) return false;
  return !SHOWS_STATUS.test(row.name);
}
const SHOWS_STATUS = /^f(n?stsw|n?stenv|n?save|xsave)/;

const resting = new Batch(1).cases[0]!;

/** Whether all that an instruction gives is defined, but AF and the x87's condition codes. */
export function isDefined(shape: Shape): boolean {
  const { flags, result, approximate, reciprocal, memory } = undefinedAfter(shape, resting);
  return (flags & ~AF) === 0 && !result && !approximate && !reciprocal && memory.length === 0;
}

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
