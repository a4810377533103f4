// The running vCPU's APIC registers: by memory in xAPIC mode, by MSR in x2APIC mode, CR8.
import { cpu, GP, raiseError } from "../cpu";
import { CPU_CR8 } from "../layout";
import { swapShared } from "./atomics";
import { deliver, SHORTHAND_SELF } from "./ipi";
import { lapicEoi, lapicError } from "./lapic";
import {
  APIC_APR, APIC_DFR, APIC_EOI, APIC_ESR, APIC_ICR, APIC_ICR2, APIC_ID, APIC_IRR, APIC_ISR, APIC_LDR, APIC_LVT_ERROR,
  APIC_LVT_LINT0, APIC_LVT_LINT1, APIC_LVT_PERF, APIC_LVT_THERMAL, APIC_LVT_TIMER, APIC_PPR, APIC_RRD, APIC_SELF_IPI,
  APIC_SVR, APIC_TIMER_CURRENT, APIC_TIMER_DIVIDE, APIC_TIMER_INITIAL, APIC_TPR, APIC_VERSION, ERROR_REGISTER,
  ERROR_SEND_ILLEGAL, hardwareEnabled, lapicExists, LVT_MASKED, MODE_FIXED, MODE_LOWEST, MODE_REMOTE_READ,
  processorPriority, reg, setReg, SVR_ENABLED, x2apicMode,
} from "./lapic-state";
import { LAPIC_ERRORS } from "./layout";
import { currentCount, timerModeBits, writeDivide, writeInitialCount, writeLvtTimer } from "./lapic-timer";
import { pvEoiSettle } from "./pv-eoi";
import { wakeSelf } from "./wake";

// ICR bits.
const ICR_LOGICAL: u32 = 1 << 11;
const ICR_BUSY: u32 = 1 << 12;
const ICR_ASSERT: u32 = 1 << 14;
const ICR_LEVEL: u32 = 1 << 15;
/** Bits 13, 16, 17 and 20-31. */
const ICR_RESERVED: u64 = 0xfff32000;

/** What software may set in an LVT entry; status and remote IRR are read-only. */
function lvtWritable(entry: usize): u32 {
  switch (<u32>entry) {
    case <u32>APIC_LVT_TIMER: return 0x100ff | timerModeBits();
    case <u32>APIC_LVT_LINT0:
    case <u32>APIC_LVT_LINT1: return 0x1a7ff;
    case <u32>APIC_LVT_ERROR: return 0x100ff;
    default: return 0x107ff;
  }
}

/** Delivery status and remote IRR: writes of these bits are ignored, where others are reserved. */
const LVT_READ_ONLY: u32 = 0x5000;

/** Value of the register at `offset` (a multiple of 16). -1: there is none that can be read. */
function readRegister(offset: u32): i64 {
  switch (offset) {
    case <u32>APIC_ID:
    case <u32>APIC_VERSION:
    case <u32>APIC_TPR:
    case <u32>APIC_LDR:
    case <u32>APIC_SVR:
    case <u32>APIC_ESR:
    case <u32>APIC_ICR:
    case <u32>APIC_LVT_TIMER:
    case <u32>APIC_LVT_THERMAL:
    case <u32>APIC_LVT_PERF:
    case <u32>APIC_LVT_LINT0:
    case <u32>APIC_LVT_LINT1:
    case <u32>APIC_LVT_ERROR:
    case <u32>APIC_TIMER_INITIAL:
    case <u32>APIC_TIMER_DIVIDE:
      return <i64>reg(cpu, offset);
    case <u32>APIC_PPR:
      pvEoiSettle();
      return <i64>processorPriority(cpu);
    case <u32>APIC_TIMER_CURRENT:
      return <i64>currentCount(cpu);
    case <u32>APIC_DFR:
    case <u32>APIC_ICR2:
      return x2apicMode(cpu) ? -1 : <i64>reg(cpu, offset);
    case <u32>APIC_APR:
    case <u32>APIC_RRD:
    case <u32>APIC_EOI:
      // Arbitration is not visible in integrated APICs; EOI is write-only and reads as zero.
      return x2apicMode(cpu) ? -1 : 0;
  }
  if (offset >= <u32>APIC_ISR && offset < <u32>APIC_IRR + 0x80) {
    pvEoiSettle();
    return <i64>reg(cpu, offset);
  }
  return -1;
}

