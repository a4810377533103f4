// The small steps between instruction bodies and the system helpers: privilege checks, flags, registers that an
// instruction names implicitly. SDM volume 2, each instruction.
import {
  count, CR4_FSGSBASE, cpu, fault, FLAG_AC, GP, gpr, raise, raiseError, RAX, RCX, RDX, SEG_CS, SEG_LDTR, SEG_SS, SEG_TR,
  segBase, segSel, setGpr, UD,
} from "../cpu";
import { R_DISP, R_IMM, R_SEGNO, record } from "../decode/record";
import {
  CPU_CPL, CPU_CR0, CPU_CR4, CPU_EFLAGS, CPU_FUEL, CPU_GDT_BASE, CPU_GDT_LIMIT, CPU_IDT_BASE, CPU_IDT_LIMIT, CPU_MODE, CPU_MP_STATE, CPU_SEG_BASE, MODE_CODE64,
  MODE_CODE_MASK, REQ_KICK, STAT_MSR_ACCESSES, VM_PAUSE_YIELDS,
} from "../layout";
import { KVM_MP_STATE_HALTED } from "../exits";
import { randomU32 } from "../host";
import { hypercall } from "../irqchip/hypercall";
import { readMem, writeMem } from "../mmu/access";
import { tlbFlushPage, updateAccessClass } from "../mmu/contexts";
import { invpcid } from "../mmu/registers";
import { lar, lsl, verr, verw } from "./access-rights";
import { linear, offsetChecked } from "./address";
import { lmsw, xgetbv, xsetbv } from "./control";
import { setStatusFlags, setZero } from "./flags";
import { readMsr, writeMsr } from "./msr";
import { requireCpl0, requireUmip } from "./privilege";
import { beginShadow, requestSlice } from "./request";
import { loadLdt, loadSegment, loadTr, SHADOW_MOV_SS } from "./segments";
import { settlePointers } from "./x87/pointers";

function code64(): bool {
  return (load<u32>(cpu, CPU_MODE) & MODE_CODE_MASK) == MODE_CODE64;
}

// ---------------------------------------------------------------- far pointers and segments
/** Offset of a far pointer immediate. */
export function farOffset(size: u32): u64 {
  return size == 2 ? <u64>load<u16>(record, R_IMM) : <u64>load<u32>(record, R_IMM);
}
/** Selector of a far pointer immediate: the decoder puts it into bits 32 to 47. */
export function farSelector(): u32 {
  return load<u16>(record, R_DISP);
}

/** MOV from a segment register; #UD for numbers 6 and 7. */
export function readSegment(seg: u32): u32 {
  if (seg > 5) {
    raise(UD);
    return 0;
  }
  return segSel(seg);
}

/** MOV to a segment register and LxS; #UD for CS and for numbers 6 and 7. A load of SS holds interrupts back. */
export function writeSegment(seg: u32, selector: u32): void {
  if (seg > 5 || seg == SEG_CS) return raise(UD);
  if (loadSegment(seg, selector) && seg == SEG_SS) beginShadow(SHADOW_MOV_SS);
}

export function loadLdtr(selector: u32): void {
  if (requireCpl0()) loadLdt(selector);
}
export function loadTaskRegister(selector: u32): void {
  if (requireCpl0()) loadTr(selector);
}
export function storeLdt(): u32 {
  return requireUmip() ? segSel(SEG_LDTR) : 0;
}
export function storeTr(): u32 {
  return requireUmip() ? segSel(SEG_TR) : 0;
}
/** SMSW: CR0, of which the operand size takes its part. */
export function storeMsw(): u64 {
  return requireUmip() ? load<u64>(cpu, CPU_CR0) : 0;
}
export function verifyRead(selector: u32): void {
  const ok = verr(selector);
  if (!fault) setZero(u32(ok));
}
export function verifyWrite(selector: u32): void {
  const ok = verw(selector);
  if (!fault) setZero(u32(ok));
}
/** LAR: the rights, with ZF set, or ZF clear. */
export function loadRights(selector: u32): u64 {
  return found(lar(selector));
}
/** LSL: the limit, with ZF set, or ZF clear. */
export function loadLimit(selector: u32): u64 {
  return found(lsl(selector));
}
function found(value: i64): u64 {
  if (!fault) setZero(u32(value >= 0));
  return value;
}

// ---------------------------------------------------------------- descriptor tables
function storeTable(address: u64, limit: u32, base: u64): void {
  if (!requireUmip()) return;
  if (!writeMem(address, limit, 2)) return;
  if (code64()) writeMem(address + 2, base, 8);
  else writeMem(address + 2, base & 0xffffffff, 4);
}
export function storeGdt(address: u64, _size: u32): void {
  storeTable(address, load<u32>(cpu, CPU_GDT_LIMIT), load<u64>(cpu, CPU_GDT_BASE));
}
export function storeIdt(address: u64, _size: u32): void {
  storeTable(address, load<u32>(cpu, CPU_IDT_LIMIT), load<u64>(cpu, CPU_IDT_BASE));
}
function loadTable(address: u64, size: u32, limitAt: usize, baseAt: usize): void {
  if (!requireCpl0()) return;
  const limit = readMem(address, 2);
  if (fault) return;
  let base = code64() ? readMem(address + 2, 8) : readMem(address + 2, 4);
  if (fault) return;
  if (code64()) {
    if (<u64>((<i64>base << 16) >> 16) != base) return raiseError(GP, 0);
  } else if (size == 2) base &= 0xffffff;
  store<u32>(cpu + limitAt, <u32>limit);
  store<u64>(cpu + baseAt, base);
}
export function loadGdt(address: u64, size: u32): void {
  loadTable(address, size, CPU_GDT_LIMIT, CPU_GDT_BASE);
}
export function loadIdt(address: u64, size: u32): void {
  loadTable(address, size, CPU_IDT_LIMIT, CPU_IDT_BASE);
}

