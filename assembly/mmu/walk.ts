// Page walks in the three paging modes (SDM volume 3, 4.3 to 4.5), without effects and without
// looking at rights: what the tables say, not whether it may be used.
//
// 5-level paging does not exist here; CR4.LA57 cannot be set.
import { CR4_PAE, CR4_PGE, CR4_PSE, EFER_LMA, EFER_NXE, cpu } from "../cpu";
import { CPU_CR3, CPU_CR4, CPU_EFER } from "../layout";
import { gpaToHost } from "./slots";
import { LARGE_1G, LARGE_PSE36, MMU_LARGE, MMU_PDPTE, MMU_RESERVED, MMU_WALK } from "./state";

// Bits of paging-structure entries.
export const PTE_PRESENT: u64 = 1;
export const PTE_WRITE: u64 = 1 << 1;
export const PTE_USER: u64 = 1 << 2;
export const PTE_ACCESSED: u64 = 1 << 5;
export const PTE_DIRTY: u64 = 1 << 6;
export const PTE_LARGE: u64 = 1 << 7;
export const PTE_GLOBAL: u64 = 1 << 8;
export const PTE_NX: u64 = 1 << 63;
const ADDRESS: u64 = 0x000ffffffffff000;

/** What a walk returns: it found a page; or the P and RSVD bits of the #PF error code. */
export const WALK_FOUND: i32 = -1;
/** A table outside RAM counts as not present, as in KVM's own walker; a machine would read all ones there. */
export const WALK_NOT_PRESENT: i32 = 0;
export const WALK_RESERVED: i32 = 9;

/** Physical address that the linear one is translated to. */
export let walkGpa: u64 = 0;
/** The entry that maps the page: its D, G and protection key bits. */
export let walkLeaf: u64 = 0;
/** W, U and A bits set in every entry used; NX where any has it. */
export let walkRights: u64 = 0;
/** log2 of the page size: 12, 21, 22 or 30. */
export let walkShift: u32 = 0;
/** How many entries in memory were used. */
export let walkDepth: u32 = 0;

/** Walks the tables for `va` under the current CR3, CR4 and EFER: WALK_*. */
export function walk(va: u64): i32 {
  const cr4 = load<u64>(cpu, CPU_CR4);
  if (load<u64>(cpu, CPU_EFER) & EFER_LMA) return walkLong(va);
  return cr4 & CR4_PAE ? walkPae(va) : walkLegacy(va, cr4);
}

/** Takes the identity for a walk, all rights granted: CR0.PG = 0. */
export function walkIdentity(va: u64): void {
  walkGpa = va;
  walkLeaf = PTE_DIRTY;
  walkRights = PTE_WRITE | PTE_USER | PTE_ACCESSED;
  walkShift = 12;
}

/** True: CR4.PGE is set and the entry found is that of a global page. */
export function walkGlobal(): bool {
  return (walkLeaf & PTE_GLOBAL) != 0 && (load<u64>(cpu, CPU_CR4) & CR4_PGE) != 0;
}

/** Keeps where an entry was read and what it was, for accessed.ts. */
// @ts-ignore: decorator
@inline function note(depth: u32, gpa: u64, entry: u64): void {
  store<u64>(cpu + (<usize>depth << 4), gpa, MMU_WALK);
  store<u64>(cpu + (<usize>depth << 4), entry, MMU_WALK + 8);
}

// @ts-ignore: decorator
@inline function found(va: u64, depth: u32, leaf: u64, all: u64, any: u64, reserved: u64, shift: u32): i32 {
  const offset = ((<u64>1) << shift) - 1;
  walkGpa = (leaf & ADDRESS & ~offset) | (va & offset);
  walkLeaf = leaf;
  walkRights = (all & ~PTE_NX) | (any & PTE_NX);
  walkShift = shift;
  walkDepth = depth;
  // In a large page's entry bits between PAT (12) and the address are reserved.
  return shift > 12 && (leaf & reserved) != 0 ? WALK_RESERVED : WALK_FOUND;
}

/** Reserved bits of every 64-bit entry: the address bits this processor lacks, and NX while it is off. */
// @ts-ignore: decorator
@inline function reservedBits(): u64 {
  const reserved = load<u64>(cpu, MMU_RESERVED);
  return load<u64>(cpu, CPU_EFER) & EFER_NXE ? reserved : reserved | PTE_NX;
}

