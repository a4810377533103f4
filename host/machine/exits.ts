// What the machine does about each reason for which a processor leaves the guest.
import {
  KVM_EXIT_DEBUG,
  KVM_EXIT_FAIL_ENTRY,
  KVM_EXIT_INTERNAL_ERROR,
  KVM_EXIT_INTR,
  KVM_EXIT_IO,
  KVM_EXIT_IO_IN,
  KVM_EXIT_IRQ_WINDOW_OPEN,
  KVM_EXIT_MMIO,
  KVM_EXIT_SHUTDOWN,
  KVM_EXIT_SYSTEM_EVENT,
} from "../../assembly/exits.ts";
import type { MmioBus, PioSize, PortBus } from "../devices/bus.ts";
import {
  type DebugExit,
  exitName,
  type FailEntryExit,
  type InternalErrorExit,
  type IoExit,
  KVM_SYSTEM_EVENT_RESET,
  KVM_SYSTEM_EVENT_SHUTDOWN,
  type MmioExit,
  type VcpuExit,
} from "../kvm/exits.ts";

/** Where exits end up. */
export interface ExitTargets {
  readonly ports: PortBus;
  readonly mmio: MmioBus;
  requestReset(reason: "triple-fault" | "guest-reset"): void;
  powerOff(): void;
  /** A breakpoint or a step of the debugger. */
  debug(exit: DebugExit): void;
  /** The processor cannot go on. */
  crash(reason: string): never;
}

/** Carries out one exit. INTR is the caller's business. */
export function handleExit(exit: VcpuExit, targets: ExitTargets): void {
  switch (exit.reason) {
    case KVM_EXIT_IO:
      handleIo(exit, targets.ports);
      break;
    case KVM_EXIT_MMIO:
      handleMmio(exit, targets.mmio);
      break;
    case KVM_EXIT_SHUTDOWN:
      targets.requestReset("triple-fault");
      break;
    case KVM_EXIT_SYSTEM_EVENT:
      handleSystemEvent(exit.type, targets);
      break;
    case KVM_EXIT_DEBUG:
      targets.debug(exit);
      break;
    case KVM_EXIT_INTERNAL_ERROR:
      targets.crash(describeInternalError(exit));
      break;
    case KVM_EXIT_FAIL_ENTRY:
      targets.crash(describeFailEntry(exit));
      break;
    case KVM_EXIT_INTR:
    case KVM_EXIT_IRQ_WINDOW_OPEN:
      break;
    default:
      // HLT among them: with the interrupt chips in the core it never comes out.
      targets.crash(`the processor left with ${exitName(exit.reason)}, which this machine does not use`);
      break;
  }
}

/** One access, or the repetitions of a string instruction one after the other. */
function handleIo(exit: IoExit, ports: PortBus): void {
  const { data, port } = exit;
  const size = exit.size as PioSize;
  for (let at = 0; at + size <= data.length; at += size) {
    if (exit.direction === KVM_EXIT_IO_IN) {
      const value = ports.read(port, size);
      for (let byte = 0; byte < size; byte++) {
        data[at + byte] = value >>> (byte * 8);
      }
    } else {
      let value = 0;
      for (let byte = 0; byte < size; byte++) {
        value |= (data[at + byte] as number) << (byte * 8);
      }
      ports.write(port, size, value);
    }
  }
}

function handleMmio(exit: MmioExit, mmio: MmioBus): void {
  const gpa = Number(exit.physAddr);
  if (exit.isWrite) {
    mmio.write(gpa, exit.data);
  } else {
    mmio.read(gpa, exit.data);
  }
}

function handleSystemEvent(type: number, targets: ExitTargets): void {
  if (type === KVM_SYSTEM_EVENT_RESET) {
    targets.requestReset("guest-reset");
  } else if (type === KVM_SYSTEM_EVENT_SHUTDOWN) {
    targets.powerOff();
  } else {
    targets.crash(`the guest reports that it has crashed (system event ${type})`);
  }
}

function describeInternalError(exit: InternalErrorExit): string {
  const data = exit.internalData.map((value) => `0x${value.toString(16)}`).join(" ");
  const what = exit.message ?? (data === "" ? "" : `data ${data}`);
  return `the guest did what the processor cannot carry out (internal error ${exit.suberror}) ${what}`.trimEnd();
}

function describeFailEntry(exit: FailEntryExit): string {
  return `the processor cannot be entered in this state (reason 0x${exit.hardwareEntryFailureReason.toString(16)})`;
}
