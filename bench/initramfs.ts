// The guests' root file systems.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CpioWriter } from "../host/guest/cpio.ts";
import { buildInitramfs } from "../host/guest/initramfs.ts";
import type { ProgramFiles } from "./compile-programs.ts";
import type { GuestFiles } from "./guest-files.ts";

/** What init of bootInitramfs() prints. */
export const USERLAND = /@userland (\S+)\r?\n/;

/** Prints USERLAND from a shell script as the first process, and turns the machine off. */
export function bootInitramfs({ busybox }: GuestFiles): Uint8Array {
  const init = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
echo "@userland $(/bin/busybox uname -r)"
/bin/busybox poweroff -f
`;
  const cpio = new CpioWriter();
  for (const folder of ["bin", "dev", "proc"]) cpio.directory(folder);
  cpio.characterDevice("dev/console", 5, 1);
  cpio.file("bin/busybox", readFileSync(busybox), 0o755);
  cpio.file("init", new TextEncoder().encode(init), 0o755);
  return cpio.finish();
}

/** The default guest's shell. */
export function shellInitramfs({ busybox }: GuestFiles): Uint8Array {
  return buildInitramfs(readFileSync(busybox));
}

/** The compiled benchmark programs as the first process, and the folder that they run in as the root. */
export function programsInitramfs({ program, folder }: ProgramFiles): Uint8Array {
  const cpio = new CpioWriter();
  for (const name of ["dev", "proc"]) cpio.directory(name);
  cpio.characterDevice("dev/console", 5, 1);
  cpio.file("init", readFileSync(program), 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) cpio.file(entry.name, readFileSync(join(folder, entry.name)), 0o755);
    else {
      cpio.directory(entry.name);
      for (const name of readdirSync(join(folder, entry.name))) {
        cpio.file(`${entry.name}/${name}`, readFileSync(join(folder, entry.name, name)), 0o755);
      }
    }
  }
  return cpio.finish();
}
