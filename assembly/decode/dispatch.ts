// From CPU_RIP to the trace that executes it, and back out of a trace.
import { CR0_EM, CR4_OSFXSR, CR4_OSXSAVE, cpu, FAULT_EXCEPTION, fault, faultAddress, faultNonCanonical, faultVector, GP, gpr, NM, raise, raiseError, RSP, SEG_CS, SEG_SS, segBase, segLimit, SS, UD } from "../cpu";
import { LEAF_AVX, LEAF_MMX, LEAF_SSE } from "../generated/opcodes";
import { trace as logTrace } from "../host";
import {
  CPU_CR0, CPU_CR4, CPU_FUEL, CPU_LOG, CPU_MODE, CPU_RIP, CPU_TRACE_RIP, CPU_XCR0, LOG_COUNT, LOG_CPU, LOG_EXEC, MODE_CODE16, MODE_CODE64, MODE_CODE_MASK, MODE_FLAT,
} from "../layout";
import { fetchGpa, fetchTranslate } from "../mmu/translate";
import { HOT, isForced } from "../translate/heat";
import { enterRegion, pagesAreGlobal, pagesHold, regionOf } from "../translate/translator";
import { MISSED, UNMAPPED } from "../translate/outcomes";
import { looksFurther, noteUnmapped } from "../translate/unmapped";
import { noteFar } from "./far-links";
import { isKnownGlobally, knownTrace, remember } from "./jumps";
import { buildTrace, FAULT_LEAF_SHIFT, flushCount, STEP_BYTES, stepTrace, traceAt } from "./traces";
import { JUMPED, JUMPS_KEPT, R_IMM, R_OFFSET, R_SEGNO, R_STACK, RECORD_SIZE, T_COUNT, T_ENTRIES, T_FLAGS, T_LENGTH, T_RECORDS, T_VALID, TRACE_ENTERED } from "./record";

/** XCR0's bits for SSE and AVX state. */
const XCR0_AVX: u64 = 6;
/** What is logged or counted at each entry of a trace. */
const LOG_ENTRIES: u32 = LOG_EXEC | LOG_CPU | LOG_COUNT;
/**
 * The trace to interpret at CPU_RIP, entered: its instructions are taken off the fuel. Regions on the way are executed.
 * `link`: 0, or the link cell of the trace just left, which gets the new one where both lie on one page. Returns 0
 * where the run loop has to look: fuel or requests, or `fault` is set. With JUMPED added, `link` is where a computed
 * jump notes its target for the translator. `from`: the trace just left, where there is a link.
 */
