// Vector operands in memory beyond the TLB's fast path, and the byte-masked stores.
import { CPU_SCRATCH2 } from "../../layout";
import { AC, cpu, fault, GP, gpr, raiseError, RDI, segBase } from "../../cpu";
import { addressSize, R_SEGNO, record } from "../../decode/record";
import { dataWrap, rmwReadSlow, write8 } from "../../mmu/access";
import { ptrRead, writeBytes } from "../../mmu/block";
import { alignmentChecked } from "../../mmu/contexts";
import { PAGE_MASK, probeWrite } from "../../mmu/tlb";
import { isCanonical } from "../../mmu/translate";
import { addressChecked, cutOffset, linear, offsetChecked } from "../address";

/** #AC(0) where alignment is checked and `va` is not a multiple of `bytes`, or of 16 where that is less: silicon takes 32
 * bytes for two operands there. False: raised. */
// @ts-ignore: decorator
@inline function alignmentOk(va: u64, bytes: i32): bool {
  if (!alignmentChecked || (va & <u64>(min(bytes, 16) - 1)) == 0 || !isCanonical(va)) return true;
  raiseError(AC, 0);
  return false;
}

/** addressChecked() of an operand that must lie on a boundary of its size: where it does not, silicon raises #GP(0)
 * before it looks at the segment. */
export function alignedChecked(pc: usize, bytes: i32, write: bool, delta: u64): u64 {
  const address = addressChecked(pc, bytes, write, delta);
  if (fault && ((offsetChecked(pc) + segBase(load<u8>(pc, R_SEGNO))) & (bytes - 1)) != 0) raiseError(GP, 0);
  return address;
}

/** Host address of the `bytes` (a power of two up to 64) at linear `va` for reading, valid until the next call. 0: a
 * fault is set. */
export function vectorReadSlow(va: u64, bytes: i32): usize {
  return alignmentOk(va, bytes) ? ptrRead(va, bytes) : 0;
}

/** Stores 16 bytes at linear `va`. False: fault set, nothing written. */
export function vectorWriteSlow(va: u64, value: v128): bool {
  if (!alignmentOk(va, 16)) return false;
  const from = cpu + CPU_SCRATCH2;
  v128.store(from, value);
  return writeBytes(va, from, 16);
}

/** Stores 32 bytes at linear `va`. Sets fault, nothing written. */
export function vectorWrite32(va: u64, low: v128, high: v128): void {
  const host = probeWrite(va, 32);
  if (host) {
    v128.store(host, low);
    v128.store(host, high, 16);
    return;
  }
  if (!alignmentOk(va, 32)) return;
  const from = cpu + CPU_SCRATCH2;
  v128.store(from, low);
  v128.store(from, high, 16);
  writeBytes(va, from, 32);
}

/** MASKMOVDQU (`bytes` 16), MASKMOVQ (8): stores the bytes of `value` whose byte of `mask` has its top bit set at the
 * segment's DI, EDI or RDI. Quirk: the whole operand has to be writable, whatever the mask, as on AMD's processors (SDM
 * and APM leave that to the implementation), and its alignment is that of its 8-byte halves. Sets fault, nothing
 * written. */
export function maskedStore(value: v128, mask: v128, bytes: i32): void {
  const address = linear(load<u8>(record, R_SEGNO), cutOffset(gpr(RDI), addressSize()), bytes, true);
  if (fault || !alignmentOk(address, 8) || !writable(address)) return;
  const next = (address | ~PAGE_MASK) + 1;
  if (next < address + bytes && !writable(next & dataWrap())) return;
  const chosen = <u32>i8x16.bitmask(mask);
  const from = cpu + CPU_SCRATCH2;
  v128.store(from, value);
  for (let i = 0; i < bytes; i++) {
    if (chosen >> i & 1 && !write8((address + i) & dataWrap(), load<u8>(from + i))) return;
  }
}

function writable(address: u64): bool {
  rmwReadSlow(address, 1);
  return !fault;
}

/** Sets fault where `bytes` (up to 32) at linear `va` may not be written, or the alignment check forbids it. */
export function requireWritable(va: u64, bytes: i32): void {
  if (alignmentOk(va, bytes)) requireWritableBytes(va, bytes);
}

/** The same whatever the alignment. */
export function requireWritableBytes(va: u64, bytes: i32): void {
  if (probeWrite(va, bytes) || !writable(va)) return;
  const last = (va + bytes - 1) & dataWrap();
  if ((last ^ va) & PAGE_MASK) writable(last & PAGE_MASK);
}
