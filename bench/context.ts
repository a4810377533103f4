// What all parts of the bench share.
import type { GuestFiles, GuestKernel } from "./guest-files.ts";
import { PeerFailure } from "./measured-process.ts";
import type { Options } from "./options.ts";
import { type Emulator, RAM_BYTES } from "./peers/emulator.ts";
import { memoryOf } from "./proc.ts";
import type { MemoryResult } from "./results.ts";

export interface Context {
  readonly options: Options;
  /** Those whose files could be had; 64-bit ones first. */
  readonly guests: readonly GuestFiles[];
  /** The checkout. */
  readonly root: string;
  /** For files of this run; gone at its end. */
  readonly work: string;
  /** The built command. */
  readonly wkvm: string;
  /** The bundled counter process. */
  readonly probe: string;
  /** The bundled process that makes many virtual machines. */
  readonly vmsProbe: string;
  /** The bundled process that looks at a guest at work. */
  readonly profileProbe: string;
  /** The commit of `options.base`. */
  readonly base: string | undefined;
  readonly emulators: readonly Emulator[];
  /** Adds a line to the results' list of what was not run. */
  readonly skip: (what: string) => void;
  /** Tells the person who waits. */
  readonly say: (text: string) => void;
}

const MEBIBYTE = 2 ** 20;

/** Memory of a process that holds a guest of RAM_BYTES. */
export function memoryResult(pid: number): MemoryResult {
  const { resident, peak, guestRam } = memoryOf(pid, RAM_BYTES);
  const mebibytes = (bytes: number): number => Math.round((bytes / MEBIBYTE) * 10) / 10;
  return {
    residentMiB: mebibytes(resident),
    peakMiB: mebibytes(peak),
    beyondGuestMiB: mebibytes(resident - guestRam),
  };
}

/** The newest kernel of the widest guest that an emulator takes, and its files. */
export function newestGuest(context: Context, { guests }: Emulator): { files: GuestFiles; kernel: GuestKernel } | null {
  const files = context.guests.find(({ bits }) => guests.includes(bits));
  const kernel = files?.kernels.at(-1);
  return files && kernel ? { files, kernel } : null;
}

/** Runs `action`; a peer's failure is told and returned as text instead of thrown. */
export async function attempt<T>(
  context: Pick<Context, "say">,
  what: string,
  action: () => Promise<T>,
): Promise<{ value: T } | { failure: string }> {
  try {
    return { value: await action() };
  } catch (error) {
    if (!(error instanceof PeerFailure)) throw error;
    context.say(`${what}: ${error.message}`);
    return { failure: error.message };
  }
}