export function findTrace(link: usize, from: usize): usize {
  let missed: u32 = 0;
  let enteredAt: u64 = 0;
  let computed = (link & JUMPED) != 0;
  for (;;) {
    const fuel = load<i64>(cpu, CPU_FUEL);
    if (<u64>fuel - 1 >= 0x7fffffff) return 0;
    const mode = load<u32>(cpu, CPU_MODE);
    const rip = load<u64>(cpu, CPU_RIP);
    const linear = (mode & MODE_CODE_MASK) == MODE_CODE64 ? rip : (rip + segBase(SEG_CS)) & 0xffffffff;
    if (link & JUMPED) {
      noteJump(link - JUMPED, ~(<u32>rip - load<u32>(cpu, CPU_TRACE_RIP)));
      link = 0;
    }
    if (!(mode & MODE_FLAT) && rip > segLimit(SEG_CS)) {
      raiseError(GP, 0);
      return 0;
    }
    let t = knownTrace(linear, mode);
    let heat = t ? load<u32>(t, T_VALID) : 0;
    if (!heat) {
      const before = flushCount();
      // Near the limit one instruction at a time: what lies beyond it must not be fetched.
      t = !(mode & MODE_FLAT) && rip + 14 > segLimit(SEG_CS) ? atLimit(rip, linear, mode) : lookUp(linear, mode);
      if (!t) return 0;
      // The trace just left may be gone, or may have written itself over and be another one now, with a link cell of its own.
      if (flushCount() != before || link - t < <usize>T_RECORDS) link = from = 0;
      heat = load<u32>(t, T_VALID);
      const log = load<u32>(cpu, CPU_LOG) & LOG_ENTRIES;
      if (log) {
        // Nothing is remembered, so that every entry comes this way.
        link = from = 0;
        if (fuel >= load<u16>(t, T_COUNT)) logEntry(t, log);
      } else if (!heat) link = 0;
      else if (pagesHold(t, linear)) remember(linear, mode, t, pagesAreGlobal(t, linear));
      else {
        missed = MISSED;
        from = 0;
      }
    }
    if (missed == UNMAPPED && heat) {
      noteUnmapped(t);
      heat = load<u32>(t, T_VALID);
    }
    if (heat == HOT) {
      // One that looks further is entered again, unless it has just found nothing.
      if (!missed || (missed == UNMAPPED && looksFurther(t) && rip != enteredAt)) {
        const region = regionOf(t, linear);
        if (region) {
          link = from = 0;
          computed = false;
          enteredAt = rip;
          missed = enterRegion(region, t);
          if (fault) return 0;
          continue;
        }
      } else if (mode & MODE_FLAT && isForced()) {
        // Only the instruction that the region left, not all of the trace that begins with it.
        t = oneInstruction(linear, mode, 16);
        if (!t) return 0;
        heat = 0;
        link = 0;
      }
    } else if (heat) store<u32>(t, heat - 1, T_VALID);
    if (computed && heat) store<u16>(t, load<u16>(t, T_FLAGS) | <u16>TRACE_ENTERED, T_FLAGS);
    if (!(mode & MODE_FLAT)) {
      if (rip + load<u32>(t, T_LENGTH) - 1 > segLimit(SEG_CS)) {
        t = atLimit(rip, linear, mode);
        if (!t) return 0;
      }
    } else if (link && (linear ^ load<u64>(cpu, CPU_TRACE_RIP)) >> 12 == 0 && (mode & MODE_CODE_MASK) != MODE_CODE16) store<u32>(link, <u32>t);
    else if (from && heat > HOT && (mode & MODE_CODE_MASK) != MODE_CODE16) noteFar(from, rip, mode, t, isKnownGlobally(linear));
    const left = fuel - load<u16>(t, T_COUNT);
    if (left < 0) return 0;
    store<u32>(cpu, <u32>left, CPU_FUEL);
    store<u64>(cpu, rip, CPU_TRACE_RIP);
    return t;
  }
}

/** Notes at `at` where a computed jump went, `target` as T_JUMP has it: moved to the front of those that it went to before. */
function noteJump(at: usize, target: u32): void {
  let kept = target;
  for (let n: u32 = 0; n < JUMPS_KEPT; n++) {
    const before = load<u32>(at + (n << 2));
    store<u32>(at + (n << 2), kept);
    if (before == target) return;
    kept = before;
  }
}

/** Finds or builds the trace at a linear address; 0: fault is set. */
function lookUp(linear: u64, mode: u32): usize {
  const host = fetchTranslate(linear);
  if (!host) return 0;
  const gpa = fetchGpa;
  let t = traceAt(gpa, mode);
  if (!t) t = buildTrace(host, gpa, mode, linear);
  return t ? t : crossing(host, linear, mode);
}

/** What LOG_ENTRIES ask for at the entry of a trace. */
function logEntry(t: usize, log: u32): void {
  const rip = load<u64>(cpu, CPU_RIP);
  if (log & LOG_COUNT) store<u32>(t, load<u32>(t, T_ENTRIES) + 1, T_ENTRIES);
  if (log & LOG_EXEC) logTrace(LOG_EXEC, rip, 0, 0);
  if (log & LOG_CPU) logTrace(LOG_CPU, rip, 0, 0);
}

/** One instruction whose bytes lie on two pages: gathered and decoded afresh each time. */
function crossing(host: usize, linear: u64, mode: u32): usize {
  const here = 0x1000 - (host & 0xfff);
  const second = fetchTranslate((linear + here) & ((mode & MODE_CODE_MASK) == MODE_CODE64 ? 0xffffffffffffffff : 0xffffffff));
  if (!second) return 0;
  const bytes = cpu + STEP_BYTES;
  memory.copy(bytes, host, here);
  memory.copy(bytes + here, second, 16 - here);
  return stepTrace(bytes, 16, mode, linear);
}

/** The instruction at CPU_RIP where its trace would run over the code segment's limit. */
function atLimit(rip: u64, linear: u64, mode: u32): usize {
  const limit = <u64>segLimit(SEG_CS);
  const room = rip > limit ? 0 : <usize>min<u64>(limit - rip + 1, 15);
  const t = room ? oneInstruction(linear, mode, room) : 0;
  if (!t && !fault) raiseError(GP, 0);
  return t;
}

