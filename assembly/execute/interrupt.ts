// Events that are no exceptions: external interrupts, NMIs, and the INT instructions.
import {
  BP, CR4_VME, DB, FAULT_EXCEPTION, FAULT_EXIT, FLAG_IF, FLAG_IOPL, FLAG_OF, FLAG_RF, FLAG_TF, FLAG_VIF, GP, NMI, OF,
  SEG_TR, count, cpu, fault, faultError, faultVector, raiseError, segAttr, segBase, segLimit,
} from "../cpu";
import {
  CPU_CR4, CPU_INTERRUPT_PENDING, CPU_INTERRUPT_SOFT, CPU_INTERRUPT_VECTOR, CPU_LOG, CPU_NMI_MASKED, CPU_NMI_PENDING,
  LOG_INT, STAT_INTERRUPTS,
} from "../layout";
import { sysRead } from "../mmu/access";
import { dropSingleStep, leaveForBreakpoint, mergeDebugTraps } from "./debug";
import { ATTR_TYPE, TSS32_BUSY } from "./descriptors";
import { TRACE_INTERRUPT, TRACE_NMI, TRACE_SOFT, deliverException, traceEvent } from "./exception";
import { getFlags } from "./flags";
import { enterHandler, enterParagraph } from "./gates";
import { iopl, vm86 } from "./privilege";
import { finishTaskSwitch } from "./task";

export { deliverException } from "./exception";

/** The interrupt redirection bitmap is the 32 bytes below the I/O bitmap. */
const REDIRECTION_BYTES: u64 = 32;
const TSS_IO_MAP_BASE: u64 = 102;
const TSS_MIN_LIMIT: u32 = 103;

/**
 * Delivers an external interrupt at an instruction boundary; the caller has checked IF and the shadow,
 * and has taken it from its chip. Where its delivery has to leave to the host first (`fault` is
 * FAULT_EXIT) it is queued (CPU_INTERRUPT_*) for the next entry.
 */
export function deliverInterrupt(vector: i32): void {
  count(STAT_INTERRUPTS);
  if (load<u32>(cpu, CPU_LOG) & LOG_INT) traceEvent(TRACE_INTERRUPT, vector, -1);
  enterHandler(vector, -1, false, getFlags());
  if (fault == FAULT_EXCEPTION) deliverException(faultVector, faultError);
  else if (fault == FAULT_EXIT) {
    store<u32>(cpu, 1, CPU_INTERRUPT_PENDING);
    store<u32>(cpu, vector, CPU_INTERRUPT_VECTOR);
    store<u32>(cpu, 0, CPU_INTERRUPT_SOFT);
  }
}

/** Delivers an NMI at an instruction boundary; further ones wait until IRET. */
export function deliverNmi(): void {
  if (load<u32>(cpu, CPU_LOG) & LOG_INT) traceEvent(TRACE_NMI, NMI, -1);
  enterHandler(NMI, -1, false, getFlags());
  if (fault == FAULT_EXIT) {
    store<u32>(cpu, load<u32>(cpu, CPU_NMI_PENDING) + 1, CPU_NMI_PENDING);
    return;
  }
  store<u32>(cpu, 1, CPU_NMI_MASKED);
  if (fault == FAULT_EXCEPTION) deliverException(faultVector, faultError);
}

/** INT n. In virtual-8086 mode IOPL and, with CR4.VME, the redirection bitmap decide who gets it. */
export function softInterrupt(vector: i32): void {
  if (vm86() && redirected(vector)) return;
  if (fault) return;
  enterSoft(vector);
}

/** INT3 (0xcc): neither IOPL nor the redirection bitmap apply. */
export function int3(): void {
  if (!leaveForBreakpoint()) enterSoft(BP);
}

/** INTO: nothing where OF is clear. */
export function into(): void {
  if (getFlags() & FLAG_OF) enterSoft(OF);
}

/** INT1 (0xf1): a #DB that leaves DR6 alone and needs no privilege. */
export function int1(): void {
  dropSingleStep();
  enterHandler(DB, -1, false, getFlags() & ~FLAG_RF);
  if (!fault) mergeDebugTraps();
  finishTaskSwitch();
}

function enterSoft(vector: i32): void {
  dropSingleStep();
  if (load<u32>(cpu, CPU_LOG) & LOG_INT) traceEvent(TRACE_SOFT, vector, -1);
  enterHandler(vector, -1, true, getFlags() & ~FLAG_RF);
  finishTaskSwitch();
}

/**
 * INT n in virtual-8086 mode (SDM volume 3, 20.3.3): true where the program's own handler got it. Otherwise
 * it is for the protected-mode handler, unless #GP(0) is raised since IOPL is below 3.
 */
function redirected(vector: i32): bool {
  if (load<u64>(cpu, CPU_CR4) & CR4_VME) {
    const monitored = monitorTakes(vector);
    if (fault) return false;
    if (!monitored) {
      dropSingleStep();
      enterRedirected(vector);
      return true;
    }
  }
  if (iopl() < 3) raiseError(GP, 0);
  return false;
}

/** The vector's bit in the redirection bitmap: set: to the protected-mode handler. */
function monitorTakes(vector: i32): bool {
  const limit = segLimit(SEG_TR);
  if ((segAttr(SEG_TR) & ATTR_TYPE) != TSS32_BUSY || limit < TSS_MIN_LIMIT) {
    raiseError(GP, 0);
    return true;
  }
  const map = sysRead(segBase(SEG_TR) + TSS_IO_MAP_BASE, 2);
  if (fault) return true;
  const at = map - REDIRECTION_BYTES + <u64>(vector >> 3);
  if (map < REDIRECTION_BYTES || at > <u64>limit) {
    raiseError(GP, 0);
    return true;
  }
  return ((sysRead(segBase(SEG_TR) + at, 1) >> (vector & 7)) & 1) != 0;
}

/** The 8086 program's handler. Below IOPL 3 the program's interrupt flag is VIF. */
function enterRedirected(vector: i32): void {
  const pointer = <u32>sysRead(<u64>vector * 4, 4);
  if (fault) return;
  const flags = getFlags() & ~FLAG_RF;
  if (iopl() == 3) {
    enterParagraph(pointer, flags, flags & ~(FLAG_IF | FLAG_TF));
    return;
  }
  const pushed = (flags & ~FLAG_IF) | FLAG_IOPL | (flags & FLAG_VIF ? FLAG_IF : 0);
  enterParagraph(pointer, pushed, flags & ~(FLAG_VIF | FLAG_TF));
}
