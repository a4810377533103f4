// The npm package v86, which runs 32-bit guests, in a Node process of its own.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type EmulatorOrReason, RAM_BYTES } from "./emulator.ts";

const NAME = "v86";

/** `runner`: the bundled v86-runner.ts. `firmware`: a folder with bios.bin and vgabios-stdvga.bin of SeaBIOS. */
export function v86(runner: string, firmware: string | undefined): EmulatorOrReason {
  const version = v86Version();
  if (version === undefined) return { name: NAME, missing: "not installed (npm package v86)" };
  if (firmware === undefined) return { name: NAME, missing: "its firmware is not there (Debian package seabios)" };
  return {
    name: NAME,
    description: `v86 ${version} on Node ${process.versions.node}, SeaBIOS of Debian`,
    guests: [32],
    wantsUnpacked: false,
    idles: true,
    multiboot: true,
    command: ({ kernel, initrd, append }) => ({
      file: process.execPath,
      args: [runner, kernel, initrd, append, String(RAM_BYTES), firmware],
    }),
  };
}

function v86Version(): string | undefined {
  try {
    const path = createRequire(import.meta.url).resolve("v86/package.json");
    return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
  } catch {
    return undefined;
  }
}
