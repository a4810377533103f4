// wkvm itself, once for each accelerator that its command has.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import type { Command } from "../measured-process.ts";
import { type Emulator, machineArguments } from "./emulator.ts";

/** Synonyms, and what runs two cores at once. */
const NOT_MEASURED = new Set(["kvm", "tcg", "lockstep"]);
const TIMEOUT_MS = 60_000;

/** The accelerator of a runner; undefined where the runner is no wkvm. */
export function acceleratorOf({ name }: Emulator): string | undefined {
  return name.startsWith(WKVM) ? name.slice(WKVM.length) : undefined;
}

/** What every runner's name begins with. */
export const WKVM = "wkvm-";

/** `program`: a dist/wkvm.js. `prefix`: of the runners' names. */
export function wkvm(program: string, version: string, prefix: string = WKVM): Emulator[] {
  const { stdout } = spawnSync(process.execPath, [program, "-accel", "help"], {
    encoding: "utf8",
    timeout: TIMEOUT_MS,
  });
  const help = stdout ?? "";
  // Each build runs its own core, whichever one this process was told of.
  const env = { WKVM_CORE: join(dirname(program), "core.wasm") };
  const runner = (accelerator: string): Emulator => ({
    name: `${prefix}${accelerator}`,
    description: `wkvm ${version}, -accel ${accelerator}, on Node ${process.versions.node}`,
    guests: [64, 32],
    wantsUnpacked: false,
    oneOfSeveral: true,
    ...(says(help, accelerator, "[,code-cache=off]") ? { keepsCode: true } : {}),
    ...(says(help, accelerator, "[,profile=FILE]") ? { learns: true } : {}),
    ...(accelerator === "ts" ? { slow: true } : {}),
    idles: true,
    multiboot: true,
    command: (guest) => ({
      file: process.execPath,
      args: [program, "-accel", accelerator, ...machineArguments(guest)],
      env,
    }),
  });
  const names = acceleratorNames(help);
  return [
    ...names.map(runner),
    ...names.filter((name) => says(help, name, "[,code-cache=off]")).map((name) => first(runner(name))),
  ];
}

/** Whether `-accel help` says that an accelerator has an option. */
function says(help: string, accelerator: string, option: string): boolean {
  return help.split("\n").some((line) => line.startsWith(`${accelerator}[`) && line.includes(option));
}

/** A runner that is as the first process after an installation is. */
function first({ keepsCode: _, learns: __, ...runner }: Emulator): Emulator {
  return {
    ...runner,
    name: `${runner.name}-first`,
    description: `${runner.description}, without what processes before have kept`,
    only: "boots and programs",
    command: (guest) => withOption(runner.command(guest), "code-cache=off"),
  };
}

function withOption({ args, ...command }: Command, option: string): Command {
  return { ...command, args: args.map((word, i) => (args[i - 1] === "-accel" ? `${word},${option}` : word)) };
}

/** What `-accel help` lists: a name at the beginning of each line behind the first. */
export function acceleratorNames(help: string): string[] {
  const names = help
    .split("\n")
    .slice(1)
    .map((line) => /^[a-z][a-z0-9-]*/.exec(line)?.[0] ?? "");
  return [...new Set(names)].filter((name) => name !== "" && !NOT_MEASURED.has(name));
}