/** Writes the register at `offset`; false where it cannot be written. */
function writeRegister(offset: u32, value: u32): bool {
  switch (offset) {
    case <u32>APIC_TPR:
      setTpr(value & 0xff);
      return true;
    case <u32>APIC_EOI:
      lapicEoi();
      return true;
    case <u32>APIC_SVR:
      writeSpurious(value & 0x3ff);
      return true;
    case <u32>APIC_ESR:
      setReg(cpu, APIC_ESR, swapShared(cpu + LAPIC_ERRORS, 0));
      return true;
    case <u32>APIC_ICR:
      setReg(cpu, APIC_ICR, value & ~ICR_BUSY);
      sendIpi(value, x2apicMode(cpu) ? reg(cpu, APIC_ICR2) : reg(cpu, APIC_ICR2) >> 24);
      return true;
    case <u32>APIC_LVT_TIMER:
      writeLvtTimer(lvtValue(APIC_LVT_TIMER, value));
      return true;
    case <u32>APIC_LVT_THERMAL:
    case <u32>APIC_LVT_PERF:
    case <u32>APIC_LVT_LINT0:
    case <u32>APIC_LVT_LINT1:
    case <u32>APIC_LVT_ERROR:
      setReg(cpu, offset, lvtValue(offset, value));
      // LINT0 may just have been opened for a request of the 8259 pair.
      wakeSelf();
      return true;
    case <u32>APIC_TIMER_INITIAL:
      writeInitialCount(value);
      return true;
    case <u32>APIC_TIMER_DIVIDE:
      writeDivide(value);
      return true;
  }
  return x2apicMode(cpu) ? false : writeMemoryOnly(offset, value);
}

/** The registers that x2APIC mode makes read-only or takes away. */
function writeMemoryOnly(offset: u32, value: u32): bool {
  switch (offset) {
    case <u32>APIC_ID:
      setReg(cpu, APIC_ID, value & 0xff000000);
      return true;
    case <u32>APIC_LDR:
      setReg(cpu, APIC_LDR, value & 0xff000000);
      return true;
    case <u32>APIC_DFR:
      setReg(cpu, APIC_DFR, value | 0x0fffffff);
      return true;
    case <u32>APIC_ICR2:
      setReg(cpu, APIC_ICR2, value & 0xff000000);
      return true;
    case <u32>APIC_VERSION:
    case <u32>APIC_APR:
    case <u32>APIC_PPR:
    case <u32>APIC_RRD:
    case <u32>APIC_TIMER_CURRENT:
      return true;
  }
  return offset >= <u32>APIC_ISR && offset < <u32>APIC_IRR + 0x80;
}

/** While the APIC is disabled by software, its LVT entries stay masked. */
function lvtValue(entry: usize, value: u32): u32 {
  const kept = (value & lvtWritable(entry)) | (reg(cpu, entry) & LVT_READ_ONLY);
  return reg(cpu, APIC_SVR) & SVR_ENABLED ? kept : kept | LVT_MASKED;
}

function writeSpurious(value: u32): void {
  setReg(cpu, APIC_SVR, value);
  if (value & SVR_ENABLED) return;
  for (let entry = APIC_LVT_TIMER; entry <= APIC_LVT_ERROR; entry += 16) {
    setReg(cpu, entry, reg(cpu, entry) | LVT_MASKED);
  }
}

function setTpr(value: u32): void {
  setReg(cpu, APIC_TPR, value);
  // What the old priority held back may now be delivered.
  wakeSelf();
}

/** Sends what the ICR's low half says. */
function sendIpi(icr: u32, destination: u32): void {
  const vector = icr & 0xff;
  const mode = (icr >> 8) & 7;
  if (mode == MODE_REMOTE_READ) return;
  if (mode <= MODE_LOWEST && vector < 16) {
    lapicError(cpu, ERROR_SEND_ILLEGAL);
    return;
  }
  deliver(
    cpu, (icr >> 18) & 3, destination, (icr & ICR_LOGICAL) != 0, mode, vector, (icr & ICR_LEVEL) != 0,
    (icr & ICR_ASSERT) != 0, mode == MODE_LOWEST,
  );
}

