// Compares what two processors made of a case, leaving out what the manuals leave undefined.
import {
  BLOCK_X87,
  BLOCK_YMM,
  CASE_CODE_OFFSET,
  CASE_CS,
  CASE_DS,
  CASE_ES,
  CASE_FS,
  CASE_GPR,
  CASE_GS,
  CASE_MODE,
  CASE_OPTIONS,
  CASE_PATCH_COUNT,
  CASE_PATCHES,
  CASE_SS,
  CASE_X87,
  CASE_YMM,
  type Case,
  CODE_BASE,
  codeBaseOf,
  codeOf,
  DATA_WINDOW,
  FS_BASE,
  GS_BASE,
  MODE_64,
  OPTION_NO_STEP,
  OPTION_SEQUENCE,
  PATCH_SIZE,
  RESULT_BLOCKS,
  RESULT_CHANGED,
  RESULT_CR2,
  RESULT_EFLAGS,
  RESULT_ERROR,
  RESULT_FCW,
  RESULT_FSW,
  RESULT_FTW,
  RESULT_GPR,
  RESULT_MXCSR,
  RESULT_RIP,
  RESULT_SIZE,
  RESULT_VECTOR,
  type Result,
  segmentOf,
} from "./case.ts";
import { type Shape, shapeOf } from "./shape.ts";
import { baseImage } from "./state.ts";
import { type Undefined, undefinedAfter, undefinedAfterFault, undefinedOrUnfetched } from "./undefined.ts";

export const GPR_NAMES = [
  "rax",
  "rcx",
  "rdx",
  "rbx",
  "rsp",
  "rbp",
  "rsi",
  "rdi",
  "r8",
  "r9",
  "r10",
  "r11",
  "r12",
  "r13",
  "r14",
  "r15",
];

/** One thing that differs. */
export interface Difference {
  field: string;
  expected: string;
  actual: string;
}

/** Vector of a case that completed. */
export const SINGLE_STEP = 1;
const BREAKPOINT = 3;
/** Status, TF, DF, IOPL, NT, AC, VIF, VIP, ID; IF is always set, RF is the handler's. */
export const COMPARED_FLAGS = 0x3e7fd5 & ~0x10000;

/** Vectors that push an error code (SDM volume 3, table 6-1). */
export function hasErrorCode(vector: number): boolean {
  return vector === 8 || (vector >= 10 && vector <= 14) || vector === 17;
}

const hex = (value: number | bigint, width = 0): string => value.toString(16).padStart(width, "0");

/** Where a result holds the x87 registers: [bytes, offset]. */
export function x87Of(test: Case, result: Result): [Uint8Array, number] {
  return result.bytes[RESULT_BLOCKS]! & BLOCK_X87 ? [result.bytes, RESULT_SIZE] : [test.bytes, CASE_X87];
}

/** Where a result holds the YMM registers. */
export function ymmOf(test: Case, result: Result): [Uint8Array, number] {
  const blocks = result.bytes[RESULT_BLOCKS]!;
  return blocks & BLOCK_YMM ? [result.bytes, RESULT_SIZE + (blocks & BLOCK_X87 ? 128 : 0)] : [test.bytes, CASE_YMM];
}

/** Changed words of memory by offset from DATA_WINDOW. */
export function memoryOf(result: Result): Map<number, bigint> {
  const words = new Map<number, bigint>();
  const blocks = result.bytes[RESULT_BLOCKS]!;
  let at = RESULT_SIZE + (blocks & BLOCK_X87 ? 128 : 0) + (blocks & BLOCK_YMM ? 512 : 0);
  for (let i = result.view.getUint16(RESULT_CHANGED, true); i > 0; i--, at += 12) {
    words.set(result.view.getUint32(at, true) * 8, result.view.getBigUint64(at + 4, true));
  }
  return words;
}

