// From a linear address and the intended access to RAM, MMIO, or a page fault: what happens on a
// TLB miss.
import {
  CR0_PG, CR4_PAE, CR4_SMEP, EFER_NXE, GP, PF, UD, count, cpu, leave, raise, raiseError, raiseNonCanonical,
} from "../cpu";
import { KVM_EXIT_INTERNAL_ERROR, KVM_INTERNAL_ERROR_EMULATION } from "../exits";
import { trace } from "../host";
import {
  CPU_CPL, CPU_CR0, CPU_CR2, CPU_CR3, CPU_CR4, CPU_EFER, CPU_LOG, CPU_MODE, LOG_MMU, MODE_CODE64, MODE_CODE_MASK, MODE_LONG, RUN_ERROR,
  RUN_INTERNAL_DATA, SLOT_ENTRY_SIZE, SLOT_FLAGS, SLOT_GPA, SLOT_HOST, STAT_PAGE_FAULTS, STAT_TLB_MISSES, TLB_ADDEND,
  TLB_EXEC, TLB_META, TLB_READ, TLB_WRITE, VM_SLOTS,
} from "../layout";
import { setAccessedDirty } from "./accessed";
import { codeMask } from "./code";
import { alignmentChecked } from "./contexts";
import { dirtyByte } from "./dirty";
import { MAY_FETCH, MAY_READ, MAY_WRITE, deniedByKey, rightsOf } from "./rights";
import { KVM_MEM_LOG_DIRTY_PAGES, KVM_MEM_READONLY, findSlot, slotHost } from "./slots";
import { CLASS_USER, MMU_CLASS } from "./state";
import {
  META_GLOBAL, META_LOGGED, META_SHIFT, META_SLOT, META_WATCHED, META_WRITABLE, PAGE_MASK, TLB_NO_TAG, classArray,
  entryAt, fillEntry,
} from "./tlb";
import { countWrite, isRecentCode } from "./recent-code";
import { noteWrite } from "./written";
import {
  PTE_ACCESSED, PTE_DIRTY, PTE_USER, WALK_FOUND, walk, walkGlobal, walkGpa, walkIdentity, walkLeaf,
  walkRights, walkShift,
} from "./walk";
import { isWatched } from "./watch";

/** Kinds of access, by their bits of the #PF error code. */
export const ACCESS_READ: i32 = 0;
export const ACCESS_WRITE: i32 = 2;
export const ACCESS_FETCH: i32 = 16;

// #PF error code bits (SDM volume 3, 4.7).
const ERROR_PROTECTION: i32 = 1;
const ERROR_USER: i32 = 4;
const ERROR_KEY: i32 = 32;
const TRANSLATED: i32 = -1;

/** After translate() and resolve(): host address of the byte, or 0 where the access is MMIO: in no slot,
 * or a write to a read-only one. */
export let hitHost: usize = 0;
/** After translate() and resolve() with hitHost = 0: its guest physical address. */
export let hitGpa: u64 = 0;
/** After fetchTranslate(): guest physical address of the code byte. */
export let fetchGpa: u64 = 0;

/** False, with #GP(0) raised: in long mode, one of the `size` bytes at `va` has no canonical address. */
// @ts-ignore: decorator
@inline export function checkCanonical(va: u64, size: u64): bool {
  if (isCanonical(va) && isCanonical(va + size - 1)) return true;
  raiseNonCanonical(va);
  return false;
}

// @ts-ignore: decorator
@inline export function isCanonical(va: u64): bool {
  return <u64>((<i64>(va << 16)) >> 16) == va || (load<u32>(cpu, CPU_MODE) & MODE_LONG) == 0;
}

/**
 * Finds what class `cls` reaches at canonical `va` by `access` (ACCESS_*): hitHost, or hitGpa. False: #PF raised.
 * For a write it also does what has to precede one: dirty bit and dirty log.
 */
export function resolve(va: u64, access: i32, cls: i32): bool {
  const error = translate(va, access, cls);
  if (error == TRANSLATED) return true;
  raisePageFault(va, error, access, cls);
  return false;
}

/** As resolve(), but returns -1 or the P, RSVD and PK bits of the #PF error code, and raises nothing. */
export function translate(va: u64, access: i32, cls: i32): i32 {
  const page = va & PAGE_MASK;
  const entry = entryAt(classArray(cls), va);
  if (access == ACCESS_FETCH) {
    if (load<u64>(entry, TLB_EXEC) == page) return hit(entry, va);
  } else if (load<u64>(entry, TLB_READ) == page) {
    if (access == ACCESS_READ) return hit(entry, va);
    if (load<u32>(entry, TLB_META) & META_WRITABLE) {
      allowWrite(entry, page);
      noteWrite(<usize>va + load<u32>(entry, TLB_ADDEND));
      return hit(entry, va);
    }
  }
  const error = miss(va, access, cls);
  if (access == ACCESS_WRITE && error == TRANSLATED && hitHost) noteWrite(hitHost);
  return error;
}

// @ts-ignore: decorator
@inline function hit(entry: usize, va: u64): i32 {
  hitHost = <usize>va + load<u32>(entry, TLB_ADDEND);
  return TRANSLATED;
}

