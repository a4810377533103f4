// The part of struct kvm_run that user space reads and writes outside of exits.

import {
  CPU_APIC_BASE,
  RUN_IF_FLAG,
  RUN_IMMEDIATE_EXIT,
  RUN_READY_FOR_INTERRUPT,
  RUN_REQUEST_INTERRUPT_WINDOW,
} from "../../assembly/layout.ts";
import { checkInteger } from "./errors.ts";
import type { VcpuState } from "./vcpu-state.ts";

/**
 * struct kvm_run's fields, alive: reading one reads the vCPU.
 *
 * @example
 * vcpu.kvmRun.requestInterruptWindow = true;
 * const exit = vcpu.run();                      // KVM_EXIT_IRQ_WINDOW_OPEN
 * if (vcpu.kvmRun.readyForInterruptInjection) vcpu.interrupt(0x20);
 */
export class KvmRun {
  readonly #state: VcpuState;

  constructor(state: VcpuState) {
    this.#state = state;
  }

  /** Leave with IRQ_WINDOW_OPEN as soon as an interrupt could be injected. */
  get requestInterruptWindow(): boolean {
    return this.#state.u32(RUN_REQUEST_INTERRUPT_WINDOW) !== 0;
  }

  set requestInterruptWindow(value: boolean | number) {
    this.#state.setU32(RUN_REQUEST_INTERRUPT_WINDOW, value ? 1 : 0);
    this.#state.changed();
  }

  /** Return INTR before entering the guest. It stays set until it is cleared here. */
  get immediateExit(): boolean {
    return this.#state.u32(RUN_IMMEDIATE_EXIT) !== 0;
  }

  set immediateExit(value: boolean | number) {
    this.#state.setU32(RUN_IMMEDIATE_EXIT, value ? 1 : 0);
  }

  /** At the last exit: interrupt() would be delivered at once. */
  get readyForInterruptInjection(): boolean {
    return this.#state.u32(RUN_READY_FOR_INTERRUPT) !== 0;
  }

  /** RFLAGS.IF at the last exit. */
  get ifFlag(): boolean {
    return this.#state.u32(RUN_IF_FLAG) !== 0;
  }

  /** CR8, the task priority class: 0..15. */
  get cr8(): number {
    return Number(this.#state.core.getTpr());
  }

  set cr8(value: number) {
    checkInteger(value, 0, 15, "cr8");
    this.#state.core.setTpr(BigInt(value));
  }

  /** IA32_APIC_BASE. */
  get apicBase(): bigint {
    return this.#state.u64(CPU_APIC_BASE);
  }
}
