// The systems under measurement, as command lines.
import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Command } from "./measured-process.ts";

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
  /** The guest's kernel has to be an ELF file instead of a bzImage. */
  readonly wantsUnpacked: boolean;
  readonly command: (guest: Guest) => Command;
}

/** Or why it cannot run. */
export type EmulatorOrReason = Emulator | { readonly name: string; readonly missing: string };

export const RAM_BYTES = 256 * 2 ** 20;

/** The same words for wkvm and QEMU. */
function machineArguments({ kernel, initrd, append }: Guest): string[] {
  const machine = ["-m", String(RAM_BYTES / 2 ** 20), "-kernel", kernel, "-initrd", initrd, "-append", append];
  const consoles = ["-nodefaults", "-display", "none", "-serial", "stdio", "-monitor", "none"];
  return [...machine, ...consoles, "-no-reboot"];
}

/** `program`: dist/wkvm.js. */
export function wkvm(program: string, version: string): Emulator {
  return {
    name: "wkvm",
    description: `wkvm ${version}, -accel interp, on Node ${process.versions.node}`,
    wantsUnpacked: false,
    command: (guest) => ({
      file: process.execPath,
      args: [program, "-accel", "interp", ...machineArguments(guest)],
    }),
  };
}

/** QEMU's translator, given the kernel as Debian packs it, and the unpacked one that the others start from. */
export function tcg(): readonly EmulatorOrReason[] {
  const names = ["tcg", "tcg, unpacked"];
  const file = which("qemu-system-x86_64");
  if (!file) return names.map((name) => ({ name, missing: "not installed (Debian package qemu-system-x86)" }));
  const version = qemuVersion(file);
  if (!version) return names.map((name) => ({ name, missing: `${file} is not QEMU` }));
  return names.map((name, index) => ({
    name,
    description: `${version}, -accel tcg${index === 0 ? "" : ", kernel unpacked beforehand"}`,
    wantsUnpacked: index === 1,
    command: (guest) => ({ file, args: ["-accel", "tcg", ...machineArguments(guest)] }),
  }));
}

/** The version, if the file is a machine-code program that says it is QEMU: wkvm too can bear its name. */
function qemuVersion(file: string): string | undefined {
  if (readFileSync(file).subarray(0, 4).toString("latin1") !== "\x7fELF") return undefined;
  const text = spawnSync(file, ["--version"], { encoding: "utf8" }).stdout ?? "";
  return /^(QEMU) emulator version (\d\S*)/.exec(text)?.slice(1).join(" ");
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
