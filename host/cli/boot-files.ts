// Reads the kernel and the initrd that a command line names, or gets the default guest.
import { readFileSync } from "node:fs";
import type { BootFiles } from "../boot/types.ts";
import { defaultGuest } from "../guest/default-guest.ts";
import { DEFAULT_TSC_KHZ } from "../kvm/memory.ts";
import type { Settings } from "./settings.ts";
import { UsageError } from "./usage-error.ts";

/** Enough for Debian's kernel, which unpacks its root file system into it. */
const DEFAULT_GUEST_MEMORY = 256 * 2 ** 20;

export interface Guest {
  readonly files: BootFiles;
  readonly memoryBytes: number;
  /** Something the user should know before the guest starts. */
  readonly notice?: string;
}

/** Throws UsageError for a file that cannot be read. */
export async function guestOf(settings: Settings): Promise<Guest> {
  if (settings.kernel === undefined) return standardGuest(settings);
  const kernel = read(settings.kernel, "kernel file");
  const files = { kernel, kernelName: settings.kernel, commandLine: settings.append ?? "" };
  const { initrd } = settings;
  return {
    files: initrd === undefined ? files : { ...files, initrd: read(initrd, "initrd"), initrdName: initrd },
    memoryBytes: settings.memoryBytes,
  };
}

async function standardGuest(settings: Settings): Promise<Guest> {
  const { rows, columns, isTTY } = process.stdout;
  const guest = await defaultGuest({
    tscKhz: DEFAULT_TSC_KHZ,
    ...(settings.append === undefined ? {} : { append: settings.append }),
    ...(isTTY && rows > 0 && columns > 0 ? { terminal: { rows, columns } } : {}),
  });
  return { ...guest, memoryBytes: settings.memoryGiven ? settings.memoryBytes : DEFAULT_GUEST_MEMORY };
}

function read(path: string, what: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`could not open ${what} '${path}': ${reason(error as NodeJS.ErrnoException)}`);
  }
}

function reason(error: NodeJS.ErrnoException): string {
  const known: Record<string, string> = {
    ENOENT: "No such file or directory",
    EACCES: "Permission denied",
    EISDIR: "Is a directory",
    ERR_FS_FILE_TOO_LARGE: "File too large",
  };
  return known[error.code ?? ""] ?? error.message;
}
