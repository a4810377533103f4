// A process of its own: runs a guest between two marks on its console, and prints as JSON where its time went: guest
// addresses, looked at between slices, and the tiers of this system, by the engine's own profiler.
// Arguments: KERNEL INITRD APPEND MEBIBYTES ACCELERATOR FROM TO. An empty FROM means the first instruction.
import { type Profiler, Session } from "node:inspector";
import { KVM_EXIT_INTR, type VcpuExit } from "../host/kvm/index.ts";
import { probeMachine } from "./probe-machine.ts";
import { type CpuProfile, tiersOf } from "./tiers.ts";

/** A sample about every half millisecond. */
const SLICE_NS = 500_000;

const [kernel = "", initrd = "", append = "", mebibytes = "256", accelerator = "interp", from = "", to = ""] =
  process.argv.slice(2);
const samples = new Map<bigint, number>();
let sampling = from === "";
let ended = false;
const session = new Session();
session.connect();
const guest = { kernel, initrd, append, mebibytes: Number(mebibytes), accelerator };
const machine = await probeMachine(guest, onText, onExit);
let startedCpu = process.cpuUsage();
if (sampling) startProfiler();

function onText(text: string): void {
  if (!sampling && !ended && text.includes(from)) {
    sampling = true;
    startedCpu = process.cpuUsage();
    startProfiler();
  }
  if (!sampling || !text.includes(to)) return;
  sampling = false;
  ended = true;
  machine.quit();
}

/** The end of a slice: the guest was at work, and is looked at between two traces. */
function onExit(exit: VcpuExit): void {
  if (!sampling || exit.reason !== KVM_EXIT_INTR || exit.halted) return;
  const { rip } = machine.vcpu.getRegs();
  samples.set(rip, (samples.get(rip) ?? 0) + 1);
}

function startProfiler(): void {
  session.post("Profiler.enable");
  session.post("Profiler.start");
}

await machine.run({ sliceNs: SLICE_NS });
const { user, system } = process.cpuUsage(startedCpu);
if (!ended) {
  process.stderr.write(`the guest ended without '${to}'\n`);
  process.exit(1);
}
session.post("Profiler.stop", (error: Error | null, { profile }: Profiler.StopReturnType) => {
  if (error) throw error;
  const tiers = tiersOf(profile as CpuProfile, (user + system) / 1e6);
  const list = [...samples].map(([address, times]) => [`0x${address.toString(16)}`, times]);
  process.stdout.write(`${JSON.stringify({ samples: list, tiers })}\n`, () => process.exit(0));
});
