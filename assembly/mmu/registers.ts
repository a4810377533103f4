// What control registers, EFER, PKRU and CPUID mean to the MMU: CR3 loads, the PDPTE registers of
// PAE paging, and what has to be dropped when a paging bit changes (SDM volume 3, 4.4.1, 4.10.4).
import {
  CR0_CD, CR0_NW, CR0_PG, CR0_WP, CR4_LA57, CR4_PAE, CR4_PCIDE, CR4_PGE, CR4_PKE, CR4_PKS, CR4_PSE, CR4_SMAP, CR4_SMEP,
  EFER_LMA, EFER_LME, EFER_NXE, GP, cpu, raiseError,
} from "../cpu";
import { CPU_CPUID, CPU_CR0, CPU_CR3, CPU_CR4, CPU_EFER, REQ_TLB_FLUSH } from "../layout";
import {
  resetContexts, switchContext, tlbFlushAll, tlbFlushNonGlobal, tlbFlushPagePcid, tlbFlushPcid,
} from "./contexts";
import { LARGE_1G, LARGE_PSE36, MMU_LARGE, MMU_PDPTE, MMU_RESERVED } from "./state";
import { gpaToHost } from "./slots";
import { dropOwnRequest } from "./shootdown";

/** Physical address bits of a processor whose CPUID table is empty. */
const DEFAULT_PHYSICAL_BITS: u32 = 40;
const CR3_NO_FLUSH: u64 = 1 << 63;
const PCID_MASK: u64 = 0xfff;

/**
 * Brings the MMU to its power-up state or, after the host has written control registers, to the
 * state that they describe: reads CPUID, empties the TLB, loads the PDPTE registers.
 * Returns false where PAE paging is on and its PDPTEs are invalid, in which case all are taken as
 * not present. Needed once before a vCPU whose memory is all zero does anything else.
 */
export function mmuReset(): bool {
  mmuConfigure();
  resetContexts();
  const cr3 = load<u64>(cpu, CPU_CR3);
  const cr4 = load<u64>(cpu, CPU_CR4);
  if (cr4 & CR4_PCIDE) switchContext(<u32>(cr3 & PCID_MASK), false);
  dropOwnRequest(REQ_TLB_FLUSH);
  if (!usesPae(load<u64>(cpu, CPU_CR0), cr4) || readPdptes(cr3)) return true;
  memory.fill(cpu + MMU_PDPTE, 0, 32);
  return false;
}

/** Reads the physical address width and the large-page features from the CPUID table: after it was set.
 * An empty table stands for 40 bits and all page sizes. */
export function mmuConfigure(): void {
  let bits = DEFAULT_PHYSICAL_BITS;
  let large = LARGE_1G | LARGE_PSE36;
  const entries = load<u32>(cpu, CPU_CPUID);
  if (entries) {
    // A table without leaf 0x80000008 leaves 36 bits (SDM volume 2, CPUID; KVM likewise).
    bits = 36;
    large = 0;
    for (let i: u32 = 0; i < entries; i++) {
      const entry = cpu + CPU_CPUID + 4 + 28 * i;
      const leaf = load<u32>(entry);
      if (leaf == 1 && (load<u32>(entry, 24) >> 17 & 1) != 0) large |= LARGE_PSE36;
      else if (leaf == 0x80000001 && (load<u32>(entry, 24) >> 26 & 1) != 0) large |= LARGE_1G;
      else if (leaf == 0x80000008) bits = load<u32>(entry, 12) & 0xff;
    }
    if (bits < 32) bits = 32;
    if (bits > 52) bits = 52;
  }
  store<u64>(cpu, 0x000fffffffffffff & ~(((<u64>1) << bits) - 1), MMU_RESERVED);
  store<u32>(cpu, large, MMU_LARGE);
}

/**
 * Loads CR3 as MOV CR3 does: in PAE paging with the PDPTE registers, with CR4.PCIDE into the context
 * of the PCID, where bit 63 keeps what that context still has. Without PCIDE it drops all
 * non-global translations. Raises #GP(0), with nothing changed, for reserved bits in `value` or in a PDPTE.
 */
export function setCr3(value: u64): void {
  const cr0 = load<u64>(cpu, CPU_CR0);
  const cr4 = load<u64>(cpu, CPU_CR4);
  const pcide = (cr4 & CR4_PCIDE) != 0;
  const keep = pcide && (value & CR3_NO_FLUSH) != 0;
  if (keep) value &= ~CR3_NO_FLUSH;
  const reserved: u64 =
    load<u64>(cpu, CPU_EFER) & EFER_LMA ? load<u64>(cpu, MMU_RESERVED) | 0xfff0000000000000 : 0;
  if ((value & reserved) != 0 || (usesPae(cr0, cr4) && !readPdptes(value))) {
    raiseError(GP, 0);
    return;
  }
  store<u64>(cpu, value, CPU_CR3);
  switchContext(pcide ? <u32>(value & PCID_MASK) : 0, keep);
}

