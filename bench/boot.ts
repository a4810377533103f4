// Boots Debian's cloud kernels with a plain command line to a shell script as the first process.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { attempt, type Context, memoryResult } from "./context.ts";
import type { GuestFiles, GuestKernel } from "./guest-files.ts";
import { bootInitramfs, USERLAND } from "./initramfs.ts";
import { type Command, PeerFailure, withProcess } from "./measured-process.ts";
import type { Emulator } from "./peers/emulator.ts";
import type { BootResult } from "./results.ts";

/** `panic=-1`: a kernel that gives up resets, which ends the process at once. */
export const PLAIN = "console=ttyS0 panic=-1";
/**
 * For guests whose boot is not what is measured: by default the kernel tests its ciphers in the background, which goes on
 * for seconds while programs run.
 */
export const SETTLED = `${PLAIN} quiet cryptomgr.notests`;
/** A busy machine may give Bochs a small part of a core. */
const TIMEOUT_SECONDS = 600;

export async function bootPart(context: Context): Promise<BootResult[]> {
  const results = guestsOf(context).flatMap(({ guests, kernel, initrd }) =>
    context.emulators
      .filter((emulator) => emulator.guests.includes(guests.bits))
      .map((emulator) => ({
        kernel,
        initrd,
        emulator,
        result: { kernel: kernel.version, runner: emulator.name, runs: [], failures: [] } as Collected,
      })),
  );
  for (let round = 0; round < context.options.reps; round++) {
    for (const { kernel, initrd, emulator, result } of results) {
      const what = `boot ${kernel.version} under ${emulator.name}, round ${round + 1}`;
      const outcome = await attempt(context, what, async () => {
        const learn = emulator.learns && round === 0 ? context.options.learn : 0;
        for (let run = 0; run < learn; run++) await bootToTheEnd(emulator, kernel, initrd);
        return bootOnce(emulator, kernel, initrd);
      });
      if ("failure" in outcome) {
        result.failures.push(outcome.failure);
        continue;
      }
      result.runs.push(outcome.value);
      context.say(`${what}: ${outcome.value.cpuSeconds.toFixed(2)} s`);
    }
  }
  return results.map(({ result }) => result);
}

/** Has each runner that keeps code of its own for later processes do so, before anything is measured. */
export async function keepCode(context: Context): Promise<void> {
  for (const { guests, kernel, initrd } of guestsOf(context)) {
    for (const emulator of context.emulators) {
      if (!emulator.keepsCode || !emulator.guests.includes(guests.bits)) continue;
      const what = `boot ${kernel.version} under ${emulator.name}, for the code that it keeps`;
      await attempt(context, what, () => bootToTheEnd(emulator, kernel, initrd));
    }
  }
}

/** What is booted. */
function guestsOf(context: Context): { guests: GuestFiles; kernel: GuestKernel; initrd: string }[] {
  // The 32-bit kernel tests its ciphers for longer than all else takes: too long for a quick run.
  const all = context.options.quick ? context.guests.slice(0, 1) : context.guests;
  return all.flatMap((guests) => {
    const initrd = join(context.work, `boot-${guests.bits}.cpio`);
    writeFileSync(initrd, bootInitramfs(guests));
    const kernels = context.options.quick ? guests.kernels.slice(-1) : guests.kernels;
    return kernels.map((kernel) => ({ guests, kernel, initrd }));
  });
}

type Run = BootResult["runs"][number];
interface Collected extends BootResult {
  readonly runs: Run[];
  readonly failures: string[];
}

function bootCommand(emulator: Emulator, kernel: GuestKernel, initrd: string): Command {
  const path = emulator.wantsUnpacked ? kernel.unpacked : kernel.path;
  return emulator.command({ kernel: path, initrd, append: PLAIN });
}

/** Until the guest turns its machine off. */
async function bootToTheEnd(emulator: Emulator, kernel: GuestKernel, initrd: string): Promise<void> {
  await withProcess(bootCommand(emulator, kernel, initrd), (running) => running.untilEnd(TIMEOUT_SECONDS));
}

async function bootOnce(emulator: Emulator, kernel: GuestKernel, initrd: string): Promise<Run> {
  return withProcess(bootCommand(emulator, kernel, initrd), async (running) => {
    const { match, wallSeconds, cpuSeconds, busiestThreadSeconds } = await running.until(USERLAND, TIMEOUT_SECONDS);
    if (match[1] !== kernel.release) throw new PeerFailure(`says it runs ${match[1]}, not ${kernel.release}`);
    if (Number.isNaN(cpuSeconds)) throw new PeerFailure("was gone before it could be measured");
    return { wallSeconds, cpuSeconds, busiestThreadSeconds, memory: memoryResult(running.pid) };
  });
}
