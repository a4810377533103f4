// KVM_RUN's two ends: what the vCPU's run page says became an exit, and what the host answered became
// an entry of the access log, which the instruction finds when it is executed again.

import {
  KVM_EXIT_DEBUG,
  KVM_EXIT_EXCEPTION,
  KVM_EXIT_FAIL_ENTRY,
  KVM_EXIT_HLT,
  KVM_EXIT_HYPERCALL,
  KVM_EXIT_INTERNAL_ERROR,
  KVM_EXIT_INTR,
  KVM_EXIT_IO,
  KVM_EXIT_IO_IN,
  KVM_EXIT_IOAPIC_EOI,
  KVM_EXIT_IRQ_WINDOW_OPEN,
  KVM_EXIT_MMIO,
  KVM_EXIT_NMI,
  KVM_EXIT_SET_TPR,
  KVM_EXIT_SHUTDOWN,
  KVM_EXIT_SYSTEM_EVENT,
  KVM_EXIT_TPR_ACCESS,
  KVM_EXIT_UNKNOWN,
} from "../../assembly/exits.ts";
import {
  ACCESS_LOG_MAX,
  CPU_ACCESS_LOG,
  CPU_PIO_DATA,
  CPU_RIP,
  RUN_DEBUG_DR6,
  RUN_DEBUG_DR7,
  RUN_DEBUG_EXCEPTION,
  RUN_DEBUG_PC,
  RUN_ERROR,
  RUN_INTERNAL_DATA,
  RUN_IO_COUNT,
  RUN_IO_DIRECTION,
  RUN_IO_PORT,
  RUN_IO_SIZE,
  RUN_MMIO_DATA,
  RUN_MMIO_GPA,
  RUN_MMIO_IS_WRITE,
  RUN_MMIO_LEN,
  RUN_WAKE_AT,
} from "../../assembly/layout.ts";
import { isParked } from "./events.ts";
import type { IoDirection, IoExit, MmioExit, VcpuExit } from "./exits.ts";
import type { VcpuState } from "./vcpu-state.ts";

/** The page that PIO data of one exit fits in. */
const PIO_DATA_SIZE = 4096;

/** Reads the exit that the core has described in the run page. */
export function decodeExit(state: VcpuState, reason: number): VcpuExit {
  switch (reason) {
    case KVM_EXIT_IO:
      return decodeIo(state);
    case KVM_EXIT_MMIO:
      return decodeMmio(state);
    case KVM_EXIT_INTR: {
      const halted = isParked(state);
      return { reason, halted, wakeAtNs: halted ? state.f64(RUN_WAKE_AT) : 0 };
    }
    case KVM_EXIT_HLT:
    case KVM_EXIT_SHUTDOWN:
    case KVM_EXIT_IRQ_WINDOW_OPEN:
    case KVM_EXIT_EXCEPTION:
    case KVM_EXIT_SET_TPR:
    case KVM_EXIT_TPR_ACCESS:
    case KVM_EXIT_NMI:
      return { reason };
    case KVM_EXIT_DEBUG:
      return {
        reason,
        exception: state.u32(RUN_DEBUG_EXCEPTION),
        pc: state.u64(RUN_DEBUG_PC),
        dr6: state.u64(RUN_DEBUG_DR6),
        dr7: state.u64(RUN_DEBUG_DR7),
      };
    case KVM_EXIT_FAIL_ENTRY:
      return { reason, hardwareEntryFailureReason: BigInt(state.u32(RUN_ERROR)), cpu: state.index };
    case KVM_EXIT_INTERNAL_ERROR:
      return { reason, suberror: state.u32(RUN_ERROR), internalData: internalData(state) };
    case KVM_EXIT_SYSTEM_EVENT:
      return { reason, type: state.u32(RUN_ERROR), eventData: internalData(state) };
    case KVM_EXIT_HYPERCALL: {
      const [nr = 0n, ...args] = internalData(state);
      return { reason, nr, args };
    }
    case KVM_EXIT_IOAPIC_EOI:
      return { reason, vector: state.u32(RUN_ERROR) };
    default:
      return { reason: KVM_EXIT_UNKNOWN, hardwareExitReason: BigInt(reason >>> 0) };
  }
}

function internalData(state: VcpuState): bigint[] {
  return [0, 8, 16, 24].map((offset) => state.u64(RUN_INTERNAL_DATA + offset));
}

