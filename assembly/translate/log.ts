// What -d op,out_asm is told of a region: the guest code that it was made of, block by block in the region's order.
import { cpu } from "../cpu";
import { RECORD_SIZE, T_HOST, T_MODE } from "../decode/record";
import { STEP_BYTES } from "../decode/traces";
import { trace } from "../host";
import { CPU_LOG, LOG_OP, LOG_OP_SIZE_SHIFT, LOG_OUT_ASM, MODE_CODE_MASK, VM_JIT_VERIFY } from "../layout";
import { HOW_CALL, HOW_LEAVE, howTo } from "./cases";
import { B_COUNT, B_DELTA, B_END, B_TRACE, blockAt, firstRecord, instructionCount, P_DELTA, P_HOST, pageAt, pageCount } from "./blocks";
import { orderAt, ordered } from "./order";

/** Tells the blocks of the region that was emitted last, whose base is at linear address `base`, and its slot. */
export function logRegion(base: u64, slot: u32): void {
  if (!(load<u32>(cpu, CPU_LOG) & (LOG_OP | LOG_OUT_ASM)) && !load<u32>(VM_JIT_VERIFY)) return;
  for (let position = 0; position < ordered; position++) {
    const b = blockAt(orderAt(position));
    const delta = load<i32>(b, B_DELTA);
    const length = load<i32>(b, B_END) - delta;
    const size = <u64>(load<u16>(load<u32>(b, B_TRACE), T_MODE) & MODE_CODE_MASK);
    const left = <u64>recordsBelow(b, HOW_LEAVE);
    const interpreted = <u64>recordsBelow(b, HOW_CALL);
    trace(LOG_OP, base + delta, <u64>codeOf(b, delta, length) | (left << 32), <u64>length | (size << LOG_OP_SIZE_SHIFT) | (interpreted << 32));
  }
  trace(LOG_OUT_ASM, slot, base, instructionCount);
}

/** Where the bytes of a block lie: those on two pages are gathered. */
function codeOf(b: usize, delta: i32, length: i32): usize {
  const here = 0x1000 - (delta & 0xfff);
  if (length <= here) return <usize>load<u32>(load<u32>(b, B_TRACE), T_HOST);
  const bytes = cpu + STEP_BYTES;
  memory.copy(bytes, hostOf(delta), here);
  memory.copy(bytes + here, hostOf(delta + here), length - here);
  return bytes;
}

function hostOf(delta: i32): usize {
  let i = 0;
  while (i < pageCount - 1 && load<i32>(pageAt(i), P_DELTA) != (delta & ~0xfff)) i++;
  return <usize>load<u32>(pageAt(i), P_HOST) + (delta & 0xfff);
}

/** A bit each for the instructions of a block that are done as `how` (HOW_*) or further from being in line. */
function recordsBelow(b: usize, how: u32): u32 {
  let bits: u32 = 0;
  const count = load<u32>(b, B_COUNT);
  let rec = firstRecord(b);
  for (let n: u32 = 0; n < count; n++, rec += RECORD_SIZE) if (howTo(rec) >= how) bits |= 1 << n;
  return bits;
}
