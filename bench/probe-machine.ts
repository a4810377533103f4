// The command's machine in a probe's own process: with one processor, and its console watched.
import { readFileSync } from "node:fs";
import { parseCpuModel } from "../host/kvm/cpu-models.ts";
import { cpuidFor } from "../host/kvm/cpuid.ts";
import { type Accelerator, Kvm } from "../host/kvm/system.ts";
import { Machine } from "../host/machine/machine.ts";

/** The command's default. */
const MODEL = "wkvm64";
const KEPT_OUTPUT = 4096;

export interface ProbeGuest {
  readonly kernel: string;
  readonly initrd: string;
  readonly append: string;
  readonly mebibytes: number;
  readonly accelerator: string;
}

/** `onText`: gets the console's last few lines whenever some more has come. */
export async function probeMachine(
  guest: ProbeGuest,
  onText: (text: string) => void,
  onExit?: ConstructorParameters<typeof Machine>[0]["onExit"],
): Promise<Machine> {
  const core = process.env["WKVM_CORE"];
  const kvm = await Kvm.open({
    accel: guest.accelerator as Accelerator,
    ...(core ? { core: readFileSync(core) } : {}),
  });
  let output = "";
  return new Machine({
    kvm,
    cpuid: () => cpuidFor(parseCpuModel(MODEL)),
    cpus: 1,
    memoryBytes: guest.mebibytes * 2 ** 20,
    boot: {
      kernel: readFileSync(guest.kernel),
      kernelName: guest.kernel,
      initrd: readFileSync(guest.initrd),
      initrdName: guest.initrd,
      commandLine: guest.append,
    },
    serial: [
      {
        write: (bytes) => {
          output = (output + Buffer.from(bytes).toString("latin1")).slice(-KEPT_OUTPUT);
          onText(output);
        },
        onInput: () => {},
      },
    ],
    noReboot: true,
    vm: { maxVcpus: 1 },
    ...(onExit ? { onExit } : {}),
  });
}
