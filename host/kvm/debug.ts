// KVM_SET_GUEST_DEBUG, KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS.

import {
  CPU_DR,
  CPU_EXCEPTION_HAS_ERROR,
  CPU_EXCEPTION_PENDING,
  CPU_EXCEPTION_VECTOR,
  CPU_GUEST_DEBUG,
  CPU_GUEST_DR,
} from "../../assembly/layout.ts";
import { KvmError, toU64 } from "./errors.ts";
import type { VcpuState } from "./vcpu-state.ts";

export const KVM_GUESTDBG_ENABLE = 0x1;
export const KVM_GUESTDBG_SINGLESTEP = 0x2;
export const KVM_GUESTDBG_USE_SW_BP = 0x1_0000;
export const KVM_GUESTDBG_USE_HW_BP = 0x2_0000;
export const KVM_GUESTDBG_INJECT_DB = 0x4_0000;
export const KVM_GUESTDBG_INJECT_BP = 0x8_0000;
export const KVM_GUESTDBG_BLOCKIRQ = 0x10_0000;
const GUESTDBG_DEFINED = 0x1f_0003;
const DB_VECTOR = 1;
const BP_VECTOR = 3;

/** struct kvm_guest_debug. */
export interface KvmGuestDebug {
  /** KVM_GUESTDBG_*. */
  control: number;
  /** DR0..DR7 for KVM_GUESTDBG_USE_HW_BP; 4 and 5 do not count. */
  debugreg?: readonly (bigint | number)[];
}

/** struct kvm_debugregs. */
export interface KvmDebugregs {
  /** DR0..DR3. */
  db: [bigint, bigint, bigint, bigint];
  dr6: bigint;
  dr7: bigint;
}

/** Throws EINVAL for unknown bits, EBUSY where an exception to inject meets one that waits already. */
export function writeGuestDebug(state: VcpuState, debug: KvmGuestDebug): void {
  if (debug.control & ~GUESTDBG_DEFINED) {
    throw new KvmError("EINVAL", `unknown control bits 0x${debug.control.toString(16)}`);
  }
  const registers = Array.from({ length: 8 }, (_, i) => toU64(debug.debugreg?.[i] ?? 0n, `debugreg[${i}]`));
  const inject = debug.control & (KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP);
  if (inject) {
    if (state.u32(CPU_EXCEPTION_PENDING)) throw new KvmError("EBUSY", "another exception waits for delivery");
    state.setU32(CPU_EXCEPTION_VECTOR, inject & KVM_GUESTDBG_INJECT_DB ? DB_VECTOR : BP_VECTOR);
    state.setU32(CPU_EXCEPTION_HAS_ERROR, 0);
    state.setU32(CPU_EXCEPTION_PENDING, 1);
  }
  // Without ENABLE nothing of the rest is in force.
  const control = debug.control & KVM_GUESTDBG_ENABLE ? debug.control & ~inject : 0;
  registers.forEach((value, i) => {
    state.setU64(CPU_GUEST_DR + 8 * i, control & KVM_GUESTDBG_USE_HW_BP ? value : 0n);
  });
  state.setU32(CPU_GUEST_DEBUG, control);
  state.changed();
}

/** Reads struct kvm_debugregs: the guest's own debug registers. */
export function readDebugregs(state: VcpuState): KvmDebugregs {
  const dr = (n: number) => state.u64(CPU_DR + 8 * n);
  return { db: [dr(0), dr(1), dr(2), dr(3)], dr6: dr(6), dr7: dr(7) };
}

/** Writes struct kvm_debugregs. Throws EINVAL where the upper halves of DR6 or DR7 are not 0. */
export function writeDebugregs(state: VcpuState, regs: KvmDebugregs): void {
  const dr6 = toU64(regs.dr6, "dr6");
  const dr7 = toU64(regs.dr7, "dr7");
  if (dr6 >> 32n || dr7 >> 32n) throw new KvmError("EINVAL", "bits 32-63 of DR6 and DR7 are reserved");
  const db = [0, 1, 2, 3].map((n) => toU64(regs.db[n as 0 | 1 | 2 | 3], `db[${n}]`));
  db.forEach((value, n) => {
    state.setU64(CPU_DR + 8 * n, value);
  });
  // DR6 bits 4-11 and 16-31 but for RTM read as one, bit 12 as zero; DR7 bit 10 as one (SDM volume 3, 18.2).
  state.setU64(CPU_DR + 8 * 6, (dr6 & ~0x1000n) | 0xffff_0ff0n);
  state.setU64(CPU_DR + 8 * 7, dr7 | 0x400n);
  state.changed();
}