/** Linear address of the ModRM memory operand, or -1. */
export function operandAddress(test: Case, shape: Shape): number {
  if (!shape.memory) return -1;
  const register = (n: number): bigint => (n < 0 || n > 15 ? 0n : test.view.getBigUint64(CASE_GPR + n * 8, true));
  let offset = register(shape.base) + register(shape.index) * BigInt(shape.scale) + BigInt(shape.displacement);
  if (shape.base === 16) {
    offset += BigInt(codeBaseOf(test.view.getUint16(CASE_CS, true)) + test.view.getUint16(2, true) + shape.length);
  }
  offset = BigInt.asUintN(shape.addressSize * 8, offset);
  const number =
    shape.segment >= 0 && !(shape.mode === MODE_64 && shape.segment < 4)
      ? shape.segment
      : shape.base === 5 || shape.base === 4
        ? 2
        : 3;
  const field = [CASE_ES, CASE_CS, CASE_SS, CASE_DS, CASE_FS, CASE_GS][number]!;
  const base =
    shape.mode === MODE_64
      ? number === 4
        ? FS_BASE
        : number === 5
          ? GS_BASE
          : 0
      : (segmentOf(test.view.getUint16(field, true))?.base ?? 0);
  const linear = offset + BigInt(base);
  return linear > 0xffffffffn ? -1 : Number(linear);
}

const SAME: Difference[] = [];
/** The one page of the upper half that Linux has programs execute: its kernel answers there, for calls of old. */
const VSYSCALL_PAGE = 0xffffffffff600000n;
const PAGE_SHIFT = 12n;
const MXCSR_MISALIGNED = 0x20000;
/** x87 condition codes. */
const X87_CONDITIONS = 0x4700;

/** Whether the case's one instruction has done all it does: unstepped, what raised the vector is the next one. */
export function hasCompleted(test: Case, result: Result): boolean {
  const vector = result.bytes[RESULT_VECTOR];
  if (vector === SINGLE_STEP || (test.bytes[CASE_OPTIONS]! & OPTION_NO_STEP) === 0) return vector === SINGLE_STEP;
  const flat = codeBaseOf(test.view.getUint16(CASE_CS, true)) === 0;
  const start = test.view.getUint16(CASE_CODE_OFFSET, true) + (flat ? CODE_BASE : 0);
  return vector === BREAKPOINT || result.view.getUint32(RESULT_RIP, true) !== start;
}

/** Whether both went on to the page that is there under the host's kernel alone, which raises what it likes. */
function fetchVsyscall(...results: readonly Result[]): boolean {
  return results.every(({ view }) => view.getBigUint64(RESULT_RIP, true) >> PAGE_SHIFT === VSYSCALL_PAGE >> PAGE_SHIFT);
}

/** Lists what differs between the expected and the actual result. `shape`: that of the case, where it is known. */
export function compare(
  test: Case,
  expected: Result,
  actual: Result,
  shape: Shape = shapeOf(codeOf(test), test.bytes[CASE_MODE]!),
): Difference[] {
  // One vendor's processors let MXCSR allow misaligned operands; wkvm does not offer it.
  if (expected.view.getUint32(RESULT_MXCSR, true) & MXCSR_MISALIGNED) return SAME;
  if (fetchVsyscall(expected, actual)) return SAME;
  const sequence = (test.bytes[CASE_OPTIONS]! & OPTION_SEQUENCE) !== 0;
  const completed = hasCompleted(test, expected);
  const isUndefined = actual.bytes[RESULT_VECTOR] === 6 || expected.bytes[RESULT_VECTOR] === 6;
  if (isUndefined && undefinedOrUnfetched(shape, test, expected) && undefinedOrUnfetched(shape, test, actual))
    return SAME;
  let free = undefinedAfterFault(shape);
  // A sequence runs to a trap of its own; of the flags only AF may be undefined at its end.
  if (sequence) free = { ...free, flags: 0x10, fsw: X87_CONDITIONS, eitherFault: false, partial: false };
  else if (completed) free = undefinedAfter(shape, test);
  return compareMasked(test, expected, actual, free, shape);
}

