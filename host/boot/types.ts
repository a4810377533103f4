// What a boot protocol produces: bytes for guest RAM and the state in which vCPU 0 starts.

/** A kernel, initrd or other boot file that cannot be used; the message is for the person who named the file. */
export class BootError extends Error {
  override readonly name = "BootError";
}

/** Address range types of the BIOS call INT 15h, AX=E820h (ACPI 6.4, table 15.2). */
export const E820_RAM = 1;
export const E820_RESERVED = 2;
export const E820_ACPI = 3;
export const E820_NVS = 4;

export interface E820Entry {
  /** Guest physical address. */
  readonly start: number;
  readonly size: number;
  readonly type: number;
}

/** What a boot protocol may know of the machine. */
export interface BootMachine {
  /** The memory map handed to the guest, ascending. */
  readonly e820: readonly E820Entry[];
  /** End of the RAM that starts at 1 MiB and lies below 4 GiB. */
  readonly lowRamEnd: number;
  /** Address of the ACPI root pointer, 0 when there is none. */
  readonly rsdpAddress: number;
}

/** The files and the command line as given by the user. */
export interface BootFiles {
  readonly kernel: Uint8Array;
  /** What to call the kernel in messages, and to multiboot kernels as their first argument. */
  readonly kernelName: string;
  readonly initrd?: Uint8Array;
  readonly initrdName?: string;
  readonly commandLine: string;
}

/** Bytes for guest RAM; the rest of `memorySize` is cleared. */
export interface BootRegion {
  readonly gpa: number;
  readonly data: Uint8Array;
  readonly memorySize: number;
}

/** Registers at entry that a protocol defines. */
export interface BootRegisters {
  readonly rip: number;
  readonly rax?: number;
  readonly rbx?: number;
  readonly rsi?: number;
}

/** 32-bit protected mode with flat segments and paging off, or 64-bit mode with low memory mapped one to one. */
export type BootMode = "protected" | "long";

/** A guest that is ready to start. */
export interface BootImage {
  /** One line for logs: format, protocol, compression. */
  readonly description: string;
  readonly regions: readonly BootRegion[];
  readonly mode: BootMode;
  readonly registers: BootRegisters;
  /** The protocol promises a machine whose BIOS has left interrupts and the timer running. */
  readonly afterBios?: boolean;
  /** Frees what was made on the way; the regions are empty afterwards. To be called when they have been copied. */
  readonly release?: () => void;
}

/** Makes a region out of bytes that need no room behind them. */
export function region(gpa: number, data: Uint8Array, memorySize = data.length): BootRegion {
  return { gpa, data, memorySize };
}
