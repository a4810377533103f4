// Hardware task switching (SDM volume 3, 8.3): JMP, CALL, IRET and events that lead to a TSS.
//
// Up to the commit a fault leaves the old task as it was. From there on a fault belongs to the new
// task, at its first instruction: taskSwitched tells the two apart.
import {
  CR0_PG, CR0_TS, DB, FAULT_EXCEPTION, FLAG_NT, FLAG_VM, GP, NP, SEG_CS, SEG_ES, SEG_GS, SEG_LDTR, SEG_SS, SEG_TR, TS,
  clearFault, cpu, fault, faultError, faultVector, gpr, raiseError, rip, segAttr, segBase, segLimit, segSel, setGpr,
  setRip,
} from "../cpu";
import { CPU_CPL, CPU_CR0, CPU_DR, CPU_EFLAGS, CPU_GDT_BASE, CPU_SCRATCH2, CPU_SEG_SEL } from "../layout";
import { sysRead, sysWrite } from "../mmu/access";
import { setCr3 } from "../mmu/registers";
import { commitHeld, heldAllows, holdTaskTarget, touchHeld } from "./code-segment";
import { DR6_BT, addDebugPayload } from "./debug";
import {
  ATTR_P, ATTR_S, ATTR_TYPE, LDT, TSS16_AVAILABLE, TSS16_BUSY, TSS32_AVAILABLE, TSS32_BUSY, TSS_BUSY_BIT, attrOf,
  baseOf, descriptorAt, descriptorHigh, descriptorLow, eventExt, failSelector, fetchDescriptor, installDescriptor,
  installNull, installSegment, isNull, limitOf, setAccessed,
} from "./descriptors";
import { deliverException } from "./exception";
import { setFlags } from "./flags";
import { FLAGS_ALL, flagsReturned } from "./iret";
import { updateMode } from "./mode";
import { checkDataSegment, checkStackSegment, loadByParagraph } from "./segments";

// How a task is entered.
export const TASK_JUMP: i32 = 0;
/** CALL and events: nested, the old task stays busy. */
export const TASK_CALL: i32 = 1;
export const TASK_RETURN: i32 = 2;

/** Bit of a TSS descriptor's type: 32-bit. */
const TSS_WIDE: u32 = 8;
const TSS32_MIN_LIMIT: u32 = 0x67;
const TSS16_MIN_LIMIT: u32 = 0x2b;
// 32-bit TSS.
const TSS32_CR3: usize = 0x1c;
const TSS32_EIP: usize = 0x20;
const TSS32_EFLAGS: usize = 0x24;
const TSS32_GPR: usize = 0x28;
const TSS32_SEG: usize = 0x48;
const TSS32_LDT: usize = 0x60;
const TSS32_TRAP: usize = 0x64;
const TSS32_WORDS: usize = 26;
// 16-bit TSS.
const TSS16_IP: usize = 0x0e;
const TSS16_FLAGS: usize = 0x10;
const TSS16_GPR: usize = 0x12;
const TSS16_SEG: usize = 0x22;
const TSS16_LDT: usize = 0x2a;
const TSS16_WORDS: usize = 11;
/** DR7: L0..L3 and LE, which a task switch clears. */
const DR7_LOCAL: u64 = 0x155;

/** The last switchTask() got past its commit: a fault it raised belongs to the new task. */
export let taskSwitched: bool = false;

export function clearTaskSwitched(): void {
  taskSwitched = false;
}

/** Reads the descriptor of a task that JMP, CALL or an event enters: an available TSS in the GDT. */
export function holdTaskSelector(selector: u32): bool {
  if ((selector & 4) != 0 || isNull(selector)) return failSelector(GP, selector);
  if (!fetchDescriptor(selector, GP)) return false;
  const type = attrOf(descriptorHigh) & (ATTR_S | ATTR_TYPE);
  if (type != TSS16_AVAILABLE && type != TSS32_AVAILABLE) return failSelector(GP, selector);
  return (attrOf(descriptorHigh) & ATTR_P) != 0 || failSelector(NP, selector);
}

