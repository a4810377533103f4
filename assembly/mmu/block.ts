// Blocks of bytes at linear addresses: vector operands, FXSAVE images, descriptors, string elements.
// A block is at most 4096 bytes, so it lies in at most two pages; both are checked before the first effect.
import { cpu, fault } from "../cpu";
import { CPU_SCRATCH } from "../layout";
import { dataWrap } from "./access";
import { ramWritten } from "./code";
import { mmioRead, mmioWrite } from "./mmio";
import { MMU_CLASS } from "./state";
import { PAGE_MASK, PAGE_SIZE, probeRead } from "./tlb";
import { ACCESS_READ, ACCESS_WRITE, checkCanonical, hitGpa, hitHost, resolve } from "./translate";
import { noteAccess } from "./watch";

// Where the two pieces of a block are, set by locate(): host 0 is MMIO at gpa.
let size1: i32 = 0;
let host1: usize = 0;
let gpa1: u64 = 0;
let size2: i32 = 0;
let host2: usize = 0;
let gpa2: u64 = 0;

/** Host address of `size` (1 to 64) readable bytes at linear `va`: in RAM where they are in one page, else a copy
 * in CPU_SCRATCH. 0 with a fault set. */
export function ptrRead(va: u64, size: i32): usize {
  const host = probeRead(va, size);
  if (host) return host;
  if (!locate(va, size, ACCESS_READ)) return 0;
  let at = host1;
  if (!host1 || size2) {
    at = cpu + CPU_SCRATCH;
    if (!fetchPieces(at)) return 0;
  }
  noteAccess(va, size, false);
  return at;
}

/** Copies `n` (1 to 4096) bytes at linear `va` to host address `to`. False: fault set. */
export function readBytes(va: u64, to: usize, n: i32): bool {
  const host = probeRead(va, n);
  if (host) {
    memory.copy(to, host, n);
    return true;
  }
  if (!locate(va, n, ACCESS_READ) || !fetchPieces(to)) return false;
  noteAccess(va, n, false);
  return true;
}

/** Copies `n` (1 to 4096) bytes from host address `from` to linear `va`. False: fault set, no RAM written. */
export function writeBytes(va: u64, from: usize, n: i32): bool {
  if (!locate(va, n, ACCESS_WRITE)) return false;
  // MMIO first: it may leave to the host, and then the instruction starts over with RAM as it was.
  if (!host1 && !mmioWriteBlock(gpa1, from, size1)) return false;
  if (size2 && !host2 && !mmioWriteBlock(gpa2, from + size1, size2)) return false;
  if (host1) {
    memory.copy(host1, from, size1);
    ramWritten(host1, size1);
  }
  if (size2 && host2) {
    memory.copy(host2, from + size1, size2);
    ramWritten(host2, size2);
  }
  noteAccess(va, n, true);
  return true;
}

/** True: the current mode may access all `n` bytes at `va`; they are then described by the variables above. */
function locate(va: u64, n: i32, access: i32): bool {
  const cls = load<u32>(cpu, MMU_CLASS);
  if (!checkCanonical(va, n) || !resolve(va, access, cls)) return false;
  host1 = hitHost;
  gpa1 = hitGpa;
  const room = <i32>(PAGE_SIZE - (va & ~PAGE_MASK));
  size1 = min(n, room);
  size2 = n - size1;
  if (!size2) return true;
  if (!resolve((va + room) & dataWrap(), access, cls)) return false;
  host2 = hitHost;
  gpa2 = hitGpa;
  return true;
}

function fetchPieces(to: usize): bool {
  if (host1) memory.copy(to, host1, size1);
  else if (!mmioReadBlock(gpa1, to, size1)) return false;
  if (!size2) return true;
  if (host2) memory.copy(to + size1, host2, size2);
  else if (!mmioReadBlock(gpa2, to + size1, size2)) return false;
  return true;
}

/** MMIO of more than 8 bytes is done in accesses of 8, as KVM does it. */
function mmioReadBlock(gpa: u64, to: usize, n: i32): bool {
  for (let i = 0; i < n; i += 8) {
    const size = min(8, n - i);
    const value = mmioRead(gpa + i, size);
    if (fault) return false;
    for (let byte = 0; byte < size; byte++) store<u8>(to + i + byte, <u8>(value >> (byte << 3)));
  }
  return true;
}

function mmioWriteBlock(gpa: u64, from: usize, n: i32): bool {
  for (let i = 0; i < n; i += 8) {
    const size = min(8, n - i);
    let value: u64 = 0;
    for (let byte = 0; byte < size; byte++) value |= <u64>load<u8>(from + i + byte) << (byte << 3);
    if (!mmioWrite(gpa + i, value, size)) return false;
  }
  return true;
}
