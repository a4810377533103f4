// Debug registers at work: breakpoints, single step, and KVM's guest debugging (SDM volume 3, 18.2-18.3).
//
// What a #DB reports travels as a payload of DR6 bits until the exception is delivered: only then does
// DR6 change, or, where the host debugs the guest, does the exit to the host carry it.
import {
  CR4_DE, DB, BP, FLAG_RF, FLAG_TF, SEG_CS, cpu, leave, raise, rip, segBase,
} from "../cpu";
import { KVM_EXIT_DEBUG } from "../exits";
import {
  CPU_CR4, CPU_DR, CPU_EFLAGS, CPU_GUEST_DEBUG, CPU_GUEST_DR, CPU_SHADOW, RUN_DEBUG_DR6, RUN_DEBUG_DR7,
  RUN_DEBUG_EXCEPTION, RUN_DEBUG_PC,
} from "../layout";
import { isAmd } from "./cpuid";
import { code64 } from "./privilege";
import { SHADOW_MOV_SS } from "./segments";

export const DR6_BD: u32 = 1 << 13;
export const DR6_BS: u32 = 1 << 14;
export const DR6_BT: u32 = 1 << 15;
/** B0..B3. */
const DR6_BREAKPOINTS: u64 = 15;
/** Bits of DR6 that read as one. */
export const DR6_ONES: u64 = 0xffff0ff0;
export const DR7_ONES: u64 = 0x400;
export const DR7_GD: u64 = 1 << 13;
const DR7_ENABLES: u64 = 0xff;

// R/W fields of DR7.
const ON_EXECUTE: u32 = 0;
const ON_WRITE: u32 = 1;
const ON_IO: u32 = 2;
const ON_ACCESS: u32 = 3;

// KVM_GUESTDBG_* of the Linux uapi.
export const GUESTDBG_ENABLE: u32 = 1;
export const GUESTDBG_SINGLESTEP: u32 = 2;
export const GUESTDBG_USE_SW_BP: u32 = 0x10000;
export const GUESTDBG_USE_HW_BP: u32 = 0x20000;

/** DR6 bits that the #DB now being raised will report. */
let payload: u32 = 0;
/** DR6 bits of traps that the running instruction has met and that are raised when it is complete. */
let pendingTraps: u32 = 0;
/** The running instruction ends the single step that it began with. */
let stepDropped: bool = false;

/** Adds DR6 bits to the #DB that the caller raises. */
export function addDebugPayload(bits: u32): void {
  payload |= bits;
}

function guestDebug(flags: u32): bool {
  const all = flags | GUESTDBG_ENABLE;
  return (load<u32>(cpu, CPU_GUEST_DEBUG) & all) == all;
}

/** The host single-steps the guest (KVM_GUESTDBG_SINGLESTEP). */
export function hostSteps(): bool {
  return guestDebug(GUESTDBG_SINGLESTEP);
}

/** Where DR0..DR7 that are in force lie: the guest's, or the host's under KVM_GUESTDBG_USE_HW_BP. */
function activeRegisters(): usize {
  return cpu + (guestDebug(GUESTDBG_USE_HW_BP) ? CPU_GUEST_DR : CPU_DR);
}

/** Is a breakpoint of any kind enabled? Where not, none of the check functions needs to be called. */
export function breakpointsArmed(): bool {
  return (load<u64>(activeRegisters(), 56) & DR7_ENABLES) != 0;
}

/** Is there an enabled instruction breakpoint? */
export function instructionBreakpointsArmed(): bool {
  return armed(1 << ON_EXECUTE);
}

/** Is there an enabled data breakpoint? */
export function dataBreakpointsArmed(): bool {
  return armed(1 << ON_WRITE | 1 << ON_ACCESS);
}

function armed(kinds: u32): bool {
  const dr7 = load<u64>(activeRegisters(), 56);
  for (let i = 0; i < 4; i++) if (enabled(dr7, i) && ((kinds >> kindOf(dr7, i)) & 1) != 0) return true;
  return false;
}

/** Does an enabled data breakpoint touch the 4 KiB page at linear address `page`? */
export function watchesPage(page: u64): bool {
  const registers = activeRegisters();
  const dr7 = load<u64>(registers, 56);
  for (let i = 0; i < 4; i++) {
    if (!enabled(dr7, i) || (kindOf(dr7, i) & 1) == 0) continue;
    if ((load<u64>(registers + (<usize>i << 3)) ^ page) >> 12 == 0) return true;
  }
  return false;
}

// @ts-ignore: decorator
@inline function enabled(dr7: u64, i: i32): bool { return ((dr7 >> (i << 1)) & 3) != 0; }
// @ts-ignore: decorator
@inline function kindOf(dr7: u64, i: i32): u32 { return <u32>(dr7 >> (16 + (i << 2))) & 3; }

/** Bytes that breakpoint `i` covers: 1, 2, 8 or 4 for the LEN codes 0..3. */
function lengthOf(dr7: u64, i: i32): u64 {
  const code = <u32>(dr7 >> (18 + (i << 2))) & 3;
  return code == 2 ? 8 : <u64>(code + 1);
}

/** B0..B3 of all breakpoints of these kinds that the access touches, if one of them is enabled; else 0. */
function matches(address: u64, size: u64, kinds: u32): u32 {
  const registers = activeRegisters();
  const dr7 = load<u64>(registers, 56);
  let hit: u32 = 0;
  let any = false;
  for (let i = 0; i < 4; i++) {
    const kind = kindOf(dr7, i);
    if (((kinds >> kind) & 1) == 0) continue;
    const length = kind == ON_EXECUTE ? 1 : lengthOf(dr7, i);
    const start = load<u64>(registers + (<usize>i << 3)) & ~(length - 1);
    if (address + size - 1 < start || address > start + length - 1) continue;
    hit |= 1 << i;
    any = any || enabled(dr7, i);
  }
  return any ? hit : 0;
}