/** Before the first write to a writable page: enters it in the dirty log, and where it holds no code
 * lets later writes pass without coming here. */
function allowWrite(entry: usize, page: u64): void {
  const host = <usize>page + load<u32>(entry, TLB_ADDEND);
  if (load<u32>(entry, TLB_META) & META_LOGGED) store<u8>(dirtyByte(host), 1);
  if (load<u32>(codeMask(host)) == 0 && (load<u32>(entry, TLB_META) & META_WATCHED) == 0 && countWrite(host)) {
    store<u64>(entry, page, TLB_WRITE);
  }
}

function miss(va: u64, access: i32, cls: i32): i32 {
  count(STAT_TLB_MISSES);
  const paging = (load<u64>(cpu, CPU_CR0) & CR0_PG) != 0;
  let may = MAY_READ | MAY_WRITE | MAY_FETCH;
  let dirty = true;
  if (!paging) walkIdentity(va);
  else {
    for (;;) {
      const error = walk(va);
      if (error != WALK_FOUND) return error;
      may = rightsOf(cls);
      if (!(may & needed(access))) return ERROR_PROTECTION | keyError(access, cls);
      const write = access == ACCESS_WRITE;
      dirty = write || (walkLeaf & PTE_DIRTY) != 0;
      if ((walkRights & PTE_ACCESSED) != 0 && (!write || (walkLeaf & PTE_DIRTY) != 0)) break;
      if (setAccessedDirty(write)) break;
    }
  }
  hitGpa = walkGpa;
  const slot = findSlot(walkGpa);
  if (!slot) {
    hitHost = 0;
    return TRANSLATED;
  }
  fill(va, access, cls, slot, may, dirty);
  return TRANSLATED;
}

// @ts-ignore: decorator
@inline function needed(access: i32): i32 {
  return access == ACCESS_READ ? MAY_READ : access == ACCESS_WRITE ? MAY_WRITE : MAY_FETCH;
}

/** Enters the page just walked into the TLB, with the tags that its rights and its RAM allow. */
// @ts-ignore: decorator
@inline function fill(va: u64, access: i32, cls: i32, slot: usize, may: i32, dirty: bool): void {
  const page = va & PAGE_MASK;
  const host = slotHost(slot, walkGpa);
  const flags = load<u32>(slot, SLOT_FLAGS);
  const writable = dirty && (may & MAY_WRITE) != 0 && (flags & KVM_MEM_READONLY) == 0;
  let meta: u32 = walkShift << META_SHIFT | <u32>((slot - VM_SLOTS) / SLOT_ENTRY_SIZE) << META_SLOT;
  if (walkGlobal()) meta |= META_GLOBAL;
  if (writable) meta |= META_WRITABLE;
  if (flags & KVM_MEM_LOG_DIRTY_PAGES) meta |= META_LOGGED;
  const watched = isWatched(page);
  if (watched) meta |= META_WATCHED;
  const clean = (meta & META_LOGGED) != 0 && load<u8>(dirtyByte(host)) == 0;
  const writeTag = writable && !clean && !watched && load<u32>(codeMask(host)) == 0 && !isRecentCode(host & ~0xfff) ? page : TLB_NO_TAG;
  const readTag = (may & MAY_READ) != 0 && !watched ? page : TLB_NO_TAG;
  const execTag = may & MAY_FETCH ? page : TLB_NO_TAG;
  const entry = fillEntry(cls, va, host, meta, readTag, writeTag, execTag);
  hitHost = host;
  if (access != ACCESS_WRITE) return;
  if (writable) allowWrite(entry, page);
  else hitHost = 0;
}

/** The PK bit of the error code: the key would have forbidden the access, whatever else did. */
function keyError(access: i32, cls: i32): i32 {
  return deniedByKey(cls) & needed(access) ? ERROR_KEY : 0;
}

/** Raises #PF: CR2 and the error code complete with W, U and I. */
function raisePageFault(va: u64, error: i32, access: i32, cls: i32): void {
  if (cls == CLASS_USER) error |= ERROR_USER;
  if (access == ACCESS_WRITE) error |= ACCESS_WRITE;
  else if (access == ACCESS_FETCH) {
    // I is only reported where fetches can differ from reads.
    const cr4 = load<u64>(cpu, CPU_CR4);
    const noExecute = (cr4 & CR4_PAE) != 0 && (load<u64>(cpu, CPU_EFER) & EFER_NXE) != 0;
    if (noExecute || (cr4 & CR4_SMEP) != 0) error |= ACCESS_FETCH;
  }
  store<u64>(cpu, va, CPU_CR2);
  count(STAT_PAGE_FAULTS);
  if (load<u32>(cpu, CPU_LOG) & LOG_MMU) trace(LOG_MMU, va, error, load<u64>(cpu, CPU_CR3));
  raiseError(PF, error);
}

/**
 * Host address of the code byte at linear `va`, with its physical address in fetchGpa; valid to the end
 * of the page. 0 with a fault set: #GP(0), #PF, and where no RAM is there, as in KVM, #UD for CPL 1-3
 * or for CPL 0 an exit with KVM_EXIT_INTERNAL_ERROR (emulation; data: va, gpa).
 */
