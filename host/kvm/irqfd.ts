// KVM_IRQFD: EventFds that raise interrupts.

import type { CoreExports } from "./core.ts";
import type { Doorbells } from "./doorbells.ts";
import { check, checkInteger, KvmError } from "./errors.ts";
import type { EventFd } from "./eventfd.ts";

export const KVM_IRQFD_FLAG_DEASSIGN = 1;
export const KVM_IRQFD_FLAG_RESAMPLE = 2;

/** struct kvm_irqfd. */
export interface KvmIrqfd {
  readonly fd: EventFd;
  /** 0..1023. */
  readonly gsi: number;
  /** KVM_IRQFD_FLAG_*; default 0. */
  readonly flags?: number;
  /** With KVM_IRQFD_FLAG_RESAMPLE: signalled when the guest acknowledges the interrupt. */
  readonly resamplefd?: EventFd;
}

interface Connection {
  readonly fd: EventFd;
  readonly gsi: number;
  readonly resample: boolean;
  /** Takes the EventFd's listener away. */
  readonly end: () => void;
}

/** The EventFds that this thread has connected to interrupt lines of a VM with an irqchip. */
export class Irqfds {
  readonly #connections: Connection[] = [];
  readonly #core: CoreExports;
  readonly #doorbells: Doorbells;

  constructor(core: CoreExports, doorbells: Doorbells) {
    this.#core = core;
    this.#doorbells = doorbells;
  }

  /** True where an acknowledgement of the guest has to reach an EventFd. */
  get anyResample(): boolean {
    return this.#connections.some(({ resample }) => resample);
  }

  /** Throws EINVAL for unknown flags or GSIs, and for RESAMPLE without `resamplefd`; EBUSY for an EventFd in use. */
  assign(request: KvmIrqfd): void {
    const { fd, gsi, flags = 0, resamplefd } = request;
    if (flags & ~(KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE)) {
      throw new KvmError("EINVAL", `unknown flags 0x${flags.toString(16)}`);
    }
    checkInteger(gsi, 0, 1023, "gsi");
    if (flags & KVM_IRQFD_FLAG_DEASSIGN) {
      this.#end(this.#connections.findIndex((known) => known.fd === fd && known.gsi === gsi));
      return;
    }
    if (this.#connections.some((known) => known.fd === fd))
      throw new KvmError("EBUSY", "this EventFd raises an interrupt already");
    const resample = (flags & KVM_IRQFD_FLAG_RESAMPLE) !== 0;
    if (resample) {
      if (!resamplefd) throw new KvmError("EINVAL", "KVM_IRQFD_FLAG_RESAMPLE needs a resamplefd");
      this.#doorbells.resample(gsi, resamplefd);
      check(this.#core.setResample(gsi, 1), "irqfd");
    }
    const raise = () => {
      fd.read();
      if (resample) {
        this.#core.resampleLine(gsi);
        return;
      }
      this.#core.irqLine(gsi, 1);
      this.#core.irqLine(gsi, 0);
    };
    this.#connections.push({ fd, gsi, end: fd.onSignal(raise), resample });
    if (fd.count > 0) raise();
  }

  /** Ends all connections. */
  close(): void {
    while (this.#connections.length > 0) this.#end(0);
  }

  #end(index: number): void {
    const ended = index < 0 ? undefined : this.#connections.splice(index, 1)[0];
    if (!ended) return;
    ended.end();
    if (!ended.resample || this.#connections.some((other) => other.resample && other.gsi === ended.gsi)) return;
    this.#core.setResample(ended.gsi, 0);
    this.#doorbells.resample(ended.gsi, undefined);
  }
}
