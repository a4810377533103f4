// Why KVM_RUN returned: struct kvm_run as a flat union, told apart by `reason`.
// The numbers are the Linux uapi's; they are written once, in assembly/exits.ts.

import type {
  KVM_EXIT_DEBUG,
  KVM_EXIT_EXCEPTION,
  KVM_EXIT_FAIL_ENTRY,
  KVM_EXIT_HLT,
  KVM_EXIT_HYPERCALL,
  KVM_EXIT_INTERNAL_ERROR,
  KVM_EXIT_INTR,
  KVM_EXIT_IO,
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

export * from "../../assembly/exits.ts";

/** `IoExit.direction`: the guest reads the port (IN, INS). */
export type IoDirection = 0 | 1;

/** The guest used an I/O port. For IN the caller fills `data` before the next `run()`. */
export interface IoExit {
  readonly reason: typeof KVM_EXIT_IO;
  /** KVM_EXIT_IO_IN (0) or KVM_EXIT_IO_OUT (1). */
  readonly direction: IoDirection;
  /** 0..65535. */
  readonly port: number;
  /** Bytes an item: 1, 2 or 4. */
  readonly size: number;
  /** Items: 1, or more for REP INS and REP OUTS. */
  readonly count: number;
  /** `size * count` bytes, little endian; a copy, valid until the next `run()`. */
  readonly data: Uint8Array;
}

/** The guest accessed a physical address that no slot holds, or wrote to a read-only one. */
export interface MmioExit {
  readonly reason: typeof KVM_EXIT_MMIO;
  readonly physAddr: bigint;
  /** `len` bytes, little endian; a copy, valid until the next `run()`. For reads the caller fills it. */
  readonly data: Uint8Array;
  /** 1..8. */
  readonly len: number;
  readonly isWrite: boolean;
}

/** The guest executed HLT and there is no in-core irqchip to wait for. */
export interface HltExit {
  readonly reason: typeof KVM_EXIT_HLT;
}

/** The guest met a triple fault. */
export interface ShutdownExit {
  readonly reason: typeof KVM_EXIT_SHUTDOWN;
}

/** An interrupt could be injected now, after kvmRun.requestInterruptWindow asked for this. */
export interface IrqWindowOpenExit {
  readonly reason: typeof KVM_EXIT_IRQ_WINDOW_OPEN;
}

/** Where Linux returns -EINTR: time is up, somebody kicked, or the guest sleeps and blocking was not allowed. */
export interface IntrExit {
  readonly reason: typeof KVM_EXIT_INTR;
  /** True: the vCPU is halted (or waits for its SIPI) and gains nothing from being entered before `wakeAtNs`. */
  readonly halted: boolean;
  /** Guest time (vm.nowNs()) at which to enter again: 0 at once, Infinity not before an interrupt or a kick. */
  readonly wakeAtNs: number;
}

/** A breakpoint or single step that setGuestDebug asked for: struct kvm_debug_exit_arch. */
export interface DebugExit {
  readonly reason: typeof KVM_EXIT_DEBUG;
  /** 1 (#DB) or 3 (#BP). */
  readonly exception: number;
  /** Linear address of the instruction. */
  readonly pc: bigint;
  readonly dr6: bigint;
  readonly dr7: bigint;
}

/** The registers describe no state a processor can be entered in. */
export interface FailEntryExit {
  readonly reason: typeof KVM_EXIT_FAIL_ENTRY;
  readonly hardwareEntryFailureReason: bigint;
  readonly cpu: number;
}

/** The core cannot go on: an instruction fetch outside RAM, for one. */
export interface InternalErrorExit {
  readonly reason: typeof KVM_EXIT_INTERNAL_ERROR;
  /** KVM_INTERNAL_ERROR_*. */
  readonly suberror: number;
  /** What goes with it, up to four values. */
  readonly internalData: readonly bigint[];
  /** What broke, where it was the core itself: such a vCPU cannot run again. */
  readonly message?: string;
}

/** The guest asked for something that concerns the whole machine. */
export interface SystemEventExit {
  readonly reason: typeof KVM_EXIT_SYSTEM_EVENT;
  /** KVM_SYSTEM_EVENT_*: 1 shutdown, 2 reset, 3 crash. */
  readonly type: number;
  readonly eventData: readonly bigint[];
}

/** A hypercall that is user space's to answer. */
export interface HypercallExit {
  readonly reason: typeof KVM_EXIT_HYPERCALL;
  readonly nr: bigint;
  readonly args: readonly bigint[];
}

/** With a split irqchip: a level-triggered vector that the IOAPIC's routes name was acknowledged. */
export interface IoapicEoiExit {
  readonly reason: typeof KVM_EXIT_IOAPIC_EOI;
  readonly vector: number;
}

/** Exits of the uapi that carry nothing here. */
export interface BareExit {
  readonly reason:
    | typeof KVM_EXIT_EXCEPTION
    | typeof KVM_EXIT_SET_TPR
    | typeof KVM_EXIT_TPR_ACCESS
    | typeof KVM_EXIT_NMI;
}

/** A reason this library does not know. It is data, not an error. */
export interface UnknownExit {
  readonly reason: typeof KVM_EXIT_UNKNOWN;
  readonly hardwareExitReason: bigint;
}

/**
 * What `vcpu.run()` returns; `switch (exit.reason)` narrows it.
 *
 * @example
 * const exit = vcpu.run();
 * switch (exit.reason) {
 *   case KVM_EXIT_IO: console.log(exit.port, exit.data); break;
 *   case KVM_EXIT_MMIO: if (!exit.isWrite) exit.data.fill(0xff); break;
 *   case KVM_EXIT_SHUTDOWN: throw new Error("triple fault");
 * }
 */
export type VcpuExit =
  | IoExit
  | MmioExit
  | HltExit
  | ShutdownExit
  | IrqWindowOpenExit
  | IntrExit
  | DebugExit
  | FailEntryExit
  | InternalErrorExit
  | SystemEventExit
  | HypercallExit
  | IoapicEoiExit
  | BareExit
  | UnknownExit;

/** KVM_SYSTEM_EVENT_*. */
export const KVM_SYSTEM_EVENT_SHUTDOWN = 1;
export const KVM_SYSTEM_EVENT_RESET = 2;
export const KVM_SYSTEM_EVENT_CRASH = 3;

const EXIT_NAMES: readonly (string | undefined)[] = Object.assign([] as (string | undefined)[], {
  0: "UNKNOWN",
  1: "EXCEPTION",
  2: "IO",
  3: "HYPERCALL",
  4: "DEBUG",
  5: "HLT",
  6: "MMIO",
  7: "IRQ_WINDOW_OPEN",
  8: "SHUTDOWN",
  9: "FAIL_ENTRY",
  10: "INTR",
  11: "SET_TPR",
  12: "TPR_ACCESS",
  16: "NMI",
  17: "INTERNAL_ERROR",
  24: "SYSTEM_EVENT",
  26: "IOAPIC_EOI",
});

/**
 * The uapi's name of an exit number without its `KVM_EXIT_` prefix, for logs and statistics.
 *
 * @example
 * exitName(2); // "IO"
 */
export function exitName(reason: number): string {
  return EXIT_NAMES[reason] ?? `#${reason}`;
}
