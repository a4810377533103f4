// What every part of the kernel side shares: the running vCPU, its pending fault, and short names
// for its registers. AssemblyScript globals are per instance, that is, per vCPU.
import {
  CPU_GPR, CPU_RIP, CPU_SEG_ATTR, CPU_SEG_BASE, CPU_SEG_LIMIT, CPU_SEG_SEL, CPU_STATS, RUN_EXIT_REASON, VCPU_BASE,
} from "./layout";

/** Address of the running vCPU's state. */
export let cpu: usize = VCPU_BASE;

export function selectCpu(base: usize): void {
  cpu = base;
}

// ---------------------------------------------------------------- faults
/** Nothing is wrong. */
export const FAULT_NONE: i32 = 0;
/** An exception is to be delivered: faultVector, faultError. The instruction had no effect. */
export const FAULT_EXCEPTION: i32 = 1;
/** run() has to return to the host: RUN_EXIT_REASON is set. The instruction is executed again
 * at the next entry and finds what the host answered in the access log. */
export const FAULT_EXIT: i32 = 2;
/** A repeated instruction stopped between iterations for a pending request; CPU_RIP is its own address. */
export const FAULT_RESUME: i32 = 3;

/** FAULT_*: set by whatever cannot complete; whoever calls something that may fault looks at it
 * afterwards and returns at once, without further effects, where it is set. */
export let fault: i32 = 0;
export let faultVector: i32 = 0;
/** The error code, or -1 where the vector pushes none. */
export let faultError: i32 = 0;
/** 1: raised by a non-canonical address: #GP(0), to be #SS(0) if the operand's segment is SS. */
export let faultNonCanonical: i32 = 0;
/** That address. */
export let faultAddress: u64 = 0;

/** Raises an exception that pushes no error code. */
export function raise(vector: i32): void {
  fault = FAULT_EXCEPTION;
  faultVector = vector;
  faultError = -1;
  faultNonCanonical = 0;
}

/** Raises an exception with an error code. */
export function raiseError(vector: i32, error: i32): void {
  fault = FAULT_EXCEPTION;
  faultVector = vector;
  faultError = error;
  faultNonCanonical = 0;
}

/** Raises #GP(0) for a non-canonical address. */
export function raiseNonCanonical(va: u64): void {
  raiseError(GP, 0);
  faultAddress = va;
  faultNonCanonical = 1;
}

/** Leaves to the host with a KVM_EXIT_* reason; the instruction will be executed again. */
export function leave(reason: i32): void {
  fault = FAULT_EXIT;
  store<u32>(cpu + RUN_EXIT_REASON, reason);
}

export function clearFault(): void {
  fault = FAULT_NONE;
}

// Exception vectors (SDM volume 3, table 6-1).
export const DE: i32 = 0;
export const DB: i32 = 1;
export const NMI: i32 = 2;
export const BP: i32 = 3;
export const OF: i32 = 4;
export const BR: i32 = 5;
export const UD: i32 = 6;
export const NM: i32 = 7;
export const DF: i32 = 8;
export const TS: i32 = 10;
export const NP: i32 = 11;
export const SS: i32 = 12;
export const GP: i32 = 13;
export const PF: i32 = 14;
export const MF: i32 = 16;
export const AC: i32 = 17;
export const MC: i32 = 18;
export const XM: i32 = 19;

// Segment register numbers, as encoded; LDTR and TR behind them.
export const SEG_ES: i32 = 0;
export const SEG_CS: i32 = 1;
export const SEG_SS: i32 = 2;
export const SEG_DS: i32 = 3;
export const SEG_FS: i32 = 4;
export const SEG_GS: i32 = 5;
export const SEG_LDTR: i32 = 6;
export const SEG_TR: i32 = 7;

// General registers, as encoded.
export const RAX: i32 = 0;
export const RCX: i32 = 1;
export const RDX: i32 = 2;
export const RBX: i32 = 3;
export const RSP: i32 = 4;
export const RBP: i32 = 5;
export const RSI: i32 = 6;
export const RDI: i32 = 7;

