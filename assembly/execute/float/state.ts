// MXCSR and the exceptions of the SSE instruction in flight. An instruction sets sseExceptions to 0, computes all its
// lanes, calls sseCommit() and writes its destination only where that returns true.
import { CPU_CR4, CPU_MXCSR } from "../../layout";
import { cpu, CR4_OSXMMEXCPT, raise, UD, XM } from "../../cpu";
import { beginFloat, floatFlags, floatMasks, X_BEFORE } from "../../softfloat/status";

export const MXCSR_FLAGS: u32 = 0x3f;
export const MXCSR_INEXACT: u32 = 0x20;
/** The inexact flag and its mask. */
const MXCSR_INEXACT_SILENT: u32 = 0x1020;
/** Denormals are zeros. */
export const MXCSR_DAZ: u32 = 0x40;
export const MXCSR_MASKS: u32 = 0x1f80;
export const MXCSR_ROUNDING: u32 = 0x6000;
/** Flush to zero. */
export const MXCSR_FTZ: u32 = 0x8000;
/** Value after power-up, INIT and FNINIT-like resets. */
export const MXCSR_RESET: u32 = 0x1f80;
/** Bits that may be set: the rest raise #GP in LDMXCSR, FXRSTOR and XRSTOR; FXSAVE reports it as MXCSR_MASK. */
export const MXCSR_VALID: u32 = 0xffff;

/** X_* exceptions of the lanes computed so far. */
export let sseExceptions: u32 = 0;

// @ts-ignore: decorator
@inline export function mxcsr(): u32 { return load<u32>(cpu, CPU_MXCSR); }

/** Whether native arithmetic on zeros and normal numbers with normal results changes nothing in MXCSR: rounding to
 * nearest, everything masked, and the inexact flag set already. */
// @ts-ignore: decorator
@inline export function nativeRounding(): bool {
  return (mxcsr() & (MXCSR_ROUNDING | MXCSR_MASKS | MXCSR_INEXACT)) == (MXCSR_MASKS | MXCSR_INEXACT);
}

/** Whether an inexact result changes nothing in MXCSR: its flag is set and its exception masked. */
// @ts-ignore: decorator
@inline export function inexactIsSilent(): bool { return (mxcsr() & MXCSR_INEXACT_SILENT) == MXCSR_INEXACT_SILENT; }

/** Forgets the exceptions of the previous instruction. */
// @ts-ignore: decorator
@inline export function sseBegin(): void { sseExceptions = 0; }

/** Adds X_* exceptions of a lane. */
// @ts-ignore: decorator
@inline export function sseReport(flags: u32): void { sseExceptions |= flags; }

/** Prepares the soft-float state for one lane from MXCSR. */
export function laneBegin(): void {
  const control = mxcsr();
  beginFloat(<i32>((control >> 13) & 3), (control >> 7) & 0x3f);
}

/** The same with another ROUND_* mode than MXCSR's. */
export function laneBeginRounding(rounding: i32): void {
  beginFloat(rounding, (mxcsr() >> 7) & 0x3f);
}

/** Takes the lane's flags over. */
// @ts-ignore: decorator
@inline export function laneEnd(): void { sseExceptions |= floatFlags; }

/** Whether an unmasked exception that is found before computing makes the lane's value moot. */
// @ts-ignore: decorator
@inline export function laneStopped(): bool { return (floatFlags & ~floatMasks & X_BEFORE) != 0; }

/** Merges the exceptions of all lanes into MXCSR. False: one is unmasked, #XM (or #UD without CR4.OSXMMEXCPT) is
 * raised and the destination is not to be written. Of an instruction that stops before computing, only
 * invalid, denormal and divide-by-zero are recorded (SDM volume 1, 11.5.2). */
export function sseCommit(): bool {
  let found = sseExceptions;
  if (found == 0) return true;
  sseExceptions = 0;
  const control = mxcsr();
  const unmasked = found & ~(control >> 7) & MXCSR_FLAGS;
  if (unmasked & X_BEFORE) found &= X_BEFORE;
  store<u32>(cpu, control | found, CPU_MXCSR);
  if (unmasked == 0) return true;
  raise(load<u64>(cpu, CPU_CR4) & CR4_OSXMMEXCPT ? XM : UD);
  return false;
}
