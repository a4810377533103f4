// The form of a result file.
import type { HostInfo } from "./host-info.ts";
import type { Tiers } from "./tiers.ts";
import type { TraceDistribution } from "./trace-counts.ts";

/** Version of this form. */
export const FORMAT = 3;

export interface Times {
  readonly cpuSeconds: number;
  readonly busiestThreadSeconds: number;
  readonly wallSeconds: number;
}

/** One runner's boots of one kernel. */
export interface BootResult {
  readonly kernel: string;
  readonly runner: string;
  readonly runs: readonly (Times & { readonly memory: MemoryResult })[];
  /** What went wrong in a round, one line each. */
  readonly failures: readonly string[];
}

export interface MemoryResult {
  readonly residentMiB: number;
  readonly peakMiB: number;
  /** Resident without the guest's RAM. */
  readonly beyondGuestMiB: number;
}

export interface IdleResult {
  readonly runner: string;
  /** Processor time by wall time at a shell that waits for input. */
  readonly cpuPercent: number;
  readonly memory: MemoryResult;
}

export interface SizeResult {
  readonly coreBytes: number;
  readonly coreGzippedBytes: number;
}

/** From the start of the process to the first byte that a guest's first instruction puts out. */
export interface StartResult {
  readonly runner: string;
  readonly guest: string;
  readonly millisecondsToFirstInstruction: readonly number[];
}

/** Processor time of single events, in nanoseconds. */
export interface EventResult {
  readonly runner: string;
  readonly nanoseconds: {
    /** An OUT that the user side handles, and a store where no device is. */
    readonly pio: number;
    readonly mmio: number;
    /** An IN from the interrupt controller, which KVM has in the kernel. */
    readonly inCore: number;
    /** An undefined instruction, delivered to the guest's handler, and its return. */
    readonly exception: number;
    readonly tlbMiss: number;
    /** A load of CR3. */
    readonly tlbFlush: number;
  };
}

/** Many small virtual machines in one process. */
export interface VmsResult {
  readonly runner: string;
  readonly vms: number;
  /** RAM of each. */
  readonly ramMiB: number;
  /** From createVm to the first exit of its guest, one after the other. */
  readonly startedPerSecond: number;
  /** Growth of the process's resident memory. */
  readonly mebibytesEach: number;
  /** Millions of guest instructions a second of processor time: of one machine alone, and of all in turn. */
  readonly aloneMillionPerSecond: number;
  readonly togetherMillionPerSecond: number;
}

/** What a boot takes, by the core's own counters. */
export interface CounterResult {
  readonly kernel: string;
  readonly runner: string;
  readonly instructions: number;
  readonly cpuSeconds: number;
  readonly millionInstructionsPerSecond: number;
  /** From the start of the process to the first instruction, of which the kernel's unpacking is the most. */
  readonly millisecondsToFirstInstruction: number;
  readonly exits: Readonly<Record<string, number>>;
  readonly counters: Readonly<Record<string, number>>;
  /** How many boots the medians are of. */
  readonly runs: number;
}

/** Where the time of a boot or of a program went. */
export interface ProfileResult {
  readonly what: string;
  readonly runner: string;
  /** How often the guest was looked at. */
  readonly samples: number;
  /** Functions of the guest, the one with most samples first. */
  readonly functions: readonly { readonly name: string; readonly share: number }[];
  readonly tiers: Tiers;
}

export interface TraceResult extends TraceDistribution {
  readonly kernel: string;
  /** The core's own count of instructions: traces that are left halfway make the sum over traces larger. */
  readonly retired: number;
}

export interface ProgramRun extends Times {
  readonly checksum: string;
  /** Seconds by the guest's own clock, and of its processor as its kernel counts them. */
  readonly guestSeconds: number;
  readonly guestCpuSeconds: number;
  readonly round: number;
  /** 0: the first in its boot. */
  readonly repeat: number;
}

export interface ProgramResult {
  readonly program: string;
  readonly runner: string;
  /** Width of the program and of the guest that ran it. */
  readonly bits: 32 | 64;
  readonly runs: readonly ProgramRun[];
  readonly failures: readonly string[];
}

export interface Results {
  readonly format: number;
  readonly date: string;
  readonly revision: string;
  readonly host: HostInfo;
  readonly options: {
    readonly quick: boolean;
    readonly reps: number;
    readonly scale: number;
    /** Of earlier files 1. */
    readonly learn?: number;
    readonly together: boolean;
  };
  /** Name to program and version. */
  readonly runners: Readonly<Record<string, string>>;
  /** What was asked for and could not be run, and why. */
  readonly notRun: readonly string[];
  readonly size?: SizeResult;
  readonly start?: readonly StartResult[];
  readonly boot?: readonly BootResult[];
  readonly idle?: readonly IdleResult[];
  readonly events?: readonly EventResult[];
  readonly vms?: readonly VmsResult[];
  readonly counters?: readonly CounterResult[];
  readonly traces?: readonly TraceResult[];
  readonly programs?: readonly ProgramResult[];
  readonly profiles?: readonly ProfileResult[];
}
