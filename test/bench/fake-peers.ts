// Programs that behave like a guest's console, for the bench to measure: shell scripts.
import type { Command } from "../../bench/measured-process.ts";
import type { Runner } from "../../bench/programs.ts";

export function shell(script: string): Command {
  return { file: "/bin/sh", args: ["-c", script] };
}

/** What bench/guests/main.c prints for one run of a program. */
export function ran(program: string, checksum = "00000000000000ab", repeat = 0): string {
  return `echo "@begin ${program} ${repeat}"; echo "@result ${program} ${repeat} ${checksum} 5000000 4000000"`;
}

/** A runner whose process for `programs` runs the script that `of` makes. */
export function fakeRunner(name: string, of: (programs: readonly string[]) => string, slow = false): Runner {
  return { name, bits: 64, slow, command: (programs) => shell(of(programs)) };
}

/** Whether a process of that number is alive. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
