// A process of its own: boots a kernel on the machine of host/ until a mark on the console, and prints as JSON what the
// core has counted. Arguments: KERNEL INITRD APPEND MEBIBYTES MARK [traces].
import { readFileSync } from "node:fs";
import { LOG_COUNT, REQ_CODE_FLUSH } from "../assembly/layout.ts";
import { parseCpuModel } from "../host/kvm/cpu-models.ts";
import { cpuidFor } from "../host/kvm/cpuid.ts";
import { requestCell } from "../host/kvm/kicker.ts";
import { Kvm } from "../host/kvm/system.ts";
import { Machine } from "../host/machine/machine.ts";
import { TraceCounts } from "./trace-counts.ts";

/** The command's default. */
const MODEL = "wkvm64";

const [kernel = "", initrd = "", commandLine = "", mebibytes = "256", mark = "", traces] = process.argv.slice(2);
const core = process.env["WKVM_CORE"];
const kvm = await Kvm.open(core ? { core: readFileSync(core) } : {});
const counts = new TraceCounts();
let output = "";
let result: object | undefined;
let startedMs = 0;
let startedCpu = process.cpuUsage();

const machine: Machine = new Machine({
  kvm,
  cpuid: cpuidFor(parseCpuModel(MODEL)),
  cpus: 1,
  memoryBytes: Number(mebibytes) * 2 ** 20,
  boot: {
    kernel: readFileSync(kernel),
    kernelName: kernel,
    initrd: readFileSync(initrd),
    initrdName: initrd,
    commandLine,
  },
  serial: [{ write: onOutput, onInput: () => {} }],
  noReboot: true,
  vm: { maxVcpus: 1 },
});

function onOutput(bytes: Uint8Array): void {
  if (result) return;
  output = (output + Buffer.from(bytes).toString("latin1")).slice(-4096);
  if (!output.includes(mark)) return;
  const { user, system } = process.cpuUsage(startedCpu);
  const { exits, counters } = machine.vcpu.getStats();
  const cpuSeconds = (user + system) / 1e6;
  result = { exits, counters, cpuSeconds, millisecondsToFirstInstruction: Math.round(startedMs) };
  // The core tells its traces before it drops them.
  if (traces) Atomics.or(new Int32Array(machine.vm.memory), requestCell(machine.vcpu.id), REQ_CODE_FLUSH);
  else machine.quit();
}

if (traces) {
  machine.vcpu.setLog(LOG_COUNT);
  machine.vm.onTrace = (kind, start, end) => {
    if (kind !== LOG_COUNT) return;
    counts.add(machine.vm.memory, Number(start), Number(end));
    if (result) machine.quit();
  };
}
startedMs = performance.now();
startedCpu = process.cpuUsage();
await machine.run();
if (!result) {
  process.stderr.write(`the guest ended without '${mark}': ${output.split("\n").slice(-3).join(" ")}\n`);
  process.exit(1);
}
process.stdout.write(`${JSON.stringify(traces ? { ...result, traces: counts.distribution() } : result)}\n`);
process.exit(0);