/**
 * To be called before a new CR0 is stored. Returns false with #GP(0) raised, and CR0 is to stay
 * as it is, where PAE paging would begin or go on with invalid PDPTEs.
 */
export function tlbCr0Changed(old: u64, value: u64): bool {
  const changed = old ^ value;
  if ((changed & (CR0_PG | CR0_CD | CR0_NW)) != 0 && !reloadPdptes(value, load<u64>(cpu, CPU_CR4))) return false;
  if (changed & (CR0_PG | CR0_WP)) tlbFlushAll();
  return true;
}

/**
 * To be called before a new CR4 is stored, followed by updateAccessClass() (or updateMode()) after.
 * Returns false with #GP(0) raised, and CR4 is to stay as it is, where PAE paging would begin or go
 * on with invalid PDPTEs.
 */
export function tlbCr4Changed(old: u64, value: u64): bool {
  const changed = old ^ value;
  if ((changed & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP)) != 0 && !reloadPdptes(load<u64>(cpu, CPU_CR0), value)) {
    return false;
  }
  // Turning PCIDE on or off starts over from context 0, which then holds PCID 0: MOV to CR4 demands
  // CR3[11:0] = 0 for the one, and the other makes the low bits of CR3 mean what they meant before.
  if (changed & CR4_PCIDE) resetContexts();
  if (changed & (CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | CR4_SMEP | CR4_SMAP | CR4_PKE | CR4_PKS | CR4_LA57)) tlbFlushAll();
  return true;
}

/** After EFER was written: NXE makes a reserved bit of bit 63. */
export function tlbEferChanged(old: u64, value: u64): void {
  if ((old ^ value) & (EFER_NXE | EFER_LMA)) tlbFlushAll();
}

/** After PKRU was written: its rights are part of the tags. */
export function tlbPkruChanged(): void {
  if (load<u64>(cpu, CPU_CR4) & CR4_PKE) tlbFlushAll();
}

/** After IA32_PKRS was written, likewise. */
export function tlbPkrsChanged(): void {
  if (load<u64>(cpu, CPU_CR4) & CR4_PKS) tlbFlushAll();
}

/**
 * INVPCID with the two halves of its descriptor. Returns false with #GP(0) raised for an unknown type,
 * reserved descriptor bits, a PCID while CR4.PCIDE = 0, or (type 0) a non-canonical address.
 */
export function invpcid(type: u64, pcid: u64, va: u64): bool {
  const pcide = (load<u64>(cpu, CPU_CR4) & CR4_PCIDE) != 0;
  const bad =
    type > 3 || pcid > PCID_MASK || (type <= 1 && !pcide && pcid != 0) ||
    (type == 0 && <u64>((<i64>(va << 16)) >> 16) != va);
  if (bad) {
    raiseError(GP, 0);
    return false;
  }
  if (type == 0) tlbFlushPagePcid(<u32>pcid, va);
  else if (type == 1) tlbFlushPcid(<u32>pcid);
  else if (type == 2) tlbFlushAll();
  else tlbFlushNonGlobal();
  return true;
}

/** PAE paging, as opposed to its 4-level form: CR0.PG and EFER.LME together give EFER.LMA. */
function usesPae(cr0: u64, cr4: u64): bool {
  return (cr0 & CR0_PG) != 0 && (cr4 & CR4_PAE) != 0 && (load<u64>(cpu, CPU_EFER) & EFER_LME) == 0;
}

function reloadPdptes(cr0: u64, cr4: u64): bool {
  if (!usesPae(cr0, cr4) || readPdptes(load<u64>(cpu, CPU_CR3))) return true;
  raiseError(GP, 0);
  return false;
}

/** Loads the PDPTE registers from the table at `cr3`; false, with none changed, where a present one has
 * reserved bits or no RAM is there (as all-ones would have them). */
function readPdptes(cr3: u64): bool {
  const table = gpaToHost(cr3 & 0xffffffe0);
  if (!table) return false;
  const reserved = load<u64>(cpu, MMU_RESERVED) | 0xfff00000000001e6;
  for (let i: usize = 0; i < 32; i += 8) {
    const entry = load<u64>(table + i);
    if ((entry & 1) != 0 && (entry & reserved) != 0) return false;
  }
  memory.copy(cpu + MMU_PDPTE, table, 32);
  return true;
}
