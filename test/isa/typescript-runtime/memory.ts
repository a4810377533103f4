// Guest memory: the probe of mmu/tlb.ts on halves, the core's slow paths behind it.
import { TLB_ADDEND, TLB_ENTRIES, TLB_READ, TLB_WRITE } from "../../../assembly/layout.ts";
import { call, global, I32, join, split, view, wide } from "./machine.ts";

/** Host address of `bytes` at a linear address, or 0. `tag`: TLB_READ or TLB_WRITE. */
export function probe(low: number, high: number, bytes: number, tag: number): number {
  const entry = global("mmu_tlb_tlb") + ((low >>> 7) & ((TLB_ENTRIES - 1) << 5));
  const last = (low + bytes - 1) | 0;
  const lastHigh = (high + (last >>> 0 < low >>> 0 ? 1 : 0)) | 0;
  if (I32[(entry + tag) >> 2] !== (last & ~0xfff) || I32[((entry + tag) >> 2) + 1] !== lastHigh) return 0;
  return (low + I32[(entry + TLB_ADDEND) >> 2]!) >>> 0;
}

function read(low: number, high: number, bytes: number, tag: number): number {
  const at = probe(low, high, bytes, tag);
  if (at === 0)
    return split(
      call(tag === TLB_READ ? "mmu_access_readSlow" : "mmu_access_rmwReadSlow", join(low, high), bytes) as bigint,
    );
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true);
  if (bytes === 4) return view.getInt32(at, true);
  return wide(view.getInt32(at, true), view.getInt32(at + 4, true));
}

function write(low: number, high: number, bytes: number, value: number, upper: number): boolean {
  const at = probe(low, high, bytes, TLB_WRITE);
  if (at === 0) return call("mmu_access_writeSlow", join(low, high), join(value, upper), bytes) !== 0;
  if (bytes === 1) view.setUint8(at, value);
  else if (bytes === 2) view.setUint16(at, value, true);
  else view.setInt32(at, value, true);
  if (bytes === 8) view.setInt32(at + 4, upper, true);
  return true;
}

export const load8 = (low: number, high: number): number => read(low, high, 1, TLB_READ);
export const load16 = (low: number, high: number): number => read(low, high, 2, TLB_READ);
export const load32 = (low: number, high: number): number => read(low, high, 4, TLB_READ);
export const load64 = (low: number, high: number): number => read(low, high, 8, TLB_READ);
export const modify8 = (low: number, high: number): number => read(low, high, 1, TLB_WRITE);
export const modify16 = (low: number, high: number): number => read(low, high, 2, TLB_WRITE);
export const modify32 = (low: number, high: number): number => read(low, high, 4, TLB_WRITE);
export const modify64 = (low: number, high: number): number => read(low, high, 8, TLB_WRITE);
export const store8 = (low: number, high: number, value: number): boolean => write(low, high, 1, value, 0);
export const store16 = (low: number, high: number, value: number): boolean => write(low, high, 2, value, 0);
export const store32 = (low: number, high: number, value: number): boolean => write(low, high, 4, value, 0);
export const store64 = (low: number, high: number, value: number, upper: number): boolean =>
  write(low, high, 8, value, upper);
