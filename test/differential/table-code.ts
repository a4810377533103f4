// Draws the bytes of an instruction of the table: the prefixes that its form and size ask for and others that are
// allowed beside them (or are not, now and then), registers, addressing modes, displacements and immediates.
import type { Form } from "../../assembly/isa/encoding.ts";
import { MODE_16, MODE_64 } from "./case.ts";
import { drawAddress } from "./draw-address.ts";
import type { Random } from "./random.ts";
import { shapeOf } from "./shape.ts";
import type { TableForm } from "./table-forms.ts";
import { isGather } from "./vex.ts";

/** What a draw keeps to where an instruction has to stand among others. */
export interface Limits {
  /** General registers that operands may name. */
  readonly registers: readonly number[];
  /** Values of ModRM.rm that address memory, with an 8-bit displacement. */
  readonly bases: readonly number[];
}

const SEGMENTS = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
const PREFIX_BYTE = { any: 0, NP: 0, "66": 0x66, F3: 0xf3, F2: 0xf2 } as const;
const PP = { any: 0, NP: 0, "66": 1, F3: 2, F2: 3 } as const;
const MAP_BYTES = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]];
const GENERAL = new Set(["E", "G", "R", "M", "Z", "B"]);
const VEX_MAPS = 4;
const MAX_LENGTH = 15;

/** Whether 66 is what asks for this operand size. */
function needsOperandPrefix({ mode, width, form, row }: TableForm): boolean {
  if (!(row.widths ?? form.widths).includes(16) || form.prefix === "66") return false;
  return mode === MODE_16 ? width === 32 : width === 16;
}

/** Whether REX.W or VEX.W is what asks for it: 1, or 0 where it has to be clear, or -1 where it does not matter. */
function wOf({ mode, width, form, row }: TableForm): number {
  if (form.flags.has("w1")) return 1;
  if (form.flags.has("w0")) return 0;
  if ((row.widths ?? form.widths).length === 1 || form.flags.has("f64")) return -1;
  if (width !== 64) return mode === MODE_64 ? 0 : -1;
  return form.flags.has("d64") ? -1 : 1;
}

function legacyPrefixes(entry: TableForm, bytes: number[], random: Random, rare: boolean): void {
  const { form, row, mode, memory } = entry;
  if (rare && random.oneIn(10)) bytes.push(random.pick(SEGMENTS));
  if (rare && random.oneIn(mode === MODE_64 ? 12 : 8)) bytes.push(random.pick([0x64, 0x65]));
  if (rare && random.oneIn(mode === MODE_64 ? 10 : 5)) bytes.push(0x67);
  if (entry.locked || (rare && random.oneIn(40))) bytes.push(0xf0);
  const sizes = needsOperandPrefix(entry);
  const prefix = PREFIX_BYTE[form.prefix];
  if (sizes || (rare && prefix !== 0x66 && random.oneIn(form.prefix === "NP" ? 48 : 20))) bytes.push(0x66);
  if (row.group === "string" ? random.oneIn(2) : rare && form.prefix === "any" && random.oneIn(24))
    bytes.push(random.pick([0xf2, 0xf3]));
  if (prefix) bytes.push(prefix);
  if (mode !== MODE_64) return;
  const w = wOf(entry);
  // Where registers are limited, those that address memory are.
  const extension = (random.oneIn(2) ? random.below(8) : 0) & (memory && !rare ? 4 : 7);
  const rex = extension | (w < 0 ? random.below(2) << 3 : w << 3);
  if (rex || random.oneIn(3)) bytes.push(0x40 | (form.flags.has("b0") ? rex & ~1 : rex));
}