/** LMSW. */
export function loadMsw(value: u32): void {
  if (requireCpl0()) lmsw(value);
}

/** Linear address of the memory operand with no access made to it (INVLPG); a non-canonical one is no error. */
export function linearOperand(): u64 {
  const offset = offsetChecked(record);
  const seg = <i32>load<u8>(record, R_SEGNO);
  return code64() ? (seg >= 4 ? offset + segBase(seg) : offset) : (offset + segBase(seg)) & 0xffffffff;
}
export function invalidatePage(address: u64): void {
  if (requireCpl0()) tlbFlushPage(address);
}
/** INVPCID: descriptor of 16 bytes: PCID, then linear address. */
export function invalidatePcid(type: u64, address: u64): void {
  if (!requireCpl0()) return;
  const low = readMem(address, 8);
  if (fault) return;
  const high = readMem(address + 8, 8);
  if (fault) return;
  if (type > 3 || low >> 12) return raiseError(GP, 0);
  invpcid(<i32>type, <u32>low & 0xfff, high);
}

// ---------------------------------------------------------------- MSRs, XCR0
function result(value: u64): void {
  setGpr(RAX, value & 0xffffffff);
  setGpr(RDX, value >> 32);
}
function edxEax(): u64 {
  return (gpr(RAX) & 0xffffffff) | (gpr(RDX) << 32);
}
export function rdmsr(): void {
  if (!requireCpl0()) return;
  count(STAT_MSR_ACCESSES);
  const value = readMsr(<u32>gpr(RCX));
  if (!fault) result(value);
}
export function wrmsr(): void {
  if (!requireCpl0()) return;
  count(STAT_MSR_ACCESSES);
  settlePointers();
  writeMsr(<u32>gpr(RCX), edxEax());
}
/** RDPMC: there are no performance counters: every index is one too many. */
export function rdpmc(): void {
  raiseError(GP, 0);
}
export function readXcr(): void {
  const value = xgetbv(<u32>gpr(RCX));
  if (!fault) result(value);
}
export function writeXcr(): void {
  if (requireCpl0()) xsetbv(<u32>gpr(RCX), edxEax());
}

/** RDFSBASE and its kin: #UD unless CR4.FSGSBASE. */
export function readBase(seg: u32): u64 {
  if (!(load<u64>(cpu, CPU_CR4) & CR4_FSGSBASE)) {
    raise(UD);
    return 0;
  }
  return segBase(seg);
}
export function writeBase(seg: u32, base: u64): void {
  if (!(load<u64>(cpu, CPU_CR4) & CR4_FSGSBASE)) return raise(UD);
  if (<u64>((<i64>base << 16) >> 16) != base) return raiseError(GP, 0);
  settlePointers();
  store<u64>(cpu + (<usize>seg << 3), base, CPU_SEG_BASE);
}

/** RDRAND and RDSEED always succeed: CF is set, the other status flags cleared. */
export function randomOperand(): u64 {
  setStatusFlags(1);
  return (<u64>randomU32() << 32) | randomU32();
}

// ---------------------------------------------------------------- waiting
/** HLT: the run loop sleeps until an interrupt is ready. */
export function hlt(): void {
  if (!requireCpl0()) return;
  store<u32>(cpu, KVM_MP_STATE_HALTED, CPU_MP_STATE);
  requestSlice();
}
/** PAUSE: where vCPUs take turns on one thread, what is waited for may be another's to do. */
export function pause(): void {
  if (load<u32>(VM_PAUSE_YIELDS)) atomic.or<u32>(cpu + 4, REQ_KICK, CPU_FUEL);
}
export function clac(): void {
  accessFlag(0);
}
export function stac(): void {
  accessFlag(FLAG_AC);
}
/** CLAC, STAC: #UD outside CPL 0. */
function accessFlag(bit: u32): void {
  if (load<u32>(cpu, CPU_CPL) != 0) return raise(UD);
  store<u32>(cpu, (load<u32>(cpu, CPU_EFLAGS) & ~FLAG_AC) | bit, CPU_EFLAGS);
  updateAccessClass();
}

/** VMCALL, VMMCALL: a hypercall. */
export function hypercallOperand(): void {
  hypercall();
}

/** MONITOR: #UD outside CPL 0; the line is not watched, MWAIT returns at once. */
export function monitor(): void {
  if (load<u32>(cpu, CPU_CPL) != 0) return raise(UD);
  if (gpr(RCX) & 0xffffffff) return raiseError(GP, 0);
  const at = linear(load<u8>(record, R_SEGNO), gpr(RAX), 1, false);
  if (!fault) readMem(at, 1);
}
/** MWAIT: may end for any reason, so it ends at once. */
export function mwait(): void {
  if (load<u32>(cpu, CPU_CPL) != 0) raise(UD);
}
/** INVD, WBINVD: caches are not modelled: the privilege check is all there is. */
export function cacheControl(): void {
  requireCpl0();
}
