// What a system under measurement is to the bench: something that boots a Linux guest, as a command line.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Command } from "../measured-process.ts";

/** Width of the guest's kernel and programs. */
export type Bits = 32 | 64;

/** A guest in files. */
export interface Guest {
  readonly kernel: string;
  readonly initrd: string;
  readonly append: string;
}

/** A system that can boot a Linux guest with its console on standard output. */
export interface Emulator {
  readonly name: string;
  /** For people: program and version. */
  readonly description: string;
  /** What it is measured with. */
  readonly guests: readonly Bits[];
  /** The guest's kernel has to be an ELF file instead of a bzImage. */
  readonly wantsUnpacked: boolean;
  /** Takes so long that its programs share a boot whatever the options say, and that a quick run has no time for them. */
  readonly slow?: boolean;
  /** What alone is measured of it. */
  readonly only?: "boots" | "boots and programs";
  /** Leaves something for its later runs of the same guest: some that are not measured come first. */
  readonly learns?: boolean;
  /** Leaves code of its own for all of its later processes: one that is not measured comes before all that are. */
  readonly keepsCode?: boolean;
  /** An accelerator of wkvm, the default first. */
  readonly oneOfSeveral?: boolean;
  /** Sleeps while its guest does. */
  readonly idles: boolean;
  /** Boots multiboot kernels, and needs no initrd. */
  readonly multiboot: boolean;
  readonly command: (guest: Guest) => Command;
}

/** What a quick run measures: of wkvm's accelerators the first, and nothing slow, but how these boot a 64-bit guest; nothing
 * but their plain form. */
export function forQuickRun(emulators: readonly Emulator[]): Emulator[] {
  return emulators
    .filter(({ oneOfSeveral, only }) => !(oneOfSeveral && only))
    .map((emulator, index) =>
      emulator.slow || (index > 0 && emulator.oneOfSeveral) ? { ...emulator, guests: [64], only: "boots" } : emulator,
    );
}

/** Or why it cannot run. */
export type EmulatorOrReason = Emulator | { readonly name: string; readonly missing: string };

export const RAM_BYTES = 256 * 2 ** 20;

/** The same words for wkvm and QEMU. */
export function machineArguments({ kernel, initrd, append }: Guest): string[] {
  const files = initrd === "" ? [] : ["-initrd", initrd, "-append", append];
  const machine = ["-m", String(RAM_BYTES / 2 ** 20), "-kernel", kernel, ...files];
  const consoles = ["-nodefaults", "-display", "none", "-serial", "stdio", "-monitor", "none"];
  return [...machine, ...consoles, "-no-reboot"];
}

/** A program's path, as a shell finds it. */
export function which(name: string): string | undefined {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}
