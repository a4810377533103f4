// What translated code calls in the core: exported as j0 to j3 and j11 to j17, by the numbers in imports.ts.
import { cpu, fault } from "../cpu";
import { leaveAt } from "../decode/dispatch";
import { nextRip, R_OP, R_SUB, setRecord } from "../decode/record";
import { conditionOf, statusFlags } from "../execute/flags";
import { sysenter, sysexit, syscall, sysret } from "../execute/syscall";
import { executeGroup } from "../generated/interpret";
import { CPU_CC_DST, CPU_CC_OP, CPU_CC_SRC, CPU_FUEL, CPU_MODE, CPU_RIP, CPU_TRACE_RIP, VM_JIT_VERIFY } from "../layout";
import { contextGeneration } from "../mmu/contexts";
import { pageRead, pageRewrite, pageWrite } from "../mmu/translate";
import { dropCount } from "./regions";
import { isStraddle } from "./straddles";

/** Kinds whose second operand is not aligned with the first. */
const PLAIN_KINDS: u32 = 1 | (1 << 6) | (1 << 7) | (1 << 10);

/**
 * Executes a record by the interpreter's case. 0: it is done, and the region may go on behind it; 1: it is done, and
 * the guest goes on at CPU_RIP; 2: it is not done, a fault is set, and CPU_RIP is its own address.
 */
export function j0(rec: usize, traceRip: u64): i32 {
  const drops = dropCount();
  const generation = contextGeneration;
  const mode = load<u32>(cpu, CPU_MODE);
  store<u64>(cpu, traceRip, CPU_TRACE_RIP);
  setRecord(rec);
  const next = nextRip(rec);
  store<u64>(cpu, next, CPU_RIP);
  // A locked operation that lost a race is tried again.
  while (executeGroup(load<u16>(rec, R_OP), load<u16>(rec, R_SUB), rec) == 0 && !fault) {}
  if (fault) {
    leaveAt(rec);
    return 2;
  }
  // Transfers, requests, another mode, mappings that have changed, and code that was overwritten end the region.
  return i32(
    load<u64>(cpu, CPU_RIP) != next || load<u32>(cpu, CPU_FUEL + 4) != 0 || load<u32>(cpu, CPU_MODE) != mode || dropCount() != drops || contextGeneration != generation,
  );
}

/** Condition `code` of the flags that translated code has in locals: CC_OP, or -1 where the vCPU has them. */
export function j1(code: u32, op: i32, dst: u64, src: u64): u32 {
  j2(op, dst, src);
  return conditionOf(code);
}

/** Puts flags into the vCPU; op -1: they are there. */
export function j2(op: i32, dst: u64, src: u64): void {
  if (op < 0) return;
  const shift: u64 = 64 - (8 << (op & 3));
  store<u32>(cpu, op, CPU_CC_OP);
  store<u64>(cpu, dst << shift, CPU_CC_DST);
  store<u64>(cpu, (PLAIN_KINDS >> ((<u32>op >> 2) & 15)) & 1 ? src : src << shift, CPU_CC_SRC);
}

/** The status flags in RFLAGS layout. */
export function j3(op: i32, dst: u64, src: u64): u32 {
  j2(op, dst, src);
  return statusFlags();
}

/** SYSCALL of 64-bit code, with everything but the fuel in the vCPU; `next`: the address behind it. With `fault` set it did nothing. */
export function j14(next: u64): void {
  store<u64>(cpu, next, CPU_RIP);
  syscall();
}

/** SYSRET to 64-bit code, in the same way. */
export function j15(next: u64): void {
  store<u64>(cpu, next, CPU_RIP);
  sysret(8);
}

/** SYSENTER of 32-bit code, in the same way. */
export function j16(next: u64): void {
  store<u64>(cpu, next, CPU_RIP);
  sysenter();
}

/** SYSEXIT to 32-bit code, in the same way. */
export function j17(next: u64): void {
  store<u64>(cpu, next, CPU_RIP);
  sysexit(4);
}

/**
 * Whether `bytes` bytes at linear `va` can be read with what the TLB has now, after a walk if need be. False: the
 * interpreter is to look, and nothing has happened that the guest could tell from the access that comes next.
 */
export function findToRead(va: u64, bytes: u32): bool {
  if (!mayFill(va, bytes)) return false;
  const drops = dropCount();
  return pageRead(va) != 0 && dropCount() == drops;
}

/** The same for writing. */
export function findToWrite(va: u64, bytes: u32): bool {
  if (!mayFill(va, bytes)) return false;
  const drops = dropCount();
  return pageWrite(va) != 0 && dropCount() == drops;
}

/**
 * Whether a span (spans.ts) of `bytes` bytes at linear `va` can be read, or read and written, with what the TLB has now.
 * It may do so before the guest does and even if it does not come to it: no page is marked dirty for that. `mark`: what
 * spanMark() says of it.
 */
export function findSpan(va: u64, bytes: u32, writes: bool, mark: u32): bool {
  if (isStraddle(va, mark) || !mayFill(va, bytes)) return false;
  const drops = dropCount();
  return (writes ? pageRewrite(va) : pageRead(va)) != 0 && dropCount() == drops;
}

/** A region that is verified changes no page tables and no pages that are not kept: neither could be undone. */
function mayFill(va: u64, bytes: u32): bool {
  return (<u32>va & 0xfff) + bytes <= 0x1000 && load<u32>(VM_JIT_VERIFY) == 0;
}
