// --prof: which functions of the guest, and which parts of wkvm, take the time of a boot or of a guest program.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PLAIN, SETTLED } from "./boot.ts";
import { programFiles } from "./compile-programs.ts";
import { attempt, type Context } from "./context.ts";
import type { GuestFiles } from "./guest-files.ts";
import { bootInitramfs, programsInitramfs } from "./initramfs.ts";
import { kernelSymbols } from "./kallsyms.ts";
import { withProcess } from "./measured-process.ts";
import { RAM_BYTES } from "./peers/emulator.ts";
import { acceleratorOf } from "./peers/wkvm.ts";
import type { ProfileResult } from "./results.ts";
import { elfFunctions, SymbolTable } from "./symbols.ts";
import type { Tiers } from "./tiers.ts";

const TIMEOUT_SECONDS = 600;
/** Functions that are told one by one. */
const MOST_FUNCTIONS = 25;
/** The kernel's part of the address space begins here, or earlier. */
const KERNEL_SPACE = { 64: 0xffff_8000_0000_0000n, 32: 0xc000_0000n };
/** Programs that are another program's work, whose symbols are not those of bench/guests. */
const ELSEWHERE = ["gzip", "lua"];

/** What the probe prints. */
export interface Samples {
  readonly samples: readonly (readonly [string, number])[];
  readonly tiers: Tiers;
}

/** A guest's work, and what its addresses mean. */
interface Work {
  readonly what: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly append: string;
  /** Marks on the console. */
  readonly from: string;
  readonly to: string;
  readonly nameOf: (address: bigint) => string;
}

export async function profilePart(context: Context): Promise<ProfileResult[]> {
  const results: ProfileResult[] = [];
  for (const files of context.guests) {
    const works = worksOf(context, files);
    for (const emulator of context.emulators) {
      const accelerator = acceleratorOf(emulator);
      if (accelerator === undefined || emulator.only) continue;
      for (const work of works) {
        const what = `profile of ${work.what} under ${emulator.name}`;
        const outcome = await attempt(context, what, () => probe(context.profileProbe, work, accelerator));
        if ("failure" in outcome) context.skip(`${what}: ${outcome.failure}`);
        else results.push({ what: work.what, runner: emulator.name, ...attribute(outcome.value, work.nameOf) });
        context.say(what);
      }
    }
  }
  return results;
}

function worksOf(context: Context, files: GuestFiles): Work[] {
  const kernel = files.kernels.at(-1)!;
  const kernelTable = new SymbolTable(kernelSymbols(readFileSync(kernel.unpacked), files.bits === 64));
  if (kernelTable.size === 0) context.skip(`names of Linux ${kernel.version}'s functions: its table was not found`);
  const nameIn =
    (user: SymbolTable | undefined) =>
    (address: bigint): string =>
      address >= KERNEL_SPACE[files.bits]
        ? `${kernelTable.nameOf(address) ?? pageOf(address)} (kernel)`
        : (user?.nameOf(address) ?? `user code at ${pageOf(address)}`);
  const image = (name: string, bytes: Uint8Array): string => {
    const path = join(context.work, `profile-${name}-${files.bits}.cpio`);
    writeFileSync(path, bytes);
    return path;
  };
  if (context.options.programs.length === 0) {
    const what = `the boot of Linux ${kernel.version}`;
    const initrd = image("boot", bootInitramfs(files));
    return [{ what, kernel: kernel.path, initrd, append: PLAIN, from: "", to: "@userland", nameOf: nameIn(undefined) }];
  }
  const programs = programFiles(join(context.root, "bench", "guests"), files, context.work);
  if ("missing" in programs) {
    context.skip(`${files.bits}-bit guest programs: ${programs.missing}`);
    return [];
  }
  const initrd = image("programs", programsInitramfs(programs));
  const userTable = new SymbolTable(elfFunctions(readFileSync(programs.program)));
  return context.options.programs.map((name) => ({
    what: `${files.bits}-bit ${name}`,
    kernel: kernel.path,
    initrd,
    // The second run: what is compiled once has been compiled.
    append: `${SETTLED} -- 2 ${context.options.scale} ${name}`,
    from: `@begin ${name} 1`,
    to: `@result ${name} 1`,
    nameOf: nameIn(ELSEWHERE.includes(name) ? undefined : userTable),
  }));
}

function pageOf(address: bigint): string {
  return `0x${(address & ~0xfffn).toString(16)}`;
}

/** Shares of time by name, the largest first; what is not told one by one is summed up. */
export function attribute(
  { samples, tiers }: Samples,
  nameOf: (address: bigint) => string,
): Pick<ProfileResult, "samples" | "functions" | "tiers"> {
  const counts = new Map<string, number>();
  let total = 0;
  for (const [address, times] of samples) {
    const name = nameOf(BigInt(address));
    counts.set(name, (counts.get(name) ?? 0) + times);
    total += times;
  }
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  const rest = sorted.slice(MOST_FUNCTIONS);
  const functions = sorted.slice(0, MOST_FUNCTIONS).map(([name, times]) => ({ name, share: times / total }));
  if (rest.length > 0) {
    const times = rest.reduce((sum, [, count]) => sum + count, 0);
    functions.push({ name: `${rest.length} others`, share: times / total });
  }
  return { samples: total, functions, tiers };
}

async function probe(program: string, work: Work, accelerator: string): Promise<Samples> {
  const { kernel, initrd, append, from, to } = work;
  const args = [program, kernel, initrd, append, String(RAM_BYTES / 2 ** 20), accelerator, from, to];
  return withProcess({ file: process.execPath, args }, async (running) => {
    const { match } = await running.until(/^\{.*\}$/m, TIMEOUT_SECONDS);
    return JSON.parse(match[0]) as Samples;
  });
}