/** Reads the descriptor of the task that IRET goes back to: a busy TSS in the GDT. */
export function holdTaskLink(selector: u32): bool {
  if ((selector & 4) != 0 || isNull(selector)) return failSelector(TS, selector);
  if (!fetchDescriptor(selector, TS)) return false;
  const type = attrOf(descriptorHigh) & (ATTR_S | ATTR_TYPE);
  if (type != TSS16_BUSY && type != TSS32_BUSY) return failSelector(TS, selector);
  return (attrOf(descriptorHigh) & ATTR_P) != 0 || failSelector(NP, selector);
}

/** After a switch that an instruction asked for: what went wrong in the new task is delivered there. */
export function finishTaskSwitch(): void {
  if (!taskSwitched || fault != FAULT_EXCEPTION) return;
  const vector = faultVector;
  const error = faultError;
  clearFault();
  deliverException(vector, error);
}

/** Switches to the task whose TSS descriptor was just read. `flags`: RFLAGS as the old TSS is to hold them. */
export function switchTask(selector: u32, how: i32, flags: u32): void {
  taskSwitched = false;
  const low = descriptorLow;
  const high = descriptorHigh;
  const wide = (attrOf(high) & TSS_WIDE) != 0;
  const limit = limitOf(low, high);
  if (tooShort(limit, wide)) {
    failSelector(TS, selector);
    return;
  }
  const busyAt = descriptorAt + 5;
  const base = <u64>baseOf(low, high);
  // The whole image is read before anything changes, so that a missing page leaves the old task alone.
  const image = cpu + CPU_SCRATCH2;
  const words = wide ? TSS32_WORDS : TSS16_WORDS;
  for (let i: usize = 0; i < words; i++) {
    store<u32>(image + (i << 2), <u32>sysRead((base + (<u64>i << 2)) & 0xffffffff, 4));
    if (fault) return;
  }
  if (!saveTask(flags)) return;
  const old = segSel(SEG_TR);
  if (how == TASK_CALL && !sysWrite(base, old, 2)) return;
  if (how != TASK_CALL && !clearBusy(old)) return;
  const attr = attrOf(high) | TSS_BUSY_BIT;
  if (how != TASK_RETURN && !sysWrite(busyAt, attr & 0xff, 1)) return;

  taskSwitched = true;
  installSegment(SEG_TR, selector, base, limit, attr);
  store<u64>(cpu, load<u64>(cpu, CPU_CR0) | CR0_TS, CPU_CR0);
  store<u64>(cpu, load<u64>(cpu, CPU_DR + 56) & ~DR7_LOCAL, CPU_DR + 56);
  if (wide) loadTask32(image, how);
  else loadTask16(image, how);
}

function tooShort(limit: u32, wide: bool): bool {
  return (wide ? TSS32_MIN_LIMIT : TSS16_MIN_LIMIT) > limit;
}

/** Writes the running task into its TSS. */
function saveTask(flags: u32): bool {
  const base = segBase(SEG_TR);
  const wide = (segAttr(SEG_TR) & TSS_WIDE) != 0;
  if (tooShort(segLimit(SEG_TR), wide)) return failSelector(TS, segSel(SEG_TR));
  const size = wide ? 4 : 2;
  const registers = base + (wide ? TSS32_GPR : TSS16_GPR);
  const segments = base + (wide ? TSS32_SEG : TSS16_SEG);
  if (!sysWrite(base + (wide ? TSS32_EIP : TSS16_IP), rip(), size)) return false;
  if (!sysWrite(base + (wide ? TSS32_EFLAGS : TSS16_FLAGS), flags, size)) return false;
  for (let i = 0; i < 8; i++) if (!sysWrite(registers + <u64>(i * size), gpr(i), size)) return false;
  const last = wide ? SEG_GS : SEG_GS - 2;
  for (let i = SEG_ES; i <= last; i++) if (!sysWrite(segments + <u64>(i * size), segSel(i), 2)) return false;
  return true;
}

/** Makes the TSS that is being left available. */
function clearBusy(selector: u32): bool {
  const at = load<u64>(cpu, CPU_GDT_BASE) + (selector & 0xfff8) + 5;
  const rights = sysRead(at, 1);
  return !fault && sysWrite(at, rights & ~<u64>TSS_BUSY_BIT, 1);
}

