// Which branches of translated code are unlikely: the ways out. An engine that is told keeps their code and what their calls
// cost in registers out of the way of the rest. WebAssembly's branch hinting proposal: section metadata.code.branch_hint.
import { cpu } from "../cpu";
import { BATCH_MAX, TR_BATCH_COUNT, TR_HINTS, TR_HINTS_END, TR_HINTS_SIZE, TR_UNLIKELY, UNLIKELY_MAX } from "./layout";
import { at, brIf, byte, ifBlock, u32leb, u32leb5, VOID, writeAt } from "./writer";

const SECTION_CUSTOM: u32 = 0;
const UNLIKELY: u32 = 0;

let noted: u32 = 0;

export function beginHints(): void {
  noted = 0;
}

/** Notes the branch that is written next. */
function note(): void {
  if (noted == UNLIKELY_MAX) return;
  store<u32>(cpu + (<usize>noted << 2), <u32>at, TR_UNLIKELY);
  noted++;
}
/** Opens an `if` whose condition is hardly ever true. */
export function ifUnlikely(type: u32 = VOID): void {
  note();
  ifBlock(type);
}
/** Branches on a condition that is hardly ever true. */
export function brIfUnlikely(label: u32): void {
  note();
  brIf(label);
}

/** Makes offsets of the addresses noted: `moved` is what is at offset 0. */
export function settleHints(moved: u32): void {
  for (let i: u32 = 0; i < noted; i++) {
    const note = cpu + (<usize>i << 2);
    store<u32>(note, load<u32>(note, TR_UNLIKELY) - moved, TR_UNLIKELY);
  }
}

/** Keeps the hints of the function last emitted for its module; without them where there is no room. */
export function keepHints(): void {
  const from = load<u32>(cpu, TR_HINTS_END);
  // The functions that may follow have room for their counts.
  const count: u32 = from + 4 * (noted + BATCH_MAX) <= TR_HINTS_SIZE ? noted : 0;
  const to = cpu + TR_HINTS + from;
  store<u32>(to, count);
  memory.copy(to + 4, cpu + TR_UNLIKELY, 4 * count);
  store<u32>(cpu, from + 4 * (count + 1), TR_HINTS_END);
}

/** Writes the section, which comes before that of the code; `first`: number of the batch's first function. */
export function writeHints(first: u32): void {
  byte(SECTION_CUSTOM);
  const sizeAt = at;
  writeAt(at + 5);
  byte(25);
  store<u64>(at, 0x617461646174656d);
  store<u64>(at + 8, 0x72622e65646f632e);
  store<u64>(at + 16, 0x6e69685f68636e61);
  store<u8>(at + 24, 0x74);
  writeAt(at + 25);
  const functions = load<u32>(cpu, TR_BATCH_COUNT);
  u32leb(functions);
  let from = cpu + TR_HINTS;
  for (let i: u32 = 0; i < functions; i++) {
    u32leb(first + i);
    let n = load<u32>(from);
    from += 4;
    u32leb(n);
    for (; n; n--, from += 4) {
      u32leb(load<u32>(from));
      byte(1);
      byte(UNLIKELY);
    }
  }
  u32leb5(sizeAt, <u32>(at - sizeAt - 5));
}
