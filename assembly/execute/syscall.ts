// SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS (SDM volume 2; for the AMD forms, APM volume 3).
import {
  EFER_SCE, FLAG_IF, FLAG_RF, FLAG_VM, GP, RCX, RDX, RSP, SEG_CS, SEG_GS, SEG_SS, UD, cpu, gpr, raise, raiseError, rip,
  segBase, setGpr, setRip,
} from "../cpu";
import {
  CPU_CPL, CPU_CSTAR, CPU_EFER, CPU_EFLAGS, CPU_KERNEL_GS_BASE, CPU_LSTAR, CPU_MODE, CPU_SEG_BASE, CPU_SFMASK, CPU_STAR,
  CPU_SYSENTER_CS, CPU_SYSENTER_EIP, CPU_SYSENTER_ESP, MODE_CODE32, MODE_CODE_MASK, MODE_FLAT, MODE_LONG, MODE_STACK32, MODE_USER,
} from "../layout";
import { updateAccessClass } from "../mmu/contexts";
import { isAmd } from "./cpuid";
import { stepByNewFlags } from "./debug";
import {
  ATTR_ACCESSED, ATTR_CODE, ATTR_DB, ATTR_DPL_SHIFT, ATTR_G, ATTR_L, ATTR_P, ATTR_READABLE, ATTR_S, ATTR_WRITABLE,
  placeSegment,
} from "./descriptors";
import { getFlags, setFlags } from "./flags";
import { updateMode } from "./mode";
import { canonical, code64, cpl, longMode, protectedMode } from "./privilege";
import { interruptsEnabled } from "./request";
import { settlePointers } from "./x87/pointers";

const R11: i32 = 11;
/** RFLAGS bits that SYSRET takes from R11: all but RF, VM and the reserved ones. */
const SYSRET_FLAGS: u32 = 0x3c7fd7;
/** The code and stack segments that these instructions set: fixed, flat, 4 GiB, whatever the GDT says. */
const FLAT_CODE: u32 = ATTR_P | ATTR_S | ATTR_CODE | ATTR_READABLE | ATTR_ACCESSED | ATTR_G;
const FLAT_DATA: u32 = ATTR_P | ATTR_S | ATTR_WRITABLE | ATTR_ACCESSED | ATTR_G | ATTR_DB;

/** Sets CS and SS to flat segments at privilege `level`; `width`: ATTR_L for 64-bit code, ATTR_DB for 32-bit. */
function setFlat(code: u32, stack: u32, level: u32, width: u32): void {
  const dpl = level << ATTR_DPL_SHIFT;
  settlePointers();
  placeSegment(SEG_CS, (code & 0xfffc) | level, 0, 0xffffffff, FLAT_CODE | dpl | width);
  placeSegment(SEG_SS, (stack & 0xfffc) | level, 0, 0xffffffff, FLAT_DATA | dpl);
  store<u32>(cpu, level, CPU_CPL);
}

/** The same between 64-bit code and 64-bit code, with RFLAGS and RIP: of all that the mode word says, the level alone changes. */
function goFlat64(code: u32, stack: u32, level: u32, flags: u32, target: u64): void {
  setFlat(code, stack, level, ATTR_L);
  loadFlags(flags);
  setRip(target);
  store<u32>(cpu, (load<u32>(cpu, CPU_MODE) & ~MODE_USER) | (level == 3 ? MODE_USER : 0), CPU_MODE);
  updateAccessClass();
}

/** The same between 32-bit code and 32-bit code, with RIP: where all segments were flat they are, and nothing else has changed. */
function goFlat32(code: u32, stack: u32, level: u32, target: u64): void {
  const mode = load<u32>(cpu, CPU_MODE);
  setFlat(code, stack, level, ATTR_DB);
  setRip(target);
  if ((mode & (MODE_CODE_MASK | MODE_LONG | MODE_STACK32 | MODE_FLAT)) != (MODE_CODE32 | MODE_STACK32 | MODE_FLAT)) return updateMode();
  store<u32>(cpu, (mode & ~MODE_USER) | (level == 3 ? MODE_USER : 0), CPU_MODE);
  updateAccessClass();
}

function syscallEnabled(): bool {
  return (load<u64>(cpu, CPU_EFER) & EFER_SCE) != 0;
}

