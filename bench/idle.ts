// What a guest costs that waits at its shell for input, and the memory that it then has.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SETTLED } from "./boot.ts";
import { attempt, type Context, memoryResult, newestGuest } from "./context.ts";
import { shellInitramfs } from "./initramfs.ts";
import { withProcess } from "./measured-process.ts";
import type { Emulator } from "./peers/emulator.ts";
import { usageOf } from "./proc.ts";
import type { IdleResult } from "./results.ts";

const PROMPT = /busybox shell[\s\S]*# /;
const TIMEOUT_SECONDS = 300;
/** After the prompt, until what boots in the background is done: a window with little to do, or so many at most. */
const SETTLE_WINDOW_MS = 1500;
const SETTLE_WINDOWS = 8;
const LITTLE_PERCENT = 3;

export async function idlePart(context: Context): Promise<IdleResult[]> {
  const results: IdleResult[] = [];
  for (const emulator of context.emulators.filter(({ idles, only }) => idles && !only)) {
    const newest = newestGuest(context, emulator);
    // A 32-bit boot is too long for a quick run.
    if (!newest || (context.options.quick && newest.kernel.bits === 32)) continue;
    const initrd = join(context.work, `shell-${newest.kernel.bits}.cpio`);
    writeFileSync(initrd, shellInitramfs(newest.files));
    const guest = { kernel: newest.kernel.path, initrd, append: SETTLED };
    const what = `idle shell under ${emulator.name}`;
    const outcome = await attempt(context, what, () => idle(emulator, guest, context.options.quick ? 5000 : 15000));
    if ("failure" in outcome) context.skip(`${what}: ${outcome.failure}`);
    else {
      results.push(outcome.value);
      context.say(`${what}: ${outcome.value.cpuPercent.toFixed(1)}% of a core`);
    }
  }
  return results;
}

async function idle(emulator: Emulator, guest: Parameters<Emulator["command"]>[0], ms: number): Promise<IdleResult> {
  return withProcess(emulator.command(guest), async (running) => {
    await running.until(PROMPT, TIMEOUT_SECONDS);
    for (let window = 0; window < SETTLE_WINDOWS; window++) {
      if ((await percentOver(running.pid, SETTLE_WINDOW_MS)) < LITTLE_PERCENT) break;
    }
    const cpuPercent = await percentOver(running.pid, ms);
    return { runner: emulator.name, cpuPercent, memory: memoryResult(running.pid) };
  });
}

async function percentOver(pid: number, ms: number): Promise<number> {
  const before = usageOf(pid).livingSeconds;
  const startedMs = performance.now();
  await sleep(ms);
  const used = usageOf(pid).livingSeconds - before;
  return (100 * used) / ((performance.now() - startedMs) / 1000);
}
