// How a machine is made, and what can happen to it.
import type { BootFiles } from "../boot/types.ts";
import type { KvmCpuidEntry } from "../kvm/cpuid-table.ts";
import type { DebugExit, VcpuExit } from "../kvm/exits.ts";
import type { Kvm } from "../kvm/system.ts";
import type { PcOptions } from "./pc.ts";

/** How a machine is made. */
export interface MachineOptions extends PcOptions {
  readonly kvm: Kvm;
  /** RAM in bytes. */
  readonly memoryBytes: number;
  /**
   * The kernel and what comes with it. A function is asked again at each reset, and the arrays it gives are the
   * machine's, which empties them when they are copied: so a large kernel is not kept beside the guest's RAM.
   */
  readonly boot: BootFiles | (() => BootFiles) | null;
  /** Firmware that the processor starts at its reset vector; `boot` is null then. */
  readonly firmware?: Uint8Array;
  /** Whether there is an 8254; there is unless this is false. */
  readonly pit?: boolean;
  /** Whether timer ticks that the guest misses come later; they do unless this is false. */
  readonly pitReinject?: boolean;
  /** Options of kvm.createVm besides the memory size. */
  readonly vm?: Omit<Parameters<Kvm["createVm"]>[0], "memorySize">;
  /** A processor's CPUID table; by default all that is supported. */
  readonly cpuid?: (id: number) => readonly KvmCpuidEntry[];
  /** End instead of starting again when the guest resets. */
  readonly noReboot?: boolean;
  readonly onEvent?: (event: MachineEvent) => void;
  /** Sees each exit of a processor before it is carried out. */
  readonly onExit?: (exit: VcpuExit, vcpu: number) => void;
  /** Gives the event loop a turn between slices. */
  readonly yield?: () => Promise<void>;
}

/** What happens to a machine, for monitors and logs. */
export type MachineEvent =
  | { readonly kind: "boot"; readonly description: string }
  | { readonly kind: "reset"; readonly reason: ResetReason }
  | { readonly kind: "paused" }
  | { readonly kind: "resumed" }
  | { readonly kind: "debug"; readonly exit: DebugExit }
  | { readonly kind: "end"; readonly end: MachineEnd };

/** `host-reset` is the monitor's doing. */
export type ResetReason = "guest-reset" | "triple-fault" | "host-reset";

/** Why a machine ended, and the exit status that goes with it. */
export interface MachineEnd {
  readonly kind: "poweroff" | "reset" | "debug-exit" | "quit";
  /** 0-255: 0, or what the guest gave to isa-debug-exit. */
  readonly status: number;
}
