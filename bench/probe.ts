// A process of its own: boots a kernel on the machine of host/ until a mark on the console, and prints as JSON what the
// core has counted. Arguments: KERNEL INITRD APPEND MEBIBYTES ACCELERATOR MARK [traces].
import { LOG_COUNT, REQ_CODE_FLUSH } from "../assembly/layout.ts";
import { requestCell } from "../host/kvm/kicker.ts";
import { probeMachine } from "./probe-machine.ts";
import { TraceCounts } from "./trace-counts.ts";

const [kernel = "", initrd = "", append = "", mebibytes = "256", accelerator = "interp", mark = "", traces] =
  process.argv.slice(2);
const counts = new TraceCounts();
let lastText = "";
let result: object | undefined;
const machine = await probeMachine({ kernel, initrd, append, mebibytes: Number(mebibytes), accelerator }, onText);
const startedMs = performance.now();
const startedCpu = process.cpuUsage();

function onText(text: string): void {
  lastText = text;
  if (result || !text.includes(mark)) return;
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
await machine.run();
if (!result) {
  process.stderr.write(`the guest ended without '${mark}': ${lastText.split("\n").slice(-3).join(" ")}\n`);
  process.exit(1);
}
process.stdout.write(`${JSON.stringify(traces ? { ...result, traces: counts.distribution() } : result)}\n`);
process.exit(0);
