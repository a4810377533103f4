// KVM_GET_FPU, KVM_SET_FPU: struct kvm_fpu. The core keeps x87 registers by physical number; the
// struct has them as FXSAVE does, from the top of the stack on.

import {
  CPU_FCW,
  CPU_FDP,
  CPU_FIP,
  CPU_FOP,
  CPU_FSW,
  CPU_FTAG,
  CPU_FTOP,
  CPU_MXCSR,
  CPU_X87,
  CPU_XMM,
} from "../../assembly/layout.ts";
import { checkInteger, KvmError, toU64 } from "./errors.ts";
import type { VcpuState } from "./vcpu-state.ts";

/** struct kvm_fpu. */
export interface KvmFpu {
  /** ST(0)..ST(7), 16 bytes each, of which 10 count: 8 of significand, 2 of sign and exponent. */
  fpr: Uint8Array[];
  /** u16. */
  fcw: number;
  /** u16, with TOP in bits 11-13. */
  fsw: number;
  /** Abridged tag word: bit i set: physical register i is not empty. */
  ftwx: number;
  /** 11 bits. */
  lastOpcode: number;
  lastIp: bigint;
  lastDp: bigint;
  /** XMM0..XMM15, 16 bytes each. */
  xmm: Uint8Array[];
  /** u32. */
  mxcsr: number;
}

const TOP_SHIFT = 11;
const TOP_MASK = 7 << TOP_SHIFT;
/** MXCSR bits that exist without AMD's misaligned mode (SDM volume 1, 10.2.3). */
const MXCSR_DEFINED = 0xffff;
const YMM_SIZE = 32;

/** Reads struct kvm_fpu. */
export function readFpu(state: VcpuState): KvmFpu {
  const top = state.u32(CPU_FTOP) & 7;
  return {
    fpr: Array.from({ length: 8 }, (_, i) => {
      const register = state.copy(CPU_X87 + 16 * ((top + i) & 7), 16);
      return register.fill(0, 10);
    }),
    fcw: state.u32(CPU_FCW) & 0xffff,
    fsw: (state.u32(CPU_FSW) & 0xffff & ~TOP_MASK) | (top << TOP_SHIFT),
    ftwx: state.u32(CPU_FTAG) & 0xff,
    lastOpcode: state.u32(CPU_FOP) & 0x7ff,
    lastIp: state.u64(CPU_FIP),
    lastDp: state.u64(CPU_FDP),
    xmm: Array.from({ length: 16 }, (_, i) => state.copy(CPU_XMM + YMM_SIZE * i, 16)),
    mxcsr: state.u32(CPU_MXCSR),
  };
}

/** Writes struct kvm_fpu. Throws EINVAL, with nothing changed, for reserved MXCSR bits and wrong sizes. */
export function writeFpu(state: VcpuState, fpu: KvmFpu): void {
  checkInteger(fpu.mxcsr, 0, MXCSR_DEFINED, "mxcsr");
  checkInteger(fpu.fcw, 0, 0xffff, "fcw");
  checkInteger(fpu.fsw, 0, 0xffff, "fsw");
  checkInteger(fpu.ftwx, 0, 0xff, "ftwx");
  checkInteger(fpu.lastOpcode, 0, 0xffff, "lastOpcode");
  registers(fpu.fpr, 8, 10, "fpr");
  registers(fpu.xmm, 16, 16, "xmm");
  const lastIp = toU64(fpu.lastIp, "lastIp");
  const lastDp = toU64(fpu.lastDp, "lastDp");
  const top = (fpu.fsw & TOP_MASK) >> TOP_SHIFT;
  fpu.fpr.forEach((value, i) => {
    state.put(CPU_X87 + 16 * ((top + i) & 7), value.subarray(0, 10));
  });
  state.setU32(CPU_FTOP, top);
  state.setU32(CPU_FCW, fpu.fcw);
  state.setU32(CPU_FSW, fpu.fsw & ~TOP_MASK);
  state.setU32(CPU_FTAG, fpu.ftwx);
  state.setU32(CPU_FOP, fpu.lastOpcode & 0x7ff);
  state.setU64(CPU_FIP, lastIp);
  state.setU64(CPU_FDP, lastDp);
  fpu.xmm.forEach((value, i) => {
    state.put(CPU_XMM + YMM_SIZE * i, value.subarray(0, 16));
  });
  state.setU32(CPU_MXCSR, fpu.mxcsr);
  state.changed();
}

function registers(values: readonly Uint8Array[], count: number, bytes: number, what: string): void {
  if (values.length !== count || values.some((value) => value.length < bytes)) {
    throw new KvmError("EINVAL", `${what} must be ${count} arrays of at least ${bytes} bytes`);
  }
}
