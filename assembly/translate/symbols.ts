// Where addresses come from: a symbol is a root, which stands for registers as they were at some place of a block, and an
// offset from it. Two symbols of one root are as far apart as their offsets.
import { cpu, RSP } from "../cpu";
import { EA_MOFFS, EA_SIZE_SHIFT, immediateOf, R_BASE, R_DISP, R_EA, R_INDEX, R_SEGMENT, scaleOf } from "../decode/record";
import { CPU_TRACE_RIP, CPU_ZERO } from "../layout";
import { code64 } from "./code-mode";
import { TR_SPAN_REGISTERS, TR_SPAN_ROOTS, TR_SPAN_VALUES } from "./layout";

/** Displacements beyond this are not reckoned with. */
const OFFSET_MAX: i64 = 0x1_0000_0000;
/** Address sizes. */
const WIDE: u32 = 2;
const NARROW: u32 = 1;
/** Widths of whole registers. */
const FULL_64: u32 = 3;
const FULL_32: u32 = 2;

/** Root of addresses that are known numbers, and of those known from where the region lies. */
const ROOT_ZERO: u32 = 1;
const ROOT_BASE: u32 = 2;

let roots: u32 = 0;
/** Root of the stack pointer. */
let stackRoot: u32 = 0;
/** Sums of registers that roots stand for. */
let sums: u32 = 0;

// A symbol in memory: u32 root, 0: unknown; i64 offset.
// @ts-ignore: decorator
@inline export function registerAt(index: u32): usize {
  return cpu + TR_SPAN_REGISTERS + (<usize>index << 4);
}
// @ts-ignore: decorator
@inline export function valueAt(number: u32): usize {
  return cpu + TR_SPAN_VALUES + (<usize>number << 4);
}
/** The symbol at hand. */
export let symbolRoot: u32 = 0;
export let symbolOffset: i64 = 0;

export function take(from: usize): void {
  symbolRoot = load<u32>(from);
  symbolOffset = load<i64>(from, 8);
}
export function put(to: usize): void {
  if (symbolOffset > OFFSET_MAX || symbolOffset < -OFFSET_MAX) symbolRoot = 0;
  store<u32>(to, symbolRoot);
  store<i64>(to, symbolOffset, 8);
}
export function unknown(): void {
  symbolRoot = 0;
  symbolOffset = 0;
}
export function fresh(): void {
  symbolRoot = ++roots;
  symbolOffset = 0;
}

/** A register gets the symbol; one that is not known is a root. */
export function putRegister(index: u32): void {
  if (!symbolRoot) fresh();
  put(registerAt(index));
}

/** The root of registers added up: each time the same. */
function rootOfSum(a: u32, b: u32, shift: u32, segment: u32): u32 {
  const key = (<u64>a << 40) | (<u64>b << 16) | (<u64>shift << 12) | segment;
  for (let i: u32 = 0; i < sums; i++) {
    const at = cpu + TR_SPAN_ROOTS + (<usize>i << 4);
    if (load<u64>(at) == key) return load<u32>(at, 8);
  }
  const root = ++roots;
  if (sums < 64) {
    const at = cpu + TR_SPAN_ROOTS + (<usize>sums << 4);
    store<u64>(at, key);
    store<u32>(at, root, 8);
    sums++;
  }
  return root;
}

/** The address of a record's memory operand, or its offset without its segment; `blockDelta`: displacement of its block. */
export function takeAddress(record: usize, blockDelta: i32, withSegment: bool): void {
  const size = (<u32>load<u8>(record, R_EA) >> EA_SIZE_SHIFT) & 3;
  if (load<u8>(record, R_EA) && size != (code64 ? WIDE : NARROW)) return unknown();
  const segment = code64 && withSegment ? <u32>load<u8>(record, R_SEGMENT) : <u32>CPU_ZERO;
  if (load<u8>(record, R_EA) & EA_MOFFS) {
    symbolRoot = ROOT_ZERO;
    symbolOffset = immediateOf(record);
  } else {
    const base = <u32>load<u8>(record, R_BASE);
    const index = <u32>load<u8>(record, R_INDEX);
    symbolOffset = load<i32>(record, R_DISP);
    symbolRoot = ROOT_ZERO;
    if (base == CPU_TRACE_RIP) {
      symbolRoot = ROOT_BASE;
      symbolOffset += blockDelta;
    } else if (base != CPU_ZERO) {
      symbolRoot = load<u32>(registerAt(base >> 3));
      symbolOffset += load<i64>(registerAt(base >> 3), 8);
    }
    if (index != CPU_ZERO) {
      const scale = scaleOf(record);
      symbolRoot = rootOfSum(symbolRoot, load<u32>(registerAt(index >> 3)), scale, CPU_ZERO);
      symbolOffset += load<i64>(registerAt(index >> 3), 8) << scale;
    }
  }
  if (segment != CPU_ZERO) symbolRoot = rootOfSum(symbolRoot, 0, 0, segment);
}

/** Nothing is known of any register: each is a root. */
export function forgetSymbols(): void {
  roots = ROOT_BASE;
  sums = 0;
  for (let i: u32 = 0; i < 16; i++) {
    fresh();
    put(registerAt(i));
  }
  stackRoot = load<u32>(registerAt(RSP));
}

/** Adds a number to the symbol at hand. */
export function moveBy(bytes: i64): void {
  symbolOffset += bytes;
}

/** Whether the symbol at hand is a place on the stack, or an address that is always the same. */
export function staysInPlace(): bool {
  return symbolRoot == stackRoot || symbolRoot <= ROOT_BASE;
}

/** Whether width w is that of a whole register. */
export function isFull(w: u32): bool {
  return w == (code64 ? FULL_64 : FULL_32);
}
