// KVM_GET_REGS, KVM_SET_REGS: struct kvm_regs.

import { CPU_EXCEPTION_PENDING, CPU_GPR, CPU_RIP } from "../../assembly/layout.ts";
import { KvmError, toU64 } from "./errors.ts";
import type { VcpuState } from "./vcpu-state.ts";

/** struct kvm_regs. All fields are unsigned 64-bit. */
export interface KvmRegs {
  rax: bigint;
  rbx: bigint;
  rcx: bigint;
  rdx: bigint;
  rsi: bigint;
  rdi: bigint;
  rsp: bigint;
  rbp: bigint;
  r8: bigint;
  r9: bigint;
  r10: bigint;
  r11: bigint;
  r12: bigint;
  r13: bigint;
  r14: bigint;
  r15: bigint;
  rip: bigint;
  rflags: bigint;
}

/** What setRegs accepts: numbers are fine where they are integers. */
export type KvmRegsInput = { [Name in keyof KvmRegs]: bigint | number };

/** In the order of the encoding, which is the order of CPU_GPR. */
const ENCODED = [
  "rax",
  "rcx",
  "rdx",
  "rbx",
  "rsp",
  "rbp",
  "rsi",
  "rdi",
  "r8",
  "r9",
  "r10",
  "r11",
  "r12",
  "r13",
  "r14",
  "r15",
] as const satisfies readonly (keyof KvmRegs)[];

/** RFLAGS bits a processor can hold (SDM volume 1, 3.4.3); bit 1 is always set. */
const RFLAGS_DEFINED = 0x3f_7fd7n;
const RFLAGS_FIXED = 2n;

/** True where bits 63..47 of a linear address agree (48-bit linear addresses, SDM volume 1, 3.3.7.1). */
export function isCanonical(address: bigint): boolean {
  return BigInt.asIntN(48, address) === BigInt.asIntN(64, address);
}

/** Reads struct kvm_regs. */
export function readRegs(state: VcpuState): KvmRegs {
  const regs = {} as KvmRegs;
  ENCODED.forEach((name, number) => {
    regs[name] = state.u64(CPU_GPR + 8 * number);
  });
  regs.rip = state.u64(CPU_RIP);
  regs.rflags = BigInt.asUintN(64, state.core.getRflags());
  return regs;
}

/**
 * Writes struct kvm_regs, and forgets an exception that waits for delivery, as KVM does.
 * Throws EINVAL, with nothing changed, for a non-canonical rip or reserved RFLAGS bits.
 */
export function writeRegs(state: VcpuState, regs: KvmRegsInput): void {
  const values = ENCODED.map((name) => toU64(regs[name], name));
  const rip = toU64(regs.rip, "rip");
  const rflags = toU64(regs.rflags, "rflags");
  if (!isCanonical(rip)) throw new KvmError("EINVAL", `rip 0x${rip.toString(16)} is not canonical`);
  if ((rflags & ~RFLAGS_DEFINED) !== 0n) {
    throw new KvmError("EINVAL", `rflags 0x${rflags.toString(16)} has reserved bits set`);
  }
  values.forEach((value, number) => {
    state.setU64(CPU_GPR + 8 * number, value);
  });
  state.setU64(CPU_RIP, rip);
  state.core.setRflags(rflags | RFLAGS_FIXED);
  state.setU32(CPU_EXCEPTION_PENDING, 0);
  state.changed();
}
