// The dirty log (KVM_GET_DIRTY_LOG): which pages of a slot were written since it was last asked for.
//
// VM_DIRTY_PAGES has a byte a page of guest RAM. In a slot that logs, a page has write tags only
// while its byte is set. The byte belongs to the RAM: where two slots share memory, they share the log.
import {
  REQ_TLB_FLUSH, SLOT_ENTRY_SIZE, SLOT_FLAGS, SLOT_HOST, SLOT_SIZE, VM_DIRTY_PAGES, VM_MAX_SLOTS, VM_RAM_BASE, VM_SLOTS,
} from "../layout";
import { requestAll } from "./shootdown";
import { EINVAL, ENOENT, KVM_MEM_LOG_DIRTY_PAGES } from "./slots";

/** Address of the dirty byte of the page that holds RAM byte `host`. */
// @ts-ignore: decorator
@inline export function dirtyByte(host: usize): usize {
  return <usize>load<u32>(VM_DIRTY_PAGES) + ((host - load<u32>(VM_RAM_BASE)) >>> 12);
}

/**
 * KVM_GET_DIRTY_LOG: stores the bitmap of slot `id` at `out`, bit i % 8 of byte i / 8 for page i, its size
 * rounded up to 8 bytes, and starts over. Returns 0; EINVAL: no such slot number; ENOENT: the slot is
 * free or keeps no log.
 */
export function dirtyLog(id: u32, out: usize): i32 {
  if (id >= <u32>VM_MAX_SLOTS) return EINVAL;
  const slot: usize = VM_SLOTS + id * SLOT_ENTRY_SIZE;
  const pages = <u32>(load<u64>(slot, SLOT_SIZE) >> 12);
  if (!pages || !(load<u32>(slot, SLOT_FLAGS) & KVM_MEM_LOG_DIRTY_PAGES)) return ENOENT;
  const bytes = dirtyByte(load<u32>(slot, SLOT_HOST));
  let any: u64 = 0;
  for (let i: u32 = 0; i < pages; i += 64) {
    const word = takeWord(bytes + i, min<u32>(64, pages - i));
    store<u64>(out + (i >> 3), word);
    any |= word;
  }
  // A vCPU that still has a write tag writes before this returns, so before anyone reads the pages.
  if (any) requestAll(REQ_TLB_FLUSH);
  return 0;
}

/** Takes up to 64 dirty bytes as bits, and clears them. */
function takeWord(bytes: usize, pages: u32): u64 {
  let word: u64 = 0;
  let i: u32 = 0;
  while (i < pages) {
    if (i + 8 <= pages && load<u64>(bytes + i) == 0) {
      i += 8;
      continue;
    }
    if (load<u8>(bytes + i) && atomic.xchg<u8>(bytes + i, 0)) word |= (<u64>1) << i;
    i++;
  }
  return word;
}