function compareMasked(test: Case, expected: Result, actual: Result, free: Undefined, shape: Shape): Difference[] {
  let found = SAME;
  const note = (field: string, a: string, b: string): void => {
    if (found === SAME) found = [];
    found.push({ field, expected: a, actual: b });
  };
  const e = expected.view;
  const a = actual.view;
  const vector = expected.bytes[RESULT_VECTOR]!;
  const faulted = (v: number): boolean => v === 12 || v === 13 || v === 14 || v === 17;
  if (free.eitherFault && faulted(vector) && faulted(actual.bytes[RESULT_VECTOR]!)) {
    // One of the two faults, whichever.
  } else if (vector !== actual.bytes[RESULT_VECTOR]) {
    note(
      "vector",
      `${vector} error ${hex(e.getUint32(RESULT_ERROR, true))}`,
      `${actual.bytes[RESULT_VECTOR]} error ${hex(a.getUint32(RESULT_ERROR, true))}`,
    );
  } else if (hasErrorCode(vector)) {
    let ignore = 0;
    // Linux sets the present bit for every fault in the kernel's half.
    if (vector === 14 && e.getUint8(RESULT_CR2 + 7) & 0x80) ignore = 1;
    const want = e.getUint32(RESULT_ERROR, true) & ~ignore;
    const got = a.getUint32(RESULT_ERROR, true) & ~ignore;
    if (want !== got) note("error", hex(want), hex(got));
    if (vector === 14 && e.getBigUint64(RESULT_CR2, true) !== a.getBigUint64(RESULT_CR2, true)) {
      note("cr2", hex(e.getBigUint64(RESULT_CR2, true)), hex(a.getBigUint64(RESULT_CR2, true)));
    }
  }
  if (
    e.getUint32(RESULT_RIP, true) !== a.getUint32(RESULT_RIP, true) ||
    e.getUint32(RESULT_RIP + 4, true) !== a.getUint32(RESULT_RIP + 4, true)
  ) {
    note("rip", hex(e.getBigUint64(RESULT_RIP, true)), hex(a.getBigUint64(RESULT_RIP, true)));
  }
  const mask = COMPARED_FLAGS & ~free.flags;
  const flagsDiffer = (e.getUint32(RESULT_EFLAGS, true) ^ a.getUint32(RESULT_EFLAGS, true)) & mask;
  if (flagsDiffer) {
    note(
      `eflags.${hex(flagsDiffer)}`,
      hex(e.getUint32(RESULT_EFLAGS, true) & mask),
      hex(a.getUint32(RESULT_EFLAGS, true) & mask),
    );
  }
  if (!free.result && !free.partial) registers(test, e, a, note);
  for (const [name, at, ignore] of [
    ["fcw", RESULT_FCW, 0],
    ["fsw", RESULT_FSW, free.fsw],
  ] as const) {
    const want = e.getUint16(at, true) & ~ignore;
    const got = a.getUint16(at, true) & ~ignore;
    if (want !== got) note(name, hex(want), hex(got));
  }
  if (expected.bytes[RESULT_FTW] !== actual.bytes[RESULT_FTW]) {
    note("ftw", hex(expected.bytes[RESULT_FTW]!), hex(actual.bytes[RESULT_FTW]!));
  }
  if (e.getUint32(RESULT_MXCSR, true) !== a.getUint32(RESULT_MXCSR, true)) {
    note("mxcsr", hex(e.getUint32(RESULT_MXCSR, true)), hex(a.getUint32(RESULT_MXCSR, true)));
  }
  wide(test, expected, actual, free, note);
  if (!free.result) memory(test, expected, actual, free, shape, note);
  return found;
}

type Note = (field: string, expected: string, actual: string) => void;

function registers(test: Case, e: DataView, a: DataView, note: Note): void {
  const is64 = test.bytes[CASE_MODE] === MODE_64;
  for (let i = 0; i < (is64 ? 16 : 8); i++) {
    const at = RESULT_GPR + i * 8;
    const same =
      e.getUint32(at, true) === a.getUint32(at, true) &&
      (!is64 || e.getUint32(at + 4, true) === a.getUint32(at + 4, true));
    if (!same) note(GPR_NAMES[i]!, hex(e.getBigUint64(at, true), 16), hex(a.getBigUint64(at, true), 16));
  }
}

function wide(test: Case, expected: Result, actual: Result, free: Undefined, note: Note): void {
  const compareRows = (
    name: string,
    [x, from]: [Uint8Array, number],
    [y, to]: [Uint8Array, number],
    count: number,
    stride: number,
    length: number,
  ): void => {
    if (x === y) return;
    for (let i = 0; i < count; i++) {
      for (let j = length - 1; j >= 0; j--) {
        if (x[from + i * stride + j] === y[to + i * stride + j]) continue;
        if (free.approximate && name === "st" && lastPlace(x, from + i * stride, y, to + i * stride)) break;
        if (free.reciprocal && name === "ymm" && nearSingles(x, from + i * stride, y, to + i * stride, length)) break;
        note(`${name}${i}`, bytesHex(x, from + i * stride, length), bytesHex(y, to + i * stride, length));
        break;
      }
    }
  };
  compareRows("st", x87Of(test, expected), x87Of(test, actual), 8, 16, 10);
  compareRows("ymm", ymmOf(test, expected), ymmOf(test, actual), 16, 32, 32);
}