function loadTask32(image: usize, how: i32): void {
  if (load<u64>(cpu, CPU_CR0) & CR0_PG) setCr3(load<u32>(image, TSS32_CR3));
  setRip(load<u32>(image, TSS32_EIP));
  loadTaskFlags(load<u32>(image, TSS32_EFLAGS), how);
  for (let i = 0; i < 8; i++) setGpr(i, load<u32>(image + TSS32_GPR + (<usize>i << 2)));
  dropSegments();
  if (fault) return;
  for (let seg = SEG_ES; seg <= SEG_GS; seg++) {
    nameSegment(seg, load<u16>(image + TSS32_SEG + (<usize>seg << 2)));
  }
  loadTaskSegments(load<u16>(image, TSS32_LDT));
  if (!fault && (load<u16>(image, TSS32_TRAP) & 1) != 0) {
    addDebugPayload(DR6_BT);
    raiseError(DB, -1);
  }
}

function loadTask16(image: usize, how: i32): void {
  setRip(load<u16>(image, TSS16_IP));
  loadTaskFlags(load<u16>(image, TSS16_FLAGS), how);
  // The upper halves are undefined in the manual; the 80386 sets them.
  for (let i = 0; i < 8; i++) setGpr(i, <u64>(load<u16>(image + TSS16_GPR + (<usize>i << 1)) | 0xffff0000));
  dropSegments();
  // A 16-bit TSS has no FS and GS.
  for (let seg = SEG_ES; seg <= SEG_GS - 2; seg++) {
    nameSegment(seg, load<u16>(image + TSS16_SEG + (<usize>seg << 1)));
  }
  loadTaskSegments(load<u16>(image, TSS16_LDT));
}

function loadTaskFlags(flags: u32, how: i32): void {
  setFlags((flags & FLAGS_ALL) | 2 | (how == TASK_CALL ? FLAG_NT : 0));
  flagsReturned();
}

/** No segment register is valid until its descriptor has been checked, but for SS: faults on the way need a stack. */
function dropSegments(): void {
  for (let seg = SEG_ES; seg <= SEG_LDTR; seg++) nameSegment(seg, 0);
  store<u32>(cpu, 0, CPU_CPL);
  updateMode();
}

/** A selector without its descriptor. */
function nameSegment(seg: i32, selector: u32): void {
  if (seg == SEG_SS) store<u32>(cpu, selector, CPU_SEG_SEL + (<usize>SEG_SS << 2));
  else installNull(seg, selector, 0);
}

/** Loads LDTR and, for the selectors that are in place, the hidden parts of the segment registers. */
function loadTaskSegments(ldt: u32): void {
  if (!loadTaskLdt(ldt)) return;
  const ip = rip();
  const cs = segSel(SEG_CS);
  if (load<u32>(cpu, CPU_EFLAGS) & FLAG_VM) {
    store<u32>(cpu, 3, CPU_CPL);
    for (let seg = SEG_ES; seg <= SEG_GS; seg++) loadByParagraph(seg, segSel(seg));
    updateMode();
    if (ip > 0xffff) raiseError(GP, eventExt);
    return;
  }
  const level = cs & 3;
  store<u32>(cpu, level, CPU_CPL);
  // The stack first: the exceptions of the others are delivered on it.
  const ss = segSel(SEG_SS);
  if (isNull(ss)) {
    failSelector(TS, ss);
    return;
  }
  if (!checkStackSegment(ss, level, TS) || !setAccessed()) return;
  installDescriptor(SEG_SS, ss, descriptorLow, descriptorHigh);
  updateMode();
  if (!holdTaskTarget(cs) || !touchHeld()) return;
  commitHeld(cs, level, ip);
  for (let seg = SEG_ES; seg <= SEG_GS; seg++) {
    if (seg == SEG_CS || seg == SEG_SS || isNull(segSel(seg))) continue;
    if (!checkDataSegment(segSel(seg), level, TS) || !setAccessed()) break;
    installDescriptor(seg, segSel(seg), descriptorLow, descriptorHigh);
  }
  updateMode();
  if (!fault) heldAllows(ip);
}

function loadTaskLdt(selector: u32): bool {
  installNull(SEG_LDTR, selector, 0);
  if (isNull(selector)) return true;
  if (selector & 4) return failSelector(TS, selector);
  if (!fetchDescriptor(selector, TS)) return false;
  const attr = attrOf(descriptorHigh);
  if ((attr & (ATTR_S | ATTR_TYPE)) != LDT || (attr & ATTR_P) == 0) return failSelector(TS, selector);
  installDescriptor(SEG_LDTR, selector, descriptorLow, descriptorHigh);
  return true;
}
