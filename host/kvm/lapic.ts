// KVM_GET_LAPIC, KVM_SET_LAPIC: the register page of a local APIC in the core.

import { CPU_LAPIC } from "../../assembly/layout.ts";
import { KvmError } from "./errors.ts";
import { hasLapic } from "./sregs.ts";
import type { VcpuState } from "./vcpu-state.ts";

/** KVM_APIC_REG_SIZE: bytes of struct kvm_lapic_state. */
export const LAPIC_SIZE = 0x400;

/** A copy of the registers, the timer's current count included. EINVAL without a local APIC in the core. */
export function readLapic(state: VcpuState): Uint8Array<ArrayBuffer> {
  needLapic(state);
  state.core.lapicSave();
  return state.copy(CPU_LAPIC, LAPIC_SIZE);
}

/** Loads the registers; the timer goes on from the current count. EINVAL without a local APIC, or for another size. */
export function writeLapic(state: VcpuState, registers: Uint8Array): void {
  needLapic(state);
  if (registers.length !== LAPIC_SIZE) {
    throw new KvmError("EINVAL", `struct kvm_lapic_state has ${LAPIC_SIZE} bytes, not ${registers.length}`);
  }
  state.put(CPU_LAPIC, registers);
  state.core.lapicLoaded();
  state.changed();
}

function needLapic(state: VcpuState): void {
  if (!hasLapic(state)) throw new KvmError("EINVAL", "this VM has no local APICs in the core");
}
