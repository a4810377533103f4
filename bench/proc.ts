// What Linux tells about a running process (man 5 proc).
import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";

/** USER_HZ, the unit of /proc/PID/stat: 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;
const PAGE = 4096;
/** Of a word in /proc/PID/pagemap: the page is in RAM. */
const PRESENT = 0x80;

/** What a process has used since it started. */
export interface Usage {
  /** Processor time of all threads, living and dead, user and system, in seconds (in steps of 10 ms). */
  readonly cpuSeconds: number;
  /** That of the living threads alone (exact). */
  readonly livingSeconds: number;
  /** Processor time of the living thread that has most, in seconds. */
  readonly busiestThreadSeconds: number;
}

/** Throws the system's error when the process is gone. */
export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The command's name, in parentheses, may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  let [busiest, all] = [0, 0];
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const ns = threadNs(pid, thread);
    busiest = Math.max(busiest, ns);
    all += ns;
  }
  return { cpuSeconds, livingSeconds: all / 1e9, busiestThreadSeconds: busiest / 1e9 };
}

/** Makes one clock of a process's exact and its complete one. */
export class ProcessClock {
  private deadSeconds = 0;

  /** Seconds of processor time of all threads: exact, but for a constant of up to 10 ms for each time that some ended. */
  read({ cpuSeconds, livingSeconds }: Pick<Usage, "cpuSeconds" | "livingSeconds">): number {
    const dead = cpuSeconds - livingSeconds;
    if (dead > this.deadSeconds + 1 / TICKS_PER_SECOND) this.deadSeconds = dead;
    return livingSeconds + this.deadSeconds;
  }
}

function threadNs(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0]);
  } catch {
    // It ended meanwhile, or the kernel keeps no such statistics.
    return 0;
  }
}

/** Memory of a process, in bytes. */
export interface MemoryUse {
  readonly resident: number;
  /** The most that was ever resident at once. */
  readonly peak: number;
  /** How much of `resident` is the guest's RAM; NaN where it cannot be found. */
  readonly guestRam: number;
}

/** `ramBytes`: size of the guest's RAM. */
export function memoryOf(pid: number, ramBytes: number): MemoryUse {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1024;
  return { resident: field("VmRSS"), peak: field("VmHWM"), guestRam: residentRam(pid, ramBytes) };
}

/**
 * Guest RAM is the end of a writable mapping: QEMU and Bochs map it alone, in wkvm it lies last in linear memory. Of
 * those that are large enough it is the smallest: QEMU's cache of generated code is larger, and executable.
 */
function residentRam(pid: number, ramBytes: number): number {
  let found: { start: number; end: number } | undefined;
  for (const line of readFileSync(`/proc/${pid}/maps`, "latin1").split("\n")) {
    const match = /^([0-9a-f]+)-([0-9a-f]+) rw-/.exec(line);
    if (!match) continue;
    const [start, end] = [Number.parseInt(match[1]!, 16), Number.parseInt(match[2]!, 16)];
    if (end - start >= ramBytes && (!found || end - start < found.end - found.start)) found = { start, end };
  }
  return found ? presentPages(pid, found.end - ramBytes, found.end) * PAGE : Number.NaN;
}

function presentPages(pid: number, start: number, end: number): number {
  const words = Buffer.alloc(((end - start) / PAGE) * 8);
  const file = openSync(`/proc/${pid}/pagemap`, "r");
  try {
    const read = readSync(file, words, 0, words.length, (start / PAGE) * 8);
    let present = 0;
    for (let at = 7; at < read; at += 8) if (words[at]! & PRESENT) present++;
    return present;
  } finally {
    closeSync(file);
  }
}