/** SYSCALL. Intel has it in 64-bit code only, AMD also in 32-bit code; #UD elsewhere and without EFER.SCE. */
export function syscall(): void {
  if (!syscallEnabled() || (!code64() && (!isAmd() || !protectedMode()))) {
    raise(UD);
    return;
  }
  const star = load<u64>(cpu, CPU_STAR);
  const selector = <u32>(star >> 32) & 0xffff;
  const flags = getFlags();
  if (!longMode()) {
    setGpr(RCX, rip() & 0xffffffff);
    setFlat(selector, selector + 8, 0, ATTR_DB);
    setFlags(flags & ~(FLAG_VM | FLAG_IF | FLAG_RF));
    setRip(star & 0xffffffff);
    updateMode();
    return;
  }
  setGpr(RCX, rip());
  setGpr(R11, flags & ~FLAG_RF);
  const kept = flags & ~<u32>load<u64>(cpu, CPU_SFMASK) & ~FLAG_RF;
  if (code64()) return goFlat64(selector, selector + 8, 0, kept, load<u64>(cpu, CPU_LSTAR));
  setFlat(selector, selector + 8, 0, ATTR_L);
  loadFlags(kept);
  setRip(load<u64>(cpu, CPU_CSTAR));
  updateMode();
}

function loadFlags(flags: u32): void {
  stepByNewFlags(flags);
  setFlags(flags);
}

/** SYSRET; `size` 8 (REX.W): to 64-bit code, else to 32-bit code. */
export function sysret(size: i32): void {
  const allowed = code64() || (isAmd() && protectedMode());
  if (!syscallEnabled() || !allowed) {
    raise(UD);
    return;
  }
  const wide = size == 8;
  // Intel checks the target while still at level 0; AMD lets the fetch there fault at level 3.
  if (cpl() != 0 || (wide && !canonical(gpr(RCX)) && !isAmd())) {
    raiseError(GP, 0);
    return;
  }
  const selector = <u32>(load<u64>(cpu, CPU_STAR) >> 48);
  const target = gpr(RCX);
  const flags = longMode() ? (<u32>gpr(R11) & SYSRET_FLAGS) | 2 : (getFlags() | FLAG_IF) & ~(FLAG_RF | FLAG_VM);
  if (wide) goFlat64(selector + 16, selector + 8, 3, flags, target);
  else {
    if (longMode()) loadFlags(flags);
    else setFlags(flags);
    setFlat(selector, selector + 8, 3, ATTR_DB);
    setRip(target & 0xffffffff);
    updateMode();
  }
  if (load<u32>(cpu, CPU_EFLAGS) & FLAG_IF) interruptsEnabled();
}

/** SYSENTER: #GP(0) in real mode and while IA32_SYSENTER_CS is null. AMD has it outside long mode only. */
export function sysenter(): void {
  if (longMode() && isAmd()) {
    raise(UD);
    return;
  }
  const selector = <u32>load<u64>(cpu, CPU_SYSENTER_CS) & 0xfffc;
  if (!protectedMode() || selector == 0) {
    raiseError(GP, 0);
    return;
  }
  const mask: u64 = longMode() ? 0xffffffffffffffff : 0xffffffff;
  setFlags(getFlags() & ~(FLAG_VM | FLAG_IF | FLAG_RF));
  setGpr(RSP, load<u64>(cpu, CPU_SYSENTER_ESP) & mask);
  const target = load<u64>(cpu, CPU_SYSENTER_EIP) & mask;
  if (!longMode()) return goFlat32(selector, selector + 8, 0, target);
  setFlat(selector, selector + 8, 0, ATTR_L);
  setRip(target);
  updateMode();
}

/** SYSEXIT to RDX with the stack at RCX; `size` 8 (REX.W): to 64-bit code, else to 32-bit code. */
export function sysexit(size: i32): void {
  if (longMode() && isAmd()) {
    raise(UD);
    return;
  }
  const selector = <u32>load<u64>(cpu, CPU_SYSENTER_CS) & 0xfffc;
  const wide = size == 8;
  const badTarget = wide && (!canonical(gpr(RCX)) || !canonical(gpr(RDX)));
  if (!protectedMode() || selector == 0 || cpl() != 0 || badTarget) {
    raiseError(GP, 0);
    return;
  }
  const mask: u64 = wide ? 0xffffffffffffffff : 0xffffffff;
  const code = selector + (wide ? 32 : 16);
  setGpr(RSP, gpr(RCX) & mask);
  if (!wide) return goFlat32(code, code + 8, 3, gpr(RDX) & mask);
  setFlat(code, code + 8, 3, ATTR_L);
  setRip(gpr(RDX) & mask);
  updateMode();
}

/** SWAPGS: GS.base and IA32_KERNEL_GS_BASE change places. #UD outside 64-bit code, #GP(0) outside level 0. */
export function swapgs(): void {
  if (!code64()) {
    raise(UD);
    return;
  }
  if (cpl() != 0) {
    raiseError(GP, 0);
    return;
  }
  const kernel = load<u64>(cpu, CPU_KERNEL_GS_BASE);
  store<u64>(cpu, segBase(SEG_GS), CPU_KERNEL_GS_BASE);
  settlePointers();
  store<u64>(cpu, kernel, CPU_SEG_BASE + 8 * SEG_GS);
}
