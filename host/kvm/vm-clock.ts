// KVM_GET_CLOCK and KVM_SET_CLOCK: kvmclock, beside the wall clock.

import type { CoreExports } from "./core.ts";
import { KvmError, toU64 } from "./errors.ts";
import { wallNs } from "./platform.ts";

export const KVM_CLOCK_TSC_STABLE = 2;
export const KVM_CLOCK_REALTIME = 4;

/** struct kvm_clock_data. */
export interface KvmClockData {
  /** kvmclock, ns. */
  readonly clock: bigint;
  /** KVM_CLOCK_*. */
  readonly flags: number;
  /** With KVM_CLOCK_REALTIME: ns since 1970 at the same moment. */
  readonly realtime?: bigint;
}

/** kvmclock and the wall clock at the same moment. */
export function readClock(core: CoreExports): KvmClockData {
  return {
    clock: BigInt(Math.round(core.kvmClockGet())),
    flags: KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME,
    realtime: BigInt(Math.round(wallNs())),
  };
}

/** Sets kvmclock. Throws EINVAL for unknown flags. */
export function writeClock(core: CoreExports, data: KvmClockData): void {
  if (data.flags & ~(KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME)) {
    throw new KvmError("EINVAL", `unknown flags 0x${data.flags.toString(16)}`);
  }
  let clock = Number(toU64(data.clock, "clock"));
  if (data.flags & KVM_CLOCK_REALTIME && data.realtime !== undefined) {
    clock += Math.max(wallNs() - Number(data.realtime), 0);
  }
  core.kvmClockSet(clock);
}