function vexPrefix(entry: TableForm, bytes: number[], random: Random, limits: Limits | undefined): void {
  const { form, mode, memory } = entry;
  const is64 = mode === MODE_64;
  // A legacy prefix that selects, or REX, makes it #UD.
  if (!limits && random.oneIn(64)) bytes.push(random.pick([0x66, 0xf2, 0xf3, 0xf0, is64 ? 0x48 : 0x66]));
  else if (!limits && random.oneIn(10)) bytes.push(random.pick([...SEGMENTS, 0x67]));
  const takesV = form.operands.some((o) => o.kind === "H" || o.kind === "B");
  let inverted = takesV || random.oneIn(24) ? random.below(16) : 15;
  if (limits) inverted = takesV ? 15 - random.pick(limits.registers) : 15;
  // Outside 64-bit code the top bit tells VEX from LES and LDS.
  if (!is64) inverted |= 8;
  const l = form.flags.has("l0") ? 0 : form.flags.has("l1") ? 1 : random.below(2);
  const w = wOf(entry);
  const last = (inverted << 3) | ((random.oneIn(32) ? 1 - l : l) << 2) | PP[form.prefix];
  const rxb = (is64 && random.oneIn(2) ? random.below(8) : 0) & (memory && limits ? 4 : 7);
  if (form.map === VEX_MAPS && w < 1 && !(rxb & 3) && random.oneIn(2)) {
    bytes.push(0xc5, (rxb & 4 ? 0 : 0x80) | last);
    return;
  }
  const wBit = w < 0 || random.oneIn(32) ? random.below(2) : w;
  bytes.push(0xc4, ((~rxb & 7) << 5) | (form.map - VEX_MAPS + 1), (wBit << 7) | last);
}

function modrm(entry: TableForm, bytes: number[], random: Random, limits: Limits | undefined): void {
  const { form, memory, mode } = entry;
  const general = (n: number): number => (limits && n < 0 ? random.pick(limits.registers) & 7 : n);
  const named = (kind: "reg" | "rm"): boolean =>
    form.operands.some((o) => GENERAL.has(o.kind) && (o.kind === "G") === (kind === "reg"));
  const reg = form.digit >= 0 ? form.digit : named("reg") && limits ? general(-1) : random.below(8);
  if (!memory) {
    const rm = form.rm >= 0 ? form.rm : named("rm") && limits ? general(-1) : random.below(8);
    bytes.push(0xc0 | (reg << 3) | rm);
    return;
  }
  if (limits) {
    bytes.push(0x40 | (reg << 3) | random.pick(limits.bases), (random.below(64) - 32) & 0xff);
    return;
  }
  const mod = random.pick([0, 1, 1, 2]);
  const isVector = form.map >= VEX_MAPS && isGather(shapeOf(Uint8Array.from(bytes), mode));
  const rm = isVector && !random.oneIn(16) ? 4 : random.below(8);
  bytes.push((mod << 6) | (reg << 3) | rm);
  const { addressSize } = shapeOf(Uint8Array.from(bytes), mode);
  drawAddress(bytes, mod, rm, addressSize, random);
}

const EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x1f, 0x20, 0x21, 0x3f, 0x40, 0x0f, 0x10];

function immediate(form: Form, bytes: number[], size: number, random: Random): void {
  // Branches mostly stay in the code window.
  const near = form.operands.some((o) => o.kind === "J") && random.oneIn(2);
  const edge = near || random.oneIn(3) ? random.pick(EDGES) : -1;
  const fill = edge >= 0x80 ? 0xff : 0;
  for (let i = 0; i < size; i++) bytes.push(edge < 0 ? random.u32() >>> 24 : i === 0 ? edge : fill);
}

/** The bytes of one instruction, drawn for a form of the table. They may come to be another one's: of a prefix that is
 * one too many, or an encoding that the processor reads otherwise. Undefined where they are too many. */
export function drawTableCode(entry: TableForm, random: Random, limits?: Limits): Uint8Array | undefined {
  const { form, mode } = entry;
  const bytes: number[] = [];
  const rare = limits === undefined;
  if (form.map >= VEX_MAPS) vexPrefix(entry, bytes, random, limits);
  else {
    legacyPrefixes(entry, bytes, random, rare);
    bytes.push(...MAP_BYTES[form.map]!);
  }
  const spread = form.plusR && !form.flags.has("b0");
  const low = limits ? random.pick(limits.registers) & 7 : random.below(8);
  bytes.push(form.opcode + (spread ? low : 0));
  if (form.modrm) modrm(entry, bytes, random, limits);
  immediate(form, bytes, shapeOf(Uint8Array.from(bytes), mode).immediateSize, random);
  // Fifteen bytes are the limit: #GP beyond, seldom tried.
  if (bytes.length > MAX_LENGTH && !random.oneIn(4)) return undefined;
  return Uint8Array.from(bytes);
}
