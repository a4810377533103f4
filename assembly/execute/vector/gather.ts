// Gathers: elements from addresses that a vector register gives, one by one. What has been loaded before a fault stays
// loaded, and its mask is clear, so that the instruction goes on from there. As on AMD's processors alignment is not
// checked. SDM volume 2, VPGATHERDD, VGATHERDPS.
import { CPU_EFLAGS, CPU_SCRATCH2 } from "../../layout";
import { cpu, fault, FAULT_EXCEPTION, FLAG_TF, raise, UD } from "../../cpu";
import { addressSize, R_SCALE, R_SEGNO, record } from "../../decode/record";
import { ptrRead } from "../../mmu/block";
import { cutOffset, linear, offsetChecked } from "../address";
import { resumeLater } from "../request";
import { xmmAddress } from "../vector-registers";

// @ts-ignore: decorator
@inline function chosen(mask: usize, i: i32, size: i32): bool {
  return (load<u8>(mask + (i + 1) * size - 1) & 0x80) != 0;
}

/**
 * Loads element i of `size` bytes (4 or 8) from the operand's address plus index i, of `indexSize` bytes, times the
 * scale, where the mask's element i has its top bit set; `count` elements. #UD unless the three registers differ.
 */
export function gather(register: u32, index: u32, mask: u32, size: i32, indexSize: i32, count: i32): void {
  if (register == index || register == mask || index == mask) {
    raise(UD);
    return;
  }
  const by = xmmAddress(mask);
  const result = cpu + CPU_SCRATCH2;
  memory.copy(result, xmmAddress(register), 32);
  let done = 0;
  let loaded = 0;
  for (; done < count; done++) {
    if (!chosen(by, done, size)) continue;
    const from = element(xmmAddress(index) + done * indexSize, indexSize, size);
    if (!from) break;
    memory.copy(result + done * size, from, size);
    loaded++;
  }
  // An exit to the host comes back to the first element, whose accesses are answered then.
  if (fault && fault != FAULT_EXCEPTION) return;
  const to = xmmAddress(register);
  if (fault) {
    memory.copy(to, result, 32);
    memory.fill(by, 0, done * size);
    // A single step is a trap of what has been loaded, and precedes the fault of what has not.
    if (loaded && load<u32>(cpu, CPU_EFLAGS) & FLAG_TF) resumeLater();
    return;
  }
  const bytes = count * size;
  memory.fill(result + bytes, 0, 32 - bytes);
  memory.copy(to, result, 32);
  memory.fill(by, 0, 32);
}

/** Host address of one element; 0: fault set. */
function element(index: usize, indexSize: i32, size: i32): usize {
  const by = indexSize == 4 ? <u64><i64>load<i32>(index) : load<u64>(index);
  const offset = cutOffset(offsetChecked(record) + (by << <u64>load<u8>(record, R_SCALE)), addressSize());
  const address = linear(load<u8>(record, R_SEGNO), offset, size, false);
  return fault ? 0 : ptrRead(address, size);
}
