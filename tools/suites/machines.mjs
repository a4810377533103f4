// The machines that suites run on: this checkout's command, and QEMU where it is installed.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "../project.mjs";

const QEMU = "qemu-system-x86_64";
const COMMAND = join(root, "dist", "wkvm.js");

const MACHINES = {
  interp: () => wkvm("wkvm interp", ["-accel", "interp"]),
  jit: () => wkvm("wkvm jit", ["-accel", "jit"]),
  tcg: () => ({ name: `QEMU ${qemuVersion()} tcg`, command: QEMU, args: ["-machine", "accel=tcg"], isQemu: true }),
};

export const MACHINE_NAMES = Object.keys(MACHINES);

/**
 * A machine by its name: `command` and the first `args`.
 * @throws Error for an unknown name, or where the program is not installed.
 */
export function machineNamed(name) {
  const make = MACHINES[name];
  if (!make) throw new Error(`no machine '${name}': there are ${MACHINE_NAMES.join(", ")}`);
  return make();
}

function wkvm(name, args) {
  return { name, command: process.execPath, args: [COMMAND, ...args], isQemu: false };
}

function qemuVersion() {
  const { stdout, error } = spawnSync(QEMU, ["--version"], { encoding: "utf8" });
  if (error) throw new Error(`${QEMU}: not installed`);
  return /version ([\d.]+)/.exec(stdout)?.[1] ?? "?";
}
