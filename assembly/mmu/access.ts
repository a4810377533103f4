// Reads and writes of 1, 2, 4 and 8 bytes at linear addresses: the TLB first, then the whole way.
//
// The slow paths do nothing to memory before every byte is known to be accessible: of an access
// that crosses pages the lower page is checked first, then the upper one, and MMIO, which may have
// to leave to the host and come back, precedes RAM.
import { AC, CR4_SMAP, cpu, fault, raiseError } from "../cpu";
import {
  CPU_CR4, CPU_MODE, CPU_SCRATCH2, MODE_CODE64, MODE_CODE_MASK, MODE_LONG, TLB_ADDEND, TLB_READ, TLB_WRITE,
} from "../layout";
import { ramWritten } from "./code";
import { alignmentChecked } from "./contexts";
import { mmioRead, mmioWrite } from "./mmio";
import { CLASS_KERNEL, CLASS_KERNEL_SMAP, MMU_CLASS } from "./state";
import { PAGE_MASK, PAGE_SIZE, classArray, entryAt, probeRead, probeWrite } from "./tlb";
import { ACCESS_READ, ACCESS_WRITE, checkCanonical, hitGpa, hitHost, isCanonical, resolve } from "./translate";
import { noteAccess } from "./watch";

/** Loads the byte at linear `va`; 0 with a fault set where that cannot be done, as in all that follow. */
// @ts-ignore: decorator
@inline export function read8(va: u64): u64 {
  const host = probeRead(va, 1);
  return host ? <u64>load<u8>(host) : readSlow(va, 1);
}

// @ts-ignore: decorator
@inline export function read16(va: u64): u64 {
  const host = probeRead(va, 2);
  return host ? <u64>load<u16>(host) : readSlow(va, 2);
}

// @ts-ignore: decorator
@inline export function read32(va: u64): u64 {
  const host = probeRead(va, 4);
  return host ? <u64>load<u32>(host) : readSlow(va, 4);
}

// @ts-ignore: decorator
@inline export function read64(va: u64): u64 {
  const host = probeRead(va, 8);
  return host ? load<u64>(host) : readSlow(va, 8);
}

/** Stores the low byte of `value` at linear `va`. False: fault set, nothing written, as in all that follow. */
// @ts-ignore: decorator
@inline export function write8(va: u64, value: u64): bool {
  const host = probeWrite(va, 1);
  if (!host) return writeSlow(va, value, 1);
  store<u8>(host, <u8>value);
  return true;
}

// @ts-ignore: decorator
@inline export function write16(va: u64, value: u64): bool {
  const host = probeWrite(va, 2);
  if (!host) return writeSlow(va, value, 2);
  store<u16>(host, <u16>value);
  return true;
}

// @ts-ignore: decorator
@inline export function write32(va: u64, value: u64): bool {
  const host = probeWrite(va, 4);
  if (!host) return writeSlow(va, value, 4);
  store<u32>(host, <u32>value);
  return true;
}

// @ts-ignore: decorator
@inline export function write64(va: u64, value: u64): bool {
  const host = probeWrite(va, 8);
  if (!host) return writeSlow(va, value, 8);
  store<u64>(host, value);
  return true;
}

/** Loads `size` (1, 2, 4, 8) bytes, zero-extended. */
export function readMem(va: u64, size: i32): u64 {
  const host = probeRead(va, size);
  return host ? loadSized(host, size) : readSlow(va, size);
}

/** Stores the low `size` (1, 2, 4, 8) bytes of `value`. */
export function writeMem(va: u64, value: u64, size: i32): bool {
  const host = probeWrite(va, size);
  if (!host) return writeSlow(va, value, size);
  storeSized(host, value, size);
  return true;
}

/** readMem() after a miss. */
export function readSlow(va: u64, size: i32): u64 {
  if (!checkAlignment(va, size)) return 0;
  const value = readAs(va, size, ACCESS_READ, load<u32>(cpu, MMU_CLASS), dataWrap());
  if (!fault) noteAccess(va, size, false);
  return value;
}

/** writeMem() after a miss. */
export function writeSlow(va: u64, value: u64, size: i32): bool {
  if (!checkAlignment(va, size)) return false;
  if (!writeAs(va, value, size, load<u32>(cpu, MMU_CLASS), dataWrap())) return false;
  noteAccess(va, size, true);
  return true;
}

/** Reads what a read-modify-write instruction is about to write back: write permission is checked on
 * every byte, so the write that follows cannot fault. */
export function rmwReadSlow(va: u64, size: i32): u64 {
  if (!checkAlignment(va, size)) return 0;
  const value = readAs(va, size, ACCESS_WRITE, load<u32>(cpu, MMU_CLASS), dataWrap());
  if (!fault) noteAccess(va, size, false);
  return value;
}

/**
 * True: a write of `size` bytes at `va` cannot fault; hitHost is 0 where the last byte is not in RAM. Unlike
 * rmwReadSlow() it reads nothing, which a device would notice.
 */
export function checkWrite(va: u64, size: i32): bool {
  if (!checkAlignment(va, size) || !checkCanonical(va, size)) return false;
  const cls = load<u32>(cpu, MMU_CLASS);
  if (!resolve(va, ACCESS_WRITE, cls)) return false;
  const first = <i32>(PAGE_SIZE - (va & ~PAGE_MASK));
  return size <= first || resolve((va + first) & dataWrap(), ACCESS_WRITE, cls);
}

