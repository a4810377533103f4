// kvm-unit-tests: each entry of its list on each machine, judged as the suite's own script judges.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runToEnd } from "./child.mjs";
import { readUnitTests, substituteDate } from "./unittests-config.mjs";

/** Program end (0 << 1) | 1: no failure. */
const STATUS_PASS = 1;
const STATUS_SKIP = 77;

/** What every entry is started with. */
const COMMON = ["-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio"];
const TEST_DEVICES = ["-device", "pc-testdev", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x4"];
const QEMU_DEVICES = ["-device", "pci-testdev", "-global", "kvm-pit.lost_tick_policy=discard"];

/** The suite tells its programs about the host in an environment file, passed as the initrd. */
const ENVIRONMENT = "TARGET=\nKERNEL_VERSION_STRING=6.1.0\nKERNEL_VERSION=6\nKERNEL_PATCHLEVEL=1\n";

/**
 * Runs the chosen entries of one build folder on the chosen machines; `report` hears of each as it ends. An entry has the
 * time that the suite gives it, `slowdown` times over on a machine that has other things to do.
 */
export async function runUnitTests(folder, machines, { only, timeoutSeconds, slowdown, report }) {
  const { arch, source, entries } = readUnitTests(folder);
  const chosen = entries.filter(({ name }) => only.length === 0 || only.includes(name));
  const scratch = mkdtempSync(join(tmpdir(), "wkvm-suite-"));
  const environment = join(scratch, "environ");
  writeFileSync(environment, ENVIRONMENT);
  const rows = [];
  try {
    for (const entry of chosen) {
      const row = { name: entry.name, processors: entry.processors, results: {} };
      for (const machine of machines) {
        row.results[machine.name] = await runEntry(entry, machine, {
          environment,
          timeoutSeconds,
          slowdown,
          cwd: scratch,
        });
        report(arch, row, machine.name);
      }
      rows.push(row);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return { suite: "kvm-unit-tests", arch, source, rows };
}

async function runEntry(entry, machine, { environment, timeoutSeconds, slowdown, cwd }) {
  const args = [
    ...machine.args,
    ...COMMON,
    ...TEST_DEVICES,
    ...(machine.isQemu ? QEMU_DEVICES : []),
    ...["-kernel", entry.kernel, "-initrd", environment, "-smp", String(entry.processors)],
    ...(entry.append === undefined ? [] : ["-append", substituteDate(entry.append)]),
    ...entry.options,
  ];
  const limit = Math.min(entry.timeoutSeconds, timeoutSeconds) * slowdown;
  const end = await runToEnd(machine.command, args, { timeoutSeconds: limit, cwd });
  return { ...judge(end), seconds: Number(end.seconds.toFixed(1)), output: end.output + end.errors };
}

/** A verdict with its reason: pass, fail or skip. */
function judge({ status, timedOut, output, errors }) {
  const lines = output.split(/\r?\n/).filter((line) => line !== "");
  const complaint = errors.split("\n").find((line) => line !== "" && !/warning/i.test(line));
  if (timedOut) return { verdict: "fail", reason: "timeout" };
  if (status === STATUS_SKIP) return { verdict: "skip", reason: lines.findLast((line) => /^SKIP/.test(line)) ?? "" };
  if (status === STATUS_PASS && lines.length > 0 && complaint === undefined) return { verdict: "pass", reason: "" };
  const failure = complaint ?? lines.find((line) => /^FAIL|[Uu]nhandled|assert|ABORT/.test(line)) ?? `status ${status}`;
  return { verdict: "fail", reason: failure.trim() };
}
