// KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, KVM_INTERRUPT, KVM_NMI, KVM_GET_MP_STATE, KVM_SET_MP_STATE.

import { KVM_MP_STATE_HALTED, KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_SIPI_RECEIVED } from "../../assembly/exits.ts";
import {
  CPU_EXCEPTION_ERROR,
  CPU_EXCEPTION_HAS_ERROR,
  CPU_EXCEPTION_PENDING,
  CPU_EXCEPTION_VECTOR,
  CPU_INTERRUPT_PENDING,
  CPU_INTERRUPT_SOFT,
  CPU_INTERRUPT_VECTOR,
  CPU_MP_STATE,
  CPU_NMI_MASKED,
  CPU_NMI_PENDING,
  CPU_SHADOW,
  CPU_SIPI_VECTOR,
  CPU_SMI_PENDING,
  REQ_EVENT,
  VM_CHIPS,
} from "../../assembly/layout.ts";
import { checkInteger, KvmError } from "./errors.ts";
import { hasLapic } from "./sregs.ts";
import type { VcpuState } from "./vcpu-state.ts";

/** struct kvm_vcpu_events. Numbers that are 0 or 1 stay numbers, as in the struct. */
export interface KvmVcpuEvents {
  exception: { injected: number; nr: number; hasErrorCode: number; pending: number; errorCode: number };
  /** `shadow`: KVM_X86_SHADOW_INT_*: 1: MOV SS, 2: STI. */
  interrupt: { injected: number; nr: number; soft: number; shadow: number };
  nmi: { injected: number; pending: number; masked: number };
  sipiVector: number;
  /** KVM_VCPUEVENT_VALID_*: which of the optional parts setVcpuEvents takes. */
  flags: number;
  smi: { smm: number; pending: number; smmInsideNmi: number; latchedInit: number };
}

export const KVM_VCPUEVENT_VALID_NMI_PENDING = 1;
export const KVM_VCPUEVENT_VALID_SIPI_VECTOR = 2;
export const KVM_VCPUEVENT_VALID_SHADOW = 4;
export const KVM_VCPUEVENT_VALID_SMM = 8;
const VALID = 0xf;

// CPU_SHADOW has STI in bit 0 and MOV SS in bit 1; the uapi has them the other way round.
const swapShadow = (shadow: number): number => ((shadow & 1) << 1) | ((shadow >> 1) & 1);

/** Reads struct kvm_vcpu_events. */
export function readVcpuEvents(state: VcpuState): KvmVcpuEvents {
  const pending = state.u32(CPU_EXCEPTION_PENDING) ? 1 : 0;
  const interrupt = state.u32(CPU_INTERRUPT_PENDING) ? 1 : 0;
  return {
    exception: {
      // An exception is delivered before run() returns, or waits for the next entry: it is "injected" then.
      injected: pending,
      nr: pending ? state.u32(CPU_EXCEPTION_VECTOR) : 0,
      hasErrorCode: pending ? state.u32(CPU_EXCEPTION_HAS_ERROR) : 0,
      pending: 0,
      errorCode: pending ? state.u32(CPU_EXCEPTION_ERROR) : 0,
    },
    interrupt: {
      injected: interrupt,
      nr: interrupt ? state.u32(CPU_INTERRUPT_VECTOR) : 0,
      soft: interrupt ? state.u32(CPU_INTERRUPT_SOFT) : 0,
      shadow: swapShadow(state.u32(CPU_SHADOW)),
    },
    nmi: { injected: 0, pending: state.u32(CPU_NMI_PENDING), masked: state.u32(CPU_NMI_MASKED) },
    sipiVector: state.u32(CPU_SIPI_VECTOR),
    flags: KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_SMM,
    smi: { smm: 0, pending: state.u32(CPU_SMI_PENDING), smmInsideNmi: 0, latchedInit: 0 },
  };
}