function walkLong(va: u64): i32 {
  const reserved = reservedBits();
  let at = (load<u64>(cpu, CPU_CR3) & ADDRESS) + ((va >> 36) & 0xff8);
  let table = gpaToHost(at);
  if (!table) return WALK_NOT_PRESENT;
  const e4 = load<u64>(table);
  note(0, at, e4);
  if (!(e4 & PTE_PRESENT)) return WALK_NOT_PRESENT;
  if (e4 & (reserved | PTE_LARGE)) return WALK_RESERVED;

  at = (e4 & ADDRESS) + ((va >> 27) & 0xff8);
  table = gpaToHost(at);
  if (!table) return WALK_NOT_PRESENT;
  const e3 = load<u64>(table);
  note(1, at, e3);
  if (!(e3 & PTE_PRESENT)) return WALK_NOT_PRESENT;
  if (e3 & reserved) return WALK_RESERVED;
  if (e3 & PTE_LARGE) {
    if (!(load<u32>(cpu, MMU_LARGE) & LARGE_1G)) return WALK_RESERVED;
    return found(va, 2, e3, e4 & e3, e4 | e3, 0x3fffe000, 30);
  }
  return walkTables(va, 2, e3, e4 & e3, e4 | e3, reserved);
}

function walkPae(va: u64): i32 {
  const e3 = load<u64>(cpu + (<usize>(va >> 27) & 0x18), MMU_PDPTE);
  if (!(e3 & PTE_PRESENT)) return WALK_NOT_PRESENT;
  // PDPTE registers grant and deny nothing. Above the address width, up to bit 62, all is reserved here.
  return walkTables(va, 0, e3, ~PTE_NX, 0, reservedBits() | 0x7ff0000000000000);
}

/** The last two levels of 64-bit entries; `depth`, `all` and `any`: the entries so far: how many, ANDed, ORed. */
// @ts-ignore: decorator
@inline function walkTables(va: u64, depth: u32, e3: u64, all: u64, any: u64, reserved: u64): i32 {
  let at = (e3 & ADDRESS) + ((va >> 18) & 0xff8);
  let table = gpaToHost(at);
  if (!table) return WALK_NOT_PRESENT;
  const e2 = load<u64>(table);
  note(depth, at, e2);
  if (!(e2 & PTE_PRESENT)) return WALK_NOT_PRESENT;
  if (e2 & reserved) return WALK_RESERVED;
  all &= e2;
  any |= e2;
  if (e2 & PTE_LARGE) return found(va, depth + 1, e2, all, any, 0x1fe000, 21);

  at = (e2 & ADDRESS) + ((va >> 9) & 0xff8);
  table = gpaToHost(at);
  if (!table) return WALK_NOT_PRESENT;
  const e1 = load<u64>(table);
  note(depth + 1, at, e1);
  if (!(e1 & PTE_PRESENT)) return WALK_NOT_PRESENT;
  if (e1 & reserved) return WALK_RESERVED;
  return found(va, depth + 2, e1, all & e1, any | e1, 0, 12);
}

function walkLegacy(va: u64, cr4: u64): i32 {
  let at = (load<u64>(cpu, CPU_CR3) & 0xfffff000) + ((va >> 20) & 0xffc);
  let table = gpaToHost(at);
  if (!table) return WALK_NOT_PRESENT;
  const e2 = <u64>load<u32>(table);
  note(0, at, e2);
  if (!(e2 & PTE_PRESENT)) return WALK_NOT_PRESENT;
  if ((e2 & PTE_LARGE) != 0 && (cr4 & CR4_PSE) != 0) return foundLarge(va, e2);

  at = (e2 & 0xfffff000) + ((va >> 10) & 0xffc);
  table = gpaToHost(at);
  if (!table) return WALK_NOT_PRESENT;
  const e1 = <u64>load<u32>(table);
  note(1, at, e1);
  if (!(e1 & PTE_PRESENT)) return WALK_NOT_PRESENT;
  return found(va, 2, e1, e2 & e1, 0, 0, 12);
}

/** A 4 MiB page. With PSE-36, bits 13-20 of its entry are bits 32-39 of the address as far as the processor
 * has those; the others and bit 21 are reserved (SDM volume 3, table 4-4). */
function foundLarge(va: u64, entry: u64): i32 {
  if (entry & 0x200000) return WALK_RESERVED;
  const high = (entry & 0x1fe000) << 19;
  const reserved: u64 = load<u32>(cpu, MMU_LARGE) & LARGE_PSE36 ? load<u64>(cpu, MMU_RESERVED) : 0xff00000000;
  if (high & reserved) return WALK_RESERVED;
  return found(va, 1, high | (entry & 0xffc00fff), entry, 0, 0, 22);
}
