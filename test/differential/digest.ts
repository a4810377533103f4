// Sixteen bits of everything about a result that is defined: what a recorded vector keeps of it.
import {
  CASE_MODE,
  type Case,
  codeOf,
  DATA_WINDOW,
  MODE_64,
  RESULT_CR2,
  RESULT_EFLAGS,
  RESULT_ERROR,
  RESULT_FCW,
  RESULT_FSW,
  RESULT_FTW,
  RESULT_GPR,
  RESULT_MXCSR,
  RESULT_RIP,
  RESULT_VECTOR,
  type Result,
} from "./case.ts";
import {
  COMPARED_FLAGS,
  definedBytes,
  hasCompleted,
  hasErrorCode,
  initialWord,
  memoryOf,
  operandAddress,
  x87Of,
  ymmOf,
} from "./compare.ts";
import { shapeOf } from "./shape.ts";
import { undefinedAfter, undefinedAfterFault, undefinedOrUnfetched } from "./undefined.ts";

let state = 0;

/** FNV-1a over 32-bit words, with a shift so that high bits reach low ones. */
function mix(word: number): void {
  state = Math.imul(state ^ word, 0x01000193);
  state ^= state >>> 15;
}

/** The digest of a result, undefined bits left out. */
export function digest(test: Case, result: Result): number {
  const { view, bytes } = result;
  const shape = shapeOf(codeOf(test), test.bytes[CASE_MODE]!);
  const vector = bytes[RESULT_VECTOR]!;
  const completed = hasCompleted(test, result);
  const free = completed ? undefinedAfter(shape, test) : undefinedAfterFault(shape);
  const is64 = shape.mode === MODE_64;
  state = 0x811c9dc5;
  if (undefinedOrUnfetched(shape, test, result)) return 0;
  const either = free.eitherFault && hasErrorCode(vector);
  mix(either ? 0 : vector);
  if (hasErrorCode(vector) && !either) {
    const kernelHalf = vector === 14 && (view.getUint8(RESULT_CR2 + 7) & 0x80) !== 0;
    mix(view.getUint32(RESULT_ERROR, true) & (kernelHalf ? ~1 : ~0));
    if (vector === 14) {
      mix(view.getUint32(RESULT_CR2, true));
      mix(view.getUint32(RESULT_CR2 + 4, true));
    }
  }
  mix(view.getUint32(RESULT_RIP, true));
  mix(view.getUint32(RESULT_RIP + 4, true));
  mix(view.getUint32(RESULT_EFLAGS, true) & COMPARED_FLAGS & ~free.flags);
  mix(view.getUint16(RESULT_FCW, true));
  mix(view.getUint16(RESULT_FSW, true) & ~free.fsw);
  mix(bytes[RESULT_FTW]!);
  mix(view.getUint32(RESULT_MXCSR, true));
  if (!free.result && !free.partial) {
    for (let i = 0; i < (is64 ? 16 : 8); i++) {
      mix(view.getUint32(RESULT_GPR + i * 8, true));
      if (is64) mix(view.getUint32(RESULT_GPR + i * 8 + 4, true));
    }
    const at = free.memory.length ? operandAddress(test, shape) - DATA_WINDOW : 0;
    const words = [...memoryOf(result)].sort(([a], [b]) => a - b);
    for (const [offset, after] of words) {
      let value = after;
      if (free.memory.length) {
        const mask = definedBytes(free, offset - at);
        value &= mask;
        // Whether only undefined bytes changed is not to be seen.
        if (value === (initialWord(test, offset) & mask)) continue;
      }
      mix(offset);
      mix(Number(value & 0xffffffffn));
      mix(Number(value >> 32n));
    }
  }
  for (const [[block, at], count, stride, length] of [
    [x87Of(test, result), free.approximate ? 0 : 8, 16, 10],
    [ymmOf(test, result), free.reciprocal ? 0 : 16, 32, 32],
  ] as const) {
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < length; j += 2) mix(block[at + i * stride + j]! | (block[at + i * stride + j + 1]! << 8));
    }
  }
  return (state ^ (state >>> 16)) & 0xffff;
}