// @ts-ignore: decorator
@inline export function gpr(index: i32): u64 { return load<u64>(cpu + (<usize>index << 3), CPU_GPR); }
// @ts-ignore: decorator
@inline export function setGpr(index: i32, value: u64): void { store<u64>(cpu + (<usize>index << 3), value, CPU_GPR); }
// @ts-ignore: decorator
@inline export function rip(): u64 { return load<u64>(cpu, CPU_RIP); }
// @ts-ignore: decorator
@inline export function setRip(value: u64): void { store<u64>(cpu, value, CPU_RIP); }
// @ts-ignore: decorator
@inline export function segBase(seg: i32): u64 { return load<u64>(cpu + (<usize>seg << 3), CPU_SEG_BASE); }
// @ts-ignore: decorator
@inline export function segLimit(seg: i32): u32 { return load<u32>(cpu + (<usize>seg << 2), CPU_SEG_LIMIT); }
// @ts-ignore: decorator
@inline export function segAttr(seg: i32): u32 { return load<u32>(cpu + (<usize>seg << 2), CPU_SEG_ATTR); }
// @ts-ignore: decorator
@inline export function segSel(seg: i32): u32 { return load<u32>(cpu + (<usize>seg << 2), CPU_SEG_SEL); }

/** Counts one event (STAT_*). */
// @ts-ignore: decorator
@inline export function count(stat: i32): void {
  const at = cpu + (<usize>stat << 3);
  store<u64>(at, load<u64>(at, CPU_STATS) + 1, CPU_STATS);
}

// Control register and flag bits.
export const CR0_PE: u64 = 1;
export const CR0_MP: u64 = 1 << 1;
export const CR0_EM: u64 = 1 << 2;
export const CR0_TS: u64 = 1 << 3;
export const CR0_ET: u64 = 1 << 4;
export const CR0_NE: u64 = 1 << 5;
export const CR0_WP: u64 = 1 << 16;
export const CR0_AM: u64 = 1 << 18;
export const CR0_NW: u64 = 1 << 29;
export const CR0_CD: u64 = 1 << 30;
export const CR0_PG: u64 = 0x80000000;
export const CR4_VME: u64 = 1;
export const CR4_PVI: u64 = 1 << 1;
export const CR4_TSD: u64 = 1 << 2;
export const CR4_DE: u64 = 1 << 3;
export const CR4_PSE: u64 = 1 << 4;
export const CR4_PAE: u64 = 1 << 5;
export const CR4_MCE: u64 = 1 << 6;
export const CR4_PGE: u64 = 1 << 7;
export const CR4_PCE: u64 = 1 << 8;
export const CR4_OSFXSR: u64 = 1 << 9;
export const CR4_OSXMMEXCPT: u64 = 1 << 10;
export const CR4_UMIP: u64 = 1 << 11;
export const CR4_LA57: u64 = 1 << 12;
export const CR4_FSGSBASE: u64 = 1 << 16;
export const CR4_PCIDE: u64 = 1 << 17;
export const CR4_OSXSAVE: u64 = 1 << 18;
export const CR4_SMEP: u64 = 1 << 20;
export const CR4_SMAP: u64 = 1 << 21;
export const CR4_PKE: u64 = 1 << 22;
export const CR4_PKS: u64 = 1 << 24;
export const EFER_SCE: u64 = 1;
export const EFER_LME: u64 = 1 << 8;
export const EFER_LMA: u64 = 1 << 10;
export const EFER_NXE: u64 = 1 << 11;
export const FLAG_CF: u32 = 1;
export const FLAG_PF: u32 = 1 << 2;
export const FLAG_AF: u32 = 1 << 4;
export const FLAG_ZF: u32 = 1 << 6;
export const FLAG_SF: u32 = 1 << 7;
export const FLAG_TF: u32 = 1 << 8;
export const FLAG_IF: u32 = 1 << 9;
export const FLAG_DF: u32 = 1 << 10;
export const FLAG_OF: u32 = 1 << 11;
export const FLAG_IOPL: u32 = 3 << 12;
export const FLAG_NT: u32 = 1 << 14;
export const FLAG_RF: u32 = 1 << 16;
export const FLAG_VM: u32 = 1 << 17;
export const FLAG_AC: u32 = 1 << 18;
export const FLAG_VIF: u32 = 1 << 19;
export const FLAG_VIP: u32 = 1 << 20;
export const FLAG_ID: u32 = 1 << 21;
export const FLAGS_STATUS: u32 = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF;
