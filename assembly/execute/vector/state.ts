// MXCSR and PKRU as instructions read and write them, and the upper halves of the YMM registers cleared. SDM volume 2,
// LDMXCSR, RDPKRU, WRPKRU, VZEROUPPER, VZEROALL.
import { CPU_CR4, CPU_MXCSR, CPU_PKRU, CPU_XMM } from "../../layout";
import { CR4_PKE, cpu, GP, gpr, raise, raiseError, RAX, RCX, RDX, setGpr, UD } from "../../cpu";
import { tlbPkruChanged } from "../../mmu/registers";
import { MXCSR_VALID } from "../float/state";
import { vectorRegisters } from "../fxsave";
import { xmmAddress } from "../vector-registers";

/** LDMXCSR: #GP(0) for reserved bits. */
export function loadMxcsr(value: u32): void {
  if (value & ~MXCSR_VALID) raiseError(GP, 0);
  else store<u32>(cpu, value, CPU_MXCSR);
}

/** #UD without CR4.PKE, #GP(0) unless ECX (and for WRPKRU EDX) is 0. False: raised. */
function checkPkru(high: u32): bool {
  if (!(load<u64>(cpu, CPU_CR4) & CR4_PKE)) {
    raise(UD);
    return false;
  }
  if (<u32>gpr(RCX) | high) {
    raiseError(GP, 0);
    return false;
  }
  return true;
}

/** RDPKRU: EAX = PKRU, EDX = 0. */
export function rdpkru(): void {
  if (!checkPkru(0)) return;
  setGpr(RAX, load<u32>(cpu, CPU_PKRU));
  setGpr(RDX, 0);
}

/** WRPKRU: PKRU = EAX. */
export function wrpkru(): void {
  if (!checkPkru(<u32>gpr(RDX))) return;
  store<u32>(cpu, <u32>gpr(RAX), CPU_PKRU);
  tlbPkruChanged();
}

/** Clears the upper half of a YMM register. */
export function clearUpper(register: u32): void {
  v128.store(xmmAddress(register), i64x2.splat(0), 16);
}

/** VZEROUPPER: the upper halves of all registers that the code can name. */
export function zeroUpper(): void {
  for (let i = vectorRegisters() - 1; i >= 0; i--) clearUpper(i);
}

/** VZEROALL: all registers that the code can name. */
export function zeroAll(): void {
  memory.fill(cpu + CPU_XMM, 0, vectorRegisters() << 5);
}