/** Writes struct kvm_vcpu_events. Throws EINVAL for unknown flags, exceptions past 31 or NMI's number, and for SMM. */
export function writeVcpuEvents(state: VcpuState, events: KvmVcpuEvents): void {
  const { exception, interrupt, nmi, smi, flags } = events;
  if (flags & ~VALID) throw new KvmError("EINVAL", `unknown flags 0x${flags.toString(16)}`);
  const exceptionWaits = exception.injected || exception.pending;
  if (exceptionWaits && (exception.nr > 31 || exception.nr === 2)) {
    throw new KvmError("EINVAL", `${exception.nr} is no exception`);
  }
  checkInteger(interrupt.nr, 0, 255, "interrupt.nr");
  checkInteger(exception.errorCode, 0, 0xffff_ffff, "exception.errorCode");
  if (flags & KVM_VCPUEVENT_VALID_SMM && (smi.smm || smi.pending || smi.smmInsideNmi || smi.latchedInit)) {
    throw new KvmError("EINVAL", "this processor has no system management mode");
  }
  if (flags & KVM_VCPUEVENT_VALID_SIPI_VECTOR) checkInteger(events.sipiVector, 0, 255, "sipiVector");

  state.setU32(CPU_EXCEPTION_VECTOR, exception.nr);
  state.setU32(CPU_EXCEPTION_HAS_ERROR, exception.hasErrorCode ? 1 : 0);
  state.setU32(CPU_EXCEPTION_ERROR, exception.errorCode);
  state.setU32(CPU_EXCEPTION_PENDING, exceptionWaits ? 1 : 0);
  state.setU32(CPU_INTERRUPT_VECTOR, interrupt.nr);
  state.setU32(CPU_INTERRUPT_SOFT, interrupt.soft ? 1 : 0);
  state.setU32(CPU_INTERRUPT_PENDING, interrupt.injected ? 1 : 0);
  if (flags & KVM_VCPUEVENT_VALID_SHADOW) state.setU32(CPU_SHADOW, swapShadow(interrupt.shadow));
  state.setU32(CPU_NMI_MASKED, nmi.masked ? 1 : 0);
  if (flags & KVM_VCPUEVENT_VALID_NMI_PENDING) state.setU32(CPU_NMI_PENDING, nmi.pending || nmi.injected ? 1 : 0);
  else if (nmi.injected) state.setU32(CPU_NMI_PENDING, 1);
  if (flags & KVM_VCPUEVENT_VALID_SIPI_VECTOR && hasLapic(state)) state.setU32(CPU_SIPI_VECTOR, events.sipiVector);
  state.changed();
  state.request(REQ_EVENT);
}

/**
 * Queues an external interrupt, for a VM whose interrupt controller is in user space.
 * Throws EINVAL for a vector over 255, ENXIO with an in-core 8259, EEXIST where one is queued already.
 */
export function queueInterrupt(state: VcpuState, vector: number): void {
  checkInteger(vector, 0, 255, "the vector");
  if (state.memory.u32(VM_CHIPS) & 1) throw new KvmError("ENXIO", "this VM has its interrupt controllers in the core");
  if (state.u32(CPU_INTERRUPT_PENDING)) {
    throw new KvmError("EEXIST", `interrupt ${state.u32(CPU_INTERRUPT_VECTOR)} is queued already`);
  }
  state.setU32(CPU_INTERRUPT_VECTOR, vector);
  state.setU32(CPU_INTERRUPT_SOFT, 0);
  state.setU32(CPU_INTERRUPT_PENDING, 1);
  state.request(REQ_EVENT);
}

/** Queues a non-maskable interrupt. A second one merges with the first until that is taken. */
export function queueNmi(state: VcpuState): void {
  state.setU32(CPU_NMI_PENDING, 1);
  state.request(REQ_EVENT);
}

/** KVM_MP_STATE_*. */
export function readMpState(state: VcpuState): number {
  return state.u32(CPU_MP_STATE);
}

/** Throws EINVAL for unknown states, and without an in-core irqchip for all but RUNNABLE. */
export function writeMpState(state: VcpuState, mpState: number): void {
  checkInteger(mpState, KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_SIPI_RECEIVED, "mpState");
  if (mpState !== KVM_MP_STATE_RUNNABLE && !hasLapic(state)) {
    throw new KvmError("EINVAL", "without an in-core irqchip a vCPU is always runnable");
  }
  state.setU32(CPU_MP_STATE, mpState);
  state.request(REQ_EVENT);
}

/** True where the vCPU has nothing to execute until an event arrives. */
export function isParked(state: VcpuState): boolean {
  const mpState = state.u32(CPU_MP_STATE);
  return mpState !== KVM_MP_STATE_RUNNABLE && mpState <= KVM_MP_STATE_HALTED;
}