function memory(test: Case, expected: Result, actual: Result, free: Undefined, shape: Shape, note: Note): void {
  if (!expected.view.getUint16(RESULT_CHANGED, true) && !actual.view.getUint16(RESULT_CHANGED, true)) return;
  const want = memoryOf(expected);
  const got = memoryOf(actual);
  const at = free.memory.length ? operandAddress(test, shape) - DATA_WINDOW : 0;
  for (const offset of new Set([...want.keys(), ...got.keys()])) {
    const x = want.get(offset);
    const y = got.get(offset);
    if (x === y) continue;
    if (free.memory.length) {
      const before = initialWord(test, offset);
      if ((((x ?? before) ^ (y ?? before)) & definedBytes(free, offset - at)) === 0n) continue;
    }
    note(`mem+${hex(offset)}`, x === undefined ? "unchanged" : hex(x, 16), y === undefined ? "unchanged" : hex(y, 16));
  }
}

/** Mask of the bytes at `offset` into the memory operand that are defined. */
export function definedBytes(free: Undefined, offset: number): bigint {
  let mask = 0n;
  for (let i = 0; i < 8; i++) {
    const byte = offset + i;
    if (!free.memory.some(([from, to]) => byte >= from && byte < to)) mask |= 0xffn << BigInt(8 * i);
  }
  return mask;
}

const base = new DataView(baseImage().buffer);

/** The word at an offset from DATA_WINDOW before the case. */
export function initialWord(test: Case, offset: number): bigint {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigUint64(0, base.getBigUint64(offset, true), true);
  for (let n = 0; n < test.view.getUint16(CASE_PATCH_COUNT, true); n++) {
    const at = CASE_PATCHES + n * PATCH_SIZE;
    const from = test.view.getUint32(at, true) - DATA_WINDOW;
    const length = test.view.getUint32(at + 4, true);
    for (let i = 0; i < 8; i++) {
      const index = offset + i - from;
      if (index >= 0 && index < length) bytes.setUint8(i, test.bytes[at + 8 + index]!);
    }
  }
  return bytes.getBigUint64(0, true);
}

/** RCPPS and RSQRTPS are within 1.5 * 2^-12 of the true value (SDM volume 2), so of one another within twice that. */
const RECIPROCAL_TOLERANCE = 3 / 4096;

/** Whether the singles of two vector registers are the same, or finite and as near as an approximation has to be. */
function nearSingles(a: Uint8Array, from: number, b: Uint8Array, to: number, length: number): boolean {
  const x = new DataView(a.buffer, a.byteOffset + from, length);
  const y = new DataView(b.buffer, b.byteOffset + to, length);
  for (let lane = 0; lane < length; lane += 4) {
    if (x.getUint32(lane, true) === y.getUint32(lane, true)) continue;
    const [p, q] = [x.getFloat32(lane, true), y.getFloat32(lane, true)];
    if (!Number.isFinite(p) || !Number.isFinite(q) || Math.abs(p - q) > Math.abs(p) * RECIPROCAL_TOLERANCE)
      return false;
  }
  return true;
}

/** Whether two 80-bit numbers are neighbours, or the same. */
function lastPlace(a: Uint8Array, from: number, b: Uint8Array, to: number): boolean {
  const number = (bytes: Uint8Array, at: number): bigint => BigInt(`0x${bytesHex(bytes, at, 10)}`);
  const [x, y] = [number(a, from), number(b, to)];
  const sign = 1n << 79n;
  if ((x & sign) !== (y & sign)) return false;
  // As integers, exponent above significand without its integer bit, neighbours are one apart.
  const key = (value: bigint): bigint => (((value & ~sign) >> 64n) << 63n) | (value & ((1n << 63n) - 1n));
  const distance = key(x) - key(y);
  return distance >= -1n && distance <= 1n;
}

/** Bytes as one little-endian number. */
export function bytesHex(bytes: Uint8Array, at: number, length: number): string {
  let text = "";
  for (let i = length - 1; i >= 0; i--) text += hex(bytes[at + i]!, 2);
  return text;
}
