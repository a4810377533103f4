// What translated code calls for repeated MOVS and STOS: as much of a run as lies on pages that the TLB knows. The rest, and
// whatever is special about it, is for the interpreter, which finds the registers where the run has come to.
import { cpu, gpr, RAX, RCX, RDI, RSI, setGpr } from "../cpu";
import { backward, copy, fill, inPage } from "../execute/string";
import { CPU_FUEL, CPU_SLICE } from "../layout";
import { probeRead, probeWrite } from "../mmu/tlb";

/** Pages that a run may go over before the run loop looks at requests. */
const PAGES: i32 = 16;

/** Whether the instruction is traced an iteration at a time, or somebody waits for the run loop. */
// @ts-ignore: decorator
@inline function isWanted(): bool {
  return load<u32>(cpu, CPU_SLICE) == 1 || load<u32>(cpu + 4, CPU_FUEL) != 0;
}

/** Repeated MOVS of elements of `size` bytes at RSI and RDI cut by `mask`, in segments without base. 0: it is done; 1: RCX
 * elements are left. */
export function copyRun(size: u32, mask: u64): u32 {
  let left = gpr(RCX) & mask;
  let from = gpr(RSI) & mask;
  let to = gpr(RDI) & mask;
  for (let pages = PAGES; left && pages > 0 && !isWanted(); pages--) {
    const origin = probeRead(from, size);
    const target = probeWrite(to, size);
    if (!origin || !target) break;
    const run = inPage(from, size, inPage(to, size, left));
    copy(target, origin, size, run);
    const by = backward() ? 0 - run * size : run * size;
    from = (from + by) & mask;
    to = (to + by) & mask;
    left -= run;
  }
  setGpr(RSI, from);
  setGpr(RDI, to);
  setGpr(RCX, left);
  return u32(left != 0);
}

/** Repeated STOS of elements of `size` bytes at RDI; otherwise as copyRun(). */
export function fillRun(size: u32, mask: u64): u32 {
  let left = gpr(RCX) & mask;
  let to = gpr(RDI) & mask;
  for (let pages = PAGES; left && pages > 0 && !isWanted(); pages--) {
    const target = probeWrite(to, size);
    if (!target) break;
    const run = inPage(to, size, left);
    fill(target, gpr(RAX), size, run);
    to = (to + (backward() ? 0 - run * size : run * size)) & mask;
    left -= run;
  }
  setGpr(RDI, to);
  setGpr(RCX, left);
  return u32(left != 0);
}