/** Reads a descriptor table or TSS: a supervisor access at any CPL. Being implicit, it reaches no user
 * page under SMAP, whatever EFLAGS.AC says (SDM volume 3, 4.6.1). */
export function sysRead(va: u64, size: i32): u64 {
  const cls = systemClass();
  const host = probeAs(va, size, cls, false);
  return host ? loadSized(host, size) : readAs(va, size, ACCESS_READ, cls, systemWrap());
}

/** Writes a descriptor table or TSS, as sysRead() reads one. */
export function sysWrite(va: u64, value: u64, size: i32): bool {
  const cls = systemClass();
  const host = probeAs(va, size, cls, true);
  if (!host) return writeAs(va, value, size, cls, systemWrap());
  storeSized(host, value, size);
  return true;
}

/** Loads `size` (1, 2, 4, 8) bytes at a host address. */
// @ts-ignore: decorator
@inline export function loadSized(host: usize, size: i32): u64 {
  return size == 8 ? load<u64>(host) : size == 4 ? load<u32>(host) : size == 2 ? load<u16>(host) : load<u8>(host);
}

/** Stores `size` (1, 2, 4, 8) bytes at a host address. */
// @ts-ignore: decorator
@inline export function storeSized(host: usize, value: u64, size: i32): void {
  if (size == 8) store<u64>(host, value);
  else if (size == 4) store<u32>(host, <u32>value);
  else if (size == 2) store<u16>(host, <u16>value);
  else store<u8>(host, <u8>value);
}

/** Linear addresses of data wrap at 4 GiB except in 64-bit code; those of system tables except in long mode. */
// @ts-ignore: decorator
@inline export function dataWrap(): u64 {
  return (load<u32>(cpu, CPU_MODE) & MODE_CODE_MASK) == MODE_CODE64 ? u64.MAX_VALUE : 0xffffffff;
}

// @ts-ignore: decorator
@inline function systemWrap(): u64 {
  return load<u32>(cpu, CPU_MODE) & MODE_LONG ? u64.MAX_VALUE : 0xffffffff;
}

// @ts-ignore: decorator
@inline function systemClass(): i32 {
  return load<u64>(cpu, CPU_CR4) & CR4_SMAP ? CLASS_KERNEL_SMAP : CLASS_KERNEL;
}

// @ts-ignore: decorator
@inline function probeAs(va: u64, size: i32, cls: i32, write: bool): usize {
  const entry = entryAt(classArray(cls), va);
  const tag = write ? load<u64>(entry, TLB_WRITE) : load<u64>(entry, TLB_READ);
  return ((va + size - 1) & PAGE_MASK) == tag ? <usize>va + load<u32>(entry, TLB_ADDEND) : 0;
}

/** False, with #AC(0) raised: `va` is not a multiple of `size`, and alignment is checked (SDM volume 3, 6.15). */
// @ts-ignore: decorator
@inline function checkAlignment(va: u64, size: i32): bool {
  if (!alignmentChecked || (va & <u64>(size - 1)) == 0 || !isCanonical(va)) return true;
  raiseError(AC, 0);
  return false;
}

/** A read of `size` bytes that is checked as `access` by class `cls`; addresses wrap at `wrap` + 1. */
function readAs(va: u64, size: i32, access: i32, cls: i32, wrap: u64): u64 {
  if (!checkCanonical(va, size)) return 0;
  if (!resolve(va, access, cls)) return 0;
  const first = <i32>(PAGE_SIZE - (va & ~PAGE_MASK));
  if (size <= first) return hitHost ? loadSized(hitHost, size) : mmioRead(hitGpa, size);
  const host = hitHost;
  const gpa = hitGpa;
  if (!resolve((va + first) & wrap, access, cls)) return 0;
  const host2 = hitHost;
  const gpa2 = hitGpa;
  // Of the first page the last 8 bytes are loaded, of the second the first 8: both stay inside their page.
  const low = host ? load<u64>(host + first - 8) >> ((8 - first) << 3) : mmioRead(gpa, first);
  if (fault) return 0;
  const rest = size - first;
  const high = host2 ? load<u64>(host2) & (((<u64>1) << (rest << 3)) - 1) : mmioRead(gpa2, rest);
  if (fault) return 0;
  return low | high << (first << 3);
}

/** A write of `size` bytes by class `cls`; addresses wrap at `wrap` + 1. */
function writeAs(va: u64, value: u64, size: i32, cls: i32, wrap: u64): bool {
  if (!checkCanonical(va, size)) return false;
  if (!resolve(va, ACCESS_WRITE, cls)) return false;
  const first = <i32>(PAGE_SIZE - (va & ~PAGE_MASK));
  if (size <= first) {
    if (!hitHost) return mmioWrite(hitGpa, value, size);
    const host = hitHost;
    storeSized(host, value, size);
    ramWritten(host, size);
    return true;
  }
  const host = hitHost;
  const gpa = hitGpa;
  if (!resolve((va + first) & wrap, ACCESS_WRITE, cls)) return false;
  const host2 = hitHost;
  const gpa2 = hitGpa;
  const rest = size - first;
  if (!host && !mmioWrite(gpa, value, first)) return false;
  if (!host2 && !mmioWrite(gpa2, value >> (first << 3), rest)) return false;
  store<u64>(cpu, value, CPU_SCRATCH2 + 64);
  const from = cpu + CPU_SCRATCH2 + 64;
  if (host) {
    memory.copy(host, from, first);
    ramWritten(host, first);
  }
  if (host2) {
    memory.copy(host2, from + first, rest);
    ramWritten(host2, rest);
  }
  return true;
}
