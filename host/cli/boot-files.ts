// Reads the kernel and the initrd that a command line names, or gets the default guest.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { BootFiles } from "../boot/types.ts";
import { defaultGuest } from "../guest/default-guest.ts";
import { DEFAULT_TSC_KHZ } from "../kvm/memory.ts";
import { reason } from "./file-error.ts";
import type { Settings } from "./settings.ts";
import { UsageError } from "./usage-error.ts";

/** Enough for Debian's kernel, which unpacks its root file system into it. */
const DEFAULT_GUEST_MEMORY = 256 * 2 ** 20;

export interface Guest {
  /** Tells it from other guests of this user: the file that it starts from. */
  readonly name: string;
  /** Reads the files anew at each call; throws UsageError for one that cannot be read. */
  readonly files?: () => BootFiles;
  /** The firmware that starts instead of a kernel. */
  readonly firmware?: Uint8Array;
  readonly memoryBytes: number;
  /** Something the user should know before the guest starts. */
  readonly notice?: string;
}

/** What the command line names, or the default guest. */
export async function guestOf(settings: Settings): Promise<Guest> {
  const { kernel, initrd, bios, memoryBytes } = settings;
  if (bios !== undefined) return { name: resolve(bios), firmware: read(bios, "firmware"), memoryBytes };
  if (kernel === undefined) return standardGuest(settings);
  const files = (): BootFiles => ({
    kernel: read(kernel, "kernel file"),
    kernelName: kernel,
    commandLine: settings.append ?? "",
    ...(initrd === undefined ? {} : { initrd: read(initrd, "initrd"), initrdName: initrd }),
  });
  return { name: resolve(kernel), files, memoryBytes };
}

async function standardGuest(settings: Settings): Promise<Guest> {
  const { rows, columns, isTTY } = process.stdout;
  const guest = await defaultGuest({
    tscKhz: DEFAULT_TSC_KHZ,
    ...(settings.append === undefined ? {} : { append: settings.append }),
    ...(isTTY && rows > 0 && columns > 0 ? { terminal: { rows, columns } } : {}),
  });
  return { name: "", ...guest, memoryBytes: settings.memoryGiven ? settings.memoryBytes : DEFAULT_GUEST_MEMORY };
}

function read(path: string, what: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`could not open ${what} '${path}': ${reason(error as NodeJS.ErrnoException)}`);
  }
}
