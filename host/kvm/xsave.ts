// KVM_GET_XSAVE, KVM_SET_XSAVE, KVM_GET_XCRS, KVM_SET_XCRS.

import { CPU_XCR0, CPU_XSAVE_AREA } from "../../assembly/layout.ts";
import { cpuidRegister } from "./cpuid-table.ts";
import { check, KvmError, toU64 } from "./errors.ts";
import type { VcpuState } from "./vcpu-state.ts";

/** Bytes of struct kvm_xsave: an XSAVE image in the standard format. */
export const XSAVE_SIZE = 4096;

/** struct kvm_xcr: an extended control register; XCR0 is the only one. */
export interface KvmXcr {
  xcr: number;
  value: bigint;
}

const X87 = 1n;
const SSE = 2n;
const AVX = 4n;

/** A copy of the vCPU's extended state in the standard XSAVE format. */
export function readXsave(state: VcpuState): Uint8Array<ArrayBuffer> {
  state.put(CPU_XSAVE_AREA, new Uint8Array(XSAVE_SIZE));
  state.core.saveXsave(state.base + CPU_XSAVE_AREA);
  return state.copy(CPU_XSAVE_AREA, XSAVE_SIZE);
}

/** Loads an XSAVE image. Throws EINVAL for unknown components, reserved MXCSR bits, the compacted format. */
export function writeXsave(state: VcpuState, image: Uint8Array): void {
  if (image.length < XSAVE_SIZE)
    throw new KvmError("EINVAL", `an XSAVE image has ${XSAVE_SIZE} bytes, not ${image.length}`);
  state.put(CPU_XSAVE_AREA, image.subarray(0, XSAVE_SIZE));
  check(state.core.loadXsave(state.base + CPU_XSAVE_AREA), "the XSAVE image is not one that XRSTOR would load");
  state.changed();
}

/** The extended control registers. */
export function readXcrs(state: VcpuState): KvmXcr[] {
  return [{ xcr: 0, value: state.u64(CPU_XCR0) }];
}

/** Writes XCR0. Throws EINVAL where XSETBV would raise #GP (SDM volume 1, 13.3), or for another register. */
export function writeXcrs(state: VcpuState, xcrs: readonly KvmXcr[]): void {
  for (const { xcr, value } of xcrs) {
    if (xcr !== 0) throw new KvmError("EINVAL", `there is no XCR${xcr}`);
    const xcr0 = toU64(value, "XCR0");
    const supported =
      BigInt(cpuidRegister(state, 0xd, 0, "eax")) | (BigInt(cpuidRegister(state, 0xd, 0, "edx")) << 32n);
    if (!(xcr0 & X87)) throw new KvmError("EINVAL", "XCR0 bit 0 (x87) is always set");
    if (xcr0 & AVX && !(xcr0 & SSE)) throw new KvmError("EINVAL", "XCR0 bit 2 (AVX) needs bit 1 (SSE)");
    // Without a CPUID table the reset value is all there is.
    if (xcr0 & ~(supported | X87)) throw new KvmError("EINVAL", `XCR0 0x${xcr0.toString(16)} names missing components`);
    state.setU64(CPU_XCR0, xcr0);
  }
  // Which instructions there are depends on it, as on CR4.
  check(state.core.commitSregs(), "the system registers are not ones that a processor could hold");
  state.changed();
}
