// Who may do what: CPL, IOPL, the I/O permission bitmap, UMIP.
import {
  CR0_PE, CR4_UMIP, EFER_LMA, FLAG_IOPL, FLAG_VM, GP, SEG_TR, cpu, fault, raiseError, segAttr, segBase, segLimit,
} from "../cpu";
import { CPU_CPL, CPU_CR0, CPU_CR4, CPU_EFER, CPU_EFLAGS, CPU_MODE, MODE_CODE64, MODE_CODE_MASK } from "../layout";
import { sysRead } from "../mmu/access";
import { updateAccessClass } from "../mmu/contexts";
import { ATTR_TYPE, TSS32_BUSY } from "./descriptors";

/** Offset of the I/O map base in a 32- or 64-bit TSS. */
const TSS_IO_MAP_BASE: u64 = 102;
/** The last byte a TSS with an I/O map base must have. */
const TSS_MIN_LIMIT: u32 = 103;

// @ts-ignore: decorator
@inline export function cpl(): u32 { return load<u32>(cpu, CPU_CPL); }
// @ts-ignore: decorator
@inline export function iopl(): u32 { return (load<u32>(cpu, CPU_EFLAGS) & FLAG_IOPL) >> 12; }
// @ts-ignore: decorator
@inline export function protectedMode(): bool { return (load<u64>(cpu, CPU_CR0) & CR0_PE) != 0; }
// @ts-ignore: decorator
@inline export function vm86(): bool { return (load<u32>(cpu, CPU_EFLAGS) & FLAG_VM) != 0; }
// @ts-ignore: decorator
@inline export function longMode(): bool { return (load<u64>(cpu, CPU_EFER) & EFER_LMA) != 0; }
// @ts-ignore: decorator
@inline export function code64(): bool { return (load<u32>(cpu, CPU_MODE) & MODE_CODE_MASK) == MODE_CODE64; }
/** Segments are selectors of descriptors: protected mode and not virtual-8086. */
// @ts-ignore: decorator
@inline export function usesDescriptors(): bool { return protectedMode() && !vm86(); }
/** Bits 63..47 are all alike (4-level paging). */
// @ts-ignore: decorator
@inline export function canonical(address: u64): bool { return <u64>((<i64>(address << 16)) >> 16) == address; }

/** Makes memory accesses those of privilege `level`, for stack accesses that belong to the level being entered. */
export function assumePrivilege(level: u32): void {
  store<u32>(cpu, level, CPU_CPL);
  updateAccessClass();
}

/** #GP(0) where CPL is not 0. */
export function requireCpl0(): bool {
  if (cpl() == 0) return true;
  raiseError(GP, 0);
  return false;
}

/** #GP(0) where CPL is above IOPL; virtual-8086 mode has CPL 3. */
export function requireIopl(): bool {
  if (!protectedMode() || cpl() <= iopl()) return true;
  raiseError(GP, 0);
  return false;
}

/** #GP(0) for SGDT, SIDT, SLDT, SMSW and STR outside ring 0 under CR4.UMIP. */
export function requireUmip(): bool {
  if (cpl() == 0 || (load<u64>(cpu, CPU_CR4) & CR4_UMIP) == 0) return true;
  raiseError(GP, 0);
  return false;
}

/**
 * May the current program access I/O port `port` with `size` (1, 2, 4) bytes? SDM volume 1, 19.5.
 * False with #GP(0) raised where not, or with a page fault from reading the TSS.
 */
export function ioAllowed(port: u32, size: i32): bool {
  if (!protectedMode() || (cpl() <= iopl() && !vm86())) return true;
  const base = segBase(SEG_TR);
  const limit = segLimit(SEG_TR);
  // Only a 32- or 64-bit TSS has a bitmap.
  if ((segAttr(SEG_TR) & ATTR_TYPE) == TSS32_BUSY && limit >= TSS_MIN_LIMIT) {
    const at = <u32>sysRead(base + TSS_IO_MAP_BASE, 2) + (port >> 3);
    if (fault) return false;
    // The processor always reads two bytes of the bitmap.
    if (at < limit) {
      const bits = <u32>sysRead(base + at, 2) >> (port & 7);
      if (fault) return false;
      if ((bits & ((1 << size) - 1)) == 0) return true;
    }
  }
  raiseError(GP, 0);
  return false;
}