/** Before the instruction at linear address `linear`: true with #DB raised where a breakpoint stops it. It is
 * a fault; RF suppresses it, and on Intel's processors a MOV SS just before. */
export function checkInstructionBreakpoint(linear: u64): bool {
  if (load<u32>(cpu, CPU_EFLAGS) & FLAG_RF) return false;
  if ((load<u32>(cpu, CPU_SHADOW) & SHADOW_MOV_SS) != 0 && !isAmd()) return false;
  const hit = matches(linear, 1, 1 << ON_EXECUTE);
  if (!hit) return false;
  payload |= hit;
  raise(DB);
  return true;
}

/** A data access happened: true where a breakpoint traps it once the instruction is complete. */
export function checkDataBreakpoint(linear: u64, size: i32, write: bool): bool {
  const hit = matches(linear, size, write ? 1 << ON_WRITE | 1 << ON_ACCESS : 1 << ON_ACCESS);
  pendingTraps |= hit;
  return hit != 0;
}

/** An I/O port was accessed: true where a breakpoint traps it once the instruction is complete. */
export function checkIoBreakpoint(port: u32, size: i32): bool {
  if ((load<u64>(cpu, CPU_CR4) & CR4_DE) == 0) return false;
  const hit = matches(port, size, 1 << ON_IO);
  pendingTraps |= hit;
  return hit != 0;
}

/** After an instruction: raises #DB for the breakpoints it met. False where there are none. */
export function raiseDebugTraps(): bool {
  if (!pendingTraps) return false;
  payload |= pendingTraps;
  pendingTraps = 0;
  raise(DB);
  return true;
}

/** After an instruction that faulted: the breakpoints it met are met again when it is restarted. */
export function dropDebugTraps(): void {
  pendingTraps = 0;
  stepDropped = false;
}

/** INT n and its kin have cleared TF on their way to the handler: no single-step trap follows them
 * (SDM volume 3, 18.3.1.4). */
export function dropSingleStep(): void {
  stepDropped = (load<u32>(cpu, CPU_EFLAGS) & FLAG_TF) != 0;
}

/** SYSCALL and SYSRET, about to load `flags`: they are trapped where TF is set behind them, whatever it was before. */
export function stepByNewFlags(flags: u32): void {
  if (flags & FLAG_TF) pendingTraps |= DR6_BS;
  else dropSingleStep();
}

/** INT1 is a #DB itself: what a load of SS just before has met is reported by it, and not once more. */
export function mergeDebugTraps(): void {
  if (!pendingTraps) return;
  const dr6 = load<u64>(cpu, CPU_DR + 48) & ~DR6_BREAKPOINTS;
  store<u64>(cpu, dr6 | DR6_ONES | pendingTraps, CPU_DR + 48);
  pendingTraps = 0;
}

/** After an instruction that began with TF set, or that the host steps: raises #DB with BS and whatever
 * breakpoints the instruction met. */
export function raiseSingleStep(): void {
  if (!stepDropped || hostSteps()) pendingTraps |= DR6_BS;
  stepDropped = false;
  raiseDebugTraps();
}

/** MOV to or from a debug register under DR7.GD. */
export function raiseDebugAccess(): void {
  payload |= DR6_BD;
  raise(DB);
}

/**
 * At the delivery of a #DB: false, having left with KVM_EXIT_DEBUG, where it is the host's. Otherwise
 * DR6 takes the payload and DR7.GD is cleared, so that the handler can use the debug registers.
 * A #DB that the host injected has no payload and is never the host's.
 */
export function enterDebugException(): bool {
  const bits = payload;
  payload = 0;
  if (bits) {
    if (guestDebug(GUESTDBG_SINGLESTEP) || guestDebug(GUESTDBG_USE_HW_BP)) {
      leaveDebug(DB, linearRip(rip()), bits);
      return false;
    }
    const dr6 = load<u64>(cpu, CPU_DR + 48) & ~DR6_BREAKPOINTS;
    store<u64>(cpu, dr6 | DR6_ONES | bits, CPU_DR + 48);
  }
  store<u64>(cpu, load<u64>(cpu, CPU_DR + 56) & ~DR7_GD, CPU_DR + 56);
  return true;
}

/** INT3 under KVM_GUESTDBG_USE_SW_BP: true, having left with KVM_EXIT_DEBUG, where it is the host's breakpoint. */
export function leaveForBreakpoint(): bool {
  if (!guestDebug(GUESTDBG_USE_SW_BP)) return false;
  // RIP is behind the one-byte instruction.
  leaveDebug(BP, linearRip(rip() - 1), 0);
  return true;
}

function linearRip(offset: u64): u64 {
  return code64() ? offset : (segBase(SEG_CS) + offset) & 0xffffffff;
}

function leaveDebug(vector: u32, pc: u64, bits: u32): void {
  store<u32>(cpu, vector, RUN_DEBUG_EXCEPTION);
  store<u64>(cpu, pc, RUN_DEBUG_PC);
  store<u64>(cpu, DR6_ONES | bits, RUN_DEBUG_DR6);
  store<u64>(cpu, load<u64>(activeRegisters(), 56), RUN_DEBUG_DR7);
  leave(KVM_EXIT_DEBUG);
}
