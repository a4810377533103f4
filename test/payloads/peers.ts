// The peers that show that the payloads are right: QEMU's translator, and Bochs.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { which } from "../../bench/peers/emulator.ts";
import { bootRom } from "./bochs-rom.ts";
import { BOCHS, type KnownFailure, TCG } from "./known-failures.ts";
import type { Run } from "./report.ts";

const LIMIT_MS = 10_000;
const VGA_ROM = "/usr/share/seabios/vgabios-stdvga.bin";

export interface Peer {
  readonly name: string;
  readonly knownFailures: readonly KnownFailure[];
  /** Why it cannot run here. */
  missing(): string | undefined;
  run(image: string): Promise<Run>;
}

interface Ended {
  readonly output: string;
  readonly status: number | null;
  readonly hung: boolean;
}

function execute(file: string, args: readonly string[], input = ""): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
    let output = "";
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      child.kill("SIGKILL");
    }, LIMIT_MS);
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.stdout.setEncoding("latin1").on("data", (text: string) => {
      output += text;
    });
    child.stderr.setEncoding("latin1").on("data", (text: string) => {
      output += text;
    });
    child.on("error", reject);
    child.on("close", (status) => {
      clearTimeout(timer);
      resolve({ output, status, hung });
    });
  });
}

/** Gives files names in a folder of their own, which is removed in the end. */
async function inFolder(body: (path: (name: string) => string) => Promise<Run>): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), "wkvm-payload-"));
  try {
    return await body((name) => join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const tcg: Peer = {
  name: "tcg",
  knownFailures: TCG,
  missing: () => (which("qemu-system-x86_64") ? undefined : "QEMU is not installed (Debian package qemu-system-x86)"),
  run: (image) =>
    inFolder(async (path) => {
      // Unlike its serial port, QEMU's debug console never drops a character.
      const { status, hung } = await execute("qemu-system-x86_64", [
        ...["-accel", "tcg", "-cpu", "max", "-m", "64", "-kernel", image, "-nodefaults", "-display", "none"],
        ...["-debugcon", `file:${path("console")}`, "-serial", "null", "-monitor", "none", "-no-reboot"],
        ...["-device", "isa-debug-exit,iobase=0xf4,iosize=4"],
      ]);
      // The exit device's statuses are odd, and a reset under -no-reboot ends with 0.
      const ending = hung ? "hung" : status === 0 ? "shutdown" : "exit";
      return { output: readFileSync(path("console"), "latin1"), ending };
    }),
};

/** Has PCID, INVPCID, SMAP, PKU, UMIP, x2APIC and a TSC deadline timer. */
const BOCHS_MODEL = "corei7_icelake_u";

const bochs: Peer = {
  name: "bochs",
  knownFailures: BOCHS,
  missing: () => (which("bochs") ? undefined : "Bochs is not installed (Debian package bochs)"),
  run: (image) =>
    inFolder(async (path) => {
      const { ram, address, rom } = bootRom(readFileSync(image), image);
      writeFileSync(path("ram"), ram);
      writeFileSync(path("rom"), rom);
      writeFileSync(path("bochsrc"), bochsConfiguration(path, address));
      // Debian's Bochs has a debugger, which waits for the word to go on; its display listens on the network.
      const { output, hung } = await execute("unshare", ["-rn", "bochs", "-q", "-f", path("bochsrc")], "c\n");
      const shutdown = /3rd \(\d+\) exception with no resolution/.test(readFileSync(path("log"), "latin1"));
      return { output, ending: hung ? "hung" : shutdown ? "shutdown" : "exit" };
    }),
};

function bochsConfiguration(path: (name: string) => string, address: number): string {
  return [
    "config_interface: textconfig",
    'display_library: rfb, options="timeout=0"',
    `romimage: file=${path("rom")}`,
    `vgaromimage: file=${VGA_ROM}`,
    "memory: guest=64, host=64",
    `optramimage1: file=${path("ram")}, address=0x${address.toString(16)}`,
    `cpu: model=${BOCHS_MODEL}, count=1, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=0`,
    "clock: sync=none",
    "port_e9_hack: enabled=1",
    `log: ${path("log")}`,
    "panic: action=fatal",
    "error: action=ignore",
    "info: action=ignore",
    "debug: action=ignore",
    "sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy",
    "plugin_ctrl: biosdev=0, speaker=0, parallel=0, gameport=0, iodebug=0",
    "",
  ].join("\n");
}

export const PEERS: readonly Peer[] = [tcg, bochs];