/** A trace of the one instruction at a linear address, of `room` bytes at most; 0: fault is set, or it is longer. */
function oneInstruction(linear: u64, mode: u32, room: usize): usize {
  const host = fetchTranslate(linear);
  if (!host) return 0;
  const here = min<usize>(room, 0x1000 - (host & 0xfff));
  const t = stepTrace(host, here, mode, linear);
  if (t || here == room) return t;
  const second = fetchTranslate(linear + here);
  if (!second) return 0;
  const bytes = cpu + STEP_BYTES;
  memory.copy(bytes, host, here);
  memory.copy(bytes + here, second, room - here);
  return stepTrace(bytes, room, mode, linear);
}

/** Linear address of CPU_RIP. */
export function linearRip(): u64 {
  const rip = load<u64>(cpu, CPU_RIP);
  return (load<u32>(cpu, CPU_MODE) & MODE_CODE_MASK) == MODE_CODE64 ? rip : (rip + segBase(SEG_CS)) & 0xffffffff;
}

/** As findTrace(), for one instruction whatever the fuel: single steps and shadows. */
export function findStep(): usize {
  const mode = load<u32>(cpu, CPU_MODE);
  const rip = load<u64>(cpu, CPU_RIP);
  const linear = linearRip();
  const t = mode & MODE_FLAT ? oneInstruction(linear, mode, 16) : atLimit(rip, linear, mode);
  if (t) store<u64>(cpu, rip, CPU_TRACE_RIP);
  return t;
}

/** Leaves a trace at the record `pc`, which has not been executed: CPU_RIP is its address, and what was not
 * executed goes back into the fuel. */
export function leaveTrace(t: usize, pc: usize): void {
  leaveAt(pc);
  const executed = <u32>((pc - t - T_RECORDS) / RECORD_SIZE);
  const all = <u32>load<u16>(t, T_COUNT);
  if (executed < all) store<u32>(cpu, load<u32>(cpu, CPU_FUEL) + (all - executed), CPU_FUEL);
}

/** Puts CPU_RIP back to the record `pc` of the trace at CPU_TRACE_RIP, which has not been executed. */
export function leaveAt(pc: usize): void {
  const mode = load<u32>(cpu, CPU_MODE);
  const rip = load<u64>(cpu, CPU_TRACE_RIP) + load<u16>(pc, R_OFFSET);
  store<u64>(cpu, (mode & MODE_CODE_MASK) == MODE_CODE64 ? rip : rip & 0xffffffff, CPU_RIP);
  if (fault == FAULT_EXCEPTION && faultNonCanonical && isStackAccess(pc)) faultVector = SS;
}

/** Whether the record's access to faultAddress goes through SS: that of its operand, or the push or pop beside it. */
function isStackAccess(pc: usize): bool {
  if (<i32>load<u8>(pc, R_SEGNO) == SEG_SS) return true;
  return load<u8>(pc, R_STACK) != 0 && (faultAddress == gpr(RSP) || faultAddress == gpr(RSP) - 8 || faultAddress == gpr(RSP) - 2);
}

/** Why an instruction with these LEAF_* bits has no register file: #NM for what an operating system can make good. */
function missingUnit(leaf: u32): i32 {
  const cr0 = load<u64>(cpu, CPU_CR0);
  const cr4 = load<u64>(cpu, CPU_CR4);
  if (leaf & LEAF_AVX) return cr4 & CR4_OSXSAVE && (load<u64>(cpu, CPU_XCR0) & XCR0_AVX) == XCR0_AVX ? NM : UD;
  if (leaf & LEAF_SSE && !(cr4 & CR4_OSFXSR)) return UD;
  return leaf & (LEAF_SSE | LEAF_MMX) && cr0 & CR0_EM ? UD : NM;
}

/** Raises what the decoder found wrong. */
export function raiseDecoded(pc: usize): void {
  const value = load<u32>(pc, R_IMM);
  const vector = <i32>(value & 0xff);
  if (vector == GP) raiseError(GP, 0);
  else if (vector == NM) raise(missingUnit(value >> FAULT_LEAF_SHIFT));
  else raise(vector);
}