export function fetchTranslate(va: u64): usize {
  if (!isCanonical(va)) {
    raiseError(GP, 0);
    return 0;
  }
  const cls = load<u32>(cpu, MMU_CLASS);
  if (!resolve(va, ACCESS_FETCH, cls)) return 0;
  if (!hitHost) {
    fetchOutsideRam(va);
    return 0;
  }
  const meta = load<u32>(entryAt(classArray(cls), va), TLB_META);
  const slot: usize = VM_SLOTS + (meta >> META_SLOT & 63) * SLOT_ENTRY_SIZE;
  fetchGpa = load<u64>(slot, SLOT_GPA) + (hitHost - load<u32>(slot, SLOT_HOST));
  return hitHost;
}

/** Host address of the code at linear `va`, if it can be fetched in the current mode by what the TLB has, or would have after a walk
 * that sets no accessed bit: what a processor may do ahead of the guest, which cannot tell. Else 0; raises nothing. */
export function fetchAhead(va: u64): usize {
  const cls = load<u32>(cpu, MMU_CLASS);
  const entry = entryAt(classArray(cls), va);
  if (load<u64>(entry, TLB_EXEC) == (va & PAGE_MASK)) return <usize>va + load<u32>(entry, TLB_ADDEND);
  if (va >> 32 && (load<u32>(cpu, CPU_MODE) & MODE_CODE_MASK) != MODE_CODE64) return 0;
  if (!(load<u64>(cpu, CPU_CR0) & CR0_PG) || !isCanonical(va) || walk(va) != WALK_FOUND || !(walkRights & PTE_ACCESSED)) return 0;
  const may = rightsOf(cls);
  const slot = may & MAY_FETCH ? findSlot(walkGpa) : 0;
  if (!slot) return 0;
  count(STAT_TLB_MISSES);
  fill(va, ACCESS_FETCH, cls, slot, may, (walkLeaf & PTE_DIRTY) != 0);
  return hitHost;
}

function fetchOutsideRam(va: u64): void {
  if (load<u32>(cpu, CPU_CPL)) {
    raise(UD);
    return;
  }
  store<u32>(cpu, KVM_INTERNAL_ERROR_EMULATION, RUN_ERROR);
  store<u64>(cpu, va, RUN_INTERNAL_DATA);
  store<u64>(cpu, hitGpa, RUN_INTERNAL_DATA + 8);
  leave(KVM_EXIT_INTERNAL_ERROR);
}

/** Host address of byte `va` if the current mode may read it and it is RAM without data breakpoints, else 0;
 * raises nothing. Valid to the end of the page. May walk and set accessed bits. */
export function pageRead(va: u64): usize {
  if (alignmentChecked || !isCanonical(va)) return 0;
  const cls = load<u32>(cpu, MMU_CLASS);
  if (translate(va, ACCESS_READ, cls) != TRANSLATED) return 0;
  return load<u64>(entryAt(classArray(cls), va), TLB_READ) == (va & PAGE_MASK) ? hitHost : 0;
}

/** Host address of byte `va` if the current mode may write it and it is RAM without decoded code and data
 * breakpoints, else 0; raises nothing. Valid to the end of the page. May walk, set accessed and dirty
 * bits, and enter the page in the dirty log. */
export function pageWrite(va: u64): usize {
  if (alignmentChecked || !isCanonical(va)) return 0;
  const cls = load<u32>(cpu, MMU_CLASS);
  if (translate(va, ACCESS_WRITE, cls) != TRANSLATED) return 0;
  return load<u64>(entryAt(classArray(cls), va), TLB_WRITE) == (va & PAGE_MASK) ? hitHost : 0;
}

/** As pageWrite(), but 0 where the page's dirty bit would have to be set. A page that is not to be written is not marked accessed:
 * what the guest does first may be the write, which marks nothing where it faults. */
export function pageRewrite(va: u64): usize {
  const cls = load<u32>(cpu, MMU_CLASS);
  const entry = entryAt(classArray(cls), va);
  if (load<u64>(entry, TLB_READ) != (va & PAGE_MASK) && !isRewritable(va, cls)) return 0;
  return pageRead(va) != 0 && (load<u32>(entry, TLB_META) & META_WRITABLE) != 0 ? pageWrite(va) : 0;
}

/** Whether a page that the TLB does not have is dirty, and may be written; nothing is marked. */
function isRewritable(va: u64, cls: i32): bool {
  if (!(load<u64>(cpu, CPU_CR0) & CR0_PG)) return true;
  return isCanonical(va) && walk(va) == WALK_FOUND && (walkLeaf & PTE_DIRTY) != 0 && (rightsOf(cls) & MAY_WRITE) != 0;
}

/** Guest physical address of linear `va` whatever the rights, or -1; no side effects (KVM_TRANSLATE). */
export function translateNoFault(va: u64): i64 {
  if (!(load<u64>(cpu, CPU_CR0) & CR0_PG)) return <i64>va;
  if (!isCanonical(va) || walk(va) != WALK_FOUND) return -1;
  return <i64>walkGpa;
}
