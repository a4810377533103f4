// System instructions that kernels execute in each system call, without the interpreter's case: SYSCALL and SYSRET between
// 64-bit codes, and SYSENTER and SYSEXIT between 32-bit codes, by a call of their own, SWAPGS in line.
import { SEG_GS } from "../cpu";
import { R_OP } from "../decode/record";
import { FOP_BITS, SELECTOR_BITS } from "../execute/x87/pointers";
import { HELPER_rdtsc, HELPER_rdtscp, HELPER_swapgs, HELPER_syscall, HELPER_sysenter, HELPER_sysexit, HELPER_sysret } from "../generated/helpers";
import { MICRO_CALL, MICRO_END } from "../generated/micro-ops";
import { OP_FIRST_GROUP } from "../generated/opcodes";
import { CPU_CPL, CPU_FDS, CPU_FOP, CPU_KERNEL_GS_BASE, CPU_SEG_BASE } from "../layout";
import { code16, code64 } from "./code-mode";
import { defineConstant } from "./fold";
import { addParameter, beginType, helperFunction, RUNTIME_SYSCALL, RUNTIME_SYSENTER, RUNTIME_SYSEXIT, RUNTIME_SYSRET } from "./imports";
import { leaveAtRip, leaveIfFault, missIf } from "./leave";
import { L_BASE, temp } from "./locals";
import { I32_GT_U, I32_LOAD, I32_OR, I64_ADD, I64_LOAD, I64_STORE } from "./opcodes";
import { field, loadField, storeFlags, storeFuel, storeRegisters, storeVectors } from "./state";
import { after, leb, listOf, nextStep, opcodeOf, stepsOf } from "./steps";
import { beginValues, constOf } from "./values";
import { byte, call, I64, i32const, i64const, localGet, localSet } from "./writer";

const GS_BASE: usize = CPU_SEG_BASE + 8 * SEG_GS;

/** RUNTIME_SYSCALL or RUNTIME_SYSRET where a record is the one in 64-bit code, or the other to it, RUNTIME_SYSENTER or RUNTIME_SYSEXIT
 * where it is that in 32-bit code; else 0. */
export function systemCallOf(rec: usize): u32 {
  if (code16 || <u32>load<u16>(rec, R_OP) < OP_FIRST_GROUP) return 0;
  beginValues();
  for (let at = stepsOf(listOf(rec)); load<u8>(at) != MICRO_END; at = nextStep(at)) {
    if (opcodeOf(at) == MICRO_CALL) {
      const helper = leb(at + 1);
      if (helper == HELPER_syscall) return code64 ? RUNTIME_SYSCALL : 0;
      if (helper == HELPER_sysenter) return code64 ? 0 : RUNTIME_SYSENTER;
      if (helper == HELPER_sysret) return code64 && constOf(load<u8>(after, 2)) == 8 ? RUNTIME_SYSRET : 0;
      return helper == HELPER_sysexit && !code64 ? RUNTIME_SYSEXIT : 0;
    }
    if (!defineConstant(at, rec)) return 0;
  }
  return 0;
}

/** Executes what systemCallOf() found, with `next` the displacement behind it, and leaves for where it leads; before it where it
 * raises a fault. */
export function emitSystemCall(which: u32, next: i32): void {
  storeFlags();
  storeRegisters(0xffff);
  storeVectors(0xffff);
  localGet(L_BASE);
  i64const(next);
  byte(I64_ADD);
  beginType();
  addParameter(I64);
  call(helperFunction(which, 0));
  leaveIfFault();
  leaveAtRip(0);
}

/** Emits a helper in line. False: it is to be called, and finds in the vCPU what it needs. */
export function inlineSystem(helper: u32): bool {
  // With -icount the time is that of the fuel used.
  if (helper == HELPER_rdtsc || helper == HELPER_rdtscp) storeFuel();
  if (helper != HELPER_swapgs) return false;
  // What the x87 remembers in terms of segments as they are is settled by the interpreter, which raises the fault, too.
  loadField(I32_LOAD, CPU_CPL);
  loadField(I32_LOAD, CPU_FOP);
  i32const(FOP_BITS);
  byte(I32_GT_U);
  byte(I32_OR);
  loadField(I32_LOAD, CPU_FDS);
  i32const(SELECTOR_BITS);
  byte(I32_GT_U);
  byte(I32_OR);
  missIf();
  const user = temp(I64);
  loadField(I64_LOAD, GS_BASE);
  localSet(user);
  i32const(0);
  loadField(I64_LOAD, CPU_KERNEL_GS_BASE);
  field(I64_STORE, GS_BASE);
  i32const(0);
  localGet(user);
  field(I64_STORE, CPU_KERNEL_GS_BASE);
  return true;
}