function decodeIo(state: VcpuState): IoExit {
  const size = state.u32(RUN_IO_SIZE);
  const count = state.u32(RUN_IO_COUNT);
  const direction = state.u32(RUN_IO_DIRECTION) as IoDirection;
  const bytes = Math.min(size * count, PIO_DATA_SIZE);
  return {
    reason: KVM_EXIT_IO,
    direction,
    port: state.u32(RUN_IO_PORT),
    size,
    count,
    data: direction === KVM_EXIT_IO_IN ? new Uint8Array(bytes) : state.copy(CPU_PIO_DATA, bytes),
  };
}

function decodeMmio(state: VcpuState): MmioExit {
  const len = Math.min(state.u32(RUN_MMIO_LEN), 8);
  const isWrite = state.u32(RUN_MMIO_IS_WRITE) !== 0;
  return {
    reason: KVM_EXIT_MMIO,
    physAddr: state.u64(RUN_MMIO_GPA),
    data: isWrite ? state.copy(RUN_MMIO_DATA, len) : new Uint8Array(len),
    len,
    isWrite,
  };
}

// Kinds of entries in the access log (assembly/mmu/access-log.ts).
const LOG_MMIO_READ = 1;
const LOG_MMIO_WRITE = 2;
const LOG_PIO_IN = 3;
const LOG_PIO_OUT = 4;

const LOG_COUNT = CPU_ACCESS_LOG;
const LOG_RIP = CPU_ACCESS_LOG + 8;
const LOG_ENTRIES = CPU_ACCESS_LOG + 16;
const LOG_ENTRY_SIZE = 32;

/** An access that user space has still to answer, and where the instruction is that made it (two halves of rip). */
export interface PendingAccess {
  readonly exit: IoExit | MmioExit;
  readonly ripLow: number;
  readonly ripHigh: number;
}

// This is the path of every exit, so it works on 32-bit halves: a bigint is an allocation.

/** The access that an exit asks the host to answer, if it does. */
export function pendingAccess(state: VcpuState, exit: VcpuExit): PendingAccess | undefined {
  if (exit.reason !== KVM_EXIT_IO && exit.reason !== KVM_EXIT_MMIO) return undefined;
  return { exit, ripLow: state.u32(CPU_RIP), ripHigh: state.u32(CPU_RIP + 4) };
}

/** Four bytes as one number, those behind the end as 0. */
function wordAt(data: Uint8Array, at: number): number {
  return (
    (byteAt(data, at) | (byteAt(data, at + 1) << 8) | (byteAt(data, at + 2) << 16) | (byteAt(data, at + 3) << 24)) >>> 0
  );
}

function byteAt(data: Uint8Array, at: number): number {
  return at < data.length ? (data[at] as number) : 0;
}

/** Hands the host's answer to the instruction. Where the host has moved rip meanwhile, the access is void, as in KVM. */
export function completeAccess(state: VcpuState, { exit, ripLow, ripHigh }: PendingAccess): void {
  const count = state.u32(LOG_COUNT);
  if (state.u32(CPU_RIP) !== ripLow || state.u32(CPU_RIP + 4) !== ripHigh) {
    state.setU32(LOG_COUNT, 0);
    return;
  }
  // The core leaves with INTERNAL_ERROR before an instruction can make more accesses than the log holds.
  if (count >= ACCESS_LOG_MAX) return;
  const entry = LOG_ENTRIES + count * LOG_ENTRY_SIZE;
  if (exit.reason === KVM_EXIT_MMIO) {
    state.setU64(entry, exit.physAddr);
    state.setU32(entry + 8, exit.isWrite ? LOG_MMIO_WRITE : LOG_MMIO_READ);
    state.setU32(entry + 12, exit.len);
  } else {
    const isIn = exit.direction === KVM_EXIT_IO_IN;
    if (isIn) state.put(CPU_PIO_DATA, exit.data);
    state.setU32(entry, exit.port);
    state.setU32(entry + 4, 0);
    state.setU32(entry + 8, isIn ? LOG_PIO_IN : LOG_PIO_OUT);
    state.setU32(entry + 12, exit.size);
  }
  // Up to eight bytes of data, little endian.
  state.setU32(entry + 16, wordAt(exit.data, 0));
  state.setU32(entry + 20, wordAt(exit.data, 4));
  state.setU32(LOG_RIP, ripLow);
  state.setU32(LOG_RIP + 4, ripHigh);
  state.setU32(LOG_COUNT, count + 1);
}
