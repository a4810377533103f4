// The command wkvm (and qemu-system-x86_64, by a link of that name): parses, composes, runs, and ends with QEMU's status.
import { writeFileSync } from "node:fs";
import { BootError } from "../boot/types.ts";
import { DEFAULT_CPU_MODEL, parseCpuModel } from "../kvm/cpu-models.ts";
import { cpuidFor } from "../kvm/cpuid.ts";
import type { KvmCpuidEntry } from "../kvm/cpuid-table.ts";
import { KvmError } from "../kvm/errors.ts";
import { GuestCrash, MachineError } from "../machine/errors.ts";
import { cpuHelp, helpText } from "./help.ts";
import { installAlias } from "./install-alias.ts";
import { parseCommandLine } from "./parse.ts";
import { runMachine } from "./run-machine.ts";
import { type Request, readSettings } from "./settings.ts";
import { UsageError } from "./usage-error.ts";
import { programName, QEMU_NAME, versionText } from "./version.ts";

const FAILURE = 1;

async function main(args: readonly string[], program: string): Promise<number> {
  if (args[0] === "install-alias") {
    process.stdout.write(`${installAlias(args.slice(1))}\n`);
    return 0;
  }
  const settings = readSettings(parseCommandLine(args));
  if ("print" in settings) {
    process.stdout.write(textOf(settings, program));
    return 0;
  }
  if (settings.kernel === undefined && settings.bios === undefined && program === QEMU_NAME) {
    throw new UsageError("booting from disks and CDs: not implemented yet; give a -kernel or -bios");
  }
  const warn = (message: string): void => void process.stderr.write(`${program}: warning: ${message}\n`);
  const model = parseCpuModel(settings.cpu ?? DEFAULT_CPU_MODEL, warn);
  const cpuid = (id: number): KvmCpuidEntry[] => cpuidFor(model, { id, cores: settings.cpus });
  if (settings.pidFile !== undefined) writeFileSync(settings.pidFile, `${process.pid}\n`);
  return runMachine(settings, cpuid, program, warn);
}

function textOf({ print }: Request, program: string): string {
  if (print === "help") return helpText(program);
  if (print === "version") return versionText(program);
  if (print === "cpu") return cpuHelp();
  return print.text;
}

/** What to tell a user about an error: what is wrong for those that are his, everything for those that are ours. */
function explain(error: unknown): string {
  if (error instanceof GuestCrash) return `${error.message}\n${error.dump}`;
  if (error instanceof UsageError || error instanceof MachineError || error instanceof BootError) return error.message;
  if (error instanceof KvmError) return error.reason;
  if (error instanceof Error && "syscall" in error) return error.message;
  return `internal error: ${error instanceof Error && process.env["WKVM_DEBUG"] ? error.stack : String(error)}`;
}

const program = programName();
let status: number;
try {
  status = await main(process.argv.slice(2), program);
} catch (error) {
  process.stderr.write(`${program}: ${explain(error)}\n`);
  status = FAILURE;
}
// Whatever may still be open (a worker, a pipe) must not keep the program; output to pipes is let out first.
process.stdout.write("", () => process.exit(status));