/** Reads the APIC page: registers are 32 bits wide at 16-byte strides, and a read may take a part of
 * one. Everything else reads as zero; with the APIC off or in x2APIC mode, as ones. */
export function lapicMmioRead(offset: u32, size: i32): u64 {
  if (!hardwareEnabled(cpu) || x2apicMode(cpu)) return 0xffffffff >> (size < 4 ? 32 - size * 8 : 0);
  const start = offset & 15;
  if (start + size > 4) return 0;
  const value = readRegister(offset & ~15);
  if (value < 0) {
    lapicError(cpu, ERROR_REGISTER);
    return 0;
  }
  return ((<u64>value) >> (start * 8)) & (0xffffffff >> (32 - size * 8));
}

/** Writes the APIC page: only aligned 32-bit writes have an effect. */
export function lapicMmioWrite(offset: u32, value: u32, size: i32): void {
  if (!hardwareEnabled(cpu) || x2apicMode(cpu) || size != 4 || offset & 15) return;
  if (!writeRegister(offset, value)) lapicError(cpu, ERROR_REGISTER);
}

/** RDMSR of 0x800-0x8ff; #GP(0) outside of x2APIC mode and for what cannot be read. */
export function lapicMsrRead(index: u32): u64 {
  const offset = (index - 0x800) << 4;
  if (lapicExists() && x2apicMode(cpu)) {
    if (offset == <u32>APIC_ICR) return <u64>reg(cpu, APIC_ICR) | (<u64>reg(cpu, APIC_ICR2) << 32);
    const value = readRegister(offset);
    if (value >= 0) return <u64>value;
  }
  raiseError(GP, 0);
  return 0;
}

/** WRMSR of 0x800-0x8ff; #GP(0) outside of x2APIC mode, for what cannot be written, and for reserved bits
 * (SDM volume 3, 11.12.1.2 and 11.12.1.3). */
export function lapicMsrWrite(index: u32, value: u64): void {
  const offset = (index - 0x800) << 4;
  if (!lapicExists() || !x2apicMode(cpu) || value & msrReserved(offset)) {
    raiseError(GP, 0);
    return;
  }
  if (offset == <u32>APIC_ICR) setReg(cpu, APIC_ICR2, <u32>(value >> 32));
  if (offset == <u32>APIC_SELF_IPI) sendSelfIpi(<u32>value);
  else if (!writeRegister(offset, <u32>value)) raiseError(GP, 0);
}

/** Bits of an x2APIC MSR that must be written as zero. */
function msrReserved(offset: u32): u64 {
  switch (offset) {
    case <u32>APIC_ICR: return ICR_RESERVED;
    case <u32>APIC_TPR:
    case <u32>APIC_SELF_IPI: return ~(<u64>0xff);
    case <u32>APIC_EOI:
    case <u32>APIC_ESR: return u64.MAX_VALUE;
    case <u32>APIC_SVR: return ~(<u64>0x3ff);
    case <u32>APIC_TIMER_DIVIDE: return ~(<u64>0xb);
  }
  if (offset >= <u32>APIC_LVT_TIMER && offset <= <u32>APIC_LVT_ERROR) {
    return ~(<u64>(lvtWritable(offset) | LVT_READ_ONLY));
  }
  return 0xffffffff00000000;
}

function sendSelfIpi(vector: u32): void {
  if (vector < 16) lapicError(cpu, ERROR_SEND_ILLEGAL);
  else deliver(cpu, SHORTHAND_SELF, 0, false, MODE_FIXED, vector, false, true, false);
}

/** CR8: the priority class of the TPR. */
export function readTpr(): u64 {
  return lapicExists() ? <u64>(reg(cpu, APIC_TPR) >> 4) & 15 : load<u64>(cpu, CPU_CR8);
}

/** Writes CR8 with `value` 0-15; the sub-class of the TPR becomes 0. */
export function writeTpr(value: u64): void {
  if (lapicExists()) setTpr((<u32>value & 15) << 4);
  else store<u64>(cpu, value & 15, CPU_CR8);
}
