// Accessed and dirty bits of paging-structure entries (SDM volume 3, 4.8), set once the access is
// known to be allowed.
//
// Each is set by compare-and-exchange, since another vCPU may be changing the entry: a bit ORed
// into what has just become a swap entry would corrupt it.
import { CR4_PAE, EFER_LMA, cpu } from "../cpu";
import { CPU_CR4, CPU_EFER, SLOT_FLAGS } from "../layout";
import { ramWritten } from "./code";
import { KVM_MEM_READONLY, findSlot, slotHost } from "./slots";
import { MMU_WALK } from "./state";
import { PTE_ACCESSED, PTE_DIRTY, walkDepth } from "./walk";

/**
 * Sets A in every entry that the last walk used, and D in the last of them where `write`. Returns false
 * where an entry has changed since: the walk must be done again. In tables that lie in read-only
 * memory nothing is set, and that is no reason to try again.
 */
export function setAccessedDirty(write: bool): bool {
  const wide = ((load<u64>(cpu, CPU_EFER) & EFER_LMA) | (load<u64>(cpu, CPU_CR4) & CR4_PAE)) != 0;
  for (let i: u32 = 0; i < walkDepth; i++) {
    const at = cpu + (<usize>i << 4);
    const gpa = load<u64>(at, MMU_WALK);
    const old = load<u64>(at, MMU_WALK + 8);
    const bits: u64 = write && i + 1 == walkDepth ? PTE_ACCESSED | PTE_DIRTY : PTE_ACCESSED;
    if ((old & bits) == bits) continue;
    const slot = findSlot(gpa);
    if (!slot) return false;
    if (load<u32>(slot, SLOT_FLAGS) & KVM_MEM_READONLY) continue;
    const host = slotHost(slot, gpa);
    if (wide) {
      if (atomic.cmpxchg<u64>(host, old, old | bits) != old) return false;
      ramWritten(host, 8);
    } else {
      if (atomic.cmpxchg<u32>(host, <u32>old, <u32>(old | bits)) != <u32>old) return false;
      ramWritten(host, 4);
    }
  }
  return true;
}
