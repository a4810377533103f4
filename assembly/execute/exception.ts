// Delivering exceptions: which ones combine into a double fault, and when the processor shuts down
// (SDM volume 3, 6.15, "Interrupt 8").
import {
  BP, DB, DE, DF, FAULT_EXCEPTION, FLAG_RF, GP, MC, NMI, OF, PF, TS, clearFault, count, cpu, fault, faultError,
  faultVector, leave, rip,
} from "../cpu";
import { KVM_EXIT_SHUTDOWN } from "../exits";
import { trace } from "../host";
import { CPU_CPL, CPU_LOG, LOG_INT, STAT_EXCEPTIONS } from "../layout";
import { enterDebugException } from "./debug";
import { getFlags } from "./flags";
import { enterHandler } from "./gates";

/** In the first value that trace(LOG_INT) gets: an exception, an interrupt, an NMI, or INT n. */
export const TRACE_EXCEPTION: u64 = 1 << 8;
export const TRACE_INTERRUPT: u64 = 2 << 8;
export const TRACE_NMI: u64 = 3 << 8;
export const TRACE_SOFT: u64 = 4 << 8;

/** Exceptions that double-fault among each other. */
function contributory(vector: i32): bool {
  return vector == DE || (vector >= TS && vector <= GP);
}

function doubleFaults(first: i32, second: i32): bool {
  if (contributory(first)) return contributory(second);
  return first == PF && (contributory(second) || second == PF);
}

/** Faults push RF, so that an instruction breakpoint does not hit a second time when they return. */
function pushesRf(vector: i32): bool {
  return vector != DB && vector != NMI && vector != BP && vector != OF && vector != MC;
}

/**
 * Delivers an exception at CS:RIP: the faulting instruction's for faults, the next one's for traps.
 * `error` is its error code, or -1. An exception on the way is delivered instead or becomes a double
 * fault; one more leaves with KVM_EXIT_SHUTDOWN. Afterwards `fault` is clear, or FAULT_EXIT:
 * the exit is to be made, and the exception is raised again when the instruction is.
 */
export function deliverException(vector: i32, error: i32): void {
  clearFault();
  for (;;) {
    count(STAT_EXCEPTIONS);
    if (load<u32>(cpu, CPU_LOG) & LOG_INT) traceEvent(TRACE_EXCEPTION, vector, error);
    if (vector == DB && !enterDebugException()) return;
    enterHandler(vector, error, false, pushesRf(vector) ? getFlags() | FLAG_RF : getFlags());
    if (fault != FAULT_EXCEPTION) return;
    if (vector == DF) {
      leave(KVM_EXIT_SHUTDOWN);
      return;
    }
    const second = faultVector;
    const doubled = doubleFaults(vector, second);
    vector = doubled ? DF : second;
    error = doubled ? 0 : faultError;
    clearFault();
  }
}

/** For -d int: kind (TRACE_*) and vector; error code and CPL above it; and where. */
export function traceEvent(kind: u64, vector: i32, error: i32): void {
  const level = <u64>load<u32>(cpu, CPU_CPL) << 32;
  trace(LOG_INT, kind | vector, level | <u64><u32>error, rip());
}
