// QEMU's translator, for both kinds of guest.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Bits, type EmulatorOrReason, machineArguments, which } from "./emulator.ts";

const PACKAGE = "Debian package qemu-system-x86";
/** Where Debian 12 has the program whose name in PATH is a script's. */
const BEHIND_SCRIPT = "/usr/libexec";

interface Variant {
  readonly name: string;
  readonly program: string;
  readonly bits: Bits;
  readonly unpacked: boolean;
}

/** Given the kernel as Debian packs it; and, once, the unpacked one that wkvm starts from. */
const VARIANTS: readonly Variant[] = [
  { name: "tcg", program: "qemu-system-x86_64", bits: 64, unpacked: false },
  { name: "tcg, unpacked", program: "qemu-system-x86_64", bits: 64, unpacked: true },
  { name: "tcg-i386", program: "qemu-system-i386", bits: 32, unpacked: false },
];

export function tcg(): readonly EmulatorOrReason[] {
  return VARIANTS.map(({ name, program, bits, unpacked }) => {
    const found = which(program);
    if (!found) return { name, missing: `${program} is not installed (${PACKAGE})` };
    const file = [found, join(BEHIND_SCRIPT, program)].find((path) => qemuVersion(path) !== undefined);
    if (!file) return { name, missing: `${found} is not QEMU` };
    return {
      name,
      description: `${qemuVersion(file)}, ${program} -accel tcg${unpacked ? ", kernel unpacked beforehand" : ""}`,
      guests: [bits],
      wantsUnpacked: unpacked,
      ...(unpacked ? { only: "boots" } : {}),
      idles: true,
      multiboot: true,
      command: (guest) => ({ file, args: ["-accel", "tcg", ...machineArguments(guest)] }),
    };
  });
}

/** The version, if the file is a machine-code program that says it is QEMU: wkvm too can bear its name. */
function qemuVersion(file: string): string | undefined {
  if (!existsSync(file) || readFileSync(file).toString("latin1", 0, 4) !== "\x7fELF") return undefined;
  const text = spawnSync(file, ["--version"], { encoding: "utf8" }).stdout ?? "";
  return /^(QEMU) emulator version (\d\S*)/.exec(text)?.slice(1).join(" ");
}
