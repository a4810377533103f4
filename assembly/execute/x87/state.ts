// The x87 register stack, tags and status word in the vCPU's state, and how an instruction ends: exceptions into the
// status word, the masked response where they allow one. SDM volume 1, 8.1 and 8.5.
import { CPU_FCW, CPU_FSW, CPU_FTAG, CPU_FTOP, CPU_X87 } from "../../layout";
import { cpu } from "../../cpu";
import {
  EXT_INFINITE, EXT_SIGN, INTEGER_BIT, QUIET_BIT, resultExp, resultLow, setPrecision,
} from "../../softfloat/extended";
import { beginFloat, floatFlags, roundedUp, X_ALL, X_INEXACT, X_INVALID } from "../../softfloat/status";

export const FSW_STACK: u32 = 0x40;
/** Exception summary: an unmasked exception is pending. */
export const FSW_SUMMARY: u32 = 0x80;
export const FSW_C0: u32 = 0x100;
export const FSW_C1: u32 = 0x200;
export const FSW_C2: u32 = 0x400;
export const FSW_C3: u32 = 0x4000;
export const FSW_CODES: u32 = FSW_C0 | FSW_C1 | FSW_C2 | FSW_C3;
/** Busy: since the 387 a copy of the summary bit. */
export const FSW_BUSY: u32 = 0x8000;
export const FSW_TOP: u32 = 0x3800;
/** FCW after FNINIT. */
export const FCW_INIT: u32 = 0x37f;

// @ts-ignore: decorator
@inline export function fcw(): u32 { return load<u32>(cpu, CPU_FCW); }
// @ts-ignore: decorator
@inline export function fsw(): u32 { return load<u32>(cpu, CPU_FSW); }
// @ts-ignore: decorator
@inline export function setFsw(value: u32): void { store<u32>(cpu, value, CPU_FSW); }
// @ts-ignore: decorator
@inline export function fpuTop(): i32 { return load<i32>(cpu, CPU_FTOP); }
// @ts-ignore: decorator
@inline export function setFpuTop(top: i32): void { store<i32>(cpu, top & 7, CPU_FTOP); }
/** Address of ST(i). */
// @ts-ignore: decorator
@inline export function stAddress(i: i32): usize { return cpu + CPU_X87 + (<usize>((fpuTop() + i) & 7) << 4); }
// @ts-ignore: decorator
@inline export function stSig(i: i32): u64 { return load<u64>(stAddress(i)); }
// @ts-ignore: decorator
@inline export function stExp(i: i32): u32 { return load<u16>(stAddress(i), 8); }
// @ts-ignore: decorator
@inline export function isEmpty(i: i32): bool { return (load<u32>(cpu, CPU_FTAG) >> ((fpuTop() + i) & 7) & 1) == 0; }
// @ts-ignore: decorator
@inline export function isMasked(flags: u32): bool { return (flags & ~fcw() & X_ALL) == 0; }

/** The status word as the guest reads it, with TOP. */
export function statusWord(): u32 {
  return (fsw() & ~FSW_TOP) | (<u32>fpuTop() << 11);
}

/** Sets the status word and TOP as FLDENV and FXRSTOR do; the summary bit follows from flags and masks. */
export function setStatusWord(value: u32): void {
  setFpuTop(<i32>(value >> 11));
  setFsw(value & ~FSW_TOP);
  updateSummary();
}

/** Recomputes the summary bit after the status or the control word was loaded. */
export function updateSummary(): void {
  const status = fsw() & ~(FSW_SUMMARY | FSW_BUSY);
  setFsw(status & ~fcw() & X_ALL ? status | FSW_SUMMARY | FSW_BUSY : status);
}

/** Writes ST(i) and tags it as not empty. */
export function setSt(i: i32, sig: u64, signExp: u32): void {
  const at = stAddress(i);
  store<u64>(at, sig);
  store<u16>(at, <u16>signExp, 8);
  store<u32>(cpu, load<u32>(cpu, CPU_FTAG) | (1 << ((fpuTop() + i) & 7)), CPU_FTAG);
}

/** ST(i) becomes the last soft-float result. */
export function setStResult(i: i32): void {
  setSt(i, resultLow, resultExp);
}

export function setIndefinite(i: i32): void {
  setSt(i, INTEGER_BIT | QUIET_BIT, EXT_SIGN | EXT_INFINITE);
}

/** Tags ST(i) as empty. */
export function setEmpty(i: i32): void {
  store<u32>(cpu, load<u32>(cpu, CPU_FTAG) & ~(1 << ((fpuTop() + i) & 7)), CPU_FTAG);
}

export function pop(): void {
  setEmpty(0);
  setFpuTop(fpuTop() + 1);
}

/** Makes room for a value that setSt(0, ...) then fills in. */
export function push(): void {
  setFpuTop(fpuTop() - 1);
}

/** Rounding, precision and masks of the control word, no exceptions, C1 = 0. The reserved precision 01 acts as 11. */
export function beginX87(): void {
  const control = fcw();
  beginFloat(<i32>((control >> 10) & 3), control & X_ALL);
  const field = (control >> 8) & 3;
  setPrecision(field == 0 ? 24 : field == 2 ? 53 : 64);
  setFsw(fsw() & ~FSW_C1);
}

/** Adds exceptions to the status word; an unmasked one sets the summary bit, for the next waiting instruction. */
export function report(flags: u32): void {
  let status = fsw() | flags;
  if (flags & ~fcw() & X_ALL) status |= FSW_SUMMARY | FSW_BUSY;
  setFsw(status);
}

/** Reports the exceptions of the operation; C1 says whether an inexact result was rounded up. */
export function endX87(): void {
  if (floatFlags == 0) return;
  report(floatFlags);
  if (floatFlags & X_INEXACT && roundedUp) setFsw(fsw() | FSW_C1);
}

/** Stack underflow. True: masked, and the caller responds with the indefinite. */
export function stackUnderflow(): bool {
  setFsw(fsw() & ~FSW_C1);
  report(X_INVALID | FSW_STACK);
  return isMasked(X_INVALID);
}

/** Stack overflow. True: masked, and the caller pushes the indefinite. */
export function stackOverflow(): bool {
  report(X_INVALID | FSW_STACK | FSW_C1);
  return isMasked(X_INVALID);
}
